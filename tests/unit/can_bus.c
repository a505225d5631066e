/* SPDX-License-Identifier: MIT */
/* backends/can/can.c on the buses that need no host, and what it allocates. */
#include <stdlib.h>

#include "tests/unit/can_scene.h"

/* What the core allocates (invariant 7). */
static unsigned allocations;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	allocations++;
	return __real_calloc(n, size);
}

void *__wrap_malloc(size_t size)
{
	allocations++;
	return __real_malloc(size);
}

static void on_bus(const char *resource, bool late_ack, bool own)
{
	struct can_bus_conf bus = {true, &scene.policy.receive, &scene.policy.transmit,
				   NULL};
	struct can_conf conf = {.policy = &scene.policy, .receive = &scene.receive};

	scene.policy.fd = true;
	assert_true(can_rules_parse("all", &scene.policy.transmit));
	assert_true(can_rules_parse("100", &scene.policy.receive));
	assert_int_equal(can_bus_open(&conf.bus, resource, &bus), 0);
	assert_int_equal(can_init(&scene.can, &conf), 0);
	can_connect(&scene.can, late_ack, own, CAN_STATE_IS_STOPPED, 1);
	can_start(&scene.can);
	can_turn(&scene.can, 99);
}

static void loopback(void **state)
{
	struct can_event event;
	struct can_tx *tx;

	(void)state;
	on_bus("loopback:", true, true);
	tx = tx_send(0x100, 1);
	expect_home(0, tx, CAN_OK);
	assert_int_equal(tx->time, 99);
	event = expect_event(CAN_EVENT_FRAME);
	assert_true(event.own);
	assert_int_equal(event.time, 99);
	event = expect_event(CAN_EVENT_FRAME);
	assert_false(event.own);
	assert_memory_equal(&event.frame, &tx->frame, sizeof(event.frame));
	expect_nothing();
	tx_send(0x101, 1); /* not its to hear from another */
	assert_true(expect_event(CAN_EVENT_FRAME).own);
	expect_nothing();
	can_bus_close(scene.can.conf.bus);
}

static void one_more(struct can_tx *tx)
{
	if (tx->frame.data[0] < 100)
		tx_send(0x100, tx->frame.data[0] + 1);
}

/* What is sent from within done() is on the wire after what it answers. */
static void loopback_from_within(void **state)
{
	(void)state;
	on_bus("loopback:", false, false);
	scene.on_home = one_more;
	tx_send(0x100, 1);
	for (uint8_t i = 1; i <= 100; i++)
		expect_frame(0x100, i);
	expect_nothing();
}

static void null(void **state)
{
	(void)state;
	on_bus("null:", true, false);
	expect_home(0, tx_send(0x100, 1), CAN_OK);
	expect_nothing();
	assert_int_equal(scene.can.stats.sent, 1);
	assert_int_equal(scene.can.conf.bus->sent, 1);
	can_bus_close(scene.can.conf.bus);
}

/* [utest->req~serving-allocates-nothing~1] */
static void nothing_allocates(void **state)
{
	struct can_event event;
	unsigned before;

	(void)state;
	allocations = 0;
	scene.policy.receive_queue = CAN_POLICY_QUEUE_MAX;
	on_bus("loopback:", true, true);
	assert_true(allocations > 0);
	before = allocations;
	for (uint32_t i = 0; i < 20000; i++) {
		scene.taken = scene.homes = 0;
		tx_send(0x100, 1);
		can_turn(&scene.can, i);
	}
	while (can_next(&scene.can, &event))
		;
	can_stop(&scene.can);
	can_disconnect(&scene.can);
	can_connect(&scene.can, false, false, CAN_STATE_IS_ACTIVE, 1);
	assert_int_equal(allocations, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(loopback),
		scene_test(loopback_from_within),
		scene_test(null),
		scene_test(nothing_allocates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
