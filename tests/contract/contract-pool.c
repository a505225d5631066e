/* SPDX-License-Identifier: MIT */
/* grant-mem/grants.h: what a virtio device maps, a pool or the areas of a virtqueue. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/contract/contract-parts.h"

#define RUN_TRIED 40u /* an answer of the client's program holds so many numbers */

static int by_number(const void *a, const void *b)
{
	const struct gref *x = a, *y = b;

	return x->v < y->v ? -1 : x->v > y->v;
}

/* A pool's pages: @n references in a row. A client has them from one list, so they
 * are found among a few more; what is not needed is taken back. */
static bool grant_run(struct contract *c, uint32_t n, bool read_only,
		      struct gref *first)
{
	struct gref refs[RUN_TRIED];
	uint32_t run = 0, at = 0;
	bool all = true;

	if (grant(c, RUN_TRIED, read_only, refs))
		return false;
	qsort(refs, RUN_TRIED, sizeof(*refs), by_number);
	while (run < n && at < RUN_TRIED) {
		run = at && refs[at].v == refs[at - 1].v + 1 ? run + 1 : 1;
		at++;
	}
	for (uint32_t i = 0; i < RUN_TRIED; i++) {
		if (run < n || i >= at || i < at - n)
			all &= taken_back(c, &refs[i], 1);
	}
	if (run < n)
		return false;
	*first = refs[at - n];
	return all;
}

static bool run_taken_back(struct contract *c, struct gref first, uint32_t n)
{
	bool all = true;

	for (; n; n--, first.v++)
		all &= taken_back(c, &first, 1);
	return all;
}

static int key_run(struct contract *c, const char *name, uint32_t first, uint32_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%u+%u", first, n);
	return key(c, name, text);
}

static void a_pool_by_key(struct contract *c)
{
	struct grants_map map = {0};
	struct gref first;
	uint8_t *p;

	CHECK(c, grant_run(c, 4, false, &first));
	for (uint32_t i = 0; i < 4; i++)
		CHECK(c, !fill(c, (struct gref){first.v + i}, 0, PAGE,
			       (uint8_t)(0x40 + i)));
	CHECK(c, !key_run(c, "pool-ref0", first.v, 4));
	CHECK(c, grants_map_pool(c->grants, "pool-ref0", &map) == GRANTS_OK);
	CHECK(c, map.addr && map.pages == 4 && map.writable);
	p = map.addr;
	for (uint32_t i = 0; i < 4; i++) /* in order, contiguous */
		CHECK(c, p[i * PAGE] == 0x40 + i && p[i * PAGE + 4095] == 0x40 + i);
	memset(p + 2 * PAGE - 50, 0x71, 100); /* across two pages */
	CHECK(c, holds(c, (struct gref){first.v + 1}, 4046, 50, 0x71));
	CHECK(c, holds(c, (struct gref){first.v + 2}, 0, 50, 0x71));
	CHECK(c, holds(c, (struct gref){first.v + 2}, 50, 100, 0x42));
	/* What the client writes now is for the next one. */
	CHECK(c, !key(c, "pool-ref0", "8+1"));
	CHECK(c, c->granter->ops->revoke(c->granter, first) == 0);
	CHECK(c, grants_unmap(c->grants, &map) == GRANTS_OK);
	CHECK(c, !map.addr && contract_faults(p, false));
	CHECK(c, run_taken_back(c, first, 4));
	CHECK(c, !key_run(c, "pool-ref0", first.v, 4));
	CHECK(c, grants_map_pool(c->grants, "pool-ref0", &map) == GRANTS_BAD);
	CHECK(c, !key(c, "pool-ref0", NULL));
}

static void a_pool_of_several_runs(struct contract *c)
{
	struct grants_map a, b;
	struct gref first;

	CHECK(c, grant_run(c, 5, false, &first));
	CHECK(c, !key_run(c, "pool-ref0", first.v, 2));
	CHECK(c, !key_run(c, "pool-ref63", first.v + 2, 3));
	CHECK(c, grants_map_pool(c->grants, "pool-ref0", &a) == GRANTS_OK);
	CHECK(c, grants_map_pool(c->grants, "pool-ref63", &b) == GRANTS_OK);
	CHECK(c, a.pages == 2 && b.pages == 3);
	((uint8_t *)b.addr)[2 * PAGE] = 0x66;
	CHECK(c, holds(c, (struct gref){first.v + 4}, 0, 1, 0x66));
	CHECK(c, grants_unmap(c->grants, &a) == GRANTS_OK);
	((uint8_t *)b.addr)[0] = 0x67;
	CHECK(c, grants_unmap(c->grants, &b) == GRANTS_OK);
	CHECK(c, run_taken_back(c, first, 5));
	CHECK(c, !key(c, "pool-ref0", NULL) && !key(c, "pool-ref63", NULL));
}

