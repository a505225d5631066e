/* SPDX-License-Identifier: MIT */
/* backends/host-events.c on a sealed loop; a socket stands for the device. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/host-events.h"
#include "tests/unit/needs.h"

static struct loop loop;
static struct events events;
static int ours, theirs; /* the device, and who sends through it */

static int make(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) ||
	    loop_init(&loop, 16) || loop_seal(&loop))
		return -1;
	ours = pair[0];
	theirs = pair[1];
	events_init(&events, &loop, (struct policy_rate){1000, 16}, 0);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	loop_fini(&loop);
	close(ours);
	close(theirs);
	return 0;
}

static void fire(uint32_t first, unsigned n)
{
	uint32_t port[EVENTS_PORTS];

	for (unsigned i = 0; i < n; i++)
		port[i] = first + i;
	events_await(&events);
	assert_int_equal(send(theirs, port, n * 4, 0), n * 4);
	assert_int_equal(loop_turn(&loop, true), 0);
}

/* What was unmasked: @n ports from @first on, in one write. */
static void unmasked(uint32_t first, unsigned n)
{
	uint32_t port[EVENTS_ROOM];

	if (events.write_op.busy)
		assert_int_equal(loop_turn(&loop, false), 0);
	if (!n) {
		assert_int_equal(recv(theirs, port, sizeof(port), 0), -1);
		return;
	}
	assert_int_equal(recv(theirs, port, sizeof(port), 0), n * 4);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(port[i], first + i);
}

static void all_that_fired(void **state)
{
	(void)state;
	events_listen(&events, ours);
	events_unmask(&events, 1);
	unmasked(0, 0);
	fire(5, 1);
	events_unmask(&events, 2);
	unmasked(5, 1);
	fire(20, 16);
	fire(40, 3); /* before the others were looked at */
	assert_int_equal(events.unmasks, 19);
	events_unmask(&events, 1000000000);
	assert_int_equal(events.unmasks, 0);
	events_unmask(&events, 1000000000);
	assert_int_equal(loop_turn(&loop, false), 0);
	{
		uint32_t port[EVENTS_ROOM];

		assert_int_equal(recv(theirs, port, sizeof(port), 0), 19 * 4);
		assert_int_equal(port[15], 35);
		assert_int_equal(port[16], 40);
	}
	assert_int_equal(events.error, 0);
}

/* Each port costs one event of the rate. [utest->req~events-are-limited~1] */
static void as_the_rate_wants(void **state)
{
	(void)state;
	events_listen(&events, ours);
	fire(8, 16);
	events_unmask(&events, 0);
	unmasked(8, 16);
	fire(8, 2);
	assert_int_equal(events_due(&events), 0); /* never asked yet */
	events_unmask(&events, 0);
	unmasked(0, 0);
	assert_in_range(events_due(&events), 2000000, 2000001);
	events_unmask(&events, 1999999);
	unmasked(0, 0);
	events_unmask(&events, events_due(&events));
	unmasked(8, 2);
	assert_true(events_due(&events) == UINT64_MAX);
}

static void stops(void **state)
{
	int pair[2];

	(void)state;
	events_listen(&events, ours);
	fire(8, 2);
	events_stop(&events);
	assert_true(events_due(&events) == UINT64_MAX);
	events_unmask(&events, 1);
	unmasked(0, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair),
			 0);
	/* Another descriptor, while the read of the first is being cancelled. */
	events_listen(&events, pair[0]);
	while (events.table_fd != pair[0]) {
		assert_int_equal(loop_turn(&loop, true), 0);
		events_await(&events);
	}
	assert_int_equal(events.unmasks, 0);
	assert_int_equal(send(pair[1], &(uint32_t){3}, 4, 0), 4);
	while (!events.unmasks)
		assert_int_equal(loop_turn(&loop, true), 0);
	assert_int_equal(events.unmask[0], 3);
	assert_int_equal(events.error, 0);
	close(pair[0]);
	close(pair[1]);
}

static void errors(void **state)
{
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	events_listen(&events, pipes[1]); /* cannot be read */
	assert_int_equal(loop_turn(&loop, true), 0);
	assert_int_equal(events.error, -EBADF);
	close(pipes[0]);
	close(pipes[1]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_that_fired),
		TEST(as_the_rate_wants),
		TEST(stops),
		TEST(errors),
	};

	if (!needs_io_uring())
		return needs_skip_all(tests, sizeof(tests) / sizeof(tests[0]),
				      "no io_uring here");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
