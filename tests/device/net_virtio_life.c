/* SPDX-License-Identifier: MIT */
/* A network device's virtio door: resets, ends, and who comes after. */
#include "tests/device/net-virtio-cases.h"

/* -- Its life ------------------------------------------------------------------------
 */

static unsigned waited;

/* A driver that waits for its reset, and a host that takes its time. */
static bool run_slow_host(void *owner)
{
	bool ran = !net_bed_run(owner);

	if (!bed.link.nheld)
		return ran;
	assert_true(bed.virtio.door.device.resetting);
	waited++;
	net_link_test_leave_all(&bed.link);
	return ran && !net_bed_run(owner);
}

/* A reset is answered when the host has given back what it has, and the next driver
 * begins anew. */
static void reset_with_frames_out(void **state)
{
	struct net_front_header header;

	(void)state;
	up_as(&(struct net_bed_conf){.holds = true});
	assert_int_equal(set_table(0, 0), 0);
	assert_true(net_front_post(&bed.vfront, 0, 8, 1526));
	net_frames_plain(frame, 60, 1);
	assert_true(net_front_send(&bed.vfront, 0, 1, &(struct net_front_header){0},
				   frame, 60));
	net_front_push(&bed.vfront);
	run();
	assert_int_equal(bed.link.nheld, 1);
	bed.vfront.run = run_slow_host;
	waited = 0;
	assert_true(virtio_driver_set_status(&bed.vfront.v.driver, 0));
	assert_int_equal(waited, 1);
	assert_false(bed.link.carrier);
	net_front_forget(&bed.vfront);
	assert_true(net_front_ready(&bed.vfront));
	assert_true(bed.link.carrier);
	assert_true(hears_group(2));
	assert_true(net_front_post(&bed.vfront, 0, 1, 1526));
	net_front_push(&bed.vfront);
	hear_plain(60, 7);
	run();
	assert_came(0, 60, &header);
	down();
}

/* Frames that the host has are waited for, and buffers are not. */
static void detach_drains(void **state)
{
	uint64_t start;

	(void)state;
	up_as(&(struct net_bed_conf){.holds = true});
	assert_true(net_front_post(&bed.vfront, 0, 8, 1526));
	net_frames_plain(frame, 60, 1);
	assert_true(net_front_send(&bed.vfront, 0, 1, &(struct net_front_header){0},
				   frame, 60));
	net_front_push(&bed.vfront);
	run();
	start = loopxen_now(bed.x);
	bed.door->detach(&bed);
	run_now();
	assert_int_equal(bed.detached, 0);
	net_link_test_leave_all(&bed.link);
	run_now();
	assert_int_equal(bed.detached, 1);
	assert_true(loopxen_now(bed.x) == start);
	assert_sent(1);
	assert_false(bed.link.carrier);
	down();
}

/* A host that gives nothing back is our environment's failure. */
static void detach_in_vain(void **state)
{
	(void)state;
	up_as(&(struct net_bed_conf){.holds = true});
	net_frames_plain(frame, 60, 1);
	assert_true(net_front_send(&bed.vfront, 0, 1, &(struct net_front_header){0},
				   frame, 60));
	net_front_push(&bed.vfront);
	run();
	bed.door->detach(&bed);
	assert_int_equal(net_bed_run(&bed), -ETIMEDOUT);
	net_bed_kill(&bed);
	net_bed_fini(&bed);
}

/* The client reboots. */
static void reconnects(void **state)
{
	struct net_front_header header;

	(void)state;
	up();
	bed.door->detach(&bed);
	run();
	net_bed_reconnect(&bed);
	net_frames_plain(frame, 60, 1);
	ask(&(struct net_front_header){0}, 60);
	assert_left(60, &(struct net_offload){0});
	assert_true(net_front_post(&bed.vfront, 0, 1, 1526));
	net_front_push(&bed.vfront);
	hear_plain(60, 1);
	run();
	assert_came(0, 60, &header);
	down();
}

/* What had been taken and not answered is sent (again), buffers are found, and the
 * driver announces itself. */
static void killed_and_followed(void **state)
{
	struct net_front_header header;
	uint8_t config[12];

	(void)state;
	up_as(&(struct net_bed_conf){.holds = true, .queues = 2});
	assert_int_equal(set_table(0, 0), 0);
	assert_int_equal(net_front_order(&bed.vfront, 4, 0, "\2\0", 2), 0);
	assert_true(net_front_post(&bed.vfront, 0, 8, 1526));
	assert_true(net_front_post(&bed.vfront, 1, 8, 1526));
	for (uint16_t i = 0; i < 3; i++) {
		net_frames_plain(frame, 60, i);
		assert_true(net_front_send(&bed.vfront, 0, i,
					   &(struct net_front_header){0}, frame, 60));
	}
	net_front_push(&bed.vfront);
	run();
	read_config(config);
	assert_int_equal(config[6], 1);
	net_bed_kill(&bed);
	assert_int_equal(net_bed_follow(&bed), 0);
	run();
	assert_int_equal(bed.link.nheld, 3);
	net_link_test_leave_all(&bed.link);
	run();
	for (uint16_t i = 0; i < 3; i++) {
		assert_sent(i);
		net_frames_plain(frame, 60, i);
		assert_left(60, &(struct net_offload){0});
	}
	read_config(config);
	assert_int_equal(config[6], 3);
	assert_int_equal(net_front_order(&bed.vfront, 3, 0, "", 0), 0);
	read_config(config);
	assert_int_equal(config[6], 1);
	/* Both pairs have buffers, so both hear; and all groups, until it is said. */
	for (unsigned queue = 0; queue < 2; queue++) {
		hear_on(queue, 60, queue);
		run();
		turned(60, queue);
		assert_came(queue, 60, &header);
	}
	net_frames_to_group(frame, 9);
	net_link_test_hear_plain(&bed.link, frame, 60);
	run();
	assert_came(0, 60, &header);
	assert_int_equal(set_table(0, 0), 0);
	net_link_test_hear_plain(&bed.link, frame, 60);
	run();
	assert_nothing_came(0);
	/* A driver that begins anew begins as with any. */
	net_front_forget(&bed.vfront);
	assert_true(net_front_ready(&bed.vfront));
	read_config(config);
	assert_int_equal(config[6], 1);
	assert_true(bed.net.client.vlans);
	down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		every_memory(reset_with_frames_out), every_memory(detach_drains),
		cmocka_unit_test(detach_in_vain),    every_memory(reconnects),
		every_memory(killed_and_followed),
	};

	return cmocka_run_group_tests_name("net_virtio_life", tests, NULL, NULL);
}
