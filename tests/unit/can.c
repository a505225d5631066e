/* SPDX-License-Identifier: MIT */
/* backends/can/can.c and can-way.c: what the client sends. */
#include <errno.h>
#include <linux/can/error.h>

#include "tests/unit/can_scene.h"

#define SECOND 1000000000ull

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
		can_connect(&scene.can, false, false, true, 0);
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
	can_connect(&scene.can, false, false, false, 0);
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

static void refused_never_reach_the_bus(void **state)
{
	struct can_refusal refusal;
	uint32_t n = 0, seen = 0;

	(void)state;
	scene_open("123", "none");
	can_connect(&scene.can, false, false, true, 0);
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

/* -- Coming home ----------------------------------------------------------------- */

static void written_is_enough(void **state)
{
	struct can_tx *tx;

	(void)state;
	scene_start(false, false);
	scene.hold = true;
	tx = tx_send(0x123, 1);
	assert_int_equal(scene.homes, 0);
	bus_written(0);
	expect_home(0, tx, CAN_OK);
	assert_int_equal(tx->time, 0);
	bus_echo(0, 5);
	assert_int_equal(scene.homes, 1);
}

static void late_ack_waits_for_the_wire(void **state)
{
	struct can_tx *a, *b;

	(void)state;
	scene_start(true, false);
	a = tx_send(0x123, 1);
	b = tx_send(0x123, 2);
	assert_int_equal(scene.wires, 2);
	assert_int_equal(scene.homes, 0);
	bus_frame(0x123, 1); /* another station's is not ours */
	assert_int_equal(scene.homes, 0);
	bus_echo(0, 500);
	expect_home(0, a, CAN_OK);
	assert_int_equal(a->time, 500);
	assert_int_equal(scene.homes, 1);
	bus_echo(1, 600);
	expect_home(1, b, CAN_OK);
	assert_int_equal(b->time, 600);
}

/* Without echo there is no late acknowledgement. */
static void no_late_ack_without_echo(void **state)
{
	(void)state;
	scene_open("all", "none");
	scene.bus.echo = false;
	can_connect(&scene.can, true, false, true, 0);
	tx_send(0x123, 1);
	assert_int_equal(scene.homes, 1);
}

static void equal_frames_in_order(void **state)
{
	struct can_tx *tx[3];

	(void)state;
	scene_start(true, false);
	for (unsigned i = 0; i < 3; i++)
		tx[i] = tx_send(0x123, 7);
	for (unsigned i = 0; i < 3; i++) {
		bus_echo(0, 10 + i);
		assert_int_equal(scene.homes, i + 1);
		expect_home(i, tx[i], CAN_OK);
		assert_int_equal(tx[i]->time, 10 + i);
	}
}

/* Each of identifier, length, flags and data is looked at. */
static void what_is_not_equal_is_not_it(void **state)
{
	struct canfd_frame frame = frame_of(0x123, 1), other;

	(void)state;
	scene.policy.fd = true;
	scene_start(true, false);
	tx_send_frame(&frame);
	other = frame;
	other.can_id |= EFF;
	bus_heard(&other, true, 1);
	other = frame;
	other.len = 3;
	bus_heard(&other, true, 1);
	other = frame;
	other.flags = CANFD_FDF;
	bus_heard(&other, true, 1);
	other = frame;
	other.data[1]++;
	bus_heard(&other, true, 1);
	assert_int_equal(scene.homes, 0);
	bus_heard(&frame, true, 1);
	assert_int_equal(scene.homes, 1);
}

/* Heard out of order: home in order (invariant 3). */
static void overtaken_come_home_in_order(void **state)
{
	struct can_tx *a, *b;

	(void)state;
	scene_start(true, false);
	a = tx_send(0x700, 1);
	b = tx_send(0x100, 2);
	bus_echo(1, 5);
	assert_int_equal(scene.homes, 0);
	bus_echo(0, 6);
	expect_home(0, a, CAN_OK);
	expect_home(1, b, CAN_OK);
	assert_int_equal(a->time, 6);
	assert_int_equal(b->time, 5);
	assert_int_equal(can_due(&scene.can), UINT64_MAX);
}

/* One that the host lost does not hold back the rest for ever. */
static void lost_by_the_host(void **state)
{
	struct can_tx *a, *b, *c;

	(void)state;
	scene_start(true, false);
	a = tx_send(0x100, 1);
	b = tx_send(0x100, 2);
	c = tx_send(0x100, 3);
	can_turn(&scene.can, 100 * SECOND);
	assert_int_equal(scene.homes, 0); /* nothing says that it is lost */
	assert_int_equal(can_due(&scene.can), UINT64_MAX);
	bus_echo(1, 5);
	can_turn(&scene.can, 200 * SECOND);
	assert_int_equal(can_due(&scene.can), 201 * SECOND);
	can_turn(&scene.can, 201 * SECOND - 1);
	assert_int_equal(scene.homes, 0);
	can_turn(&scene.can, 201 * SECOND);
	assert_int_equal(scene.homes, 2);
	expect_home(0, a, CAN_FAILED);
	expect_home(1, b, CAN_OK);
	can_turn(&scene.can, 300 * SECOND);
	assert_int_equal(scene.homes, 2);
	bus_echo(2, 9);
	expect_home(2, c, CAN_OK);
	assert_int_equal(can_due(&scene.can), UINT64_MAX);
}

static void failing_waits_for_its_turn(void **state)
{
	struct can_tx *a, *b, *c;

	(void)state;
	scene_start(true, false);
	a = tx_send(0x100, 1);
	scene.hold = true;
	b = tx_send(0x100, 2);
	c = tx_send(0x100, 3);
	bus_written(-EINVAL);
	bus_written(0);
	assert_int_equal(scene.homes, 0);
	can_turn(&scene.can, 10 * SECOND);
	can_turn(&scene.can, 20 * SECOND);
	assert_int_equal(scene.homes, 0); /* that one failed says nothing of another */
	bus_echo(0, 5);
	assert_int_equal(scene.homes, 2);
	expect_home(0, a, CAN_OK);
	expect_home(1, b, CAN_FAILED);
	bus_echo(1, 6);
	expect_home(2, c, CAN_OK);
}

static void window_of_the_bus(void **state)
{
	(void)state;
	scene_start(true, false);
	scene.hold = true;
	for (uint32_t i = 0; i < CAN_BUS_WINDOW + 10; i++)
		tx_send(0x100, (uint8_t)i);
	assert_int_equal(scene.bus.waiting, CAN_BUS_WINDOW);
	for (uint32_t i = 0; i < CAN_BUS_WINDOW + 10; i++)
		bus_written(0);
	assert_int_equal(scene.bus.waiting, 0);
	for (uint32_t i = 0; i < CAN_BUS_WINDOW + 10; i++) {
		assert_int_equal(scene.wire[i].data[0], i);
		bus_echo(i, 1);
		expect_home(i, &scene.tx[i], CAN_OK);
	}
	assert_false(can_busy(&scene.can));
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
	scene.hold = false;
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
	(void)state;
	three_kinds_out();
	scene.bus.user->down(&scene.bus);
	expect_all_home(CAN_BUS_OFF);
	expect_state(CAN_STATE_IS_DOWN);
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
	can_connect(&scene.can, true, false, false, 0);
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
	scene.hold = false;
	scene.taken = scene.homes = 0;
	can_connect(&scene.can, false, false, true, 0);
	tx_send(0x100, 1);
	assert_int_equal(scene.homes, SCENE_FRAMES / 2);
	for (uint32_t i = 0; i < scene.homes; i++)
		expect_home(i, &scene.tx[i], CAN_OK);
}

/* -- Ghosts ---------------------------------------------------------------------- */

static void ghost_is_not_the_younger(void **state)
{
	struct can_tx *tx;

	(void)state;
	scene_start(true, false);
	tx_send(0x100, 1);
	can_stop(&scene.can);
	can_start(&scene.can);
	tx = tx_send(0x100, 1);
	assert_int_equal(scene.homes, 1);
	bus_echo(0, 5); /* the one that was cancelled */
	assert_int_equal(scene.homes, 1);
	bus_echo(1, 6);
	expect_home(1, tx, CAN_OK);
	expect_nothing();
}

/* A ghost that the host has lost: what comes after it says so. */
static void ghosts_do_not_last(void **state)
{
	struct can_tx *tx;

	(void)state;
	scene_start(true, false);
	tx_send(0x100, 1);
	can_stop(&scene.can);
	can_start(&scene.can);
	tx_send(0x100, 2);
	tx = tx_send(0x100, 1);
	bus_echo(1, 5);
	assert_int_equal(scene.homes, 2);
	bus_echo(2, 6);
	expect_home(2, tx, CAN_OK);
}

static void no_ghosts_of_a_bus_off(void **state)
{
	struct can_tx *tx;

	(void)state;
	scene_start(true, false);
	tx_send(0x100, 1);
	bus_error(CAN_ERR_BUSOFF, 0, 0, 0);
	can_start(&scene.can);
	tx = tx_send(0x100, 1);
	bus_echo(1, 5);
	expect_home(1, tx, CAN_OK);
}

static void ghosts_more_than_remembered(void **state)
{
	(void)state;
	scene_start(true, false);
	for (uint32_t i = 0; i < CAN_GHOSTS + 20; i++)
		tx_send(0x100, (uint8_t)i);
	can_stop(&scene.can);
	can_start(&scene.can);
	for (uint32_t i = 0; i < CAN_GHOSTS + 20; i++)
		bus_echo(i, 1);
	expect_nothing();
	assert_int_equal(scene.homes, CAN_GHOSTS + 20);
	assert_int_equal(scene.can.stats.own, CAN_GHOSTS + 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(judge_table),
		scene_test(judge_states),
		scene_test(refused_never_reach_the_bus),
		scene_test(sent_as_the_bus_has_it),
		scene_test(written_is_enough),
		scene_test(late_ack_waits_for_the_wire),
		scene_test(no_late_ack_without_echo),
		scene_test(equal_frames_in_order),
		scene_test(what_is_not_equal_is_not_it),
		scene_test(overtaken_come_home_in_order),
		scene_test(lost_by_the_host),
		scene_test(failing_waits_for_its_turn),
		scene_test(window_of_the_bus),
		scene_test(stop_cancels),
		scene_test(disconnect_cancels),
		scene_test(bus_off),
		scene_test(interface_down_while_sending),
		scene_test(interface_down_while_idle),
		scene_test(down_while_stopped_is_nothing),
		scene_test(restarted),
		scene_test(bus_fails),
		scene_test(sending_from_within),
		scene_test(ghost_is_not_the_younger),
		scene_test(ghosts_do_not_last),
		scene_test(no_ghosts_of_a_bus_off),
		scene_test(ghosts_more_than_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
