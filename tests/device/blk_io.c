/* SPDX-License-Identifier: MIT */
/*
 * What a good front end gets: each scenario in every combination of wire
 * (three ABIs), memory (map, map with persistent grants, copy) and ring size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/device/bed.h"

static struct bed bed;

static struct bed_conf variant;

static void fill(uint8_t *p, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)((i * 31) ^ (i >> 8) ^ seed);
}

static void up(void)
{
	bed_up(&bed, &variant);
}

static void down(void)
{
	assert_int_equal(bed_down(&bed), 0);
	assert_int_equal(bed.broken, 0);
}

static void direct(void)
{
	struct front_buf buf[11];
	uint8_t *disk;

	up();
	for (unsigned i = 0; i < 11; i++) {
		buf[i] = front_buf(&bed.front, false);
		fill(buf[i].page, 4096, i);
	}
	front_rw(&bed.front, BLKIF_WRITE, 1, 100, buf, 11);
	assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
	for (unsigned i = 0; i < 11; i++)
		assert_memory_equal(bed_disk(&bed, 100 + i * 8), buf[i].page, 4096);

	/* Parts of pages, in any order. */
	buf[0].first = 3;
	buf[0].last = 4;
	buf[1].first = buf[1].last = 7;
	fill(bed_disk(&bed, 500), 3 * 512, 77);
	memset(buf[0].page, 0, 4096);
	memset(buf[1].page, 0, 4096);
	front_rw(&bed.front, BLKIF_READ, 2, 500, buf, 2);
	assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
	disk = bed_disk(&bed, 500);
	assert_memory_equal(buf[0].page + 3 * 512, disk, 1024);
	assert_memory_equal(buf[1].page + 7 * 512, disk + 1024, 512);
	assert_int_equal(buf[0].page[3 * 512 - 1], 0);
	assert_int_equal(buf[0].page[5 * 512], 0);
	down();
}

static void indirect(void)
{
	static struct front_buf buf[256];
	struct front_buf table;

	up();
	table = front_buf(&bed.front, !variant.front.persistent);
	for (unsigned i = 0; i < 256; i++) {
		buf[i] = front_buf(&bed.front, false);
		fill(buf[i].page, 4096, i);
	}
	front_indirect(&bed.front, BLKIF_WRITE, 1, 8, buf, 256, &table);
	assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
	for (unsigned i = 0; i < 256; i++) {
		assert_memory_equal(bed_disk(&bed, 8 + i * 8), buf[i].page, 4096);
		memset(buf[i].page, 0, 4096);
	}
	for (unsigned n = 1; n < 256; n += 50) {
		struct front_rsp rsp;

		front_indirect(&bed.front, BLKIF_READ, 7, 8, buf, n, &table);
		front_push(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
		assert_true(front_answer(&bed.front, &rsp));
		/* The inner operation is what blkfront wants to see. */
		assert_true(rsp.id == 7 && rsp.operation == BLKIF_READ && !rsp.status);
		assert_memory_equal(bed_disk(&bed, 8 + (n - 1) * 8), buf[n - 1].page,
				    4096);
	}
	down();
}

/* Many rings' worth, several in flight, ids echoed in order. */
static void ring_wraps(void)
{
	struct front_buf buf[32];
	uint64_t sent = 0, back = 0;
	struct front_rsp rsp;

	up();
	for (unsigned i = 0; i < 32; i++)
		buf[i] = front_buf(&bed.front, false);
	for (unsigned round = 0; sent < 5000; round++) {
		unsigned n = 1 + round * 13 % 32;

		for (unsigned i = 0; i < n; i++, sent++) {
			fill(buf[i].page, 8, (unsigned)sent);
			front_rw(&bed.front, BLKIF_WRITE, sent, sent % 1000 * 8,
				 &buf[i], 1);
		}
		front_push(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
		while (front_answer(&bed.front, &rsp)) {
			assert_true(rsp.id == back++ && rsp.status == BLKIF_OKAY);
			assert_int_equal(rsp.operation, BLKIF_WRITE);
		}
		assert_true(back == sent);
	}
	assert_true(bed.pv.stats.requests == sent);
	down();
}

static void flush_and_discard(void)
{
	struct front_buf buf;

	up();
	buf = front_buf(&bed.front, false);
	memset(buf.page, 0x11, 4096);
	front_rw(&bed.front, BLKIF_WRITE, 1, 64, &buf, 1);
	assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
	front_simple(&bed.front, BLKIF_FLUSH, 2, 0, 0);
	assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
	front_simple(&bed.front, BLKIF_DISCARD, 3, 64, 4);
	assert_int_equal(bed_ask(&bed),
			 variant.discard ? BLKIF_OKAY : BLKIF_EOPNOTSUPP);
	assert_int_equal(bed_disk(&bed, 67)[511], variant.discard ? 0 : 0x11);
	assert_int_equal(bed_disk(&bed, 68)[0], 0x11);
	front_simple(&bed.front, BLKIF_WRITE_BARRIER, 4, 0, 0);
	assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
	front_rw(&bed.front, BLKIF_WRITE_BARRIER, 5, 72, &buf, 1);
	assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
	assert_memory_equal(bed_disk(&bed, 72), buf.page, 4096);
	assert_int_equal(bed.blk.stats.barriers, 2);
	assert_int_equal(bed.blk.stats.flushes, 1);
	down();
}

/* The client lets go of its pages as soon as it has its answer (T-GNT-5). */
static void released_before_answered(void)
{
	struct front_buf buf[11];

	up();
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 11; i++)
			buf[i] = front_buf(&bed.front, round % 2);
		front_rw(&bed.front, round % 2 ? BLKIF_WRITE : BLKIF_READ, round, 0,
			 buf, 11);
		assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		for (unsigned i = 0; i < 11; i++)
			assert_true(loopxen_revoke(bed.x, bed.dev.front, buf[i].ref));
	}
	down();
}

