/* SPDX-License-Identifier: MIT */
/*
 * What the tests of a display's core share: a card that does what a test says, pictures
 * whose pixels say where they are, and virtual time.
 */
#ifndef XDD_TEST_DISPL_SCENE_H
#define XDD_TEST_DISPL_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "backends/displ/displ.h"
#include "common/clock.h"

#define START	 (77 * CLOCK_SECOND)
#define NONE	 UINT32_MAX
#define WIDTH	 128 /* of a canvas */
#define HEIGHT	 96
#define STRIDE	 (WIDTH + 5) /* pixels */
#define CANVASES (2 * DISPL_OWN_CANVASES)
#define RED	 0xffff0000u

/* A card: what flies lands when a test says so. */
static struct card {
	struct displ_scan scan;
	uint32_t pixels[CANVASES][STRIDE * HEIGHT];
	uint32_t shown[2], flying[2];
	uint32_t landed; /* heads, bits: told by the next look */
	unsigned shows, looks;
	int show_error, look_error;
} card;

static struct displ displ;
static struct displ_policy policy;
static uint64_t now;
static unsigned told[2];

/* Invariant 1: whoever shows has seen the last one land. */
static inline int card_show(struct displ_scan *scan, uint32_t head, uint32_t canvas,
			    uint64_t at)
{
	assert_ptr_equal(scan, &card.scan);
	assert_true(at == now && head < 2);
	card.shows++;
	if (card.show_error)
		return card.show_error;
	assert_int_equal(card.flying[head], NONE);
	assert_true(canvas / DISPL_OWN_CANVASES == head);
	card.flying[head] = canvas;
	return 0;
}

static inline int card_look(struct displ_scan *scan, uint64_t at, uint32_t *shown)
{
	assert_true(scan == &card.scan && at == now);
	card.looks++;
	if (card.look_error)
		return card.look_error;
	*shown = card.landed;
	card.landed = 0;
	return 0;
}

static const struct displ_scan_ops card_ops = {.show = card_show, .look = card_look};

static inline void landed(void *owner, uint32_t head, uint64_t at)
{
	assert_ptr_equal(owner, &told);
	assert_true(at == now);
	told[head]++;
}

/* -- Pictures -------------------------------------------------------------- */

/* Each pixel says where it is; a read is within the picture. */
struct made {
	struct displ_picture picture;
	uint8_t *bytes;
	size_t n;
	unsigned reads;
};

static struct made made;

static inline void made_read(const void *of, uint64_t at, void *dst, uint32_t n)
{
	assert_ptr_equal(of, &made);
	assert_true(at <= made.n && n <= made.n - at);
	memcpy(dst, made.bytes + at, n);
	made.reads++;
}

static inline uint32_t pixel_at(uint32_t x, uint32_t y)
{
	return 0xff000000u | (x + 1) << 8 | (y + 1);
}

/* Of rows that are @gap bytes apart; the last one has none behind it. */
static inline const struct displ_picture *make(uint32_t width, uint32_t height,
					       uint32_t gap)
{
	uint32_t stride = 4 * width + gap;

	free(made.bytes);
	made = (struct made){.n = (size_t)stride * (height - 1) + 4 * width};
	made.bytes = malloc(made.n);
	assert_non_null(made.bytes);
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++) {
			uint32_t pixel = pixel_at(x, y);

			memcpy(made.bytes + (size_t)y * stride + 4 * x, &pixel, 4);
		}
	}
	made.picture = (struct displ_picture){
		DISPL_XRGB8888, {width, height}, stride, made_read, &made};
	return &made.picture;
}

static inline struct displ_rect whole(const struct displ_picture *picture)
{
	return (struct displ_rect){0, 0, picture->size.width, picture->size.height};
}

/* Invariant 3: @rect of the picture in the middle of a canvas, and black around it. */
static inline void canvas_has(uint32_t canvas, const struct displ_rect *rect)
{
	uint32_t left = (WIDTH - rect->width) / 2, top = (HEIGHT - rect->height) / 2;

	for (uint32_t y = 0; y < HEIGHT; y++) {
		for (uint32_t x = 0; x < WIDTH; x++) {
			uint32_t is = card.pixels[canvas][y * STRIDE + x], want = 0;

			if (x >= left && x < left + rect->width && y >= top &&
			    y < top + rect->height)
				want = pixel_at(rect->x + x - left, rect->y + y - top);
			if (is != want)
				fail_msg("%u %u: %08x, not %08x", x, y, is, want);
		}
	}
}

/* -- The scene ------------------------------------------------------------- */

static inline void start(const struct displ_picture *gone)
{
	const struct displ_conf conf = {&policy, &card.scan, &told, landed};

	assert_int_equal(displ_init(&displ, &conf, gone, now), 0);
}

/* The left head has a canvas's size, and the right one less. */
static inline int begin(void **state)
{
	(void)state;
	now = START;
	memset(told, 0, sizeof(told));
	displ_policy_init(&policy);
	policy.heads = 2;
	memset(&card, 0, sizeof(card));
	card.scan = (struct displ_scan){
		.ops = &card_ops,
		.head = {{WIDTH, HEIGHT}, {64, 80}},
		.heads = 2,
		.size = {WIDTH, HEIGHT},
		.stride = 4 * STRIDE,
		.canvases = CANVASES,
		.fd = -1,
		.due = UINT64_MAX,
	};
	for (uint32_t i = 0; i < CANVASES; i++)
		card.scan.canvas[i] = (uint8_t *)card.pixels[i];
	card.shown[0] = card.shown[1] = card.flying[0] = card.flying[1] = NONE;
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	displ_fini(&displ);
	free(made.bytes);
	made.bytes = NULL;
	return 0;
}

static inline void turn(void)
{
	assert_int_equal(displ_turn(&displ, now), 0);
}

/* What flies on @heads lands at the next blank. */
static inline void land(uint32_t heads)
{
	now += CLOCK_SECOND / 60;
	for (uint32_t i = 0; i < 2; i++) {
		if (!(heads >> i & 1))
			continue;
		assert_true(card.flying[i] != NONE);
		card.shown[i] = card.flying[i];
		card.flying[i] = NONE;
		card.landed |= 1u << i;
	}
	turn();
}

/* With both heads dark, and that seen. */
static inline void start_dark(void)
{
	start(NULL);
	land(3);
}

static inline enum displ_status show(uint32_t head, const struct displ_picture *picture)
{
	struct displ_rect rect = whole(picture);

	return displ_show(&displ, head, picture, &rect, false, now);
}

static inline void shows(uint32_t head, const struct displ_picture *picture)
{
	assert_int_equal(show(head, picture), DISPL_OK);
}

static inline bool is_dark(uint32_t head)
{
	return card.shown[head] == head * DISPL_OWN_CANVASES + 2;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
