/* SPDX-License-Identifier: MIT */
/*
 * One queue of a virtio device: a virtqueue, its areas, and a slot for each chain
 * that was taken, from being taken to being published.
 *
 * Not the device: what queues share is struct virtio_device's. What a request means
 * is its class's. Sequence numbers, all 32 bits and wrapping:
 *
 *     published <= started <= taken <= published + size
 *
 * The slots of a posted queue wait with the class until there is something to do with
 * them: buffers for what arrives (network, CAN, sound), or orders that are no work. How
 * long is not for us to say.
 *
 * Invariants:
 *  1. used elements are published in the order of taking: so what was taken and
 *     not published is, whenever we die, found again by a successor that goes on
 *     at the used index (virtqueue.h, invariant 4). The price: a slow request
 *     holds back the answers that are younger than it;
 *  2. a slot goes to the class once, and comes home by virtio_slot_done() once,
 *     possibly from within;
 *  3. no area is given back while a slot is not FREE;
 *  4. a posted slot is no request in flight: InFlight does not count it, nothing else
 *     waits for it, and it holds no page of the copy area for what may come;
 *  5. what is dropped is never published. A posted slot with the class then comes home
 *     at once, as it is (virtio_slot_return()); a successor finds it again.
 */
#ifndef XDD_VIRTIO_QUEUE_H
#define XDD_VIRTIO_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/door/virtio-memory.h"
#include "backends/door/virtqueue.h"

struct virtio_device;
struct virtio_queue;

/* What a slot may become is slot_moves' in virtio-queue.c. */
enum virtio_slot_state {
	VIRTIO_SLOT_FREE,
	VIRTIO_SLOT_FETCHING,	/* waits for the batch that brings what it reads */
	VIRTIO_SLOT_FETCHED,	/* may start, in its turn */
	VIRTIO_SLOT_BUSY,	/* with the class */
	VIRTIO_SLOT_POSTED,	/* with it, for as long as it takes */
	VIRTIO_SLOT_DONE,	/* home; what it wrote is not delivered yet */
	VIRTIO_SLOT_DELIVERING, /* waits for the batch that does */
	VIRTIO_SLOT_READY,	/* only to be published, in its turn */
	VIRTIO_SLOT_STATES,
};

struct virtio_slot {
	struct virtio_parts parts; /* the class reads and writes through them, and
				      leaves them as they are */
	struct virtio_queue *queue;
	void *request; /* the class's own, one for each slot */
	bool fresh;    /* the class has not looked at it yet */
	bool failed;   /* it could not be fetched: the class says so to the driver */
	enum virtio_slot_state state;
	struct virtio_slot *next; /* of device->done, or of a class's virtio_posted */
	uint16_t head;
	uint32_t tail; /* written: the last bytes, and the first */
	uint64_t data;
	uint64_t taken_at; /* monotonic */
};

/* What a class has posted of one queue, oldest first; begins as zeros. */
struct virtio_posted {
	struct virtio_slot *first, *last;
	uint32_t n;
};

/* Descriptor, driver and device area: addresses of the driver. */
struct virtio_queue_setup {
	uint64_t size; /* 0: not set up */
	uint64_t area[3];
};

struct virtio_queue {
	struct virtio_device *device;
	struct virtio_slot *slot; /* as many as the maximum size */
	struct virtio_queue_setup setup;
	struct virtio_area area[3];
	bool dropping;	/* its slots are being recalled */
	bool posted;	/* its slots are POSTED, where others are BUSY */
	bool open;	/* vq may be used */
	bool resetting; /* RESET_VQUEUE waits for what is out */
	struct virtqueue vq;
	struct virtqueue_chain chain;
	bool held; /* chain was taken and has no slot yet */
	uint32_t published, started, taken;
	uint32_t budget; /* bytes that may still be taken in this turn */
	bool deep;	 /* many waited when it began */
};

/* 0 or -ENOMEM: @slots slots, with @request_bytes each for the class. */
int virtio_queue_init(struct virtio_queue *q, struct virtio_device *device,
		      uint16_t slots, uint32_t request_bytes);
void virtio_queue_fini(struct virtio_queue *q);

/* Make the areas of q->setup reachable and look at the indices. 0; positive: the
 * driver's doing; or a negative errno. All or nothing. */
int virtio_queue_open(struct virtio_queue *q, bool attach);
/* It is idle: give the areas back, and forget the setup. 0 or a negative errno. */
int virtio_queue_close(struct virtio_queue *q);
/* No slot of it is out. */
bool virtio_queue_idle(const struct virtio_queue *q);

/* The @i-th of those that are fetched and wait to be started, or NULL. */
struct virtio_slot *virtio_queue_waiting(const struct virtio_queue *q, uint32_t i);
/* Nothing older waits: for what comes home, or for a rate. */
bool virtio_queue_takes(const struct virtio_queue *q);
/* A turn begins. */
void virtio_queue_turn(struct virtio_queue *q);
/* Take what fits and put off the fetching of it. 0 or a negative errno. */
int virtio_queue_take(struct virtio_queue *q, uint64_t now);
/* Start the oldest, in order, until one must wait. True if one had to. *@started
 * counts them. A negative errno. */
#define VIRTIO_QUEUE_WAITS 1
int virtio_queue_start(struct virtio_queue *q, uint64_t now, uint32_t *started);
/* Publish what is READY, in order; true if the driver wants to be notified. */
bool virtio_queue_publish(struct virtio_queue *q, uint64_t now);
/* Nothing of it will be published: what is with the class is recalled, what is home is
 * free. */
void virtio_queue_drop(struct virtio_queue *q);

/* What was not started is the driver's again, as if it had not been taken. */
void virtio_queue_untake(struct virtio_queue *q);

/* From the class: the request is done. The first @data bytes of what is writable were
 * written, and the last @tail (of a posted one: if there is room for all of it). */
void virtio_slot_done(struct virtio_slot *slot, uint64_t data, uint32_t tail);
/* From the class, of a posted slot: may the first @bytes of what is writable be
 * written, and the slot be done? There are as many. False: not now; what others give
 * back has a turn made. */
bool virtio_slot_room(struct virtio_slot *slot, uint32_t bytes);
/* From the class, as it is recalled: a posted slot, of which nothing was written. */
void virtio_slot_return(struct virtio_slot *slot);
/* A posted slot that was started. */
void virtio_posted_put(struct virtio_posted *posted, struct virtio_slot *slot);
/* The oldest, which there is. */
struct virtio_slot *virtio_posted_take(struct virtio_posted *posted);
/* All of them, as they are recalled. */
void virtio_posted_return(struct virtio_posted *posted);
/* From the device: a DONE slot's bytes go out, now or at the next flush, or (@lost)
 * nowhere. 0 or a negative errno. */
int virtio_slot_deliver(struct virtio_slot *slot, bool lost);
/* From virtio-memory.c. */
void virtio_slot_moved(struct virtio_parts *parts, int status);

#endif
