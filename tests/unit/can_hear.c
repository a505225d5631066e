/* SPDX-License-Identifier: MIT */
/* backends/can/can.c and can-queue.c: what the client hears. */
#include <linux/can/error.h>

#include "tests/unit/can_scene.h"

#define MS 1000000ull

/* -- What passes ----------------------------------------------------------------- */

static void receive_passes(void **state)
{
	(void)state;
	scene_open("none", "100-1FF");
	can_connect(&scene.can, false, false, CAN_STATE_IS_ACTIVE, 1);
	expect_lost(CAN_LOST_UNKNOWN);
	bus_frame(0x0ff, 1);
	bus_frame(0x100, 2);
	bus_frame(0x1ff | RTR, 3);
	bus_frame(0x150 | EFF, 4);
	bus_frame(0x200, 5);
	expect_frame(0x100, 2);
	expect_frame(0x1ff | RTR, 3);
	expect_nothing();
	assert_int_equal(scene.can.stats.filtered, 3);
	assert_int_equal(scene.can.stats.received, 2);
	assert_int_equal(scene.can.stats.received_bytes, 2);
}

static void fd_only_by_policy(void **state)
{
	const struct canfd_frame frame = {.can_id = 1, .flags = CANFD_FDF, .len = 64};

	(void)state;
	scene_start(false, false);
	bus_heard(&frame, false, 1);
	expect_nothing();
	assert_int_equal(scene.can.stats.filtered, 1);
	scene.policy.fd = true;
	bus_heard(&frame, false, 1);
	assert_int_equal(expect_event(CAN_EVENT_FRAME).frame.len, 64);
	assert_int_equal(scene.can.stats.received_bytes, 64);
}

static void nothing_while_stopped(void **state)
{
	(void)state;
	scene.policy.errors = true;
	scene_open("all", "all");
	bus_frame(0x100, 1); /* nobody is there */
	can_connect(&scene.can, false, false, CAN_STATE_IS_STOPPED, 1);
	bus_frame(0x100, 1);
	bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_TX_PASSIVE, 0, 0);
	assert_false(can_pending(&scene.can));
	expect_nothing();
	can_start(&scene.can);
	expect_nothing();
	bus_frame(0x100, 2);
	expect_frame(0x100, 2);
	bus_frame(0x100, 3);
	can_stop(&scene.can);
	expect_nothing(); /* what waited is forgotten */
	can_start(&scene.can);
	expect_nothing();
	assert_int_equal(scene.can.stats.lost, 0);
}

static void own_only_if_asked(void **state)
{
	struct can_event event;

	(void)state;
	scene_open("all", "none");
	can_connect(&scene.can, true, false, CAN_STATE_IS_STOPPED, 1);
	can_start(&scene.can);
	tx_send(0x100, 1);
	bus_echo(0, 5);
	expect_nothing();
	can_connect(&scene.can, true, true, CAN_STATE_IS_STOPPED, 1);
	can_start(&scene.can);
	tx_send(0x100, 2);
	bus_echo(1, 6);
	event = expect_event(CAN_EVENT_FRAME);
	assert_true(event.own);
	assert_int_equal(event.frame.data[0], 2);
	assert_int_equal(event.time, 6);
	bus_frame(0x100, 3); /* Receive = none is for others' frames */
	expect_nothing();
	assert_int_equal(scene.can.stats.own, 2);
}

static void successor(void **state)
{
	(void)state;
	scene_open("all", "all");
	can_connect(&scene.can, false, false, CAN_STATE_IS_ACTIVE, 55);
	assert_true(scene.can.started);
	assert_int_equal(scene.can.state, CAN_STATE_IS_ACTIVE);
	bus_frame(0x100, 1);
	expect_lost(CAN_LOST_UNKNOWN);
	expect_frame(0x100, 1);
	expect_nothing();
	assert_int_equal(scene.can.stats.lost, 0);
}

/* -- What does not fit ----------------------------------------------------------- */

#define QUEUE 16u

