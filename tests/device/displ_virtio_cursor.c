/* SPDX-License-Identifier: MIT */
/* The virtio door of a display: pointers. */
#include <string.h>

#include "tests/device/displ-virtio-cases.h"

#define OK VIRTIO_GPU_RESP_OK_NODATA

#define SIDE 16

static struct driver_block image;

/* Resource 9: SIDE x SIDE of @pixel, of whose format Linux makes all of its own. */
static void make_cursor(uint32_t pixel)
{
	image = gpu_block(SIDE * SIDE * 4);
	gpu_fill(&image, pixel);
	assert_int_equal(gpu_create(9, FORMAT, SIDE, SIDE), OK);
	assert_int_equal(gpu_attach(9, &image, 4096), OK);
	assert_int_equal(gpu_transfer(9, RECT(0, 0, SIDE, SIDE), 0), OK);
}

static void up(uint32_t heads)
{
	gpu_up(&(struct displ_bed_conf){.heads = heads});
	bed.scan.whole = 0; /* they are painted on what is shown */
	gpu_picture(1, 0x111111);
	gpu_show(1);
	make_cursor(0xff00ff00);
}

/* As the card has it now, not as it was at the last blank. */
static uint32_t seen(uint32_t head, uint32_t x, uint32_t y)
{
	const struct displ_scan *scan = &bed.scan.scan;
	uint32_t canvas = bed.scan.head[head].shown;
	const uint8_t *row = scan->canvas[canvas] + (size_t)y * scan->stride;

	return ((const uint32_t *)(const void *)row)[x] & 0xffffff;
}

/* All is @under but for the pointer at @left, @top, cut off at the edges. */
static bool points(uint32_t head, int32_t left, int32_t top, uint32_t pixel,
		   uint32_t under)
{
	for (int32_t y = 0; y < HEIGHT; y++) {
		for (int32_t x = 0; x < WIDTH; x++) {
			bool in = x >= left && x < left + SIDE && y >= top &&
				  y < top + SIDE;

			if (seen(head, (uint32_t)x, (uint32_t)y) !=
			    (in ? pixel : under))
				return false;
		}
	}
	return true;
}

static void moves(void **state)
{
	static const int32_t at[][2] = {{0, 0},
					{10, 20},
					{15, 25},
					{-8, -8},
					{WIDTH - 8, HEIGHT - 8},
					{-16, 0},
					{WIDTH, 0},
					{0, INT32_MAX},
					{INT32_MIN, 0},
					{INT32_MAX, -1}};

	(void)state;
	up(1);
	gpu_cursor(0, 9, 50, 50, true);
	assert_true(points(0, 50, 50, 0x00ff00, 0x111111));
	for (unsigned i = 0; i < COUNT(at); i++) {
		gpu_cursor(0, 0, (uint32_t)at[i][0], (uint32_t)at[i][1], false);
		assert_true(points(0, at[i][0] < -SIDE ? -SIDE : at[i][0],
				   at[i][1] > HEIGHT ? HEIGHT : at[i][1], 0x00ff00,
				   0x111111));
	}
	gpu_cursor(0, 0, 5, 5, true);
	assert_true(points(0, -SIDE, 0, 0, 0x111111));
	gpu_down();
}

/* By its alpha, with which its colours are multiplied. */
static void blends(void **state)
{
	(void)state;
	up(1);
	gpu_fill(&image, 0x80008000);
	assert_int_equal(gpu_transfer(9, RECT(0, 0, SIDE, SIDE), 0), OK);
	gpu_cursor(0, 9, 0, 0, true);
	assert_int_equal(seen(0, 0, 0), 0x088808);
	gpu_fill(&image, 0);
	assert_int_equal(gpu_transfer(9, RECT(0, 0, SIDE, SIDE), 0), OK);
	/* Not before its driver says so. */
	assert_int_equal(seen(0, 0, 0), 0x088808);
	gpu_cursor(0, 9, 0, 0, true);
	assert_int_equal(seen(0, 0, 0), 0x111111);
	gpu_fill(&image, 0xffffffff);
	assert_int_equal(gpu_transfer(9, RECT(0, 0, SIDE, SIDE), 0), OK);
	gpu_cursor(0, 9, 0, 0, true);
	assert_int_equal(seen(0, 0, 0), 0xffffff);
	gpu_down();
}

