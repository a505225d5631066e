/* SPDX-License-Identifier: MIT */
/*
 * The network core: what becomes of a client's frames, and which of others are its.
 *
 * Pure: it knows no grant, no ring, no xenstore and no domain. A door (PV or virtio)
 * turns its wire into struct net_tx, whose frame is whole and in private memory, and
 * gives the core room for frames to the client.
 *
 * Invariants:
 *  1. a frame goes to the core at net_send() and comes home through its done() exactly
 *     once, possibly from within net_send();
 *  2. no frame reaches the link that the policy's rules do not pass, that is longer
 *     than its MTU or becomes so when it is cut, or whose offloads are not sound
 *     (net_offload_check());
 *  3. none of others reaches the client that net_rules_hear() does not pass, none of a
 *     group that it left, and none with more left undone than it takes;
 *  4. what waits for the client is bounded in bytes (net-inbox.h), and what does not
 *     fit waits at the host, or is dropped there;
 *  5. while nobody is connected nothing is sent, what is heard is dropped, and the link
 *     has no carrier: no client hears what was for the one before it;
 *  6. no allocation after net_init() and net_give_room().
 */
#ifndef XDD_NET_H
#define XDD_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/net/net-inbox.h"
#include "backends/net/net-link.h"
#include "backends/net/net-policy.h"
#include "backends/net/net-refusals.h"

#define NET_GROUPS_MAX 64 /* as netback has it; more: all are heard */
/* Bytes beside an MTU: Ethernet's header and two tags. */
#define NET_BESIDE (NET_HEADER + 2 * NET_TAG)

/* What became of a frame. */
enum net_status {
	NET_SENT,
	NET_MALFORMED, /* no frame, or offloads that contradict it */
	NET_DENIED,    /* the policy */
	NET_LOST,      /* the host had no room for it, or failed */
	NET_STATUSES,
};

/* A frame on its way. The door's until net_send(), then the core's until done(). */
struct net_tx {
	uint8_t *bytes; /* private, and the core may write to them */
	uint32_t size;
	/* What is left to be done, unchecked. */
	struct net_offload offload;
	bool find_sum; /* the sum is blank, at the place where TCP or UDP has it */
	void (*done)(struct net_tx *tx, enum net_status status);
	struct net_out out; /* the core's */
};

/* What the client chose. */
struct net_client {
	unsigned queues;    /* 1 to NET_QUEUES_MAX */
	unsigned offloads;  /* enum net_link_offloads: what may come undone */
	uint32_t frame_max; /* bytes of a frame that it can take */
	bool groups;	    /* it says which groups it hears; else all */
	bool vlans;	    /* and which VLANs; else all that it may */
	/* NULL, or: which of its queues (below queues) a frame comes in that would come
	 * in @queue, and of what hash. */
	unsigned (*steer)(void *steers, const struct net_frame *frame, unsigned queue,
			  struct net_hash *hash);
	void *steers;
};

struct net_stats {
	uint64_t sent, sent_bytes; /* as its client counts them: before they are cut */
	uint64_t received, received_bytes; /* given to the client */
	uint64_t refused[NET_VERDICTS];	   /* came home as NET_DENIED, by rule */
	uint64_t malformed, lost;	   /* came home so */
	uint64_t filtered;		   /* heard, and not the client's to hear */
	uint64_t unfit; /* heard, and more than the client can take */
};

struct net_conf {
	const struct net_policy *policy; /* outlives the core */
	/* Its rates towards the client, policy.receive; may change: net_limits() */
	const struct policy_rate *receive;
	struct net_link *link;
};

struct net {
	struct net_conf conf;
	bool connected;
	struct net_client client;
	struct net_inbox inbox;
	struct toll toll; /* of what is heard */
	uint32_t starved; /* queues of the link that found no room; a bit each */
	uint32_t out;	  /* frames that the link has */
	uint64_t now, due;
	uint8_t group[NET_GROUPS_MAX][NET_MAC];
	unsigned groups;
	bool full;	 /* there were more: it hears all of them */
	bool all_groups; /* it says so */
	uint64_t vlan[NET_VLANS / 64];
	unsigned spread; /* of the client's queues: frames come in these */
	int error;	 /* the link failed: the process ends */
	struct net_refusals refusals;
	struct net_stats stats;
};

/* Before sealing. 0 or a negative errno. */
int net_init(struct net *net, const struct net_conf *conf);
/* Once, before sealing: @area is where frames to the client come to lie, page by page;
 * it outlives the core. 0; -EINVAL: it is too small for one; -ENOMEM. */
int net_give_room(struct net *net, uint8_t *area, size_t bytes);
/* Disconnected. */
void net_fini(struct net *net);
/* Bytes that one frame to the client may need of that area. */
uint32_t net_room(const struct net_policy *policy);

/* A client is there. 0 or the negative errno with which the link failed. */
int net_connect(struct net *net, const struct net_client *client, uint64_t now);
/* What waits is dropped. What the link has still comes home (net->out). */
int net_disconnect(struct net *net);

/* Of queue @queue of the client. */
void net_send(struct net *net, unsigned queue, struct net_tx *tx);

/* The client hears a group, or leaves it. False: there is no room for one more; all
 * are heard then. */
bool net_join(struct net *net, const uint8_t mac[NET_MAC]);
void net_leave(struct net *net, const uint8_t mac[NET_MAC]);
/* It leaves all that it joined. */
void net_leave_all(struct net *net);
/* It hears all groups, whichever it joined, or only those. */
void net_hear_groups(struct net *net, bool all);
/* It hears a VLAN (below NET_VLANS), or leaves it; none at first. */
void net_hear_vlan(struct net *net, uint16_t vlan, bool on);
/* From now on frames for the client come in the first @queues of its queues; at first
 * in all. What waits stays where it is. */
void net_spread(struct net *net, unsigned queues);

/* The rates towards the client have changed. */
void net_limits(struct net *net, uint64_t now);
/* Once a turn of the loop, after its callbacks. 0, or the negative errno with which our
 * environment failed. */
int net_turn(struct net *net, uint64_t now);
/* The oldest frame for the client's @queue, if there is one and ReceivePackets and
 * ReceiveBytes let it pass now (else net_due() says when they may). */
const struct net_in *net_next(struct net *net, unsigned queue);
/* Takes it out, until net_give(). */
struct net_slot *net_take(struct net *net, unsigned queue);
void net_give(struct net *net, struct net_slot *slot);
/* It is more than the client can take: it is dropped, and counted so. */
void net_drop(struct net *net, unsigned queue);
/* One waits: a look. */
static inline bool net_pending(const struct net *net, unsigned queue)
{
	return net_inbox_first(&net->inbox, queue);
}
/* Monotonic time at which a turn is due though nothing happened, or UINT64_MAX. */
static inline uint64_t net_due(const struct net *net)
{
	return net->due;
}

#endif
