/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "backends/blk/pgrants.h"

#define NONE PGRANTS_NONE

static uint32_t *bucket_of(struct pgrants *pg, struct gref ref)
{
	/* Multiply-shift by a secret odd key: universal, so no set of
	 * references collides more than chance wants. */
	return &pg->bucket[(pg->key * (ref.v + 1ull)) >> pg->shift];
}

/* Of kept pages, and of those of the unit @u that is being made. What another
 * request holds for itself alone is not shared: it must be gone by the time
 * that one is answered. */
static uint32_t page_find(struct pgrants *pg, struct gref ref, uint32_t u)
{
	uint32_t p = *bucket_of(pg, ref);

	for (; p != NONE; p = pg->page[p].hash_next) {
		uint32_t unit = pg->page[p].unit;

		if (pg->page[p].ref.v == ref.v && (unit == u || pg->unit[unit].keep))
			return p;
	}
	return NONE;
}

static uint32_t page_new(struct pgrants *pg, struct gref ref, uint32_t u)
{
	struct pgrants_unit *unit = &pg->unit[u];
	uint32_t *bucket = bucket_of(pg, ref);
	uint32_t p = pg->free_page;

	assert(p != NONE);
	pg->free_page = pg->page[p].unit_next;
	pg->page[p] = (struct pgrants_page){
		.ref = ref,
		.unit = u,
		.at = unit->pages++,
		.hash_next = *bucket,
		.unit_next = unit->first,
	};
	unit->first = p;
	*bucket = p;
	return p;
}

static void page_free(struct pgrants *pg, uint32_t p)
{
	uint32_t *link = bucket_of(pg, pg->page[p].ref);

	while (*link != p)
		link = &pg->page[*link].hash_next;
	*link = pg->page[p].hash_next;
	pg->page[p].unit_next = pg->free_page;
	pg->free_page = p;
}

static uint32_t unit_new(struct pgrants *pg, bool keep)
{
	uint32_t u = pg->free_unit;

	assert(u != NONE);
	pg->free_unit = pg->unit[u].newer;
	pg->unit[u] = (struct pgrants_unit){.first = NONE, .keep = keep};
	return u;
}

static void unit_free(struct pgrants *pg, uint32_t u)
{
	uint32_t p = pg->unit[u].first;

	while (p != NONE) {
		uint32_t next = pg->page[p].unit_next;

		page_free(pg, p);
		p = next;
	}
	pg->unit[u].newer = pg->free_unit;
	pg->free_unit = u;
}

/* The list of idle units, newest first. */
static void idle_add(struct pgrants *pg, uint32_t u)
{
	pg->unit[u].idle_at = pg->now;
	pg->unit[u].newer = NONE;
	pg->unit[u].older = pg->newest;
	if (pg->newest == NONE)
		pg->oldest = u;
	else
		pg->unit[pg->newest].newer = u;
	pg->newest = u;
}

static void idle_remove(struct pgrants *pg, uint32_t u)
{
	struct pgrants_unit *unit = &pg->unit[u];

	if (unit->newer == NONE)
		pg->newest = unit->older;
	else
		pg->unit[unit->newer].older = unit->older;
	if (unit->older == NONE)
		pg->oldest = unit->newer;
	else
		pg->unit[unit->older].newer = unit->newer;
}

static int unit_unmap(struct pgrants *pg, uint32_t u)
{
	struct pgrants_unit *unit = &pg->unit[u];
	int r = grants_unmap(pg->grants, &unit->map);

	assert(!unit->users);
	pg->pages -= unit->pages;
	if (unit->keep)
		pg->kept -= unit->pages;
	unit_free(pg, u);
	return r < 0 ? r : 0;
}

static int evict(struct pgrants *pg)
{
	uint32_t u = pg->oldest;

	idle_remove(pg, u);
	pg->evictions++;
	return unit_unmap(pg, u);
}

static void hold(struct pgrants *pg, uint32_t p)
{
	struct pgrants_unit *unit = &pg->unit[pg->page[p].unit];

	if (!unit->users && unit->map.addr)
		idle_remove(pg, pg->page[p].unit);
	unit->users++;
}

int pgrants_put(struct pgrants *pg, const uint32_t *pages, uint32_t n)
{
	int r, result = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t u = pg->page[pages[i]].unit;
		struct pgrants_unit *unit = &pg->unit[u];

		assert(unit->users);
		if (--unit->users)
			continue;
		if (unit->keep) {
			idle_add(pg, u);
			continue;
		}
		r = unit_unmap(pg, u);
		if (r < 0)
			result = r;
	}
	while (pg->kept > pg->keep && pg->oldest != NONE) {
		r = evict(pg);
		if (r < 0)
			result = r;
	}
	return result;
}

/* Make room for the pages of @unit, which are not mapped yet (invariant 3). */
static int make_room(struct pgrants *pg, struct pgrants_unit *unit)
{
	int r;

	while (unit->keep && pg->kept + unit->pages > pg->keep && pg->oldest != NONE) {
		r = evict(pg);
		if (r < 0)
			return r;
	}
	if (unit->keep && pg->kept + unit->pages > pg->keep)
		unit->keep = false; /* the rest of the cache is in use */
	while (unit->pages > pg->quota - pg->pages && pg->oldest != NONE) {
		r = evict(pg);
		if (r < 0)
			return r;
	}
	return unit->pages > pg->quota - pg->pages ? PGRANTS_FULL : GRANTS_OK;
}

