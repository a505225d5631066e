/* SPDX-License-Identifier: MIT */
/*
 * A link that does what a test says: when a frame of ours leaves and whether it does,
 * what others send and what of it is left undone, and how many reads are out.
 *
 * What others send while there is no room waits here, and comes when there is.
 */
#ifndef XDD_TEST_NET_LINK_H
#define XDD_TEST_NET_LINK_H

#include "backends/net/net-link.h"

/* A frame, with bytes of its own. */
struct net_link_frame {
	struct net_link_frame *next;
	unsigned queue;
	uint32_t size;
	struct net_offload offload;
	bool validated;
	uint8_t bytes[];
};

struct net_link_list {
	struct net_link_frame *first, **last;
	uint32_t n;
};

#define NET_LINK_TEST_HELD 4096

struct net_link_test {
	struct net_link link;
	bool holds;	/* frames wait for net_link_test_leave() */
	unsigned ahead; /* reads of a queue that are kept out */
	bool used;	/* a test made it say something since this was cleared */
	int fails;	/* what offloads() and carrier() come to, once */
	bool carrier;
	unsigned allowed; /* offloads */
	uint32_t starved; /* queues that found no room; a bit each */
	uint64_t rooms;	  /* that were asked for */
	struct net_out *held[NET_LINK_TEST_HELD]; /* oldest first */
	uint32_t nheld;
	struct net_link_list seen; /* all that left */
	struct net_link_list waiting[NET_LINK_QUEUES];
	struct net_in *reads[NET_LINK_QUEUES][NET_LINK_BATCH];
	unsigned nreads[NET_LINK_QUEUES];
};

void net_link_test_open(struct net_link_test *t, unsigned queues, unsigned offloads);
/* The process that had it is gone, with what it was given and what waited. */
void net_link_test_reopen(struct net_link_test *t);
/* The oldest that is held leaves, or (@res) does not. */
void net_link_test_leave(struct net_link_test *t, int res);
void net_link_test_leave_all(struct net_link_test *t);
/* Somebody sends: @like says all but where it lies. */
void net_link_test_hear(struct net_link_test *t, const uint8_t *bytes,
			const struct net_link_frame *like);
/* A whole frame, of queue 0, with nothing left to do. */
void net_link_test_hear_plain(struct net_link_test *t, const uint8_t *bytes,
			      uint32_t size);
/* Reads that are out come back unused. */
void net_link_test_unuse(struct net_link_test *t);
/* The oldest that left and was not asked for yet: the caller's to free(). NULL: none.
 */
struct net_link_frame *net_link_test_seen(struct net_link_test *t);
/* It is lost. */
void net_link_test_fail(struct net_link_test *t, int err);

#endif
