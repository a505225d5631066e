/* SPDX-License-Identifier: MIT */
/*
 * Two ends of a named link and what they tell, for tests: over real files in a folder
 * of their own, each with a loop of its own; and a third hand in what they share.
 *
 * That each buffer comes home once, and that nothing fails, is checked at each
 * callback.
 */
#ifndef XDD_TEST_NET_LINK_NAMED_SCENE_H
#define XDD_TEST_NET_LINK_NAMED_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "backends/net/net-link-ring.h"
#include "backends/net/net-link.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ROOM	 66000
#define INS	 256
#define ALL	 (NET_LINK_CSUM | NET_LINK_TSO4 | NET_LINK_TSO6)
#define TCP	 34
#define LARGEST	 NET_RING_FRAME_MAX
#define CONF(l)	 ((struct net_link_conf){.queues = 1, .loop = (l)})

/* One back end, as far as its link knows it. */
struct end {
	struct loop loop;
	struct net_link *link;
	struct net_in in[INS];
	bool given[INS];
	unsigned available; /* of in, at once */
	unsigned rooms, heards, unuseds, sents;
	int res;	      /* of the last that was sent */
	struct net_in *heard; /* the last */
	bool keep;	      /* what is heard stays given */
	uint32_t room;
	void (*look)(struct net_in *in);
};

extern struct end ends[2];
extern uint8_t frame[LARGEST]; /* what is sent */
extern struct net_out out;
extern char dir[];

int set_up(void **state);
int tear_down(void **state);
const char *path(const char *name);
void make(const char *name, long bytes);

/* As net_init() leaves it; a client comes; both, and nothing is to be done. */
void open_end(unsigned i);
void connect_end(unsigned i, unsigned offloads);
void both(void);
void close_end(unsigned i);

/* What can be done without waiting; how often the kernel was called. */
unsigned turns(unsigned i);
void settle(void);
/* The first @size bytes of frame[], with out.offload; what sent() said. */
int send_from(unsigned i, uint32_t size);
void send_plain(unsigned i, uint32_t size);

/* Wake-ups that wait for end @i. */
int wakes(unsigned i);
/* What end @i reads; @i writes `taken`, `wake` and `takes` there. */
uint8_t *area_to(unsigned i);
struct net_ring_control *words(unsigned i);

/* TCP over IPv4 in frame[], its sum that of the pseudo header. */
void tcp(uint32_t payload);
uint16_t sum(const uint8_t *at, size_t bytes, uint32_t sum);
/* What of it is undone: it is to be cut into 1000 bytes each; the sum alone. */
extern const struct net_offload cut, blank;

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
