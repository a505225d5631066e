/* SPDX-License-Identifier: MIT */
/*
 * A virtio device, whatever carries its messages and whatever it is: status,
 * features, queues, configuration, reset (virtio 1.3: 2.1 to 2.6, 3.1).
 *
 * Not a transport (virtio-msg.h) and not a class. Invariants:
 *  1. queues are served while DRIVER_OK stands and NEEDS_RESET does not; what
 *     set them up (size, addresses) does not change in that time (T-VQ-1);
 *  2. what a driver does wrong sets NEEDS_RESET, is said once, and is undone by
 *     a reset: nothing of it stops the process;
 *  3. a reset, of the device or of a queue, is done when no slot of it is out
 *     and its areas are given back, not before;
 *  4. status bits come in order and do not go but by a reset;
 *  5. what is posted (virtio-queue.h) keeps nobody waiting: not the start of others,
 *     not a reset, not an end;
 *  6. no allocation after virtio_device_init().
 */
#ifndef XDD_VIRTIO_DEVICE_H
#define XDD_VIRTIO_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/door/virtio-queue.h"
#include "backends/door/virtio.h"
#include "common/log.h"
#include "policy/policy.h"

#define VIRTIO_QUEUES_MAX 16
#define VIRTIO_CONFIG_MAX 128

/* What a class of devices adds. Its owner is device->conf.owner. */
struct virtio_class {
	enum virtio_id id;
	uint32_t request_bytes; /* of slot->request */
	/* A connection begins, its memory is known: set device->offered and
	 * device->config. */
	void (*describe)(struct virtio_device *device);
	/* May these, all of them offered, be accepted together? NULL: yes. */
	bool (*agrees)(const struct virtio_device *device, uint64_t features);
	/* Features are settled (FEATURES_OK was set, by the driver or again by a
	 * journal). NULL: they are asked for when they matter. */
	void (*settled)(struct virtio_device *device);
	/* It was reset and nothing is out: forget what the driver wanted, before it is
	 * told so. False: not yet; device->due may be lowered. NULL: there is nothing.
	 */
	bool (*reset)(struct virtio_device *device);
	/* May it start? If only later, device->due may be lowered. */
	bool (*admit)(struct virtio_slot *slot, uint64_t now);
	/* virtio_slot_done() follows, now or later. */
	void (*start)(struct virtio_slot *slot);
	/* Its data did not arrive at the driver: virtio_slot_done() once more, at once,
	 * without data. */
	void (*undelivered)(struct virtio_slot *slot);
	/* Posted slots may be there, and something for them: virtio_slot_done(), for
	 * each queue in the order of starting. Whenever slots have been started, and at
	 * least once a turn, while the device is served. NULL: no queue is posted. */
	void (*fill)(struct virtio_device *device, uint64_t now);
	/* Must we be told of what is added to this posted queue? Not while what is
	 * there will do: it is taken in each turn. NULL: yes. */
	bool (*lacks)(const struct virtio_queue *queue);
	/* Nothing of @queue will be published, why is to be seen in the device.
	 * virtio_slot_return() all that it has posted; of the rest bring home
	 * (virtio_slot_done()) what need not be waited for. NULL: nothing is posted. */
	void (*recall)(struct virtio_queue *queue);
	/* It is being published, or NULL. */
	void (*answered)(struct virtio_slot *slot, uint64_t now);
	/* The driver writes its configuration: false if these bytes are not its to
	 * write, or not so. True: they are in device->config. NULL: none are. */
	bool (*config_write)(struct virtio_device *device, uint32_t offset,
			     const uint8_t *data, uint32_t n);
};

struct virtio_device_conf {
	const struct virtio_class *class;
	void *owner;
	struct virtio_memory *memory;
	const struct policy *policy; /* InFlight; may change in place */
	struct log *log;
	uint32_t queues;
	uint32_t posted;     /* which of them are: bits */
	uint16_t queue_size; /* the most, a power of two */
};

/* What is still done, once an end was asked for. */
enum virtio_leaving {
	VIRTIO_STAYS,
	VIRTIO_DRAINS, /* what is in flight is finished; nothing is posted any more,
			  and, if its class can be recalled, nothing started */
	VIRTIO_DROPS,  /* nothing is waited for that can be recalled */
};

