/* SPDX-License-Identifier: MIT */
/* The PV door of a display: what is shown, when, and what is said of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "tests/device/displ-bed.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define EIO_	    (-5)
#define ENOMEM_	    (-12)
#define EACCES_	    (-13)
#define EINVAL_	    (-22)
#define EOPNOTSUPP_ (-95)

#define XR24 0x34325258u
#define AR24 0x34325241u
#define RG16 0x36314752u
#define RG24 0x34324752u
#define YUYV 0x56595559u

static struct displ_bed bed;
static const struct displ_rect all = {0, 0, 64, 64};

static void up(void)
{
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_bed_show(&bed);
}

static void down(void)
{
	assert_int_equal(bed.broken, 0);
	assert_int_equal(displ_bed_down(&bed), 0);
}

/* -- Pictures -------------------------------------------------------------- */

/* Dark until there is something, then that, pixel for pixel, then dark again. */
static void a_picture_is_shown(void **state)
{
	uint32_t *pixels;

	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, DISPL_BED_GONE));
	assert_int_equal(displ_bed_create(&bed, 0, 64, 64, 32), 0);
	pixels = (uint32_t *)(void *)bed.front.buffer[0].bytes;
	for (uint32_t i = 0; i < 64 * 64; i++)
		pixels[i] = 0xff000000u | i * 4099;
	assert_int_equal(displ_bed_attach(&bed, 7, 0, 64, 64, XR24), 0);
	assert_int_equal(displ_bed_config(&bed, 0, 7, &all, 32), 0);
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	for (uint32_t i = 0; i < 64 * 64; i++)
		assert_int_equal(displ_scan_test_pixel(&bed.scan, 0, i % 64, i / 64),
				 (i * 4099) & 0xffffff);
	assert_int_equal(displ_bed_config(&bed, 0, 0, &all, 32), 0);
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, DISPL_BED_GONE));
	down();
}

/* What a client does to its pages afterwards is not seen, until it flips. */
static void pages_are_read_when_it_asks(void **state)
{
	(void)state;
	up();
	assert_true(displ_bed_sees(&bed, 0, 0x101010));
	displ_bed_fill(&bed, 0, 0xabcdef);
	displ_bed_pass(&bed, 10 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0x101010));
	assert_int_equal(displ_bed_flip(&bed, 0, 1), 0);
	displ_bed_fill(&bed, 0, 0x777777);
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0xabcdef));
	down();
}

/* One that is smaller is in the middle of black; and so is its edge, when it shrinks.
 */
static void a_smaller_one_is_in_the_middle(void **state)
{
	const struct displ_rect small = {0, 0, 20, 30};

	(void)state;
	up();
	assert_int_equal(displ_bed_config(&bed, 0, 2, &small, 32), 0);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	for (uint32_t y = 0; y < 64; y++) {
		for (uint32_t x = 0; x < 64; x++) {
			bool in = x >= 22 && x < 42 && y >= 17 && y < 47;

			assert_int_equal(displ_scan_test_pixel(&bed.scan, 0, x, y),
					 in ? 0x202020 : 0);
		}
	}
	down();
}

/* Part of a frame buffer that is larger than the connector. */
static void part_of_a_larger_one(void **state)
{
	const struct displ_rect part = {30, 40, 64, 64};
	uint32_t *pixels;

	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	assert_int_equal(displ_bed_create(&bed, 0, 100, 110, 32), 0);
	pixels = (uint32_t *)(void *)bed.front.buffer[0].bytes;
	for (uint32_t i = 0; i < 100 * 110; i++)
		pixels[i] = i;
	assert_int_equal(displ_bed_attach(&bed, 7, 0, 100, 110, XR24), 0);
	assert_int_equal(displ_bed_config(&bed, 0, 7, &part, 32), 0);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	for (uint32_t y = 0; y < 64; y++) {
		for (uint32_t x = 0; x < 64; x++)
			assert_int_equal(displ_scan_test_pixel(&bed.scan, 0, x, y),
					 (y + 40) * 100 + x + 30);
	}
	/* All of it is more than the connector has. */
	assert_int_equal(
		displ_bed_config(&bed, 0, 7, &(struct displ_rect){0, 0, 100, 110}, 32),
		EACCES_);
	down();
}

