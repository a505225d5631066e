/* SPDX-License-Identifier: MIT */
/*
 * A virtio driver of a client VM, over plain memory: the control page of
 * backends/door/virtio-msg-xen.md, its messages, the way to DRIVER_OK. Written from
 * that page and from virtio 1.3; it knows nothing of xdd's own code.
 *
 * Not Xen: an event is the callback @notify, and memory is what it was given. Nor a
 * device class: requests go through driver-queue.h, out of driver-pool.h.
 * A sound driver, until it is told to put bytes of its user's or to store an index.
 */
#ifndef XDD_TEST_VIRTIO_DRIVER_H
#define XDD_TEST_VIRTIO_DRIVER_H

#include "tests/front/driver-pool.h"
#include "tests/front/driver-queue.h"

#define DRIVER_PAGE    4096
#define DRIVER_MESSAGE 64 /* bytes of a slot */
#define DRIVER_SLOTS   16
#define DRIVER_HEADER  8
#define DRIVER_PAYLOAD (DRIVER_MESSAGE - DRIVER_HEADER)

/* Offsets in the control page. */
#define DRIVER_DRIVER_PUT   0x000
#define DRIVER_DRIVER_TAKEN 0x040 /* the device stores it */
#define DRIVER_DEVICE_PUT   0x080 /* the device stores it */
#define DRIVER_DEVICE_TAKEN 0x0c0
#define DRIVER_DRIVER_SLOT  0x100
#define DRIVER_DEVICE_SLOT  0x500
#define DRIVER_JOURNAL	    0x900

enum virtio_type {
	DRIVER_REQUEST = 0,
	DRIVER_ANSWER = 1,
	DRIVER_BUS_REQUEST = 2,
	DRIVER_BUS_ANSWER = 3,
};

enum virtio_message {
	DRIVER_GET_DEVICE_INFO = 0x02,
	DRIVER_GET_DEVICE_FEATURES = 0x03,
	DRIVER_SET_DRIVER_FEATURES = 0x04,
	DRIVER_GET_CONFIG = 0x05,
	DRIVER_SET_CONFIG = 0x06,
	DRIVER_GET_DEVICE_STATUS = 0x07,
	DRIVER_SET_DEVICE_STATUS = 0x08,
	DRIVER_GET_VQUEUE = 0x09,
	DRIVER_SET_VQUEUE = 0x0a,
	DRIVER_RESET_VQUEUE = 0x0b,
	DRIVER_EVENT_CONFIG = 0x40,
	DRIVER_PING = 0x03, /* of the bus */
};

#define DRIVER_S_ACKNOWLEDGE 0x01
#define DRIVER_S_DRIVER	     0x02
#define DRIVER_S_DRIVER_OK   0x04
#define DRIVER_S_FEATURES_OK 0x08
#define DRIVER_S_NEEDS_RESET 0x40
#define DRIVER_S_FAILED	     0x80

#define DRIVER_FEATURE(n)	 (UINT64_C(1) << (n))
#define DRIVER_F_INDIRECT_DESC	 DRIVER_FEATURE(28)
#define DRIVER_F_EVENT_IDX	 DRIVER_FEATURE(29)
#define DRIVER_F_VERSION_1	 DRIVER_FEATURE(32)
#define DRIVER_F_ACCESS_PLATFORM DRIVER_FEATURE(33)
#define DRIVER_F_RING_RESET	 DRIVER_FEATURE(40)

struct virtio_driver {
	uint8_t *page; /* the control page */
	void (*notify)(void *owner);
	/* Let the device run, or let time pass; false: an answer will not come. */
	bool (*wait)(void *owner);
	void *owner;
	uint32_t put, taken; /* free-running: ours to the device, the device's to us */
	uint16_t token;
	uint32_t status;			 /* as the device last said */
	unsigned events;			 /* EVENT_CONFIG messages that came */
	uint32_t event_status, event_generation; /* what the last of them said */
	unsigned strays;			 /* messages that nothing asked for */
};

struct virtio_info {
	uint32_t device, vendor, feature_bits, config_bytes, queues;
	uint16_t admin_start, admin_count;
};

struct virtio_vqueue {
	uint32_t index, max, size;
	uint64_t desc, driver, device;
};

/* Clears the page. @wait may be NULL if @notify lets the device run. */
void virtio_driver_init(struct virtio_driver *d, void *page, void (*notify)(void *),
			bool (*wait)(void *), void *owner);

/* -- Messages, as bytes -- */

/* Any bytes, DRIVER_MESSAGE at most, as the next message; and an event. False if the
 * queue is full. */
bool virtio_driver_put(struct virtio_driver *d, const void *bytes, unsigned n);
/* Any value as the index of messages put; and an event. */
void virtio_driver_raw_put(struct virtio_driver *d, uint32_t index);
/* The device's next message, whatever it is; false if there is none. */
bool virtio_driver_take(struct virtio_driver *d, uint8_t out[DRIVER_MESSAGE]);
/* Looks at what the device said by itself; what is no event is a stray. */
void virtio_driver_poll(struct virtio_driver *d);
/* Any request: its header is made here. The answer's payload has exactly @want
 * bytes, or at least if @more is there, which says how many. False: no such answer. */
bool virtio_driver_ask(struct virtio_driver *d, enum virtio_type type,
		       enum virtio_message id, const void *payload, unsigned n,
		       uint8_t answer[DRIVER_PAYLOAD], unsigned want, unsigned *more);

/* -- Messages, one by one; false: no answer, or not what it should be -- */

bool virtio_driver_info(struct virtio_driver *d, struct virtio_info *out);
bool virtio_driver_get_features(struct virtio_driver *d, uint64_t *out);
bool virtio_driver_set_features(struct virtio_driver *d, uint64_t features);
bool virtio_driver_get_status(struct virtio_driver *d);
bool virtio_driver_set_status(struct virtio_driver *d, uint32_t status);
/* @bytes: 1 to 44. */
bool virtio_driver_get_config(struct virtio_driver *d, uint32_t offset, uint32_t bytes,
			      uint8_t *out, uint32_t *generation);
/* @accepted: the device took it. */
bool virtio_driver_set_config(struct virtio_driver *d, uint32_t generation,
			      uint32_t offset, const void *data, uint32_t bytes,
			      bool *accepted);
bool virtio_driver_get_vqueue(struct virtio_driver *d, uint32_t index,
			      struct virtio_vqueue *out);
bool virtio_driver_set_vqueue(struct virtio_driver *d, const struct virtio_vqueue *v);
bool virtio_driver_reset_vqueue(struct virtio_driver *d, uint32_t index);
bool virtio_driver_ping(struct virtio_driver *d, uint32_t data);

/* -- The way there -- */

/* From reset to FEATURES_OK, with all of @wanted that is offered: that is @accepted.
 * False if the device does not set FEATURES_OK. */
bool virtio_driver_begin(struct virtio_driver *d, uint64_t wanted, uint64_t *accepted);
/* SET_VQUEUE of a queue's own areas. */
bool virtio_driver_queue(struct virtio_driver *d, uint32_t index,
			 const struct driver_queue *q);
/* DRIVER_OK. */
bool virtio_driver_ready(struct virtio_driver *d);

#endif
