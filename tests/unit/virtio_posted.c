/* SPDX-License-Identifier: MIT */
/* backends/door/: posted buffers, what they hold up and what they hold. */
#include "tests/unit/virtio_posted_scene.h"

/* -- What is posted is no work -------------------------------------------------------
 */

/* InFlight is 1, and one is in flight that does not end: what is posted on other queues
 * goes on, and is not counted. */
static void beside_work(void **state)
{
	(void)state;
	add(WORK, 8, 8, 1);
	add(WORK, 8, 8, 2);
	turn();
	assert_int_equal(s->d.busy, 1);
	assert_int_equal(s->d.queue[WORK].started, 1);
	post(3);
	turn();
	assert_int_equal(s->d.queue[POSTED].started, 3);
	assert_int_equal(s->d.busy, 1);
	for (unsigned i = 0; i < 3; i++) {
		s->arrived++;
		turn();
		comes(i);
		assert_true(is_silent(POSTED));
	}
	add(ORDERS, 1, 1, 0x42);
	turn();
	assert_false(is_silent(ORDERS));
	assert_int_equal(s->d.busy, 1);
	finish_work();
	turn();
	assert_false(is_silent(WORK));
	assert_int_equal(s->d.busy, 1); /* the second */
	finish_work();
	turn();
}

/* Queues of work alone: one that waits for what is its own holds nobody up, and one
 * that waits for what they share is the first to have it. */
static void work_waits_alone(void **state)
{
	(void)state;
	process_ends();
	posts = 0;
	process();
	ready();
	s->policy.in_flight = 2;
	s->waits = 1u << WORK;
	add(WORK, 8, 8, 1);
	add(ORDERS, 8, 8, 2);
	turn();
	assert_int_equal(s->d.queue[WORK].started, 0);
	assert_int_equal(s->d.queue[ORDERS].started, 1);
	s->waits = 0;
	add(ORDERS, 8, 8, 3);
	turn();
	assert_int_equal(s->d.queue[WORK].started, 1);
	assert_int_equal(s->d.queue[ORDERS].started, 1);
	/* InFlight is spent, and ORDERS has asked last. */
	add(WORK, 8, 8, 4);
	virtio_slot_done(take(WORK), 0, 0);
	turn();
	assert_int_equal(s->d.queue[WORK].started, 1);
	assert_int_equal(s->d.queue[ORDERS].started, 2);
	virtio_slot_done(take(ORDERS), 0, 0);
	virtio_slot_done(take(ORDERS), 0, 0);
	turn();
	finish_work();
	turn();
	assert_int_equal(s->d.busy, 0);
	posts = 1u << POSTED | 1u << ORDERS;
}

/* Queues that share a rate take turns at it, each having more to do than it allows. */
static void work_shares_a_rate(void **state)
{
	(void)state;
	process_ends();
	posts = 0;
	process();
	ready();
	s->policy.in_flight = 64;
	s->paid = true;
	for (uint32_t i = 0; i < WORKS / 2; i++) {
		add(WORK, 8, 8, 1 + i);
		add(ORDERS, 8, 8, 1 + i);
	}
	for (unsigned i = 0; i < WORKS; i++) {
		uint32_t work, orders;

		s->tokens = 1;
		turn();
		work = s->d.queue[WORK].started;
		orders = s->d.queue[ORDERS].started;
		assert_int_equal(work + orders, i + 1);
		assert_true(work - orders + 1 <= 2);
	}
	while (s->list[WORK].first)
		virtio_slot_done(take(WORK), 0, 0);
	while (s->list[ORDERS].first)
		virtio_slot_done(take(ORDERS), 0, 0);
	turn();
	assert_int_equal(s->d.busy, 0);
	posts = 1u << POSTED | 1u << ORDERS;
}

/* What is posted keeps no work from starting, however many queues of it come first. */
static void before_work(void **state)
{
	(void)state;
	post(SIZE);
	turn();
	for (unsigned i = 0; i < 8; i++) {
		add(WORK, 8, 8, 1);
		turn();
		assert_int_equal(s->d.busy, 1);
		finish_work();
		turn();
		assert_false(is_silent(WORK));
	}
	assert_int_equal(out(POSTED), SIZE);
}

/* All that has come goes out in one turn, in order; what finds no buffer waits for one.
 */
static void in_order(void **state)
{
	(void)state;
	post(5);
	s->arrived = 9;
	turn();
	for (unsigned i = 0; i < 5; i++)
		comes(i);
	assert_true(is_silent(POSTED));
	assert_int_equal(s->told, 5);
	post(4);
	turn();
	for (unsigned i = 5; i < 9; i++)
		comes(i);
	assert_true(is_silent(POSTED));
}

/* -- Memory --------------------------------------------------------------------------
 */

