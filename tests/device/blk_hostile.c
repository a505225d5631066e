/* SPDX-License-Identifier: MIT */
/*
 * What a hostile front end gets: an error for its request, or the end of its
 * device; never more than its own pages, its own disk, its own time. Named
 * after the T-BLK, T-GNT and T-EVT cases; T-RING is blk_ring.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/device/bed.h"
#include "tests/hook/shared-hook.h"

static struct bed bed;

static int reset(void **state)
{
	(void)state;
	shared_hook = NULL;
	return 0;
}

/* The device still works. */
static void assert_serves(void)
{
	struct front_buf buf = front_buf(&bed.front, false);

	memset(buf.page, 0x42, 4096);
	front_rw(&bed.front, BLKIF_WRITE, 4242, 8000, &buf, 1);
	assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
	assert_memory_equal(bed_disk(&bed, 8000), buf.page, 4096);
}

/* The disk as it was filled, but for sectors 8000 to 8007. */
static void assert_untouched(void)
{
	for (size_t i = 0; i < (size_t)BED_SECTORS * 512; i += 512) {
		if (i / 512 < 8000 || i / 512 > 8007)
			assert_int_equal(bed_disk(&bed, 0)[i], 0x99);
	}
}

static void up(struct bed_conf conf)
{
	bed_up(&bed, &conf);
	memset(bed_disk(&bed, 0), 0x99, (size_t)BED_SECTORS * 512);
}

static const enum policy_mode modes[] = {POLICY_MAP, POLICY_COPY};

static void t_blk_1_segments(void **state)
{
	static const struct {
		uint8_t op;
		unsigned n;
		uint8_t first, last;
		uint64_t sector;
	} rows[] = {
		{BLKIF_WRITE, 0, 0, 7, 0},
		{BLKIF_WRITE, 12, 0, 7, 0},
		{BLKIF_WRITE, 255, 0, 7, 0},
		{BLKIF_WRITE, 1, 1, 0, 0},
		{BLKIF_WRITE, 1, 0, 8, 0},
		{BLKIF_WRITE, 1, 8, 8, 0},
		{BLKIF_WRITE, 1, 255, 255, 0},
		{BLKIF_WRITE, 1, 0, 255, 0},
		{BLKIF_WRITE, 1, 0, 7, BED_SECTORS - 7},
		{BLKIF_WRITE, 1, 0, 0, BED_SECTORS},
		{BLKIF_WRITE, 1, 0, 7, UINT64_MAX},
		{BLKIF_WRITE, 1, 0, 7, UINT64_MAX - 7},
		{BLKIF_WRITE, 1, 0, 7, UINT64_MAX - 8},
		{BLKIF_WRITE, 11, 0, 7, 1ull << 55}, /* bytes wrap to 0 */
		{BLKIF_READ, 1, 0, 7, BED_SECTORS},
		{BLKIF_FLUSH, 1, 0, 7, 0},
	};
	struct front_buf buf[11];

	(void)state;
	for (unsigned m = 0; m < 2; m++) {
		up((struct bed_conf){.mode = modes[m], .discard = true});
		for (unsigned i = 0; i < 11; i++)
			buf[i] = front_buf(&bed.front, false);
		for (unsigned r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
			for (unsigned i = 0; i < 11; i++) {
				buf[i].first = rows[r].first;
				buf[i].last = rows[r].last;
			}
			front_rw(&bed.front, rows[r].op, r, rows[r].sector, buf,
				 rows[r].n);
			assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		}
		assert_int_equal(loopxen_back_pages(bed.back), 0);
		assert_serves();
		assert_untouched();
		assert_int_equal(bed_down(&bed), 0);
	}
}

static void t_blk_1_operations(void **state)
{
	(void)state;
	up((struct bed_conf){.discard = true});
	for (unsigned op = 0; op < 256; op++) {
		uint8_t e[BLKIF_ENTRY_MAX];
		int16_t want = BLKIF_EOPNOTSUPP;

		memset(e, 0xff, sizeof(e));
		e[0] = (uint8_t)op;
		if (op == BLKIF_READ || op == BLKIF_WRITE || op == BLKIF_FLUSH ||
		    op == BLKIF_WRITE_BARRIER || op == BLKIF_INDIRECT)
			want = BLKIF_ERROR;
		front_raw(&bed.front, e);
		assert_int_equal(bed_ask(&bed), want);
	}
	assert_serves();
	assert_untouched();
	assert_int_equal(bed_down(&bed), 0);
}

