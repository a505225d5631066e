/* SPDX-License-Identifier: MIT */
/* backends/can/can.c: what may be sent, and the end of what is under way. */
#include <errno.h>
#include <linux/can/error.h>

#include "tests/unit/can_scene.h"

/* -- What may be sent ------------------------------------------------------------ */

static enum can_status judge(canid_t can_id, unsigned flags, unsigned len)
{
	const struct canfd_frame frame = {
		.can_id = can_id, .flags = (uint8_t)flags, .len = (uint8_t)len};

	return can_judge(&scene.can, &frame);
}

static bool formed(canid_t can_id, unsigned flags, unsigned len)
{
	bool fd = flags == 4 || flags == 5 || flags == 6 || flags == 7;
	canid_t id = can_id & CAN_EFF_MASK;

	if (can_id & CAN_ERR_FLAG || (!(can_id & EFF) && id > 0x7ff))
		return false;
	return fd ? len <= 64 && !(can_id & RTR) : !flags && len <= 8;
}

/* Each flag and length, of three identifiers in each format; 0x123 and 00000123 may be
 * sent, so the order of the reasons shows. */
static void judge_table(void **state)
{
	static const canid_t ids[] = {0x123, 0x124, 0x1abcdef0};

	(void)state;
	scene_open("123,00000123", "none");
	for (unsigned fd = 0; fd < 2; fd++) {
		scene.policy.fd = fd;
		can_connect(&scene.can, false, false, CAN_STATE_IS_ACTIVE, 0);
		for (unsigned i = 0; i < 3 * 8 * 256 * 256; i++) {
			canid_t can_id = ids[i >> 19] | (i >> 16 & 7) << 29;
			unsigned flags = i & 255, len = i >> 8 & 255;
			enum can_status want = CAN_OK;

			if (!formed(can_id, flags, len))
				want = CAN_INVALID;
			else if (flags & CANFD_FDF && !fd)
				want = CAN_UNSUPPORTED;
			else if ((can_id & CAN_EFF_MASK) != 0x123)
				want = CAN_DENIED;
			if (judge(can_id, flags, len) != want)
				fail_msg("%x %u %x", can_id, len, flags);
		}
	}
}

static void judge_states(void **state)
{
	(void)state;
	scene.policy.fd = true;
	scene_open("123", "none");
	can_connect(&scene.can, false, false, CAN_STATE_IS_STOPPED, 0);
	assert_int_equal(judge(0x123, 0, 9), CAN_INVALID);
	assert_int_equal(judge(0x124, 0, 8), CAN_DENIED);
	assert_int_equal(judge(0x123, 0, 8), CAN_STOPPED);
	can_start(&scene.can);
	assert_int_equal(judge(0x123, 0, 8), CAN_OK);
	assert_int_equal(judge(0x123, CANFD_FDF, 64), CAN_OK);
	scene.bus.fd = false;
	assert_int_equal(judge(0x123, CANFD_FDF, 64), CAN_UNSUPPORTED);
	bus_error(CAN_ERR_BUSOFF, 0, 0, 0);
	assert_int_equal(judge(0x123, 0, 8), CAN_BUS_OFF);
	can_stop(&scene.can);
	assert_int_equal(judge(0x123, 0, 8), CAN_STOPPED);
	scene.policy.listen_only = true;
	can_start(&scene.can);
	assert_int_equal(judge(0x123, 0, 8), CAN_DENIED);
}

