/* SPDX-License-Identifier: MIT */
/*
 * Mode = map. The core works on the client's own pages: of a read they must be
 * writable, of a write only readable. A client with persistent grants finds
 * them mapped already; its pages serve both ways, so they are mapped as
 * ClientPages allows.
 */
#include <assert.h>

#include "backends/blk/blk-pv.h"
#include "common/shared.h"

#define MAP_PAGES_MAX (BLK_QUEUES_MAX * BLK_QUEUE_SLOTS_MAX * (BLKIF_INDIRECT_MAX + 1u))

static int map_init(struct blk_pv *pv)
{
	uint32_t pages = pv->conf.policy->data_pages;

	if (pages > MAP_PAGES_MAX)
		pages = MAP_PAGES_MAX;
	return pgrants_init(&pv->memory.pgrants, pv->conf.keys.grants, pages);
}

static void map_fini(struct blk_pv *pv)
{
	pgrants_fini(&pv->memory.pgrants);
}

static unsigned map_segments(const struct blk_pv *pv)
{
	uint32_t quota = pv->memory.pgrants.quota;

	/* A segment table is a page to be read, whatever the request. */
	if (!(pv->conf.policy->client_pages & POLICY_READABLE))
		return 0;
	return quota < BLKIF_INDIRECT_MAX ? quota : BLKIF_INDIRECT_MAX;
}

static bool map_writable(const struct blk_pv *pv, enum blkif_op op)
{
	if (pv->persistent)
		return pv->conf.policy->client_pages & POLICY_WRITABLE;
	return op == BLKIF_READ;
}

static int map_get(struct blk_pv *pv, struct blk_slot *slot, const struct gref *refs,
		   uint32_t n, bool writable, uint32_t *out)
{
	int r = pgrants_get(&pv->memory.pgrants, refs, n, writable, pv->persistent,
			    out);

	if (r <= 0)
		return r;
	if (r == PGRANTS_FULL)
		return BLK_MEMORY_FULL;
	blk_slot_fail(slot, blk_memory_why(r));
	return BLK_MEMORY_REFUSED;
}

static int map_table(struct blk_pv *pv, struct blk_slot *slot)
{
	uint8_t table[BLKIF_INDIRECT_MAX * BLKIF_SEGMENT];
	uint32_t page;
	int r;

	r = map_get(pv, slot, &slot->req.table, 1, map_writable(pv, BLKIF_WRITE),
		    &page);
	if (r)
		return r;
	shared_copy_in(table, pgrants_addr(&pv->memory.pgrants, page),
		       slot->req.segments * BLKIF_SEGMENT);
	blk_slot_table(slot, table);
	return pgrants_put(&pv->memory.pgrants, &page, 1);
}

/* Neighbours in our address space are one part, up to BLK_PART_BYTES: a unit of
 * persistent pages lies in one piece. */
static void map_iov(struct blk_pv *pv, struct blk_slot *slot)
{
	uint8_t *end = NULL;
	uint32_t n = 0;

	for (uint32_t i = 0; i < slot->req.segments; i++) {
		const struct blkif_segment *seg = &slot->req.seg[i];
		uint8_t *at = pgrants_addr(&pv->memory.pgrants, slot->page[i]) +
			      seg->first * BLKIF_SECTOR;
		size_t len = (seg->last - seg->first + 1u) * BLKIF_SECTOR;

		if (at == end && slot->iov[n - 1].iov_len + len <= BLK_PART_BYTES)
			slot->iov[n - 1].iov_len += len;
		else
			slot->iov[n++] = (struct iovec){at, len};
		end = at + len;
	}
	slot->rq.iov = slot->iov;
	slot->rq.niov = n;
}

static int map_gather(struct blk_pv *pv, struct blk_slot *slot)
{
	struct gref refs[BLKIF_INDIRECT_MAX];
	uint32_t n = slot->req.segments;
	int r;

	for (uint32_t i = 0; i < n; i++)
		refs[i] = slot->req.seg[i].ref;
	r = map_get(pv, slot, refs, n, map_writable(pv, slot->req.op), slot->page);
	if (r)
		return r;
	slot->pages = n;
	map_iov(pv, slot);
	return BLK_MEMORY_OK;
}

static int map_flush(struct blk_pv *pv)
{
	(void)pv;
	return 0;
}

static int map_release(struct blk_pv *pv, struct blk_slot *slot)
{
	uint32_t n = slot->pages;
	int r;

	slot->pages = 0;
	r = n ? pgrants_put(&pv->memory.pgrants, slot->page, n) : 0;
	blk_slot_ready(slot);
	return r;
}

static int map_clear(struct blk_pv *pv)
{
	return pgrants_clear(&pv->memory.pgrants);
}

const struct blk_memory_ops blk_memory_map_ops = {
	.init = map_init,
	.fini = map_fini,
	.segments = map_segments,
	.table = map_table,
	.gather = map_gather,
	.flush = map_flush,
	.release = map_release,
	.clear = map_clear,
};

const char *blk_memory_why(int status)
{
	switch (status) {
	case GRANTS_REFUSED:
		return "its pages are outside the policy";
	case GRANTS_BAD:
		return "Xen refused its grant references";
	case GRANTS_BUSY:
		return "another device holds its pages";
	default:
		return "its pages cannot be had";
	}
}