/* A segment twice in a request, and requests that share pages. */
static void shared_pages(void)
{
	struct front_buf buf[3];
	struct front_rsp rsp;

	up();
	buf[0] = front_buf(&bed.front, false);
	fill(buf[0].page, 4096, 1);
	buf[1] = buf[2] = buf[0];
	for (unsigned i = 0; i < 4; i++)
		front_rw(&bed.front, BLKIF_WRITE, i, i * 24, buf, 3);
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(front_answer(&bed.front, &rsp));
		assert_true(rsp.id == i && rsp.status == BLKIF_OKAY);
	}
	for (unsigned i = 0; i < 12; i++)
		assert_memory_equal(bed_disk(&bed, i * 8), buf[0].page, 4096);
	down();
}

static const struct {
	const char *name;
	void (*run)(void);
} scenarios[] = {
	{"direct", direct},
	{"indirect", indirect},
	{"ring_wraps", ring_wraps},
	{"flush_and_discard", flush_and_discard},
	{"shared_pages", shared_pages},
};

static void every_combination(void **state)
{
	static const char *const protocols[] = {NULL, "x86_64-abi", "arm-abi",
						"x86_32-abi"};

	(void)state;
	for (unsigned s = 0; s < sizeof(scenarios) / sizeof(scenarios[0]); s++) {
		for (unsigned c = 0; c < 4 * 3 * 3; c++) {
			unsigned memory = c / 4 % 3;

			variant = (struct bed_conf){
				.mode = memory == 2 ? POLICY_COPY : POLICY_MAP,
				.discard = c % 2,
				.front =
					{
						.protocol = protocols[c % 4],
						.persistent = memory == 1,
						.order = c / 12 * 2,
					},
			};
			scenarios[s].run();
		}
	}
}

static void released(void **state)
{
	(void)state;
	variant = (struct bed_conf){.mode = POLICY_MAP};
	released_before_answered();
	variant.mode = POLICY_COPY;
	released_before_answered();
	/* Persistent grants refused by the policy: as without. */
	variant = (struct bed_conf){.mode = POLICY_MAP, .front.persistent = true};
	bed_init(&bed, &variant);
	bed.block.persistent_pages = 0;
	assert_int_equal(bed_start(&bed), 0);
	assert_string_equal(bed_back_key(&bed, "feature-persistent"), "0");
	assert_int_equal(bed_connect(&bed, false), 0);
	assert_false(bed.pv.persistent);
	assert_int_equal(bed_down(&bed), 0);
}

static void persistent_grants_do_no_grant_work(void **state)
{
	struct front_buf buf[32];
	uint64_t maps;

	(void)state;
	variant = (struct bed_conf){.mode = POLICY_MAP, .front.persistent = true};
	up();
	for (unsigned i = 0; i < 32; i++)
		buf[i] = front_buf(&bed.front, false);
	for (unsigned round = 0; round < 10; round++) {
		if (round == 1)
			maps = loopxen_calls(bed.x, LOOPXEN_MAP);
		for (unsigned i = 0; i < 32; i++) {
			front_rw(&bed.front, round % 2 ? BLKIF_READ : BLKIF_WRITE, i,
				 i * 8, &buf[i], 1);
			assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		}
	}
	assert_true(loopxen_calls(bed.x, LOOPXEN_MAP) == maps);
	assert_int_equal(loopxen_back_pages(bed.back), 32);
	down();
}

