/* SPDX-License-Identifier: MIT */
/*
 * A controller's life, whichever door it stands behind: START and STOP, what the bus
 * does to it, and back ends and clients that go and come again.
 */
#include "tests/device/can-cases.h"

/* -- START and STOP overtake ---------------------------------------------- */

/* Some with the bus, some that wait for InFlight: a STOP sends them all home. */
static void stop_cancels(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame = can_frame(0x55, 8, 1);

	conf.holds = true;
	conf.in_flight = 4;
	on_as(&conf);
	can_bed_post(&bed, 4);
	can_bus_test_hear(&bed.test, &frame);
	for (uint16_t i = 0; i < 10; i++)
		can_bed_send(&bed, i, &frame);
	run();
	assert_int_equal(bed.test.bus.waiting, 4);
	assert_came(&frame, false);
	assert_int_equal(can_bed_control(&bed, false), CAN_OK);
	assert_int_equal(bed.test.bus.waiting, 0);
	assert_int_equal(bed.test.nseen, 0);
	for (uint16_t i = 0; i < 10; i++)
		assert_answer(i, CAN_CANCELED);
	assert_refused(&frame, CAN_STOPPED);
	down();
}

/* They wait for a rate: a STOP does not, and does not let it be evaded. */
static void stop_overtakes(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame = can_frame(0x55, 8, 1);
	uint64_t start, full = 10 * SECOND;

	conf.operations = (struct policy_rate){1, 3};
	on_as(&conf);
	loopxen_advance(bed.x, full);
	start = loopxen_now(bed.x);
	for (uint16_t i = 0; i < 20; i++)
		can_bed_send(&bed, i, &frame);
	run_now();
	assert_int_equal(bed.test.nseen, 3);
	assert_true(bed.front->ops->control(bed.front, 99, false));
	bed.front->ops->push(bed.front);
	run_now();
	assert_false(bed.can.started);
	for (uint16_t i = 0; i < 3; i++)
		assert_answer(i, CAN_OK);
	for (uint16_t i = 3; i < 20; i++)
		assert_answer(i, CAN_CANCELED);
	run();
	assert_controlled(99);
	/* It paid for itself by then; the 17 that it canceled are still to be paid for
	 * before anything else is, one a second. */
	assert_in_range(loopxen_now(bed.x) - start, SECOND - 1000, SECOND + 1000);
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	assert_in_range(loopxen_now(bed.x) - start, 19 * SECOND - 1000,
			19 * SECOND + 1000);
	assert_int_equal(bed.test.nseen, 3);
	/* A new client does not pay for the one before. */
	for (uint16_t i = 0; i < 20; i++)
		can_bed_send(&bed, i, &frame);
	assert_int_equal(can_bed_control(&bed, false), CAN_OK);
	can_bed_detach(&bed);
	run();
	can_bed_reconnect(&bed);
	start = loopxen_now(bed.x);
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	assert_true(loopxen_now(bed.x) == start);
	down();
}

/* A batch is worked on in order where nothing waits. */
static void in_one_batch(void)
{
	struct canfd_frame frame = can_frame(0x55, 8, 1);
	const struct can_front_ops *ops;

	up_as(&variant);
	ops = bed.front->ops;
	if (!words()->statuses) {
		down(); /* its queues have no order between them */
		return;
	}
	for (uint16_t i = 0; i < 7; i++) {
		if (i % 2)
			assert_true(ops->control(bed.front, i, i != 3));
		else
			assert_true(ops->send(bed.front, i, &frame));
	}
	ops->push(bed.front);
	run();
	assert_answer(0, CAN_STOPPED);
	assert_answer(2, CAN_OK);
	assert_answer(4, CAN_STOPPED);
	assert_answer(6, CAN_OK);
	for (uint16_t i = 1; i < 6; i += 2)
		assert_controlled(i);
	assert_int_equal(bed.test.nseen, 2);
	down();
}

/* -- The bus's own doing -------------------------------------------------- */

