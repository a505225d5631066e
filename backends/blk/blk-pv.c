/* SPDX-License-Identifier: MIT */
/*
 * The five verbs of the door: take, decode, gather, submit, reply. What is
 * said in xenstore, and the ring's set-up, is blk-pv-connect.c.
 *
 * Ring indices, all 32 bits and wrapping:
 *
 *     rsp_prod <= gathered <= req_cons <= rsp_prod + ring entries
 *
 * Slots below gathered are with the core or further; those from gathered on
 * are TAKEN, or READY because they were refused. The window never holds more
 * than BLK_PV_SLOTS slots, so that an index names its slot.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "backends/blk/blk-pv.h"

#define TAKE_BATCH 64 /* taken before any is started: shares one copy call */

#define MOVE(state) (1u << BLK_SLOT_##state)

static const uint8_t blk_slot_moves[BLK_SLOT_STATES] = {
	[BLK_SLOT_FREE] = MOVE(TAKEN),
	[BLK_SLOT_TAKEN] = MOVE(COPYING) | MOVE(BUSY) | MOVE(READY),
	[BLK_SLOT_COPYING] = MOVE(BUSY) | MOVE(READY),
	[BLK_SLOT_BUSY] = MOVE(DONE),
	[BLK_SLOT_DONE] = MOVE(READY),
	[BLK_SLOT_READY] = MOVE(FREE),
};

static void slot_move(struct blk_slot *slot, enum blk_slot_state to)
{
	struct blk_pv *pv = slot->pv;
	bool was = slot->state == BLK_SLOT_COPYING || slot->state == BLK_SLOT_BUSY;
	bool is = to == BLK_SLOT_COPYING || to == BLK_SLOT_BUSY;

	assert(blk_slot_moves[slot->state] & (1u << to));
	assert(to != BLK_SLOT_FREE || !slot->pages);
	pv->busy += (uint32_t)is;
	pv->busy -= (uint32_t)was;
	slot->state = to;
}

/* -- From the core, and from blk-memory-*.c -------------------------------- */

static enum blkif_rsp slot_answer(enum blk_status status)
{
	switch (status) {
	case BLK_OK:
		return BLKIF_OKAY;
	case BLK_UNSUPPORTED:
		return BLKIF_EOPNOTSUPP;
	case BLK_IOERR:
	case BLK_NOSPACE:
	case BLK_FAULT:
	case BLK_OUT_OF_RANGE:
	case BLK_MISALIGNED:
	case BLK_READ_ONLY:
		return BLKIF_ERROR;
	}
	return BLKIF_ERROR;
}

static void slot_log(struct blk_slot *slot, enum log_level level, const char *why)
{
	static const char *const names[] = {"read",	"write",   "barrier", "flush",
					    "reserved", "discard", "indirect"};
	unsigned op = slot->req.operation;

	log_line(slot->pv->conf.log, level, "%s at sector %llu failed: %s",
		 op < sizeof(names) / sizeof(names[0]) ? names[op]
						       : "unknown operation",
		 (unsigned long long)slot->req.sector, why);
}

static void slot_done(struct blk_request *rq, enum blk_status status)
{
	struct blk_slot *slot = (struct blk_slot *)rq;
	struct blk_pv *pv = slot->pv;

	slot->answer = slot_answer(status);
	if (status == BLK_IOERR || status == BLK_NOSPACE || status == BLK_FAULT)
		slot_log(slot, LOG_LEVEL_ERROR, blk_status_name(status));
	else if (status != BLK_OK)
		slot_log(slot, LOG_LEVEL_WARNING, blk_status_name(status));
	slot_move(slot, BLK_SLOT_DONE);
	pv->done[pv->ndone++] = (uint16_t)(slot - pv->slot);
}

void blk_slot_submit(struct blk_slot *slot)
{
	slot_move(slot, BLK_SLOT_BUSY);
	blk_submit(slot->pv->conf.blk, &slot->rq);
}

void blk_slot_fail(struct blk_slot *slot, const char *why)
{
	slot->pv->stats.refused++;
	slot->answer = BLKIF_ERROR;
	slot_log(slot, LOG_LEVEL_WARNING, why);
	slot_move(slot, BLK_SLOT_READY);
}

void blk_slot_ready(struct blk_slot *slot)
{
	slot_move(slot, BLK_SLOT_READY);
}

