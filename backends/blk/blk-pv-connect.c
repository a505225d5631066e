/* SPDX-License-Identifier: MIT */
/*
 * What the PV door says and reads in xenstore, and the set-up of its ring.
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
#include "common/number.h"

#define PV_RING_ORDER_MAX  4 /* 16 pages: GRANTS_RING_MAX, BLK_PV_SLOTS */
#define PV_VDISK_READ_ONLY 4 /* VDISK_READONLY */

/* The client's doing: its device fails. */
#define PV_FAILED 1

_Static_assert(1u << PV_RING_ORDER_MAX == GRANTS_RING_MAX, "largest ring");

/* Read a key: 1 if it is there, 0 if not; PV_FAILED is not among the results,
 * since a value too long to be read is none that is known: it reads as "?". */
static int pv_read(struct blk_pv *pv, enum store_side side, const char *key,
		   char *value)
{
	int r = store_read(pv->conf.store, side, key, value, STORE_VALUE_MAX + 1);

	switch (r) {
	case STORE_OK:
		return 1;
	case STORE_ABSENT:
		return 0;
	case STORE_LATE:
		return -EAGAIN;
	case STORE_TOO_LONG:
	default:
		if (r < 0)
			return r;
		strcpy(value, "?");
		return 1;
	}
}

static int pv_write(struct blk_pv *pv, const char *key, uint64_t value)
{
	char text[24];
	int r;

	snprintf(text, sizeof(text), "%" PRIu64, value);
	r = store_write(pv->conf.store, key, text);
	if (r == STORE_FULL)
		return -EAGAIN;
	if (r > 0)
		log_line(pv->conf.log, LOG_LEVEL_WARNING, "%s may not be written", key);
	return r < 0 ? r : 0;
}

/* What the toolstack grants; the stricter of it and the policy wins. */
static int pv_read_rights(struct blk_pv *pv)
{
	char value[STORE_VALUE_MAX + 1];
	bool read_only = false, discard = true;
	int r = pv_read(pv, STORE_BACK, "mode", value);

	if (r < 0)
		return r;
	/* "w" and "w!" are writable; what is not known is read-only. */
	if (r)
		read_only = value[0] != 'w';
	r = pv_read(pv, STORE_BACK, "discard-enable", value);
	if (r < 0)
		return r;
	if (r)
		discard = strcmp(value, "0") != 0;
	blk_restrict(pv->conf.blk, read_only, discard);
	pv->indirect_max = pv->memory.ops->segments(pv);
	if (pv->indirect_max <= BLKIF_SEGMENTS_MAX)
		pv->indirect_max = 0;
	return 0;
}

static unsigned pv_ring_order(const struct blk_pv *pv)
{
	unsigned order = 0;

	while (order < PV_RING_ORDER_MAX && 2u << order <= pv->conf.policy->ring_pages)
		order++;
	return order;
}

/* Can pages stay mapped, as far as we are concerned? */
static bool pv_keeps(const struct blk_pv *pv)
{
	return pv->conf.policy->mode == POLICY_MAP && pv->conf.block->persistent_pages;
}

int blk_pv_offer(struct blk_pv *pv)
{
	const struct blk_geometry *g = &pv->conf.blk->geometry;
	int r = pv_read_rights(pv);

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
		{"feature-barrier", 0, false},
		{"feature-persistent", pv_keeps(pv), false},
		{"feature-max-indirect-segments", pv->indirect_max, false},
		{"max-ring-page-order", pv_ring_order(pv), false},
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
		r = pv_write(pv, keys[i].key, keys[i].value);
		if (r)
			return r;
	}
	return 0;
}

static int pv_fail(struct blk_pv *pv, const char *key, const char *why)
{
	log_line(pv->conf.log, LOG_LEVEL_WARNING, "the front end's %s: %s", key, why);
	return PV_FAILED;
}

static int pv_read_abi(struct blk_pv *pv)
{
	char value[STORE_VALUE_MAX + 1];
	int r = pv_read(pv, STORE_FRONT, "protocol", value);

	if (r < 0)
		return r;
	if (!blkif_abi_parse(r ? value : NULL, &pv->abi))
		return pv_fail(pv, "protocol", "not one of xen/io/protocols.h");
	return 0;
}

