/* SPDX-License-Identifier: MIT */
/*
 * The device behind the queues: what they share, and whose turn it is. What is
 * said in xenstore, and the set-up of rings, is blk-pv-connect.c.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "backends/blk/blk-pv.h"
#include "common/clock.h"

/* Taken from a ring before any is started: shares one copy call, and is all
 * that one queue starts before the next one's turn. */
#define TAKE_ALONE  64
#define TAKE_SHARED 16

/* Units of idle pages that one tick gives back: each is a call to the keeper. */
#define AGE_UNITS 64

void blk_pv_break(struct blk_pv *pv, const char *why)
{
	if (!pv->why)
		pv->why = why;
}

/* Take back the memory of what came home. */
static int pv_release(struct blk_pv *pv)
{
	int r = 0;

	while (pv->done && r >= 0) {
		struct blk_slot *slot = pv->done;

		pv->done = slot->next;
		r = pv->memory.ops->release(pv, slot);
	}
	return r < 0 ? r : pv->memory.ops->flush(pv);
}

/* Invariant 8. 0 or a negative errno. */
static int pv_start(struct blk_pv *pv, uint64_t now)
{
	for (uint32_t i = 0; i < pv->queues; i++) {
		uint32_t started = 0;
		int r = blk_queue_start(&pv->queue[pv->turn], now, &started);

		if (r < 0)
			return r;
		if (!r || started)
			pv->turn = (pv->turn + 1) % pv->queues;
		if (r == BLK_QUEUE_WAITS)
			break;
	}
	return pv->memory.ops->flush(pv);
}

static int pv_publish(struct blk_pv *pv, uint64_t now)
{
	int r = 0;

	for (uint32_t i = 0; i < pv->queues && r >= 0; i++)
		r = blk_queue_publish(&pv->queue[i], now);
	return r;
}

/* -- The turn --------------------------------------------------------------- */

static int pv_serve(struct blk_pv *pv, uint64_t now)
{
	uint32_t batch = pv->queues > 1 ? TAKE_SHARED : TAKE_ALONE;
	bool more;
	int r;

	pv->due = UINT64_MAX;
	for (uint32_t i = 0; i < pv->queues; i++)
		blk_queue_turn(&pv->queue[i]);
	do {
		r = pv_release(pv);
		if (r < 0)
			return r;
		more = pv->freed = false;
		if (pv->state != BLK_PV_UP || pv->why)
			continue;
		for (uint32_t i = 0; i < pv->queues; i++)
			more |= blk_queue_take(&pv->queue[i], batch, now);
		r = pv_start(pv, now);
		if (r < 0)
			return r;
		/* What was refused while it was copied has made room, too. */
	} while (pv->done || more || pv->freed);
	if (pv->why)
		return 0;
	return pv_publish(pv, now);
}

/* Invariant 5: nothing is with the core. */
static void pv_end(struct blk_pv *pv, uint64_t now)
{
	int q, r = pv_release(pv);

	if (!r && !pv->why)
		r = pv_publish(pv, now);
	if (r >= 0)
		r = pv->memory.ops->clear(pv);
	for (uint32_t i = 0; i < pv->queues && r >= 0; i++) {
		q = blk_queue_close(&pv->queue[i]);
		r = q < 0 ? q : r;
	}
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
	pv->now = pv->memory.pgrants.now = now;
	pv->error = pv_serve(pv, now);
	if (pv->error)
		return pv->error;
	if (pv->state == BLK_PV_STOPPING && !pv->busy) {
		pv_end(pv, now);
	} else if (pv->why && !pv->told) {
		pv->told = true;
		pv->conf.broken(pv, pv->why);
	}
	return pv->error;
}

static bool pv_takes(const struct blk_pv *pv)
{
	return pv->state == BLK_PV_UP && !pv->why && !pv->error;
}

bool blk_pv_arm(struct blk_pv *pv)
{
	bool more = false;

	for (uint32_t i = 0; i < pv->queues && pv_takes(pv); i++)
		more |= blk_queue_more(&pv->queue[i]);
	return more;
}

