/* SPDX-License-Identifier: MIT */
/*
 * T-CAN on the PV door: frames and requests that cannot be, frames while stopped, slots
 * that never come, what the policy denies, and a bus that storms.
 */
#include "tests/device/can-cases.h"
#include "tests/hook/shared-hook.h"
#include "tests/hostile/tally.h"

#define ALLOWED 0x123

/* One standard identifier, and all extended ones. */
static const struct can_bed_conf conf = {.transmit = "123,00000000-1fffffff"};

static void post_all(void)
{
	while (bed.front->ops->post(bed.front))
		;
	bed.front->ops->push(bed.front);
}

/* It sends and hears, whatever was before. */
static void serves(void)
{
	struct canfd_frame frame = can_frame(ALLOWED, 8, 0x77),
			   other = can_frame(1, 2, 3);
	uint32_t seen = bed.test.nseen;
	struct can_event event;

	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	/* What stands in the queue from before comes first. */
	for (unsigned round = 0; round < 4; round++) {
		while (can_bed_event(&bed, &event))
			;
		post_all();
		run();
	}
	assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	assert_int_equal(bed.test.nseen, seen + 1);
	assert_true(can_frame_is(&bed.test.seen[seen], &frame));
	can_bus_test_hear(&bed.test, &other);
	run();
	assert_came(&other, false);
}

/* One request of any form, answered alone: its status. Its id and operation come back.
 */
static uint8_t ask(const struct xencan_tx_req *req)
{
	const struct xencan_tx_rsp *rsp;

	can_front_raw(&bed.pv_front.tx, req);
	bed.front->ops->push(bed.front);
	run();
	rsp = can_front_next(&bed.pv_front);
	assert_non_null(rsp);
	assert_int_equal(rsp->id, req->id);
	assert_int_equal(rsp->operation, req->operation);
	assert_null(can_front_next(&bed.pv_front));
	return rsp->status;
}

static uint8_t ask_frame(uint32_t id, uint16_t flags, uint16_t length)
{
	static uint16_t next;
	struct xencan_tx_req req = {
		.id = next++,
		.frame = {.id = id, .flags = flags, .length = length},
	};

	memset(req.frame.data, 0x5a, sizeof(req.frame.data));
	return ask(&req);
}

/* -- T-CAN-1 --------------------------------------------------------------- */

static void t_can_1_lengths(void **state)
{
	static const uint16_t flags[] = {
		0, XENCAN_FRAME_FD, XENCAN_FRAME_FD | XENCAN_FRAME_BRS,
		XENCAN_FRAME_REMOTE, XENCAN_FRAME_EXTENDED | XENCAN_FRAME_FD};
	uint64_t done = 0;

	(void)state;
	on_as(&conf);
	for (unsigned f = 0; f < COUNT(flags); f++) {
		unsigned most = flags[f] & XENCAN_FRAME_FD ? 64 : 8;

		for (uint32_t length = 0; length <= UINT16_MAX;
		     length += length < 2100 ? 1 : 997, done++) {
			uint32_t seen = bed.test.nseen;
			uint8_t status = ask_frame(ALLOWED, flags[f], (uint16_t)length);

			assert_int_equal(status,
					 length <= most ? XENCAN_OK : XENCAN_INVALID);
			assert_int_equal(bed.test.nseen, seen + (length <= most));
		}
	}
	serves();
	down();
	tally("T-CAN-1", done, "lengths");
}

/* Every one of 16 bits of flags, alone and beside those that exist; of the pairs that
 * exist those that cannot be. */
static void t_can_1_flags(void **state)
{
	uint64_t done = 0;

	(void)state;
	on_as(&conf);
	for (uint32_t flags = 0; flags <= UINT16_MAX; flags += flags < 64 ? 1 : 61) {
		bool fd = flags & XENCAN_FRAME_FD;
		bool good = flags <= 0x1f && !(fd && flags & XENCAN_FRAME_REMOTE) &&
			    (fd || !(flags & (XENCAN_FRAME_BRS | XENCAN_FRAME_ESI)));
		uint32_t seen = bed.test.nseen;

		assert_int_equal(ask_frame(ALLOWED, (uint16_t)flags, 8),
				 good ? XENCAN_OK : XENCAN_INVALID);
		assert_int_equal(bed.test.nseen, seen + good);
		done++;
	}
	for (unsigned bit = 0; bit < 16; bit++, done++)
		assert_int_equal(ask_frame(ALLOWED, (uint16_t)(1u << bit), 0),
				 bit < 2 || bit == 2 ? XENCAN_OK : XENCAN_INVALID);
	serves();
	down();
	tally("T-CAN-1", done, "flags");
}

