/* SPDX-License-Identifier: MIT */
/* Pages, grant tables, and the verbs that map and copy across them. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/loopxen/loopxen-world.h"

/* -- The granter's side ----------------------------------------------------- */

uint8_t *loopxen_page(struct loopxen *x, struct domid dom)
{
	struct world_domain *d = world_domain(x, dom);

	if (d->npages == LOOPXEN_PAGES)
		world_wrong("domain %u has no more pages", dom.v);
	return d->pages + (size_t)d->npages++ * XEN_PAGE_BYTES;
}

static struct world_grant *grant_of(struct world_domain *d, struct gref ref)
{
	return ref.v < LOOPXEN_REFS ? &d->grant[ref.v] : NULL;
}

void loopxen_grant_as(struct loopxen *x, struct domid dom, struct gref ref,
		      const uint8_t *page, struct domid to, bool read_only)
{
	struct world_domain *d = world_domain(x, dom);
	struct world_grant *grant = grant_of(d, ref);

	if (!grant || grant->used)
		world_wrong("reference %u is in use", ref.v);
	*grant = (struct world_grant){
		.used = true,
		.read_only = read_only,
		.to = to,
		.page = (uint32_t)((page - d->pages) / XEN_PAGE_BYTES),
	};
}

struct gref loopxen_grant(struct loopxen *x, struct domid dom, const uint8_t *page,
			  struct domid to, bool read_only)
{
	struct world_domain *d = world_domain(x, dom);
	struct gref ref;

	for (uint32_t i = 0; i < LOOPXEN_REFS; i++) {
		ref.v = d->next_ref++;
		if (d->next_ref == LOOPXEN_REFS)
			d->next_ref = 8;
		if (d->grant[ref.v].used)
			continue;
		loopxen_grant_as(x, dom, ref, page, to, read_only);
		return ref;
	}
	world_wrong("domain %u has no more references", dom.v);
}

bool loopxen_revoke(struct loopxen *x, struct domid dom, struct gref ref)
{
	struct world_grant *grant = grant_of(world_domain(x, dom), ref);

	if (!grant || !grant->used)
		world_wrong("reference %u of domain %u is not granted", ref.v, dom.v);
	if (grant->maps)
		return false;
	grant->used = false;
	return true;
}

unsigned loopxen_mapped(const struct loopxen *x, struct domid dom, struct gref ref)
{
	return grant_of(world_domain((struct loopxen *)x, dom), ref)->maps;
}

/* What Xen checks: the grant stands, is for us, and allows the direction. */
static struct world_grant *grant_open(struct world_back *back, struct gref ref,
				      bool write)
{
	struct world_domain *d = world_domain(back->x, back->dev->front);
	struct world_grant *grant = grant_of(d, ref);

	if (!d->alive || !grant || !grant->used)
		return NULL;
	if (grant->to.v != back->dev->back.v || (write && grant->read_only))
		return NULL;
	return grant;
}

/* -- Registrations ---------------------------------------------------------- */

static int map_register(struct world_back *back, enum policy_purpose purpose,
			const struct gref *refs, uint32_t n, bool writable,
			uint32_t *id)
{
	struct world_map *map = NULL;

	for (uint32_t i = 0; i < back->maps && !map; i++) {
		if (back->map[i].used)
			continue;
		map = &back->map[i];
		*id = i;
		back->high = i < back->high ? back->high : i + 1;
	}
	if (!map)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		if (!grant_open(back, refs[i], writable))
			return GRANTS_BAD;
	}
	*map = (struct world_map){
		.used = true,
		.writable = writable,
		.purpose = purpose,
		.dom = back->dev->front,
		.n = n,
	};
	memcpy(map->refs, refs, n * sizeof(*refs));
	for (uint32_t i = 0; i < n; i++)
		grant_open(back, refs[i], writable)->maps++;
	policy_charge(&back->usage, purpose, n);
	return GRANTS_OK;
}

