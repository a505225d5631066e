/* SPDX-License-Identifier: MIT */
/*
 * The driver's half of a split virtqueue (virtio 1.3, 2.7), written from the
 * specification alone: it shares no line with backends/door/virtqueue.c.
 *
 * A sound driver, until a knob is turned: driver_queue_raw_...() write what no sound
 * driver writes, and change nothing of what this half believes. It does not trust
 * the device either: what comes back that cannot be is DRIVER_WRONG.
 */
#ifndef XDD_TEST_DRIVER_QUEUE_H
#define XDD_TEST_DRIVER_QUEUE_H

#include "tests/front/driver-pool.h"

#define DRIVER_QUEUE_MAX 256

#define VIRTQ_DESC_F_NEXT     1
#define VIRTQ_DESC_F_WRITE    2
#define VIRTQ_DESC_F_INDIRECT 4

enum driver_got {
	DRIVER_GOT = 0,
	DRIVER_NOTHING,
	DRIVER_WRONG, /* the device's doing */
};

struct driver_sg {
	uint64_t addr;
	uint32_t len;
};

struct driver_done {
	uint64_t cookie;
	uint32_t len;  /* written, says the device */
	uint16_t head; /* as it stands in the used ring */
};

struct driver_queue {
	uint16_t size;
	bool event_idx;
	struct driver_pool *pool;	       /* for indirect tables, or NULL */
	struct driver_block desc, avail, used; /* the areas */
	uint16_t free, frees;		       /* descriptors: the first, how many */
	uint16_t next[DRIVER_QUEUE_MAX];       /* behind a free or an own one */
	uint16_t added, published, got;	       /* free-running */
	struct {
		bool out; /* added and not got */
		uint16_t descs;
		uint64_t cookie;
		struct driver_block table;
	} chain[DRIVER_QUEUE_MAX]; /* by head */
};

/* Bytes of the areas. */
uint32_t driver_queue_desc_bytes(uint16_t size);
uint32_t driver_queue_avail_bytes(uint16_t size);
uint32_t driver_queue_used_bytes(uint16_t size);

/* Over areas that are there; they are cleared. @pool may be NULL. */
void driver_queue_init(struct driver_queue *q, uint16_t size, bool event_idx,
		       const struct driver_block area[3], struct driver_pool *pool);
/* Areas out of @pool; false if they do not fit. */
bool driver_queue_new(struct driver_queue *q, uint16_t size, bool event_idx,
		      struct driver_pool *pool);
/* Its areas and tables go back to where they came from. */
void driver_queue_free(struct driver_queue *q);

/* @readable buffers, then @writable ones, as one chain: the first @direct of them in
 * descriptors of the queue, the others in an indirect table. Its head, or -1 if there
 * is no room. The device sees it with the next publish. */
int driver_queue_add(struct driver_queue *q, const struct driver_sg *sg,
		     unsigned readable, unsigned writable, unsigned direct,
		     uint64_t cookie);
/* True if the device wants an event. */
bool driver_queue_publish(struct driver_queue *q);
enum driver_got driver_queue_get(struct driver_queue *q, struct driver_done *out);
/* Ask for an event with the next used element, then look: true if there is one. */
bool driver_queue_arm(struct driver_queue *q);
/* Ask for none. */
void driver_queue_quiet(struct driver_queue *q);
/* How many chains the device has. */
unsigned driver_queue_out(const struct driver_queue *q);

/* Knobs. @at is a queue's own descriptor area, or an indirect table. */
void driver_queue_raw_desc(uint8_t *at, unsigned i, uint64_t addr, uint32_t len,
			   uint16_t flags, uint16_t next);
void driver_queue_raw_avail(struct driver_queue *q, uint16_t index, uint16_t head);
void driver_queue_raw_idx(struct driver_queue *q, uint16_t index);
void driver_queue_raw_flags(struct driver_queue *q, uint16_t flags);
void driver_queue_raw_used_event(struct driver_queue *q, uint16_t index);
/* As the areas are now, whatever is believed. */
uint16_t driver_queue_idx(const struct driver_queue *q);
uint16_t driver_queue_used_idx(const struct driver_queue *q);
uint16_t driver_queue_used_flags(const struct driver_queue *q);
uint16_t driver_queue_avail_event(const struct driver_queue *q);

/* Both sides' indices are @start, as after so many chains; the queue is idle. */
void driver_queue_start_at(struct driver_queue *q, uint16_t start);

#endif
