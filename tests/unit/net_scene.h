/* SPDX-License-Identifier: MIT */
/*
 * A network core, a link that does what the test says, and a client that keeps what
 * comes home. Each test begins with scene_open() or scene_up().
 */
#ifndef XDD_TEST_NET_SCENE_H
#define XDD_TEST_NET_SCENE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/net/net.h"
#include "tests/device/net-frames.h"
#include "tests/device/net-link-test.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define SECOND	    1000000000ull
#define SCENE_TX    64
#define SCENE_SLOTS 32
#define ALL_UNDONE  NET_LINK_ALL

static struct scene {
	struct net net;
	struct net_policy policy;
	struct policy_rate receive[POLICY_RECEIVES];
	struct net_link_test link;
	struct net_client client;
	uint64_t now;
	uint8_t area[SCENE_SLOTS * 69632];
	struct net_tx tx[SCENE_TX];
	uint8_t bytes[SCENE_TX][NET_FRAMES_ROOM];
	enum net_status home[SCENE_TX]; /* in this order */
	const struct net_tx *who[SCENE_TX];
	unsigned sent, homes;
	uint8_t frame[NET_FRAMES_ROOM]; /* of others */
} scene;

static inline void scene_home(struct net_tx *tx, enum net_status status)
{
	assert_true(scene.homes < SCENE_TX);
	scene.who[scene.homes] = tx;
	scene.home[scene.homes++] = status;
}

/* Room for the client's next frame. */
static inline uint8_t *next_bytes(void)
{
	assert_true(scene.sent < SCENE_TX);
	return scene.bytes[scene.sent];
}

static inline struct net_tx *send_as(unsigned queue, uint32_t size, bool find_sum,
				     struct net_offload offload)
{
	struct net_tx *tx = &scene.tx[scene.sent];

	*tx = (struct net_tx){
		.bytes = next_bytes(),
		.size = size,
		.find_sum = find_sum,
		.offload = offload,
		.done = scene_home,
	};
	scene.sent++;
	net_send(&scene.net, queue, tx);
	return tx;
}

static inline struct net_tx *send_plain(uint32_t size)
{
	return send_as(0, size, false, (struct net_offload){0});
}

/* The last one came home so, and nothing else did. */
static inline void expect_home(enum net_status status)
{
	assert_int_equal(scene.homes, scene.sent);
	assert_int_equal(scene.home[scene.homes - 1], status);
	assert_ptr_equal(scene.who[scene.homes - 1], &scene.tx[scene.sent - 1]);
}

/* It left, as it stands in its bytes. The caller's to free(). */
static inline struct net_link_frame *expect_left(void)
{
	const struct net_tx *tx = &scene.tx[scene.sent - 1];
	struct net_link_frame *frame = net_link_test_seen(&scene.link);

	expect_home(NET_SENT);
	assert_non_null(frame);
	assert_int_equal(frame->size, tx->size);
	assert_memory_equal(frame->bytes, tx->bytes, tx->size);
	assert_null(net_link_test_seen(&scene.link));
	return frame;
}

/* The policy does not let it pass, and its owner is told why, @n of this so far. */
static inline void expect_refused(enum net_verdict verdict, uint64_t n)
{
	expect_home(NET_DENIED);
	assert_int_equal(scene.net.stats.refused[verdict], n);
	assert_null(net_link_test_seen(&scene.link));
}

/* What waits for @queue is this, and it is taken. */
static inline void expect_frame(unsigned queue, const uint8_t *bytes, uint32_t size)
{
	const struct net_in *in = net_next(&scene.net, queue);
	struct net_slot *slot;

	assert_non_null(in);
	assert_int_equal(in->size, size);
	assert_memory_equal(in->bytes, bytes, size);
	slot = net_take(&scene.net, queue);
	assert_ptr_equal(&slot->in, in);
	net_give(&scene.net, slot);
}

static inline void expect_none(void)
{
	for (unsigned i = 0; i < scene.client.queues; i++)
		assert_false(net_pending(&scene.net, i));
}

/* Of the other station, to the client's. */
static inline uint32_t to_me(uint32_t size, unsigned seed)
{
	net_frames_plain(scene.frame, size, seed);
	net_frames_turn(scene.frame);
	return size;
}

static inline void hear(uint32_t size)
{
	net_link_test_hear_plain(&scene.link, scene.frame, size);
}

static inline void turn_at(uint64_t now)
{
	scene.now = now;
	assert_int_equal(net_turn(&scene.net, now), 0);
}

/* A link with @queues, not connected. scene.policy and scene.client are set before. */
static inline void scene_open(unsigned queues)
{
	struct net_conf conf = {.policy = &scene.policy,
				.receive = scene.receive,
				.link = &scene.link.link};
	size_t bytes = SCENE_SLOTS * (size_t)net_room(&scene.policy);

	net_policy_complete(&scene.policy);
	net_link_test_open(&scene.link, queues, ALL_UNDONE);
	assert_int_equal(net_init(&scene.net, &conf), 0);
	assert_int_equal(net_give_room(&scene.net, scene.area, bytes), 0);
}

static inline void scene_connect(void)
{
	assert_int_equal(net_connect(&scene.net, &scene.client, scene.now), 0);
}

static inline void scene_up(void)
{
	scene_open(1);
	scene_connect();
}

static inline int scene_setup(void **state)
{
	(void)state;
	memset(&scene, 0, sizeof(scene));
	net_policy_init(&scene.policy);
	assert_true(net_mac_parse(NET_FRAMES_MINE, scene.policy.mac));
	assert_true(net_addresses_parse("any", &scene.policy.rules.addresses));
	scene.client = (struct net_client){
		.queues = 1, .offloads = ALL_UNDONE, .frame_max = UINT32_MAX};
	scene.now = 5 * SECOND;
	return 0;
}

static inline int scene_teardown(void **state)
{
	(void)state;
	if (scene.net.connected)
		assert_int_equal(net_disconnect(&scene.net), 0);
	net_link_test_unuse(&scene.link);
	net_fini(&scene.net);
	net_link_test_reopen(&scene.link);
	return 0;
}

#define scene_test(name)                                                               \
	cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

#endif
