/* SPDX-License-Identifier: MIT */
/*
 * backends/net/net-link-named.c, with each read of the shared memory watched: an other
 * end that moves its index whenever it is looked at, and puts nothing.
 */
#include <fcntl.h>
#include <unistd.h>

#include "shared-hook.h"
#include "tests/unit/needs.h"
#include "tests/unit/net_link_named_scene.h"

#define REST 1000000u /* ns, as the threat model has it: a thousand looks a second */

void __real_loop_timer(struct loop *loop, struct loop_op *op, uint64_t ns);
void __wrap_loop_timer(struct loop *loop, struct loop_op *op, uint64_t ns);

static unsigned rests; /* since the index moves */

void __wrap_loop_timer(struct loop *loop, struct loop_op *op, uint64_t ns)
{
	if (shared_hook) {
		assert_true(ns >= REST);
		rests++;
	}
	__real_loop_timer(loop, op, ns);
}

/* The ends have mappings of their own; an index is what is read at the start of a page.
 */
static void move(uint64_t k, const volatile void *p, size_t len)
{
	struct net_ring_control *control = (void *)area_to(1);

	(void)k;
	if (len == sizeof(control->put) && (uintptr_t)p % NET_RING_CONTROL == 0)
		control->put += NET_RING_ALIGN;
}

static void an_index_that_moves(void **state)
{
	int fd;

	(void)state;
	both();
	shared_hook_reads = 0;
	rests = 0;
	shared_hook = move;
	fd = open(path("wake1"), O_WRONLY | O_NONBLOCK);
	assert_int_equal(write(fd, "", 1), 1);
	close(fd);
	while (rests < 5) /* it looks on, and rests each time */
		assert_int_equal(loop_turn(&ends[1].loop, true), 0);
	assert_true(shared_hook_reads >= 64); /* it was looked at, all of a turn */
	assert_int_equal(ends[1].heards, 0);
	/* Left alone they agree again. */
	shared_hook = NULL;
	close_end(0);
	open_end(0);
	connect_end(0, ALL);
	settle();
	send_plain(0, 60);
	settle();
	assert_int_equal(ends[1].heards, 1);
}

static int stop(void **state)
{
	shared_hook = NULL;
	return tear_down(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_index_that_moves, set_up, stop),
	};

	if (!needs_io_uring())
		return needs_skip_all(tests, 1, "no io_uring here");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
