/* SPDX-License-Identifier: MIT */
/*
 * A virtio-can driver in a loopxen domain: vfront.h's way to DRIVER_OK, and the
 * messages of virtio 1.4. It shares no line with what it is set against.
 */
#ifndef XDD_TEST_CAN_FRONT_VIRTIO_H
#define XDD_TEST_CAN_FRONT_VIRTIO_H

#include "tests/device/can-front.h"
#include "tests/device/vchain.h"

#define CAN_FRONT_F_CLASSIC  DRIVER_FEATURE(0)
#define CAN_FRONT_F_FD	     DRIVER_FEATURE(1)
#define CAN_FRONT_F_RTR	     DRIVER_FEATURE(2)
#define CAN_FRONT_F_LATE_ACK DRIVER_FEATURE(3)

enum { CAN_FRONT_TX, CAN_FRONT_RX, CAN_FRONT_CONTROL, CAN_FRONT_QUEUES };

#define CAN_FRONT_TYPE_TX    0x0001
#define CAN_FRONT_TYPE_RX    0x0101
#define CAN_FRONT_TYPE_START 0x0201
#define CAN_FRONT_TYPE_STOP  0x0202

#define CAN_FRONT_FLAG_EXTENDED 0x8000
#define CAN_FRONT_FLAG_FD	0x4000
#define CAN_FRONT_FLAG_RTR	0x2000

#define CAN_FRONT_HEADER 16

struct can_front_virtio {
	struct can_front front;
	struct vfront v;
	uint64_t refuses; /* features, before ready() */
	bool again;	  /* as vfront.h has it */
	unsigned pages;	  /* of the pool, before connect(); 0: as vfront.h has it */
	struct vchains chains;
	unsigned events; /* EVENT_CONFIG messages that were looked at */
	bool bus_off;	 /* as the configuration said last */
	unsigned empty;	 /* buffers that came back with nothing */
};

extern const struct can_front_ops can_front_virtio_ops;

/* The header of a message of @type, as it is on the wire. */
void can_front_header_put(uint8_t *at, uint16_t type, uint16_t length, uint32_t flags,
			  uint32_t id);
/* Any bytes as a chain of @queue, and @room behind them; not published. False: no room.
 */
bool can_front_chain(struct can_front_virtio *f, unsigned queue, uint16_t id,
		     const void *bytes, uint32_t readable, uint32_t room);
/* What was taken back of @queue: how many bytes were written, and, if @room of them
 * are there, the first. False: nothing. */
bool can_front_back(struct can_front_virtio *f, unsigned queue, uint16_t *id,
		    uint8_t *out, uint32_t room, uint32_t *len);
/* All that is out is forgotten: the device was reset. */
void can_front_forget(struct can_front_virtio *f);

#endif
