/* SPDX-License-Identifier: MIT */
/* A network device's life behind the PV door: connections, ends, deaths and failures.
 */
#include "tests/device/net-cases.h"

#define GROUP                                                                          \
	{                                                                              \
		1, 0, 0x5e, 0, 0, 7                                                    \
	}

static const struct net_bed_conf plain;

/* -- Connections ---------------------------------------------------------------------
 */

static void connects_again(void **state)
{
	(void)state;
	up(&plain);
	for (unsigned i = 0; i < 30; i++) {
		serves();
		assert_true(bed.link.carrier);
		bed.door->detach(&bed);
		assert_int_equal(bed.detached, 1);
		assert_false(bed.link.carrier);
		assert_int_equal(loopxen_back_holds(bed.back), 0);
		bed.front.conf.split = i % 2;
		net_bed_reconnect(&bed);
	}
	serves();
	down();
}

static void keys_that_are_wrong(void **state)
{
	static const struct {
		const char *key, *value;
	} rows[] = {
		{"request-rx-copy", "0"},
		{"request-rx-copy", NULL},
		{"request-rx-copy", "2"},
		{"feature-rx-notify", "0"},
		{"feature-rx-notify", NULL},
		{"feature-sg", "yes"},
		{"feature-gso-tcpv4", "-1"},
		{"feature-gso-tcpv6", "2"},
		{"feature-no-csum-offload", "x"},
		{"feature-ipv6-csum-offload", "11"},
		{"request-multicast-control", "2"},
		{"multi-queue-num-queues", "0"},
		{"multi-queue-num-queues", "3"},
		{"multi-queue-num-queues", "2"}, /* without their directories */
		{"tx-ring-ref", NULL},
		{"tx-ring-ref", "x"},
		{"rx-ring-ref", NULL},
		{"rx-ring-ref", "7999"},
		{"event-channel", NULL},
		{"event-channel", "60"},
		{"event-channel-tx", "60"},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		net_bed_init(&bed, &(struct net_bed_conf){.queues = 2});
		assert_int_equal(net_bed_start(&bed), 0);
		netfront_connect(&bed.front);
		netfront_key(&bed.front, rows[i].key, rows[i].value);
		assert_true(net_pv_connect(&bed.pv, false, 0) > 0);
		assert_int_equal(loopxen_back_holds(bed.back), 0);
		assert_false(bed.link.carrier);
		/* The same process, once it is right. */
		assert_true(netfront_disconnect(&bed.front));
		netfront_key(&bed.front, "event-channel-tx", NULL);
		assert_int_equal(net_bed_connect(&bed, false), 0);
		serves();
		down();
	}
}

/* A front end may leave out what has a default. */
static void keys_with_defaults(void **state)
{
	static const char *const keys[] = {
		"feature-sg",
		"feature-gso-tcpv4",
		"feature-gso-tcpv6",
		"feature-no-csum-offload",
		"feature-ipv6-csum-offload",
		"request-multicast-control",
	};

	(void)state;
	net_bed_init(&bed, &plain);
	assert_int_equal(net_bed_start(&bed), 0);
	netfront_connect(&bed.front);
	for (unsigned i = 0; i < COUNT(keys); i++)
		netfront_key(&bed.front, keys[i], NULL);
	assert_int_equal(net_pv_connect(&bed.pv, false, 0), 0);
	assert_int_equal(net_bed_run_now(&bed), 0);
	assert_int_equal(bed.link.allowed, 0);
	serves();
	down();
}

/* -- Groups ---------------------------------------------------------------------------
 */

static bool hears_group(void)
{
	static const uint8_t group[6] = GROUP;

	to_me(60, 1);
	memcpy(frame, group, 6);
	net_link_test_hear_plain(&bed.link, frame, 60);
	post(0, 1);
	run();
	if (!netfront_heard(&bed.front, 0, &bed.heard))
		return false;
	assert_int_equal(bed.heard.size, 60);
	assert_memory_equal(bed.heard.bytes, frame, 60);
	return true;
}

static void order(bool join)
{
	static const uint8_t group[6] = GROUP;

	netfront_group(&bed.front, 0, group, join);
	push_run();
	assert_done(0, RSP_OKAY);
	assert_nothing_left();
}