static void slot_malformed(struct blk_slot *slot, enum blkif_verdict verdict)
{
	slot->pv->stats.malformed++;
	slot->answer = verdict == BLKIF_UNSUPPORTED ? BLKIF_EOPNOTSUPP : BLKIF_ERROR;
	slot_log(slot, LOG_LEVEL_WARNING,
		 verdict == BLKIF_UNSUPPORTED ? "not offered" : "malformed");
	slot_move(slot, BLK_SLOT_READY);
}

void blk_slot_table(struct blk_slot *slot, const uint8_t *table)
{
	enum blkif_verdict verdict = blkif_decode_table(table, &slot->req);

	slot->table_due = false;
	if (verdict != BLKIF_GOOD)
		slot_malformed(slot, verdict);
}

/* -- Take, decode ----------------------------------------------------------- */

static void pv_break(struct blk_pv *pv, const char *why)
{
	if (!pv->why)
		pv->why = why;
}

static void pv_decode(struct blk_pv *pv, struct blk_slot *slot, const uint8_t *entry)
{
	enum blkif_verdict verdict;

	assert(slot->state == BLK_SLOT_FREE);
	verdict = blkif_decode(pv->abi, entry, pv->indirect_max, &slot->req);
	slot->table_due = slot->req.indirect;
	slot->paid_op = slot->paid_bytes = false;
	pv->stats.requests++;
	slot_move(slot, BLK_SLOT_TAKEN);
	if (verdict != BLKIF_GOOD)
		slot_malformed(slot, verdict);
}

/* Take a batch, unless older requests still wait. Returns what was taken. */
static uint32_t pv_take(struct blk_pv *pv, uint32_t budget)
{
	uint8_t entry[BLKIF_ENTRY_MAX];
	uint32_t n = 0;

	if (pv->state != BLK_PV_UP || pv->why || pv->gathered != pv->ring.req_cons)
		return 0;
	pv->empty = false;
	for (; n < budget && n < TAKE_BATCH; n++) {
		struct blk_slot *slot = blk_pv_slot(pv, pv->ring.req_cons);
		enum pv_ring_status status = pv_ring_take(&pv->ring, entry);

		if (status == PV_RING_BROKEN)
			pv_break(pv, "its request index passed its requests");
		pv->empty = status == PV_RING_EMPTY;
		if (status != PV_RING_OK)
			break;
		pv_decode(pv, slot, entry);
	}
	return n;
}

/* -- Gather, submit --------------------------------------------------------- */

/* Read the segment tables of what was taken, all in one batch. */
static int pv_tables(struct blk_pv *pv)
{
	for (uint32_t i = pv->gathered; i != pv->ring.req_cons; i++) {
		struct blk_slot *slot = blk_pv_slot(pv, i);
		int r;

		if (slot->state != BLK_SLOT_TAKEN || !slot->table_due)
			continue;
		r = pv->memory.ops->table(pv, slot);
		if (r < 0)
			return r;
		if (r == BLK_MEMORY_FULL)
			break;
	}
	return pv->memory.ops->flush(pv);
}

/* True if the rates let the slot pass; else when they will is in pv->due. */
static bool pv_pay(struct blk_pv *pv, struct blk_slot *slot, uint64_t now)
{
	bool moves = slot->req.op == BLKIF_READ || slot->req.op == BLKIF_WRITE;
	uint64_t wait = 0, due;

	if (!slot->paid_op) {
		wait = rate_take(&pv->operations, 1, now);
		slot->paid_op = !wait;
	}
	if (!wait && moves && !slot->paid_bytes) {
		wait = rate_take(&pv->bytes, slot->req.sectors * BLKIF_SECTOR, now);
		slot->paid_bytes = !wait;
	}
	due = wait > UINT64_MAX - now ? UINT64_MAX : now + wait;
	if (wait && due < pv->due)
		pv->due = due;
	return !wait;
}

/* A page that this policy lets us only read cannot take what a disk reads. */
static bool pv_may(const struct blk_pv *pv, enum blkif_op op)
{
	enum policy_pages pages = pv->conf.policy->client_pages;

	if (op == BLKIF_READ)
		return pages & POLICY_WRITABLE;
	if (op == BLKIF_WRITE)
		return pages & POLICY_READABLE;
	return true;
}

