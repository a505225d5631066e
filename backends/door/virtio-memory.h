/* SPDX-License-Identifier: MIT */
/*
 * How a virtio device gets at its driver's memory: by a pool that is mapped once
 * (Mode = pool), or by copies of what was granted for one transfer, with the
 * virtqueues' areas mapped (Mode = grant). virtio-msg-xen.md, section 5.
 *
 * Not a queue and not a device: addresses in, host memory out. Invariants:
 *  1. no address is used before it was checked against what the driver gave: a
 *     range lies in one run of the pool, or in references that do not wrap and
 *     that the keeper checks against the policy;
 *  2. the pool is read from xenstore, by the keeper, and mapped once a
 *     connection; no call to the keeper afterwards;
 *  3. in grant mode a buffer is never mapped; what was fetched and what is
 *     delivered moves in batches, and nothing moves once a slot is READY;
 *  4. a slot holds all the pages of the copy area that it needs, or none. A posted
 *     one (virtio-queue.h) needs them for what it brings, and, once something is to go
 *     into it, for that: what waits for ever holds nothing. A reserve is theirs alone,
 *     so that requests that wait for the same device do not keep it silent;
 *  5. nothing allocates after virtio_memory_init().
 */
#ifndef XDD_VIRTIO_MEMORY_H
#define XDD_VIRTIO_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/door/virtio-parts.h"
#include "backends/door/virtqueue.h"
#include "grant-mem/grants.h"
#include "policy/policy.h"

#define VIRTIO_RUNS_MAX	 64			/* pool-ref0 to pool-ref63 */
#define VIRTIO_RUN_BYTES (256 * XEN_PAGE_BYTES) /* of each but the last */
#define VIRTIO_POOL_BASE (UINT64_C(1) << 32)
#define VIRTIO_GRANT_BIT (UINT64_C(1) << 63)
#define VIRTIO_RESERVE	 8 /* pages of the copy area */

enum virtio_memory_status {
	VIRTIO_MEMORY_OK = 0,
	VIRTIO_MEMORY_LATER,   /* moved() will be called, by a flush */
	VIRTIO_MEMORY_FULL,    /* ask again when a slot was published */
	VIRTIO_MEMORY_FOREIGN, /* an address that is not the driver's to name */
};

/* One area of a virtqueue. */
struct virtio_area {
	void *at;
	struct grants_map map; /* grant mode: its own */
};

/* A batch of copies that moves parts. */
struct virtio_batch {
	struct grants_seg seg[GRANTS_BATCH_MAX];
	uint32_t segs, max;
	struct {
		struct virtio_parts *parts;
		uint32_t first, n;
	} whose[GRANTS_BATCH_MAX];
	uint32_t n;
};

struct virtio_memory {
	struct grants *grants;
	bool pool;
	uint32_t pages_max; /* of a pool, by the policy */
	/* Those of @parts that were put off have moved, or have not (@status, an
	 * enum grants_status). Puts off nothing itself. */
	void (*moved)(struct virtio_parts *parts, int status);

	struct grants_map run[VIRTIO_RUNS_MAX];
	uint32_t runs;
	uint64_t bytes; /* of the pool */

	uint16_t *free; /* pages of the copy area */
	uint32_t nfree, pages;
	uint32_t reserve; /* of them, for what is posted */
	struct virtio_batch batch;
};

/* Before sealing. @posts: some queue's buffers are posted. 0 or a negative errno;
 * -EINVAL: DataPages holds no request. */
int virtio_memory_init(struct virtio_memory *m, struct grants *grants,
		       const struct policy *policy, bool posts,
		       void (*moved)(struct virtio_parts *parts, int status));
void virtio_memory_fini(struct virtio_memory *m);

/* Map the pool that the front end's keys name. An enum grants_status, where GRANTS_BAD
 * also means a run that is no run; or a negative errno. All or nothing. */
int virtio_memory_connect(struct virtio_memory *m);
/* Nothing of it is in use. 0 or a negative errno. */
int virtio_memory_disconnect(struct virtio_memory *m);

/* Make @bytes at @addr, of a virtqueue, reachable. VIRTIO_MEMORY_OK, _FOREIGN, or a
 * negative errno. */
int virtio_memory_area(struct virtio_memory *m, uint64_t addr, uint32_t bytes,
		       struct virtio_area *out);
int virtio_memory_leave(struct virtio_memory *m, struct virtio_area *area);
/* Pool: shared memory at @addr, or NULL. */
void *virtio_memory_at(const struct virtio_memory *m, uint64_t addr, uint32_t len);

/* Find the parts of @chain. VIRTIO_MEMORY_OK, _FULL or _FOREIGN. */
int virtio_memory_gather(struct virtio_memory *m, const struct virtqueue_chain *chain,
			 bool posted, struct virtio_parts *out);
/* Posted @parts: room for @bytes of what may be written, which there are.
 * VIRTIO_MEMORY_OK or _FULL. */
int virtio_memory_room(struct virtio_memory *m, struct virtio_parts *parts,
		       uint32_t bytes);
/* Bring in what is to be read: _OK (it is there), _LATER, or a negative errno. */
int virtio_memory_fetch(struct virtio_memory *m, struct virtio_parts *parts);
/* Take out the first @head and the last @tail bytes of what was written: as above. */
int virtio_memory_deliver(struct virtio_memory *m, struct virtio_parts *parts,
			  uint64_t head, uint32_t tail);
/* Give the pages of @parts back. */
void virtio_memory_release(struct virtio_memory *m, struct virtio_parts *parts);
/* Move what was put off. 0 or a negative errno. */
int virtio_memory_flush(struct virtio_memory *m);

#endif