/* What is transferred is under it; what it leaves is what was transferred. */
static void over_what_is_painted(void **state)
{
	struct driver_block block;

	(void)state;
	gpu_up(&(struct displ_bed_conf){0});
	bed.scan.whole = 0;
	block = gpu_picture(1, 0x111111);
	gpu_show(1);
	make_cursor(0xff00ff00);
	gpu_cursor(0, 9, 40, 40, true);
	gpu_fill(&block, 0x222222);
	assert_int_equal(gpu_transfer(1, ALL, 0), OK);
	assert_true(points(0, 40, 40, 0x00ff00, 0x222222));
	gpu_cursor(0, 0, 60, 60, false);
	assert_true(points(0, 60, 60, 0x00ff00, 0x222222));
	/* And it is there after its resource. */
	assert_int_equal(gpu_unref(9), OK);
	gpu_cursor(0, 0, 61, 60, false);
	assert_true(points(0, 61, 60, 0x00ff00, 0x222222));
	gpu_down();
}

/* On the one that is shown and on the next, and on none that was. */
static void over_page_flips(void **state)
{
	(void)state;
	up(1);
	gpu_picture(2, 0x222222);
	gpu_cursor(0, 9, 40, 40, true);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(gpu_set(0, 2 - i % 2, ALL), OK);
		assert_true(points(0, 40 + (int32_t)i, 40, 0x00ff00,
				   i % 2 ? 0x222222 : 0x111111));
		gpu_cursor(0, 0, 41 + i, 40, false);
		displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
		assert_true(points(0, 41 + (int32_t)i, 40, 0x00ff00,
				   i % 2 ? 0x111111 : 0x222222));
	}
	gpu_cursor(0, 0, 0, 0, true);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(gpu_set(0, 1 + i, ALL), OK);
		displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
		assert_true(points(0, -SIDE, 0, 0, 0x111111 * (1 + i)));
	}
	gpu_down();
}

/* On part of a resource, within it; the resource itself has none. */
static void over_a_part(void **state)
{
	(void)state;
	up(1);
	assert_int_equal(gpu_set(0, 1, RECT(0, 0, 64, 64)), OK);
	gpu_cursor(0, 9, 56, 0, true);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_int_equal(seen(0, 32 + 55, 16), 0x111111);
	assert_int_equal(seen(0, 32 + 56, 16), 0x00ff00);
	assert_int_equal(seen(0, 32 + 63, 16), 0x00ff00);
	assert_int_equal(seen(0, 32 + 64, 16), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(gpu_flush(1, ALL), OK);
		displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
		assert_int_equal(seen(0, 32 + 56, 16), 0x00ff00);
	}
	gpu_cursor(0, 0, 0, 56, false);
	assert_int_equal(seen(0, 32 + 56, 16), 0x111111);
	assert_int_equal(seen(0, 32, 16 + 56), 0x00ff00);
	gpu_down();
}

/* Two heads show one canvas: each pointer is on both, and goes as it came. */
static void two_of_one_canvas(void **state)
{
	(void)state;
	up(2);
	assert_int_equal(gpu_set(1, 1, ALL), OK);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	gpu_cursor(0, 9, 40, 40, true);
	gpu_cursor(1, 9, 48, 48, true);
	assert_int_equal(seen(0, 60, 60), 0x00ff00);
	gpu_cursor(0, 0, 0, 0, false);
	assert_int_equal(seen(0, 44, 44), 0x111111);
	assert_int_equal(seen(0, 50, 50), 0x00ff00);
	gpu_cursor(1, 0, 0, 0, true);
	assert_true(points(1, 0, 0, 0x00ff00, 0x111111));
	/* And the head that a part of it is copied to gets none of it. */
	assert_int_equal(gpu_set(1, 1, RECT(0, 0, 64, 64)), OK);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_int_equal(seen(1, 32, 16), 0x111111);
	assert_true(points(0, 0, 0, 0x00ff00, 0x111111));
	gpu_down();
}