/* Of an identifier each bit counts: none is dropped, and none read as a flag. */
static void t_can_1_identifiers(void **state)
{
	static const uint32_t ids[] = {0x7ff,	   0x800,      0x1fffffff, 0x20000000,
				       0x3fffffff, 0x40000000, 0x80000123, 0xffffffff};
	uint64_t done = 0;
	struct can_bed_conf all = {.transmit = "all"};

	(void)state;
	on_as(&all);
	for (unsigned i = 0; i < COUNT(ids) + 32; i++) {
		uint32_t id = i < 32 ? 1u << i | ALLOWED : ids[i - 32];

		for (uint16_t flags = 0; flags < 8; flags++, done++) {
			uint32_t most =
				flags & XENCAN_FRAME_EXTENDED ? 0x1fffffff : 0x7ff;
			bool good = id <= most && (flags & 6) != 6;
			uint32_t seen = bed.test.nseen;

			assert_int_equal(ask_frame(id, flags, 1),
					 good ? XENCAN_OK : XENCAN_INVALID);
			assert_int_equal(bed.test.nseen, seen + good);
			if (good)
				assert_int_equal(bed.test.seen[seen].can_id &
							 ~(CAN_EFF_FLAG | CAN_RTR_FLAG),
						 id);
		}
	}
	serves();
	down();
	tally("T-CAN-1", done, "identifiers");
}

static void t_can_1_operations(void **state)
{
	uint64_t done = 0;

	(void)state;
	on_as(&conf);
	for (unsigned op = 3; op <= UINT8_MAX; op++, done++) {
		struct xencan_tx_req req = {.id = (uint16_t)(op * 257),
					    .operation = (uint8_t)op};

		assert_int_equal(ask(&req), XENCAN_INVALID);
	}
	assert_true(bed.can.started);
	assert_int_equal(bed.pv.stats.malformed, done);
	assert_int_equal(bed.test.nseen, 0);
	serves();
	down();
	tally("T-CAN-1", done, "operations");
}

/* What is reserved counts for nothing, and the same id may be out as often as it likes.
 */
static void t_can_1_ids_repeated(void **state)
{
	const struct xencan_tx_rsp *rsp;
	struct can_bed_conf slow = conf;
	uint64_t done = 0;

	(void)state;
	slow.holds = true;
	on_as(&slow);
	for (unsigned round = 0; round < 8; round++) {
		struct xencan_tx_req req;

		memset(&req, round % 2 ? 0xff : 0xa5, sizeof(req));
		req.id = 42;
		req.operation = XENCAN_OP_FRAME;
		req.frame.id = ALLOWED;
		req.frame.flags = 0;
		req.frame.length = 8;
		for (unsigned i = 0; i < 32; i++, done++)
			can_front_raw(&bed.pv_front.tx, &req);
		bed.front->ops->push(bed.front);
		run();
		can_bus_test_write_all(&bed.test);
		run();
		for (unsigned i = 0; i < 32; i++) {
			rsp = can_front_next(&bed.pv_front);
			assert_true(rsp && rsp->id == 42 && rsp->status == XENCAN_OK);
		}
		assert_null(can_front_next(&bed.pv_front));
	}
	assert_int_equal(bed.test.nseen, done);
	bed.test.holds = false;
	serves();
	down();
	tally("T-CAN-1", done, "frames of one id");
}

