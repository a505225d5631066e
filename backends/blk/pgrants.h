/* SPDX-License-Identifier: MIT */
/*
 * Client pages that are mapped, found by their grant reference: those of the
 * requests in flight, and those that a client with persistent grants lets us
 * keep (xen/io/blkif.h, "feature-persistent").
 *
 * Not a policy: how many pages may be mapped is told to it, and it never
 * holds more. Invariants:
 *  1. what is mapped together is unmapped together: the unit is one
 *     grants_map() call, made of the pages that one request missed. A call to
 *     the keeper costs far more than a page, and a client that reuses its
 *     pages in order keeps the pages of a unit in use together;
 *  2. a unit with users stays mapped; one without is unmapped at once, or kept
 *     if it may be kept, the least recently used going first, and what nobody
 *     used for a time going, too: a client can have its pages back. Only what
 *     may be kept is shared between requests;
 *  3. pages <= quota, kept pages <= keep, always;
 *  4. no allocation after pgrants_init(); a lookup is one step, whatever
 *     references the client picks (the hash is keyed).
 */
#ifndef XDD_PGRANTS_H
#define XDD_PGRANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "grant-mem/grants.h"

#define PGRANTS_NONE UINT32_MAX

enum pgrants_status {
	/* 0 and up: enum grants_status */
	PGRANTS_FULL = 64, /* not before some user lets go */
};

struct pgrants_page {
	struct gref ref;
	uint32_t unit;
	uint32_t at; /* page of the unit */
	uint32_t hash_next;
	uint32_t unit_next; /* also: the free list */
};

struct pgrants_unit {
	struct grants_map map;
	uint32_t users; /* pages handed out, each as often as it was */
	uint32_t first; /* page */
	uint32_t pages;
	uint32_t newer, older; /* among the idle ones; also: the free list */
	bool keep;
	uint64_t idle_at; /* when its last user let go */
};

struct pgrants {
	struct grants *grants;
	uint32_t quota, keep;

	uint32_t pages; /* mapped now */
	uint32_t kept;	/* of these, in units that may be kept */
	uint32_t newest, oldest;
	uint64_t now; /* set by the owner, as often as it likes */

	struct pgrants_page *page;
	struct pgrants_unit *unit;
	uint32_t *bucket;
	uint32_t pool; /* pages in page[], units in unit[] */
	uint32_t free_page, free_unit;
	uint32_t shift; /* of the hash */
	uint64_t key;

	uint64_t hits, misses, evictions; /* evicted for others, or for their age */
};

/* Room for @quota pages; allocates. -ENOMEM. */
int pgrants_init(struct pgrants *pg, struct grants *grants, uint32_t quota);
void pgrants_fini(struct pgrants *pg);
/* A new client, or a new limit: keep up to @keep pages from now on. */
void pgrants_limit(struct pgrants *pg, uint32_t keep);

/*
 * Map the pages of @n references (1 to GRANTS_BATCH_MAX; one may stand there
 * twice) into @out, all or none. @writable: they must be; @keep: they may
 * stay mapped after pgrants_put().
 *
 * GRANTS_OK, an enum grants_status, PGRANTS_FULL, or a negative errno.
 * GRANTS_REFUSED also for more than the quota, and for a reference that is
 * kept readable only and wanted writable.
 */
int pgrants_get(struct pgrants *pg, const struct gref *refs, uint32_t n, bool writable,
		bool keep, uint32_t *out);
/* Give back what pgrants_get() gave. 0 or a negative errno. */
int pgrants_put(struct pgrants *pg, const uint32_t *pages, uint32_t n);
/* Unmap what is idle since @idle_ns before pg->now, at most @max units: each is a
 * call to the keeper. 0 or a negative errno. */
int pgrants_age(struct pgrants *pg, uint64_t idle_ns, unsigned max);
/* Unmap all; nothing may be in use. 0 or a negative errno. */
int pgrants_clear(struct pgrants *pg);

static inline uint8_t *pgrants_addr(const struct pgrants *pg, uint32_t page)
{
	const struct pgrants_page *p = &pg->page[page];

	return (uint8_t *)pg->unit[p->unit].map.addr + (size_t)p->at * XEN_PAGE_BYTES;
}

#endif
