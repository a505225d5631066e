/* SPDX-License-Identifier: MIT */
#include "tests/hostile/vcan.h"

#include "common/clock.h"
#include "tests/front/virtio-le.h"

#define MAY "100-1ff,00000000-1fffffff"

const struct can_bed_conf vcan_confs[VCAN_DOORS] = {
	{.door = POLICY_VIRTIO,
	 .mode = POLICY_POOL,
	 .transmit = MAY,
	 .front.late_ack = true},
	{.door = POLICY_VIRTIO,
	 .mode = POLICY_POOL,
	 .transmit = MAY,
	 .front.plain = true},
	{.door = POLICY_VIRTIO,
	 .mode = POLICY_GRANT,
	 .data_pages = 64,
	 .transmit = MAY,
	 .front.grant = true,
	 .front.late_ack = true},
	{.door = POLICY_VIRTIO,
	 .mode = POLICY_GRANT,
	 .data_pages = 64,
	 .transmit = MAY,
	 .front.grant = true,
	 .front.plain = true},
};

static unsigned told; /* events, before what is being listened to */

static struct virtio_driver *driver(void)
{
	return &vcan_front()->v.driver;
}

int vcan_reset(void **state)
{
	(void)state;
	shared_hook = NULL;
	shared_hook_after = NULL;
	return 0;
}

void vcan_listen(void)
{
	bed.log.tokens = 0;
	bed.log.suppressed = 0;
	bed.log.filled_ns = clock_now();
	virtio_driver_poll(driver());
	told = driver()->events;
}

void vcan_up(struct can_bed_conf conf)
{
	on_as(&conf);
	vcan_listen();
}

void vcan_up_without(struct can_bed_conf conf, uint64_t features)
{
	can_bed_init(&bed, &conf);
	vcan_front()->refuses = features;
	assert_int_equal(can_bed_start(&bed), 0);
	assert_int_equal(can_bed_connect(&bed, false), 0);
	vcan_listen();
}

int vcan_ask(unsigned queue, const void *bytes, uint32_t readable, uint32_t room)
{
	uint8_t out[8];
	uint32_t len;
	uint16_t id;

	assert_true(can_front_chain(vcan_front(), queue, 0x77, bytes, readable, room));
	bed.front->ops->push(bed.front);
	run();
	if (!can_front_back(vcan_front(), queue, &id, out, sizeof(out), &len))
		return VCAN_NONE;
	assert_int_equal(id, 0x77);
	assert_int_equal(len, 1);
	assert_true(out[0] <= 1);
	return out[0];
}

int vcan_frame(uint16_t type, uint32_t length, uint32_t flags, uint32_t id,
	       uint32_t data)
{
	static uint8_t bytes[CAN_FRONT_HEADER + 4096];
	uint32_t seen = bed.test.nseen;
	int result;

	if (seen > CAN_BUS_TEST_SEEN - 16)
		seen = bed.test.nseen = 0;
	can_front_header_put(bytes, type, (uint16_t)length, flags, id);
	for (uint32_t i = 0; i < data; i++)
		bytes[CAN_FRONT_HEADER + i] = (uint8_t)(i * 7 + 1);
	result = vcan_ask(CAN_FRONT_TX, bytes, CAN_FRONT_HEADER + data, 1);
	assert_int_equal(bed.test.nseen, seen + (result == VCAN_OK));
	return result;
}

int vcan_order(uint16_t type)
{
	uint8_t bytes[2];

	le_put(bytes, 2, type);
	return vcan_ask(CAN_FRONT_CONTROL, bytes, sizeof(bytes), 1);
}

void vcan_is_wrong(const char *what)
{
	uint32_t seen = bed.test.nseen;
	struct canfd_frame frame = can_frame(1, 1, 1);

	if (!(bed.virtio.door.device.status & DRIVER_S_NEEDS_RESET))
		fail_msg("%s: no reset is needed", what);
	if (bed.log.suppressed != 1)
		fail_msg("%s: said %" PRIu64 " times", what, bed.log.suppressed);
	virtio_driver_poll(driver());
	if (driver()->events == told ||
	    !(driver()->event_status & DRIVER_S_NEEDS_RESET))
		fail_msg("%s: the driver was not told", what);
	for (unsigned i = 0; i < 3; i++) {
		can_bus_test_hear(&bed.test, &frame);
		bed.front->ops->kick(bed.front);
		run();
	}
	assert_int_equal(bed.log.suppressed, 1);
	assert_int_equal(bed.test.nseen, seen);
	assert_false(bed.can.started);
	assert_false(can_virtio_pending(&bed.virtio));
	assert_false(can_virtio_arm(&bed.virtio));
	for (unsigned i = 0; i < CAN_FRONT_QUEUES; i++)
		assert_true(virtio_queue_idle(&bed.virtio.door.device.queue[i]));
}

void vcan_is_sound(const char *what)
{
	if (bed.virtio.door.device.status & DRIVER_S_NEEDS_RESET)
		fail_msg("%s: it needs a reset", what);
}

void vcan_serves(void)
{
	struct canfd_frame frame = can_frame(0x123, 8, 0x77),
			   other = can_frame(1, 2, 3);
	struct can_event event;
	unsigned came;

	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	do { /* what stands in the queue from before */
		can_bed_post(&bed, 4);
		run();
		for (came = 0; can_bed_event(&bed, &event); came++)
			;
	} while (came);
	bed.test.nseen = 0;
	assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	assert_int_equal(bed.test.nseen, 1);
	assert_true(can_frame_is(&bed.test.seen[0], &frame));
	can_bus_test_hear(&bed.test, &other);
	run();
	assert_came(&other, false);
}

/* The indices are the device's again, whatever the driver wrote there. */
static void same_page(struct virtio_driver *d)
{
	for (unsigned i = 0; i < 3; i++) {
		le32_release(d->page + DRIVER_DEVICE_TAKEN,
			     le32_acquire(d->page + DRIVER_DEVICE_PUT));
		bed.front->ops->kick(bed.front);
		run(); /* what did not fit may be put now */
	}
	d->taken = le32_acquire(d->page + DRIVER_DEVICE_PUT);
	le32_release(d->page + DRIVER_DEVICE_TAKEN, d->taken);
	d->put = bed.virtio.door.msg.taken;
	le32_release(d->page + DRIVER_DRIVER_PUT, d->put);
	le32_release(d->page + DRIVER_DRIVER_TAKEN, d->put);
	d->status = 0;
}

void vcan_recovers(void)
{
	struct vfront *v = &vcan_front()->v;

	same_page(&v->driver);
	driver_pool_init(&v->pool, v->pool.at, v->pool.bytes, v->pool.base);
	assert_true(vfront_ready(v));
	can_front_forget(vcan_front());
	assert_true(bed.can.state == CAN_STATE_IS_STOPPED);
	assert_string_equal(can_bed_back_key(&bed, "controller"), "0");
	vcan_serves();
	vcan_listen();
}
