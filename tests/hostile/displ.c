/* SPDX-License-Identifier: MIT */
/*
 * T-FB-1 on the PV door, and the defects of another back end for displays (geometry
 * that is not set against buffer and pages, no caps, lists that go round).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "tests/device/displ-bed.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define ENOMEM_	    (-12)
#define EACCES_	    (-13)
#define EINVAL_	    (-22)
#define EOPNOTSUPP_ (-95)

#define XR24  0x34325258u
#define BYTES (64u * 64 * 4)

static struct displ_bed bed;
static const struct displ_rect all = {0, 0, 64, 64};

static void up(void)
{
	displ_bed_up(&bed, &(struct displ_bed_conf){.heads = 2});
	displ_front_buffer(&bed.front, 0, BYTES, false);
}

static void down(void)
{
	assert_int_equal(displ_bed_down(&bed), 0);
}

static struct xendispl_req plain(void)
{
	struct xendispl_req req = {.operation = XENDISPL_OP_DBUF_CREATE};

	req.op.dbuf_create.dbuf_cookie = 100;
	req.op.dbuf_create.width = req.op.dbuf_create.height = 64;
	req.op.dbuf_create.bpp = 32;
	req.op.dbuf_create.buffer_sz = BYTES;
	req.op.dbuf_create.gref_directory = bed.front.buffer[0].list_ref[0].v;
	return req;
}

/* -- Buffers ---------------------------------------------------------------- */

/* Products that wrap, rows that are not there, an offset behind the end.
 * [utest->req~pixels-lie-in-their-buffer~1] */
static void t_fb_1_geometry_that_is_not_in_its_buffer(void **state)
{
	static const struct {
		uint32_t width, height, bpp, bytes, offset;
	} rows[] = {
		{64, 65, 32, BYTES, 0},
		{65, 64, 32, BYTES, 0},
		{64, 64, 32, BYTES - 1, 0},
		{64, 64, 32, BYTES, 1},
		{64, 64, 32, BYTES, BYTES},
		{64, 64, 32, BYTES, BYTES + 1},
		{64, 64, 32, BYTES, UINT32_MAX},
		{0, 64, 32, BYTES, 0},
		{64, 0, 32, BYTES, 0},
		{64, 64, 0, BYTES, 0},
		{64, 64, 31, BYTES, 0},
		{64, 64, 33, BYTES, 0},
		{64, 64, 64, BYTES, 0},
		{64, 64, UINT32_MAX, BYTES, 0},
		{64, 64, 32, 0, 0},
		{0x40000000, 4, 32, BYTES, 0}, /* a row is 2^32 */
		{0x40000001, 4, 32, BYTES, 0},
		{0x10000, 0x10000, 32, BYTES, 0}, /* 2^34 is 0 in 32 bits */
		{UINT32_MAX, UINT32_MAX, 32, BYTES, 0},
		{UINT32_MAX, 1, 32, BYTES, 0},
		{1, UINT32_MAX, 32, BYTES, 0},
		{0x80000000, 0x80000000, 16, BYTES, 0},
	};

	(void)state;
	up();
	for (unsigned i = 0; i < COUNT(rows); i++) {
		struct xendispl_req req = plain();

		req.op.dbuf_create.width = rows[i].width;
		req.op.dbuf_create.height = rows[i].height;
		req.op.dbuf_create.bpp = rows[i].bpp;
		req.op.dbuf_create.buffer_sz = rows[i].bytes;
		req.op.dbuf_create.data_ofs = rows[i].offset;
		assert_int_equal(displ_bed_ask(&bed, 0, &req).status, EINVAL_);
		assert_int_equal(loopxen_back_pages(bed.back), 0);
	}
	assert_int_equal(displ_bed_create(&bed, 0, 64, 64, 32), 0);
	down();
}

/* More pages than the policy has, than were granted, than 32 bits of bytes have. */
static void t_fb_1_more_pages_than_there_are(void **state)
{
	static const uint32_t bytes[] = {BYTES + 4096, 4096 * 4096u, 4096 * 4097u,
					 0xfffff000u, UINT32_MAX};

	(void)state;
	up();
	for (unsigned i = 0; i < COUNT(bytes); i++) {
		struct xendispl_req req = plain();

		req.op.dbuf_create.buffer_sz = bytes[i];
		assert_true(displ_bed_ask(&bed, 0, &req).status < 0);
		assert_int_equal(loopxen_back_pages(bed.back), 0);
	}
	down();
}