/* An answer has nothing of the one that had its slot before. */
static void t_can_1_answers_say_nothing_old(void **state)
{
	struct can_bed_conf late = conf;
	const struct xencan_tx_rsp *rsp;
	struct xencan_tx_req req = {.operation = XENCAN_OP_FRAME, .frame.id = ALLOWED};
	uint64_t done = 0;

	(void)state;
	late.front.late_ack = true;
	late.ring_pages = 2; /* as many slots as entries */
	on_as(&late);
	loopxen_advance(bed.x, 5 * SECOND);
	for (unsigned round = 0; round < 4; round++) {
		req.frame.length = round % 2 ? 0xffff : 8;
		for (unsigned i = 0; i < 32; i++, done++)
			can_front_raw(&bed.pv_front.tx, &req);
		bed.front->ops->push(bed.front);
		run();
		for (unsigned i = 0; i < 32; i++) {
			rsp = can_front_next(&bed.pv_front);
			assert_non_null(rsp);
			assert_int_equal(!rsp->time, round % 2);
			assert_int_equal(!rsp->status, !(round % 2));
		}
	}
	serves();
	down();
	tally("T-CAN-1", done, "answers in slots that had others");
}

/* -- T-CAN-2 --------------------------------------------------------------- */

static void t_can_2_frames_while_stopped(void **state)
{
	uint64_t done = 0;

	(void)state;
	up_as(&conf);
	for (unsigned round = 0; round < 3; round++) {
		uint32_t seen = bed.test.nseen;

		for (unsigned i = 0; i < 1000; i++, done++)
			assert_int_equal(ask_frame(ALLOWED, i % 2 ? XENCAN_FRAME_FD : 0,
						   (uint16_t)(i % 9)),
					 XENCAN_STOPPED);
		assert_int_equal(bed.test.nseen, seen);
		assert_int_equal(bed.test.bus.waiting, 0);
		serves();
		assert_int_equal(can_bed_control(&bed, false), CAN_OK);
	}
	down();
	tally("T-CAN-2", done, "frames while stopped");
}

/* START and STOP without end pay like all else, and so does what they cancel: in ten
 * seconds no more than ten seconds' worth, and what is kept is written no more often.
 */
static void t_can_2_start_stop_storm(void **state)
{
	struct can_bed_conf slow = conf;
	struct canfd_frame frame = can_frame(ALLOWED, 8, 1);
	uint64_t start, asked = 0, answered, writes, seconds;

	(void)state;
	slow.operations = (struct policy_rate){100, 10};
	on_as(&slow);
	start = loopxen_now(bed.x);
	answered = bed.pv.stats.answers;
	writes = loopxen_calls(bed.x, LOOPXEN_WRITE);
	while (loopxen_now(bed.x) - start < 10 * SECOND) {
		struct can_front_answer answer;

		/* As much as fits: 15 frames, a STOP, 15 frames, a START. */
		for (unsigned i = 0; i < 32; i++) {
			bool ok =
				i % 16 == 15
					? bed.front->ops->control(bed.front, 0, i == 31)
					: bed.front->ops->send(bed.front, 0, &frame);

			asked += ok;
		}
		bed.front->ops->push(bed.front);
		run_now();
		while (can_bed_answer(&bed, &answer) ||
		       bed.front->ops->controlled(bed.front, &answer))
			;
		loopxen_advance(bed.x, 10000000);
	}
	seconds = (loopxen_now(bed.x) - start) / SECOND;
	answered = bed.pv.stats.answers - answered;
	/* A ring's worth may be owed for. */
	assert_in_range(answered, 100 * seconds - 40, 100 * seconds + 10 + 32);
	assert_true(loopxen_calls(bed.x, LOOPXEN_WRITE) - writes <= answered);
	assert_true(bed.test.nseen <= 100 * seconds + 10);
	run();
	while (can_front_next(&bed.pv_front))
		;
	serves();
	down();
	tally("T-CAN-2", asked, "requests of a storm of START and STOP");
}

/* What a STOP canceled is owed for once: not again by the STOP that has its slot later.
 */
static void t_can_2_owed_once(void **state)
{
	struct can_bed_conf slow = conf;
	struct canfd_frame frame = can_frame(ALLOWED, 8, 1);
	const struct can_front_ops *ops;
	uint64_t start;

	(void)state;
	slow.operations = (struct policy_rate){10, 1};
	slow.ring_pages = 2; /* as many slots as entries */
	on_as(&slow);
	ops = bed.front->ops;
	for (unsigned i = 0; i < 20; i++)
		assert_true(ops->send(bed.front, 1, &frame));
	assert_int_equal(can_bed_control(&bed, false), CAN_OK);
	while (can_front_next(&bed.pv_front))
		;
	/* As many as there are entries, the last in the slot of the first STOP. */
	for (unsigned i = 0; i < 31; i++)
		assert_int_equal(ask_frame(ALLOWED, 0, 8), XENCAN_STOPPED);
	assert_int_equal(can_bed_control(&bed, false), CAN_OK);
	loopxen_advance(bed.x, SECOND);
	start = loopxen_now(bed.x);
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	assert_true(loopxen_now(bed.x) == start);
	down();
	tally("T-CAN-2", 53, "requests behind a STOP that owes");
}

