/* SPDX-License-Identifier: MIT */
/*
 * What a controller's client gets, whichever door it comes through: frames both ways,
 * what is refused, limits, and the slots for what comes.
 */
#include "tests/device/can-cases.h"

/* -- Frames both ways ----------------------------------------------------- */

/* Rings' worth of all forms, in bursts; each answered once, in order, and on the bus as
 * it was said. */
static void sent(void)
{
	uint16_t asked = 0, back = 0;

	on();
	for (unsigned round = 0; asked < 3000; round++) {
		unsigned n = 1 + round * 13 % 32;

		for (unsigned i = 0; i < n; i++, asked++) {
			struct canfd_frame frame = some_frame(asked);

			assert_true(bed.front->ops->send(bed.front, asked, &frame));
		}
		bed.front->ops->push(bed.front);
		run();
		while (back != asked)
			assert_answer(back++, CAN_OK);
		assert_no_answer();
	}
	assert_int_equal(bed.test.nseen, asked);
	for (unsigned i = 0; i < asked; i++) {
		struct canfd_frame frame = some_frame(i);

		assert_true(can_frame_is(&bed.test.seen[i], &frame));
	}
	assert_nothing_came();
	down();
}

/* The same, from another station. */
static void heard(void)
{
	uint16_t said_by_other = 0, came = 0;

	on();
	can_bed_post(&bed, 32);
	for (unsigned round = 0; said_by_other < 3000; round++) {
		unsigned n = 1 + round * 13 % 32;

		for (unsigned i = 0; i < n; i++, said_by_other++) {
			struct canfd_frame frame = some_frame(said_by_other);

			can_bus_test_hear(&bed.test, &frame);
		}
		run();
		while (came != said_by_other) {
			struct canfd_frame frame = some_frame(came++);

			assert_came(&frame, false);
		}
		assert_nothing_came();
		can_bed_post(&bed, n);
	}
	down();
}

/* Lengths that FD has not are filled up with zeros. */
static void fd_lengths(void)
{
	static const uint8_t next[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  12, 12,
				       12, 12, 16, 16, 16, 16, 20, 20, 20, 20, 24,
				       24, 24, 24, 32, 32, 32, 32, 32, 32, 32, 32};

	on();
	for (uint8_t len = 0; len <= 64; len++) {
		struct canfd_frame frame = can_frame_of_fd(0x123, len, 0x11223344);
		const struct canfd_frame *seen = &bed.test.seen[len];
		uint8_t want = len > 48 ? 64 : len > 32 ? 48 : next[len];

		/* What is behind is nobody's. */
		memset(frame.data + len, 0xee, sizeof(frame.data) - len);
		assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
		assert_int_equal(seen->len, want);
		assert_memory_equal(seen->data, frame.data, len);
		for (unsigned i = len; i < 64; i++)
			assert_int_equal(seen->data[i], 0);
	}
	down();
}

/* Through the loopback bus what is sent comes back, as another station's. */
static void loopback(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame;

	conf.bus = CAN_BED_LOOPBACK;
	on_as(&conf);
	can_bed_post(&bed, 32);
	for (unsigned i = 0; i < 200; i++) {
		frame = some_frame(i);
		assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
		assert_came(&frame, false);
		assert_nothing_came();
		can_bed_post(&bed, 1);
	}
	down();
	conf.bus = CAN_BED_NULL;
	on_as(&conf);
	can_bed_post(&bed, 4);
	frame = can_frame(1, 8, 1);
	assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	assert_nothing_came();
	down();
}

/* Its own frames, if it asked, and nobody's twice. */
static void own_frames(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame = can_frame(0x321, 8, 5),
			   other = can_frame(0x322, 1, 6);

	conf.front.own = true;
	on_as(&conf);
	can_bed_post(&bed, 8);
	assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	can_bus_test_hear(&bed.test, &other);
	run();
	if (words()->own)
		assert_came(&frame, true);
	assert_came(&other, false);
	assert_nothing_came();
	down();
}

/* -- What is refused ------------------------------------------------------ */