static void fill(uint8_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		bus_frame(0x100, (uint8_t)(first + i));
}

static void expect_frames(uint8_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		expect_frame(0x100, (uint8_t)(first + i));
}

static void drop_oldest(void **state)
{
	(void)state;
	scene.policy.receive_queue = QUEUE;
	scene_start(false, false);
	fill(0, QUEUE);
	expect_frames(0, 2);
	fill(QUEUE, 2 + 5); /* five too many */
	expect_lost(5);
	expect_frames(7, QUEUE);
	expect_nothing();
	assert_int_equal(scene.can.stats.lost, 5);
	fill(0, 3);
	expect_frames(0, 3);
	expect_nothing();
}

static void drop_newest(void **state)
{
	(void)state;
	scene.policy.receive_queue = QUEUE;
	scene.policy.overflow = CAN_DROP_NEWEST;
	scene_start(false, false);
	fill(0, QUEUE + 5);
	expect_frames(0, 2);
	fill(100, 2 + 3);
	expect_frames(2, QUEUE - 2);
	expect_lost(5);
	expect_frames(100, 2);
	expect_lost(3);
	expect_nothing();
	assert_int_equal(scene.can.stats.lost, 8);
}

/* A state is not dropped, and the loss stands behind it, where it was. */
static void drop_oldest_behind_a_state(void **state)
{
	(void)state;
	scene.policy.receive_queue = QUEUE;
	scene_start(false, false);
	fill(0, 1);
	bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_RX_WARNING, 0, 0);
	fill(1, QUEUE);
	expect_lost(1);
	expect_state(CAN_STATE_IS_WARNING);
	expect_frames(1, 1);
	fill(QUEUE + 1, 1);
	bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_RX_PASSIVE, 0, 0);
	fill(QUEUE + 2, QUEUE);
	expect_lost(QUEUE);
	expect_state(CAN_STATE_IS_PASSIVE);
	expect_frames(QUEUE + 2, QUEUE);
	expect_nothing();
	assert_int_equal(scene.can.stats.lost, QUEUE + 1);
}

/* The state at the head stays there, with frames of both sides of it gone. */
static void state_at_the_head_stays(void **state)
{
	(void)state;
	scene.policy.receive_queue = QUEUE;
	scene_start(false, false);
	bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_RX_WARNING, 0, 0);
	fill(0, 3 * QUEUE);
	expect_state(CAN_STATE_IS_WARNING);
	expect_lost(2 * QUEUE);
	expect_frames(2 * QUEUE, QUEUE);
	expect_nothing();
}