/* A batch: one copy call to fetch, one to deliver, one push, one event. */
static void batches(void **state)
{
	struct front_buf buf[20];
	struct front_rsp rsp;
	uint64_t copies, pushes, events;

	(void)state;
	variant = (struct bed_conf){.mode = POLICY_COPY};
	up();
	for (unsigned i = 0; i < 20; i++) {
		buf[i] = front_buf(&bed.front, false);
		front_rw(&bed.front, i < 10 ? BLKIF_WRITE : BLKIF_READ, i, i * 8,
			 &buf[i], 1);
	}
	copies = loopxen_calls(bed.x, LOOPXEN_COPY);
	pushes = bed.pv.stats.pushes;
	events = loopxen_calls(bed.x, LOOPXEN_NOTIFY);
	front_push(&bed.front);
	assert_int_equal(bed_run(&bed), 0);
	assert_true(loopxen_calls(bed.x, LOOPXEN_COPY) - copies <= 2);
	assert_true(bed.pv.stats.pushes - pushes == 1);
	assert_true(loopxen_calls(bed.x, LOOPXEN_NOTIFY) - events == 1);
	for (unsigned i = 0; i < 20; i++)
		assert_true(front_answer(&bed.front, &rsp) && !rsp.status);
	assert_true(loopxen_fired(bed.x, bed.dev.front, bed.front.port));
	down();
}

static void offer(void **state)
{
	(void)state;
	variant =
		(struct bed_conf){.mode = POLICY_MAP, .ring_pages = 7, .discard = true};
	up();
	assert_string_equal(bed_back_key(&bed, "sectors"), "32768");
	assert_string_equal(bed_back_key(&bed, "sector-size"), "512");
	assert_string_equal(bed_back_key(&bed, "info"), "0");
	assert_string_equal(bed_back_key(&bed, "max-ring-page-order"), "2");
	assert_string_equal(bed_back_key(&bed, "feature-max-indirect-segments"), "256");
	assert_string_equal(bed_back_key(&bed, "max-ring-pages"), "4");
	assert_string_equal(bed_back_key(&bed, "multi-queue-max-queues"), "1");
	assert_string_equal(bed_back_key(&bed, "feature-flush-cache"), "1");
	assert_string_equal(bed_back_key(&bed, "feature-barrier"), "1");
	assert_string_equal(bed_back_key(&bed, "discard-secure"), "0");
	assert_string_equal(bed_back_key(&bed, "feature-persistent"), "1");
	assert_string_equal(bed_back_key(&bed, "feature-discard"), "1");
	assert_string_equal(bed_back_key(&bed, "discard-granularity"), "512");
	down();

	variant = (struct bed_conf){
		.mode = POLICY_COPY,
		.data_pages = 40,
		.ring_pages = 1,
		.sector_bytes = 4096,
		.mode_key = "r",
		.discard = true,
	};
	up();
	assert_string_equal(bed_back_key(&bed, "sectors"), "32768");
	assert_string_equal(bed_back_key(&bed, "sector-size"), "4096");
	assert_string_equal(bed_back_key(&bed, "info"), "4");
	assert_string_equal(bed_back_key(&bed, "max-ring-page-order"), "0");
	assert_string_equal(bed_back_key(&bed, "feature-max-indirect-segments"), "40");
	assert_string_equal(bed_back_key(&bed, "feature-persistent"), "0");
	assert_string_equal(bed_back_key(&bed, "feature-discard"), "0");
	down();

	/* Too little memory for indirect requests, or for any. */
	variant = (struct bed_conf){.data_pages = 11};
	up();
	assert_string_equal(bed_back_key(&bed, "feature-max-indirect-segments"), "0");
	down();
	variant.data_pages = 10;
	bed_init(&bed, &variant);
	assert_true(bed_start(&bed) < 0);
	assert_int_equal(bed_fini(&bed), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination),
		cmocka_unit_test(released),
		cmocka_unit_test(persistent_grants_do_no_grant_work),
		cmocka_unit_test(batches),
		cmocka_unit_test(offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