static void t_blk_1_discard(void **state)
{
	static const uint64_t rows[][2] = {
		{0, 0},
		{0, BED_SECTORS + 1},
		{BED_SECTORS, 1},
		{1, UINT64_MAX},
		{UINT64_MAX, 1},
		{UINT64_MAX, UINT64_MAX},
		{1ull << 63, 1ull << 63},
		{8, 1ull << 55},
	};

	(void)state;
	up((struct bed_conf){.discard = true});
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		front_simple(&bed.front, BLKIF_DISCARD, i, rows[i][0], rows[i][1]);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
	}
	assert_serves();
	assert_untouched();
	assert_int_equal(bed_down(&bed), 0);
}

static void t_blk_1_indirect(void **state)
{
	static struct front_buf buf[512];
	struct front_buf table, bad;

	(void)state;
	for (unsigned m = 0; m < 2; m++) {
		up((struct bed_conf){.mode = modes[m]});
		table = front_buf(&bed.front, false);
		for (unsigned i = 0; i < 512; i++)
			buf[i] = front_buf(&bed.front, false);
		front_indirect(&bed.front, BLKIF_WRITE, 1, 0, buf, 0, &table);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		front_indirect(&bed.front, BLKIF_WRITE, 1, 0, buf, 257, &table);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		front_indirect(&bed.front, BLKIF_WRITE, 1, 0, buf, 65535, &table);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		front_indirect(&bed.front, BLKIF_INDIRECT, 1, 0, buf, 20, &table);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		front_indirect(&bed.front, BLKIF_DISCARD, 1, 0, buf, 20, &table);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		/* One bad segment among good ones. */
		bad = buf[19];
		buf[19].last = 8;
		front_indirect(&bed.front, BLKIF_WRITE, 1, 0, buf, 20, &table);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		buf[19] = bad;
		buf[19].ref.v = 5;
		front_indirect(&bed.front, BLKIF_WRITE, 1, 0, buf, 20, &table);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		buf[19] = bad;
		/* No such table. */
		table.ref.v = 8000;
		front_indirect(&bed.front, BLKIF_WRITE, 1, 0, buf, 20, &table);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		assert_int_equal(loopxen_back_pages(bed.back), 0);
		assert_serves();
		assert_untouched();
		assert_int_equal(bed_down(&bed), 0);
	}
}

