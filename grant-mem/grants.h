/* SPDX-License-Identifier: MIT */
/*
 * Seam A, guest memory: the verbs through which everything above this floor
 * reaches pages of a client.
 *
 * Not an allocator and not a cache. Implementations: grants-keeper.c (through
 * the keeper: another process, or with Isolation = domain this one), and the
 * loopback world of the tests. One contract suite holds for all of them.
 *
 * Invariants:
 *  1. a back end names a ring's or a pool's references by their xenstore key, never
 *     by number; data references come from requests and are checked by policy, and
 *     so are with Mode = grant a virtqueue's, and those that netif's client has
 *     kept mapped, which come from messages;
 *  2. all or nothing: a call that does not return GRANTS_OK maps nothing;
 *  3. no memory stays mapped past grants_unmap(); pages mapped readable fault
 *     on a write, whatever is done to them later;
 *  4. nothing here allocates after the handle was made.
 *
 * Return values: GRANTS_OK (0); a positive enum grants_status, the peer's or
 * the policy's doing, to be answered at the door; or a negative errno, our
 * environment (the keeper is gone, the kernel is out of memory).
 */
#ifndef XDD_GRANTS_H
#define XDD_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ids.h"

#define GRANTS_BATCH_MAX 256 /* references of one map, segments of one copy */
#define GRANTS_RING_MAX	 16  /* pages of one ring */
#define GRANTS_KEY_MAX	 63  /* bytes of a xenstore key, without NUL */

enum grants_status {
	GRANTS_OK = 0,
	GRANTS_REFUSED, /* policy or quota; the keeper logged the rule */
	GRANTS_BAD,	/* Xen refused: no such grant, not for us, read-only */
	GRANTS_BUSY,	/* another instance of this client holds the reference */
	GRANTS_ABSENT,	/* a named key is missing, or is no number, no run */
	GRANTS_LATE,	/* xenstore did not answer in time; ask again */
};

/* One mapping: @pages pages, contiguous at @addr. Owned by the caller between
 * grants_map*() and grants_unmap(). */
struct grants_map {
	void *addr;
	uint32_t pages;
	uint32_t id; /* the implementation's name for it */
	bool writable;
};

/* One segment of a batched copy. It must not cross the end of the page. */
struct grants_seg {
	struct gref ref;
	uint16_t offset; /* in the client's page */
	uint16_t len;	 /* bytes; offset + len <= 4096, len > 0 */
	uint32_t local;	 /* offset in the copy area */
	bool to_client;	 /* else from it */
	int8_t status;	 /* out: an enum grants_status */
};

struct grants {
	const struct grants_ops *ops;
	uint8_t *copy_area; /* NULL where Mode does not copy */
	size_t copy_bytes;
};

struct grants_ops {
	int (*map)(struct grants *g, const struct gref *refs, uint32_t n, bool writable,
		   struct grants_map *out);
	int (*map_ring)(struct grants *g, const char *const *keys, uint32_t n,
			struct grants_map *out);
	int (*map_pool)(struct grants *g, const char *key, struct grants_map *out);
	int (*unmap)(struct grants *g, struct grants_map *map);
	int (*copy)(struct grants *g, struct grants_seg *segs, uint32_t n);
};

/* Map @n (1 to GRANTS_BATCH_MAX) data references of the client, contiguously,
 * in order; a reference may stand only once in a call. With Mode = grant those of a
 * virtqueue's areas, or of netif's static grants, which count as pages of a ring. */
static inline int grants_map(struct grants *g, const struct gref *refs, uint32_t n,
			     bool writable, struct grants_map *out)
{
	return g->ops->map(g, refs, n, writable, out);
}

/* Map the pages whose references stand in the front-end keys @keys, one key a
 * page ("ring-ref", or "ring-ref0", "ring-ref1" ...), writable. */
static inline int grants_map_ring(struct grants *g, const char *const *keys, uint32_t n,
				  struct grants_map *out)
{
	return g->ops->map_ring(g, keys, n, out);
}

/* Map the run of a pool's pages that the front-end key @key names ("pool-ref0":
 * virtio-msg-xen.md, section 1), writable; @out->pages says how many they are, 1 to
 * GRANTS_BATCH_MAX. */
static inline int grants_map_pool(struct grants *g, const char *key,
				  struct grants_map *out)
{
	return g->ops->map_pool(g, key, out);
}

/* The pages are gone when this returns, and *@map is zeroed. */
static inline int grants_unmap(struct grants *g, struct grants_map *map)
{
	return g->ops->unmap(g, map);
}

/* Copy @n segments between client pages and the copy area. GRANTS_OK: each
 * segment's status tells; otherwise nothing was copied. */
static inline int grants_copy(struct grants *g, struct grants_seg *segs, uint32_t n)
{
	return g->ops->copy(g, segs, n);
}

#endif
