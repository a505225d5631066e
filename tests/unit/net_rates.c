/* SPDX-License-Identifier: MIT */
/* backends/net/net.c: how fast the client is handed what others have for it. */
#include "tests/unit/net_scene.h"

/* To the nanosecond: a burst, then one in each interval. */
static void receive_packets(void **state)
{
	(void)state;
	scene.receive[POLICY_RECEIVE_OPERATIONS] = (struct policy_rate){10, 3};
	scene_up();
	for (unsigned i = 0; i < 10; i++)
		hear(to_me(60, i));
	turn_at(scene.now);
	for (unsigned i = 0; i < 10; i++) {
		to_me(60, i);
		if (i >= 3) {
			uint64_t due = 5 * SECOND + (i - 2) * (SECOND / 10);

			assert_null(net_next(&scene.net, 0));
			assert_true(net_pending(&scene.net, 0));
			assert_in_range(net_due(&scene.net), due, due + 1);
			turn_at(due - 1);
			assert_null(net_next(&scene.net, 0));
			turn_at(due);
		}
		expect_frame(0, scene.frame, 60);
	}
}

static void receive_bytes(void **state)
{
	(void)state;
	scene.receive[POLICY_RECEIVE_BYTES] = (struct policy_rate){1000, 1000};
	scene_up();
	for (unsigned i = 0; i < 5; i++)
		hear(to_me(1000, i));
	turn_at(scene.now);
	for (unsigned i = 0; i < 5; i++) {
		to_me(1000, i);
		if (i) {
			assert_null(net_next(&scene.net, 0));
			assert_in_range(net_due(&scene.net), (5 + i) * SECOND,
					(5 + i) * SECOND + 1);
			turn_at((5 + i) * SECOND - 1);
			assert_null(net_next(&scene.net, 0));
			turn_at((5 + i) * SECOND);
		}
		/* A look costs nothing more, however often. */
		assert_non_null(net_next(&scene.net, 0));
		expect_frame(0, scene.frame, 1000);
	}
}

/* They change while frames wait: from none to one, to a lower one, and back. */
static void receive_rates_change(void **state)
{
	(void)state;
	scene_up();
	for (unsigned i = 0; i < 6; i++)
		hear(to_me(1000, i));
	turn_at(scene.now);
	to_me(1000, 0);
	expect_frame(0, scene.frame, 1000);
	scene.receive[POLICY_RECEIVE_OPERATIONS] = (struct policy_rate){10, 1};
	net_limits(&scene.net, scene.now);
	assert_int_equal(net_due(&scene.net), scene.now);
	turn_at(scene.now);
	to_me(1000, 1);
	expect_frame(0, scene.frame, 1000);
	assert_null(net_next(&scene.net, 0));
	scene.receive[POLICY_RECEIVE_BYTES] = (struct policy_rate){500, 500};
	net_limits(&scene.net, scene.now);
	turn_at(scene.now + SECOND / 10);
	to_me(1000, 2);
	expect_frame(0, scene.frame, 1000); /* on credit: the bucket was full */
	turn_at(scene.now + SECOND); /* by the frames' rate alone it would pass */
	assert_null(net_next(&scene.net, 0));
	turn_at(net_due(&scene.net));
	assert_in_range(scene.now, 7 * SECOND + SECOND / 10 - 1,
			7 * SECOND + SECOND / 10 + 1);
	to_me(1000, 3);
	expect_frame(0, scene.frame, 1000);
	scene.receive[POLICY_RECEIVE_OPERATIONS] = (struct policy_rate){0};
	scene.receive[POLICY_RECEIVE_BYTES] = (struct policy_rate){0};
	net_limits(&scene.net, scene.now);
	turn_at(scene.now + 1); /* which pays what was on credit */
	for (unsigned i = 4; i < 6; i++) {
		to_me(1000, i);
		expect_frame(0, scene.frame, 1000);
	}
	/* Nobody is there: nothing to change. */
	assert_int_equal(net_disconnect(&scene.net), 0);
	net_limits(&scene.net, scene.now);
	assert_int_equal(net_due(&scene.net), UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(receive_packets),
		scene_test(receive_bytes),
		scene_test(receive_rates_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