static void t_blk_2_read_only(void **state)
{
	static const struct {
		bool policy;
		const char *mode;
	} rows[] = {{true, "w"}, {false, "r"}, {true, "r"}, {false, "?"}, {false, ""}};
	struct front_buf buf[20], table;

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		up((struct bed_conf){
			.mode = modes[i % 2],
			.read_only = rows[i].policy,
			.mode_key = rows[i].mode,
			.discard = true,
		});
		assert_string_equal(bed_back_key(&bed, "info"), "4");
		assert_string_equal(bed_back_key(&bed, "feature-discard"), "0");
		table = front_buf(&bed.front, false);
		for (unsigned k = 0; k < 20; k++)
			buf[k] = front_buf(&bed.front, false);
		front_rw(&bed.front, BLKIF_WRITE, 1, 0, buf, 11);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		front_indirect(&bed.front, BLKIF_WRITE, 1, 0, buf, 20, &table);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		front_simple(&bed.front, BLKIF_DISCARD, 1, 0, 8);
		assert_int_not_equal(bed_ask(&bed), BLKIF_OKAY);
		front_rw(&bed.front, BLKIF_WRITE_BARRIER, 1, 0, buf, 1);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		front_simple(&bed.front, BLKIF_FLUSH, 1, 0, 0);
		assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		front_rw(&bed.front, BLKIF_READ, 1, 0, buf, 11);
		assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		assert_int_equal(buf[10].page[4095], 0x99);
		assert_untouched();
		assert_int_equal(bed_disk(&bed, 8000)[0], 0x99);
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* -- T-GNT, T-EVT ------------------------------------------------------------- */

static void t_gnt_4_references(void **state)
{
	struct front_buf buf[3], bad;
	const struct domid third = {9};

	(void)state;
	for (unsigned m = 0; m < 2; m++) {
		up((struct bed_conf){.mode = modes[m]});
		loopxen_domain(bed.x, third);
		for (unsigned i = 0; i < 3; i++)
			buf[i] = front_buf(&bed.front, false);
		bad = buf[1];
		/* Free, reserved, out of the table. */
		for (unsigned i = 0; i < 4; i++) {
			static const uint32_t refs[] = {0, 7, 4000, UINT32_MAX};

			buf[1].ref.v = refs[i];
			front_rw(&bed.front, BLKIF_WRITE, i, 0, buf, 3);
			assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		}
		/* Granted to somebody else. */
		buf[1].ref =
			loopxen_grant(bed.x, bed.dev.front, bad.page, third, false);
		front_rw(&bed.front, BLKIF_READ, 10, 0, buf, 3);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		/* Readable only: good for a write, no good for a read. */
		buf[1] = front_buf(&bed.front, true);
		front_rw(&bed.front, BLKIF_READ, 11, 0, buf, 3);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		assert_int_equal(buf[1].page[0], 0);
		memset(buf[0].page, 0x42, 4096);
		memset(buf[1].page, 0x42, 4096);
		front_rw(&bed.front, BLKIF_WRITE, 12, 8000, buf + 1, 1);
		assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		/* Outside the policy. */
		bed.policy.first_ref.v = buf[0].ref.v + 1;
		front_rw(&bed.front, BLKIF_WRITE, 13, 0, buf, 1);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		bed.policy.first_ref.v = 8;
		/* Nothing of the failed ones stayed mapped. */
		assert_int_equal(loopxen_back_pages(bed.back), 0);
		assert_true(loopxen_revoke(bed.x, bed.dev.front, buf[0].ref));
		assert_serves();
		assert_untouched();
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* Revoked between the request and the copy that delivers its data. */
static void t_gnt_4_revoked_in_flight(void **state)
{
	struct front_buf buf;

	(void)state;
	up((struct bed_conf){.mode = POLICY_COPY, .slow = true});
	buf = front_buf(&bed.front, false);
	front_rw(&bed.front, BLKIF_READ, 1, 0, &buf, 1);
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
	assert_true(loopxen_revoke(bed.x, bed.dev.front, buf.ref));
	bed_complete(&bed, 0);
	assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
	assert_int_equal(buf.page[0], 0);
	assert_int_equal(bed_down(&bed), 0);
}

/* ClientPages: a disk that may only read its client's pages cannot serve
 * reads, and never asks for a writable page. */
static void t_gnt_4_direction(void **state)
{
	struct front_buf buf, table;

	(void)state;
	for (unsigned c = 0; c < 4; c++) {
		bool persistent = c / 2;

		up((struct bed_conf){
			.mode = modes[c % 2],
			.client_pages = POLICY_READABLE,
			.front.persistent = persistent,
		});
		buf = front_buf(&bed.front, true);
		table = front_buf(&bed.front, true);
		front_rw(&bed.front, BLKIF_READ, 1, 0, &buf, 1);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		front_rw(&bed.front, BLKIF_WRITE, 1, 0, &buf, 1);
		assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		front_indirect(&bed.front, BLKIF_WRITE, 1, 0, &buf, 1, &table);
		assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		assert_int_equal(bed_down(&bed), 0);

		up((struct bed_conf){
			.mode = modes[c % 2],
			.client_pages = POLICY_WRITABLE,
			.front.persistent = persistent,
		});
		assert_string_equal(bed_back_key(&bed, "feature-max-indirect-segments"),
				    "0");
		buf = front_buf(&bed.front, false);
		front_rw(&bed.front, BLKIF_READ, 1, 0, &buf, 1);
		assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		front_rw(&bed.front, BLKIF_WRITE, 1, 0, &buf, 1);
		assert_int_equal(bed_ask(&bed), BLKIF_ERROR);
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* T-EVT-1, 2: events without work cost one look; nothing is sent unasked. */
static void t_evt_storms(void **state)
{
	struct front_buf buf;
	struct front_rsp rsp;
	uint64_t sent;

	(void)state;
	up((struct bed_conf){0});
	shared_hook_reads = 0;
	for (unsigned i = 0; i < 1000; i++) {
		front_kick(&bed.front);
		front_kick(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
	}
	assert_true(shared_hook_reads <= 3 * 1000);
	assert_int_equal(loopxen_calls(bed.x, LOOPXEN_NOTIFY), 0);
	/* rsp_event is armed once, and then not again: one event. */
	buf = front_buf(&bed.front, false);
	sent = loopxen_calls(bed.x, LOOPXEN_NOTIFY);
	for (unsigned i = 0; i < 20; i++) {
		front_rw(&bed.front, BLKIF_READ, i, 0, &buf, 1);
		front_push(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
	}
	assert_true(loopxen_calls(bed.x, LOOPXEN_NOTIFY) == sent + 1);
	for (unsigned i = 0; i < 20; i++)
		assert_true(front_answer(&bed.front, &rsp));
	assert_int_equal(bed_down(&bed), 0);
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(t_blk_1_segments),
		TEST(t_blk_1_operations),
		TEST(t_blk_1_discard),
		TEST(t_blk_1_indirect),
		TEST(t_blk_2_read_only),
		TEST(t_gnt_4_references),
		TEST(t_gnt_4_revoked_in_flight),
		TEST(t_gnt_4_direction),
		TEST(t_evt_storms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
