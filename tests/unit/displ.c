/* SPDX-License-Identifier: MIT */
/*
 * backends/displ/displ.c: what is shown of a picture, and when, and when a head is
 * dark; invariants 1 to 4 of displ.h by their numbers.
 */
#include "tests/unit/displ_scene.h"

/* -- What can be shown ----------------------------------------------------- */

static void judges(void **state)
{
	struct displ_picture picture = *make(8, 8, 0);

	(void)state;
	start_dark();
	assert_int_equal(displ_judge(&displ, &picture), DISPL_OK);
	picture.stride = 31;
	assert_int_equal(displ_judge(&displ, &picture), DISPL_INVALID);
	picture.stride = 32;
	picture.size.height = 0;
	assert_int_equal(displ_judge(&displ, &picture), DISPL_INVALID);
	picture.size = (struct displ_size){0, 8};
	assert_int_equal(displ_judge(&displ, &picture), DISPL_INVALID);
	/* What 32 bits of bytes would hide. */
	picture.size = (struct displ_size){1u << 30 | 8, 8};
	assert_int_equal(displ_judge(&displ, &picture), DISPL_INVALID);
	picture.size = (struct displ_size){8, 8};
	picture.format = DISPL_RGB565;
	assert_int_equal(displ_judge(&displ, &picture), DISPL_DENIED);
	policy.formats |= 1u << DISPL_RGB565;
	picture.stride = 16;
	assert_int_equal(displ_judge(&displ, &picture), DISPL_OK);
}

static void rects(void **state)
{
	static const struct {
		struct displ_rect rect;
		bool in;
	} cases[] = {
		{{0, 0, 8, 6}, true},		{{7, 5, 1, 1}, true},
		{{0, 0, 9, 6}, false},		{{0, 0, 8, 7}, false},
		{{1, 0, 8, 6}, false},		{{0, 1, 8, 6}, false},
		{{8, 0, 1, 1}, false},		{{0, 6, 1, 1}, false},
		{{0, 0, 0, 1}, false},		{{0, 0, 1, 0}, false},
		{{UINT32_MAX, 0, 2, 1}, false}, {{0, UINT32_MAX, 1, 2}, false},
		{{2, 0, UINT32_MAX, 1}, false}, {{0, 2, 1, UINT32_MAX}, false},
	};

	(void)state;
	start_dark();
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			displ_rect_in(&cases[i].rect, (struct displ_size){8, 6}),
			cases[i].in);
}

/* Invariant 1: one in flight of each head, and each is told of once. */
static void one_in_flight(void **state)
{
	const struct displ_picture *picture = make(64, 80, 0);

	(void)state;
	start_dark();
	assert_false(displ_flies(&displ));
	shows(0, picture);
	assert_true(displ_flies(&displ));
	made.reads = 0;
	assert_int_equal(show(0, picture), DISPL_LATER);
	assert_int_equal(made.reads, 0);
	shows(1, picture);
	turn();
	assert_int_equal(told[0] + told[1], 0);
	land(2);
	assert_int_equal(told[0], 0);
	assert_int_equal(told[1], 1);
	assert_int_equal(show(0, picture), DISPL_LATER);
	shows(1, picture);
	land(3);
	assert_int_equal(told[0], 1);
	assert_int_equal(told[1], 2);
	turn();
	assert_int_equal(told[0], 1);
	assert_int_equal(displ.stats.frames, 5); /* with two dark ones */
	/* A landing of what does not fly is nobody's. */
	card.landed = 3;
	card.scan.due = now;
	turn();
	assert_int_equal(told[0] + told[1], 3);
}

/* Who let go of a head is not told of what is in flight. */
static void let_go(void **state)
{
	(void)state;
	start_dark();
	shows(0, make(8, 8, 0));
	displ_dark(&displ, 0, now);
	land(1);
	land(1);
	assert_int_equal(told[0], 0);
	assert_true(is_dark(0));
}

/* Invariant 2. */
static void dark(void **state)
{
	(void)state;
	start(NULL);
	assert_int_equal(card.shows, 2);
	assert_int_equal(card.flying[0], 2);
	assert_int_equal(card.flying[1], 5);
	land(3);
	assert_int_equal(told[0] + told[1], 0);
	displ_dark(&displ, 0, now); /* it is */
	assert_int_equal(card.shows, 2);
	shows(0, make(8, 8, 0));
	land(1);
	assert_false(is_dark(0));
	displ_dark(&displ, 0, now);
	assert_int_equal(card.flying[0], 2);
	displ_dark(&displ, 0, now);
	land(1);
	assert_true(is_dark(0));
	assert_int_equal(displ.stats.darkened, 1);
	assert_int_equal(told[0], 1);
	/* In flight: then after the blank of that; and never if it shows anew. */
	shows(0, &made.picture);
	displ_dark(&displ, 0, now);
	assert_int_equal(card.flying[0], 0);
	land(1);
	assert_int_equal(card.shown[0], 0);
	assert_int_equal(card.flying[0], 2);
	assert_int_equal(show(0, &made.picture), DISPL_LATER);
	land(1);
	assert_true(is_dark(0) && !displ_flies(&displ));
	assert_int_equal(displ.stats.darkened, 2);
	shows(0, &made.picture);
	land(1);
	assert_int_equal(told[0], 2);
}