struct virtio_stats {
	uint64_t taken, answers, pushes, resets, wrong;
};

struct virtio_device {
	struct virtio_device_conf conf;
	struct virtio_queue *queue;
	/* The class's. */
	uint64_t offered; /* features of its own; the rest is added here */
	uint8_t config[VIRTIO_CONFIG_MAX];
	uint32_t config_bytes, generation;

	uint32_t status;   /* enum virtio_status, bits */
	uint64_t features; /* that the driver accepted */
	bool resetting;	   /* status 0 was written; slots are still out */
	enum virtio_leaving leaving;
	bool event;   /* the driver must be told of status or configuration */
	bool changed; /* since it was cleared, what a journal keeps has */
	int error;    /* our environment failed, while areas were given back */

	/* What the driver wrote of its configuration last. */
	uint32_t written_at, written_bytes;
	uint8_t written[8];

	uint32_t busy; /* slots with the class, but for those that are posted */
	bool freed;    /* since it was cleared, a slot gave pages back */
	struct virtio_slot *done, *done_last;
	uint32_t turn; /* the queue whose turn it is */
	uint64_t due;  /* of the next turn */
	struct virtio_stats stats;
};

/* Before sealing; conf.memory is made by then or later, with virtio_slot_moved(). 0 or
 * -ENOMEM. */
int virtio_device_init(struct virtio_device *d, const struct virtio_device_conf *conf);
void virtio_device_fini(struct virtio_device *d);

/* A new connection: as after a reset. */
void virtio_device_begin(struct virtio_device *d);
/* An end begins, or goes on. */
void virtio_device_leave(struct virtio_device *d, enum virtio_leaving how);
/* The end of one: no slot is out. Areas are given back. 0 or a negative errno. */
int virtio_device_end(struct virtio_device *d);
bool virtio_device_idle(const struct virtio_device *d);

/* Once a turn of the loop. @taking: else only what is out is finished. Sets @notify if
 * the driver wants to be told. 0 or a negative errno. */
int virtio_device_turn(struct virtio_device *d, bool taking, uint64_t now,
		       bool *notify);
/* As struct host_door has them. */
bool virtio_device_arm(struct virtio_device *d);
bool virtio_device_pending(const struct virtio_device *d);

/* What a driver asks for. Wrong ones end in virtio_device_wrong(). */
enum virtio_answer { VIRTIO_NOW, VIRTIO_LATER };
uint64_t virtio_device_features(const struct virtio_device *d);
void virtio_device_accept(struct virtio_device *d, uint32_t block, uint32_t bits);
/* VIRTIO_LATER: a reset; the answer is due when d->resetting is false again. */
enum virtio_answer virtio_device_set_status(struct virtio_device *d, uint32_t status);
/* Map it. 0 or a negative errno. */
int virtio_device_set_queue(struct virtio_device *d, uint32_t index, uint32_t size,
			    const uint64_t area[3]);
/* VIRTIO_LATER: when its resetting is false again. */
enum virtio_answer virtio_device_reset_queue(struct virtio_device *d, uint32_t index);
/* False: refused, which is no error of the driver's. */
bool virtio_device_configure(struct virtio_device *d, uint32_t generation,
			     uint32_t offset, const uint8_t *data, uint32_t n);
/* From the class: d->config is another one. */
void virtio_device_reconfigured(struct virtio_device *d);
void virtio_device_wrong(struct virtio_device *d, const char *why);

/* For a successor: all that virtio_device_restore() checks as if a driver had said
 * it. */
struct virtio_kept {
	uint32_t status, generation;
	uint64_t features;
	uint32_t written_at, written_bytes;
	uint8_t written[8];
	struct virtio_queue_setup queue[VIRTIO_QUEUES_MAX];
};
void virtio_device_keep(const struct virtio_device *d, struct virtio_kept *out);
/* Queues go on at their used index. 0 or a negative errno. */
int virtio_device_restore(struct virtio_device *d, const struct virtio_kept *kept);

/* From the queues: InFlight has room. */
bool virtio_device_admits(const struct virtio_device *d);

#endif
