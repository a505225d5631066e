/* SPDX-License-Identifier: MIT */
/*
 * The PV door of a disk: Xen's blkif ring on one side, the block core on the
 * other. One device of one client, one ring.
 *
 * Not the device's life (xenbus/life.h says when to offer, connect and
 * detach), and not the event loop: blk_pv_turn() is called once a turn.
 *
 * Invariants:
 *  1. answers are published in ring order: a request that is done waits for
 *     the older ones. So each slot of the shared ring between rsp_prod and
 *     req_prod still holds its request, and a back end that died is replaced
 *     by one that attaches at rsp_prod and runs those requests again: the ring
 *     is the journal. (Reads, writes, flushes and discards may be repeated
 *     before they are answered; pv-ring.h, invariant 5.)
 *  2. a request's pages are unmapped before its answer is published, but for
 *     those that a client with persistent grants lets us keep;
 *  3. no more than DataPages pages are mapped, no more than InFlight requests
 *     are with the core: a request that does not fit waits, in order;
 *  4. one push and one notify check a turn;
 *  5. no memory is unmapped while a slot is with the core;
 *  6. nothing allocates after blk_pv_init().
 *
 * Source: xen/io/blkif.h, xen/io/ring.h, xen/io/protocols.h.
 */
#ifndef XDD_BLK_PV_H
#define XDD_BLK_PV_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/blk/blk-memory.h"
#include "backends/blk/blk-policy.h"
#include "backends/blk/blk.h"
#include "backends/blk/blkif.h"
#include "backends/door/pv-ring.h"
#include "common/log.h"
#include "grant-mem/grants.h"
#include "policy/policy.h"
#include "policy/rate.h"
#include "xenbus/evtchn.h"
#include "xenbus/store.h"

#define BLK_PV_SLOTS 512 /* entries of the largest ring, 16 pages */

struct blk_pv;

/* All of it outlives the door; @policy may change in place (blk_pv_limits). */
struct blk_pv_conf {
	const struct policy *policy;
	const struct blk_policy *block;
	struct blk *blk;
	struct grants *grants;
	struct evtchn *evtchn;
	struct store *store;
	struct log *log;
	void *owner;
	/* The client broke the ring: its device fails. Once a connection, as the
	 * last act of a turn; blk_pv_detach() may be called from within. */
	void (*broken)(struct blk_pv *pv, const char *why);
	/* All slots are home, nothing is mapped, the port is unbound. */
	void (*detached)(struct blk_pv *pv);
};

/* What a slot may become is blk_slot_moves' in blk-pv.c. */
enum blk_slot_state {
	BLK_SLOT_FREE,
	BLK_SLOT_TAKEN,	  /* off the ring, decoded */
	BLK_SLOT_COPYING, /* waits for the batch that fetches its data */
	BLK_SLOT_BUSY,	  /* with the core */
	BLK_SLOT_DONE,	  /* home; its pages are still held */
	BLK_SLOT_READY,	  /* only to be published, in its turn */
	BLK_SLOT_STATES,
};

/* The slot of ring index i is slot[i % BLK_PV_SLOTS]. */
struct blk_slot {
	struct blk_request rq; /* the core's */
	struct blk_pv *pv;
	enum blk_slot_state state;
	enum blkif_rsp answer;
	bool table_due; /* indirect, and its segment table was not read yet */
	bool paid_op;	/* of the rates */
	bool paid_bytes;
	uint32_t pages; /* held, in page[] */
	struct blkif_request req;
	struct iovec iov[BLKIF_INDIRECT_MAX];
	uint32_t page[BLKIF_INDIRECT_MAX];
};

enum blk_pv_state { BLK_PV_DOWN, BLK_PV_UP, BLK_PV_STOPPING };

struct blk_pv_stats {
	uint64_t requests; /* taken off the ring */
	uint64_t malformed, refused;
	uint64_t pushes, notifies;
};

struct blk_pv {
	struct blk_pv_conf conf;
	struct blk_slot *slot;
	struct blk_memory memory;

	enum blk_pv_state state;
	const char *why; /* the ring is broken, or NULL */
	bool told;	 /* conf.broken() was called */
	int error;	 /* our environment failed */

	enum blkif_abi abi;
	bool persistent; /* the front end lets us keep its pages mapped */
	unsigned indirect_max;
	struct grants_map ring_map;
	struct evport port; /* for the owner: pending, unmask */
	struct pv_ring ring;

	uint32_t gathered; /* ring index: the first that did not get its pages */
	bool empty;	   /* the ring said so when it was looked at last */
	uint32_t busy;	   /* slots that are COPYING or BUSY */
	uint16_t done[BLK_PV_SLOTS];
	uint32_t ndone;

	struct rate operations, bytes;
	uint64_t due;
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
/* As life_ops.connect: map the ring, bind the port (pv->port). @attach: the
 * ring is live, go on at its rsp_prod. 0; positive: the client's doing, logged;
 * -EAGAIN: ask again; another negative errno: our environment. Afterwards the
 * owner unmasks the port and turns once. */
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
/* The policy's InFlight, Operations or Bytes changed. */
void blk_pv_limits(struct blk_pv *pv, uint64_t now);

/* The turn's part of connecting, for blk-pv-connect.c. */
void blk_pv_start(struct blk_pv *pv, uint64_t now);

/* For blk-memory-*.c: the slot's data is in place, or cannot be had. */
void blk_slot_submit(struct blk_slot *slot);
void blk_slot_fail(struct blk_slot *slot, const char *why);
/* Its pages are given back. */
void blk_slot_ready(struct blk_slot *slot);
/* Its table is in, private bytes. */
void blk_slot_table(struct blk_slot *slot, const uint8_t *table);
static inline struct blk_slot *blk_pv_slot(struct blk_pv *pv, uint32_t index)
{
	return &pv->slot[index % BLK_PV_SLOTS];
}

#endif