/* [utest->req~client-sends-its-identifiers~1] */
static void refused_never_reach_the_bus(void **state)
{
	struct can_refusal refusal;
	uint32_t n = 0, seen = 0;

	(void)state;
	scene_open("123", "none");
	can_connect(&scene.can, false, false, CAN_STATE_IS_ACTIVE, 0);
	for (uint32_t i = 0; i < 3; i++)
		expect_home(i, tx_send(0x200, 0), CAN_DENIED);
	for (uint32_t i = 0; i < CAN_REFUSALS; i++)
		expect_home(3 + i, tx_send((0x300 + i) | RTR, 0), CAN_DENIED);
	assert_int_equal(scene.wires, 0);
	assert_false(can_busy(&scene.can));
	assert_int_equal(scene.can.stats.refused[CAN_DENIED], 3 + CAN_REFUSALS);
	assert_int_equal(scene.can.unlisted, 1);
	while (can_refusal(&scene.can, &refusal)) {
		n++;
		seen += refusal.n;
		assert_int_equal(refusal.n, refusal.can_id == 0x200 ? 3 : 1);
		assert_false(refusal.can_id & RTR);
	}
	assert_int_equal(n, CAN_REFUSALS);
	assert_int_equal(seen + scene.can.unlisted, 3 + CAN_REFUSALS);
	/* Another reason is not the policy's. */
	can_stop(&scene.can);
	tx_send(0x123, 0);
	assert_false(can_refusal(&scene.can, &refusal));
}

static void sent_as_the_bus_has_it(void **state)
{
	struct canfd_frame frame;

	(void)state;
	scene.policy.fd = true;
	scene_start(false, false);
	memset(&frame, 0xaa, sizeof(frame));
	frame.can_id = 0x123;
	frame.flags = CANFD_FDF | CANFD_BRS;
	frame.len = 13;
	tx_send_frame(&frame);
	frame.can_id = EFF | RTR | 0x123;
	frame.flags = 0;
	frame.len = 8;
	tx_send_frame(&frame);
	assert_int_equal(scene.wires, 2);
	assert_int_equal(scene.wire[0].len, 16);
	assert_int_equal(scene.wire[0].flags, CANFD_FDF | CANFD_BRS);
	assert_int_equal(scene.wire[0].data[12], 0xaa);
	for (unsigned i = 13; i < 64; i++)
		assert_int_equal(scene.wire[0].data[i], 0);
	assert_int_equal(scene.wire[1].len, 8);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(scene.wire[1].data[i], 0);
	assert_int_equal(scene.can.stats.sent, 2);
	assert_int_equal(scene.can.stats.sent_bytes, 16);
}

/* -- The end of it --------------------------------------------------------------- */

/* One written, two given, more waiting. */
static void three_kinds_out(void)
{
	scene_start(true, false);
	tx_send(0x100, 0);
	scene.hold = true;
	for (uint32_t i = 1; i < CAN_BUS_WINDOW + 5; i++)
		tx_send(0x100, (uint8_t)i);
	scene.hold = false; /* what was given now would be on the wire at once */
}

static void expect_all_home(enum can_status status)
{
	assert_int_equal(scene.homes, CAN_BUS_WINDOW + 5);
	for (uint32_t i = 0; i < scene.homes; i++)
		expect_home(i, &scene.tx[i], status);
	assert_int_equal(scene.bus.waiting, 0);
	assert_int_equal(scene.wires, 1);
	assert_false(can_busy(&scene.can));
}

static void stop_cancels(void **state)
{
	(void)state;
	three_kinds_out();
	can_stop(&scene.can);
	expect_all_home(CAN_CANCELED);
	assert_int_equal(scene.can.state, CAN_STATE_IS_STOPPED);
	assert_int_equal(scene.can.stats.stops, 1);
	can_stop(&scene.can);
	assert_int_equal(scene.can.stats.stops, 1);
}

static void disconnect_cancels(void **state)
{
	(void)state;
	three_kinds_out();
	can_disconnect(&scene.can);
	expect_all_home(CAN_CANCELED);
}

static void bus_off(void **state)
{
	struct can_tx *tx;

	(void)state;
	three_kinds_out();
	bus_error(CAN_ERR_BUSOFF, 0, 0, 0);
	expect_all_home(CAN_BUS_OFF);
	assert_int_equal(scene.can.state, CAN_STATE_IS_BUS_OFF);
	assert_int_equal(scene.can.stats.bus_offs, 1);
	expect_state(CAN_STATE_IS_BUS_OFF);
	tx = tx_send(0x100, 0);
	expect_home(scene.homes - 1, tx, CAN_BUS_OFF);
	/* The client starts again; the host's word is not awaited. */
	can_start(&scene.can);
	assert_int_equal(scene.can.state, CAN_STATE_IS_ACTIVE);
	expect_state(CAN_STATE_IS_ACTIVE);
	tx_send(0x100, 99);
	assert_int_equal(scene.wires, 2);
}