/* A picture that is not at the beginning of its buffer, nor on a page. */
static void pixels_behind_an_offset(void **state)
{
	struct xendispl_req req = {.operation = XENDISPL_OP_DBUF_CREATE};
	uint32_t bytes = 64 * 64 * 4, offset = 5000;

	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_front_buffer(&bed.front, 0, bytes + offset, false);
	memset(bed.front.buffer[0].bytes, 0x11, offset);
	memset(bed.front.buffer[0].bytes + offset, 0x44, bytes);
	req.op.dbuf_create.dbuf_cookie = 100;
	req.op.dbuf_create.width = req.op.dbuf_create.height = 64;
	req.op.dbuf_create.bpp = 32;
	req.op.dbuf_create.buffer_sz = bytes + offset;
	req.op.dbuf_create.data_ofs = offset;
	req.op.dbuf_create.gref_directory = bed.front.buffer[0].list_ref[0].v;
	assert_int_equal(displ_bed_ask(&bed, 0, &req).status, 0);
	assert_int_equal(displ_bed_attach(&bed, 7, 0, 64, 64, XR24), 0);
	assert_int_equal(displ_bed_config(&bed, 0, 7, &all, 32), 0);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0x444444));
	down();
}

/* Over several maps, whose borders lie within rows, and several pages of the list. */
static void a_large_one(void **state)
{
	const struct displ_rect rect = {0, 0, 1000, 1100};
	uint32_t *pixels;

	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){.size = {1000, 1100}});
	assert_int_equal(displ_bed_create(&bed, 0, 1000, 1100, 32), 0);
	assert_int_equal(bed.front.buffer[0].lists, 2);
	pixels = (uint32_t *)(void *)bed.front.buffer[0].bytes;
	for (uint32_t i = 0; i < 1000 * 1100; i++)
		pixels[i] = i;
	assert_int_equal(displ_bed_attach(&bed, 7, 0, 1000, 1100, XR24), 0);
	assert_int_equal(displ_bed_config(&bed, 0, 7, &rect, 32), 0);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	for (uint32_t i = 0; i < 1000 * 1100; i++)
		assert_int_equal(
			displ_scan_test_pixel(&bed.scan, 0, i % 1000, i / 1000),
			i & 0xffffff);
	assert_int_equal(bed.displ.stats.copied, 4 * 1000 * 1100);
	down();
}

/* What Linux's front end has, and others. */
static void formats(void **state)
{
	static const struct {
		uint32_t fourcc, bpp, pixel, seen;
	} rows[] = {
		{XR24, 32, 0x00123456, 0x123456}, {AR24, 32, 0x80123456, 0x123456},
		{RG16, 16, 0xf81f, 0xff00ff},	  {RG16, 16, 0x07e0, 0x00ff00},
		{RG24, 24, 0x123456, 0x123456},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		uint32_t bytes = rows[i].bpp / 8;

		displ_bed_up(&bed, &(struct displ_bed_conf){0});
		assert_int_equal(displ_bed_create(&bed, 0, 64, 64, rows[i].bpp), 0);
		for (uint32_t p = 0; p < 64 * 64; p++)
			memcpy(bed.front.buffer[0].bytes + (size_t)p * bytes,
			       &rows[i].pixel, bytes);
		assert_int_equal(displ_bed_attach(&bed, 7, 0, 64, 64, rows[i].fourcc),
				 0);
		assert_int_equal(displ_bed_config(&bed, 0, 7, &all, rows[i].bpp), 0);
		displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
		assert_true(displ_bed_sees(&bed, 0, rows[i].seen));
		down();
	}
}