/* Buffers that wait hold no page; work leaves the reserve alone, and it is enough. */
static void holds_no_page(void **state)
{
	(void)state;
	post(SIZE);
	turn();
	assert_int_equal(s->memory.nfree, AREA);
	for (unsigned i = 0; i <= WORKS; i++)
		add(WORK, 8, 8, 1);
	turn();
	assert_int_equal(s->memory.nfree, VIRTIO_RESERVE);
	assert_true(s->d.queue[WORK].held);
	s->arrived = SIZE;
	turn();
	for (unsigned i = 0; i < SIZE; i++)
		comes(i);
	assert_int_equal(s->memory.nfree, VIRTIO_RESERVE);
	add(ORDERS, 1, 1, 1);
	turn();
	assert_false(is_silent(ORDERS));
	assert_int_equal(s->memory.nfree, VIRTIO_RESERVE);
	while (s->d.busy) {
		finish_work();
		turn();
	}
	assert_int_equal(s->memory.nfree, AREA);
}

/* The reserve is gone, too: what comes waits until pages are given back, and then does
 * not wait any longer. */
static void waits_for_pages(void **state)
{
	struct driver_sg sg[VIRTIO_RESERVE + 1];
	struct driver_block block;

	(void)state;
	for (unsigned i = 0; i < WORKS; i++)
		add(WORK, 8, 8, 1);
	post(2);
	turn();
	block = driver_pool_get(&s->pool, PAGE, PAGE);
	for (unsigned i = 0; i <= VIRTIO_RESERVE; i++)
		sg[i] = (struct driver_sg){block.addr + i, 1};
	driver_queue_add(&s->front[ORDERS], sg, VIRTIO_RESERVE, 1, VIRTIO_RESERVE + 1,
			 0);
	driver_queue_publish(&s->front[ORDERS]);
	s->arrived = 2;
	turn();
	assert_int_equal(s->memory.nfree, 0);
	assert_true(is_silent(POSTED) && is_silent(ORDERS));
	finish_work();
	turn();
	assert_false(is_silent(ORDERS));
	comes(0);
	comes(1);
	assert_int_equal(s->d.stats.wrong, 0);
	while (s->d.busy) {
		finish_work();
		turn();
	}
	assert_int_equal(s->memory.nfree, AREA);
}

/* A request that would need the reserve is none that could ever be done. */
static void larger_than_its_share(void **state)
{
	struct driver_sg sg[AREA - VIRTIO_RESERVE + 1];
	struct driver_block block = driver_pool_get(&s->pool, PAGE, PAGE);

	(void)state;
	for (unsigned more = 0; more < 2; more++) {
		unsigned n = AREA - VIRTIO_RESERVE + more;

		for (unsigned i = 0; i < n; i++)
			sg[i] = (struct driver_sg){block.addr + i, 1};
		driver_queue_add(&s->front[WORK], sg, 0, n, n, 0);
		driver_queue_publish(&s->front[WORK]);
		turn();
		assert_int_equal(s->d.busy, !more);
		assert_int_equal(s->d.stats.wrong, more);
		if (more)
			break;
		finish_work();
		turn();
		assert_false(is_silent(WORK));
	}
}

/* What cannot be written is not said to have been. */
static void undelivered(void **state)
{
	struct driver_done done;

	(void)state;
	post(2);
	s->arrived = 1;
	s->copy_status = GRANTS_BAD;
	turn();
	assert_int_equal(driver_queue_get(&s->front[POSTED], &done), DRIVER_GOT);
	assert_int_equal(done.len, 0);
	assert_int_equal(s->undelivered, 1);
	s->copy_status = GRANTS_OK;
	s->arrived = 2;
	turn();
	comes(1);
	assert_int_equal(s->memory.nfree, AREA);
}

/* -- Events --------------------------------------------------------------------------
 */

/* A driver that adds buffers wakes us only if some are missing. */
static void asks_only_if_it_lacks(void **state)
{
	(void)state;
	post(1);
	turn();
	virtio_device_arm(&s->d);
	assert_true(driver_queue_used_flags(&s->front[POSTED]) & 1);
	assert_false(driver_queue_used_flags(&s->front[ORDERS]) & 1);
	post(1);
	assert_false(virtio_device_pending(&s->d));
	s->lacks = true;
	assert_true(virtio_device_pending(&s->d));
	assert_true(virtio_device_arm(&s->d));
	turn();
	assert_false(virtio_device_arm(&s->d));
	assert_false(driver_queue_used_flags(&s->front[POSTED]) & 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(beside_work),	  BOTH(work_waits_alone),
		BOTH(work_shares_a_rate), BOTH(before_work),
		BOTH(in_order),		  GRANT(holds_no_page),
		GRANT(waits_for_pages),	  GRANT(larger_than_its_share),
		GRANT(undelivered),	  BOTH(asks_only_if_it_lacks),
	};

	return cmocka_run_group_tests_name("virtio_posted", tests, NULL, NULL);
}