/* gntdev: each registration can be mmapped once. */
static void map_mmap(struct world_back *back, uint32_t id)
{
	struct world_map *map = &back->map[id];
	struct world_domain *d = world_domain(back->x, map->dom);
	int prot = map->writable ? PROT_READ | PROT_WRITE : PROT_READ;

	if (map->mmapped)
		world_wrong("registration %u was mmapped before", id);
	map->mmapped = true;
	map->addr = mmap(NULL, (size_t)map->n * XEN_PAGE_BYTES, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert(map->addr != MAP_FAILED);
	for (uint32_t i = 0, run; i < map->n; i += run) {
		uint32_t page = d->grant[map->refs[i].v].page;
		void *p;

		run = 1;
		while (i + run < map->n &&
		       d->grant[map->refs[i + run].v].page == page + run)
			run++;
		p = mmap(map->addr + (size_t)i * XEN_PAGE_BYTES,
			 (size_t)run * XEN_PAGE_BYTES, prot, MAP_SHARED | MAP_FIXED,
			 d->pages_fd, (off_t)page * XEN_PAGE_BYTES);
		assert(p != MAP_FAILED);
	}
}

static void map_release(struct world_back *back, uint32_t id)
{
	struct world_map *map = &back->map[id];
	struct world_domain *d = world_domain(back->x, map->dom);

	if (map->mmapped)
		munmap(map->addr, (size_t)map->n * XEN_PAGE_BYTES);
	for (uint32_t i = 0; i < map->n; i++)
		d->grant[map->refs[i].v].maps--;
	policy_refund(&back->usage, map->purpose, map->n);
	map->used = false;
}

void world_drop_maps(struct world_back *back, bool leak)
{
	static const char *const purposes[] = {"ring", "data", "pool"};

	for (uint32_t i = 0; i < back->high; i++) {
		struct world_map *map = &back->map[i];

		if (!map->used)
			continue;
		if (leak)
			world_leak(back->x,
				   "map of %u %s pages, the first of reference %u",
				   map->n, purposes[map->purpose], map->refs[0].v);
		map_release(back, i);
	}
}

uint8_t *loopxen_back_client_view(const struct loopxen_back *seam,
				  const volatile void *p)
{
	const struct world_back *back = (const struct world_back *)seam;
	uintptr_t at = (uintptr_t)p;

	for (uint32_t i = 0; i < back->high; i++) {
		const struct world_map *map = &back->map[i];
		struct world_domain *d;
		uintptr_t off;

		if (!map->used)
			continue;
		off = at - (uintptr_t)map->addr;
		if (off >= (uintptr_t)map->n * XEN_PAGE_BYTES)
			continue;
		d = world_domain(back->x, map->dom);
		return d->pages +
		       (size_t)d->grant[map->refs[off / XEN_PAGE_BYTES].v].page *
			       XEN_PAGE_BYTES +
		       off % XEN_PAGE_BYTES;
	}
	return NULL;
}

/* -- The verbs -------------------------------------------------------------- */

static struct world_back *back_of(struct grants *g)
{
	return (struct world_back *)g; /* the seam's first member */
}

/* maps.h, invariant 5: what is held for one purpose is not had for another. */
static bool held_otherwise(const struct world_back *back, enum policy_purpose purpose,
			   const struct gref *refs, uint32_t n)
{
	for (uint32_t i = 0; i < back->high; i++) {
		const struct world_map *map = &back->map[i];

		if (!map->used || map->purpose == purpose)
			continue;
		for (uint32_t k = 0; k < map->n * n; k++) {
			if (map->refs[k / n].v == refs[k % n].v)
				return true;
		}
	}
	return false;
}

static int world_map(struct world_back *back, enum policy_purpose purpose,
		     const struct gref *refs, uint32_t n, bool writable,
		     struct grants_map *out)
{
	uint32_t id = 0;
	int r;

	if (!policy_may_map(back->policy, &back->usage, purpose, refs, n, writable)
		     .allowed ||
	    held_otherwise(back, purpose, refs, n))
		return GRANTS_REFUSED;
	r = map_register(back, purpose, refs, n, writable, &id);
	if (r)
		return r;
	map_mmap(back, id);
	*out = (struct grants_map){back->map[id].addr, n, id, writable};
	return GRANTS_OK;
}

static int back_map(struct grants *g, const struct gref *refs, uint32_t n,
		    bool writable, struct grants_map *out)
{
	struct world_back *back = back_of(g);
	bool area = back->policy->mode == POLICY_GRANT; /* a virtqueue's */
	int r;

	if (!n || n > GRANTS_BATCH_MAX)
		world_wrong("a map of %u references", n);
	for (uint32_t i = 0; i < n; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (refs[i].v == refs[k].v)
				world_wrong("reference %u stands twice in a map",
					    refs[i].v);
		}
	}
	if (world_fails(back->x, LOOPXEN_MAP, &r))
		return r;
	return world_map(back, area ? POLICY_PURPOSE_RING : POLICY_PURPOSE_DATA, refs,
			 n, writable, out);
}

