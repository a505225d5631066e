/* SPDX-License-Identifier: MIT */
/*
 * The block device core: what a disk does with a request, whoever asks.
 *
 * Pure: it knows no grant, no ring, no xenstore and no domain; a door (PV or
 * virtio) turns its wire into struct blk_request and gives it an iovec.
 *
 * Invariants:
 *  1. a request goes to the core at blk_submit() and comes home through its
 *     done() exactly once, possibly from within blk_submit();
 *  2. nothing past the capacity or against ReadOnly reaches the store;
 *  3. a FLUSH that is done has on stable storage every write done before it
 *     was submitted; a BARRIER too, and its own data;
 *  4. no allocation after blk_init().
 */
#ifndef XDD_BLK_H
#define XDD_BLK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/loop.h"

#define BLK_SECTOR  512u /* the unit of all sector numbers, whatever the disk */
#define BLK_IOV_MAX 256

enum blk_op {
	BLK_READ,
	BLK_WRITE,
	BLK_FLUSH,
	BLK_DISCARD,
	BLK_WRITE_ZEROES,
	BLK_BARRIER, /* flush, write, flush; the door keeps all else off meanwhile */
	BLK_OPS,
};

enum blk_status {
	BLK_OK,
	BLK_IOERR,	 /* the host's fault */
	BLK_UNSUPPORTED, /* never, on this disk */
	BLK_NOSPACE,	 /* the host's file system is full */
	BLK_FAULT,	 /* the host's disk cannot reach the client's pages */
	BLK_OUT_OF_RANGE,
	BLK_MISALIGNED, /* to the logical sector */
	BLK_READ_ONLY,
};

/* How many parts of one request the host may have at the same time. */
#define BLK_PIECES 8
/* The longest part of an iovec that a door makes of neighbours: a store that must
 * give the host less at once divides between parts only. */
#define BLK_PART_BYTES 65536u

struct blk_request;

/* A store's: some parts of a request, which the host has as one operation. */
struct blk_piece {
	struct loop_op op;
	struct blk_request *rq;
	uint32_t bytes; /* asked for */
	int res;	/* as the operation's */
};

struct blk_request {
	enum blk_op op;
	uint64_t sector;   /* first, in BLK_SECTOR units */
	uint64_t sectors;  /* what iov holds; DISCARD, WRITE_ZEROES: how many;
			      a BARRIER: or 0 */
	struct iovec *iov; /* READ: written to; else read; the core may advance it */
	uint32_t niov;
	bool through; /* a WRITE or WRITE_ZEROES is done when it is on stable storage */
	void (*done)(struct blk_request *rq, enum blk_status status);
	/* For the core and the store, while they have it. */
	struct blk_piece piece[BLK_PIECES];
	uint32_t pieces, out; /* made; not home yet */
	struct blk *blk;
	enum blk_op step; /* what the store is to do: never BLK_BARRIER */
	bool written;	  /* the data is: the last flush is left */
	uint64_t left;	  /* bytes still to move, to discard, to zero */
};

/* What a disk is, fixed while the process lives, but for its size. */
struct blk_geometry {
	uint64_t sectors;	 /* capacity, in BLK_SECTOR units: blk_resize() */
	uint32_t logical_bytes;	 /* smallest unit of a request: 512 or 4096 */
	uint32_t physical_bytes; /* what the host likes best */
	uint32_t memory_bytes;	 /* each iovec must be aligned to this; 1: any */
	bool read_only;
	bool flush;		      /* has a cache that FLUSH empties */
	bool write_zeroes;	      /* honours WRITE_ZEROES */
	bool discard;		      /* honours DISCARD */
	uint32_t discard_granularity; /* bytes */
	uint32_t discard_alignment;
};

struct blk_store;

struct blk_store_ops {
	/* Do @rq->step: start what is left, or a part of it, from blk_position() on.
	 * Call blk_finish() exactly once, now or later. Ranges and rights were
	 * checked. */
	void (*submit)(struct blk_store *store, struct blk_request *rq);
	/* Its bytes now, or a negative errno; NULL: it has one size. */
	int64_t (*size)(struct blk_store *store);
	void (*close)(struct blk_store *store);
};

struct blk_store {
	const struct blk_store_ops *ops;
	struct blk_geometry geometry;
};

struct blk_stats {
	uint64_t reads, writes, flushes, discards, zeroes, barriers, errors;
	uint64_t read_bytes, write_bytes, discard_bytes, zero_bytes;
};

struct blk {
	struct blk_store *store;
	struct blk_geometry geometry;
	struct blk_stats stats;
	uint32_t busy; /* requests that are not home */
};

void blk_init(struct blk *blk, struct blk_store *store);
/* For a door, while no request is out: take rights away that the store gives
 * (a toolstack's "mode" and "discard-enable"), or give them back. */
void blk_restrict(struct blk *blk, bool read_only, bool discard);
/* Look at the size of what is behind the disk. True if it has changed: what was
 * submitted stays as it is, the next requests may reach so far and no further. */
bool blk_resize(struct blk *blk);
void blk_submit(struct blk *blk, struct blk_request *rq);
/* For stores: @res is bytes moved or discarded, 0 of a flush, or a negative
 * errno. A request that is not done yet is submitted again for the rest. */
void blk_finish(struct blk_request *rq, int64_t res);
/* For stores: the byte of the disk at which what is left of @rq begins. */
uint64_t blk_position(const struct blk_request *rq);
const char *blk_op_name(enum blk_op op);
const char *blk_status_name(enum blk_status status);

#endif
