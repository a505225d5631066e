/* SPDX-License-Identifier: MIT */
/*
 * The device's end of a control page: messages of virtio-msg in and out, and the
 * journal of a successor. virtio-msg-xen.md, sections 2 to 4 and 7.
 *
 * Not the device (virtio-device.h): it turns messages into its verbs, and back.
 * Invariants:
 *  1. a message is copied off the page once, then checked, then used;
 *  2. one answer a request, put before the request counts as taken: whoever dies
 *     between the two is followed by one that answers again;
 *  3. while an answer waits (a reset, a full queue), no further message is taken;
 *  4. no more than a queue's entries are taken in a turn, and no turn is made for
 *     messages but by an event, which the policy's Events bounds;
 *  5. what the driver writes on the page at worst costs it its own device.
 */
#ifndef XDD_VIRTIO_MSG_H
#define XDD_VIRTIO_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/door/virtio-device.h"

#define VIRTIO_MSG_BYTES   64 /* of a message, at most */
#define VIRTIO_MSG_ENTRIES 16

/* Where things are on the page. */
enum virtio_msg_page {
	VIRTIO_MSG_DRIVER_PUT = 0x000,
	VIRTIO_MSG_DRIVER_TAKEN = 0x040,
	VIRTIO_MSG_DEVICE_PUT = 0x080,
	VIRTIO_MSG_DEVICE_TAKEN = 0x0c0,
	VIRTIO_MSG_DRIVER_SLOTS = 0x100,
	VIRTIO_MSG_DEVICE_SLOTS = 0x500,
	VIRTIO_MSG_JOURNAL = 0x900,
};

enum virtio_msg_id {
	VIRTIO_MSG_GET_DEVICE_INFO = 0x02,
	VIRTIO_MSG_GET_DEVICE_FEATURES = 0x03,
	VIRTIO_MSG_SET_DRIVER_FEATURES = 0x04,
	VIRTIO_MSG_GET_CONFIG = 0x05,
	VIRTIO_MSG_SET_CONFIG = 0x06,
	VIRTIO_MSG_GET_DEVICE_STATUS = 0x07,
	VIRTIO_MSG_SET_DEVICE_STATUS = 0x08,
	VIRTIO_MSG_GET_VQUEUE = 0x09,
	VIRTIO_MSG_SET_VQUEUE = 0x0a,
	VIRTIO_MSG_RESET_VQUEUE = 0x0b,
	VIRTIO_MSG_EVENT_CONFIG = 0x40,
	VIRTIO_MSG_EVENT_AVAIL = 0x41,
};

#define VIRTIO_MSG_BUS_PING 0x03

struct virtio_msg {
	struct virtio_device *device;
	uint8_t *page;	  /* shared, or NULL: not connected */
	uint32_t taken;	  /* of the driver's queue */
	uint32_t put;	  /* of the device's */
	uint32_t journal; /* how often it was written */
	bool waits;	  /* the answer to @in is not ready */
	int32_t reset;	  /* it is a reset of: -1 the device, or this queue */
	bool full;	  /* @out did not fit */
	bool again;	  /* messages may have come while none was taken */
	uint8_t in[VIRTIO_MSG_BYTES];
	uint8_t out[VIRTIO_MSG_BYTES];
	uint64_t messages; /* taken */
};

/* @page is mapped. @attach: go on where its indices and its journal are. 0 or a
 * negative errno. */
int virtio_msg_connect(struct virtio_msg *m, struct virtio_device *device, void *page,
		       bool attach);
/* Take messages and answer them; say what is to be said. @notify is set if the driver
 * is to look. 0 or a negative errno. */
int virtio_msg_turn(struct virtio_msg *m, bool *notify);
/* After the device's turn: a reset that has ended is answered, and what a successor
 * must know is written down. */
void virtio_msg_settle(struct virtio_msg *m, bool *notify);
/* There is a message, it may be taken, and no event will say so (invariant 4). */
bool virtio_msg_pending(const struct virtio_msg *m);

#endif