static void formats_that_are_not(void **state)
{
	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){.formats = 1u << DISPL_XRGB8888});
	assert_int_equal(displ_bed_create(&bed, 0, 64, 64, 32), 0);
	assert_int_equal(displ_bed_create(&bed, 1, 64, 64, 16), 0);
	assert_int_equal(displ_bed_attach(&bed, 1, 0, 64, 64, AR24), EACCES_);
	assert_int_equal(displ_bed_attach(&bed, 1, 1, 64, 64, RG16), EACCES_);
	assert_int_equal(displ_bed_attach(&bed, 1, 0, 64, 64, YUYV), EOPNOTSUPP_);
	/* Another number of bits than its buffer's. */
	assert_int_equal(displ_bed_attach(&bed, 1, 1, 64, 64, XR24), EINVAL_);
	assert_int_equal(displ_bed_attach(&bed, 1, 0, 64, 64, XR24), 0);
	assert_int_equal(displ_bed_config(&bed, 0, 1, &all, 16), EINVAL_);
	down();
}

/* -- Flips ----------------------------------------------------------------- */

/* The answer at once, the event when it is seen. */
static void a_flip_and_its_event(void **state)
{
	(void)state;
	up();
	assert_int_equal(displ_bed_event(&bed, 0), 0);
	assert_int_equal(displ_bed_flip(&bed, 0, 2), 0);
	assert_int_equal(displ_bed_event(&bed, 0), 0);
	assert_true(displ_bed_sees(&bed, 0, 0x101010));
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0x202020));
	assert_int_equal(displ_bed_event(&bed, 0), 2);
	assert_int_equal(displ_bed_event(&bed, 0), 0);
	down();
}

/* As a client does: each flip when it was told of the one before. */
static void six_hundred_flips(void **state)
{
	uint64_t grants;

	(void)state;
	up();
	grants = loopxen_calls(bed.x, LOOPXEN_MAP) +
		 loopxen_calls(bed.x, LOOPXEN_COPY) +
		 loopxen_calls(bed.x, LOOPXEN_UNMAP) +
		 loopxen_calls(bed.x, LOOPXEN_WRITE);
	for (uint32_t i = 0; i < 600; i++) {
		uint64_t frame = 1 + (i + 1) % 2, begun = loopxen_now(bed.x);

		displ_bed_fill(&bed, (uint32_t)frame - 1, i);
		assert_int_equal(displ_bed_flip(&bed, 0, frame), 0);
		displ_bed_pass(&bed, DISPL_TEST_BLANK);
		assert_int_equal(displ_bed_event(&bed, 0), frame);
		assert_true(displ_bed_sees(&bed, 0, i));
		assert_true(loopxen_now(bed.x) - begun <= DISPL_TEST_BLANK);
	}
	assert_int_equal(bed.displ.stats.copied, 601u * 64 * 64 * 4);
	/* No work on grants, and none of xenstore's. */
	assert_int_equal(loopxen_calls(bed.x, LOOPXEN_MAP) +
				 loopxen_calls(bed.x, LOOPXEN_COPY) +
				 loopxen_calls(bed.x, LOOPXEN_UNMAP) +
				 loopxen_calls(bed.x, LOOPXEN_WRITE),
			 grants);
	down();
}

/* One that comes too early waits for the one before, and none is lost. */
static void flips_one_after_another(void **state)
{
	struct xendispl_req req = {.operation = XENDISPL_OP_PG_FLIP};
	struct xendispl_resp answer;

	(void)state;
	up();
	for (uint32_t i = 0; i < 6; i++) {
		req.id = (uint16_t)i;
		req.op.pg_flip.fb_cookie = 1 + i % 2;
		pv_pair_send(&bed.front.head[0], &req);
	}
	displ_bed_run(&bed);
	for (uint32_t i = 0; i < 6; i++) {
		assert_true(pv_pair_answer(&bed.front.head[0], &answer));
		assert_int_equal(answer.id, i);
		assert_int_equal(answer.status, 0);
		assert_false(pv_pair_answer(&bed.front.head[0], &answer));
		displ_bed_pass(&bed, DISPL_TEST_BLANK);
		assert_int_equal(displ_bed_event(&bed, 0), 1 + i % 2);
	}
	down();
}