static void policy(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame yes = can_frame(0x100, 8, 1), no = can_frame(0x110, 8, 2),
			   rtr = can_frame_rtr(0x110, 3),
			   extended = can_frame(CAN_EFF_FLAG | 0x100, 8, 3),
			   fd = can_frame_of_fd(0x100, 12, 4);
	struct can_refusal refusal;

	conf.transmit = "100-10f,18fef100:1fffff00";
	conf.receive = "200";
	on_as(&conf);
	can_bed_post(&bed, 8);
	assert_int_equal(can_bed_ask(&bed, &yes), CAN_OK);
	assert_refused(&no, CAN_DENIED);
	assert_refused(&rtr, CAN_DENIED);
	assert_refused(&extended, CAN_DENIED);
	assert_int_equal(can_bed_ask(&bed, &fd), CAN_OK);
	extended.can_id = CAN_EFF_FLAG | 0x18fef1aa;
	assert_int_equal(can_bed_ask(&bed, &extended), CAN_OK);
	assert_true(can_refusal(&bed.can, &refusal));
	assert_int_equal(bed.can.stats.refused[CAN_DENIED], 3);
	/* And what it hears. */
	can_bus_test_hear(&bed.test, &yes);
	yes.can_id = 0x200;
	can_bus_test_hear(&bed.test, &yes);
	run();
	assert_came(&yes, false);
	assert_nothing_came();
	assert_int_equal(bed.can.stats.filtered, 1);
	down();
}

static void listen_only(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame = can_frame(0x55, 4, 1);

	conf.listen_only = true;
	on_as(&conf);
	can_bed_post(&bed, 1);
	assert_refused(&frame, CAN_DENIED);
	can_bus_test_hear(&bed.test, &frame);
	run();
	assert_came(&frame, false);
	down();
}

static void no_fd(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame fd = can_frame_of_fd(0x55, 16, 1),
			   classic = can_frame(1, 8, 2);

	conf.no_fd = true;
	on_as(&conf);
	assert_refused(&fd, CAN_UNSUPPORTED);
	assert_int_equal(can_bed_ask(&bed, &classic), CAN_OK);
	down();
}

/* It begins stopped: nothing is sent, nothing heard. */
static void stopped(void)
{
	struct canfd_frame frame = can_frame(0x55, 4, 1);

	up_as(&variant);
	can_bed_post(&bed, 4);
	assert_refused(&frame, CAN_STOPPED);
	can_bus_test_hear(&bed.test, &frame);
	run();
	assert_nothing_came();
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	assert_nothing_came();
	assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	assert_int_equal(can_bed_control(&bed, false), CAN_OK);
	assert_refused(&frame, CAN_STOPPED);
	/* Each once more changes nothing. */
	assert_int_equal(can_bed_control(&bed, false), CAN_OK);
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	down();
}

/* -- Limits --------------------------------------------------------------- */

static void in_flight(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame = can_frame(0x55, 4, 1);

	conf.holds = true;
	conf.in_flight = 3;
	on_as(&conf);
	for (uint16_t i = 0; i < 12; i++)
		can_bed_send(&bed, i, &frame);
	for (uint16_t done = 0; done < 12; done++) {
		run();
		assert_int_equal(bed.test.bus.waiting, 12 - done < 3 ? 12 - done : 3);
		assert_no_answer();
		can_bus_test_write(&bed.test, 0);
		run();
		assert_answer(done, CAN_OK);
	}
	down();
}

/* Ten a second; and as many bytes of the wire as seven such frames have. */
static void rates(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame = can_frame(0x55, 8, 1);
	uint64_t start;

	conf.operations = (struct policy_rate){10, 2};
	on_as(&conf); /* START is one of them */
	start = loopxen_now(bed.x);
	for (uint16_t i = 0; i < 11; i++)
		can_bed_send(&bed, i, &frame);
	run();
	assert_in_range(loopxen_now(bed.x) - start, 990000000, 1010000000);
	for (uint16_t i = 0; i < 11; i++)
		assert_answer(i, CAN_OK);
	down();
	conf.operations = (struct policy_rate){0, 0};
	conf.bytes = (struct policy_rate){7 * can_wire_bytes(&frame),
					  can_wire_bytes(&frame)};
	on_as(&conf);
	start = loopxen_now(bed.x);
	for (uint16_t i = 0; i < 8; i++)
		can_bed_send(&bed, i, &frame);
	run();
	assert_in_range(loopxen_now(bed.x) - start, 990000000, 1010000000);
	for (uint16_t i = 0; i < 8; i++)
		assert_answer(i, CAN_OK);
	down();
}

