/* SPDX-License-Identifier: MIT */
/* A network device's virtio door: its pairs of queues, and what orders narrow. */
#include "tests/device/net-virtio-cases.h"

#define MAC_ORDER 1

/* -- Queues --------------------------------------------------------------------------
 */

static void each_pair(void **state)
{
	struct net_front_header header;

	(void)state;
	up_as(&(struct net_bed_conf){.queues = 4});
	for (unsigned pair = 0; pair < 4; pair++) {
		net_frames_plain(frame, 60, pair);
		assert_true(net_front_send(&bed.vfront, pair, 1,
					   &(struct net_front_header){0}, frame, 60));
		assert_true(net_front_post(&bed.vfront, pair, 8, 1526));
	}
	net_front_push(&bed.vfront);
	run();
	for (unsigned pair = 0; pair < 4; pair++) {
		struct net_link_frame *left;
		uint16_t id;

		assert_true(net_front_sent(&bed.vfront, pair, &id));
		left = net_link_test_seen(&bed.link);
		assert_non_null(left);
		assert_int_equal(left->queue < 4, 1);
		free(left);
	}
	/* One pair hears at first, then as many as it says. */
	for (unsigned n = 1; n <= 4; n++) {
		uint8_t pairs[2] = {(uint8_t)n, 0};

		if (n > 1)
			assert_int_equal(net_front_order(&bed.vfront, 4, 0, pairs, 2),
					 0);
		for (unsigned queue = 0; queue < 4; queue++) {
			hear_on(queue, 60, queue);
			run();
			turned(60, queue);
			assert_came(queue % n, 60, &header);
			assert_true(net_front_post(&bed.vfront, queue % n, 1, 1526));
			net_front_push(&bed.vfront);
		}
	}
	assert_int_equal(net_front_order(&bed.vfront, 4, 0, "\0\0", 2), 1);
	assert_int_equal(net_front_order(&bed.vfront, 4, 0, "\5\0", 2), 1);
	assert_int_equal(net_front_order(&bed.vfront, 4, 0, "\1\1", 2), 1);
	assert_int_equal(net_front_order(&bed.vfront, 4, 0, "\2", 1), 1);
	down();
}

/* Queues are there, but were not negotiated: the control queue is the third. */
static void pairs_not_wanted(void **state)
{
	struct net_front_header header;

	(void)state;
	net_bed_init(&bed, &(struct net_bed_conf){.door = POLICY_VIRTIO,
						  .mode = POLICY_POOL,
						  .queues = 4});
	bed.vfront.pairs = 1;
	bed.vfront.conf.refuses = NET_FRONT_F_MQ;
	assert_int_equal(net_bed_start(&bed), 0);
	assert_int_equal(net_bed_connect(&bed, false), 0);
	assert_true(net_front_post(&bed.vfront, 0, 4, 1526));
	net_front_push(&bed.vfront);
	for (unsigned queue = 0; queue < 4; queue++) {
		hear_on(queue, 60, queue);
		run();
		turned(60, queue);
		assert_came(0, 60, &header);
	}
	assert_int_equal(net_front_order(&bed.vfront, 0, 0, "\1", 1), 0);
	assert_int_equal(net_front_order(&bed.vfront, 4, 0, "\1\0", 2), 1);
	down();
}

/* -- Orders --------------------------------------------------------------------------
 */

static void groups(void **state)
{
	(void)state;
	up();
	assert_true(hears_group(1)); /* until it was said which */
	assert_int_equal(set_table(3, 2), 0);
	assert_true(hears_group(0));
	assert_true(hears_group(1));
	assert_false(hears_group(2));
	assert_int_equal(net_front_order(&bed.vfront, 0, 1, "\1", 1), 0);
	assert_true(hears_group(2));
	assert_int_equal(net_front_order(&bed.vfront, 0, 1, "\0", 1), 0);
	assert_false(hears_group(2));
	assert_int_equal(net_front_order(&bed.vfront, 0, 0, "\1", 1), 0);
	assert_true(hears_group(2));
	assert_int_equal(net_front_order(&bed.vfront, 0, 0, "\0", 1), 0);
	assert_false(hears_group(2));
	/* More than there is room for: all. */
	assert_int_equal(set_table(0, 65), 0);
	assert_true(hears_group(200));
	assert_int_equal(set_table(0, 64), 0);
	assert_true(hears_group(63));
	assert_false(hears_group(64));
	assert_int_equal(set_table(0, 0), 0);
	assert_false(hears_group(0));
	down();
}