static int unit_map(struct pgrants *pg, uint32_t u, bool writable)
{
	struct pgrants_unit *unit = &pg->unit[u];
	struct gref refs[GRANTS_BATCH_MAX];
	int r;

	r = make_room(pg, unit);
	if (r)
		return r;
	for (uint32_t p = unit->first; p != NONE; p = pg->page[p].unit_next)
		refs[pg->page[p].at] = pg->page[p].ref;
	r = grants_map(pg->grants, refs, unit->pages, writable, &unit->map);
	if (r)
		return r;
	pg->pages += unit->pages;
	if (unit->keep)
		pg->kept += unit->pages;
	return GRANTS_OK;
}

/* Undo pgrants_get(): the holds of @n pages; those of the unit @u, which was
 * never mapped, go with it. */
static int give_up(struct pgrants *pg, uint32_t u, const uint32_t *pages, uint32_t n)
{
	int r, result = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (pg->page[pages[i]].unit == u)
			continue;
		r = pgrants_put(pg, &pages[i], 1);
		if (r < 0)
			result = r;
	}
	unit_free(pg, u);
	return result;
}

int pgrants_get(struct pgrants *pg, const struct gref *refs, uint32_t n, bool writable,
		bool keep, uint32_t *out)
{
	uint32_t u, i, hits = 0;
	int r = GRANTS_OK, undo;

	assert(n && n <= GRANTS_BATCH_MAX);
	if (n > pg->quota)
		return GRANTS_REFUSED;
	u = unit_new(pg, keep && n <= pg->keep);
	for (i = 0; i < n && r == GRANTS_OK; i++) {
		uint32_t p = page_find(pg, refs[i], u);

		if (p == NONE)
			p = page_new(pg, refs[i], u);
		else if (pg->page[p].unit != u)
			hits++;
		hold(pg, p);
		out[i] = p;
		if (pg->page[p].unit != u && writable &&
		    !pg->unit[pg->page[p].unit].map.writable)
			r = GRANTS_REFUSED;
	}
	if (r == GRANTS_OK && pg->unit[u].pages)
		r = unit_map(pg, u, writable);
	if (r != GRANTS_OK) {
		undo = give_up(pg, u, out, i);
		return undo < 0 ? undo : r;
	}
	pg->hits += hits;
	pg->misses += pg->unit[u].pages;
	if (!pg->unit[u].pages)
		unit_free(pg, u);
	return GRANTS_OK;
}

void pgrants_limit(struct pgrants *pg, uint32_t keep)
{
	pg->keep = keep < pg->quota ? keep : pg->quota;
}

int pgrants_age(struct pgrants *pg, uint64_t idle_ns, unsigned max)
{
	int r = 0;

	while (max-- && r >= 0 && pg->oldest != NONE &&
	       pg->now - pg->unit[pg->oldest].idle_at >= idle_ns)
		r = evict(pg);
	return r < 0 ? r : 0;
}

int pgrants_clear(struct pgrants *pg)
{
	int r, result = 0;

	while (pg->oldest != NONE) {
		r = evict(pg);
		if (r < 0)
			result = r;
	}
	assert(!pg->pages && !pg->kept);
	return result;
}

/* The pool has room for a full quota and for one request's misses, which are
 * entered before room is made for them. */
int pgrants_init(struct pgrants *pg, struct grants *grants, uint32_t quota)
{
	uint32_t pool = quota + GRANTS_BATCH_MAX, bits = 1;

	while ((1u << bits) < pool)
		bits++;
	*pg = (struct pgrants){
		.grants = grants,
		.quota = quota,
		.keep = quota,
		.pool = pool,
		.newest = NONE,
		.oldest = NONE,
		.shift = 64 - bits,
	};
	pg->page = calloc(pool, sizeof(*pg->page));
	pg->unit = calloc(pool, sizeof(*pg->unit));
	pg->bucket = calloc(1u << bits, sizeof(*pg->bucket));
	if (!pg->page || !pg->unit || !pg->bucket) {
		pgrants_fini(pg);
		return -ENOMEM;
	}
	if (getrandom(&pg->key, sizeof(pg->key), 0) != sizeof(pg->key)) {
		pgrants_fini(pg);
		return -EIO;
	}
	pg->key |= 1;
	for (uint32_t i = 0; i < pool; i++) {
		pg->page[i].unit_next = i + 1 < pool ? i + 1 : NONE;
		pg->unit[i].newer = i + 1 < pool ? i + 1 : NONE;
	}
	for (uint32_t i = 0; i < 1u << bits; i++)
		pg->bucket[i] = NONE;
	return 0;
}

void pgrants_fini(struct pgrants *pg)
{
	free(pg->page);
	free(pg->unit);
	free(pg->bucket);
	*pg = (struct pgrants){0};
}
