/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "grant-mem/grants-keeper.h"

_Static_assert(GRANTS_BATCH_MAX == WIRE_REFS_MAX, "one batch, one message");
_Static_assert(GRANTS_RING_MAX == WIRE_KEYS_MAX, "one ring, one message");
_Static_assert(GRANTS_KEY_MAX == WIRE_KEY_BYTES - 1, "a key and its NUL");

/* What each result of the keeper is to our caller. */
static const int grants_results[] = {
	[WIRE_OK] = GRANTS_OK,
	[WIRE_REFUSED] = GRANTS_REFUSED,
	[WIRE_BAD] = GRANTS_BAD,
	[WIRE_BUSY] = GRANTS_BUSY,
	[WIRE_ABSENT] = GRANTS_ABSENT,
	[WIRE_TOO_LONG] = GRANTS_ABSENT, /* so long a value is no number */
	[WIRE_LATE] = GRANTS_LATE,
	[WIRE_FULL] = -EPROTO,
	[WIRE_MALFORMED] = -EPROTO,
	[WIRE_VERSION] = -EPROTO,
	[WIRE_NO_DEVICE] = GRANTS_ABSENT,
	[WIRE_ENOMEM] = -ENOMEM,
};

static struct client *grants_client(struct grants *g)
{
	return ((struct grants_keeper *)g)->client; /* its first member */
}

static int grants_call(struct client *c, enum wire_type type)
{
	int r = client_call(c, type, NULL);

	if (r < 0)
		return r;
	r = grants_results[r];
	if (r == -EPROTO)
		return client_misfit(c,
				     "the keeper did not understand a grant request");
	return r;
}

/* Tell the keeper that the pages are munmapped. */
static int grants_release(struct client *c, uint32_t id)
{
	struct wire_message *m = client_request(c);
	int r;

	m->unmap.id = id;
	r = grants_call(c, WIRE_UNMAP);
	return r > 0 ? client_misfit(c, "the keeper lost one of our maps") : r;
}

/* The keeper registered @n pages: mmap them. */
static int grants_take(struct client *c, uint32_t n, bool writable,
		       struct grants_map *out)
{
	const struct wire_mapped mapped = c->message.mapped;
	int fd = c->fds[writable ? WIRE_FD_GNTDEV_RW : WIRE_FD_GNTDEV_RO];
	void *addr;
	int r, error;

	if (mapped.pages != n || mapped.index % XEN_PAGE_BYTES ||
	    mapped.index > (uint64_t)INT64_MAX)
		return client_misfit(c,
				     "the keeper registered what we did not ask for");
	addr = mmap(NULL, (size_t)n * XEN_PAGE_BYTES,
		    writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd,
		    (off_t)mapped.index);
	if (addr == MAP_FAILED) {
		/* A grant that Xen refuses shows here, as EINVAL. */
		error = errno;
		r = grants_release(c, mapped.id);
		if (r < 0)
			return r;
		return error == EINVAL ? GRANTS_BAD : -error;
	}
	*out = (struct grants_map){
		.addr = addr,
		.pages = n,
		.id = mapped.id,
		.writable = writable,
	};
	return GRANTS_OK;
}

static int grants_keeper_map(struct grants *g, const struct gref *refs, uint32_t n,
			     bool writable, struct grants_map *out)
{
	struct client *c = grants_client(g);
	struct wire_message *m = client_request(c);
	int r;

	assert(n && n <= GRANTS_BATCH_MAX);
	m->map.n = n;
	m->map.writable = writable;
	memcpy(m->map.ref, refs, n * sizeof(*refs));
	r = grants_call(c, WIRE_MAP);
	return r ? r : grants_take(c, n, writable, out);
}

static int grants_keeper_map_ring(struct grants *g, const char *const *keys, uint32_t n,
				  struct grants_map *out)
{
	struct client *c = grants_client(g);
	struct wire_message *m = client_request(c);
	int r;