static uint32_t chance(void)
{
	static uint32_t seed = 7;

	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

struct tally {
	uint32_t heard, told, counted;
	enum can_state state;
};

static void tally(struct tally *t, const struct can_event *event)
{
	t->told += event->kind == CAN_EVENT_FRAME || event->kind == CAN_EVENT_ERROR;
	if (event->kind == CAN_EVENT_LOST)
		t->counted += event->lost;
	if (event->kind == CAN_EVENT_STATE)
		t->state = event->state;
}

/* However the ring has turned, whatever is in it: what came is told or counted, and the
 * client knows the state in the end. */
static void nothing_goes_missing(void **state)
{
	struct tally t = {.state = CAN_STATE_IS_ACTIVE};
	struct can_event event;

	(void)state;
	scene.policy.receive_queue = QUEUE;
	scene.policy.errors = true;
	scene_start(false, false);
	for (uint32_t i = 0; i < 50000; i++) {
		uint32_t what = chance() % 16;

		if (what < 8)
			bus_frame(0x100, 1);
		else if (what < 10) /* any but RX_OVERFLOW */
			bus_error(CAN_ERR_CRTL, (uint8_t)(2 << chance() % 6), 1, 2);
		else if (can_next(&scene.can, &event))
			tally(&t, &event);
		t.heard += what < 10;
		if (i % 500 == 499)
			scene.policy.overflow =
				i % 1000 == 999 ? CAN_DROP_OLDEST : CAN_DROP_NEWEST;
		assert_true(scene.can.queue.queued <= scene.can.queue.size);
		if (i % 500 == 250) {
			while (can_next(&scene.can, &event))
				tally(&t, &event);
			assert_int_equal(t.told + t.counted, t.heard);
			assert_int_equal(t.counted, scene.can.stats.lost);
			assert_int_equal(t.state, scene.can.state);
			assert_false(can_pending(&scene.can));
		}
	}
	assert_true(t.counted > 1000 && t.told > 1000);
}

/* The host's count, told where it was. */
static void overruns(void **state)
{
	(void)state;
	scene_open("all", "all");
	scene.bus.overruns = 17; /* before anybody was there */
	can_connect(&scene.can, false, false, CAN_STATE_IS_STOPPED, 1);
	can_start(&scene.can);
	bus_frame(0x100, 1);
	scene.bus.overruns += 3;
	bus_frame(0x100, 2);
	bus_frame(0x100, 3);
	expect_frame(0x100, 1);
	expect_lost(3);
	expect_frames(2, 2);
	assert_int_equal(scene.can.stats.lost, 3);
	scene.bus.overruns += 1ull << 40;
	bus_frame(0x100, 4);
	expect_lost(CAN_LOST_UNKNOWN);
	expect_frame(0x100, 4);
	can_stop(&scene.can);
	scene.bus.overruns += 3;
	bus_frame(0x100, 5);
	can_start(&scene.can);
	expect_nothing();
}

static void unknown_stays_unknown(void **state)
{
	struct can_queue *queue = &scene.can.queue;

	(void)state;
	scene_start(false, false);
	can_queue_lose(queue, CAN_LOST_UNKNOWN - 2);
	can_queue_lose(queue, 1);
	expect_lost(CAN_LOST_UNKNOWN - 1);
	can_queue_lose(queue, CAN_LOST_UNKNOWN - 1);
	can_queue_lose(queue, 1);
	can_queue_lose(queue, 5);
	expect_lost(CAN_LOST_UNKNOWN);
	can_queue_lose(queue, CAN_LOST_UNKNOWN);
	can_queue_lose(queue, CAN_LOST_UNKNOWN);
	expect_lost(CAN_LOST_UNKNOWN);
	expect_nothing();
}

/* -- States and errors ----------------------------------------------------------- */

static void states_by_the_hosts_word(void **state)
{
	static const struct {
		uint8_t status;
		enum can_state to;
	} rows[] = {
		{CAN_ERR_CRTL_RX_WARNING, CAN_STATE_IS_WARNING},
		{CAN_ERR_CRTL_RX_PASSIVE, CAN_STATE_IS_PASSIVE},
		{CAN_ERR_CRTL_TX_WARNING, CAN_STATE_IS_WARNING},
		{CAN_ERR_CRTL_TX_WARNING | CAN_ERR_CRTL_RX_PASSIVE,
		 CAN_STATE_IS_PASSIVE},
		{CAN_ERR_CRTL_ACTIVE, CAN_STATE_IS_ACTIVE},
		{CAN_ERR_CRTL_TX_PASSIVE, CAN_STATE_IS_PASSIVE},
	};

	(void)state;
	scene_start(false, false);
	bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_ACTIVE, 0, 0);
	bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_UNSPEC, 0, 0);
	bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_TX_OVERFLOW, 0, 0);
	bus_error(CAN_ERR_PROT, CAN_ERR_CRTL_TX_PASSIVE, 0, 0); /* not its data */
	expect_nothing();					/* it has been active */
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bus_error(CAN_ERR_CRTL, rows[i].status, 0, 0);
		bus_error(CAN_ERR_CRTL, rows[i].status, 0, 0);
		expect_state(rows[i].to);
		expect_nothing();
		assert_int_equal(scene.can.state, rows[i].to);
	}
	bus_error(CAN_ERR_RESTARTED, 0, 0, 0);
	expect_state(CAN_STATE_IS_ACTIVE);
	assert_int_equal(scene.can.stats.errors, 4 + 12 + 1);
}