bool blk_pv_pending(const struct blk_pv *pv)
{
	bool more = false;

	for (uint32_t i = 0; i < pv->queues && pv_takes(pv) && !more; i++)
		more = blk_queue_pending(&pv->queue[i]);
	return more;
}

int blk_pv_tick(struct blk_pv *pv, uint64_t now)
{
	uint64_t idle = pv->conf.block->persistent_idle * CLOCK_SECOND;

	if (pv->error || pv->state == BLK_PV_DOWN || !pv->persistent || !idle)
		return pv->error;
	pv->now = pv->memory.pgrants.now = now;
	pv->error = pgrants_age(&pv->memory.pgrants, idle, AGE_UNITS);
	return pv->error;
}

void blk_pv_detach(struct blk_pv *pv)
{
	if (pv->state != BLK_PV_UP)
		return;
	pv->state = BLK_PV_STOPPING;
	if (!pv->busy && !pv->error)
		pv_end(pv, pv->now);
}

uint64_t blk_pv_due(const struct blk_pv *pv)
{
	return pv->state == BLK_PV_DOWN ? UINT64_MAX : pv->due;
}

void blk_pv_limits(struct blk_pv *pv, uint64_t now)
{
	if (pv->state == BLK_PV_DOWN)
		return;
	toll_change(&pv->toll, pv->conf.policy, now);
	pv->due = now;
}

void blk_pv_start(struct blk_pv *pv, uint64_t now)
{
	for (uint32_t i = 0; i < pv->queues; i++)
		blk_queue_open(&pv->queue[i]);
	pv->turn = 0;
	pv->why = NULL;
	pv->told = false;
	assert(!pv->busy && !pv->done);
	toll_init(&pv->toll, pv->conf.policy, now);
	pv->now = pv->memory.pgrants.now = pv->due = now;
	pv->state = BLK_PV_UP;
}

/* How many queues, and how large a ring each, RingPages has room for. */
static void pv_size(struct blk_pv *pv)
{
	uint32_t pages = pv->conf.policy->ring_pages;

	pv->max_queues = pv->conf.block->queues;
	if (pv->max_queues > pages)
		pv->max_queues = pages;
	while (2u << pv->ring_order <= pages / pv->max_queues &&
	       2u << pv->ring_order <= GRANTS_RING_MAX)
		pv->ring_order++;
}

static int pv_alloc(struct blk_pv *pv)
{
	int r = 0;

	pv->queue = calloc(pv->max_queues, sizeof(*pv->queue));
	if (!pv->queue)
		return -ENOMEM;
	for (uint32_t i = 0; i < pv->max_queues && !r; i++)
		r = blk_queue_init(&pv->queue[i], pv,
				   BLK_QUEUE_PAGE_SLOTS << pv->ring_order);
	return r;
}

static void pv_free(struct blk_pv *pv)
{
	for (uint32_t i = 0; pv->queue && i < pv->max_queues; i++)
		blk_queue_fini(&pv->queue[i]);
	free(pv->queue);
}

int blk_pv_init(struct blk_pv *pv, const struct blk_pv_conf *conf)
{
	int r;

	if (conf->policy->data_pages < BLKIF_SEGMENTS_MAX)
		return -EINVAL;
	*pv = (struct blk_pv){.conf = *conf, .due = UINT64_MAX};
	pv->memory.ops = conf->policy->mode == POLICY_COPY ? &blk_memory_copy_ops
							   : &blk_memory_map_ops;
	pv_size(pv);
	r = pv_alloc(pv);
	if (!r)
		r = pv->memory.ops->init(pv);
	if (r)
		pv_free(pv);
	return r;
}

void blk_pv_fini(struct blk_pv *pv)
{
	assert(pv->state == BLK_PV_DOWN || pv->error);
	pv->memory.ops->fini(pv);
	pv_free(pv);
	*pv = (struct blk_pv){0};
}
