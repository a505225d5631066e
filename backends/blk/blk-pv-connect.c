/* SPDX-License-Identifier: MIT */
/*
 * What the PV door says and reads in xenstore, and the set-up of its rings.
 * Key names and their meaning: xen/io/blkif.h.
 *
 * Each front-end key is read once a connection; a value that is not exactly
 * what the protocol allows fails the device, with a line that says which.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backends/blk/blk-pv.h"
#include "backends/blk/blk-rights.h"
#include "common/number.h"

#define PV_VDISK_READ_ONLY 4 /* VDISK_READONLY */

/* What the front end chose, of what it was offered. */
struct pv_rings {
	uint32_t queues;
	uint32_t pages; /* of each ring */
	bool numbered;	/* "ring-ref0", "ring-ref1" ... */
};

static int pv_rights(struct blk_pv *pv)
{
	int r = blk_rights(&pv->conf.keys, pv->conf.blk);

	pv->indirect_max = pv->memory.ops->segments(pv);
	if (pv->indirect_max <= BLKIF_SEGMENTS_MAX)
		pv->indirect_max = 0;
	return r;
}

/* Can pages stay mapped, as far as we are concerned? */
static bool pv_keeps(const struct blk_pv *pv)
{
	return pv->conf.policy->mode == POLICY_MAP && pv->conf.block->persistent_pages;
}

int blk_pv_offer(struct blk_pv *pv)
{
	const struct blk_geometry *g = &pv->conf.blk->geometry;
	int r = pv_rights(pv);

	if (r)
		return r;
	/* What is not offered is said too: the directory may hold what another
	 * back end offered. */
	const struct {
		const char *key;
		uint64_t value;
		bool skip;
	} keys[] = {
		{"feature-flush-cache", g->flush, false},
		{"feature-barrier", g->flush, false},
		{"feature-persistent", pv_keeps(pv), false},
		{"feature-max-indirect-segments", pv->indirect_max, false},
		{"max-ring-page-order", pv->ring_order, false},
		{"max-ring-pages", 1u << pv->ring_order, false},
		{"multi-queue-max-queues", pv->max_queues, false},
		{"feature-discard", g->discard, false},
		{"discard-granularity", g->discard_granularity, !g->discard},
		{"discard-alignment", g->discard_alignment, !g->discard},
		{"discard-secure", 0, !g->discard},
		{"sectors", g->sectors, false},
		{"sector-size", g->logical_bytes, false},
		{"physical-sector-size", g->physical_bytes, false},
		{"info", g->read_only ? PV_VDISK_READ_ONLY : 0, false},
	};

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].skip)
			continue;
		r = keys_write_number(&pv->conf.keys, keys[i].key, keys[i].value);
		if (r)
			return r;
	}
	pv->sectors = g->sectors;
	return 0;
}

int blk_pv_resized(struct blk_pv *pv)
{
	uint64_t sectors = pv->conf.blk->geometry.sectors;
	int r;

	if (pv->sectors == sectors)
		return 0;
	r = keys_write_number(&pv->conf.keys, "sectors", sectors);
	if (r)
		return r == -EAGAIN ? 0 : r;
	log_line(pv->conf.keys.log, LOG_LEVEL_NOTICE,
		 "resized from %" PRIu64 " to %" PRIu64 " sectors", pv->sectors,
		 sectors);
	pv->sectors = sectors;
	return 1;
}

/* What the one before us said; it may be another size than we found. */
static int pv_read_said(struct blk_pv *pv)
{
	char value[STORE_VALUE_MAX + 1];
	int r = keys_read(&pv->conf.keys, STORE_BACK, "sectors", value);

	if (r < 0)
		return r;
	pv->sectors = 0;
	if (r)
		number_parse(value, strlen(value), UINT64_MAX, &pv->sectors);
	return 0;
}

static int pv_read_abi(struct blk_pv *pv)
{
	char value[STORE_VALUE_MAX + 1];
	int r = keys_read(&pv->conf.keys, STORE_FRONT, "protocol", value);

	if (r < 0)
		return r;
	if (!blkif_abi_parse(r ? value : NULL, &pv->abi))
		return keys_fail(&pv->conf.keys, "protocol",
				 "not one of xen/io/protocols.h");
	return 0;
}

static int pv_read_persistent(struct blk_pv *pv)
{
	char value[STORE_VALUE_MAX + 1];
	uint32_t keep = pv->conf.block->persistent_pages;
	int r = keys_read(&pv->conf.keys, STORE_FRONT, "feature-persistent", value);

	if (r < 0)
		return r;
	pv->persistent = r && !strcmp(value, "1") && pv_keeps(pv);
	if (pv_keeps(pv))
		pgrants_limit(&pv->memory.pgrants, pv->persistent ? keep : 0);
	return 0;
}

