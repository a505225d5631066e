/* SPDX-License-Identifier: MIT */
/*
 * The buffers of one chain, as host memory: what is to be read, then what is to be
 * written, each as one run of bytes, however a driver cut it (virtio 1.3, 2.7.4.3).
 *
 * Not how they got there (virtio-memory.h). With a pool the bytes may change while
 * they are read: each is read once.
 */
#ifndef XDD_VIRTIO_PARTS_H
#define XDD_VIRTIO_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "policy/ids.h"

#define VIRTIO_PARTS_MAX 256 /* of one chain; pages, where it is copied */

struct virtio_parts {
	uint16_t readable, writable; /* part[0] to part[readable - 1]; the rest */
	uint64_t bytes[2];	     /* of each: what is to be read, room */
	struct iovec part[VIRTIO_PARTS_MAX];
	/* Grant mode: where each part is in the client, and in the copy area. */
	struct gref ref[VIRTIO_PARTS_MAX];
	uint16_t offset[VIRTIO_PARTS_MAX];
	uint16_t page[VIRTIO_PARTS_MAX];
	uint16_t pages; /* held */
};

/* All of @parts is there: count its bytes. */
void virtio_parts_sum(struct virtio_parts *parts);

/* Bytes that are to be read, that may be written. */
static inline uint64_t virtio_parts_readable(const struct virtio_parts *parts)
{
	return parts->bytes[0];
}

static inline uint64_t virtio_parts_room(const struct virtio_parts *parts)
{
	return parts->bytes[1];
}

/* @n bytes of what is to be read, from @at on; they are there. */
void virtio_parts_read(const struct virtio_parts *parts, uint64_t at, void *dst,
		       size_t n);
/* Into what may be written; there is room. */
void virtio_parts_write(const struct virtio_parts *parts, uint64_t at, const void *src,
			size_t n);
/* The @n bytes from @at on of what is to be read or (@writable) written, in pieces of
 * @piece bytes at most. How many, or 0: more than @max. */
uint32_t virtio_parts_cut(const struct virtio_parts *parts, bool writable, uint64_t at,
			  uint64_t n, uint32_t piece, struct iovec *out, uint32_t max);

#endif
