/* SPDX-License-Identifier: MIT */
/*
 * The device's half of a split virtqueue (virtio 1.3, 2.7), for any class.
 *
 * Not memory access (its areas were mapped and checked by its owner), and not a
 * device: buffers are addresses and lengths that nobody has looked at yet.
 * Invariants:
 *  1. each shared field is read once, and what is checked is that copy;
 *  2. a chain is bounded (no more descriptors than the queue has entries) and
 *     whole before it is handed out: read-only buffers, then writable ones;
 *  3. a head is out at most once: a driver that makes it available again before
 *     it came back, which a push does, has broken the queue (T-VQ-5);
 *  4. used elements are published in the order of virtqueue_put(), all of a
 *     push at once; who puts them in the order of taking leaves behind, whenever
 *     the process dies, a queue that goes on at its used index;
 *  5. once broken it gives nothing more and publishes nothing more, until it is
 *     made anew;
 *  6. no allocation after virtqueue_init(), no unbounded loop.
 */
#ifndef XDD_VIRTQUEUE_H
#define XDD_VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define VIRTQUEUE_SIZE_MAX 256 /* entries, and so descriptors of a chain */

enum virtqueue_status {
	VIRTQUEUE_OK = 0,
	VIRTQUEUE_EMPTY,
	VIRTQUEUE_BROKEN, /* the driver's doing, @why says what */
};

struct virtqueue_buffer {
	uint64_t addr;
	uint32_t len; /* 1 or more */
};

/* What a driver made available: @readable buffers, then @writable ones. */
struct virtqueue_chain {
	uint16_t head;
	uint16_t readable, writable;
	struct virtqueue_buffer buffer[VIRTQUEUE_SIZE_MAX];
};

struct virtqueue_conf {
	uint16_t size;	   /* a power of two, 2 to VIRTQUEUE_SIZE_MAX */
	const void *desc;  /* 16 * size bytes, aligned to 16 */
	const void *avail; /* 6 + 2 * size, aligned to 2 */
	void *used;	   /* 6 + 8 * size, aligned to 4 */
	bool event_idx;	   /* VIRTIO_F_EVENT_IDX was accepted */
	/* VIRTIO_F_INDIRECT_DESC was: shared memory at a driver's address, or NULL if
	 * the range is not the driver's to name. NULL: indirect breaks the queue. */
	const void *(*table)(void *owner, uint64_t addr, uint32_t len);
	void *owner;
};

struct virtqueue {
	struct virtqueue_conf conf;
	const char *why;     /* it is broken, or NULL */
	uint16_t last_avail; /* next to be taken, private */
	uint16_t seen_avail; /* the driver's index as last read and checked */
	uint16_t used;	     /* next to be put, private */
	uint16_t pushed;     /* as published */
	bool signal; /* the driver's wish is not known: the next push notifies */
	bool hushed; /* the driver was told that we look without being notified */
	uint64_t out[VIRTQUEUE_SIZE_MAX / 64];	/* heads that are not the driver's */
	uint64_t back[VIRTQUEUE_SIZE_MAX / 64]; /* of them: come back with a push */
};

/* A queue that begins, at 0; or, @attach, one that is live: go on at its used
 * index. VIRTQUEUE_BROKEN if its indices cannot be. */
enum virtqueue_status virtqueue_init(struct virtqueue *vq,
				     const struct virtqueue_conf *conf, bool attach);
/* The next chain. *@out is undefined unless VIRTQUEUE_OK. */
enum virtqueue_status virtqueue_take(struct virtqueue *vq, struct virtqueue_chain *out);
/* Give back the chain of @head, one that is with the device; @written bytes were
 * written, from its first writable buffer on. It is published by the next push. */
void virtqueue_put(struct virtqueue *vq, uint16_t head, uint32_t written);
/* Publish what was put; true if the driver wants to be notified. False if nothing
 * was put, or if the queue is broken. */
bool virtqueue_push(struct virtqueue *vq);
/* A look: there is something to take, or an index that is broken. False once the
 * queue is broken. */
bool virtqueue_pending(const struct virtqueue *vq);
/* Ask to be notified of the next chain, then look: true if there is one already
 * (do not sleep). Before that a driver need not notify of what it adds. */
bool virtqueue_arm(struct virtqueue *vq);
/* How many chains are with the device: taken and not put. */
uint32_t virtqueue_out(const struct virtqueue *vq);

/* Chains that the driver had made available when it was last looked at, and that were
 * not taken. */
static inline uint16_t virtqueue_waiting(const struct virtqueue *vq)
{
	return (uint16_t)(vq->seen_avail - vq->last_avail);
}

#endif