	assert(n && n <= GRANTS_RING_MAX);
	m->map_ring.n = n;
	for (uint32_t i = 0; i < n; i++) {
		assert(strlen(keys[i]) <= GRANTS_KEY_MAX);
		strcpy(m->map_ring.key[i], keys[i]);
	}
	r = grants_call(c, WIRE_MAP_RING);
	return r ? r : grants_take(c, n, true, out);
}

static int grants_keeper_map_pool(struct grants *g, const char *key,
				  struct grants_map *out)
{
	struct client *c = grants_client(g);
	struct wire_message *m = client_request(c);
	uint32_t n;
	int r;

	assert(strlen(key) <= GRANTS_KEY_MAX);
	strcpy(m->name.key, key);
	r = grants_call(c, WIRE_MAP_POOL);
	if (r)
		return r;
	n = m->mapped.pages;
	if (!n || n > GRANTS_BATCH_MAX)
		return client_misfit(c, "the keeper registered no run of a pool");
	return grants_take(c, n, true, out);
}

static int grants_keeper_unmap(struct grants *g, struct grants_map *map)
{
	uint32_t id = map->id;
	int r = munmap(map->addr, (size_t)map->pages * XEN_PAGE_BYTES);

	assert(!r); /* a whole mapping of our own: nothing else can be in it */
	*map = (struct grants_map){0};
	return grants_release(grants_client(g), id);
}

/* A segment must fit the client's page and the copy area. */
static bool grants_seg_fits(const struct grants *g, const struct grants_seg *seg)
{
	return seg->len && seg->offset < XEN_PAGE_BYTES &&
	       seg->len <= XEN_PAGE_BYTES - seg->offset && seg->len <= g->copy_bytes &&
	       seg->local <= g->copy_bytes - seg->len;
}

static int grants_keeper_copy(struct grants *g, struct grants_seg *segs, uint32_t n)
{
	struct client *c = grants_client(g);
	struct wire_message *m = client_request(c);
	int r;

	assert(n && n <= GRANTS_BATCH_MAX);
	m->copy.n = n;
	for (uint32_t i = 0; i < n; i++) {
		assert(grants_seg_fits(g, &segs[i]));
		m->copy.seg[i] = (struct wire_seg){
			.ref = segs[i].ref.v,
			.offset = segs[i].offset,
			.len = segs[i].len,
			.local = segs[i].local,
			.to_client = segs[i].to_client,
		};
	}
	r = grants_call(c, WIRE_COPY);
	if (r)
		return r;
	for (uint32_t i = 0; i < n; i++) {
		int8_t result = m->copied.status[i];

		if (result < 0 || result > WIRE_ENOMEM || grants_results[result] < 0)
			return client_misfit(c,
					     "the keeper copied with no known result");
		segs[i].status = (int8_t)grants_results[result];
	}
	return GRANTS_OK;
}

static const struct grants_ops grants_keeper_ops = {
	.map = grants_keeper_map,
	.map_ring = grants_keeper_map_ring,
	.map_pool = grants_keeper_map_pool,
	.unmap = grants_keeper_unmap,
	.copy = grants_keeper_copy,
};

int grants_keeper_init(struct grants_keeper *k, struct client *c)
{
	void *area = NULL;

	if (c->copy_bytes) {
		area = mmap(NULL, (size_t)c->copy_bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED, c->fds[WIRE_FD_COPY], 0);
		if (area == MAP_FAILED)
			return -errno;
	}
	*k = (struct grants_keeper){
		.grants = {.ops = &grants_keeper_ops,
			   .copy_area = area,
			   .copy_bytes = (size_t)c->copy_bytes},
		.client = c,
	};
	return 0;
}

void grants_keeper_fini(struct grants_keeper *k)
{
	if (k->grants.copy_area)
		munmap(k->grants.copy_area, k->grants.copy_bytes);
	*k = (struct grants_keeper){0};
}