static int back_map_ring(struct grants *g, const char *const *keys, uint32_t n,
			 struct grants_map *out)
{
	struct world_back *back = back_of(g);
	struct gref refs[GRANTS_RING_MAX];
	uint64_t ref;
	int r;

	if (!n || n > GRANTS_RING_MAX)
		world_wrong("a ring of %u pages", n);
	if (world_fails(back->x, LOOPXEN_MAP_RING, &r))
		return r;
	for (uint32_t i = 0; i < n; i++) {
		if (!class_key_matches(back->class->ring_keys, keys[i]))
			return GRANTS_REFUSED;
		if (!world_front_number(back, keys[i], UINT32_MAX, &ref))
			return GRANTS_ABSENT;
		refs[i].v = (uint32_t)ref;
		for (uint32_t k = 0; k < i; k++) {
			if (refs[k].v == refs[i].v)
				return GRANTS_BAD; /* the client's doing */
		}
	}
	return world_map(back, POLICY_PURPOSE_RING, refs, n, true, out);
}

static int back_map_pool(struct grants *g, const char *key, struct grants_map *out)
{
	struct world_back *back = back_of(g);
	struct gref refs[GRANTS_BATCH_MAX];
	uint64_t first, n;
	int r;

	if (strlen(key) > GRANTS_KEY_MAX)
		world_wrong("a key of %zu bytes", strlen(key));
	if (world_fails(back->x, LOOPXEN_MAP_POOL, &r))
		return r;
	if (!class_key_matches(back->class->pool_keys, key))
		return GRANTS_REFUSED;
	if (!world_front_run(back, key, &first, &n))
		return GRANTS_ABSENT;
	for (uint32_t i = 0; i < n; i++)
		refs[i].v = (uint32_t)first + i;
	return world_map(back, POLICY_PURPOSE_POOL, refs, (uint32_t)n, true, out);
}

static int back_unmap(struct grants *g, struct grants_map *map)
{
	struct world_back *back = back_of(g);
	struct world_map *m = map->id < back->high ? &back->map[map->id] : NULL;
	int r = GRANTS_OK;

	if (!m || !m->used || m->addr != map->addr || m->n != map->pages)
		world_wrong("unmap of what is not mapped");
	map_release(back, map->id);
	*map = (struct grants_map){0};
	world_fails(back->x, LOOPXEN_UNMAP, &r);
	return r;
}

static enum grants_status copy_seg(struct world_back *back,
				   const struct grants_seg *seg, uint32_t n)
{
	struct world_domain *d = world_domain(back->x, back->dev->front);
	struct world_grant *grant;
	uint8_t *theirs, *ours;
	int fault;

	if (!policy_may_copy(back->policy, seg->ref, n, seg->to_client).allowed)
		return GRANTS_REFUSED;
	if (world_fails(back->x, LOOPXEN_COPY_SEG, &fault))
		return (enum grants_status)fault;
	grant = grant_open(back, seg->ref, seg->to_client);
	if (!grant)
		return GRANTS_BAD;
	theirs = d->pages + (size_t)grant->page * XEN_PAGE_BYTES + seg->offset;
	ours = back->seam.grants.copy_area + seg->local;
	if (seg->to_client)
		memcpy(theirs, ours, seg->len);
	else
		memcpy(ours, theirs, seg->len);
	return GRANTS_OK;
}

static int back_copy(struct grants *g, struct grants_seg *segs, uint32_t n)
{
	struct world_back *back = back_of(g);
	int r;

	if (!n || n > GRANTS_BATCH_MAX)
		world_wrong("a copy of %u segments", n);
	for (uint32_t i = 0; i < n; i++) {
		const struct grants_seg *seg = &segs[i];

		if (!seg->len || seg->len > XEN_PAGE_BYTES ||
		    seg->offset > XEN_PAGE_BYTES - seg->len)
			world_wrong("a segment past its page: %u+%u", seg->offset,
				    seg->len);
		if (seg->len > g->copy_bytes || seg->local > g->copy_bytes - seg->len)
			world_wrong("a segment past the copy area: %u+%u", seg->local,
				    seg->len);
	}
	if (world_fails(back->x, LOOPXEN_COPY, &r))
		return r;
	for (uint32_t i = 0; i < n; i++)
		segs[i].status = (int8_t)copy_seg(back, &segs[i], n);
	return GRANTS_OK;
}

const struct grants_ops world_grants_ops = {
	.map = back_map,
	.map_ring = back_map_ring,
	.map_pool = back_map_pool,
	.unmap = back_unmap,
	.copy = back_copy,
};