/* The ring's size has two keys, of two origins (xen/io/blkif.h, note 3). */
static int pv_read_pages(struct blk_pv *pv, struct pv_rings *rings)
{
	const uint64_t none = UINT64_MAX;
	uint64_t order = none, pages = none;
	int r = keys_read_number(&pv->conf.keys, "ring-page-order", 0, pv->ring_order,
				 &order);

	if (!r)
		r = keys_read_number(&pv->conf.keys, "num-ring-pages", 1,
				     1u << pv->ring_order, &pages);
	if (r)
		return r;
	if (pages != none && (pages & (pages - 1)))
		return keys_fail(&pv->conf.keys, "num-ring-pages",
				 "not a power of two");
	if (pages != none && order != none && pages != 1u << order)
		return keys_fail(&pv->conf.keys, "num-ring-pages",
				 "is not what ring-page-order says");
	rings->pages = order != none   ? 1u << order
		       : pages != none ? (uint32_t)pages
				       : 1;
	rings->numbered = order != none || rings->pages > 1;
	return 0;
}

static int pv_read_rings(struct blk_pv *pv, struct pv_rings *rings)
{
	uint64_t queues = 1;
	int r = keys_read_number(&pv->conf.keys, "multi-queue-num-queues", 1,
				 pv->max_queues, &queues);

	rings->queues = (uint32_t)queues;
	return r ? r : pv_read_pages(pv, rings);
}

static int pv_map_ring(struct blk_pv *pv, const struct pv_rings *rings, uint32_t q)
{
	char text[GRANTS_RING_MAX][KEYS_QUEUE], name[16];
	const char *keys[GRANTS_RING_MAX];

	for (uint32_t i = 0; i < rings->pages; i++) {
		snprintf(name, sizeof(name),
			 rings->numbered ? "ring-ref%u" : "ring-ref", i);
		keys_of_queue(text[i], rings->queues, q, name);
		keys[i] = text[i];
	}
	return keys_map_ring(&pv->conf.keys, keys, rings->pages,
			     &pv->queue[q].ring_map);
}

static int pv_bind(struct blk_pv *pv, const struct pv_rings *rings, uint32_t q)
{
	char key[KEYS_QUEUE];

	keys_of_queue(key, rings->queues, q, "event-channel");
	return keys_bind(&pv->conf.keys, key, &pv->queue[q].port);
}

/* Map, bind, and look at the ring for the first time. All or nothing. */
static int pv_open_queue(struct blk_pv *pv, const struct pv_rings *rings, uint32_t i,
			 bool attach)
{
	struct blk_queue *q = &pv->queue[i];
	int r = pv_map_ring(pv, rings, i);

	if (r)
		return r;
	r = pv_bind(pv, rings, i);
	if (!r &&
	    pv_ring_init(&q->ring, q->ring_map.addr, rings->pages * XEN_PAGE_BYTES,
			 blkif_layouts[pv->abi].entry, attach) != PV_RING_OK) {
		evtchn_unbind(pv->conf.keys.evtchn, q->port);
		r = keys_fail(&pv->conf.keys, "ring", "its indices cannot be");
	}
	if (r)
		grants_unmap(pv->conf.keys.grants, &q->ring_map);
	return r;
}

static int pv_open_queues(struct blk_pv *pv, const struct pv_rings *rings, bool attach)
{
	int r = 0;

	for (pv->queues = 0; pv->queues < rings->queues; pv->queues++) {
		r = pv_open_queue(pv, rings, pv->queues, attach);
		if (r)
			break;
	}
	if (!r)
		return 0;
	while (pv->queues)
		blk_queue_close(&pv->queue[--pv->queues]);
	return r;
}

int blk_pv_connect(struct blk_pv *pv, bool attach, uint64_t now)
{
	struct pv_rings rings;
	int r;

	assert(pv->state == BLK_PV_DOWN);
	r = pv_rights(pv);
	if (!r)
		r = pv_read_abi(pv);
	if (!r)
		r = pv_read_persistent(pv);
	if (!r)
		r = pv_read_rings(pv, &rings);
	if (!r && attach)
		r = pv_read_said(pv);
	if (!r)
		r = pv_open_queues(pv, &rings, attach);
	if (r)
		return r;
	blk_pv_start(pv, now);
	/* The one before us may have died between its push and its event. */
	for (uint32_t i = 0; attach && i < pv->queues && r >= 0; i++)
		r = evtchn_notify(pv->conf.keys.evtchn, pv->queue[i].port);
	return r < 0 ? r : 0;
}
