/* SPDX-License-Identifier: MIT */
/*
 * T-EVT: storms of events both ways, and ports that close, are bound anew or
 * fall silent while they are served. Virtual time; what a real storm costs a
 * real machine is the bed's scenario "hostile".
 */
#include <errno.h>

#include "policy/rate.h"
#include "tests/hostile/hostile.h"

/* -- T-EVT-1 ----------------------------------------------------------------- */

/* A client that sends as fast as it can, to a host that unmasks as its policy
 * lets it (backends/host.c, invariant 2): a look for each event let in, and no
 * more of these than Events says. */
static void t_evt_1_a_minute_of_storm(void **state)
{
	struct policy_rate limit = {1000, 100};
	uint64_t turns = 0, end, unmask_at = 0, sent = 0;
	struct rate events;
	bool masked = false;

	(void)state;
	hostile_up((struct bed_conf){0});
	rate_init(&events, limit, loopxen_now(bed.x));
	end = loopxen_now(bed.x) + 60 * SECOND;
	shared_hook_reads = 0;
	for (; loopxen_now(bed.x) < end; loopxen_advance(bed.x, 20000)) {
		uint64_t now = loopxen_now(bed.x), wait;
		struct evport port;

		front_kick(&bed.front);
		sent++;
		if (evtchn_pending(&bed.back->evtchn, &port) == 1) {
			assert_false(masked); /* a masked one is not delivered */
			assert_int_equal(bed_turn(&bed), 0);
			turns++;
			masked = true;
			unmask_at = now;
		}
		if (!masked || now < unmask_at)
			continue;
		wait = rate_take(&events, 1, now);
		unmask_at = now + wait;
		if (!wait) {
			evtchn_unmask(&bed.back->evtchn, bed.pv.queue[0].port);
			masked = false;
		}
	}
	assert_true(sent == 3000000);
	assert_true(turns <= 60 * 1000 + 100 + 1);
	assert_true(turns >= 60 * 1000 / 2);
	assert_true(shared_hook_reads <= 3 * turns);
	assert_int_equal(loopxen_calls(bed.x, LOOPXEN_NOTIFY), 0);
	if (masked)
		evtchn_unmask(&bed.back->evtchn, bed.pv.queue[0].port);
	hostile_serves();
	assert_int_equal(bed_down(&bed), 0);
	tally("T-EVT-1", sent, "events of a storm");
	tally("T-EVT-1", turns, "looks they cost");
}

/* One is stormed, its neighbour on the same machine asks as ever: it needs no
 * turn more than without. */