static void no_run_is_no_pool(struct contract *c)
{
	static const char *const bad[] = {"",
					  "x",
					  "8",
					  "8+",
					  "+1",
					  "8+0",
					  "8+257",
					  "08+1",
					  "8+01",
					  "-8+1",
					  "8 +1",
					  "8+1 ",
					  "8+1+1",
					  "8-9",
					  "0x8+1",
					  "8,9",
					  "8+-1",
					  "++",
					  "8+1\n",
					  "4294967296+1",
					  "4294967295+2"};
	static const char *const other[] = {"state", "pool-ref", "pool-ref01"};
	struct grants_map map = {0};

	CHECK(c, !key(c, "pool-ref0", NULL));
	CHECK(c, grants_map_pool(c->grants, "pool-ref0", &map) == GRANTS_ABSENT);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(c, !key(c, "pool-ref0", bad[i]));
		CHECK(c,
		      grants_map_pool(c->grants, "pool-ref0", &map) == GRANTS_ABSENT);
	}
	for (unsigned i = 0; i < sizeof(other) / sizeof(other[0]); i++)
		CHECK(c, grants_map_pool(c->grants, other[i], &map) == GRANTS_REFUSED);
	CHECK(c, grants_map_pool(c->grants, c->class->ring_keys[0], &map) ==
			 GRANTS_REFUSED);
	CHECK(c, !map.addr);
	CHECK(c, !key(c, "pool-ref0", NULL));
}

/* PoolPages and GrantRefs: asked before a grant is looked at. */
static void a_pool_in_its_bounds(struct contract *c)
{
	uint32_t n = c->policy->data_pages, first = c->policy->first_ref.v;
	struct grants_map map, more;
	struct gref run;

	if (n > 16)
		n = 16;
	CHECK(c, !key_run(c, "pool-ref0", first - 1, 2));
	CHECK(c, grants_map_pool(c->grants, "pool-ref0", &map) == GRANTS_REFUSED);
	CHECK(c, !key_run(c, "pool-ref0", c->policy->last_ref.v, 2));
	CHECK(c, grants_map_pool(c->grants, "pool-ref0", &map) == GRANTS_REFUSED);
	if (c->policy->data_pages > 16)
		return;
	CHECK(c, grant_run(c, n + 1, false, &run));
	CHECK(c, !key_run(c, "pool-ref0", run.v, n + 1));
	CHECK(c, grants_map_pool(c->grants, "pool-ref0", &map) == GRANTS_REFUSED);
	CHECK(c, !key_run(c, "pool-ref0", run.v, n));
	CHECK(c, !key_run(c, "pool-ref1", run.v + n, 1));
	CHECK(c, grants_map_pool(c->grants, "pool-ref0", &map) == GRANTS_OK);
	CHECK(c, grants_map_pool(c->grants, "pool-ref1", &more) == GRANTS_REFUSED);
	CHECK(c, grants_unmap(c->grants, &map) == GRANTS_OK);
	CHECK(c, grants_map_pool(c->grants, "pool-ref1", &more) == GRANTS_OK);
	CHECK(c, grants_unmap(c->grants, &more) == GRANTS_OK);
	CHECK(c, run_taken_back(c, run, n + 1));
	CHECK(c, !key(c, "pool-ref0", NULL) && !key(c, "pool-ref1", NULL));
}

static void a_pool_all_or_nothing(struct contract *c)
{
	struct grants_map map = {0};
	struct gref first;

	CHECK(c, grant_run(c, 8, false, &first));
	CHECK(c, run_taken_back(c, (struct gref){first.v + 5}, 1));
	CHECK(c, !key_run(c, "pool-ref0", first.v, 8));
	CHECK(c, grants_map_pool(c->grants, "pool-ref0", &map) == GRANTS_BAD);
	CHECK(c, !map.addr);
	CHECK(c, run_taken_back(c, first, 5));
	CHECK(c, run_taken_back(c, (struct gref){first.v + 6}, 2));
	CHECK(c, grant_run(c, 1, true, &first)); /* and writable */
	CHECK(c, !key_run(c, "pool-ref0", first.v, 1));
	CHECK(c, grants_map_pool(c->grants, "pool-ref0", &map) == GRANTS_BAD);
	CHECK(c, run_taken_back(c, first, 1));
	CHECK(c, !key(c, "pool-ref0", NULL));
}

