/* SPDX-License-Identifier: MIT */
/*
 * The same client, several rings: what it does to one of them is done to its
 * device, once, whatever the others are about.
 */
#include "tests/hostile/hostile.h"

#define QUEUES 4

static struct front *queue(unsigned i)
{
	return i ? &bed.queue[i] : &bed.front;
}

static struct front_buf buf[QUEUES][3];

static void asks(unsigned each)
{
	for (unsigned q = 0; q < QUEUES; q++) {
		for (unsigned i = 0; i < each; i++)
			front_rw(queue(q), BLKIF_WRITE, i, (q * 3 + i) * 8, &buf[q][i],
				 1);
		front_push(queue(q));
	}
	assert_int_equal(bed_run(&bed), 0);
	assert_int_equal(bed.nwaiting, each * QUEUES);
}

static void up(void)
{
	hostile_up((struct bed_conf){
		.slow = true, .queues = QUEUES, .front.queues = QUEUES});
	for (unsigned q = 0; q < QUEUES; q++) {
		for (unsigned i = 0; i < 3; i++)
			buf[q][i] = front_buf(&bed.front, false);
	}
}

/* An index of one ring that cannot be, while all of them have requests out. */
static void t_ring_2_one_of_four_queues(void **state)
{
	static const uint32_t jumps[] = {40, 1u << 31, (uint32_t)-1};
	uint64_t done = 0;

	(void)state;
	up();
	for (unsigned i = 0; i < QUEUES * 4 * COUNT(jumps); i++, done++) {
		unsigned bad = i % QUEUES, each = i / QUEUES % 4;
		uint32_t said[QUEUES];

		asks(each);
		for (unsigned q = 0; q < QUEUES; q++)
			said[q] = front_header(queue(q))[2];
		front_header(queue(bad))[0] += jumps[i / 4 / QUEUES];
		shared_hook_reads = 0;
		front_kick(queue(bad));
		assert_int_equal(bed_run(&bed), 0);
		assert_true(shared_hook_reads <= 3 * QUEUES);
		assert_int_equal(bed.broken, 1);
		assert_non_null(bed.why);
		while (bed.nwaiting)
			bed_complete(&bed, bed.nwaiting / 2);
		for (unsigned q = 0; q < QUEUES; q++)
			front_kick(queue(q));
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(bed.broken, 1);
		assert_int_equal(bed.detached, 1);
		assert_int_equal(front_header(queue(bad))[2], said[bad]);
		assert_int_equal(loopxen_back_pages(bed.back), 0);
		hostile_reconnect();
	}
	assert_int_equal(bed_down(&bed), 0);
	tally("T-RING-2", done, "indices of one of four queues");
}

/* The client closes one port of four while all are served. */
static void t_evt_3_one_of_four_ports(void **state)
{
	uint64_t done = 0;

	(void)state;
	up();
	for (unsigned i = 0; i < 100; i++, done++) {
		unsigned gone = i % QUEUES;

		asks(1 + i % 3);
		loopxen_close(bed.x, bed.dev.front, queue(gone)->port);
		while (bed.nwaiting)
			bed_complete(&bed, bed.nwaiting / 2);
		assert_int_equal(bed_run(&bed), 0);
		for (unsigned q = 0; q < QUEUES; q++) /* all was answered */
			assert_int_equal(front_header(queue(q))[2], queue(q)->req_prod);
		blk_pv_detach(&bed.pv);
		queue(gone)->port = loopxen_port(bed.x, bed.dev.front, bed.dev.back);
		hostile_reconnect();
	}
	assert_int_equal(bed_down(&bed), 0);
	tally("T-EVT-3", done, "ports of one of four queues closed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_ring_2_one_of_four_queues),
		HOSTILE(t_evt_3_one_of_four_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