/* Who goes takes it away; the picture of who is gone has none. */
static void goes_dark(void **state)
{
	(void)state;
	up(1);
	gpu_cursor(0, 9, 40, 40, true);
	assert_int_equal(gpu_set(0, 0, ALL), OK);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_true(points(0, -SIDE, 0, 0, DISPL_BED_GONE));
	gpu_show(1);
	assert_true(points(0, 40, 40, 0x00ff00, 0x111111));
	assert_true(virtio_driver_set_status(&bed.vfront.driver, 0));
	bed.chains = (struct vchains){0};
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_true(points(0, -SIDE, 0, 0, DISPL_BED_GONE));
	assert_true(vfront_ready(&bed.vfront));
	gpu_picture(1, 0x333333);
	gpu_show(1);
	assert_true(points(0, -SIDE, 0, 0, 0x333333));
	gpu_down();
}

/* It moves while the control queue waits for a show. */
static void waits_for_no_picture(void **state)
{
	struct virtio_gpu_set_scanout set = {
		.hdr.type = VIRTIO_GPU_CMD_SET_SCANOUT,
		.r = {0, 0, WIDTH, HEIGHT},
		.resource_id = 2,
	};
	struct gpu_answer a;

	(void)state;
	up(1);
	gpu_picture(2, 0x222222);
	gpu_cursor(0, 9, 40, 40, true);
	assert_int_equal(gpu_set(0, 2, ALL), OK);
	gpu_send_flush(1, ALL, false);
	gpu_send_flush(2, ALL, true);
	assert_true(gpu_back(0, 24, &a));
	assert_false(gpu_back(0, 24, &a));
	gpu_cursor(0, 0, 50, 40, false);
	assert_true(points(0, 50, 40, 0x00ff00, 0x111111));
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_true(gpu_back(0, 24, &a));
	assert_true(points(0, 50, 40, 0x00ff00, 0x222222));
	assert_int_equal(gpu_set(0, 1, ALL), OK);
	gpu_send_flush(2, ALL, false);
	assert_true(gpu_back(0, 24, &a));
	gpu_send(0, &set, sizeof(set), 24);
	assert_false(gpu_back(0, 24, &a));
	gpu_cursor(0, 0, 60, 40, false);
	assert_true(points(0, 60, 40, 0x00ff00, 0x222222));
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_true(gpu_back(0, 24, &a));
	assert_true(points(0, 60, 40, 0x00ff00, 0x222222));
	gpu_down();
}

/* What is none is not drawn, and changes nothing. */
static void what_is_none(void **state)
{
	uint64_t errors;

	(void)state;
	up(1);
	gpu_cursor(0, 9, 40, 40, true);
	errors = bed.virtio.stats.errors;
	gpu_cursor(1, 9, 0, 0, true);
	gpu_cursor(0xffffffff, 9, 0, 0, false);
	gpu_cursor(0, 1, 0, 0, true);
	gpu_cursor(0, 77, 0, 0, true);
	assert_int_equal(bed.virtio.stats.errors - errors, 4);
	assert_true(points(0, 40, 40, 0x00ff00, 0x111111));
	gpu_down();
}

/* -- Who follows ------------------------------------------------------------------- */

static void follow(void)
{
	displ_bed_kill(&bed);
	assert_int_equal(displ_bed_follow(&bed), 0);
	bed.scan.whole = 0;
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
}

static void comes_back(void **state)
{
	(void)state;
	up(2);
	assert_int_equal(gpu_set(1, 1, RECT(0, 0, 64, 64)), OK);
	gpu_cursor(0, 9, (uint32_t)-8, 40, true);
	follow();
	assert_true(points(0, -8, 40, 0x00ff00, 0x111111));
	assert_int_equal(seen(1, 32, 56), 0x111111);
	/* And goes on from there. */
	gpu_cursor(0, 0, 50, 40, false);
	assert_true(points(0, 50, 40, 0x00ff00, 0x111111));
	/* Taken away, it stays away. */
	gpu_cursor(0, 0, 50, 40, true);
	follow();
	assert_true(points(0, -SIDE, 0, 0, 0x111111));
	gpu_down();
}

/* It is not written, nor a turn made for it. */
static void assert_it_stands(void)
{
	uint64_t writes = loopxen_calls(bed.x, LOOPXEN_WRITE);

	bed.turns = 0;
	displ_bed_pass(&bed, 3 * CLOCK_SECOND);
	assert_int_equal(loopxen_calls(bed.x, LOOPXEN_WRITE), writes);
	assert_in_range(bed.turns, 0, 4);
}