static void joins_and_leaves(void **state)
{
	(void)state;
	up(&(struct net_bed_conf){.front.groups = true});
	assert_false(hears_group());
	order(true);
	assert_true(hears_group());
	order(false);
	assert_false(hears_group());
	order(true);
	/* A successor does not know, and so lets it hear all. */
	net_bed_kill(&bed);
	assert_int_equal(net_bed_follow(&bed), 0);
	assert_true(hears_group());
	/* A new client of the same process is told again. */
	bed.door->detach(&bed);
	run();
	net_bed_reconnect(&bed);
	assert_false(hears_group());
	down();
	up(&plain);
	assert_true(hears_group());
	down();
}

/* -- Ends ---------------------------------------------------------------------------
 */

/* What the host has is waited for, and answered; what was not sent is not. */
static void detach_with_frames_out(void **state)
{
	(void)state;
	up(&(struct net_bed_conf){.holds = true, .in_flight = 4, .ahead = 3});
	for (unsigned i = 0; i < 10; i++)
		put(0, 60, i);
	push_run();
	hear(60, 1);
	hear(5000, 2);
	run();
	bed.door->detach(&bed);
	run_now();
	assert_int_equal(bed.detached, 0);
	assert_int_not_equal(loopxen_back_holds(bed.back), 0);
	net_link_test_leave(&bed.link, 0);
	net_link_test_leave(&bed.link, 0);
	run_now();
	assert_int_equal(bed.detached, 0);
	net_link_test_leave(&bed.link, -EIO);
	net_link_test_leave(&bed.link, 0);
	run_now();
	assert_int_equal(bed.detached, 1);
	assert_int_equal(bed.link.nheld, 0);
	for (unsigned i = 0; i < 4; i++)
		assert_done(0, i == 2 ? RSP_DROPPED : RSP_OKAY);
	assert_not_done(0);
	assert_nothing_came(0);
	bed.link.holds = false;
	net_link_test_reopen(&bed.link);
	bed.net.starved = 1; /* of a link that has just been opened */
	net_bed_reconnect(&bed);
	serves();
	down();
}

/* What came home since the last turn is answered, too. */
static void detach_before_a_turn(void **state)
{
	(void)state;
	up(&(struct net_bed_conf){.holds = true});
	put(0, 60, 1);
	put(0, 60, 2);
	push_run();
	net_link_test_leave(&bed.link, 0);
	net_link_test_leave(&bed.link, -EIO);
	bed.door->detach(&bed);
	assert_int_equal(bed.detached, 1);
	assert_done(0, RSP_OKAY);
	assert_done(0, RSP_DROPPED);
	down();
}

/* A host that gives nothing back: after a second the process ends. */
static void drains_no_longer_than_a_second(void **state)
{
	uint64_t start;

	(void)state;
	up(&(struct net_bed_conf){.holds = true});
	put(0, 60, 1);
	push_run();
	start = loopxen_now(bed.x);
	bed.door->detach(&bed);
	assert_int_equal(net_bed_run(&bed), -ETIMEDOUT);
	assert_int_equal(loopxen_now(bed.x) - start, SECOND);
	assert_int_equal(bed.detached, 0);
	net_bed_kill(&bed);
	assert_true(netfront_disconnect(&bed.front));
	assert_int_equal(net_bed_fini(&bed), 0);
}

static void a_broken_ring(void **state)
{
	(void)state;
	for (unsigned rx = 0; rx <= 1; rx++) {
		struct netfront_queue *q = &bed.front.queue[1];

		up(&(struct net_bed_conf){
			.queues = 2, .link_queues = 2, .front.queues = 2});
		/* The neighbour's, in the same turn. */
		put(0, 60, 1);
		netfront_push(&bed.front);
		netfront_header(rx ? &q->rx : &q->tx)[0] += 257;
		hear_on(1, 60, 1);
		run();
		assert_left(60, 1);
		assert_done(0, RSP_OKAY);
		assert_int_equal(bed.broken, 1);
		assert_int_equal(bed.detached, 1);
		assert_non_null(strstr(bed.why, rx ? "receive" : "transmit"));
		assert_int_equal(loopxen_back_holds(bed.back), 0);
		net_bed_reconnect(&bed);
		serves();
		down();
	}
}

static void a_link_that_fails(void **state)
{
	(void)state;
	up(&plain);
	net_link_test_fail(&bed.link, -ENODEV);
	assert_int_equal(net_bed_run(&bed), -ENODEV);
	net_bed_kill(&bed);
	assert_true(netfront_disconnect(&bed.front));
	assert_int_equal(net_bed_fini(&bed), 0);
}