static void flips_by_the_policys_rate(void **state)
{
	uint64_t begun;

	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){.flips = {10, 1}});
	displ_bed_show(&bed);
	begun = loopxen_now(bed.x);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(displ_bed_flip(&bed, 0, 1 + i % 2), 0);
		displ_bed_pass(&bed, DISPL_TEST_BLANK);
		assert_int_equal(displ_bed_event(&bed, 0), 1 + i % 2);
	}
	assert_true(loopxen_now(bed.x) - begun >= 900 * CLOCK_MS);
	assert_true(loopxen_now(bed.x) - begun <= 1200 * CLOCK_MS);
	down();
}

static void bytes_by_the_policys_rate(void **state)
{
	uint64_t begun;

	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){.bytes = {163840, 16384}});
	displ_bed_show(&bed);
	begun = loopxen_now(bed.x);
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(displ_bed_flip(&bed, 0, 1 + i % 2), 0);
	assert_true(loopxen_now(bed.x) - begun >= 800 * CLOCK_MS);
	down();
}

/* Each connector has flips of its own, and of the other's requests none waits. */
static void two_connectors(void **state)
{
	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){.heads = 2});
	displ_bed_show(&bed);
	assert_true(displ_bed_sees(&bed, 1, DISPL_BED_GONE));
	assert_int_equal(displ_bed_config(&bed, 1, 2, &all, 32), 0);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0x101010));
	assert_true(displ_bed_sees(&bed, 1, 0x202020));
	assert_int_equal(displ_bed_flip(&bed, 0, 2), 0);
	assert_int_equal(displ_bed_flip(&bed, 1, 1), 0);
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_int_equal(displ_bed_event(&bed, 0), 2);
	assert_int_equal(displ_bed_event(&bed, 1), 1);
	assert_true(displ_bed_sees(&bed, 0, 0x202020));
	assert_true(displ_bed_sees(&bed, 1, 0x101010));
	down();
}

/* Turned off while it flips: the flip has its event all the same. */
static void off_while_it_flips(void **state)
{
	(void)state;
	up();
	assert_int_equal(displ_bed_flip(&bed, 0, 2), 0);
	assert_int_equal(displ_bed_config(&bed, 0, 0, &all, 32), 0);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_int_equal(displ_bed_event(&bed, 0), 2);
	assert_true(displ_bed_sees(&bed, 0, DISPL_BED_GONE));
	assert_int_equal(displ_bed_flip(&bed, 0, 2), EINVAL_);
	assert_int_equal(displ_bed_config(&bed, 0, 2, &all, 32), 0);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0x202020));
	down();
}

/* A client that reads no events: refused, and nothing is lost of those it has. */
static void events_that_nobody_reads(void **state)
{
	(void)state;
	up();
	for (uint32_t i = 0; i < 63; i++) {
		assert_int_equal(displ_bed_flip(&bed, 0, 1 + i % 2), 0);
		displ_bed_pass(&bed, DISPL_TEST_BLANK);
	}
	assert_int_equal(displ_bed_flip(&bed, 0, 2), ENOMEM_);
	for (uint32_t i = 0; i < 63; i++)
		assert_int_equal(displ_bed_event(&bed, 0), 1 + i % 2);
	assert_int_equal(displ_bed_flip(&bed, 0, 2), 0);
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_int_equal(displ_bed_event(&bed, 0), 2);
	down();
}

/* -- The card -------------------------------------------------------------- */

static void a_card_that_fails(void **state)
{
	(void)state;
	up();
	bed.scan.fail_show = -EINVAL;
	assert_int_equal(displ_bed_flip(&bed, 0, 2), EIO_);
	assert_int_equal(displ_bed_event(&bed, 0), 0);
	assert_int_equal(displ_bed_flip(&bed, 0, 2), 0);
	displ_bed_pass(&bed, DISPL_TEST_BLANK);
	assert_int_equal(displ_bed_event(&bed, 0), 2);
	assert_int_equal(bed.displ.stats.failures, 1);
	down();
}