/* XSA-363: the back end allocates nothing, whatever the client has read or written. */
static void t_fb_1_back_end_allocation(void **state)
{
	(void)state;
	up();
	displ_front_key(&bed.front, "be-alloc", "1");
	for (unsigned bit = 0; bit < 32; bit++) {
		struct xendispl_req req = plain();
		uint32_t before = bed.front.buffer[0].list[0][1];

		req.op.dbuf_create.flags = 1u << bit;
		assert_int_equal(displ_bed_ask(&bed, 0, &req).status,
				 bit ? EINVAL_ : EOPNOTSUPP_);
		assert_int_equal(bed.front.buffer[0].list[0][1], before);
		assert_int_equal(loopxen_back_pages(bed.back), 0);
	}
	down();
}

/* Its pages are granted for reading alone: that is all that is asked for. */
static void t_gnt_1_read_only_pages_do(void **state)
{
	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){0});
	displ_front_buffer(&bed.front, 0, BYTES, true);
	assert_int_equal(displ_bed_create(&bed, 0, 64, 64, 32), 0);
	assert_int_equal(displ_bed_attach(&bed, 1, 0, 64, 64, XR24), 0);
	assert_int_equal(displ_bed_config(&bed, 0, 1, &all, 32), 0);
	down();
}

/* -- The list --------------------------------------------------------------- */

static int32_t create_large(uint32_t pages)
{
	struct xendispl_req req = plain();

	req.op.dbuf_create.width = 1024;
	req.op.dbuf_create.height = pages;
	req.op.dbuf_create.buffer_sz = pages * 4096;
	req.op.dbuf_create.gref_directory = bed.front.buffer[1].list_ref[0].v;
	return displ_bed_ask(&bed, 0, &req).status;
}

/* One that goes round is read as long as the buffer is, once; one that ends is no list
 * of it. */
static void t_fb_1_lists_that_go_round_or_end(void **state)
{
	struct displ_front_buffer *b = &bed.front.buffer[1];

	(void)state;
	up();
	displ_front_buffer(&bed.front, 1, 2000 * 4096, false);
	assert_int_equal(create_large(2000), 0);
	assert_int_equal(displ_bed_destroy(&bed, 0), 0);
	/* The end, too soon. */
	b->list[0][0] = 0;
	assert_int_equal(create_large(2000), EINVAL_);
	assert_int_equal(create_large(1023), 0);
	assert_int_equal(displ_bed_destroy(&bed, 0), 0);
	/* Back to the beginning: the same pages twice, in maps of their own. */
	b->list[0][0] = b->list_ref[0].v;
	assert_int_equal(create_large(2000), 0);
	assert_int_equal(displ_bed_destroy(&bed, 0), 0);
	/* No grant, one that nobody has, the buffer's own page. */
	b->list[0][0] = 4000;
	assert_true(create_large(2000) < 0);
	b->list[0][0] = UINT32_MAX;
	assert_true(create_large(2000) < 0);
	b->list[0][0] = b->ref[0].v;
	assert_true(create_large(2000) < 0);
	assert_int_equal(loopxen_back_pages(bed.back), 0);
	/* What is behind the last reference is not looked at. */
	b->list[0][0] = b->list_ref[1].v;
	b->list[1][0] = UINT32_MAX;
	assert_int_equal(create_large(2000), 0);
	down();
}

static void t_gnt_4_references_that_are_none(void **state)
{
	static const uint32_t refs[] = {0, 7, 5000, LOOPXEN_REFS, UINT32_MAX};

	(void)state;
	up();
	for (uint32_t at = 0; at < 4; at++) {
		for (unsigned i = 0; i < COUNT(refs); i++) {
			struct displ_front_buffer *b = &bed.front.buffer[0];

			b->list[0][1 + at] = refs[i];
			assert_true(displ_bed_create(&bed, 0, 64, 64, 32) < 0);
			assert_int_equal(loopxen_back_pages(bed.back), 0);
			b->list[0][1 + at] = b->ref[at].v;
		}
	}
	/* A page twice in one map. */
	bed.front.buffer[0].list[0][2] = bed.front.buffer[0].ref[0].v;
	assert_int_equal(displ_bed_create(&bed, 0, 64, 64, 32), EINVAL_);
	bed.front.buffer[0].list[0][2] = bed.front.buffer[0].ref[1].v;
	assert_int_equal(displ_bed_create(&bed, 0, 64, 64, 32), 0);
	down();
}