static void bus_off(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame = can_frame(0x55, 8, 1);

	conf.holds = true;
	conf.in_flight = 4;
	on_as(&conf);
	can_bed_post(&bed, 8);
	for (uint16_t i = 0; i < 6; i++)
		can_bed_send(&bed, i, &frame);
	run();
	can_bus_test_error(&bed.test, CAN_ERR_BUSOFF, 0);
	run();
	for (uint16_t i = 0; i < 6; i++)
		assert_answer(i, CAN_BUS_OFF);
	assert_state(CAN_STATE_IS_BUS_OFF);
	assert_string_equal(can_bed_back_key(&bed, "controller"), "4");
	assert_refused(&frame, CAN_BUS_OFF);
	can_bus_test_hear(&bed.test, &frame);
	run();
	assert_nothing_came();
	bed.test.holds = false;
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	assert_string_equal(can_bed_back_key(&bed, "controller"), "1");
	assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	assert_state(CAN_STATE_IS_ACTIVE);
	can_bus_test_hear(&bed.test, &frame);
	run();
	assert_came(&frame, false);
	down();
}

static void interface_down(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame = can_frame(0x55, 8, 1);

	conf.holds = true;
	on_as(&conf);
	can_bed_post(&bed, 8);
	for (uint16_t i = 0; i < 3; i++)
		can_bed_send(&bed, i, &frame);
	run();
	can_bus_test_down(&bed.test);
	run();
	for (uint16_t i = 0; i < 3; i++)
		assert_answer(i, CAN_BUS_OFF);
	if (words()->events)
		assert_state(CAN_STATE_IS_DOWN);
	assert_string_equal(can_bed_back_key(&bed, "controller"), "5");
	bed.test.holds = false;
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	down();
}

/* Errors as they come, if the policy lets the client hear them; states always. */
static void errors(void)
{
	struct can_bed_conf conf = variant;
	struct can_event event;

	conf.errors = true;
	on_as(&conf);
	can_bed_post(&bed, 8);
	can_bus_test_error(&bed.test, CAN_ERR_CRTL | CAN_ERR_ACK,
			   CAN_ERR_CRTL_TX_PASSIVE);
	run();
	assert_string_equal(can_bed_back_key(&bed, "controller"), "3");
	if (words()->events) {
		assert_true(can_bed_event(&bed, &event));
		assert_int_equal(event.kind, CAN_EVENT_ERROR);
		assert_int_equal(event.frame.can_id, CAN_ERR_CRTL | CAN_ERR_ACK);
		assert_int_equal(event.frame.data[1], CAN_ERR_CRTL_TX_PASSIVE);
		assert_state(CAN_STATE_IS_PASSIVE);
	}
	assert_nothing_came();
	down();
}

/* A frame that the host lost is said to be. */
static void host_loses(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame = can_frame(0x55, 8, 1);

	conf.holds = true;
	on_as(&conf);
	for (uint16_t i = 0; i < 3; i++)
		can_bed_send(&bed, i, &frame);
	run();
	can_bus_test_write(&bed.test, 0);
	can_bus_test_write(&bed.test, -EIO);
	can_bus_test_write(&bed.test, 0);
	run();
	assert_answer(0, CAN_OK);
	assert_answer(1, CAN_FAILED);
	assert_answer(2, CAN_OK);
	down();
}

/* OK means that it was on the wire, if that was asked for. */
static void late_ack(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame = can_frame(0x55, 8, 1);
	struct can_front_answer answer;

	conf.front.late_ack = true;
	conf.holds = conf.mute = true;
	on_as(&conf);
	loopxen_advance(bed.x, 5 * SECOND);
	for (uint16_t i = 0; i < 2; i++)
		can_bed_send(&bed, i, &frame);
	run();
	can_bus_test_write_all(&bed.test);
	run();
	assert_no_answer();
	can_bus_test_echo(&bed.test);
	run();
	assert_true(can_bed_answer(&bed, &answer));
	assert_true(!answer.id && answer.status == CAN_OK);
	if (words()->times)
		assert_true(answer.time >= 5 * SECOND);
	assert_no_answer();
	can_bus_test_echo(&bed.test);
	run();
	assert_answer(1, CAN_OK);
	down();
	/* A host that cannot tell does not promise it. */
	conf.no_echo = true;
	conf.holds = false;
	on_as(&conf);
	assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	down();
}