/* A flip that it never tells of: within a second the client goes on. */
static void a_card_that_loses_a_flip(void **state)
{
	(void)state;
	up();
	bed.scan.loses = true;
	assert_int_equal(displ_bed_flip(&bed, 0, 2), 0);
	displ_bed_pass(&bed, 999 * CLOCK_MS);
	assert_int_equal(displ_bed_event(&bed, 0), 0);
	displ_bed_pass(&bed, 2 * CLOCK_MS);
	assert_int_equal(displ_bed_event(&bed, 0), 2);
	assert_int_equal(bed.displ.stats.lost, 1);
	bed.scan.loses = false;
	bed.scan.head[0].flying = UINT32_MAX;
	down();
}

/* A card that fails while its client goes is asked until it is dark. */
static void dark_in_the_end(void **state)
{
	(void)state;
	up();
	bed.scan.fail_show = -EIO;
	assert_int_equal(displ_bed_config(&bed, 0, 0, &all, 32), 0);
	assert_true(displ_bed_sees(&bed, 0, 0x101010));
	displ_bed_pass(&bed, CLOCK_SECOND);
	assert_true(displ_bed_sees(&bed, 0, DISPL_BED_GONE));
	down();
}

/* -- EDID ------------------------------------------------------------------ */

static struct xendispl_resp get_edid(uint32_t bytes)
{
	struct xendispl_req req = {.operation = XENDISPL_OP_GET_EDID};

	req.op.get_edid.buffer_sz = bytes;
	req.op.get_edid.gref_directory = bed.front.buffer[5].list_ref[0].v;
	return displ_bed_ask(&bed, 0, &req);
}

static void edid(void **state)
{
	struct xendispl_resp answer;

	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){.both = true});
	displ_front_buffer(&bed.front, 5, 32768, false);
	memset(bed.front.buffer[5].bytes, 0xa5, 32768);
	for (uint32_t bytes = 256; bytes <= 32768; bytes *= 2) {
		answer = get_edid(bytes);
		assert_int_equal(answer.status, 0);
		assert_int_equal(answer.op.get_edid.edid_sz, 256);
		assert_memory_equal(bed.front.buffer[5].bytes, bed.edid, 256);
		assert_int_equal(bed.front.buffer[5].bytes[256], 0xa5);
		memset(bed.front.buffer[5].bytes, 0xa5, 256);
	}
	assert_int_equal(get_edid(255).status, EINVAL_);
	assert_int_equal(get_edid(0).status, EINVAL_);
	assert_int_equal(get_edid(32769).status, EINVAL_);
	assert_int_equal(get_edid(UINT32_MAX).status, EINVAL_);
	assert_int_equal(bed.front.buffer[5].bytes[0], 0xa5);
	assert_int_equal(loopxen_back_pages(bed.back), 0);
	down();
}

/* No page is written of a client whose policy does not say so, and none is asked for.
 */
static void edid_that_may_not_be_written(void **state)
{
	uint64_t maps;

	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_front_buffer(&bed.front, 5, 4096, false);
	maps = loopxen_calls(bed.x, LOOPXEN_MAP);
	assert_int_equal(get_edid(4096).status, EACCES_);
	assert_int_equal(loopxen_calls(bed.x, LOOPXEN_MAP), maps);
	down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_picture_is_shown),
		cmocka_unit_test(pages_are_read_when_it_asks),
		cmocka_unit_test(a_smaller_one_is_in_the_middle),
		cmocka_unit_test(part_of_a_larger_one),
		cmocka_unit_test(pixels_behind_an_offset),
		cmocka_unit_test(a_large_one),
		cmocka_unit_test(formats),
		cmocka_unit_test(formats_that_are_not),
		cmocka_unit_test(a_flip_and_its_event),
		cmocka_unit_test(six_hundred_flips),
		cmocka_unit_test(flips_one_after_another),
		cmocka_unit_test(flips_by_the_policys_rate),
		cmocka_unit_test(bytes_by_the_policys_rate),
		cmocka_unit_test(two_connectors),
		cmocka_unit_test(off_while_it_flips),
		cmocka_unit_test(events_that_nobody_reads),
		cmocka_unit_test(a_card_that_fails),
		cmocka_unit_test(a_card_that_loses_a_flip),
		cmocka_unit_test(dark_in_the_end),
		cmocka_unit_test(edid),
		cmocka_unit_test(edid_that_may_not_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
