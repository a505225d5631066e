/* SPDX-License-Identifier: MIT */
/*
 * The PV door of a network device: netif's rings on one side, the core on the other.
 * One device of one client, a pair of rings for each of its queues.
 *
 * Not the device's life (xenbus/life.h), not the event loop, and not the core's turn:
 * the owner calls net_turn(), then net_pv_turn(), once a turn of its loop.
 *
 * Of a frame of the client's all is copied, into one run of bytes of the copy area that
 * no client can write to, before anything looks at it (XSA-155, XSA-423). Frames to the
 * client are copied from where the link put them.
 *
 * Invariants:
 *  1. answers of the transmit ring are published in ring order, so each slot of the
 *     shared ring from rsp_prod on holds its request: what was taken and not answered
 *     is the successor's to send. Of a packet that was answered in part the rest is
 *     known (pv-ring.h, invariant 6), and not taken for another one;
 *  2. each packet pays one operation and its bytes before it is copied; what is no
 *     packet pays one operation an entry before it is answered. So nothing costs a
 *     client nothing;
 *  3. at most InFlight packets are with the core;
 *  4. a frame to the client is answered as a whole, in slots that the client posted:
 * who posts none holds up nobody, and waits within its Backlog;
 *  5. a copy that Xen refuses is the frame's own failure, of no other's in its batch;
 *  6. one push of each ring a turn, and at most one event a port;
 *  7. no ring is unmapped while a frame is with the core;
 *  8. nothing allocates after net_pv_init().
 *
 * Beside the queues there may be a control ring: net-pv-control.h. It takes its turn
 * among them.
 *
 * Sources: xen/io/netif.h.
 */
#ifndef XDD_NET_PV_H
#define XDD_NET_PV_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/door/keys.h"
#include "backends/door/pv-ring.h"
#include "backends/net/net-pv-control.h"
#include "backends/net/net-pv-static.h"
#include "backends/net/net-runs.h"
#include "backends/net/net.h"
#include "backends/net/netif.h"
#include "policy/policy.h"

#define NET_PV_TX_SLOTS 256 /* entries of a transmit ring: one page */
#define NET_PV_RX_SLOTS 256 /* and of a receive ring, of 512 that fit */
#define NET_PV_RINGS	2   /* of a queue: a page each */

struct net_pv;

/* All of it outlives the door; @policy may change in place (net_pv_limits). */
struct net_pv_conf {
	const struct policy *policy;
	const struct net_policy *net_policy;
	struct net *net;
	struct keys keys;
	void *owner;
	/* The client broke a ring: its device fails. Once a connection, as the last act
	 * of a turn; net_pv_detach() may be called from within. */
	void (*broken)(struct net_pv *pv, const char *why);
	/* All frames are home, nothing is mapped, the ports are unbound. */
	void (*detached)(struct net_pv *pv);
};

enum net_pv_state { NET_PV_DOWN, NET_PV_UP, NET_PV_STOPPING };

/* What a packet may become is net_packet_moves' in net-pv-tx.c. */
enum net_packet_state {
	NET_PACKET_FREE,
	NET_PACKET_TAKEN,   /* all of its entries are off the ring */
	NET_PACKET_COPYING, /* in the batch that is being made */
	NET_PACKET_BUSY,    /* with the core */
	NET_PACKET_READY,   /* only to be answered, in its turn */
	NET_PACKET_STATES,
};

/* One verdict of the reader: a packet, or entries that are none. */
struct net_packet {
	struct net_tx tx; /* the core's */
	struct net_pv_queue *queue;
	enum net_packet_state state;
	struct netif_packet wire;
	enum netif_rsp status; /* READY; of what is no packet from the beginning */
	bool whole;	       /* it is one */
	struct toll_paid paid;
	uint32_t owed;	    /* no packet: entries that have not paid yet */
	struct net_run run; /* in the queue's part of the copy area; at, or NULL */
	uint32_t seg, segs; /* COPYING: its segments, the first and how many */
};

struct net_pv_queue {
	struct net_pv *pv;
	unsigned index;
	struct grants_map tx_map, rx_map;
	struct evport tx_port, rx_port;
	bool split; /* rx_port is another one */
	struct pv_ring tx, rx;

	/* Transmit: packets in ring order, packet[i % NET_PV_TX_SLOTS];
	 * answered <= started <= taken. */
	struct netif_reader reader;
	struct net_packet *packet;
	uint32_t taken, started, answered;
	struct net_runs runs; /* its part of the copy area */
	struct net_pv_statics statics;

	/* Receive: slots that the frame at the head of the core's queue waits for, or 0
	 */
	uint32_t lacks;
};

/* A frame to the client, in the batch that is being made. */
struct net_given {
	struct net_slot *slot;
	uint16_t id[NETIF_SLOTS_MAX + 2]; /* of the slots that it is answered in */
	unsigned slots;
	uint32_t seg, segs;
};
#define NET_PV_GIVEN 64