static void counters(void **state)
{
	struct can_event event;

	(void)state;
	scene_start(false, false);
	bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_TX_WARNING, 100, 3);
	event = expect_event(CAN_EVENT_STATE);
	assert_int_equal(event.tx_errors, CAN_COUNTER_UNKNOWN);
	assert_int_equal(event.rx_errors, CAN_COUNTER_UNKNOWN);
	assert_int_equal(event.time, 77);
	bus_error(CAN_ERR_CRTL | CAN_ERR_CNT, CAN_ERR_CRTL_TX_PASSIVE, 130, 3);
	event = expect_event(CAN_EVENT_STATE);
	assert_int_equal(event.tx_errors, 130);
	assert_int_equal(event.rx_errors, 3);
	can_stop(&scene.can);
	can_start(&scene.can);
	bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_TX_WARNING, 0, 0);
	assert_int_equal(expect_event(CAN_EVENT_STATE).tx_errors, CAN_COUNTER_UNKNOWN);
}

static void errors_if_asked(void **state)
{
	(void)state;
	scene_start(false, false);
	bus_error(CAN_ERR_ACK, 0, 0, 0);
	expect_nothing();
	scene.policy.errors = true;
	bus_error(CAN_ERR_ACK, 0, 0, 0);
	assert_int_equal(expect_event(CAN_EVENT_ERROR).frame.can_id,
			 CAN_ERR_FLAG | CAN_ERR_ACK);
	bus_error(CAN_ERR_BUSOFF, 0, 0, 0);
	assert_int_equal(expect_event(CAN_EVENT_ERROR).frame.can_id,
			 CAN_ERR_FLAG | CAN_ERR_BUSOFF);
	expect_state(CAN_STATE_IS_BUS_OFF);
	bus_error(CAN_ERR_ACK, 0, 0, 0); /* not its bus any more */
	expect_nothing();
}

/* A flood of errors drives out no frame. */
static void errors_have_their_own_room(void **state)
{
	(void)state;
	scene.policy.errors = true;
	scene.policy.receive_queue = QUEUE;
	scene_start(false, false);
	fill(0, QUEUE - 1);
	for (uint32_t i = 0; i < 1000; i++)
		bus_error(CAN_ERR_PROT, 0, 0, 0);
	fill(QUEUE - 1, 1);
	expect_frames(0, QUEUE - 1);
	for (uint32_t i = 0; i < CAN_QUEUE_ERRORS; i++)
		expect_event(CAN_EVENT_ERROR);
	expect_lost(1000 - CAN_QUEUE_ERRORS);
	expect_frames(QUEUE - 1, 1);
	expect_nothing();
}

/* Too many changes: the newest is told, behind all else. */
static void newest_state_is_never_lost(void **state)
{
	(void)state;
	scene.policy.receive_queue = QUEUE;
	scene_start(false, false);
	fill(0, 1);
	for (uint32_t i = 0; i < 100; i++) {
		bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_RX_WARNING, 0, 0);
		bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_ACTIVE, 0, 0);
	}
	fill(1, 1);
	bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_RX_PASSIVE, 0, 0);
	expect_frame(0x100, 0);
	for (uint32_t i = 0; i < CAN_QUEUE_STATES; i++)
		expect_state(i % 2 ? CAN_STATE_IS_ACTIVE : CAN_STATE_IS_WARNING);
	bus_error(CAN_ERR_BUSOFF, 0, 0, 0);
	expect_frame(0x100, 1);
	expect_state(CAN_STATE_IS_BUS_OFF);
	expect_nothing();
	can_start(&scene.can);
	expect_state(CAN_STATE_IS_ACTIVE);
	expect_nothing();
}

static void host_controller_overflow(void **state)
{
	(void)state;
	scene_start(false, false);
	bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_RX_OVERFLOW, 0, 0);
	bus_frame(0x100, 1);
	expect_lost(CAN_LOST_UNKNOWN);
	expect_frame(0x100, 1);
}

