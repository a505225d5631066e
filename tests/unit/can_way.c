/* SPDX-License-Identifier: MIT */
/* backends/can/can-way.c: how frames come home. */
#include <errno.h>
#include <linux/can/error.h>

#include "tests/unit/can_scene.h"

#define SECOND 1000000000ull

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
	can_connect(&scene.can, true, false, CAN_STATE_IS_ACTIVE, 0);
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

static void overtaken_by_equals(void **state)
{
	(void)state;
	scene_start(true, false);
	tx_send(0x700, 1);
	tx_send(0x100, 2);
	tx_send(0x100, 2);
	bus_echo(1, 5);
	bus_echo(1, 6);
	bus_echo(0, 7);
	assert_int_equal(scene.homes, 3);
	assert_int_equal(scene.tx[1].time, 5);
	assert_int_equal(scene.tx[2].time, 6);
}

/* What was on the wire, was; also when the end comes before its turn. */
static void overtaken_at_the_end(void **state)
{
	struct can_tx *a, *b;

	(void)state;
	scene_start(true, false);
	a = tx_send(0x700, 1);
	b = tx_send(0x100, 2);
	bus_echo(1, 5);
	can_stop(&scene.can);
	expect_home(0, a, CAN_CANCELED);
	expect_home(1, b, CAN_OK);
	assert_int_equal(b->time, 5);
	can_start(&scene.can);
	tx_send(0x100, 3);
	can_turn(&scene.can, 10 * SECOND);
	can_turn(&scene.can, 20 * SECOND);
	assert_int_equal(scene.homes, 2); /* nothing has overtaken this one */
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

/* Of three, the second alone was on the wire. */
static void ghosts_in_order(void **state)
{
	(void)state;
	scene_start(true, false);
	tx_send(0x100, 1);
	tx_send(0x100, 2);
	tx_send(0x100, 3);
	can_stop(&scene.can);
	can_start(&scene.can);
	tx_send(0x100, 2);
	tx_send(0x100, 1);
	bus_echo(1, 4);
	assert_int_equal(scene.homes, 3);
	bus_echo(3, 5); /* so the third was lost, too */
	expect_home(3, &scene.tx[3], CAN_OK);
	bus_echo(4, 6);
	expect_home(4, &scene.tx[4], CAN_OK);
}

static void bus_off_ends_ghosts(void **state)
{
	struct can_tx *tx;

	(void)state;
	scene_start(true, false);
	tx_send(0x100, 1);
	can_stop(&scene.can);
	can_start(&scene.can);
	bus_error(CAN_ERR_BUSOFF, 0, 0, 0);
	can_start(&scene.can);
	tx = tx_send(0x100, 1);
	bus_echo(1, 5);
	expect_home(1, tx, CAN_OK);
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
		scene_test(written_is_enough),
		scene_test(late_ack_waits_for_the_wire),
		scene_test(no_late_ack_without_echo),
		scene_test(equal_frames_in_order),
		scene_test(what_is_not_equal_is_not_it),
		scene_test(overtaken_come_home_in_order),
		scene_test(overtaken_by_equals),
		scene_test(overtaken_at_the_end),
		scene_test(lost_by_the_host),
		scene_test(failing_waits_for_its_turn),
		scene_test(window_of_the_bus),
		scene_test(ghost_is_not_the_younger),
		scene_test(ghosts_do_not_last),
		scene_test(ghosts_in_order),
		scene_test(bus_off_ends_ghosts),
		scene_test(no_ghosts_of_a_bus_off),
		scene_test(ghosts_more_than_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