/* Where it is is kept once a second, however often it moves. */
static void moves_are_kept_once_a_second(void **state)
{
	uint64_t writes;

	(void)state;
	up(1);
	gpu_cursor(0, 9, 0, 0, true);
	displ_bed_pass(&bed, 2 * CLOCK_SECOND);
	writes = loopxen_calls(bed.x, LOOPXEN_WRITE);
	for (unsigned i = 1; i <= 100; i++) {
		gpu_cursor(0, 0, i, 7, false);
		displ_bed_pass(&bed, 29 * CLOCK_MS);
	}
	assert_int_equal(loopxen_calls(bed.x, LOOPXEN_WRITE) - writes, 3);
	displ_bed_pass(&bed, CLOCK_SECOND);
	assert_int_equal(loopxen_calls(bed.x, LOOPXEN_WRITE) - writes, 4);
	assert_string_equal(displ_bed_back_key(&bed, "cursor-0"), "9 100 7");
	assert_it_stands();
	follow();
	assert_true(points(0, 100, 7, 0x00ff00, 0x111111));
	assert_it_stands();
	gpu_down();
}

/* xenstore is late: it is asked again, and the place is kept in the end. */
static void moves_are_kept_late(void **state)
{
	(void)state;
	up(1);
	gpu_cursor(0, 9, 0, 0, true);
	displ_bed_pass(&bed, 2 * CLOCK_SECOND);
	loopxen_fail(bed.x, LOOPXEN_WRITE, 0, STORE_FULL);
	gpu_cursor(0, 0, 30, 7, false);
	assert_false(loopxen_fail_left(bed.x, LOOPXEN_WRITE));
	assert_string_equal(displ_bed_back_key(&bed, "cursor-0"), "9 0 0");
	displ_bed_pass(&bed, CLOCK_SECOND + CLOCK_MS);
	assert_string_equal(displ_bed_back_key(&bed, "cursor-0"), "9 30 7");
	gpu_down();
}

/* What another one's resource of the same number has is no image of it. */
static void goes_with_its_resource(void **state)
{
	(void)state;
	up(1);
	gpu_cursor(0, 9, 40, 40, true);
	assert_int_equal(gpu_unref(9), OK);
	assert_string_equal(displ_bed_back_key(&bed, "cursor-0"), "none");
	assert_true(points(0, 40, 40, 0x00ff00, 0x111111));
	make_cursor(0xffff0000);
	gpu_cursor(0, 0, 41, 40, false);
	follow();
	assert_true(points(0, -SIDE, 0, 0, 0x111111));
	gpu_cursor(0, 9, 40, 40, true);
	follow();
	assert_true(points(0, 40, 40, 0xff0000, 0x111111));
	gpu_down();
}

/* The client after this one has none. */
static void goes_with_its_client(void **state)
{
	(void)state;
	up(1);
	gpu_cursor(0, 9, 40, 40, true);
	assert_true(virtio_driver_set_status(&bed.vfront.driver, 0));
	bed.chains = (struct vchains){0};
	assert_string_equal(displ_bed_back_key(&bed, "cursor-0"), "none");
	assert_true(vfront_ready(&bed.vfront));
	gpu_picture(1, 0x333333);
	gpu_show(1);
	make_cursor(0xff00ff00);
	gpu_cursor(0, 9, 40, 40, true);
	displ_virtio_detach(&bed.virtio);
	displ_bed_pass(&bed, 3 * DISPL_TEST_BLANK);
	assert_true(vfront_disconnect(&bed.vfront));
	assert_int_equal(displ_bed_connect(&bed), 0);
	assert_string_equal(displ_bed_back_key(&bed, "cursor-0"), "none");
	gpu_down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves),
		cmocka_unit_test(blends),
		cmocka_unit_test(over_what_is_painted),
		cmocka_unit_test(over_page_flips),
		cmocka_unit_test(over_a_part),
		cmocka_unit_test(two_of_one_canvas),
		cmocka_unit_test(goes_dark),
		cmocka_unit_test(waits_for_no_picture),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(comes_back),
		cmocka_unit_test(moves_are_kept_once_a_second),
		cmocka_unit_test(moves_are_kept_late),
		cmocka_unit_test(goes_with_its_resource),
		cmocka_unit_test(goes_with_its_client),
	};

	return cmocka_run_group_tests_name("displ_virtio_cursor", tests, NULL, NULL);
}