/* -- T-CAN-3 --------------------------------------------------------------- */

/* No slot ever: the bus goes on, and so does what the client sends; what is lost is
 * counted, and told at its place once there are slots. */
static void t_can_3_slots_never_posted(void **state)
{
	struct canfd_frame frame = can_frame(ALLOWED, 8, 1);
	struct can_bed_conf small = conf;
	uint64_t turns;

	(void)state;
	small.receive_queue = 16;
	on_as(&small);
	for (unsigned i = 0; i < 5000; i++) {
		struct canfd_frame other = can_frame(i % 0x700, 8, i);

		can_bus_test_hear(&bed.test, &other);
		if (i % 50)
			continue;
		assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	}
	run();
	assert_int_equal(bed.can.stats.lost, 5000 - 16);
	assert_int_equal(bed.pv.stats.events, 0);
	/* What waits for a slot keeps nobody busy. */
	turns = shared_hook_reads;
	for (unsigned i = 0; i < 100; i++) {
		loopxen_advance(bed.x, SECOND);
		run();
	}
	assert_int_equal(shared_hook_reads, turns);
	can_bed_post(&bed, 20);
	run();
	assert_lost(5000 - 16);
	for (unsigned i = 5000 - 16; i < 5000; i++) {
		struct canfd_frame other = can_frame(i % 0x700, 8, i);

		assert_came(&other, false);
	}
	down();
	tally("T-CAN-3", 5000, "frames for a client that posts no slots");
}

/* Slots whose ids are all the same, whose bytes are anything, and that change while
 * they wait: each comes back with the id that it has then, and with no byte else. */
static void t_can_3_slots_of_any_bytes(void **state)
{
	struct can_front_ring *rx = &bed.pv_front.rx;
	uint64_t done = 0;

	(void)state;
	on_as(&conf);
	for (unsigned round = 0; round < 64; round++) {
		struct canfd_frame frame = can_frame(round, 8, 0x04030201);
		uint8_t entry[XENCAN_ENTRY];
		const struct xencan_rx_rsp *rsp;

		memset(entry, (int)round * 5, sizeof(entry));
		can_front_raw(rx, entry);
		bed.front->ops->push(bed.front);
		run();
		/* Once more, when it is long posted. */
		memset(can_front_slot(rx, round), 0xb7, XENCAN_ENTRY);
		can_bus_test_hear(&bed.test, &frame);
		run();
		rsp = (const void *)can_front_slot(rx, rx->rsp_cons++);
		assert_int_equal(rsp->id, 0xb7b7);
		assert_int_equal(rsp->type, XENCAN_RX_FRAME);
		assert_int_equal(rsp->u.frame.id, round);
		assert_int_equal(rsp->u.frame.length, 8);
		for (unsigned i = 8; i < 64; i++)
			assert_int_equal(rsp->u.frame.data[i], 0);
		for (unsigned i = 0; i < 8; i++)
			assert_int_equal(((const uint8_t *)(rsp + 1))[i], 0);
		done++;
	}
	down();
	tally("T-CAN-3", done, "slots of any bytes");
}

/* -- T-CAN-4 --------------------------------------------------------------- */

/* Each standard identifier, and extended ones of the same numbers: what is not allowed
 * is answered, counted, and never on the bus.
 * [utest->req~client-sends-its-identifiers~1] */
