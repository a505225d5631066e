/* SPDX-License-Identifier: MIT */
/*
 * One queue of a disk's PV door: a shared ring, its event channel, and a slot
 * for each of its entries.
 *
 * Not the device: what all queues share (pages, requests in flight, rates, the
 * barrier) is struct blk_pv's, and blk-pv.h has the invariants. Ring indices,
 * all 32 bits and wrapping:
 *
 *     rsp_prod <= gathered <= req_cons <= rsp_prod + ring entries
 *
 * Slots below gathered are with the core or further; those from gathered on
 * are TAKEN, or READY because they were refused. The window never holds more
 * slots than the queue has, so that an index names its slot.
 */
#ifndef XDD_BLK_QUEUE_H
#define XDD_BLK_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/blk/blk-policy.h"
#include "backends/blk/blk.h"
#include "backends/blk/blkif.h"
#include "backends/door/pv-ring.h"
#include "common/log.h"
#include "grant-mem/grants.h"
#include "policy/ids.h"
#include "policy/toll.h"

#define BLK_QUEUES_MAX BLK_POLICY_QUEUES_MAX
/* Entries of a ring of one page, whatever the ABI; of 2^n pages 2^n as many. */
#define BLK_QUEUE_PAGE_SLOTS 32u
#define BLK_QUEUE_SLOTS_MAX  (BLK_QUEUE_PAGE_SLOTS * GRANTS_RING_MAX)

struct blk_pv;
struct blk_queue;

/* What a slot may become is blk_slot_moves' in blk-slot.c. */
enum blk_slot_state {
	BLK_SLOT_FREE,
	BLK_SLOT_TAKEN,	  /* off the ring, decoded */
	BLK_SLOT_COPYING, /* waits for the batch that fetches its data */
	BLK_SLOT_BUSY,	  /* with the core */
	BLK_SLOT_DONE,	  /* home; its pages are still held */
	BLK_SLOT_READY,	  /* only to be published, in its turn */
	BLK_SLOT_STATES,
};

/* The slot of ring index i is slot[i % slots]. */
struct blk_slot {
	struct blk_request rq; /* the core's */
	struct blk_pv *pv;
	struct blk_queue *queue;
	struct blk_slot *next; /* of pv->done */
	enum blk_slot_state state;
	enum blkif_rsp answer;
	bool malformed;
	bool table_due; /* indirect, and its segment table was not read yet */
	struct toll_paid paid;
	uint64_t taken_at; /* monotonic */
	uint32_t pages;	   /* held, in page[] */
	struct blkif_request req;
	struct iovec iov[BLKIF_INDIRECT_MAX];
	uint32_t page[BLKIF_INDIRECT_MAX];
};

struct blk_queue {
	struct blk_pv *pv;
	struct blk_slot *slot;
	uint32_t slots; /* a power of two, no less than ring.entries */
	struct grants_map ring_map;
	struct evport port; /* for the owner: pending, unmask */
	struct pv_ring ring;
	uint32_t gathered; /* ring index: the first that did not get its pages */
	uint32_t budget;   /* still to be taken in this turn */
	uint32_t pages;	   /* of what was taken in it */
	bool deep;	   /* many waited when it began */
};

/* blk-queue.c: the verbs on a ring. */

/* Allocates @slots slots. 0 or -ENOMEM. */
int blk_queue_init(struct blk_queue *q, struct blk_pv *pv, uint32_t slots);
void blk_queue_fini(struct blk_queue *q);
/* The ring is mapped, initialised and bound: serve it. */
void blk_queue_open(struct blk_queue *q);
/* A turn begins. */
void blk_queue_turn(struct blk_queue *q);
/* Take up to @max requests off the ring, unless older ones still wait. True if
 * there may be more. */
bool blk_queue_take(struct blk_queue *q, uint32_t max, uint64_t now);
/* Start the oldest requests that wait, in order, until one must wait on: 0, all
 * were started; else it is @waits, or a negative errno. *@started counts them. */
#define BLK_QUEUE_WAITS 1
int blk_queue_start(struct blk_queue *q, uint64_t now, uint32_t *started);
/* Answer what is READY, in ring order: one push, one notify check. */
int blk_queue_publish(struct blk_queue *q, uint64_t now);
/* All was started. True if the ring has more, or may have; else it will wake us. */
bool blk_queue_more(struct blk_queue *q);
/* The same without asking to be woken. */
bool blk_queue_pending(const struct blk_queue *q);
/* Let go of ring and port. 0 or a negative errno. */
int blk_queue_close(struct blk_queue *q);

static inline struct blk_slot *blk_queue_slot(struct blk_queue *q, uint32_t index)
{
	return &q->slot[index & (q->slots - 1)];
}

/* blk-slot.c: one request on its way from ring to core and back. */

/* Off the ring: decode @entry. */
void blk_slot_take(struct blk_slot *slot, const uint8_t *entry, uint64_t now);
/* Pages, rates and what else it needs: 0, it is on its way, or was failed;
 * BLK_QUEUE_WAITS; or a negative errno. */
int blk_slot_start(struct blk_slot *slot, uint64_t now);
/* It is published. */
void blk_slot_answered(struct blk_slot *slot, uint64_t now);
/* The done() of the core's request. */
void blk_slot_done(struct blk_request *rq, enum blk_status status);

/* For blk-memory-*.c: the slot's data is in place, or cannot be had. */
void blk_slot_submit(struct blk_slot *slot);
void blk_slot_fail(struct blk_slot *slot, const char *why);
/* Its pages are given back. */
void blk_slot_ready(struct blk_slot *slot);
/* Its table is in, private bytes. */
void blk_slot_table(struct blk_slot *slot, const uint8_t *table);
/* Its data comes from the client: a write, or a barrier's. */
static inline bool blk_slot_writes(const struct blk_slot *slot)
{
	return slot->req.op == BLKIF_WRITE || slot->req.op == BLKIF_WRITE_BARRIER;
}

#endif