static void interface_down_while_sending(void **state)
{
	(void)state;
	three_kinds_out();
	bus_written(-ENETDOWN);
	expect_all_home(CAN_BUS_OFF);
	assert_int_equal(scene.can.state, CAN_STATE_IS_DOWN);
	expect_state(CAN_STATE_IS_DOWN);
	expect_nothing();
}

static void interface_down_while_idle(void **state)
{
	struct can_event event;

	(void)state;
	three_kinds_out();
	scene.bus.user->down(&scene.bus);
	expect_all_home(CAN_BUS_OFF);
	can_turn(&scene.can, 1234);
	event = expect_event(CAN_EVENT_STATE);
	assert_int_equal(event.state, CAN_STATE_IS_DOWN);
	assert_int_equal(event.time, 1234);
	scene.bus.user->down(&scene.bus);
	expect_nothing();
	assert_int_equal(scene.can.state, CAN_STATE_IS_DOWN);
	can_start(&scene.can);
	expect_state(CAN_STATE_IS_ACTIVE);
}

static void down_while_stopped_is_nothing(void **state)
{
	(void)state;
	scene_open("all", "all");
	can_connect(&scene.can, true, false, CAN_STATE_IS_STOPPED, 0);
	scene.bus.user->down(&scene.bus);
	bus_error(CAN_ERR_BUSOFF, 0, 0, 0);
	assert_int_equal(scene.can.state, CAN_STATE_IS_STOPPED);
	expect_nothing();
}

/* What was written before the host's controller began anew is lost; the rest goes on.
 */
static void restarted(void **state)
{
	struct can_tx *a, *b;

	(void)state;
	scene_start(true, false);
	a = tx_send(0x100, 1);
	scene.hold = true;
	b = tx_send(0x100, 2);
	bus_error(CAN_ERR_RESTARTED, 0, 0, 0);
	assert_int_equal(scene.homes, 1);
	expect_home(0, a, CAN_BUS_OFF);
	bus_written(0);
	bus_echo(1, 5);
	expect_home(1, b, CAN_OK);
}

static void bus_fails(void **state)
{
	(void)state;
	scene_start(true, false);
	assert_int_equal(can_turn(&scene.can, 1), 0);
	scene.bus.user->failed(&scene.bus, -ENODEV);
	assert_int_equal(can_turn(&scene.can, 2), -ENODEV);
}

static void send_again(struct can_tx *tx)
{
	if (scene.taken < SCENE_FRAMES / 2)
		tx_send(tx->frame.can_id, 1);
}

/* A door that sends anew from within done(): all come home once, and in order. */
static void sending_from_within(void **state)
{
	(void)state;
	three_kinds_out();
	scene.on_home = send_again;
	bus_written(-ENETDOWN);
	assert_int_equal(scene.homes, SCENE_FRAMES / 2);
	assert_false(can_busy(&scene.can));
	assert_int_equal(scene.wires, 1);
	can_start(&scene.can);
	scene.taken = scene.homes = 0;
	can_connect(&scene.can, false, false, CAN_STATE_IS_ACTIVE, 0);
	tx_send(0x100, 1);
	assert_int_equal(scene.homes, SCENE_FRAMES / 2);
	for (uint32_t i = 0; i < scene.homes; i++)
		expect_home(i, &scene.tx[i], CAN_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(judge_table),
		scene_test(judge_states),
		scene_test(refused_never_reach_the_bus),
		scene_test(sent_as_the_bus_has_it),
		scene_test(stop_cancels),
		scene_test(disconnect_cancels),
		scene_test(bus_off),
		scene_test(interface_down_while_sending),
		scene_test(interface_down_while_idle),
		scene_test(down_while_stopped_is_nothing),
		scene_test(restarted),
		scene_test(bus_fails),
		scene_test(sending_from_within),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