static enum blk_op pv_op(enum blkif_op op)
{
	switch (op) {
	case BLKIF_READ:
		return BLK_READ;
	case BLKIF_WRITE:
		return BLK_WRITE;
	case BLKIF_FLUSH:
		return BLK_FLUSH;
	case BLKIF_DISCARD:
		return BLK_DISCARD;
	case BLKIF_WRITE_BARRIER:
	case BLKIF_RESERVED_1:
	case BLKIF_INDIRECT:
		break;
	}
	assert(!"decoded (blkif.h, invariant 1)");
	return BLK_READ;
}

/* An enum blk_memory_status, or a negative errno. */
static int pv_start(struct blk_pv *pv, struct blk_slot *slot)
{
	int r = BLK_MEMORY_OK;

	if (!pv_may(pv, slot->req.op)) {
		blk_slot_fail(slot, "ClientPages does not allow it");
		return BLK_MEMORY_REFUSED;
	}
	slot->rq.op = pv_op(slot->req.op);
	slot->rq.sector = slot->req.sector;
	slot->rq.sectors = slot->req.sectors;
	slot->rq.iov = slot->iov;
	slot->rq.niov = 0;
	if (slot->req.op == BLKIF_READ || slot->req.op == BLKIF_WRITE)
		r = pv->memory.ops->gather(pv, slot);
	if (r == BLK_MEMORY_OK)
		blk_slot_submit(slot);
	else if (r == BLK_MEMORY_LATER)
		slot_move(slot, BLK_SLOT_COPYING);
	return r;
}

/* Start the oldest requests that wait, in order, until one must wait on. */
static int pv_gather(struct blk_pv *pv, uint64_t now)
{
	int r;

	if (pv->gathered == pv->ring.req_cons || pv->state != BLK_PV_UP)
		return 0;
	r = pv_tables(pv);
	while (r >= 0 && pv->gathered != pv->ring.req_cons) {
		struct blk_slot *slot = blk_pv_slot(pv, pv->gathered);

		if (slot->state == BLK_SLOT_TAKEN) {
			if (pv->busy >= pv->conf.policy->in_flight)
				break;
			if (!slot->table_due && !pv_pay(pv, slot, now))
				break;
			r = slot->table_due ? BLK_MEMORY_FULL : pv_start(pv, slot);
			if (r < 0)
				break;
		}
		if (r == BLK_MEMORY_FULL) {
			/* Nobody will come home to make room: it never fits. */
			if (pv->busy || pv->ndone)
				break;
			blk_slot_fail(slot, "it needs more pages than DataPages");
		}
		r = 0;
		pv->gathered++;
	}
	if (r < 0)
		return r;
	return pv->memory.ops->flush(pv);
}

/* -- Reply ------------------------------------------------------------------ */

/* Take back the memory of what came home. */
static int pv_release(struct blk_pv *pv)
{
	int r = 0;

	for (uint32_t i = 0; i < pv->ndone && r >= 0; i++)
		r = pv->memory.ops->release(pv, &pv->slot[pv->done[i]]);
	pv->ndone = 0;
	return r < 0 ? r : pv->memory.ops->flush(pv);
}

static int pv_publish(struct blk_pv *pv)
{
	uint8_t response[BLKIF_RESPONSE_MAX];
	int r;

	while (pv->ring.rsp_prod != pv->ring.req_cons) {
		struct blk_slot *slot = blk_pv_slot(pv, pv->ring.rsp_prod);
		unsigned size;

		if (slot->state != BLK_SLOT_READY || pv->ring.rsp_prod == pv->gathered)
			break;
		size = blkif_encode(pv->abi, &slot->req, slot->answer, response);
		pv_ring_put(&pv->ring, response, size);
		slot_move(slot, BLK_SLOT_FREE);
	}
	if (pv->ring.rsp_prod == pv->ring.pushed)
		return 0;
	pv->stats.pushes++;
	if (!pv_ring_push(&pv->ring))
		return 0;
	pv->stats.notifies++;
	r = evtchn_notify(pv->conf.evtchn, pv->port);
	return r < 0 ? r : 0;
}

/* -- The turn --------------------------------------------------------------- */

