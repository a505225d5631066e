/* SPDX-License-Identifier: MIT */
/*
 * What only a CAN controller's virtio door has: what it says it is, what virtio-can has
 * no word for, BUSOFF in the configuration, and what a small pool holds.
 */
#include "tests/device/can-cases.h"
#include "tests/front/virtio-le.h"

static struct can_front_virtio *front(void)
{
	return &bed.virtio_front;
}

static void virtio_up(struct can_bed_conf conf)
{
	conf.door = POLICY_VIRTIO;
	conf.mode = POLICY_POOL;
	on_as(&conf);
}

static uint16_t config(void)
{
	uint32_t generation;
	uint8_t status[2];

	assert_true(virtio_driver_get_config(&front()->v.driver, 0, 2, status,
					     &generation));
	return (uint16_t)le_get(status, 2);
}

static void what_it_is(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct can_bed_conf conf = {.no_fd = i & 1, .no_echo = i & 2};
		struct virtio_driver *d = &front()->v.driver;
		struct virtio_vqueue queue;
		struct virtio_info info;
		uint64_t offered;

		virtio_up(conf);
		assert_true(virtio_driver_info(d, &info));
		assert_int_equal(info.device, 36);
		assert_int_equal(info.queues, 3);
		assert_int_equal(info.config_bytes, 2);
		assert_true(virtio_driver_get_features(d, &offered));
		assert_int_equal(offered & 0xffffff,
				 CAN_FRONT_F_CLASSIC | CAN_FRONT_F_RTR |
					 (i & 1 ? 0 : CAN_FRONT_F_FD) |
					 (i & 2 ? 0 : CAN_FRONT_F_LATE_ACK));
		for (uint32_t q = 0; q < 3; q++) {
			assert_true(virtio_driver_get_vqueue(d, q, &queue));
			assert_int_equal(queue.max, 128);
		}
		assert_int_equal(config(), 0);
		down();
	}
}

/* The wire has no BRS: it is sent if there is a rate to switch to. */
static void bit_rate_switch(void **state)
{
	(void)state;
	for (unsigned rate = 0; rate < 2; rate++) {
		struct canfd_frame frame = can_frame_of_fd(0x55, 12, 1);
		struct canfd_frame classic = can_frame(0x55, 8, 1);

		virtio_up((struct can_bed_conf){0});
		bed.can_policy.data_bitrate = rate ? 2000000 : 0;
		assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
		frame.flags |= rate ? CANFD_BRS : 0;
		assert_true(can_frame_is(&bed.test.seen[0], &frame));
		assert_int_equal(can_bed_ask(&bed, &classic), CAN_OK);
		assert_true(can_frame_is(&bed.test.seen[1], &classic));
		down();
	}
}

/* Set by the bus, cleared by START, said each time; frames that wait for a rate do not
 * wait any longer, but are paid for. */
static void bus_off_in_the_configuration(void **state)
{
	struct canfd_frame frame = can_frame(0x55, 8, 1);

	(void)state;
	for (unsigned is_down = 0; is_down < 2; is_down++) {
		struct can_bed_conf conf = {.operations = {1, 3}};
		unsigned events;
		uint64_t start;

		virtio_up(conf);
		loopxen_advance(bed.x, 10 * SECOND);
		start = loopxen_now(bed.x);
		for (uint16_t i = 0; i < 8; i++)
			can_bed_send(&bed, i, &frame);
		run_now();
		assert_int_equal(bed.test.nseen, 3);
		events = front()->v.driver.events;
		if (is_down)
			can_bus_test_down(&bed.test);
		else
			can_bus_test_error(&bed.test, CAN_ERR_BUSOFF, 0);
		run_now();
		for (uint16_t i = 0; i < 8; i++)
			assert_answer(i, i < 3 ? CAN_OK : CAN_BUS_OFF);
		assert_true(loopxen_now(bed.x) == start);
		virtio_driver_poll(&front()->v.driver);
		assert_int_equal(front()->v.driver.events, events + 1);
		assert_int_equal(config(), 1);
		/* Five that were not paid for, then START. */
		assert_int_equal(can_bed_control(&bed, true), CAN_OK);
		assert_in_range(loopxen_now(bed.x) - start, 6 * SECOND - 1000,
				6 * SECOND + 1000);
		assert_int_equal(config(), 0);
		assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
		down();
	}
}

/* Off the bus and stopped by the client: the bit says only what the bus did. */
static void bus_off_and_stopped(void **state)
{
	(void)state;
	virtio_up((struct can_bed_conf){0});
	can_bus_test_error(&bed.test, CAN_ERR_BUSOFF, 0);
	run();
	assert_int_equal(config(), 1);
	assert_int_equal(can_bed_control(&bed, false), CAN_OK);
	assert_int_equal(config(), 0);
	can_bus_test_error(&bed.test, CAN_ERR_BUSOFF, 0);
	run();
	assert_int_equal(config(), 0);
	down();
}

/* Who follows one that was off the bus is, too, and says so, whatever was heard of it.
 */
static void bus_off_and_killed(void **state)
{
	struct canfd_frame frame = can_frame(0x55, 8, 1);
	unsigned events;

	(void)state;
	virtio_up((struct can_bed_conf){0});
	can_bus_test_error(&bed.test, CAN_ERR_BUSOFF, 0);
	run();
	virtio_driver_poll(&front()->v.driver);
	events = front()->v.driver.events;
	can_bed_kill(&bed);
	assert_int_equal(can_bed_follow(&bed), 0);
	virtio_driver_poll(&front()->v.driver);
	assert_int_equal(front()->v.driver.events, events + 1);
	assert_int_equal(config(), 1);
	assert_refused(&frame, CAN_BUS_OFF);
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	assert_int_equal(config(), 0);
	assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	down();
}

