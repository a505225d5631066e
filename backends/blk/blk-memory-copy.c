/* SPDX-License-Identifier: MIT */
/*
 * Mode = copy. The core works on pages of the copy area; what a write carries
 * is fetched before it is submitted, what a read brought is delivered before
 * it is answered, each segment in a page of its own. All copies of a turn ride
 * in as few grants_copy() calls as hold them.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "backends/blk/blk-pv.h"
#include "common/shared.h"

#define COPY_PAGES_MAX                                                                 \
	(BLK_QUEUES_MAX * BLK_QUEUE_SLOTS_MAX * (uint32_t)BLKIF_INDIRECT_MAX)

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static int copy_init(struct blk_pv *pv)
{
	struct blk_memory_copy *copy = &pv->memory.copy;
	size_t area = pv->conf.keys.grants->copy_bytes / XEN_PAGE_BYTES;

	copy->pages = area < COPY_PAGES_MAX ? (uint32_t)area : COPY_PAGES_MAX;
	copy->max = least(GRANTS_BATCH_MAX, pv->conf.policy->data_pages);
	if (least(copy->pages, copy->max) < BLKIF_SEGMENTS_MAX)
		return -EINVAL;
	copy->free = calloc(copy->pages, sizeof(*copy->free));
	if (!copy->free)
		return -ENOMEM;
	copy->nfree = copy->pages;
	for (uint32_t i = 0; i < copy->pages; i++)
		copy->free[i] = copy->pages - 1 - i;
	return 0;
}

static void copy_fini(struct blk_pv *pv)
{
	free(pv->memory.copy.free);
	pv->memory.copy.free = NULL;
}

static unsigned copy_segments(const struct blk_pv *pv)
{
	const struct blk_memory_copy *copy = &pv->memory.copy;

	if (!(pv->conf.policy->client_pages & POLICY_READABLE))
		return 0;
	return least(least(copy->pages, copy->max), BLKIF_INDIRECT_MAX);
}

static bool copy_alloc(struct blk_memory_copy *copy, struct blk_slot *slot, uint32_t n)
{
	assert(!slot->pages);
	if (n > copy->nfree)
		return false;
	for (; slot->pages < n; slot->pages++)
		slot->page[slot->pages] = copy->free[--copy->nfree];
	return true;
}

static void copy_free(struct blk_memory_copy *copy, struct blk_slot *slot)
{
	while (slot->pages)
		copy->free[copy->nfree++] = slot->page[--slot->pages];
}

/* The slot's part of a batch was carried out; what it was shows in its state. */
static void copy_carried(struct blk_pv *pv, struct blk_slot *slot, int status)
{
	struct blk_memory_copy *copy = &pv->memory.copy;
	uint8_t table[BLKIF_INDIRECT_MAX * BLKIF_SEGMENT];

	if (slot->state == BLK_SLOT_COPYING && status == GRANTS_OK) {
		blk_slot_submit(slot);
		return;
	}
	if (slot->state == BLK_SLOT_TAKEN && status == GRANTS_OK) {
		shared_copy_in(table,
			       pv->conf.keys.grants->copy_area +
				       (size_t)slot->page[0] * XEN_PAGE_BYTES,
			       slot->req.segments * BLKIF_SEGMENT);
		copy_free(copy, slot);
		blk_slot_table(slot, table);
		return;
	}
	copy_free(copy, slot);
	if (status != GRANTS_OK)
		blk_slot_fail(slot, blk_memory_why(status));
	else
		blk_slot_ready(slot);
}

static int copy_flush(struct blk_pv *pv)
{
	struct blk_memory_copy *copy = &pv->memory.copy;
	int r;

	if (!copy->nparts)
		return 0;
	r = grants_copy(pv->conf.keys.grants, copy->seg, copy->nseg);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < copy->nparts; i++) {
		int status = r;

		for (uint32_t k = 0; k < copy->part[i].n && status == GRANTS_OK; k++)
			status = copy->seg[copy->part[i].first + k].status;
		copy_carried(pv, copy->part[i].slot, status);
	}
	copy->nseg = 0;
	copy->nparts = 0;
	return 0;
}

