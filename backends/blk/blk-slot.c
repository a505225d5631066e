/* SPDX-License-Identifier: MIT */
/* One request on its way from ring to core and back: see blk-queue.h. */
#include <assert.h>

#include "backends/blk/blk-pv.h"

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
	pv->freed |= was && !is;
	slot->state = to;
	/* Invariant 7: a barrier has the core to itself. */
	if (is && slot->req.op == BLKIF_WRITE_BARRIER)
		pv->barrier = slot;
	else if (was && pv->barrier == slot)
		pv->barrier = NULL;
	assert(!is || !pv->barrier || pv->busy == 1);
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

	log_line(slot->pv->conf.keys.log, level, "%s at sector %llu failed: %s",
		 op < sizeof(names) / sizeof(names[0]) ? names[op]
						       : "unknown operation",
		 (unsigned long long)slot->req.sector, why);
}

void blk_slot_done(struct blk_request *rq, enum blk_status status)
{
	struct blk_slot *slot = (struct blk_slot *)rq;
	struct blk_pv *pv = slot->pv;

	slot->answer = slot_answer(status);
	if (status == BLK_IOERR || status == BLK_NOSPACE || status == BLK_FAULT)
		slot_log(slot, LOG_LEVEL_ERROR, blk_status_name(status));
	else if (status != BLK_OK)
		slot_log(slot, LOG_LEVEL_WARNING, blk_status_name(status));
	slot_move(slot, BLK_SLOT_DONE);
	slot->next = NULL;
	*(pv->done ? &pv->done_last->next : &pv->done) = slot;
	pv->done_last = slot;
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

/* -- Off the ring ------------------------------------------------------------ */

static void slot_malformed(struct blk_slot *slot, enum blkif_verdict verdict)
{
	slot->pv->stats.malformed++;
	slot->malformed = true;
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

void blk_slot_take(struct blk_slot *slot, const uint8_t *entry, uint64_t now)
{
	struct blk_pv *pv = slot->pv;
	enum blkif_verdict verdict;

	assert(slot->state == BLK_SLOT_FREE);
	verdict = blkif_decode(pv->abi, entry, pv->indirect_max, &slot->req);
	slot->table_due = verdict == BLKIF_GOOD && slot->req.indirect;
	slot->paid = (struct toll_paid){0};
	slot->malformed = false;
	slot->taken_at = now;
	pv->stats.requests++;
	slot_move(slot, BLK_SLOT_TAKEN);
	if (verdict != BLKIF_GOOD)
		slot_malformed(slot, verdict);
}

/* -- To the core ------------------------------------------------------------- */

static bool slot_moves_data(const struct blk_slot *slot)
{
	return slot->req.segments &&
	       (slot->req.op == BLKIF_READ || blk_slot_writes(slot));
}

/* True if the rates let the slot pass; else when they will is in pv->due. */
static bool slot_pay(struct blk_slot *slot, uint64_t now)
{
	uint64_t bytes = slot_moves_data(slot) ? slot->req.sectors * BLKIF_SECTOR : 0;

	return toll_pay(&slot->pv->toll, &slot->paid, bytes, now, &slot->pv->due);
}

/* A page that this policy lets us only read cannot take what a disk reads. */
static bool slot_may(const struct blk_slot *slot)
{
	enum policy_pages pages = slot->pv->conf.policy->client_pages;

	if (slot->req.op == BLKIF_READ)
		return pages & POLICY_WRITABLE;
	return !blk_slot_writes(slot) || (pages & POLICY_READABLE);
}

static enum blk_op slot_op(enum blkif_op op)
{
	switch (op) {
	case BLKIF_READ:
		return BLK_READ;
	case BLKIF_WRITE:
		return BLK_WRITE;
	case BLKIF_WRITE_BARRIER:
		return BLK_BARRIER;
	case BLKIF_FLUSH:
		return BLK_FLUSH;
	case BLKIF_DISCARD:
		return BLK_DISCARD;
	case BLKIF_RESERVED_1:
	case BLKIF_INDIRECT:
		break;
	}
	assert(!"decoded (blkif.h, invariant 1)");
	return BLK_READ;
}

/* Invariants 3 and 7. */
static bool slot_must_wait(const struct blk_slot *slot)
{
	const struct blk_pv *pv = slot->pv;

	return pv->busy >= pv->conf.policy->in_flight || pv->barrier ||
	       (slot->req.op == BLKIF_WRITE_BARRIER && pv->busy);
}

/* An enum blk_memory_status, or a negative errno. */
static int slot_gather(struct blk_slot *slot)
{
	struct blk_pv *pv = slot->pv;

	slot->rq.op = slot_op(slot->req.op);
	slot->rq.sector = slot->req.sector;
	slot->rq.sectors = slot->req.sectors;
	slot->rq.iov = slot->iov;
	slot->rq.niov = 0;
	return slot_moves_data(slot) ? pv->memory.ops->gather(pv, slot) : BLK_MEMORY_OK;
}

int blk_slot_start(struct blk_slot *slot, uint64_t now)
{
	struct blk_pv *pv = slot->pv;
	int r = BLK_MEMORY_FULL;

	if (slot_must_wait(slot) || (!slot->table_due && !slot_pay(slot, now)))
		return BLK_QUEUE_WAITS;
	if (!slot_may(slot)) {
		blk_slot_fail(slot, "ClientPages does not allow it");
		return 0;
	}
	if (!slot->table_due)
		r = slot_gather(slot);
	if (r == BLK_MEMORY_OK)
		blk_slot_submit(slot);
	else if (r == BLK_MEMORY_LATER)
		slot_move(slot, BLK_SLOT_COPYING);
	if (r != BLK_MEMORY_FULL)
		return r < 0 ? r : 0;
	if (pv->busy || pv->done)
		return BLK_QUEUE_WAITS;
	/* Nobody will come home to make room: it never fits. */
	blk_slot_fail(slot, "it needs more pages than DataPages");
	return 0;
}

void blk_slot_answered(struct blk_slot *slot, uint64_t now)
{
	struct blk_pv_stats *stats = &slot->pv->stats;

	stats->answers++;
	stats->errors += slot->answer != BLKIF_OKAY;
	if (!slot->malformed)
		histogram_add(&stats->latency[slot_op(slot->req.op)],
			      now - slot->taken_at);
	slot_move(slot, BLK_SLOT_FREE);
}