/* What is refused costs the same, whatever it is refused for. */
static void refused_rates(void)
{
	struct canfd_frame denied = can_frame(0x700, 8, 1), bad = can_frame(0x55, 9, 1),
			   fine = can_frame(0x55, 8, 1);
	struct can_bed_conf conf = variant;
	uint64_t start;

	conf.transmit = "000-0ff";
	conf.operations = (struct policy_rate){10, 2};
	on_as(&conf);
	start = loopxen_now(bed.x);
	for (uint16_t i = 0; i < 10; i++)
		can_bed_send(&bed, i, i % 2 ? &denied : &bad);
	can_bed_send(&bed, 10, &fine);
	run();
	assert_in_range(loopxen_now(bed.x) - start, 990000000, 1010000000);
	for (uint16_t i = 0; i < 10; i++)
		assert_answer(i, i % 2 ? CAN_DENIED : CAN_INVALID);
	assert_answer(10, CAN_OK);
	assert_int_equal(can_bed_control(&bed, false), CAN_OK);
	start = loopxen_now(bed.x);
	for (uint16_t i = 0; i < 10; i++)
		can_bed_send(&bed, i, &fine);
	run();
	assert_in_range(loopxen_now(bed.x) - start, 990000000, 1010000000);
	for (uint16_t i = 0; i < 10; i++)
		assert_answer(i, CAN_STOPPED);
	down();
}

/* What comes is paced by ReceiveRate, while STATE passes; nothing is lost of it. */
static void receive_rate(void)
{
	struct can_bed_conf conf = variant;
	struct canfd_frame frame = can_frame(0x55, 8, 1);
	uint64_t start;

	conf.receive_rate = (struct policy_rate){10, 1};
	on_as(&conf);
	can_bed_post(&bed, 16);
	start = loopxen_now(bed.x);
	for (unsigned i = 0; i < 11; i++)
		can_bus_test_hear(&bed.test, &frame);
	run();
	assert_in_range(loopxen_now(bed.x) - start, 990000000, 1010000000);
	for (unsigned i = 0; i < 11; i++)
		assert_came(&frame, false);
	assert_nothing_came();
	down();
}

/* -- Slots ---------------------------------------------------------------- */

/* Nothing is posted: what there is no room for is counted, and told in its place. */
static void overflow(void)
{
	struct can_bed_conf conf = variant;

	conf.receive_queue = 16;
	for (unsigned newest = 0; newest < 2; newest++) {
		conf.overflow = newest ? CAN_DROP_NEWEST : CAN_DROP_OLDEST;
		on_as(&conf);
		for (unsigned i = 0; i < 20; i++) {
			struct canfd_frame frame = can_frame(i, 1, i);

			can_bus_test_hear(&bed.test, &frame);
		}
		run();
		assert_int_equal(bed.can.stats.lost, 4);
		assert_nothing_came();
		can_bed_post(&bed, 1);
		run();
		if (!newest)
			assert_lost(4);
		can_bed_post(&bed, 20);
		run();
		for (unsigned i = 0; i < 16; i++) {
			struct canfd_frame frame = can_frame(i + (newest ? 0 : 4), 1,
							     i + (newest ? 0 : 4));

			assert_came(&frame, false);
		}
		if (newest)
			assert_lost(4);
		assert_nothing_came();
		down();
	}
}

/* A slot that is posted late is filled at once: its post wakes. */
static void late_slots(void)
{
	on();
	for (unsigned i = 0; i < 300; i++) {
		struct canfd_frame frame = can_frame(0x55, 4, i);

		if (i % 2)
			can_bed_post(&bed, 1);
		can_bus_test_hear(&bed.test, &frame);
		run();
		if (!(i % 2)) {
			assert_nothing_came();
			can_bed_post(&bed, 1);
			run();
		}
		assert_came(&frame, false);
		assert_nothing_came();
	}
	down();
}

int main(void)
{
	static const struct can_case cases[] = {
		CASE(sent),	    CASE(heard),      CASE(fd_lengths),
		CASE(loopback),	    CASE(own_frames), CASE(policy),
		CASE(listen_only),  CASE(no_fd),      CASE(stopped),
		CASE(in_flight),    CASE(rates),      CASE(refused_rates),
		CASE(receive_rate), CASE(overflow),   CASE(late_slots),
	};

	return can_cases_run("can_doors", cases, COUNT(cases));
}