/* Its middle, if it is too large; else itself in the middle. */
static void gone(void **state)
{
	(void)state;
	start(make(100, 50, 12));
	canvas_has(2, &(struct displ_rect){0, 0, 100, 50});
	canvas_has(5, &(struct displ_rect){18, 0, 64, 50});
	displ_fini(&displ);
	begin(NULL);
	start(make(300, 301, 0));
	canvas_has(2, &(struct displ_rect){86, 102, WIDTH, HEIGHT});
	canvas_has(5, &(struct displ_rect){118, 110, 64, 80});
	assert_int_equal(displ.stats.copied, 0); /* no client's */
}

/* Invariant 3, whatever was there. */
static void in_the_middle(void **state)
{
	static const struct displ_rect rects[] = {
		{0, 0, WIDTH, HEIGHT}, {10, 20, 64, 33}, {10, 20, 64, 33},
		{0, 0, 1, 1},	       {1, 2, 127, 94},	 {127, 95, 1, 1},
		{3, 0, 64, 80},	       {0, 3, 80, 64},
	};
	const struct displ_picture *picture = make(WIDTH, HEIGHT, 20);
	uint64_t copied = 0;

	(void)state;
	start_dark();
	for (unsigned i = 0; i < sizeof(rects) / sizeof(rects[0]); i++) {
		assert_int_equal(displ_show(&displ, 0, picture, &rects[i], false, now),
				 DISPL_OK);
		canvas_has(card.flying[0], &rects[i]);
		copied += 4ull * rects[i].width * rects[i].height;
		assert_int_equal(displ.stats.copied, copied);
		land(1);
	}
	/* No larger than its head. */
	assert_int_equal(displ_show(&displ, 1, picture,
				    &(struct displ_rect){0, 0, 65, 80}, false, now),
			 DISPL_DENIED);
	assert_int_equal(displ_show(&displ, 1, picture,
				    &(struct displ_rect){0, 0, 64, 81}, false, now),
			 DISPL_DENIED);
	assert_int_equal(displ_show(&displ, 1, picture,
				    &(struct displ_rect){64, 16, 64, 80}, false, now),
			 DISPL_OK);
	canvas_has(3, &(struct displ_rect){64, 16, 64, 80});
}

/* What is no canvas's format goes by way of a row. */
static void other_formats(void **state)
{
	struct displ_picture picture = *make(9, 3, 0);

	(void)state;
	start_dark();
	picture.format = DISPL_XBGR8888;
	shows(0, &picture);
	assert_int_equal(card.pixels[0][46 * STRIDE + 59], 0xff010100u);
	assert_int_equal(card.pixels[0][48 * STRIDE + 67], 0xff030900u);
	land(1);
	picture.format = DISPL_RGB565;
	picture.stride = 18;
	memset(made.bytes, 0, made.n);
	made.bytes[18 * 2 + 17] = 0xf8;
	shows(0, &picture);
	assert_int_equal(card.pixels[1][48 * STRIDE + 67], RED);
	assert_int_equal(card.pixels[1][48 * STRIDE + 66], 0xff000000u);
}

/* With alpha, what has none is opaque; without, nobody looks. */
static void alpha(void **state)
{
	struct displ_picture picture = *make(1, 1, 0);

	(void)state;
	start_dark();
	memcpy(made.bytes, "\x11\x22\x33\x44", 4);
	shows(0, &picture);
	assert_int_equal(card.pixels[0][47 * STRIDE + 63] & 0xffffff, 0x332211);
	land(1);
	card.scan.alpha = true;
	shows(0, &picture);
	assert_int_equal(card.pixels[1][47 * STRIDE + 63], 0xff332211);
	land(1);
	picture.format = DISPL_ARGB8888;
	shows(0, &picture);
	assert_int_equal(card.pixels[0][47 * STRIDE + 63], 0x44332211);
}

/* Invariant 4: neither what is shown nor what flies changes, whatever comes. */
static void paints_on_no_shown_one(void **state)
{
	static uint32_t before[CANVASES][STRIDE * HEIGHT];
	const struct displ_picture *picture = make(64, 80, 0);

	(void)state;
	start_dark();
	srand(7);
	for (unsigned i = 0; i < 2000; i++) {
		unsigned what = (unsigned)rand() % 6;
		uint32_t head = (uint32_t)rand() & 1;
		bool busy[CANVASES] = {false};

		for (uint32_t h = 0; h < 2; h++) {
			if (card.shown[h] != NONE)
				busy[card.shown[h]] = true;
			if (card.flying[h] != NONE)
				busy[card.flying[h]] = true;
		}
		memcpy(before, card.pixels, sizeof(before));
		card.show_error = what == 5 ? -EIO : 0;
		if (what <= 2 || what == 5)
			displ_show(&displ, head, picture,
				   &(struct displ_rect){0, 0, 1 + i % 64, 1 + i % 80},
				   false, now);
		else if (what == 3)
			displ_dark(&displ, head, now);
		else if (card.flying[head] != NONE)
			land(1u << head);
		card.show_error = 0;
		for (uint32_t c = 0; c < CANVASES; c++) {
			if (busy[c] &&
			    memcmp(before[c], card.pixels[c], sizeof(before[c])))
				fail_msg("canvas %u", c);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(judges),	     TEST(rects),
		TEST(one_in_flight), TEST(let_go),
		TEST(dark),	     TEST(gone),
		TEST(in_the_middle), TEST(other_formats),
		TEST(alpha),	     TEST(paints_on_no_shown_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