/* -- Restarts ------------------------------------------------------------- */

static void send_numbered(unsigned n, unsigned seed)
{
	for (uint16_t i = 0; i < n; i++) {
		struct canfd_frame frame = can_frame(0x100u + i, 8, seed);

		can_bed_send(&bed, i, &frame);
	}
	run();
}

/* The last @n that were on the bus are those, in order. */
static void assert_seen_numbered(unsigned n, unsigned seed)
{
	assert_true(bed.test.nseen >= n);
	for (unsigned i = 0; i < n; i++) {
		struct canfd_frame frame = can_frame(0x100u + i, 8, seed);

		assert_true(
			can_frame_is(&bed.test.seen[bed.test.nseen - n + i], &frame));
	}
}

/* All that waits for the bus, and what takes its place. */
static void write_all(void)
{
	while (bed.test.bus.waiting) {
		can_bus_test_write_all(&bed.test);
		run();
	}
}

/* Killed with frames out: the next one sends what was not answered, each is answered
 * once, and in order; and it is started, as the dead one was. */
static void killed(void)
{
	struct can_bed_conf conf = variant;

	conf.holds = true;
	on_as(&conf);
	can_bed_post(&bed, 32);
	for (unsigned round = 0; round < 4; round++) {
		uint32_t seen = bed.test.nseen;

		send_numbered(20, round);
		for (unsigned i = 0; i < 5 * round; i++)
			can_bus_test_write(&bed.test, 0);
		if (round % 2)
			run(); /* answered, or not even that */
		can_bed_kill(&bed);
		assert_int_equal(can_bed_follow(&bed), 0);
		write_all();
		for (uint16_t i = 0; i < 20; i++)
			assert_answer(i, CAN_OK);
		assert_no_answer();
		assert_int_equal(bed.test.nseen - seen,
				 round % 2 ? 20 : 20 + 5 * round);
		assert_seen_numbered(20, round);
		assert_lost(CAN_LOST_UNKNOWN);
		assert_nothing_came();
	}
	down();
}

/* What the dead one had not told is lost, and said to be; slots are still posted. */
static void killed_with_slots(void)
{
	struct canfd_frame frame = can_frame(0x55, 4, 1), next = can_frame(0x56, 4, 1);
	uint64_t events;

	on();
	can_bed_post(&bed, 4);
	can_bus_test_hear(&bed.test, &frame);
	run();
	can_bus_test_hear(&bed.test, &frame); /* not turned */
	can_bed_kill(&bed);
	events = loopxen_calls(bed.x, LOOPXEN_NOTIFY);
	assert_int_equal(can_bed_follow(&bed), 0);
	/* The dead one may not have come to its event. */
	assert_true(loopxen_calls(bed.x, LOOPXEN_NOTIFY) > events);
	can_bus_test_hear(&bed.test, &next);
	run();
	assert_came(&frame, false);
	assert_lost(CAN_LOST_UNKNOWN);
	assert_came(&next, false);
	assert_nothing_came();
	down();
}

/* One that was stopped is not started by its successor. */
static void killed_while_stopped(void)
{
	struct canfd_frame frame = can_frame(0x55, 4, 1);

	on();
	can_bed_post(&bed, 4);
	assert_int_equal(can_bed_control(&bed, false), CAN_OK);
	can_bed_kill(&bed);
	assert_int_equal(can_bed_follow(&bed), 0);
	assert_refused(&frame, CAN_STOPPED);
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	down();
}

/* Its successor is off the bus as well, and says so whether the dead one did or not: a
 * client that took itself for started would never start it again. */
