/* SPDX-License-Identifier: MIT */
/* A disk under its policy's limits: pages, requests in flight, rates. What does
 * not fit waits; nothing is refused for coming too early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/device/bed.h"

static struct bed bed;

#define SECOND 1000000000ull

static unsigned answers(struct front_rsp *rsp, unsigned max)
{
	unsigned n = 0;

	while (n < max && front_answer(&bed.front, &rsp[n]))
		n++;
	return n;
}

static void ask_writes(struct front_buf *buf, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		buf[i] = front_buf(&bed.front, false);
		memset(buf[i].page, (int)i + 1, 4096);
		front_rw(&bed.front, BLKIF_WRITE, 100 + i, i * 8, &buf[i], 1);
	}
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
}

/* T-GNT-2: what does not fit waits its turn. */
static void quota_makes_wait(void **state)
{
	struct front_buf buf[8][11];
	struct front_rsp rsp[8];

	(void)state;
	for (unsigned c = 0; c < 3; c++) {
		struct bed_conf conf = {
			.slow = true,
			.data_pages = 25,
			.mode = c == 2 ? POLICY_COPY : POLICY_MAP,
			.front.persistent = c == 1,
		};
		unsigned done = 0;

		bed_up(&bed, &conf);
		for (unsigned i = 0; i < 8; i++) {
			for (unsigned k = 0; k < 11; k++)
				buf[i][k] = front_buf(&bed.front, false);
			front_rw(&bed.front, BLKIF_READ, i, i * 88, buf[i], 11);
		}
		front_push(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
		while (bed.nwaiting) {
			assert_true(bed.nwaiting <= 2);
			assert_true(loopxen_back_pages(bed.back) <= 25);
			bed_complete(&bed, 0);
			done++;
			assert_int_equal(bed_run(&bed), 0);
		}
		assert_int_equal(done, 8);
		assert_int_equal(answers(rsp, 8), 8);
		for (unsigned i = 0; i < 8; i++)
			assert_true(rsp[i].id == i && !rsp[i].status);
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* The working set of a persistent client is larger than the quota. */
static void cache_thrashes_and_works(void **state)
{
	struct bed_conf conf = {.data_pages = 30, .front.persistent = true};
	struct front_buf buf[100];

	(void)state;
	bed_up(&bed, &conf);
	for (unsigned i = 0; i < 100; i++) {
		buf[i] = front_buf(&bed.front, false);
		memset(buf[i].page, (int)i + 1, 4096);
	}
	for (unsigned round = 0; round < 500; round++) {
		unsigned at = round * 37 % 90;

		front_rw(&bed.front, BLKIF_WRITE, round, at * 8, buf + at,
			 1 + round % 10);
		assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		assert_int_equal(bed_disk(&bed, at * 8)[9], at + 1);
		assert_true(loopxen_back_pages(bed.back) <= 30);
	}
	assert_true(bed.pv.memory.pgrants.hits > 0);
	assert_int_equal(bed_down(&bed), 0);
}

/* [utest->req~operations-and-bytes-are-limited~1] */
static void rates(void **state)
{
	struct bed_conf conf = {.operations = {10, 5}};
	struct front_buf buf[25], table;
	struct front_rsp rsp[25];
	uint64_t start;

	(void)state;
	bed_up(&bed, &conf);
	start = loopxen_now(bed.x);
	for (unsigned i = 0; i < 25; i++) {
		buf[i] = front_buf(&bed.front, false);
		front_rw(&bed.front, BLKIF_READ, i, 0, &buf[i], 1);
	}
	front_push(&bed.front);
	assert_int_equal(bed_run_now(&bed), 0);
	assert_int_equal(answers(rsp, 25), 5);
	assert_true(blk_pv_due(&bed.pv) > start);
	assert_true(blk_pv_due(&bed.pv) <= start + SECOND / 10 + 1);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(answers(rsp, 25), 20);
	assert_true(loopxen_now(bed.x) - start >= 2 * SECOND - 10);
	assert_true(loopxen_now(bed.x) - start <= 2 * SECOND + SECOND / 100);
	/* A new limit holds at once. */
	bed.policy.operations = (struct policy_rate){1000000, 1000};
	blk_pv_limits(&bed.pv, loopxen_now(bed.x));
	start = loopxen_now(bed.x);
	for (unsigned i = 0; i < 25; i++)
		front_rw(&bed.front, BLKIF_READ, i, 0, &buf[i], 1);
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(answers(rsp, 25), 25);
	assert_true(loopxen_now(bed.x) - start < SECOND / 1000);
	assert_int_equal(bed_down(&bed), 0);

	/* Bytes; of an indirect request, too, though it is larger than the burst. */
	conf = (struct bed_conf){.bytes = {40960, 8192}, .mode = POLICY_COPY};
	bed_up(&bed, &conf);
	start = loopxen_now(bed.x);
	table = front_buf(&bed.front, false);
	for (unsigned i = 0; i < 25; i++)
		buf[i] = front_buf(&bed.front, false);
	for (unsigned i = 0; i < 3; i++) {
		front_indirect(&bed.front, BLKIF_WRITE, i, 0, buf, 20, &table);
		assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
	}
	assert_true(loopxen_now(bed.x) - start >= 4 * SECOND - SECOND / 10);
	assert_true(loopxen_now(bed.x) - start <= 6 * SECOND + SECOND / 10);
	assert_int_equal(bed_down(&bed), 0);
}

/* The bytes of an indirect request are known only when its table is in: they
 * are paid for even if the table had to wait for a page. */
static void late_tables_pay(void **state)
{
	struct bed_conf conf = {
		.mode = POLICY_COPY,
		.slow = true,
		.data_pages = 22,
		.bytes = {90112, 90112}, /* what the two reads take */
	};
	struct front_buf buf[22], table;
	struct front_rsp rsp[3];
	uint64_t start;

	(void)state;
	bed_up(&bed, &conf);
	start = loopxen_now(bed.x);
	table = front_buf(&bed.front, false);
	for (unsigned i = 0; i < 22; i++)
		buf[i] = front_buf(&bed.front, false);
	front_rw(&bed.front, BLKIF_READ, 0, 0, buf, 11);
	front_rw(&bed.front, BLKIF_READ, 1, 0, buf + 11, 11);
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
	front_indirect(&bed.front, BLKIF_WRITE, 2, 0, buf, 22, &table);
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(bed.nwaiting, 2);
	bed_complete(&bed, 0);
	bed_complete(&bed, 0);
	assert_int_equal(bed_run_now(&bed), 0);
	assert_int_equal(bed.nwaiting, 0);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(bed.nwaiting, 1);
	assert_true(loopxen_now(bed.x) - start >= SECOND - SECOND / 100);
	bed_complete(&bed, 0);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(answers(rsp, 3), 3);
	assert_int_equal(bed_down(&bed), 0);
}

/* [utest->req~operations-and-bytes-are-limited~1] */
static void in_flight(void **state)
{
	struct bed_conf conf = {.slow = true, .in_flight = 3};
	struct front_buf buf[8];
	struct front_rsp rsp[8];

	(void)state;
	bed_up(&bed, &conf);
	ask_writes(buf, 8);
	for (unsigned i = 0; i < 8; i++) {
		assert_true(bed.nwaiting <= 3);
		bed_complete(&bed, bed.nwaiting - 1);
		assert_int_equal(bed_run(&bed), 0);
	}
	assert_int_equal(answers(rsp, 8), 8);
	assert_int_equal(bed_down(&bed), 0);
}

/* How long each took, from the ring to the ring, and how it ended. */
static void counts(void **state)
{
	struct bed_conf conf = {.slow = true, .discard = true};
	const struct blk_pv_stats *stats = &bed.pv.stats;
	struct front_buf buf;

	(void)state;
	bed_up(&bed, &conf);
	buf = front_buf(&bed.front, false);
	front_rw(&bed.front, BLKIF_READ, 0, 0, &buf, 1);
	front_rw(&bed.front, BLKIF_WRITE, 1, 0, &buf, 1);
	front_simple(&bed.front, BLKIF_DISCARD, 2, 16, 8);
	front_simple(&bed.front, BLKIF_FLUSH, 3, 0, 0);
	front_rw(&bed.front, 99, 4, 0, &buf, 1);		   /* malformed */
	front_rw(&bed.front, BLKIF_READ, 5, BED_SECTORS, &buf, 1); /* refused */
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
	loopxen_advance(bed.x, 999);
	bed_complete(&bed, 0);
	assert_int_equal(bed_run(&bed), 0);
	for (unsigned i = 0; i < 3; i++) {
		loopxen_advance(bed.x, 1000 * 1000);
		bed_complete(&bed, 0);
		assert_int_equal(bed_run(&bed), 0);
	}
	assert_int_equal(stats->requests, 6);
	assert_int_equal(stats->answers, 6);
	assert_int_equal(stats->malformed, 1);
	assert_int_equal(stats->errors, 2);
	assert_int_equal(stats->latency[BLK_READ].bucket[0], 1);
	/* The refused one is answered in its turn: after the flush. */
	assert_int_equal(stats->latency[BLK_READ].bucket[12], 1);
	assert_int_equal(stats->latency[BLK_WRITE].bucket[10], 1);
	assert_int_equal(stats->latency[BLK_DISCARD].bucket[11], 1);
	assert_int_equal(stats->latency[BLK_FLUSH].bucket[12], 1);
	assert_int_equal(bed.blk.stats.discard_bytes, 4096);
	assert_int_equal(bed.blk.stats.read_bytes, 4096);
	assert_int_equal(bed_down(&bed), 0);
}

/* Those that are refused while their data is copied make room for the next. */
static void refused_ones_make_room(void **state)
{
	struct bed_conf conf = {.mode = POLICY_COPY, .in_flight = 2};
	struct front_buf buf[5];
	struct front_rsp rsp[5];

	(void)state;
	bed_up(&bed, &conf);
	for (unsigned i = 0; i < 5; i++) {
		buf[i] = front_buf(&bed.front, false);
		if (i < 4)
			buf[i].ref.v = LOOPXEN_REFS - 1; /* not granted */
		front_rw(&bed.front, BLKIF_WRITE, i, i * 8, &buf[i], 1);
	}
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(answers(rsp, 5), 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(rsp[i].status, i < 4 ? BLKIF_ERROR : BLKIF_OKAY);
	assert_int_equal(bed_down(&bed), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quota_makes_wait),
		cmocka_unit_test(cache_thrashes_and_works),
		cmocka_unit_test(rates),
		cmocka_unit_test(late_tables_pay),
		cmocka_unit_test(in_flight),
		cmocka_unit_test(refused_ones_make_room),
		cmocka_unit_test(counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