/* Room in the batch for @n segments of @slot. */
static int copy_part(struct blk_pv *pv, struct blk_slot *slot, uint32_t n,
		     struct grants_seg **out)
{
	struct blk_memory_copy *copy = &pv->memory.copy;
	int r = copy->nseg + n > copy->max ? copy_flush(pv) : 0;

	if (r < 0)
		return r;
	assert(copy->nseg + n <= copy->max);
	copy->part[copy->nparts].slot = slot;
	copy->part[copy->nparts].first = copy->nseg;
	copy->part[copy->nparts++].n = n;
	*out = &copy->seg[copy->nseg];
	copy->nseg += n;
	return 0;
}

static uint32_t copy_local(const struct blk_slot *slot, uint32_t i)
{
	return slot->page[i] * XEN_PAGE_BYTES + slot->req.seg[i].first * BLKIF_SECTOR;
}

static uint16_t copy_len(const struct blkif_segment *seg)
{
	return (uint16_t)((seg->last - seg->first + 1u) * BLKIF_SECTOR);
}

static int copy_data(struct blk_pv *pv, struct blk_slot *slot, bool to_client)
{
	uint32_t n = slot->req.segments;
	struct grants_seg *segs;
	int r = copy_part(pv, slot, n, &segs);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < n; i++) {
		const struct blkif_segment *seg = &slot->req.seg[i];

		segs[i] = (struct grants_seg){
			.ref = seg->ref,
			.offset = (uint16_t)(seg->first * BLKIF_SECTOR),
			.len = copy_len(seg),
			.local = copy_local(slot, i),
			.to_client = to_client,
		};
	}
	return 0;
}

static int copy_table(struct blk_pv *pv, struct blk_slot *slot)
{
	struct grants_seg *seg;
	int r;

	if (!copy_alloc(&pv->memory.copy, slot, 1))
		return BLK_MEMORY_FULL;
	r = copy_part(pv, slot, 1, &seg);
	if (r < 0)
		return r;
	*seg = (struct grants_seg){
		.ref = slot->req.table,
		.len = (uint16_t)(slot->req.segments * BLKIF_SEGMENT),
		.local = slot->page[0] * XEN_PAGE_BYTES,
	};
	return BLK_MEMORY_LATER;
}

static int copy_gather(struct blk_pv *pv, struct blk_slot *slot)
{
	uint32_t n = slot->req.segments;
	int r;

	if (!copy_alloc(&pv->memory.copy, slot, n))
		return BLK_MEMORY_FULL;
	for (uint32_t i = 0; i < n; i++)
		slot->iov[i] = (struct iovec){
			pv->conf.keys.grants->copy_area + copy_local(slot, i),
			copy_len(&slot->req.seg[i]),
		};
	slot->rq.iov = slot->iov;
	slot->rq.niov = n;
	if (slot->req.op == BLKIF_READ)
		return BLK_MEMORY_OK;
	r = copy_data(pv, slot, false);
	return r < 0 ? r : BLK_MEMORY_LATER;
}

static int copy_release(struct blk_pv *pv, struct blk_slot *slot)
{
	if (slot->pages && slot->req.op == BLKIF_READ && slot->answer == BLKIF_OKAY)
		return copy_data(pv, slot, true);
	copy_free(&pv->memory.copy, slot);
	blk_slot_ready(slot);
	return 0;
}

static int copy_clear(struct blk_pv *pv)
{
	assert(pv->memory.copy.nfree == pv->memory.copy.pages);
	return 0;
}

const struct blk_memory_ops blk_memory_copy_ops = {
	.init = copy_init,
	.fini = copy_fini,
	.segments = copy_segments,
	.table = copy_table,
	.gather = copy_gather,
	.flush = copy_flush,
	.release = copy_release,
	.clear = copy_clear,
};