static void killed_while_off(void)
{
	struct canfd_frame frame = can_frame(0x55, 4, 1);

	for (unsigned is_down = 0; is_down < 2; is_down++) {
		enum can_state state =
			is_down ? CAN_STATE_IS_DOWN : CAN_STATE_IS_BUS_OFF;

		on();
		can_bed_post(&bed, 4);
		if (is_down)
			can_bus_test_down(&bed.test);
		else
			can_bus_test_error(&bed.test, CAN_ERR_BUSOFF, 0);
		run();
		if (words()->events)
			assert_state(state);
		for (unsigned i = 0; i < 2; i++) {
			can_bed_kill(&bed);
			assert_int_equal(can_bed_follow(&bed), 0);
			if (words()->events)
				assert_state(state);
			assert_refused(&frame, CAN_BUS_OFF);
		}
		if (!words()->events)
			assert_state(CAN_STATE_IS_BUS_OFF);
		assert_int_equal(can_bed_control(&bed, true), CAN_OK);
		assert_state(CAN_STATE_IS_ACTIVE);
		assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
		down();
	}
}

/* The store is busy: what a START changed is answered when it is kept. */
static void kept_first(void)
{
	struct can_front_answer answer;

	up_as(&variant);
	loopxen_fail(bed.x, LOOPXEN_WRITE, 0, STORE_FULL);
	assert_true(bed.front->ops->control(bed.front, 7, true));
	bed.front->ops->push(bed.front);
	run_now();
	assert_false(loopxen_fail_left(bed.x, LOOPXEN_WRITE));
	assert_true(bed.can.started);
	assert_false(bed.front->ops->controlled(bed.front, &answer));
	assert_string_equal(can_bed_back_key(&bed, "controller"), "0");
	run();
	assert_controlled(7);
	assert_string_equal(can_bed_back_key(&bed, "controller"), "1");
	down();
}

/* A planned stop waits for what is on its way, for a moment; what is not home by then
 * is the successor's, and none is sent twice. */
static void restarted(void)
{
	struct can_bed_conf conf = variant;

	conf.holds = true;
	conf.in_flight = 8;
	on_as(&conf);
	for (unsigned slow = 0; slow < 2; slow++) {
		uint64_t start = loopxen_now(bed.x);
		uint32_t seen = bed.test.nseen;

		send_numbered(10, slow);
		bed.detached = 0;
		can_bed_detach(&bed);
		run_now();
		assert_int_equal(bed.detached, 0);
		for (unsigned i = 0; i < (slow ? 5 : 8); i++)
			can_bus_test_write(&bed.test, 0);
		run();
		assert_int_equal(bed.detached, 1);
		if (slow)
			assert_in_range(loopxen_now(bed.x) - start, 1, SECOND);
		else
			assert_true(loopxen_now(bed.x) == start);
		can_bed_end(&bed);
		assert_int_equal(can_bed_follow(&bed), 0);
		write_all();
		for (uint16_t i = 0; i < 10; i++)
			assert_answer(i, CAN_OK);
		assert_no_answer();
		assert_int_equal(bed.test.nseen - seen, 10);
		assert_seen_numbered(10, slow);
	}
	down();
}

/* Detached with everything out: nothing is held, nothing comes home any more. */
static void detached(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame = can_frame(0x55, 4, 1);

	conf.holds = true;
	conf.in_flight = 4;
	on_as(&conf);
	can_bed_post(&bed, 8);
	send_numbered(10, 0);
	can_bed_detach(&bed);
	run();
	assert_int_equal(bed.detached, 1);
	assert_int_equal(bed.test.bus.waiting, 0);
	assert_int_equal(loopxen_back_holds(bed.back), 0);
	can_bus_test_hear(&bed.test, &frame);
	assert_int_equal(can_bed_turn(&bed), 0);
	assert_no_answer();
	/* With nothing out it does not take its time. */
	can_bed_reconnect(&bed);
	can_bed_detach(&bed);
	run_now();
	assert_int_equal(bed.detached, 1);
	down();
}

