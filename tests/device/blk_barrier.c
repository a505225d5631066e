/* SPDX-License-Identifier: MIT */
/*
 * Write barriers: what is older is done before, what is younger starts after,
 * in every queue; and one that fails holds nobody up.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/device/bed.h"

static struct bed bed;
static struct front_buf buf[16];

static struct front *front_of(unsigned q)
{
	return q ? &bed.queue[q] : &bed.front;
}

static void up(struct bed_conf conf)
{
	conf.slow = true;
	conf.front.queues = conf.queues;
	bed_up(&bed, &conf);
	for (unsigned i = 0; i < 16; i++) {
		buf[i] = front_buf(&bed.front, false);
		memset(buf[i].page, (int)i + 1, 4096);
	}
}

static void put(unsigned q, uint8_t op, unsigned i)
{
	front_rw(front_of(q), op, i, i * 8, &buf[i], 1);
}

static void push(unsigned queues)
{
	for (unsigned q = 0; q < queues; q++)
		front_push(front_of(q));
	assert_int_equal(bed_run(&bed), 0);
}

static void complete(unsigned i)
{
	bed_complete(&bed, i);
	assert_int_equal(bed_run(&bed), 0);
}

static unsigned answers(unsigned q, struct front_rsp *rsp, unsigned max)
{
	unsigned n = 0;

	while (n < max && front_answer(front_of(q), &rsp[n]))
		n++;
	return n;
}

/* Two older in each queue, the barrier in the first, two younger in each. */
static void orders(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 3; c++) {
		struct front_rsp rsp[8];

		up((struct bed_conf){
			.mode = c == 2 ? POLICY_COPY : POLICY_MAP,
			.queues = 2,
			.front.persistent = c == 1,
		});
		put(1, BLKIF_READ, 0);
		put(1, BLKIF_WRITE, 1);
		put(0, BLKIF_WRITE, 2);
		put(0, BLKIF_WRITE, 3);
		push(2);
		put(0, BLKIF_WRITE_BARRIER, 4);
		put(0, BLKIF_WRITE, 5);
		put(0, BLKIF_WRITE, 6);
		push(1);
		put(1, BLKIF_WRITE, 7);
		put(1, BLKIF_WRITE, 8);
		push(2);
		for (unsigned left = 4; left; left--) {
			assert_int_equal(bed.nwaiting, left);
			complete(left - 1);
		}
		assert_int_equal(bed.nwaiting, 1);
		assert_int_equal(bed.waiting[0]->step, BLK_FLUSH);
		complete(0);
		assert_int_equal(bed.nwaiting, 1);
		assert_int_equal(bed.waiting[0]->step, BLK_WRITE);
		assert_int_equal(bed_disk(&bed, 32)[0], 0);
		complete(0);
		assert_int_equal(bed_disk(&bed, 32)[0], 5);
		assert_int_equal(bed.nwaiting, 1);
		assert_int_equal(bed.waiting[0]->step, BLK_FLUSH);
		assert_int_equal(answers(0, rsp, 8), 2);
		complete(0);
		assert_int_equal(bed.nwaiting, 4);
		assert_int_equal(answers(0, rsp, 8), 1);
		assert_true(rsp[0].id == 4 && !rsp[0].status);
		assert_int_equal(rsp[0].operation, BLKIF_WRITE_BARRIER);
		while (bed.nwaiting)
			complete(0);
		assert_int_equal(answers(0, rsp, 8), 2);
		assert_int_equal(answers(1, rsp, 8), 4);
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* Barriers one after the other, with and without data, of both queues. */
static void in_a_row(void **state)
{
	struct front_rsp rsp[8];

	(void)state;
	up((struct bed_conf){.queues = 2});
	for (unsigned i = 0; i < 3; i++) {
		put(i % 2, BLKIF_WRITE_BARRIER, i);
		front_simple(front_of(1), BLKIF_WRITE_BARRIER, 9, 0, 0);
	}
	push(2);
	for (unsigned i = 0; i < 3 * 3 + 3; i++) {
		assert_int_equal(bed.nwaiting, 1);
		complete(0);
	}
	assert_int_equal(bed.nwaiting, 0);
	assert_int_equal(answers(0, rsp, 8), 2);
	assert_int_equal(answers(1, rsp, 8), 4);
	assert_int_equal(bed.blk.stats.barriers, 6);
	assert_int_equal(bed_down(&bed), 0);
}

/* However it fails, what is younger goes on. */
static void failures(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 12; c++) {
		struct front_rsp rsp[8];

		up((struct bed_conf){.mode = c % 2 ? POLICY_COPY : POLICY_MAP});
		put(0, BLKIF_WRITE, 0);
		if (c / 2 == 3)
			buf[1].ref.v = 8191; /* not granted */
		if (c / 2 == 4)
			buf[1].last = 9;
		front_rw(&bed.front, BLKIF_WRITE_BARRIER, 1,
			 c / 2 == 5 ? BED_SECTORS : 8, &buf[1], 1);
		put(0, BLKIF_WRITE, 2);
		push(1);
		complete(0);
		for (unsigned step = 0; c / 2 < 3 && step < c / 2; step++)
			complete(0);
		if (c / 2 < 3) {
			bed_fail(&bed, 0, EIO);
			assert_int_equal(bed_run(&bed), 0);
		}
		if (c / 2 == 0) /* the first flush: the data was not written */
			assert_int_equal(bed_disk(&bed, 8)[0], 0);
		while (bed.nwaiting)
			complete(0);
		assert_int_equal(answers(0, rsp, 8), 3);
		assert_int_equal(rsp[0].status, BLKIF_OKAY);
		assert_int_equal(rsp[1].status, BLKIF_ERROR);
		assert_int_equal(rsp[2].status, BLKIF_OKAY);
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* Killed at each of its steps: the next one runs it again, in its place. */
static void death(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 4; c++) {
		struct front_rsp rsp[8];

		up((struct bed_conf){.mode = POLICY_MAP});
		put(0, BLKIF_WRITE, 0);
		put(0, BLKIF_WRITE_BARRIER, 1);
		put(0, BLKIF_WRITE, 2);
		push(1);
		for (unsigned i = 0; i < c; i++)
			complete(0);
		bed_kill(&bed);
		assert_int_equal(bed_start(&bed), 0);
		assert_int_equal(bed_connect(&bed, true), 0);
		for (unsigned steps = 4 + (c == 0); steps; steps--) {
			assert_int_equal(bed.nwaiting, 1);
			complete(0);
		}
		assert_int_equal(answers(0, rsp, 8), 3);
		for (unsigned i = 0; i < 3; i++) {
			assert_true(rsp[i].id == i && !rsp[i].status);
			assert_int_equal(bed_disk(&bed, i * 8)[4095], i + 1);
		}
		assert_int_equal(bed_down(&bed), 0);
	}
}

/* Detached while a barrier waits: it is not started any more. */
static void stops(void **state)
{
	(void)state;
	up((struct bed_conf){0});
	put(0, BLKIF_WRITE, 0);
	put(0, BLKIF_WRITE_BARRIER, 1);
	push(1);
	blk_pv_detach(&bed.pv);
	complete(0);
	assert_int_equal(bed.nwaiting, 0);
	assert_int_equal(bed.detached, 1);
	assert_int_equal(front_header(&bed.front)[2], 1);
	assert_int_equal(bed_down(&bed), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),   cmocka_unit_test(in_a_row),
		cmocka_unit_test(failures), cmocka_unit_test(death),
		cmocka_unit_test(stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