/* Who is promiscuous hears nothing of what is sent to others. */
static void stations_of_others(void **state)
{
	uint8_t table[14] = {1, 0, 0, 0, 2, 0, 0, 0, 0, 9};

	(void)state;
	up();
	assert_int_equal(net_front_order(&bed.vfront, 0, 0, "\1", 1), 0);
	assert_int_equal(net_front_order(&bed.vfront, MAC_ORDER, 0, table, 14), 0);
	assert_true(net_front_post(&bed.vfront, 0, 1, 1526));
	net_front_push(&bed.vfront);
	run();
	net_frames_plain(frame, 60, 1);
	net_frames_turn(frame);
	frame[5] = 9;
	net_link_test_hear_plain(&bed.link, frame, 60);
	run();
	assert_nothing_came(0);
	assert_int_equal(bed.net.stats.filtered, 1);
	down();
}

static void own_address(void **state)
{
	struct net_bed_conf conf = {.sources = "02:00:00:00:00:02, 02:00:00:00:00:07"};
	uint8_t config[12];

	(void)state;
	up_as(&conf);
	assert_int_equal(net_front_order(&bed.vfront, MAC_ORDER, 1, "\2\0\0\0\0\3", 6),
			 1);
	read_config(config);
	assert_memory_equal(config, "\2\0\0\0\0\2", 6);
	assert_int_equal(net_front_order(&bed.vfront, MAC_ORDER, 1, "\2\0\0\0\0\7", 6),
			 0);
	read_config(config);
	assert_memory_equal(config, "\2\0\0\0\0\7", 6);
	assert_int_equal(net_front_order(&bed.vfront, MAC_ORDER, 1, "\2\0\0\0\0", 5),
			 1);
	assert_true(net_front_ready(&bed.vfront)); /* a reset */
	read_config(config);
	assert_memory_equal(config, "\2\0\0\0\0\2", 6);
	down();
}

static bool hears_vlan(uint16_t vlan)
{
	struct net_front_header header;
	uint32_t size;

	assert_true(net_front_post(&bed.vfront, 0, 1, 1526));
	net_front_push(&bed.vfront);
	run();
	net_frames_plain(frame, 60, 1);
	net_frames_turn(frame);
	net_frames_tag(frame, 60, 0x8100, vlan);
	net_link_test_hear_plain(&bed.link, frame, 64);
	run();
	size = net_front_receive(&bed.vfront, 0, &header);
	assert_true(!size || size == 64);
	return size;
}

/* It narrows what the policy lets, and no more. */
static void vlans(void **state)
{
	(void)state;
	for (unsigned refuses = 0; refuses < 2; refuses++) {
		net_bed_init(&bed, &(struct net_bed_conf){.door = POLICY_VIRTIO,
							  .mode = POLICY_POOL,
							  .vlans = "untagged 5-7"});
		if (refuses)
			bed.vfront.conf.refuses = NET_FRONT_F_CTRL_VLAN;
		assert_int_equal(net_bed_start(&bed), 0);
		assert_int_equal(net_bed_connect(&bed, false), 0);
		assert_int_equal(hears_vlan(5), refuses);
		assert_int_equal(net_front_order(&bed.vfront, 2, 0, "\5\0", 2),
				 refuses);
		assert_int_equal(net_front_order(&bed.vfront, 2, 0, "\10\0", 2),
				 refuses);
		assert_true(hears_vlan(5));
		assert_int_equal(hears_vlan(6), refuses);
		assert_false(hears_vlan(8));
		assert_true(hears_vlan(0)); /* a priority, and no VLAN */
		assert_int_equal(net_front_order(&bed.vfront, 2, 1, "\5\0", 2),
				 refuses);
		assert_int_equal(hears_vlan(5), refuses);
		assert_int_equal(net_front_order(&bed.vfront, 2, 0, "\0\20", 2), 1);
		down();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		every_memory(each_pair),       cmocka_unit_test(pairs_not_wanted),
		every_memory(groups),	       cmocka_unit_test(stations_of_others),
		cmocka_unit_test(own_address), cmocka_unit_test(vlans),
	};

	return cmocka_run_group_tests_name("net_virtio_orders", tests, NULL, NULL);
}
