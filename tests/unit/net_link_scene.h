/* SPDX-License-Identifier: MIT */
/*
 * A tap's link and what it tells, for tests: buffers to hear into, frames to send, and
 * a host's network around it (net_link_host.h).
 *
 * That each buffer comes home once, with nothing written beyond it, frames in order,
 * and nothing after a failure, is checked at each callback.
 */
#ifndef XDD_TEST_NET_LINK_SCENE_H
#define XDD_TEST_NET_LINK_SCENE_H

#include <errno.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "backends/net/net-link.h"
#include "tests/unit/net_link_host.h"

#define TAP	"tap0"
#define ONE	IFF_TAP
#define MANY	(IFF_TAP | IFF_MULTI_QUEUE)
#define INS	512
#define ROOM	70000
#define FRAMES	256
#define L3	14
#define TCP	34
#define ALL	(NET_LINK_CSUM | NET_LINK_TSO4 | NET_LINK_TSO6)
#define PAYLOAD 5000

/* A buffer is the test's, or the link's. */
struct in {
	struct net_in in;
	bool out;
};

struct scene {
	struct loop loop;
	struct net_link *link;
	int host; /* a packet socket */
	struct in in[INS];
	unsigned given, limit; /* of in: with the link or heard; at most */
	uint32_t room;
	unsigned rooms, nones; /* asked; without success */
	unsigned heards, unuseds, sents, faileds;
	struct net_in *heard[INS];
	int res, err; /* of the last */
};

extern struct scene t;

extern struct net_out outs[FRAMES];
extern uint8_t frames[FRAMES][ROOM];
extern const struct virtio_net_hdr cut; /* of tcp(PAYLOAD): in segments of 1000 */

int set_up(void **state);
int tear_down(void **state);
/* The link of @name is t.link, or a negative errno. */
int open_link(const char *name, unsigned queues);
/* A tap of these flags; open, up, and somebody is there. */
void ready(int flags, unsigned queues);

void turn(void);
/* Turns until so many were heard; how many it took. */
unsigned hear(unsigned frames_in_all);
/* Turns until so many were told of. */
void sent(unsigned frames_in_all);

/* Frame @i, of a kind that nothing on this host takes for its own; its number is in it.
 */
uint8_t *plain(unsigned i, size_t size);
void send_plain(unsigned i, size_t size, unsigned queue);
void host_says(unsigned i, size_t size);
void put16(uint8_t *at, unsigned value);
/* TCP over IPv4 in frames[0], its sum that of the pseudo header. */
uint8_t *tcp(size_t payload, unsigned port);
/* The same of UDP: TCP + 8 + @payload bytes. */
uint8_t *udp(size_t payload);
/* A whole TCP frame whose sum is right. */
bool sum_is_right(const uint8_t *f, size_t size);

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