/* The client reboots: the controller is stopped, and nothing of the old one is left. */
static void rebooted(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame = can_frame(0x55, 4, 1);

	conf.in_flight = 2;
	on_as(&conf);
	for (unsigned round = 0; round < 3; round++) {
		can_bed_post(&bed, 8);
		bed.test.holds = true;
		send_numbered(10, round);
		can_bus_test_hear(&bed.test, &frame);
		run();
		can_bed_detach(&bed);
		run();
		bed.test.holds = false;
		can_bed_reconnect(&bed);
		assert_string_equal(can_bed_back_key(&bed, "controller"), "0");
		assert_no_answer();
		can_bed_post(&bed, 8);
		run();
		assert_nothing_came();
		assert_refused(&frame, CAN_STOPPED);
		assert_int_equal(can_bed_control(&bed, true), CAN_OK);
		assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
		can_bus_test_hear(&bed.test, &frame);
		run();
		assert_came(&frame, false);
		can_bed_detach(&bed);
		run();
		can_bed_reconnect(&bed);
		assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	}
	down();
}

/* -- Faults --------------------------------------------------------------- */

static void fault(enum loopxen_verb verb, unsigned n, int result)
{
	struct canfd_frame frame = can_frame(0x55, 8, 7);
	struct can_front_answer answer;
	int r;

	can_bed_init(&bed, &variant);
	assert_int_equal(can_bed_start(&bed), 0);
	loopxen_fail(bed.x, verb, n, result);
	r = can_bed_connect(&bed, false);
	if (bed.door->is_down(&bed))
		assert_int_equal(loopxen_back_holds(bed.back), 0);
	if (!r) {
		bed.front->ops->control(bed.front, 1, true);
		can_bed_send(&bed, 2, &frame);
		r = can_bed_run(&bed);
	}
	if (!r && can_bed_answer(&bed, &answer) && answer.status == CAN_OK)
		assert_int_equal(bed.test.nseen, 1);
	loopxen_fail_left(bed.x, verb);
	can_bed_kill(&bed);
	bed.front->ops->disconnect(bed.front);
	can_bed_fini(&bed);
}

/* Each call to what is below, failing once: an error, or nothing, but never a crash, a
 * leak, or an answer that lies. */
static void faults(void)
{
	static const struct {
		enum loopxen_verb verb;
		int result;
	} calls[] = {
		{LOOPXEN_MAP_RING, GRANTS_BUSY}, {LOOPXEN_MAP_RING, GRANTS_REFUSED},
		{LOOPXEN_MAP_RING, -EIO},	 {LOOPXEN_MAP_RING, GRANTS_LATE},
		{LOOPXEN_BIND, EVTCHN_BAD},	 {LOOPXEN_BIND, -EIO},
		{LOOPXEN_READ, STORE_LATE},	 {LOOPXEN_READ, -EIO},
		{LOOPXEN_WRITE, STORE_FULL},	 {LOOPXEN_WRITE, -EIO},
		{LOOPXEN_NOTIFY, -EIO},		 {LOOPXEN_MAP_POOL, GRANTS_BAD},
		{LOOPXEN_MAP, GRANTS_BAD},
	};

	for (unsigned i = 0; i < COUNT(calls); i++) {
		for (unsigned n = 0; n < 8; n++)
			fault(calls[i].verb, n, calls[i].result);
	}
}

int main(void)
{
	static const struct can_case cases[] = {
		CASE(stop_cancels),
		CASE(stop_overtakes),
		CASE(in_one_batch),
		CASE(bus_off),
		CASE(interface_down),
		CASE(errors),
		CASE(host_loses),
		CASE(late_ack),
		CASE(killed),
		CASE(killed_with_slots),
		CASE(killed_while_stopped),
		CASE(killed_while_off),
		CASE(kept_first),
		CASE(restarted),
		CASE(detached),
		CASE(rebooted),
		CASE(faults),
	};

	return can_cases_run("can_doors_life", cases, COUNT(cases));
}
