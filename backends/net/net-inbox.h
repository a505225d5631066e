/* SPDX-License-Identifier: MIT */
/*
 * Frames that wait for the client, and the room for those to come.
 *
 * Pure. Not a link and not a judge. Invariants:
 *  1. a slot is free, out (a link or a door has it), or waits in one queue;
 *  2. once Backlog bytes wait, no more room is given; what is out then still comes. So
 *     no more than Backlog and what is out waits, whatever the client takes and however
 *     long it takes (XSA-392);
 *  3. within a queue frames leave in the order in which they came;
 *  4. nothing allocates after net_inbox_init().
 */
#ifndef XDD_NET_INBOX_H
#define XDD_NET_INBOX_H

#include <stddef.h>

#include "backends/net/net-link.h"
#include "policy/toll.h"

struct net_slot {
	struct net_in in;
	struct toll_paid paid;
	struct net_slot *next;
};

struct net_inbox {
	struct net_slot *slot;
	uint32_t slots;
	struct net_slot *free;
	struct {
		struct net_slot *first, *last;
	} queue[NET_LINK_QUEUES];
	uint64_t bytes;	  /* that wait */
	uint64_t backlog; /* the limit */
};

/* @room bytes a frame, cut out of @area, which outlives the inbox. 0; -EINVAL: not even
 * one fits; -ENOMEM. */
int net_inbox_init(struct net_inbox *inbox, uint8_t *area, size_t bytes, uint32_t room,
		   uint64_t backlog);
void net_inbox_fini(struct net_inbox *inbox);

/* NULL: none is free, or enough waits. */
struct net_slot *net_inbox_room(struct net_inbox *inbox);
bool net_inbox_has_room(const struct net_inbox *inbox);
/* A frame came: it waits in @queue. */
void net_inbox_put(struct net_inbox *inbox, unsigned queue, struct net_slot *slot);
/* The oldest that waits there, or NULL. */
static inline struct net_slot *net_inbox_first(const struct net_inbox *inbox,
					       unsigned queue)
{
	return inbox->queue[queue].first;
}
/* Takes that one out. */
struct net_slot *net_inbox_take(struct net_inbox *inbox, unsigned queue);
/* A slot that is out is free. */
void net_inbox_give(struct net_inbox *inbox, struct net_slot *slot);
/* Nobody takes what waits. */
void net_inbox_clear(struct net_inbox *inbox);

#endif
