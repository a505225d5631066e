/* SPDX-License-Identifier: MIT */
/*
 * How a request of the PV door gets at its client's pages: by mapping them
 * (blk-memory-map.c, Mode = map) or by batched copies through the area that
 * is shared with the keeper (blk-memory-copy.c, Mode = copy).
 *
 * Not the door: it neither takes nor answers requests; it makes a slot's iovec
 * point at its data, and takes that back. Invariants:
 *  1. a slot holds all its pages or none;
 *  2. what does not fit waits (BLK_MEMORY_FULL) as long as any other slot
 *     holds pages; a request that can never fit is refused.
 */
#ifndef XDD_BLK_MEMORY_H
#define XDD_BLK_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/blk/blkif.h"
#include "backends/blk/pgrants.h"
#include "grant-mem/grants.h"

struct blk_pv;
struct blk_slot;

enum blk_memory_status {
	BLK_MEMORY_OK = 0,  /* submit it */
	BLK_MEMORY_LATER,   /* blk_memory flush() will submit it, or fail it */
	BLK_MEMORY_FULL,    /* ask again when a slot came home */
	BLK_MEMORY_REFUSED, /* the slot was failed */
};

struct blk_memory_ops {
	int (*init)(struct blk_pv *pv);
	void (*fini)(struct blk_pv *pv);
	/* Most segments that an indirect request may have. */
	unsigned (*segments)(const struct blk_pv *pv);
	/* Read the table of @slot if there is room: blk_slot_table() now or at
	 * the next flush(). */
	int (*table)(struct blk_pv *pv, struct blk_slot *slot);
	/* An enum blk_memory_status, or a negative errno. */
	int (*gather)(struct blk_pv *pv, struct blk_slot *slot);
	/* Carry out what was put off. */
	int (*flush)(struct blk_pv *pv);
	/* @slot is DONE: give its pages back; blk_slot_ready() now or at the next
	 * flush(). */
	int (*release)(struct blk_pv *pv, struct blk_slot *slot);
	/* No slot holds pages: let go of all that is kept. */
	int (*clear)(struct blk_pv *pv);
};

extern const struct blk_memory_ops blk_memory_map_ops;
extern const struct blk_memory_ops blk_memory_copy_ops;

/* Batched copies: the segments of one grants_copy(), and whose they are. */
struct blk_memory_copy {
	uint32_t *free; /* pages of the area that no slot holds */
	uint32_t nfree, pages;
	struct grants_seg seg[GRANTS_BATCH_MAX];
	uint32_t nseg, max; /* of a batch */
	struct {
		struct blk_slot *slot;
		uint32_t first, n; /* its segments */
	} part[GRANTS_BATCH_MAX];
	uint32_t nparts;
};

struct blk_memory {
	const struct blk_memory_ops *ops;
	struct pgrants pgrants;
	struct blk_memory_copy copy;
};

/* "outside the policy", for the log. */
const char *blk_memory_why(int status);

#endif