/* -- Cookies ---------------------------------------------------------------- */

static void t_fb_1_cookies_that_are_in_use_or_gone(void **state)
{
	(void)state;
	up();
	displ_front_buffer(&bed.front, 1, BYTES, false);
	assert_int_equal(displ_bed_create(&bed, 0, 64, 64, 32), 0);
	assert_int_equal(displ_bed_create(&bed, 0, 64, 64, 32), EINVAL_);
	assert_int_equal(displ_bed_attach(&bed, 1, 1, 64, 64, XR24), EINVAL_);
	assert_int_equal(displ_bed_attach(&bed, 0, 0, 64, 64, XR24), EINVAL_);
	assert_int_equal(displ_bed_attach(&bed, 1, 0, 64, 64, XR24), 0);
	assert_int_equal(displ_bed_attach(&bed, 1, 0, 64, 64, XR24), EINVAL_);
	assert_int_equal(displ_bed_unattach(&bed, 2), EINVAL_);
	assert_int_equal(displ_bed_unattach(&bed, 0), EINVAL_);
	assert_int_equal(displ_bed_config(&bed, 0, 1, &all, 32), 0);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	/* A buffer takes its frame buffers with it; what is seen is a copy. */
	displ_bed_fill(&bed, 0, 0x999999);
	assert_int_equal(displ_bed_flip(&bed, 0, 1), 0);
	displ_bed_pass(&bed, 2 * DISPL_TEST_BLANK);
	assert_int_equal(displ_bed_destroy(&bed, 0), 0);
	assert_int_equal(loopxen_back_pages(bed.back), 0);
	assert_true(displ_front_unbuffer(&bed.front, 0));
	displ_bed_pass(&bed, 10 * DISPL_TEST_BLANK);
	assert_true(displ_bed_sees(&bed, 0, 0x999999));
	assert_int_equal(displ_bed_flip(&bed, 0, 1), EINVAL_);
	assert_int_equal(displ_bed_unattach(&bed, 1), EINVAL_);
	assert_int_equal(displ_bed_destroy(&bed, 0), EINVAL_);
	down();
}

static void t_fb_1_no_more_than_buffers(void **state)
{
	struct xendispl_req req;

	(void)state;
	displ_bed_up(&bed, &(struct displ_bed_conf){.buffers = 3});
	displ_front_buffer(&bed.front, 0, BYTES, false);
	for (uint64_t cookie = 1; cookie <= 5; cookie++) {
		req = plain();
		req.op.dbuf_create.dbuf_cookie = cookie;
		assert_int_equal(displ_bed_ask(&bed, 0, &req).status,
				 cookie <= 3 ? 0 : ENOMEM_);
	}
	for (uint64_t cookie = 1; cookie <= 5; cookie++) {
		req = (struct xendispl_req){.operation = XENDISPL_OP_FB_ATTACH};
		req.op.fb_attach.dbuf_cookie = 1;
		req.op.fb_attach.fb_cookie = cookie;
		req.op.fb_attach.width = req.op.fb_attach.height = 64;
		req.op.fb_attach.pixel_format = XR24;
		assert_int_equal(displ_bed_ask(&bed, 0, &req).status,
				 cookie <= 3 ? 0 : ENOMEM_);
	}
	down();
}

/* -- Showing ---------------------------------------------------------------- */