static void a_ring_is_no_pool(struct contract *c)
{
	const char *const ring[] = {c->class->ring_keys[0]};
	struct grants_map map, pool;
	struct gref first;

	CHECK(c, grant_run(c, 3, false, &first));
	CHECK(c, !key_number(c, ring[0], first.v + 1));
	CHECK(c, !key_run(c, "pool-ref0", first.v, 3));
	CHECK(c, grants_map_ring(c->grants, ring, 1, &map) == GRANTS_OK);
	CHECK(c, grants_map_pool(c->grants, "pool-ref0", &pool) == GRANTS_REFUSED);
	CHECK(c, grants_unmap(c->grants, &map) == GRANTS_OK);
	CHECK(c, grants_map_pool(c->grants, "pool-ref0", &pool) == GRANTS_OK);
	CHECK(c, grants_map_ring(c->grants, ring, 1, &map) == GRANTS_REFUSED);
	CHECK(c, grants_unmap(c->grants, &pool) == GRANTS_OK);
	CHECK(c, run_taken_back(c, first, 3));
	CHECK(c, !key(c, ring[0], NULL) && !key(c, "pool-ref0", NULL));
}

static void no_pool_in_other_modes(struct contract *c)
{
	struct grants_map map;
	struct gref first;

	CHECK(c, grant_run(c, 1, false, &first));
	CHECK(c, !key_run(c, "pool-ref0", first.v, 1));
	CHECK(c, grants_map_pool(c->grants, "pool-ref0", &map) == GRANTS_REFUSED);
	CHECK(c, run_taken_back(c, first, 1));
	CHECK(c, !key(c, "pool-ref0", NULL));
}

/* A virtqueue's areas, beside the control page; two may lie in one page. */
static void areas_by_number(struct contract *c)
{
	const char *const ring[] = {c->class->ring_keys[0]};
	struct grants_map control, area, again;
	struct gref refs[3];

	CHECK(c, !grant(c, 3, false, refs));
	CHECK(c, !key_number(c, ring[0], refs[0].v));
	CHECK(c, grants_map_ring(c->grants, ring, 1, &control) == GRANTS_OK);
	CHECK(c, grants_map(c->grants, refs + 1, 2, true, &area) == GRANTS_OK);
	CHECK(c, grants_map(c->grants, refs + 2, 1, false, &again) == GRANTS_OK);
	CHECK(c, area.pages == 2 && area.writable && !again.writable);
	((uint8_t *)area.addr)[PAGE] = 0x31;
	CHECK(c, *(uint8_t *)again.addr == 0x31);
	CHECK(c, contract_faults(again.addr, true));
	CHECK(c, grants_unmap(c->grants, &area) == GRANTS_OK);
	CHECK(c, grants_unmap(c->grants, &again) == GRANTS_OK);
	CHECK(c, grants_unmap(c->grants, &control) == GRANTS_OK);
	CHECK(c, taken_back(c, refs, 3));
	CHECK(c, !key(c, ring[0], NULL));
}

static void areas_in_their_bounds(struct contract *c)
{
	const char *const ring[] = {c->class->ring_keys[0]};
	uint32_t n = c->policy->ring_pages;
	struct gref refs[GRANTS_RING_MAX], out = {c->policy->first_ref.v - 1};
	struct grants_map map, more;

	CHECK(c, !key_number(c, ring[0], out.v));
	CHECK(c, grants_map_ring(c->grants, ring, 1, &map) == GRANTS_REFUSED);
	CHECK(c, grants_map(c->grants, &out, 1, true, &map) == GRANTS_REFUSED);
	if (n >= GRANTS_RING_MAX)
		return;
	CHECK(c, !grant(c, n + 1, false, refs));
	CHECK(c, grants_map(c->grants, refs, n + 1, true, &map) == GRANTS_REFUSED);
	CHECK(c, grants_map(c->grants, refs, n, true, &map) == GRANTS_OK);
	CHECK(c, !key_number(c, ring[0], refs[n].v));
	CHECK(c, grants_map_ring(c->grants, ring, 1, &more) == GRANTS_REFUSED);
	CHECK(c, grants_unmap(c->grants, &map) == GRANTS_OK);
	CHECK(c, taken_back(c, refs, n + 1));
	CHECK(c, !key(c, ring[0], NULL));
}

const struct contract_test contract_pool[] = {
	{"a_pool_by_key", a_pool_by_key, MODE(POOL)},
	{"a_pool_of_several_runs", a_pool_of_several_runs, MODE(POOL)},
	{"no_run_is_no_pool", no_run_is_no_pool, MODE(POOL)},
	{"a_pool_in_its_bounds", a_pool_in_its_bounds, MODE(POOL)},
	{"a_pool_all_or_nothing", a_pool_all_or_nothing, MODE(POOL)},
	{"a_ring_is_no_pool", a_ring_is_no_pool, MODE(POOL)},
	{"no_pool_in_other_modes", no_pool_in_other_modes,
	 MODE(MAP) | MODE(COPY) | MODE(GRANT)},
	{"areas_by_number", areas_by_number, MODE(GRANT)},
	{"areas_in_their_bounds", areas_in_their_bounds, MODE(GRANT)},
	{0},
};
