/* SPDX-License-Identifier: MIT */
/* The verbs of the door on one ring: take, start, publish. See blk-queue.h. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "backends/blk/blk-pv.h"

/* What is taken in one turn ends with the request that reaches so many pages: of a
 * larger batch the client could not work on the first answer while we do on the last.
 * But where so many requests wait, it is many of them that share a system call. */
#define TAKE_PAGES 32
#define TAKE_DEEP  16

/* [impl->req~serving-allocates-nothing~1] */
int blk_queue_init(struct blk_queue *q, struct blk_pv *pv, uint32_t slots)
{
	assert(slots && !(slots & (slots - 1)));
	*q = (struct blk_queue){.pv = pv, .slots = slots};
	q->slot = calloc(slots, sizeof(*q->slot));
	if (!q->slot)
		return -ENOMEM;
	for (uint32_t i = 0; i < slots; i++) {
		q->slot[i].pv = pv;
		q->slot[i].queue = q;
		q->slot[i].rq.done = blk_slot_done;
	}
	return 0;
}

void blk_queue_fini(struct blk_queue *q)
{
	free(q->slot);
	q->slot = NULL;
}

void blk_queue_open(struct blk_queue *q)
{
	assert(q->ring.entries <= q->slots);
	q->gathered = q->ring.req_cons;
}

void blk_queue_turn(struct blk_queue *q)
{
	q->budget = q->ring.entries;
	q->pages = 0;
}

bool blk_queue_take(struct blk_queue *q, uint32_t max, uint64_t now)
{
	uint8_t entry[BLKIF_ENTRY_MAX];
	bool empty = false;
	uint32_t n = 0;

	if (q->gathered != q->ring.req_cons)
		return false;
	for (; n < max && q->budget; n++) {
		struct blk_slot *slot = blk_queue_slot(q, q->ring.req_cons);
		enum pv_ring_status status = pv_ring_take(&q->ring, entry);

		if (status == PV_RING_BROKEN)
			blk_pv_break(q->pv, "its request index passed its requests");
		empty = status == PV_RING_EMPTY;
		if (status != PV_RING_OK)
			break;
		blk_slot_take(slot, entry, now);
		if (!q->pages)
			q->deep = q->ring.req_prod - q->ring.req_cons >= TAKE_DEEP - 1;
		q->budget--;
		q->pages += slot->req.segments;
		if (q->pages >= TAKE_PAGES && !q->deep)
			q->budget = 0;
	}
	return n && q->budget && !empty;
}

/* Read the segment tables of what was taken, all in one batch. */
static int queue_tables(struct blk_queue *q)
{
	const struct blk_memory_ops *memory = q->pv->memory.ops;

	for (uint32_t i = q->gathered; i != q->ring.req_cons; i++) {
		struct blk_slot *slot = blk_queue_slot(q, i);
		int r;

		if (slot->state != BLK_SLOT_TAKEN || !slot->table_due)
			continue;
		r = memory->table(q->pv, slot);
		if (r < 0)
			return r;
		if (r == BLK_MEMORY_FULL)
			break;
	}
	return memory->flush(q->pv);
}

int blk_queue_start(struct blk_queue *q, uint64_t now, uint32_t *started)
{
	for (; q->gathered != q->ring.req_cons; q->gathered++, ++*started) {
		struct blk_slot *slot = blk_queue_slot(q, q->gathered);
		int r = slot->table_due ? queue_tables(q) : 0;

		if (!r && slot->state == BLK_SLOT_TAKEN)
			r = blk_slot_start(slot, now);
		if (r)
			return r;
	}
	return 0;
}

int blk_queue_publish(struct blk_queue *q, uint64_t now)
{
	struct blk_pv *pv = q->pv;
	uint8_t response[BLKIF_RESPONSE_MAX];
	int r;

	while (q->ring.rsp_prod != q->gathered) {
		struct blk_slot *slot = blk_queue_slot(q, q->ring.rsp_prod);
		unsigned size;

		if (slot->state != BLK_SLOT_READY)
			break;
		size = blkif_encode(pv->abi, &slot->req, slot->answer, response);
		pv_ring_put(&q->ring, response, size);
		blk_slot_answered(slot, now);
	}
	if (q->ring.rsp_prod == q->ring.pushed)
		return 0;
	pv->stats.pushes++;
	if (!pv_ring_push(&q->ring))
		return 0;
	pv->stats.notifies++;
	r = evtchn_notify(pv->conf.keys.evtchn, q->port);
	return r < 0 ? r : 0;
}

bool blk_queue_more(struct blk_queue *q)
{
	return q->gathered == q->ring.req_cons && pv_ring_final_check(&q->ring);
}

bool blk_queue_pending(const struct blk_queue *q)
{
	return q->gathered == q->ring.req_cons && pv_ring_pending(&q->ring);
}

int blk_queue_close(struct blk_queue *q)
{
	int r, result = grants_unmap(q->pv->conf.keys.grants, &q->ring_map);

	r = evtchn_unbind(q->pv->conf.keys.evtchn, q->port);
	for (uint32_t i = 0; i < q->slots; i++)
		q->slot[i].state = BLK_SLOT_FREE;
	return r < 0 ? r : result < 0 ? result : 0;
}