/* -- Deaths -------------------------------------------------------------------------
 */

/* Killed with packets out, some answered: the next one sends what was not answered, in
 * order, and each is answered once. */
static void killed_with_packets_out(void **state)
{
	(void)state;
	for (unsigned leave = 0; leave <= 5; leave++) {
		up(&(struct net_bed_conf){.holds = true, .in_flight = 5});
		for (unsigned i = 0; i < 12; i++)
			put(0, 60 + i * 700, i);
		push_run();
		for (unsigned i = 0; i < leave; i++)
			net_link_test_leave(&bed.link, 0);
		run();
		for (unsigned i = 0; i < leave; i++) {
			assert_left(60 + i * 700, i);
			assert_done(0, RSP_OKAY);
		}
		net_bed_kill(&bed);
		bed.link.holds = false;
		assert_int_equal(net_bed_follow(&bed), 0);
		run();
		for (unsigned i = leave; i < 12; i++) {
			assert_left(60 + i * 700, i);
			assert_done(0, RSP_OKAY);
		}
		assert_nothing_left();
		assert_not_done(0);
		serves();
		down();
	}
}

/* What waited for the client is lost with the process; the slots it posted are not. */
static void killed_while_slots_are_posted(void **state)
{
	(void)state;
	up(&(struct net_bed_conf){.front.split = true});
	post(0, 10);
	run();
	hear(60, 1);
	run();
	assert_came(0, 60, 1);
	net_bed_kill(&bed);
	assert_int_equal(net_bed_follow(&bed), 0);
	/* It was woken, on both of its ports. */
	assert_true(loopxen_fired(bed.x, bed.dev.front, bed.front.queue[0].tx_port));
	assert_true(loopxen_fired(bed.x, bed.dev.front, bed.front.queue[0].rx_port));
	for (unsigned i = 0; i < 9; i++)
		hear(60, i);
	run();
	for (unsigned i = 0; i < 9; i++)
		assert_came(0, 60, i);
	hear(60, 20);
	run();
	assert_nothing_came(0);
	post(0, 1);
	run();
	assert_came(0, 60, 20);
	down();
}

/* -- Failures ------------------------------------------------------------------------
 */

/* Each call of each verb that a connection makes fails once. */
static void connecting_fails(void **state)
{
	static const struct {
		enum loopxen_verb verb;
		int result;
	} rows[] = {
		{LOOPXEN_MAP_RING, -EIO}, {LOOPXEN_MAP_RING, GRANTS_BAD},
		{LOOPXEN_BIND, -EIO},	  {LOOPXEN_BIND, EVTCHN_REFUSED},
		{LOOPXEN_READ, -EIO},	  {LOOPXEN_READ, STORE_LATE},
	};
	uint64_t tried = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		for (unsigned n = 0;; n++) {
			bool left;
			int r;

			net_bed_init(&bed,
				     &(struct net_bed_conf){
					     .queues = 3,
					     .front = {.queues = 3, .split = true}});
			assert_int_equal(net_bed_start(&bed), 0);
			loopxen_fail(bed.x, rows[i].verb, n, rows[i].result);
			r = net_bed_connect(&bed, false);
			left = loopxen_fail_left(bed.x, rows[i].verb);
			if (!left) {
				assert_int_not_equal(r, 0);
				assert_true(rows[i].result > 0 || r < 0);
				assert_int_equal(loopxen_back_holds(bed.back), 0);
				assert_true(netfront_disconnect(&bed.front));
				assert_int_equal(net_bed_connect(&bed, false), 0);
				tried++;
			}
			serves();
			down();
			if (left)
				break;
		}
	}
	assert_true(tried > 40);
}

/* A copy that fails as a whole is our environment's: the process ends, and the next one
 * sends what was not answered. */
static void copies_fail(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		up(&plain);
		post(0, 4);
		run();
		loopxen_fail(bed.x, LOOPXEN_COPY, n, -EIO);
		put(0, 60, 1);
		netfront_push(&bed.front);
		hear(60, 2);
		assert_int_equal(net_bed_run(&bed), -EIO);
		net_bed_kill(&bed);
		/* Of the first nothing has left yet; of the second nothing was said. */
		free(net_link_test_seen(&bed.link));
		assert_int_equal(net_bed_follow(&bed), 0);
		run();
		assert_left(60, 1);
		assert_done(0, RSP_OKAY);
		assert_not_done(0);
		hear(60, 3);
		run();
		assert_came(0, 60, 3);
		down();
	}
}

