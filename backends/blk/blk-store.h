/* SPDX-License-Identifier: MIT */
/*
 * What a disk's bytes are kept in: a file or block device of the host, plain
 * memory, or nothing at all.
 *
 * All of it is opened before the process is sealed; what fails then, fails
 * with a negative errno and nothing is left open. Afterwards a store only
 * moves bytes, and answers through blk_finish().
 *
 * Memory and null stores answer from within submit(): they are for tests and
 * for measuring what the doors alone cost.
 */
#ifndef XDD_BLK_STORE_H
#define XDD_BLK_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/blk/blk.h"
#include "common/loop.h"

struct blk_store_conf {
	bool read_only;
	bool discard;	       /* may DISCARD reach the host? */
	bool direct;	       /* past the host's page cache, if the file can */
	uint32_t sector_bytes; /* logical sector to show: 512, 4096; 0: the host's */
};

struct blk_store_file {
	struct blk_store store;
	struct loop *loop; /* the file is its LOOP_FILE_RESOURCE */
	int fd;		   /* the same once more: to look at its size alone */
	bool block;	   /* a block device */
	bool direct;	   /* opened O_DIRECT */
	/* What is given to the host at once, at most. */
	uint32_t piece_bytes, piece_pages;
};

/*
 * Open and probe the regular file or block device @path and put it into
 * @loop's table. It is locked: a disk that
 * is served writable is served once (-EAGAIN after two seconds, in which one
 * that was killed may end its I/O), and a block device that this machine has
 * mounted is not served writable (-EBUSY). -EINVAL: neither file
 * nor block device, or empty. -EDOM: sector_bytes is smaller than the disk's.
 */
int blk_store_file_open(struct blk_store_file *file, const char *path,
			const struct blk_store_conf *conf, struct loop *loop);

struct blk_store_memory {
	struct blk_store store;
	uint8_t *bytes;
	uint64_t size;
};

/* @size bytes, zeroed, rounded down to the logical sector. */
int blk_store_memory_open(struct blk_store_memory *memory, uint64_t size,
			  const struct blk_store_conf *conf);

struct blk_store_null {
	struct blk_store store;
};

/* Takes and gives nothing: what is read is whatever the memory held. */
int blk_store_null_open(struct blk_store_null *null, uint64_t size,
			const struct blk_store_conf *conf);

union blk_store_any {
	struct blk_store store;
	struct blk_store_file file;
	struct blk_store_memory memory;
	struct blk_store_null null;
};

/* By the policy's Resource: "memory:SIZE", "null:SIZE" (bytes, with k, M or G
 * for 10^3, 10^6, 10^9), or an absolute path. */
int blk_store_open(union blk_store_any *any, const char *resource,
		   const struct blk_store_conf *conf, struct loop *loop);

#endif
