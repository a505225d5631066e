/* SPDX-License-Identifier: MIT */
/*
 * A disk with several queues: what they share is shared fairly and within the
 * policy, what is theirs stays theirs, and a death loses no request of any.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/device/bed.h"

#define SECOND 1000000000ull

static struct bed bed;

static struct front *front_of(unsigned q)
{
	return q ? &bed.queue[q] : &bed.front;
}

static unsigned answers(unsigned q, struct front_rsp *rsp, unsigned max)
{
	unsigned n = 0;

	while (n < max && front_answer(front_of(q), &rsp[n]))
		n++;
	return n;
}

/* @n reads of a page each on queue @q, published. */
static void ask_reads(unsigned q, unsigned n)
{
	struct front *f = front_of(q);

	for (unsigned i = 0; i < n; i++) {
		struct front_buf buf = front_buf(f, false);

		front_rw(f, BLKIF_READ, i, (q * 64 + i) * 8, &buf, 1);
	}
	front_push(f);
}

static void up(struct bed_conf conf)
{
	conf.front.queues = conf.queues;
	bed_up(&bed, &conf);
}

static void run(void)
{
	assert_int_equal(bed_run(&bed), 0);
}

static void each_serves(void **state)
{
	static const unsigned queues[] = {2, 3, 16};

	(void)state;
	for (unsigned c = 0; c < 9; c++) {
		unsigned n = queues[c % 3];
		struct front_rsp rsp[8];

		up((struct bed_conf){
			.mode = c / 3 == 2 ? POLICY_COPY : POLICY_MAP,
			.queues = n,
			.ring_pages = n << c / 3,
			.front.persistent = c / 3 == 1,
			.front.order = c / 3,
		});
		assert_int_equal(bed.pv.queues, n);
		for (unsigned q = 0; q < n; q++) {
			struct front_buf buf = front_buf(front_of(q), false);

			loopxen_fired(bed.x, bed.dev.front, front_of(q)->port);
			memset(buf.page, (int)(q + 1), 4096);
			front_rw(front_of(q), BLKIF_WRITE, 70 + q, q * 8, &buf, 1);
			front_push(front_of(q));
		}
		run();
		for (unsigned q = 0; q < n; q++) {
			assert_int_equal(bed_disk(&bed, q * 8)[4095], q + 1);
			assert_int_equal(answers(q, rsp, 8), 1);
			assert_true(rsp[0].id == 70 + q && !rsp[0].status);
			assert_true(
				loopxen_fired(bed.x, bed.dev.front, front_of(q)->port));
		}
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* Only the queue that was asked answers, and only its client's end is told. */
static void apart(void **state)
{
	struct front_rsp rsp[4];

	(void)state;
	up((struct bed_conf){.queues = 4});
	for (unsigned q = 0; q < 4; q++)
		loopxen_fired(bed.x, bed.dev.front, front_of(q)->port);
	ask_reads(2, 1);
	run();
	for (unsigned q = 0; q < 4; q++) {
		assert_int_equal(answers(q, rsp, 4), q == 2);
		assert_int_equal(loopxen_fired(bed.x, bed.dev.front, front_of(q)->port),
				 q == 2);
	}
	assert_int_equal(bed_down(&bed), 0);
}

static void what_is_offered(void **state)
{
	static const struct {
		uint32_t queues, pages;
		const char *max, *order, *ring;
	} rows[] = {
		{1, 16, "1", "4", "16"},    {4, 8, "4", "1", "2"},
		{4, 15, "4", "1", "2"},	    {4, 3, "3", "0", "1"},
		{16, 1, "1", "0", "1"},	    {2, 64, "2", "4", "16"},
		{16, 256, "16", "4", "16"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bed_up(&bed, &(struct bed_conf){.queues = rows[i].queues,
						.ring_pages = rows[i].pages});
		assert_string_equal(bed_back_key(&bed, "multi-queue-max-queues"),
				    rows[i].max);
		assert_string_equal(bed_back_key(&bed, "max-ring-page-order"),
				    rows[i].order);
		assert_string_equal(bed_back_key(&bed, "max-ring-pages"), rows[i].ring);
		assert_int_equal(bed.pv.queues, 1); /* as many as it asked for */
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* InFlight is the device's, not each queue's; and each gets its share. */
static void take_turns(void **state)
{
	unsigned done[3] = {0};
	struct front_rsp rsp[32];

	(void)state;
	up((struct bed_conf){.queues = 3, .slow = true, .in_flight = 2});
	for (unsigned q = 0; q < 3; q++) {
		ask_reads(q, 30);
		run();
	}
	for (unsigned i = 0; i < 30; i++) {
		assert_int_equal(bed.nwaiting, 2);
		bed_complete(&bed, 0);
		run();
		for (unsigned q = 0; q < 3; q++)
			done[q] += answers(q, rsp, 32);
	}
	/* The first two went to the first queue, before there was another. */
	for (unsigned q = 0; q < 3; q++)
		assert_in_range(done[q], 9, 12);
	assert_int_equal(bed_down(&bed), 0);
}

/* A queue's turn ends with its batch, though it has more. */
static void a_batch_each(void **state)
{
	(void)state;
	up((struct bed_conf){.queues = 2, .slow = true});
	for (unsigned q = 0; q < 2; q++)
		ask_reads(q, 32);
	run();
	assert_int_equal(bed.nwaiting, 64);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(bed.waiting[i]->sector / 8 / 64, i / 16 % 2);
	assert_int_equal(bed_down(&bed), 0);
}

/* [utest->req~operations-and-bytes-are-limited~1] */
static void share_rates(void **state)
{
	struct front_rsp rsp[32];
	uint64_t start;

	(void)state;
	up((struct bed_conf){.queues = 2, .operations = {10, 4}});
	start = loopxen_now(bed.x);
	for (unsigned q = 0; q < 2; q++)
		ask_reads(q, 20);
	assert_int_equal(bed_run_now(&bed), 0);
	while (loopxen_now(bed.x) - start < 2 * SECOND - SECOND / 20) {
		loopxen_advance(bed.x, blk_pv_due(&bed.pv) - loopxen_now(bed.x));
		assert_int_equal(bed_run_now(&bed), 0);
	}
	for (unsigned q = 0; q < 2; q++)
		assert_in_range(answers(q, rsp, 32), 10, 14);
	run();
	assert_true(loopxen_now(bed.x) - start >= 3 * SECOND);
	assert_int_equal(bed_down(&bed), 0);
}

/* Small requests do not pass one that waits for many pages for ever. */
static void large_ones_get_through(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 2; c++) {
		struct front_buf buf[20], table;
		struct front_rsp rsp[32];
		unsigned rounds = 0;

		up((struct bed_conf){
			.mode = c ? POLICY_COPY : POLICY_MAP,
			.queues = 2,
			.slow = true,
			.data_pages = 20,
		});
		ask_reads(1, 20);
		run();
		table = front_buf(&bed.front, false);
		for (unsigned i = 0; i < 20; i++)
			buf[i] = front_buf(&bed.front, false);
		front_indirect(&bed.front, BLKIF_READ, 7, 0, buf, 20, &table);
		front_push(&bed.front);
		run();
		for (; !answers(0, rsp, 1) && rounds < 100; rounds++) {
			bed_complete(&bed, 0);
			ask_reads(1, answers(1, rsp, 32));
			run();
		}
		assert_in_range(rounds, 20, 60);
		assert_int_equal(rsp[0].status, BLKIF_OKAY);
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* Killed with requests of each queue in flight: each ring is its own journal. */
static void attach_after_death(void **state)
{
	struct front_rsp rsp[8];

	(void)state;
	for (unsigned c = 0; c < 4; c++) {
		up((struct bed_conf){
			.mode = c % 2 ? POLICY_COPY : POLICY_MAP,
			.queues = 3,
			.slow = true,
			.front.order = c / 2,
		});
		for (unsigned q = 0; q < 3; q++) {
			for (unsigned i = 0; i < 4; i++) {
				struct front_buf buf = front_buf(front_of(q), false);

				memset(buf.page, (int)(q * 4 + i + 1), 4096);
				front_rw(front_of(q), BLKIF_WRITE, q * 4 + i,
					 (q * 4 + i) * 8, &buf, 1);
			}
			front_push(front_of(q));
		}
		run();
		assert_int_equal(bed.nwaiting, 12);
		bed_complete(&bed, 9); /* the second of the last: done, not answered */
		bed_complete(&bed, 4); /* the first of the second: answered */
		run();
		bed_kill(&bed);
		memset(bed_disk(&bed, 40), 0, 7 * 4096);
		for (unsigned q = 0; q < 3; q++)
			loopxen_fired(bed.x, bed.dev.front, front_of(q)->port);
		assert_int_equal(bed_start(&bed), 0);
		assert_int_equal(bed_connect(&bed, true), 0);
		/* The dead one may have owed an event to each. */
		for (unsigned q = 0; q < 3; q++)
			assert_true(
				loopxen_fired(bed.x, bed.dev.front, front_of(q)->port));
		assert_int_equal(bed.nwaiting, 11);
		while (bed.nwaiting)
			bed_complete(&bed, bed.nwaiting - 1);
		run();
		for (unsigned q = 0; q < 3; q++) {
			assert_int_equal(answers(q, rsp, 8), 4);
			for (unsigned i = 0; i < 4; i++) {
				assert_true(rsp[i].id == q * 4 + i && !rsp[i].status);
				assert_int_equal(bed_disk(&bed, (q * 4 + i) * 8)[7],
						 q * 4 + i + 1);
			}
		}
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* One queue's key is wrong: no queue is connected, nothing stays. */
static void keys(void **state)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
		{"multi-queue-num-queues", "0"},
		{"multi-queue-num-queues", "4"},
		{"multi-queue-num-queues", "-1"},
		{"multi-queue-num-queues", "4294967297"},
		{"multi-queue-num-queues", ""},
		{"multi-queue-num-queues", "1"}, /* and no ring-ref */
		{"queue-1/ring-ref", NULL},
		{"queue-2/ring-ref", "-8"},
		{"queue-2/ring-ref", "7777"},
		{"queue-0/event-channel", NULL},
		{"queue-2/event-channel", "0"},
		{"queue-2/event-channel", "63"},
	};
	struct bed_conf conf = {.queues = 3, .ring_pages = 3, .front.queues = 3};

	(void)state;
	bed_init(&bed, &conf);
	assert_int_equal(bed_start(&bed), 0);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		front_connect(&bed.front, bed.x, &bed.dev, &conf.front);
		for (unsigned q = 1; q < 3; q++)
			front_queue(&bed.queue[q], &bed.front, q);
		front_key(&bed.front, rows[i].key, rows[i].value);
		assert_true(blk_pv_connect(&bed.pv, false, 0) > 0);
		assert_int_equal(bed.pv.queues, 0);
		assert_true(bed_disconnect(&bed));
	}
	assert_int_equal(bed_connect(&bed, false), 0);
	assert_int_equal(bed_down(&bed), 0);
}

/* More queues than were offered, all there. */
static void more_than_offered(void **state)
{
	struct bed_conf conf = {.queues = 2, .front.queues = 3};

	(void)state;
	bed_init(&bed, &conf);
	assert_int_equal(bed_start(&bed), 0);
	front_connect(&bed.front, bed.x, &bed.dev, &conf.front);
	for (unsigned q = 1; q < 3; q++)
		front_queue(&bed.queue[q], &bed.front, q);
	assert_true(blk_pv_connect(&bed.pv, false, 0) > 0);
	bed.detached = 1;
	assert_int_equal(bed_down(&bed), 0);
}

/* The other key for the size of a ring, alone and beside the first. */
static void ring_pages(void **state)
{
	struct bed_conf conf = {.front.order = 2};

	(void)state;
	for (unsigned c = 0; c < 4; c++) {
		static const char *const pages[] = {"4", "4", "8", "3"};
		static const char *const order[] = {"2", NULL, "2", NULL};
		int r;

		bed_init(&bed, &conf);
		assert_int_equal(bed_start(&bed), 0);
		front_connect(&bed.front, bed.x, &bed.dev, &conf.front);
		front_key(&bed.front, "num-ring-pages", pages[c]);
		front_key(&bed.front, "ring-page-order", order[c]);
		r = blk_pv_connect(&bed.pv, false, 0);
		if (c >= 2) {
			assert_true(r > 0);
			bed.detached = 1;
		} else {
			assert_int_equal(r, 0);
			assert_int_equal(bed.pv.queue[0].ring_map.pages, 4);
			ask_reads(0, 100);
			run();
			assert_int_equal(front_header(&bed.front)[2], 100);
		}
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* One ring broken is the device broken: the others are not answered on. */
static void one_breaks_all(void **state)
{
	struct front_rsp rsp[4];

	(void)state;
	up((struct bed_conf){.queues = 3, .slow = true});
	ask_reads(0, 2);
	run();
	front_header(front_of(2))[0] += 4000;
	front_kick(front_of(2));
	run();
	assert_int_equal(bed.broken, 1);
	assert_int_equal(bed.detached, 0);
	bed_complete(&bed, 0);
	bed_complete(&bed, 0);
	run();
	assert_int_equal(bed.detached, 1);
	assert_int_equal(answers(0, rsp, 4), 0);
	assert_int_equal(bed_down(&bed), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_serves),
		cmocka_unit_test(apart),
		cmocka_unit_test(what_is_offered),
		cmocka_unit_test(take_turns),
		cmocka_unit_test(a_batch_each),
		cmocka_unit_test(share_rates),
		cmocka_unit_test(large_ones_get_through),
		cmocka_unit_test(attach_after_death),
		cmocka_unit_test(keys),
		cmocka_unit_test(more_than_offered),
		cmocka_unit_test(ring_pages),
		cmocka_unit_test(one_breaks_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