static void t_fb_1_rectangles_that_are_not_in_the_frame(void **state)
{
	static const struct displ_rect rows[] = {
		{1, 0, 64, 64},
		{0, 1, 64, 64},
		{0, 0, 65, 64},
		{0, 0, 64, 65},
		{0, 0, 0, 64},
		{0, 0, 64, 0},
		{64, 0, 1, 1},
		{UINT32_MAX, 0, 2, 2},
		{0, UINT32_MAX, 2, 2},
		{1, 1, UINT32_MAX, UINT32_MAX},
		{UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
	};

	(void)state;
	up();
	assert_int_equal(displ_bed_create(&bed, 0, 64, 64, 32), 0);
	assert_int_equal(displ_bed_attach(&bed, 1, 0, 64, 64, XR24), 0);
	assert_int_equal(displ_bed_attach(&bed, 2, 0, 65, 64, XR24), EINVAL_);
	assert_int_equal(displ_bed_attach(&bed, 2, 0, 64, 65, XR24), EINVAL_);
	assert_int_equal(displ_bed_attach(&bed, 2, 0, 0, 64, XR24), EINVAL_);
	assert_int_equal(displ_bed_attach(&bed, 2, 0, 64, 0, XR24), EINVAL_);
	assert_int_equal(displ_bed_attach(&bed, 2, 0, UINT32_MAX, UINT32_MAX, XR24),
			 EINVAL_);
	assert_int_equal(displ_bed_attach(&bed, 2, 0, 32, 32, XR24), 0);
	for (unsigned i = 0; i < COUNT(rows); i++)
		assert_int_equal(displ_bed_config(&bed, 0, 1, &rows[i], 32), EINVAL_);
	/* Not configured: no flip. Configured: none of a frame that has no such part.
	 */
	assert_int_equal(displ_bed_flip(&bed, 0, 1), EINVAL_);
	assert_int_equal(displ_bed_config(&bed, 0, 1, &all, 32), 0);
	assert_int_equal(displ_bed_flip(&bed, 0, 2), EINVAL_);
	assert_int_equal(displ_bed_flip(&bed, 0, 3), EINVAL_);
	assert_int_equal(displ_bed_flip(&bed, 0, 0), EINVAL_);
	assert_int_equal(displ_bed_flip(&bed, 0, 1), 0);
	down();
}

/* What is of all connectors comes by the first one's ring, and by no other. */
static void t_fb_1_requests_on_the_wrong_ring(void **state)
{
	struct xendispl_req req = plain();

	(void)state;
	up();
	assert_int_equal(displ_bed_ask(&bed, 1, &req).status, EINVAL_);
	for (unsigned op = XENDISPL_OP_DBUF_DESTROY; op <= XENDISPL_OP_FB_DETACH;
	     op++) {
		req = (struct xendispl_req){.operation = (uint8_t)op};
		assert_int_equal(displ_bed_ask(&bed, 1, &req).status, EINVAL_);
	}
	assert_int_equal(loopxen_back_pages(bed.back), 0);
	down();
}

static void t_fb_1_operations_that_there_are_not(void **state)
{
	(void)state;
	up();
	for (unsigned op = 0; op < 256; op++) {
		struct xendispl_req req = {.operation = (uint8_t)op};

		if (op < XENDISPL_OP_DBUF_CREATE || op > XENDISPL_OP_GET_EDID)
			assert_int_equal(displ_bed_ask(&bed, 0, &req).status,
					 EOPNOTSUPP_);
	}
	down();
}

/* Any bytes as any request, many times: it answers each, and serves the next client. */
static void t_fb_1_requests_of_noise(void **state)
{
	unsigned seed = 1, good = 0;

	(void)state;
	up();
	for (unsigned i = 0; i < 20000; i++) {
		struct xendispl_req req;
		uint8_t *bytes = (uint8_t *)&req;

		for (size_t k = 0; k < sizeof(req); k++)
			bytes[k] = (uint8_t)(rand_r(&seed) % 4 ? 0 : rand_r(&seed));
		req.operation = (uint8_t)(0x10 + rand_r(&seed) % 7);
		if (rand_r(&seed) % 2 && req.operation == XENDISPL_OP_DBUF_CREATE) {
			req.op.dbuf_create = plain().op.dbuf_create;
			bytes[8 + rand_r(&seed) % 40] ^=
				(uint8_t)(1 << rand_r(&seed) % 8);
		}
		good += !displ_bed_ask(&bed, i % 2, &req).status;
		assert_true(loopxen_back_pages(bed.back) <= bed.policy.data_pages);
	}
	assert_true(good > 100);
	assert_int_equal(bed.broken, 0);
	down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_fb_1_geometry_that_is_not_in_its_buffer),
		cmocka_unit_test(t_fb_1_more_pages_than_there_are),
		cmocka_unit_test(t_fb_1_back_end_allocation),
		cmocka_unit_test(t_gnt_1_read_only_pages_do),
		cmocka_unit_test(t_fb_1_lists_that_go_round_or_end),
		cmocka_unit_test(t_gnt_4_references_that_are_none),
		cmocka_unit_test(t_fb_1_cookies_that_are_in_use_or_gone),
		cmocka_unit_test(t_fb_1_no_more_than_buffers),
		cmocka_unit_test(t_fb_1_rectangles_that_are_not_in_the_frame),
		cmocka_unit_test(t_fb_1_requests_on_the_wrong_ring),
		cmocka_unit_test(t_fb_1_operations_that_there_are_not),
		cmocka_unit_test(t_fb_1_requests_of_noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