/* Who did not accept late acknowledgement is answered when the host took the frame. */
static void late_ack_refused(void **state)
{
	struct canfd_frame frame = can_frame(0x55, 8, 1);

	(void)state;
	for (unsigned late = 0; late < 2; late++) {
		virtio_up((struct can_bed_conf){.mute = true, .front.late_ack = late});
		can_bed_send(&bed, 1, &frame);
		run();
		assert_int_equal(bed.test.nseen, 1);
		if (late) {
			assert_no_answer();
			can_bus_test_echo(&bed.test);
			run();
		}
		assert_answer(1, CAN_OK);
		down();
	}
}

/* Errors, states and losses have no word: they are counted, and take no buffer. */
static void what_is_untold(void **state)
{
	struct can_bed_conf conf = {.errors = true, .receive_queue = 16};
	struct canfd_frame frame = can_frame(0x55, 8, 1);

	(void)state;
	virtio_up(conf);
	can_bus_test_error(&bed.test, CAN_ERR_CRTL, CAN_ERR_CRTL_TX_PASSIVE);
	for (unsigned i = 0; i < 20; i++)
		can_bus_test_hear(&bed.test, &frame);
	can_bus_test_error(&bed.test, CAN_ERR_PROT, 0);
	run();
	can_bed_post(&bed, 16);
	run();
	for (unsigned i = 0; i < 16; i++)
		assert_came(&frame, false);
	assert_nothing_came();
	can_bed_post(&bed, 1);
	run();
	assert_int_equal(bed.virtio.stats.untold, 4); /* two errors, a state, a loss */
	can_bus_test_hear(&bed.test, &frame);
	run();
	assert_came(&frame, false);
	down();
}

/* A driver that posts buffers while some are there wakes nobody. */
static void posts_in_silence(void **state)
{
	struct canfd_frame frame = can_frame(0x55, 8, 1);

	(void)state;
	for (unsigned plain = 0; plain < 2; plain++) {
		virtio_up((struct can_bed_conf){.front.plain = plain});
		can_bed_post(&bed, 8);
		run();
		for (unsigned i = 0; i < 300; i++) {
			can_bus_test_hear(&bed.test, &frame);
			run();
			assert_came(&frame, false);
			assert_true(bed.front->ops->post(bed.front));
			assert_false(
				driver_queue_publish(&front()->v.queue[CAN_FRONT_RX]));
		}
		down();
	}
}

/* Three whole queues, a full one of buffers and a full one of frames: 32 pages. */
static void small_pool(void **state)
{
	struct can_bed_conf conf = {
		.door = POLICY_VIRTIO, .mode = POLICY_POOL, .data_pages = 32};
	struct canfd_frame frame = can_frame_of_fd(0x55, 64, 1);

	(void)state;
	can_bed_init(&bed, &conf);
	front()->pages = 32;
	assert_int_equal(can_bed_start(&bed), 0);
	assert_int_equal(can_bed_connect(&bed, false), 0);
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	can_bed_post(&bed, 128);
	for (uint16_t i = 0; i < 128; i++) {
		assert_true(bed.front->ops->send(bed.front, i, &frame));
		can_bus_test_hear(&bed.test, &frame);
	}
	bed.front->ops->push(bed.front);
	run();
	for (uint16_t i = 0; i < 128; i++)
		assert_answer(i, CAN_OK);
	for (unsigned i = 0; i < 64; i++) /* as many as ReceiveQueue has */
		assert_came(&frame, false);
	down();
}

/* Orders that are taken together work at once, though the first cannot pay yet: the
 * last of them holds, and each is answered in its turn. */
static void stop_behind_a_start(void **state)
{
	struct can_bed_conf conf = {.operations = {1, 3}};
	struct canfd_frame frame = can_frame(0x55, 8, 1);
	uint64_t start;

	(void)state;
	virtio_up(conf);
	loopxen_advance(bed.x, 10 * SECOND);
	start = loopxen_now(bed.x);
	can_bed_post(&bed, 4);
	for (uint16_t i = 0; i < 3; i++)
		can_bed_send(&bed, i, &frame);
	run_now();
	for (uint16_t i = 0; i < 3; i++)
		assert_answer(i, CAN_OK);
	can_bus_test_hear(&bed.test, &frame);
	run_now();
	assert_came(&frame, false);
	assert_true(bed.front->ops->control(bed.front, 10, true));
	assert_true(bed.front->ops->control(bed.front, 11, false));
	bed.front->ops->push(bed.front);
	run_now();
	can_bus_test_hear(&bed.test, &frame);
	run_now();
	assert_nothing_came();
	assert_true(loopxen_now(bed.x) == start);
	run();
	assert_controlled(10);
	assert_controlled(11);
	assert_in_range(loopxen_now(bed.x) - start, 2 * SECOND - 1000,
			2 * SECOND + 1000);
	assert_refused(&frame, CAN_STOPPED);
	down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_is),
		cmocka_unit_test(bit_rate_switch),
		cmocka_unit_test(bus_off_in_the_configuration),
		cmocka_unit_test(bus_off_and_stopped),
		cmocka_unit_test(bus_off_and_killed),
		cmocka_unit_test(late_ack_refused),
		cmocka_unit_test(what_is_untold),
		cmocka_unit_test(posts_in_silence),
		cmocka_unit_test(small_pool),
		cmocka_unit_test(stop_behind_a_start),
	};

	return cmocka_run_group_tests_name("can_virtio", tests, NULL, NULL);
}