/* One that the policy or the peer refuses as a whole is each frame's own failure. */
static void copies_are_refused(void **state)
{
	(void)state;
	up(&plain);
	post(0, 4);
	run();
	loopxen_fail(bed.x, LOOPXEN_COPY, 0, GRANTS_REFUSED);
	put(0, 60, 1);
	put(0, 60, 2);
	push_run();
	assert_done(0, RSP_ERROR);
	assert_done(0, RSP_ERROR);
	assert_nothing_left();
	loopxen_fail(bed.x, LOOPXEN_COPY, 0, GRANTS_REFUSED);
	hear(5000, 2);
	run();
	for (unsigned i = 0; i < 2; i++) {
		assert_true(netfront_heard(&bed.front, 0, &bed.heard));
		assert_int_equal(bed.heard.status, RSP_ERROR);
	}
	assert_int_equal(bed.pv.stats.refused, 3);
	serves();
	down();
}

/* Each segment of a batch fails once: that frame alone is answered so. */
static void segments_fail(void **state)
{
	(void)state;
	for (unsigned bad = 0; bad < 12; bad++) {
		up(&plain);
		loopxen_fail(bed.x, LOOPXEN_COPY_SEG, bad, GRANTS_BAD);
		for (unsigned i = 0; i < 4; i++)
			put(0, 8500, i); /* three segments each */
		push_run();
		for (unsigned i = 0; i < 4; i++) {
			assert_done(0, i == bad / 3 ? RSP_ERROR : RSP_OKAY);
			if (i != bad / 3)
				assert_left(8500, i);
		}
		assert_nothing_left();
		loopxen_fail(bed.x, LOOPXEN_COPY_SEG, bad, GRANTS_BAD);
		for (unsigned i = 0; i < 4; i++)
			hear(8500, i);
		post(0, 12);
		run();
		for (unsigned i = 0; i < 4; i++) {
			if (i != bad / 3) {
				assert_came(0, 8500, i);
				continue;
			}
			for (unsigned k = 0; k < 3; k++) {
				assert_true(netfront_heard(&bed.front, 0, &bed.heard));
				assert_int_equal(bed.heard.status, RSP_ERROR);
			}
		}
		assert_nothing_came(0);
		serves();
		down();
	}
}

static void ends_fail(void **state)
{
	static const enum loopxen_verb verbs[] = {LOOPXEN_NOTIFY, LOOPXEN_UNMAP,
						  LOOPXEN_UNBIND};

	(void)state;
	for (unsigned i = 0; i < COUNT(verbs); i++) {
		for (unsigned n = 0; n < (i ? 2 : 1); n++) {
			up(&(struct net_bed_conf){.front.split = true});
			loopxen_fail(bed.x, verbs[i], n, -EIO);
			if (!i) {
				put(0, 60, 1);
				netfront_push(&bed.front);
				assert_int_equal(net_bed_run(&bed), -EIO);
			} else {
				bed.door->detach(&bed);
				assert_int_equal(net_bed_turn(&bed), -EIO);
				assert_int_equal(bed.detached, 0);
			}
			assert_false(loopxen_fail_left(bed.x, verbs[i]));
			net_bed_kill(&bed);
			assert_true(netfront_disconnect(&bed.front));
			assert_int_equal(net_bed_fini(&bed), 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connects_again),
		cmocka_unit_test(keys_that_are_wrong),
		cmocka_unit_test(keys_with_defaults),
		cmocka_unit_test(joins_and_leaves),
		cmocka_unit_test(detach_with_frames_out),
		cmocka_unit_test(detach_before_a_turn),
		cmocka_unit_test(drains_no_longer_than_a_second),
		cmocka_unit_test(a_broken_ring),
		cmocka_unit_test(a_link_that_fails),
		cmocka_unit_test(killed_with_packets_out),
		cmocka_unit_test(killed_while_slots_are_posted),
		cmocka_unit_test(connecting_fails),
		cmocka_unit_test(copies_fail),
		cmocka_unit_test(copies_are_refused),
		cmocka_unit_test(segments_fail),
		cmocka_unit_test(ends_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
