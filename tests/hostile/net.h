/* SPDX-License-Identifier: MIT */
/*
 * What the programs of T-NET-1 share. Beside each packet that is tried there is a sound
 * one before it and one behind it, in the same batch: both arrive, as they were sent;
 * and each entry is answered, once and in order.
 */
#ifndef XDD_TEST_HOSTILE_NET_H
#define XDD_TEST_HOSTILE_NET_H

#include "tests/device/net-cases.h"
#include "tests/hook/shared-hook.h"
#include "tests/hostile/tally.h"

static const struct net_bed_conf conf = {.data_pages = 256};
static uint64_t done;

static inline int reset(void **state)
{
	(void)state;
	shared_hook = NULL;
	shared_hook_after = NULL;
	done = 0;
	return 0;
}

static inline struct netfront_queue *queue(void)
{
	return &bed.front.queue[0];
}

/* -- The neighbours -------------------------------------------------------------------
 */

static unsigned seed;

static inline void before(void)
{
	put(0, 5000, ++seed);
}

/* Behind it, and what became of the one before. */
static inline void behind(void)
{
	put(0, 70, seed + 10000);
	push_run();
	assert_left(5000, seed);
	assert_done(0, RSP_OKAY);
}

/* What was between them is answered: so is the one behind, and nothing is left. */
static inline void end(void)
{
	assert_left(70, seed + 10000);
	assert_done(0, RSP_OKAY);
	assert_not_done(0);
	assert_nothing_left();
	assert_int_equal(queue()->tx.rsp_cons, queue()->tx.req_prod);
	assert_int_equal(bed.broken, 0);
	done++;
}

/* One packet of the front end's making, which leaves as it is. */
static inline void packet_passes(const struct netfront_packet *packet)
{
	before();
	/* The neighbour's making used the same bytes. */
	assert_true(netfront_send(&bed.front, 0, packet));
	behind();
	assert_left_bytes(packet->bytes, packet->size);
	assert_done(0, RSP_OKAY);
	end();
}

static inline void packet_fails(const struct netfront_packet *packet)
{
	before();
	assert_true(netfront_send(&bed.front, 0, packet));
	behind();
	assert_done(0, RSP_ERROR);
	end();
}

static uint8_t sent[NET_FRAMES_ROOM];

static inline uint32_t make(unsigned kind, uint32_t payload,
			    struct netfront_packet *packet)
{
	bool six = kind & 1, udp = kind & 2;

	*packet = (struct netfront_packet){.bytes = sent, .flags = NETTXF_BLANK};
	packet->size = udp ? net_frames_udp(sent, six, payload, kind)
			   : net_frames_tcp(sent, six, payload, kind);
	if (!udp && kind & 4) {
		packet->gso = six ? 2 : 1;
		packet->gso_size = 100;
	}
	return packet->size;
}

#define TEST(f) cmocka_unit_test_setup(f, reset)

#endif