static int pv_read_persistent(struct blk_pv *pv)
{
	char value[STORE_VALUE_MAX + 1];
	uint32_t keep = pv->conf.block->persistent_pages;
	int r = pv_read(pv, STORE_FRONT, "feature-persistent", value);

	if (r < 0)
		return r;
	pv->persistent = r && !strcmp(value, "1") && pv_keeps(pv);
	if (pv_keeps(pv))
		pgrants_limit(&pv->memory.pgrants, pv->persistent ? keep : 0);
	return 0;
}

/* The number of ring pages; *@named: their keys are numbered. */
static int pv_read_order(struct blk_pv *pv, uint32_t *pages, bool *numbered)
{
	char value[STORE_VALUE_MAX + 1];
	uint64_t order = 0;
	int r = pv_read(pv, STORE_FRONT, "ring-page-order", value);

	if (r < 0)
		return r;
	if (r && !number_parse(value, strlen(value), pv_ring_order(pv), &order))
		return pv_fail(pv, "ring-page-order", "more than max-ring-page-order");
	*numbered = r;
	*pages = 1u << order;
	return 0;
}

static int pv_map_ring(struct blk_pv *pv, uint32_t pages, bool numbered)
{
	char text[GRANTS_RING_MAX][24];
	const char *keys[GRANTS_RING_MAX];
	int r;

	for (uint32_t i = 0; i < pages; i++) {
		snprintf(text[i], sizeof(text[i]), numbered ? "ring-ref%u" : "ring-ref",
			 i);
		keys[i] = text[i];
	}
	r = grants_map_ring(pv->conf.grants, keys, pages, &pv->ring_map);
	switch (r) {
	case GRANTS_OK:
		return 0;
	case GRANTS_LATE:
		return -EAGAIN;
	case GRANTS_REFUSED:
		return pv_fail(pv, keys[0], "the policy does not allow it");
	case GRANTS_BAD:
		return pv_fail(pv, keys[0], "Xen refused it");
	case GRANTS_BUSY:
		return pv_fail(pv, keys[0], "another device holds it");
	case GRANTS_ABSENT:
		return pv_fail(pv, keys[0], "missing, or not a number");
	default:
		return r;
	}
}

static int pv_bind(struct blk_pv *pv)
{
	static const char key[] = "event-channel";
	int r = evtchn_bind(pv->conf.evtchn, key, &pv->port);

	switch (r) {
	case EVTCHN_OK:
		return 0;
	case EVTCHN_LATE:
		return -EAGAIN;
	case EVTCHN_REFUSED:
		return pv_fail(pv, key, "the policy does not allow it");
	case EVTCHN_BAD:
		return pv_fail(pv, key, "not offered to us");
	case EVTCHN_ABSENT:
		return pv_fail(pv, key, "missing, or not a number");
	default:
		return r;
	}
}

/* Ring mapped: bind, and look at it for the first time. */
static int pv_open_ring(struct blk_pv *pv, bool attach)
{
	uint32_t bytes = pv->ring_map.pages * XEN_PAGE_BYTES;
	int r = pv_bind(pv);

	if (r)
		return r;
	if (pv_ring_init(&pv->ring, pv->ring_map.addr, bytes,
			 blkif_layouts[pv->abi].entry, attach) == PV_RING_OK) {
		assert(pv->ring.entries <= BLK_PV_SLOTS);
		return 0;
	}
	evtchn_unbind(pv->conf.evtchn, pv->port);
	return pv_fail(pv, "ring", "its indices cannot be");
}

int blk_pv_connect(struct blk_pv *pv, bool attach, uint64_t now)
{
	uint32_t pages;
	bool numbered;
	int r;

	assert(pv->state == BLK_PV_DOWN);
	r = pv_read_rights(pv);
	if (!r)
		r = pv_read_abi(pv);
	if (!r)
		r = pv_read_persistent(pv);
	if (!r)
		r = pv_read_order(pv, &pages, &numbered);
	if (!r)
		r = pv_map_ring(pv, pages, numbered);
	if (r)
		return r;
	r = pv_open_ring(pv, attach);
	if (r) {
		grants_unmap(pv->conf.grants, &pv->ring_map);
		return r;
	}
	blk_pv_start(pv, now);
	if (!attach)
		return 0;
	/* The one before us may have died between its push and its event. */
	r = evtchn_notify(pv->conf.evtchn, pv->port);
	return r < 0 ? r : 0;
}