struct net_pv_stats {
	uint64_t packets;   /* of the transmit rings, whole ones */
	uint64_t malformed; /* what is no packet, and frames that are none */
	uint64_t orders;    /* of groups */
	uint64_t answers;   /* entries of the transmit rings */
	uint64_t errors;    /* of them, not NETIF_OKAY */
	uint64_t frames;    /* given to the client */
	uint64_t refused;   /* frames whose copies Xen or the policy refused */
	uint64_t controls;  /* requests of the control ring that were answered */
	uint64_t direct;    /* pieces that lay in pages that are kept mapped */
	uint64_t pushes, notifies, copies, segments;
};

struct net_pv {
	struct net_pv_conf conf;
	struct net_pv_queue *queue;
	struct net_pv_control control;
	unsigned max_queues; /* that are offered */
	uint32_t batch;	     /* segments of one copy at most */

	enum net_pv_state state;
	unsigned queues; /* while connected */
	unsigned first;	 /* of them and the control ring, in this turn */
	const char *why; /* a ring is broken, or NULL */
	bool told;	 /* conf.broken() was called */
	int error;	 /* our environment failed */

	struct toll toll;
	uint32_t busy;	   /* packets that are BUSY */
	uint64_t now, due; /* of the last turn, of the next */
	uint64_t drained;  /* STOPPING: when what is out is no longer waited for */
	struct grants_seg seg[GRANTS_BATCH_MAX];
	uint32_t segs;
	struct net_given given[NET_PV_GIVEN];
	struct net_pv_stats stats;
};

/* Before sealing; gives the core its room. 0 or a negative errno; -EINVAL: DataPages is
 * too small for one frame each way and queue. */
int net_pv_init(struct net_pv *pv, const struct net_pv_conf *conf);
/* Detached. */
void net_pv_fini(struct net_pv *pv);

/* As life_ops.offer: what netif.h has of the back end's keys. 0, -EAGAIN or another
 * negative errno. */
int net_pv_offer(struct net_pv *pv);
/* As life_ops.connect: map the rings, bind the ports. @attach: the rings are live, go
 * on where they stand. 0; positive: the client's doing, logged; -EAGAIN: ask again;
 * another negative errno: our environment. Afterwards the owner unmasks the ports and
 * turns once. */
int net_pv_connect(struct net_pv *pv, bool attach, uint64_t now);
/* Take nothing more; conf.detached() follows, now or, if frames are on their way, in a
 * later turn. */
void net_pv_detach(struct net_pv *pv);

/* 0, or the negative errno with which our environment failed. */
int net_pv_turn(struct net_pv *pv, uint64_t now);
/* Monotonic time at which a turn is due though nothing happened, or UINT64_MAX. */
uint64_t net_pv_due(const struct net_pv *pv);
/* The loop is about to wait: ask to be woken. True if there is something to do. */
bool net_pv_arm(struct net_pv *pv);
/* A look, without that. */
bool net_pv_pending(const struct net_pv *pv);
/* The policy's limits have changed. */
void net_pv_limits(struct net_pv *pv, uint64_t now);

/* -- Its parts ------------------------------------------------------------------- */

/* net-pv-connect.c: unmap and unbind; 0 or a negative errno. */
int net_pv_close_queue(struct net_pv_queue *q);
/* net-pv.c: the queues are open: begin. */
void net_pv_start(struct net_pv *pv, uint64_t now);
/* net-pv.c: @why a ring is broken; the first counts. */
void net_pv_broken(struct net_pv *pv, const char *why);
/* net-pv.c: one more segment of the batch, which has room for it. */
void net_pv_add(struct net_pv *pv, struct gref ref, uint16_t offset, uint16_t len,
		const uint8_t *local, bool to_client);
/* net-pv.c: copy the batch, which is empty then. 0, and net_pv_copied() says of each
 * segment how it went; or a negative errno. */
int net_pv_copy(struct net_pv *pv);
/* All of these segments of the batch that was copied last were. */
bool net_pv_copied(const struct net_pv *pv, uint32_t first, uint32_t n);

/* net-pv-tx.c: take, copy and send what there is; 0 or a negative errno. */
int net_pv_transmit(struct net_pv_queue *q);
/* Put what is home into the ring, in its order. */
void net_pv_answer(struct net_pv_queue *q);
void net_pv_tx_done(struct net_tx *tx, enum net_status status);
/* A packet that a predecessor had answered in part is answered to its end, as one that
 * was lost: it may have been sent. */
void net_pv_finish_tx(struct net_pv_queue *q);
/* Forget what was taken: it stays in the ring. */
void net_pv_forget(struct net_pv_queue *q);

/* net-pv-rx.c: give frames to the client, as far as it has posted slots. */
int net_pv_receive(struct net_pv_queue *q);
/* A frame that a predecessor had given in part is ended so that the client drops it. */
void net_pv_finish_rx(struct net_pv_queue *q);

#endif