static void t_can_4_denied(void **state)
{
	static const struct can_bed_conf narrow = {.transmit =
							   "100-10f,7f0:7f0,00000100"};
	uint64_t denied = 0, told = 0;
	struct can_refusal refusal;

	(void)state;
	on_as(&narrow);
	for (uint32_t id = 0; id <= 0x7ff; id++) {
		for (uint16_t flags = 0; flags < 4; flags++) {
			bool extended = flags & XENCAN_FRAME_EXTENDED;
			bool good = extended ? id == 0x100
					     : id >> 4 == 0x10 || id >> 4 == 0x7f;
			uint32_t seen = bed.test.nseen;

			assert_int_equal(ask_frame(id, flags, 1),
					 good ? XENCAN_OK : XENCAN_DENIED);
			assert_int_equal(bed.test.nseen, seen + good);
			denied += !good;
		}
	}
	assert_int_equal(bed.can.stats.refused[CAN_DENIED], denied);
	while (can_refusal(&bed.can, &refusal))
		told += refusal.n;
	assert_int_equal(told + bed.can.unlisted, denied);
	down();
	tally("T-CAN-4", denied, "frames that the policy denies");
}

/* A flood of what is refused, for whatever reason, is paced as if it were sent. */
static void t_can_4_refusals_pay(void **state)
{
	struct can_bed_conf slow = conf;
	uint64_t start, done = 0;

	(void)state;
	slow.transmit = "123";
	slow.operations = (struct policy_rate){100, 1};
	on_as(&slow);
	loopxen_advance(bed.x, SECOND);
	start = loopxen_now(bed.x);
	for (unsigned i = 0; i < 400; i++, done++) {
		switch (i % 4) {
		case 0:
			assert_int_equal(ask_frame(0x124, 0, 8), XENCAN_DENIED);
			break;
		case 1:
			assert_int_equal(ask_frame(0x123, 0, 65), XENCAN_INVALID);
			break;
		case 2:
			assert_int_equal(ask_frame(0x123, 0x40, 8), XENCAN_INVALID);
			break;
		default:
			assert_int_equal(ask_frame(0x123, 0, 9), XENCAN_INVALID);
		}
	}
	assert_in_range(loopxen_now(bed.x) - start, 399 * SECOND / 100,
			401 * SECOND / 100);
	down();
	tally("T-CAN-4", done, "refusals that pay");
}

/* -- T-CAN-5 --------------------------------------------------------------- */

/* Errors and states without end, for a client that takes them and for one that does
 * not: bounded, the newest state is told, and what is kept is written once a turn. */
static void t_can_5_bus_storm(void **state)
{
	struct can_bed_conf noisy = conf;
	enum can_state last = CAN_STATE_IS_ACTIVE;
	uint64_t writes, done = 0;
	struct can_event event;

	(void)state;
	noisy.errors = true;
	on_as(&noisy);
	writes = loopxen_calls(bed.x, LOOPXEN_WRITE);
	for (unsigned turn = 0; turn < 200; turn++) {
		if (turn == 100)
			can_bed_post(&bed, 32);
		for (unsigned i = 0; i < 50; i++, done++)
			can_bus_test_error(&bed.test, CAN_ERR_CRTL,
					   i % 2 ? CAN_ERR_CRTL_TX_PASSIVE
						 : CAN_ERR_CRTL_TX_WARNING);
		run();
	}
	assert_true(loopxen_calls(bed.x, LOOPXEN_WRITE) - writes <= 200);
	assert_string_equal(can_bed_back_key(&bed, "controller"), "3");
	for (unsigned idle = 0; idle < 3; idle++) {
		while (can_bed_event(&bed, &event)) {
			if (event.kind == CAN_EVENT_STATE)
				last = event.state;
		}
		post_all();
		run();
	}
	assert_int_equal(last, CAN_STATE_IS_PASSIVE);
	serves();
	down();
	tally("T-CAN-5", done, "errors of a bus");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_can_1_lengths),
		cmocka_unit_test(t_can_1_flags),
		cmocka_unit_test(t_can_1_identifiers),
		cmocka_unit_test(t_can_1_operations),
		cmocka_unit_test(t_can_1_ids_repeated),
		cmocka_unit_test(t_can_1_answers_say_nothing_old),
		cmocka_unit_test(t_can_2_frames_while_stopped),
		cmocka_unit_test(t_can_2_start_stop_storm),
		cmocka_unit_test(t_can_2_owed_once),
		cmocka_unit_test(t_can_3_slots_never_posted),
		cmocka_unit_test(t_can_3_slots_of_any_bytes),
		cmocka_unit_test(t_can_4_denied),
		cmocka_unit_test(t_can_4_refusals_pay),
		cmocka_unit_test(t_can_5_bus_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