static void t_evt_1_a_neighbour(void **state)
{
	struct front_buf buf;
	uint64_t quiet = 0, done = 0;

	(void)state;
	for (unsigned storm = 0; storm < 2; storm++) {
		uint64_t reads;

		hostile_up((struct bed_conf){0});
		buf = front_buf(&bed.front, false);
		shared_hook_reads = 0;
		for (unsigned i = 0; i < 1000; i++) {
			for (unsigned k = 0; k < storm * 100; k++, done++)
				front_kick(&bed.front);
			front_rw(&bed.front, BLKIF_READ, i, 0, &buf, 1);
			assert_int_equal(bed_ask(&bed), BLKIF_OKAY);
		}
		reads = shared_hook_reads;
		if (!storm)
			quiet = reads;
		assert_true(reads <= quiet + 3000);
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-EVT-1", done, "events between requests");
}

/* -- T-EVT-2 ----------------------------------------------------------------- */

/* Each distance of rsp_event from the answers, each batch: an event if and only
 * if the batch reaches it, and one at most. */
static void t_evt_2_only_what_is_asked_for(void **state)
{
	struct front_buf buf;
	struct front_rsp rsp[16];
	uint64_t done = 0;

	(void)state;
	hostile_up((struct bed_conf){0});
	buf = front_buf(&bed.front, false);
	for (uint32_t n = 1; n <= 16; n++) {
		for (uint32_t ahead = 0; ahead < 40; ahead++, done++) {
			uint32_t before = front_header(&bed.front)[2];
			uint64_t sent = loopxen_calls(bed.x, LOOPXEN_NOTIFY);

			/* 0: what was answered already; 39: far away, and garbage. */
			front_header(&bed.front)[3] =
				before + (ahead == 39 ? 1u << 31 : ahead);
			for (uint32_t i = 0; i < n; i++)
				front_rw(&bed.front, BLKIF_READ, i, 0, &buf, 1);
			front_push(&bed.front);
			assert_int_equal(bed_run(&bed), 0);
			sent = loopxen_calls(bed.x, LOOPXEN_NOTIFY) - sent;
			assert_int_equal(sent, ahead >= 1 && ahead <= n);
			loopxen_fired(bed.x, bed.dev.front, bed.front.port);
			bed.front.rsp_cons += n;
		}
	}
	while (hostile_answers(rsp, 16))
		;
	assert_int_equal(bed_down(&bed), 0);
	tally("T-EVT-2", done, "distances of rsp_event");
}

/* A client that moves rsp_event just behind each answer: an event a batch, not
 * one an answer, and none when there is nothing to say. */
static void chase_hook(uint64_t k, const volatile void *p, size_t len)
{
	uint32_t *at = (void *)loopxen_back_client_view(bed.back, p);

	(void)k;
	(void)len;
	if (at == front_header(&bed.front) + 3)
		*at = front_header(&bed.front)[2];
}

static void t_evt_2_never_more_than_pushes(void **state)
{
	struct front_buf buf;
	uint64_t answers = 0, sent;

	(void)state;
	hostile_up((struct bed_conf){0});
	buf = front_buf(&bed.front, false);
	shared_hook = chase_hook;
	for (unsigned round = 0; round < 1000; round++) {
		struct front_rsp rsp[16];
		unsigned n = 1 + round % 16;

		for (unsigned i = 0; i < n; i++)
			front_rw(&bed.front, BLKIF_READ, i, 0, &buf, 1);
		front_push(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
		answers += hostile_answers(rsp, 16);
		for (unsigned i = 0; i < 20; i++) {
			front_kick(&bed.front);
			assert_int_equal(bed_run(&bed), 0);
		}
	}
	shared_hook = NULL;
	sent = loopxen_calls(bed.x, LOOPXEN_NOTIFY);
	assert_true(sent <= bed.pv.stats.pushes);
	assert_int_equal(sent, bed.pv.stats.notifies);
	assert_true(bed.pv.stats.pushes <= 1000);
	assert_int_equal(bed_down(&bed), 0);
	tally("T-EVT-2", answers, "answers to one who chases them");
}

/* Sending fails, each time it is tried: the process ends, once; it does not try
 * for ever. */
static void t_evt_2_a_port_that_is_stuck(void **state)
{
	struct front_buf buf;
	uint64_t done = 0;

	(void)state;
	hostile_up((struct bed_conf){0});
	buf = front_buf(&bed.front, false);
	for (unsigned i = 0; i < 200; i++, done++) {
		uint64_t calls = loopxen_calls(bed.x, LOOPXEN_NOTIFY);
		struct front_rsp rsp[2];

		loopxen_fail(bed.x, LOOPXEN_NOTIFY, 0, -EIO);
		front_rw(&bed.front, BLKIF_READ, i, 0, &buf, 1);
		front_push(&bed.front);
		assert_int_equal(bed_run(&bed), -EIO);
		assert_int_equal(blk_pv_turn(&bed.pv, loopxen_now(bed.x)), -EIO);
		assert_int_equal(loopxen_calls(bed.x, LOOPXEN_NOTIFY), calls + 1);
		bed_kill(&bed);
		hostile_restart(true); /* which tells what the dead one did not */
		assert_true(loopxen_fired(bed.x, bed.dev.front, bed.front.port));
		assert_int_equal(hostile_answers(rsp, 2), 1);
	}
	assert_int_equal(bed_down(&bed), 0);
	tally("T-EVT-2", done, "events that could not be sent");
}

/* -- T-EVT-3 ----------------------------------------------------------------- */

/* The client closes its port with @busy requests out, and what it owes it is
 * still done; then a new port, of the same number or another. */
static void t_evt_3_closed_while_it_is_served(void **state)
{
	static struct front_buf buf[16];
	uint64_t done = 0;

	(void)state;
	hostile_up((struct bed_conf){.slow = true});
	for (unsigned i = 0; i < 16; i++)
		buf[i] = front_buf(&bed.front, false);
	for (unsigned round = 0; round < 500; round++, done++) {
		unsigned busy = round % 17;
		struct evport other = {0};

		for (unsigned i = 0; i < busy; i++)
			front_rw(&bed.front, BLKIF_WRITE, i, i * 8, &buf[i], 1);
		front_push(&bed.front);
		if (round % 3 == 0) /* before it is looked at */
			loopxen_close(bed.x, bed.dev.front, bed.front.port);
		assert_int_equal(bed_run(&bed), 0);
		if (round % 3 == 1)
			loopxen_close(bed.x, bed.dev.front, bed.front.port);
		while (bed.nwaiting)
			bed_complete(&bed, bed.nwaiting / 2);
		assert_int_equal(bed_run(&bed), 0);
		if (round % 3 == 2)
			loopxen_close(bed.x, bed.dev.front, bed.front.port);
		if (round % 2) /* the number goes to somebody else */
			other = loopxen_port(bed.x, bed.dev.front, (struct domid){0});
		assert_int_equal(front_header(&bed.front)[2], bed.front.req_prod);
		blk_pv_detach(&bed.pv);
		assert_int_equal(bed.pv.state, BLK_PV_DOWN);
		for (unsigned i = 0; i < bed.front.pages; i++)
			assert_true(loopxen_revoke(bed.x, bed.dev.front,
						   bed.front.ring_ref[i]));
		if (other.v)
			loopxen_close(bed.x, bed.dev.front, other);
		assert_int_equal(blk_pv_offer(&bed.pv), 0);
		assert_int_equal(bed_connect(&bed, false), 0);
	}
	assert_int_equal(bed_down(&bed), 0);
	tally("T-EVT-3", done, "ports closed while served");
}

/* Bound to a port that is closed, bound already, or somebody else's. */
static void t_evt_3_ports_of_others(void **state)
{
	struct bed_conf conf = {0};
	struct evport own, taken, foreign;
	uint64_t done = 0;
	char text[16];

	(void)state;
	bed_init(&bed, &conf);
	assert_int_equal(bed_start(&bed), 0);
	front_connect(&bed.front, bed.x, &bed.dev, &conf.front);
	own = bed.front.port;
	foreign = loopxen_port(bed.x, bed.dev.front, (struct domid){0});
	taken = loopxen_port(bed.x, bed.dev.front, bed.dev.back);
	loopxen_close(bed.x, bed.dev.front, taken); /* closed */
	for (uint32_t port = 0; port < 2 * LOOPXEN_PORTS; port++, done++) {
		snprintf(text, sizeof(text), "%u", port);
		front_key(&bed.front, "event-channel", text);
		if (port == own.v)
			continue;
		assert_true(blk_pv_connect(&bed.pv, false, 0) > 0);
		assert_int_equal(bed.pv.state, BLK_PV_DOWN);
	}
	snprintf(text, sizeof(text), "%u", own.v);
	front_key(&bed.front, "event-channel", text);
	assert_int_equal(blk_pv_connect(&bed.pv, false, 0), 0);
	assert_int_equal(bed_run(&bed), 0);
	loopxen_close(bed.x, bed.dev.front, foreign);
	assert_int_equal(bed_down(&bed), 0);
	tally("T-EVT-3", done, "ports to bind");
}

/* The ring of evtchn overflows (EFBIG), or its file fails: events are lost, the
 * process ends, and its successor looks at the ring without being asked to. */
static void t_evt_3_events_lost(void **state)
{
	struct front_buf buf;
	uint64_t done = 0;

	(void)state;
	hostile_up((struct bed_conf){0});
	buf = front_buf(&bed.front, false);
	for (unsigned i = 0; i < 200; i++, done++) {
		struct front_rsp rsp[4];
		struct evport port;
		unsigned n = 1 + i % 3;

		for (unsigned k = 0; k < n; k++)
			front_rw(&bed.front, BLKIF_WRITE, k, 0, &buf, 1);
		front_push(&bed.front);
		/* It is delivered to a process that dies of EFBIG. */
		assert_int_equal(evtchn_pending(&bed.back->evtchn, &port), 1);
		bed_kill(&bed);
		hostile_restart(true);
		assert_int_equal(hostile_answers(rsp, 4), n);
	}
	assert_int_equal(bed_down(&bed), 0);
	tally("T-EVT-3", done, "events lost with their process");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_evt_1_a_minute_of_storm),
		HOSTILE(t_evt_1_a_neighbour),
		HOSTILE(t_evt_2_only_what_is_asked_for),
		HOSTILE(t_evt_2_never_more_than_pushes),
		HOSTILE(t_evt_2_a_port_that_is_stuck),
		HOSTILE(t_evt_3_closed_while_it_is_served),
		HOSTILE(t_evt_3_ports_of_others),
		HOSTILE(t_evt_3_events_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
