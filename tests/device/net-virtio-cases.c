/* SPDX-License-Identifier: MIT */
#include "tests/device/net-virtio-cases.h"

struct net_bed bed;
uint8_t frame[NET_FRAMES_ROOM];

static const struct {
	enum policy_mode mode;
	bool plain;
} memories[] = {
	{POLICY_POOL, false},
	{POLICY_POOL, true},
	{POLICY_GRANT, false},
	{POLICY_GRANT, true},
};

static unsigned memory;

void run_every_memory(void **state)
{
	const struct memory_case *c = *state;

	for (memory = 0; memory < sizeof(memories) / sizeof(memories[0]); memory++)
		c->run(state);
	memory = 0;
}

bool by_grants(void)
{
	return memories[memory].mode == POLICY_GRANT;
}

static void up_both(const struct net_bed_conf *conf, uint64_t refuses)
{
	struct net_bed_conf with = *conf;

	with.door = POLICY_VIRTIO;
	with.mode = memories[memory].mode;
	net_bed_init(&bed, &with);
	bed.vfront.conf.plain = memories[memory].plain;
	bed.vfront.conf.refuses = refuses;
	assert_int_equal(net_bed_start(&bed), 0);
	assert_int_equal(net_bed_connect(&bed, false), 0);
}

void up_as(const struct net_bed_conf *conf)
{
	up_both(conf, 0);
}

void up_without(uint64_t features)
{
	up_both(&(struct net_bed_conf){0}, features);
}

void up(void)
{
	up_as(&(struct net_bed_conf){0});
}

void down(void)
{
	assert_int_equal(net_bed_down(&bed), 0);
}

void run(void)
{
	assert_int_equal(net_bed_run(&bed), 0);
}

void run_now(void)
{
	assert_int_equal(net_bed_run_now(&bed), 0);
}

void read_config_at(uint32_t at, uint32_t bytes, uint8_t *out)
{
	uint32_t generation;

	assert_true(virtio_driver_get_config(&bed.vfront.v.driver, at, bytes, out,
					     &generation));
}

void read_config(uint8_t out[12])
{
	read_config_at(0, 12, out);
}

/* -- From the client -----------------------------------------------------------------
 */

void ask(const struct net_front_header *header, uint32_t size)
{
	assert_true(net_front_send(&bed.vfront, 0, 1, header, frame, size));
	net_front_push(&bed.vfront);
	run();
	assert_sent(1);
}

void assert_sent(uint16_t id)
{
	uint16_t sent;

	assert_true(net_front_sent(&bed.vfront, 0, &sent));
	assert_int_equal(sent, id);
}

void assert_none_sent(void)
{
	uint16_t id;

	assert_false(net_front_sent(&bed.vfront, 0, &id));
}

void assert_left(uint32_t size, const struct net_offload *offload)
{
	struct net_link_frame *left = net_link_test_seen(&bed.link);

	assert_non_null(left);
	assert_int_equal(left->size, size);
	assert_memory_equal(left->bytes, frame, size);
	assert_int_equal(left->offload.sum, offload->sum);
	assert_int_equal(left->offload.gso, offload->gso);
	if (offload->sum) {
		assert_int_equal(left->offload.start, offload->start);
		assert_int_equal(left->offload.offset, offload->offset);
	}
	if (offload->gso != NET_GSO_NONE) {
		assert_int_equal(left->offload.gso_size, offload->gso_size);
		assert_int_equal(left->offload.header, offload->header);
	}
	free(left);
}

void assert_none_left(void)
{
	assert_null(net_link_test_seen(&bed.link));
}

/* -- To the client -------------------------------------------------------------------
 */

void turned(uint32_t size, unsigned seed)
{
	net_frames_plain(frame, size, seed);
	net_frames_turn(frame);
}

void hear_on(unsigned queue, uint32_t size, unsigned seed)
{
	const struct net_link_frame like = {.queue = queue, .size = size};

	turned(size, seed);
	net_link_test_hear(&bed.link, frame, &like);
}

void hear_plain(uint32_t size, unsigned seed)
{
	hear_on(0, size, seed);
}

void assert_came(unsigned pair, uint32_t size, struct net_front_header *header)
{
	assert_int_equal(net_front_receive(&bed.vfront, pair, header), size);
	assert_memory_equal(bed.vfront.bytes + NET_FRONT_HEADER, frame, size);
}

void assert_nothing_came(unsigned pair)
{
	struct net_front_header header;

	assert_int_equal(net_front_receive(&bed.vfront, pair, &header), 0);
}

/* -- Groups --------------------------------------------------------------------------
 */

bool hears_group(uint8_t group)
{
	struct net_front_header header;
	uint32_t size;

	assert_true(net_front_post(&bed.vfront, 0, 1, 1526));
	net_front_push(&bed.vfront);
	run();
	net_frames_plain(frame, 60, 1);
	net_frames_turn(frame);
	net_frames_to_group(frame, group);
	net_link_test_hear_plain(&bed.link, frame, 60);
	run();
	size = net_front_receive(&bed.vfront, 0, &header);
	assert_true(!size || size == 60);
	return size;
}

int set_table(uint32_t stations, uint32_t groups)
{
	uint8_t table[2048] = {0};
	uint32_t at = 4 + stations * 6;

	le_put(table, 4, stations);
	le_put(table + at, 4, groups);
	at += 4;
	for (uint32_t i = 0; i < groups; i++, at += 6) {
		net_frames_to_group(table + at, (uint8_t)i);
	}
	return net_front_order(&bed.vfront, 1, 0, table, at);
}
