/* SPDX-License-Identifier: MIT */
/*
 * A controller core, a bus that does what the test says, and a client that keeps what
 * comes home. Each test begins with scene_open().
 */
#ifndef XDD_TEST_CAN_SCENE_H
#define XDD_TEST_CAN_SCENE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/can/can.h"

#define SCENE_FRAMES 256
#define EFF	     CAN_EFF_FLAG
#define RTR	     CAN_RTR_FLAG

static struct scene {
	struct can can;
	struct can_policy policy;
	struct policy_rate receive;
	struct can_bus bus;
	bool hold; /* the host has no room */
	struct canfd_frame wait[CAN_BUS_WINDOW];
	struct canfd_frame wire[SCENE_FRAMES]; /* written */
	uint32_t wires;
	struct can_tx tx[SCENE_FRAMES];
	struct can_tx *home[SCENE_FRAMES]; /* in this order */
	uint32_t homes;
	uint32_t taken; /* of tx[] */
	void (*on_home)(struct can_tx *tx);
} scene;

/* -- The bus --------------------------------------------------------------------------
 */

static inline void bus_written(int res)
{
	if (!res) {
		assert_true(scene.wires < SCENE_FRAMES);
		scene.wire[scene.wires++] = scene.wait[0];
	}
	assert_true(scene.bus.waiting);
	scene.bus.waiting--;
	memmove(scene.wait, scene.wait + 1, scene.bus.waiting * sizeof(scene.wait[0]));
	scene.bus.user->written(&scene.bus, res);
}

static inline void bus_send(struct can_bus *bus, const struct canfd_frame *frame)
{
	assert_true(bus->waiting < CAN_BUS_WINDOW);
	scene.wait[bus->waiting++] = *frame;
	if (!scene.hold)
		bus_written(0);
}

static inline void bus_drop(struct can_bus *bus)
{
	while (bus->waiting)
		bus_written(-ECANCELED);
}

static inline void bus_turn(struct can_bus *bus, uint64_t now)
{
	(void)bus;
	(void)now;
}

static const struct can_bus_ops bus_ops = {
	.send = bus_send, .drop = bus_drop, .turn = bus_turn};

static inline void bus_heard(const struct canfd_frame *frame, bool own, uint64_t time)
{
	scene.bus.user->heard(&scene.bus, frame, own, time);
}

/* What was written as the @i-th was on the wire. */
static inline void bus_echo(uint32_t i, uint64_t time)
{
	assert_true(i < scene.wires);
	bus_heard(&scene.wire[i], true, time);
}

static inline struct canfd_frame frame_of(canid_t can_id, uint8_t first)
{
	return (struct canfd_frame){.can_id = can_id, .len = 2, .data = {first, 0x55}};
}

/* Another station's. */
static inline void bus_frame(canid_t can_id, uint8_t first)
{
	const struct canfd_frame frame = frame_of(can_id, first);

	bus_heard(&frame, false, 1000 + first);
}

static inline void bus_error(canid_t classes, uint8_t status, uint8_t tx, uint8_t rx)
{
	const struct canfd_frame frame = {
		.can_id = CAN_ERR_FLAG | classes,
		.len = 8,
		.data = {0, status, 0, 0, 0, 0, tx, rx},
	};

	bus_heard(&frame, false, 77);
}

/* -- The client -----------------------------------------------------------------------
 */

static inline void scene_home(struct can_tx *tx, enum can_status status, uint64_t time)
{
	assert_int_equal(tx->status, status);
	assert_int_equal(tx->time, time);
	assert_true(scene.homes < SCENE_FRAMES);
	scene.home[scene.homes++] = tx;
	if (scene.on_home)
		scene.on_home(tx);
}

static inline struct can_tx *tx_send_frame(const struct canfd_frame *frame)
{
	struct can_tx *tx = &scene.tx[scene.taken++];

	assert_true(scene.taken <= SCENE_FRAMES);
	*tx = (struct can_tx){.frame = *frame, .done = scene_home};
	can_send(&scene.can, tx);
	return tx;
}

static inline struct can_tx *tx_send(canid_t can_id, uint8_t first)
{
	const struct canfd_frame frame = frame_of(can_id, first);

	return tx_send_frame(&frame);
}

/* The next that came home is @tx. */
static inline void expect_home(uint32_t i, const struct can_tx *tx,
			       enum can_status status)
{
	assert_true(i < scene.homes);
	assert_ptr_equal(scene.home[i], tx);
	assert_int_equal(tx->status, status);
}

static inline void expect_nothing(void)
{
	struct can_event event;

	assert_false(can_next(&scene.can, &event));
}

static inline struct can_event expect_event(enum can_event_kind kind)
{
	struct can_event event = {.kind = CAN_EVENT_KINDS};

	assert_true(can_pending(&scene.can));
	assert_true(can_next(&scene.can, &event));
	assert_int_equal(event.kind, kind);
	return event;
}

static inline void expect_frame(canid_t can_id, uint8_t first)
{
	struct can_event event = expect_event(CAN_EVENT_FRAME);

	assert_int_equal(event.frame.can_id, can_id);
	assert_int_equal(event.frame.data[0], first);
	assert_int_equal(event.lost, 0);
}

static inline void expect_lost(uint32_t n)
{
	assert_int_equal(expect_event(CAN_EVENT_LOST).lost, n);
}

static inline void expect_state(enum can_state state)
{
	assert_int_equal(expect_event(CAN_EVENT_STATE).state, state);
}

/* -- The scene ------------------------------------------------------------------------
 */

/* Receive and Transmit as lists; what else the test wants of the policy stands in
 * scene.policy before. */
static inline void scene_open(const char *transmit, const char *receive)
{
	struct can_conf conf = {
		.policy = &scene.policy, .receive = &scene.receive, .bus = &scene.bus};

	scene.bus = (struct can_bus){
		.ops = &bus_ops, .fd = true, .echo = true, .due = UINT64_MAX};
	assert_true(can_rules_parse(transmit, &scene.policy.transmit));
	assert_true(can_rules_parse(receive, &scene.policy.receive));
	assert_int_equal(can_init(&scene.can, &conf), 0);
}

static inline int scene_setup(void **state)
{
	(void)state;
	memset(&scene, 0, sizeof(scene));
	can_policy_init(&scene.policy);
	return 0;
}

static inline int scene_teardown(void **state)
{
	(void)state;
	can_disconnect(&scene.can);
	assert_false(can_busy(&scene.can));
	can_fini(&scene.can);
	return 0;
}

/* Open to all, connected and started. */
static inline void scene_start(bool late_ack, bool own)
{
	scene_open("all", "all");
	can_connect(&scene.can, late_ack, own, CAN_STATE_IS_STOPPED, 1000);
	can_start(&scene.can);
}

#define scene_test(name)                                                               \
	cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

#endif