static int pv_serve(struct blk_pv *pv, uint64_t now)
{
	uint32_t budget = pv->ring.entries, took;
	int r;

	pv->due = UINT64_MAX;
	do {
		r = pv_release(pv);
		if (r < 0)
			return r;
		took = pv_take(pv, budget);
		budget -= took;
		r = pv_gather(pv, now);
		if (r < 0)
			return r;
	} while (pv->ndone || (took && budget && !pv->empty));
	if (pv->why)
		return 0;
	r = pv_publish(pv);
	if (r < 0 || pv->state != BLK_PV_UP || pv->gathered != pv->ring.req_cons)
		return r;
	/* All was started: sleep, unless there is more. */
	if (!pv->empty || pv_ring_final_check(&pv->ring))
		pv->due = now;
	return 0;
}

/* Invariant 5: nothing is with the core. */
static void pv_end(struct blk_pv *pv)
{
	int r = pv_release(pv);

	if (!r && !pv->why)
		r = pv_publish(pv);
	for (uint32_t i = 0; i < BLK_PV_SLOTS; i++)
		pv->slot[i].state = BLK_SLOT_FREE;
	if (!r)
		r = pv->memory.ops->clear(pv);
	if (r >= 0)
		r = grants_unmap(pv->conf.grants, &pv->ring_map);
	if (r >= 0)
		r = evtchn_unbind(pv->conf.evtchn, pv->port);
	pv->state = BLK_PV_DOWN;
	pv->due = UINT64_MAX;
	if (r < 0)
		pv->error = r;
	else
		pv->conf.detached(pv);
}

int blk_pv_turn(struct blk_pv *pv, uint64_t now)
{
	if (pv->error || pv->state == BLK_PV_DOWN)
		return pv->error;
	pv->error = pv_serve(pv, now);
	if (pv->error)
		return pv->error;
	if (pv->state == BLK_PV_STOPPING && !pv->busy) {
		pv_end(pv);
	} else if (pv->why && !pv->told) {
		pv->told = true;
		pv->conf.broken(pv, pv->why);
	}
	return pv->error;
}

void blk_pv_detach(struct blk_pv *pv)
{
	if (pv->state != BLK_PV_UP)
		return;
	pv->state = BLK_PV_STOPPING;
	if (!pv->busy && !pv->error)
		pv_end(pv);
}

uint64_t blk_pv_due(const struct blk_pv *pv)
{
	return pv->state == BLK_PV_DOWN ? UINT64_MAX : pv->due;
}

void blk_pv_limits(struct blk_pv *pv, uint64_t now)
{
	if (pv->state == BLK_PV_DOWN)
		return;
	rate_change(&pv->operations, pv->conf.policy->operations, now);
	rate_change(&pv->bytes, pv->conf.policy->bytes, now);
	pv->due = now;
}

void blk_pv_start(struct blk_pv *pv, uint64_t now)
{
	pv->gathered = pv->ring.req_cons;
	pv->empty = false;
	pv->why = NULL;
	pv->told = false;
	assert(!pv->busy && !pv->ndone);
	rate_init(&pv->operations, pv->conf.policy->operations, now);
	rate_init(&pv->bytes, pv->conf.policy->bytes, now);
	pv->due = now;
	pv->state = BLK_PV_UP;
}

int blk_pv_init(struct blk_pv *pv, const struct blk_pv_conf *conf)
{
	int r;

	if (conf->policy->data_pages < BLKIF_SEGMENTS_MAX)
		return -EINVAL;
	*pv = (struct blk_pv){.conf = *conf, .due = UINT64_MAX};
	pv->memory.ops = conf->policy->mode == POLICY_COPY ? &blk_memory_copy_ops
							   : &blk_memory_map_ops;
	pv->slot = calloc(BLK_PV_SLOTS, sizeof(*pv->slot));
	if (!pv->slot)
		return -ENOMEM;
	r = pv->memory.ops->init(pv);
	if (r) {
		free(pv->slot);
		return r;
	}
	for (uint32_t i = 0; i < BLK_PV_SLOTS; i++) {
		pv->slot[i].pv = pv;
		pv->slot[i].rq.done = slot_done;
	}
	return 0;
}

void blk_pv_fini(struct blk_pv *pv)
{
	assert(pv->state == BLK_PV_DOWN || pv->error);
	pv->memory.ops->fini(pv);
	free(pv->slot);
	*pv = (struct blk_pv){0};
}
