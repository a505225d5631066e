/* SPDX-License-Identifier: MIT */
/*
 * What the programs about a network device's virtio door share: the ways in which it
 * reaches memory, each of which a case is run through, and the words of the cases.
 */
#ifndef XDD_TEST_NET_VIRTIO_CASES_H
#define XDD_TEST_NET_VIRTIO_CASES_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/device/net-bed.h"
#include "tests/front/virtio-le.h"

#define SECOND 1000000000ull
#define GUEST_ALL                                                                      \
	(NET_FRONT_F_GUEST_CSUM | NET_FRONT_F_GUEST_TSO4 | NET_FRONT_F_GUEST_TSO6 |    \
	 NET_FRONT_F_GUEST_USO4 | NET_FRONT_F_GUEST_USO6)

struct memory_case {
	void (*run)(void **state);
};

/* A case in each of the ways; else in a pool. */
#define every_memory(name)                                                             \
	{                                                                              \
#name, run_every_memory, NULL, NULL, &(struct memory_case)             \
		{                                                                      \
			name                                                           \
		}                                                                      \
	}
void run_every_memory(void **state);

extern struct net_bed bed;
extern uint8_t frame[NET_FRAMES_ROOM];

/* Is it by grants, now? */
bool by_grants(void);
void up(void);
/* Door and memory are set here. */
void up_as(const struct net_bed_conf *conf);
/* Its driver accepts none of @features. */
void up_without(uint64_t features);
/* Nothing leaked. */
void down(void);
void run(void);
void run_now(void);
void read_config(uint8_t out[12]);
void read_config_at(uint32_t at, uint32_t bytes, uint8_t *out);

/* The first @size bytes of frame go, alone, until they are back. */
void ask(const struct net_front_header *header, uint32_t size);
void assert_sent(uint16_t id);
void assert_none_sent(void);
/* The next that left is frame's first @size bytes, and so much is left undone. */
void assert_left(uint32_t size, const struct net_offload *offload);
void assert_none_left(void);

/* frame is what another station sends. */
void turned(uint32_t size, unsigned seed);
/* And it does. */
void hear_on(unsigned queue, uint32_t size, unsigned seed);
void hear_plain(uint32_t size, unsigned seed);
/* The next that came is frame's first @size bytes. */
void assert_came(unsigned pair, uint32_t size, struct net_front_header *header);
void assert_nothing_came(unsigned pair);

/* A frame of another station to this group comes? Needs a buffer, and posts one. */
bool hears_group(uint8_t group);
/* The order with a table of so many addresses of others, and the first so many groups:
 * its answer. */
int set_table(uint32_t stations, uint32_t groups);

#endif
