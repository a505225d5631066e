/* SPDX-License-Identifier: MIT */
/*
 * The PV door of a disk: Xen's blkif rings on one side, the block core on the
 * other. One device of one client, one or more queues (blk-queue.h).
 *
 * Not the device's life (xenbus/life.h says when to offer, connect and
 * detach), and not the event loop: blk_pv_turn() is called once a turn.
 *
 * Invariants:
 *  1. answers of a queue are published in ring order: a request that is done
 *     waits for the older ones. So each slot of the shared ring between
 *     rsp_prod and req_prod still holds its request, and a back end that died
 *     is replaced by one that attaches at rsp_prod and runs those requests
 *     again: each ring is its queue's journal. (Reads, writes, flushes,
 *     barriers and discards may be repeated before they are answered;
 *     pv-ring.h, invariant 5.) The price: a slow flush holds back the answers
 *     that are younger than it;
 *  2. a request's pages are unmapped before its answer is published, but for
 *     those that a client with persistent grants lets us keep;
 *  3. no more than DataPages pages are mapped, no more than InFlight requests
 *     are with the core, over all queues: a request that does not fit waits,
 *     in order;
 *  4. one push and one notify check a turn and queue;
 *  5. no memory is unmapped while a slot is with the core;
 *  6. nothing allocates after blk_pv_init();
 *  7. a barrier starts when nothing is with the core, and nothing starts before
 *     it is home, in whichever queue;
 *  8. queues take turns: one that started something hands the turn on, one that
 *     must wait for what they share keeps it. So none waits longer than the
 *     others' batches, and a large request is not passed by small ones for ever.
 *
 * Source: xen/io/blkif.h, xen/io/ring.h, xen/io/protocols.h.
 */
#ifndef XDD_BLK_PV_H
#define XDD_BLK_PV_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/blk/blk-memory.h"
#include "backends/blk/blk-policy.h"
#include "backends/blk/blk-queue.h"
#include "backends/blk/blk.h"
#include "backends/door/keys.h"
#include "common/histogram.h"
#include "policy/policy.h"
#include "policy/toll.h"

struct blk_pv;

/* All of it outlives the door; @policy may change in place (blk_pv_limits). */
struct blk_pv_conf {
	const struct policy *policy;
	const struct blk_policy *block;
	struct blk *blk;
	struct keys keys;
	void *owner;
	/* The client broke the ring: its device fails. Once a connection, as the
	 * last act of a turn; blk_pv_detach() may be called from within. */
	void (*broken)(struct blk_pv *pv, const char *why);
	/* All slots are home, nothing is mapped, the port is unbound. */
	void (*detached)(struct blk_pv *pv);
};

enum blk_pv_state { BLK_PV_DOWN, BLK_PV_UP, BLK_PV_STOPPING };

struct blk_pv_stats {
	uint64_t requests; /* taken off the rings */
	uint64_t answers;
	uint64_t malformed, refused;
	uint64_t errors; /* answers that were not BLKIF_OKAY */
	uint64_t pushes, notifies;
	/* From being taken to being answered, by what was asked for; to the turn
	 * of the loop. What was malformed is not in it. */
	struct histogram latency[BLK_OPS];
};

struct blk_pv {
	struct blk_pv_conf conf;
	struct blk_queue *queue;
	uint32_t max_queues; /* that are offered */
	unsigned ring_order; /* of each queue's ring, at most */
	struct blk_memory memory;

	enum blk_pv_state state;
	const char *why; /* a ring is broken, or NULL */
	bool told;	 /* conf.broken() was called */
	int error;	 /* our environment failed */

	enum blkif_abi abi;
	bool persistent; /* the front end lets us keep its pages mapped */
	unsigned indirect_max;
	uint64_t sectors; /* that the directory says */
	uint32_t queues;  /* connected */
	uint32_t turn;	  /* the queue whose turn it is (invariant 8) */

	uint32_t busy;		  /* slots that are COPYING or BUSY */
	struct blk_slot *barrier; /* among them, or NULL */
	struct blk_slot *done;	  /* DONE, to be released, oldest first */
	struct blk_slot *done_last;
	bool freed; /* since it was cleared, busy has shrunk */

	struct toll toll;
	uint64_t now, due; /* of the last turn, of the next */
	struct blk_pv_stats stats;
};

/* Before sealing. 0 or a negative errno; -EINVAL: the policy's memory keys
 * leave no room for a request of 11 segments. */
int blk_pv_init(struct blk_pv *pv, const struct blk_pv_conf *conf);
/* Detached. */
void blk_pv_fini(struct blk_pv *pv);

/* As life_ops.offer: features and geometry, before InitWait. 0, -EAGAIN or
 * another negative errno. */
int blk_pv_offer(struct blk_pv *pv);
/* As life_ops.connect: map the rings, bind the ports (pv->queue[i].port). @attach: the
 * rings are live, go on at their rsp_prod. 0; positive: the client's doing, logged;
 * -EAGAIN: ask again; another negative errno: our environment. Afterwards the
 * owner unmasks the ports and turns once. */
int blk_pv_connect(struct blk_pv *pv, bool attach, uint64_t now);
/* Take nothing more; conf.detached() follows, now or in a later turn. */
void blk_pv_detach(struct blk_pv *pv);

/* To be called once a turn of the loop, after its callbacks, whatever woke it:
 * answer what is done, take and start what is new. 0, or the negative errno
 * with which our environment failed: the process ends then, and leaves the
 * client's device as it is. */
int blk_pv_turn(struct blk_pv *pv, uint64_t now);
/* Monotonic time at which a turn is due though nothing happened: a rate's next
 * token, or @now's past for "at once". UINT64_MAX: none. */
uint64_t blk_pv_due(const struct blk_pv *pv);
/* Before a wait, after a turn: have the client wake us by its next request. True if
 * there is one already, and the next turn is due. */
bool blk_pv_arm(struct blk_pv *pv);
/* A look without that: there is a request that may be taken. */
bool blk_pv_pending(const struct blk_pv *pv);
/* About once a second: gives back what a client does not use. 0 or a negative
 * errno, as blk_pv_turn(). */
int blk_pv_tick(struct blk_pv *pv, uint64_t now);
/* The disk has a size that the back-end directory does not say: say it. 1: said,
 * the owner writes its state again, so that the front end looks; 0: nothing is
 * new, or the store is busy; or a negative errno. */
int blk_pv_resized(struct blk_pv *pv);
/* The policy's InFlight, Operations or Bytes changed. */
void blk_pv_limits(struct blk_pv *pv, uint64_t now);

/* The turn's part of connecting, for blk-pv-connect.c. */
void blk_pv_start(struct blk_pv *pv, uint64_t now);

/* For blk-queue.c: a ring is not as it may be; the first word counts. */
void blk_pv_break(struct blk_pv *pv, const char *why);

#endif
