/* SPDX-License-Identifier: MIT */
/*
 * What the programs about a network's PV door share: one bed, and the words that their
 * cases are written in.
 */
#ifndef XDD_TEST_NET_CASES_H
#define XDD_TEST_NET_CASES_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/device/net-bed.h"

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define SECOND	   1000000000ull
#define PAGE	   4096u
#define ALL_UNDONE (NET_LINK_CSUM | NET_LINK_TSO4 | NET_LINK_TSO6)

static struct net_bed bed;
static uint8_t frame[NET_FRAMES_ROOM];

/* With the longest MTU there is, if @conf says none. */
static inline struct net_bed_conf with_mtu(struct net_bed_conf conf)
{
	if (!conf.mtu)
		conf.mtu = NET_MTU_MAX;
	return conf;
}

static inline void up(const struct net_bed_conf *conf)
{
	struct net_bed_conf with = with_mtu(*conf);

	net_bed_up(&bed, &with);
}

/* Nothing leaked, and nothing was broken. */
static inline void down(void)
{
	assert_int_equal(net_bed_down(&bed), 0);
	assert_int_equal(bed.broken, 0);
}

static inline void run(void)
{
	assert_int_equal(net_bed_run(&bed), 0);
}

static inline void run_now(void)
{
	assert_int_equal(net_bed_run_now(&bed), 0);
}

static inline void push_run(void)
{
	netfront_push(&bed.front);
	run();
}

/* -- What the client sends ------------------------------------------------------------
 */

/* From the client: not published. */
static inline void put(unsigned queue, uint32_t size, unsigned seed)
{
	struct netfront_packet packet = {.bytes = frame, .size = size};

	net_frames_plain(frame, size, seed);
	assert_true(netfront_send(&bed.front, queue, &packet));
}

/* The next that left is these bytes. */
static inline void assert_left_bytes(const uint8_t *bytes, uint32_t size)
{
	struct net_link_frame *out = net_link_test_seen(&bed.link);

	assert_non_null(out);
	assert_int_equal(out->size, size);
	assert_memory_equal(out->bytes, bytes, size);
	free(out);
}

static inline void assert_left(uint32_t size, unsigned seed)
{
	net_frames_plain(frame, size, seed);
	assert_left_bytes(frame, size);
}

static inline void assert_nothing_left(void)
{
	assert_null(net_link_test_seen(&bed.link));
}

static inline void assert_done(unsigned queue, int status)
{
	int got = 1;

	assert_true(netfront_done(&bed.front, queue, &got));
	assert_int_equal(got, status);
}

static inline void assert_not_done(unsigned queue)
{
	int got;

	assert_false(netfront_done(&bed.front, queue, &got));
}

/* -- What comes to it -----------------------------------------------------------------
 */

static inline uint32_t to_me(uint32_t size, unsigned seed)
{
	net_frames_plain(frame, size, seed);
	net_frames_turn(frame);
	return size;
}

static inline void hear_on(unsigned queue, uint32_t size, unsigned seed)
{
	to_me(size, seed);
	net_link_test_hear(&bed.link, frame,
			   &(struct net_link_frame){.queue = queue, .size = size});
}

static inline void hear(uint32_t size, unsigned seed)
{
	hear_on(0, size, seed);
}

static inline void post(unsigned queue, unsigned n)
{
	netfront_post(&bed.front, queue, n);
	netfront_push(&bed.front);
}

static inline void assert_came_bytes(unsigned queue, const uint8_t *bytes,
				     uint32_t size)
{
	assert_true(netfront_heard(&bed.front, queue, &bed.heard));
	assert_int_equal(bed.heard.status, 0);
	assert_int_equal(bed.heard.size, size);
	assert_memory_equal(bed.heard.bytes, bytes, size);
}

static inline void assert_came(unsigned queue, uint32_t size, unsigned seed)
{
	to_me(size, seed);
	assert_came_bytes(queue, frame, size);
}

static inline void assert_nothing_came(unsigned queue)
{
	assert_false(netfront_heard(&bed.front, queue, &bed.heard));
}

/* Both ways, once. */
static inline void serves(void)
{
	put(0, 77, 0x5e);
	netfront_push(&bed.front);
	run();
	assert_left(77, 0x5e);
	assert_done(0, RSP_OKAY);
	hear(99, 0x5e);
	post(0, 1);
	run();
	assert_came(0, 99, 0x5e);
}

#endif