/* -- ReceiveRate ----------------------------------------------------------------- */

static void receive_rate(void **state)
{
	(void)state;
	scene.receive = (struct policy_rate){.per_second = 1000, .burst = 2};
	scene.policy.receive_queue = QUEUE;
	scene_open("all", "all");
	can_connect(&scene.can, false, false, CAN_STATE_IS_STOPPED, MS);
	can_start(&scene.can);
	can_turn(&scene.can, MS);
	fill(0, 4);
	assert_true(can_due(&scene.can) == UINT64_MAX);
	expect_frames(0, 2);
	assert_true(can_pending(&scene.can)); /* nobody has asked yet */
	expect_nothing();
	assert_false(can_pending(&scene.can));
	assert_true(can_due(&scene.can) >= 2 * MS);
	assert_true(can_due(&scene.can) < 2 * MS + 1000);
	can_turn(&scene.can, 2 * MS + 1000);
	assert_true(can_pending(&scene.can));
	assert_true(can_due(&scene.can) == UINT64_MAX);
	expect_frames(2, 1);
	expect_nothing();
	/* It is held back, and then lost like any other. */
	fill(4, QUEUE);
	expect_lost(1); /* which is told at once */
	expect_nothing();
	can_turn(&scene.can, 100 * MS);
	expect_frames(4, 2);
	expect_nothing();
}

/* It changes while frames wait, from none to one and back. */
static void receive_rate_changes(void **state)
{
	(void)state;
	scene_open("all", "all");
	can_connect(&scene.can, false, false, CAN_STATE_IS_STOPPED, MS);
	can_start(&scene.can);
	can_turn(&scene.can, MS);
	fill(0, 8);
	expect_frames(0, 2);
	scene.receive = (struct policy_rate){.per_second = 1000, .burst = 1};
	can_limits(&scene.can, MS);
	expect_frames(2, 1);
	expect_nothing();
	scene.receive = (struct policy_rate){.per_second = 10, .burst = 1};
	can_limits(&scene.can, MS);
	expect_nothing();
	can_turn(&scene.can, 2 * MS); /* at the old rate one would pass */
	expect_nothing();
	assert_true(can_due(&scene.can) > 90 * MS);
	can_turn(&scene.can, can_due(&scene.can));
	expect_frames(3, 1);
	expect_nothing();
	scene.receive = (struct policy_rate){0};
	can_limits(&scene.can, 200 * MS);
	assert_true(can_pending(&scene.can));
	expect_frames(4, 4);
}

static void rate_holds_back_no_state(void **state)
{
	(void)state;
	scene.receive = (struct policy_rate){.per_second = 1, .burst = 1};
	scene_open("all", "all");
	can_connect(&scene.can, false, false, CAN_STATE_IS_ACTIVE, MS);
	expect_lost(CAN_LOST_UNKNOWN);
	fill(0, 1);
	bus_error(CAN_ERR_CRTL, CAN_ERR_CRTL_RX_WARNING, 0, 0);
	can_queue_lose(&scene.can.queue, 5);
	fill(1, 1);
	expect_frames(0, 1);
	expect_state(CAN_STATE_IS_WARNING);
	expect_lost(5);
	expect_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene_test(receive_passes),
		scene_test(fd_only_by_policy),
		scene_test(nothing_while_stopped),
		scene_test(own_only_if_asked),
		scene_test(successor),
		scene_test(drop_oldest),
		scene_test(drop_newest),
		scene_test(drop_oldest_behind_a_state),
		scene_test(state_at_the_head_stays),
		scene_test(nothing_goes_missing),
		scene_test(overruns),
		scene_test(unknown_stays_unknown),
		scene_test(states_by_the_hosts_word),
		scene_test(counters),
		scene_test(errors_if_asked),
		scene_test(errors_have_their_own_room),
		scene_test(newest_state_is_never_lost),
		scene_test(host_controller_overflow),
		scene_test(receive_rate),
		scene_test(receive_rate_changes),
		scene_test(rate_holds_back_no_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
