/* SPDX-License-Identifier: MIT */
/* backends/door/: posted buffers at a reset, at an end, and for who follows. */
#include "tests/unit/virtio_posted_scene.h"

/* -- Resets --------------------------------------------------------------------------
 */

/* Nothing waits for what is posted; nothing of it is said; nothing is written after. */
static void reset_with_all_posted(void **state)
{
	(void)state;
	post(SIZE);
	add(ORDERS, 1, 1, 1);
	turn();
	s->arrived = 1;
	assert_int_equal(virtio_device_set_status(&s->d, 0), VIRTIO_NOW);
	assert_false(s->d.queue[POSTED].open);
	memset(s->theirs, 0x77, sizeof(s->theirs));
	turn();
	for (const uint8_t *at = s->theirs[0]; at < s->theirs[PAGES]; at++)
		assert_int_equal(*at, 0x77);
	assert_int_equal(s->told, 0);
	ready();
	post(1);
	turn();
	comes(0);
	assert_int_equal(s->d.stats.wrong, 0);
}

/* Work is waited for, unless its class lets it go. */
static void reset_with_work_out(void **state)
{
	(void)state;
	for (unsigned lets_go = 0; lets_go < 2; lets_go++) {
		s->lets_go = lets_go;
		post(4);
		add(WORK, 8, 8, 1);
		add(WORK, 8, 8, 1);
		turn();
		assert_int_equal(virtio_device_set_status(&s->d, 0), VIRTIO_LATER);
		assert_null(s->list[POSTED].first);
		turn();
		assert_int_equal(s->d.resetting, !lets_go);
		if (!lets_go)
			finish_work();
		turn();
		assert_false(s->d.resetting);
		assert_int_equal(s->d.busy, 0);
		ready();
	}
}

/* One queue alone: the others serve on, and it begins anew. */
static void reset_of_a_queue(void **state)
{
	(void)state;
	post(4);
	add(WORK, 8, 8, 1);
	turn();
	assert_int_equal(virtio_device_reset_queue(&s->d, POSTED), VIRTIO_NOW);
	assert_false(s->d.queue[POSTED].open);
	s->arrived = 1;
	turn();
	assert_int_equal(driver_queue_used_idx(&s->front[POSTED]), 0);
	finish_work();
	turn();
	assert_false(is_silent(WORK));
	driver_queue_free(&s->front[POSTED]);
	set_queue(POSTED);
	post(1);
	turn();
	comes(0);
	assert_int_equal(s->d.stats.wrong, 0);
}

/* What needs a reset gets nothing more, and its buffers are recalled. */
static void wrong_with_all_posted(void **state)
{
	struct driver_sg sg = {s->front[WORK].desc.addr, 8};

	(void)state;
	s->lets_go = true;
	post(4);
	add(WORK, 8, 8, 1);
	turn();
	assert_int_equal(s->d.busy, 1);
	s->policy.in_flight = 2;
	driver_queue_add(&s->front[WORK], &sg, 1, 0, 1, 0);
	driver_queue_publish(&s->front[WORK]);
	turn();
	assert_true(s->d.status & VIRTIO_NEEDS_RESET);
	assert_int_equal(s->d.due, 5); /* for what came home */
	assert_null(s->list[POSTED].first);
	assert_int_equal(out(POSTED), 0);
	s->arrived = 1;
	s->fills = 0;
	turn();
	assert_int_equal(s->fills, 0);
	assert_int_equal(driver_queue_used_idx(&s->front[POSTED]), 0);
	assert_int_equal(virtio_device_set_status(&s->d, 0), VIRTIO_NOW);
	ready();
	post(1);
	turn();
	comes(0);
}

/* The class has its say before the driver hears that the reset is done. */
static void reset_waits_for_its_class(void **state)
{
	(void)state;
	s->not_yet = true;
	assert_int_equal(virtio_device_set_status(&s->d, 0), VIRTIO_LATER);
	turn();
	assert_true(s->d.resetting);
	assert_int_equal(s->d.due, 77);
	s->not_yet = false;
	turn();
	assert_false(s->d.resetting);
	assert_true(s->resets >= 3);
}

static void features_that_do_not_go_together(void **state)
{
	(void)state;
	virtio_device_set_status(&s->d, 0);
	s->disagrees = true;
	settle_features();
	assert_int_equal(s->d.status, 3);
	s->disagrees = false;
	settle_features();
	assert_int_equal(s->d.status, 11);
	assert_int_equal(s->d.stats.wrong, 0);
}

/* -- Ends ----------------------------------------------------------------------------
 */

static void successor(void)
{
	struct virtio_kept kept;

	virtio_device_keep(&s->d, &kept);
	assert_int_equal(virtio_device_end(&s->d), 0);
	process_ends();
	process();
	assert_int_equal(virtio_device_restore(&s->d, &kept), 0);
	assert_int_equal(s->d.status, 15);
}

/* What is in flight is finished and answered; buffers are neither waited for nor given
 * back, and the next process has them. */
static void drains(void **state)
{
	(void)state;
	post(6);
	s->arrived = 2;
	add(WORK, 8, 8, 1);
	turn();
	comes(0);
	comes(1);
	virtio_device_leave(&s->d, VIRTIO_DRAINS);
	assert_true(virtio_device_idle(&s->d) == false);
	s->arrived = 3;
	s->fills = 0;
	post(1);
	turn_as(false);
	assert_int_equal(s->fills, 0);
	assert_true(is_silent(POSTED));
	assert_int_equal(out(POSTED), 0);
	finish_work();
	turn_as(false);
	assert_false(is_silent(WORK));
	assert_true(virtio_device_idle(&s->d));
	successor();
	turn();
	assert_int_equal(s->d.queue[POSTED].taken, 5);
	comes(2);
	s->arrived = 7;
	turn();
	for (unsigned i = 3; i < 7; i++)
		comes(i);
	assert_int_equal(s->d.stats.wrong, 0);
}

/* What is in flight is let go, unanswered, and the next process does it again. */
static void drops(void **state)
{
	(void)state;
	post(2);
	add(WORK, 8, 8, 1);
	add(WORK, 8, 8, 1);
	turn();
	virtio_device_leave(&s->d, VIRTIO_DRAINS);
	turn_as(false);
	assert_int_equal(s->d.busy, 1);
	s->lets_go = true;
	virtio_device_leave(&s->d, VIRTIO_DROPS);
	assert_int_equal(s->d.due, 0);
	turn_as(false);
	assert_true(virtio_device_idle(&s->d) && !s->d.busy);
	assert_true(is_silent(WORK));
	successor();
	s->lets_go = false;
	for (unsigned i = 0; i < 2; i++) {
		turn();
		assert_int_equal(s->d.busy, 1);
		finish_work();
		turn();
		assert_false(is_silent(WORK));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(reset_with_all_posted),
		BOTH(reset_with_work_out),
		BOTH(reset_of_a_queue),
		BOTH(wrong_with_all_posted),
		BOTH(reset_waits_for_its_class),
		BOTH(features_that_do_not_go_together),
		BOTH(drains),
		BOTH(drops),
	};

	return cmocka_run_group_tests_name("virtio_posted_life", tests, NULL, NULL);
}
