/* SPDX-License-Identifier: MIT */
/*
 * A PV CAN controller as its client has it: two rings, and whether it is started.
 *
 * Pure: it knows no grant, no xenstore, no socket and no clock. Invariants:
 *  1. every receive slot is posted, but for those whose answers are being looked at:
 *     front_device_publish() posts them again;
 *  2. START and STOP always find room: frames leave FRONT_ROOM_KEPT entries of the
 *     transmit ring alone;
 *  3. each answer is the one that was due: its id, its operation, its status and its
 *     type are checked, whole, before it is handed out. The first that is wrong breaks
 *     the device, and nothing is taken from it any more.
 */
#ifndef XDD_FRONT_DEVICE_H
#define XDD_FRONT_DEVICE_H

#include <linux/can.h>
#include <stdbool.h>
#include <stdint.h>

#include "backends/can/cmd/front-ring.h"

#define FRONT_ROOM_KEPT 2
#define FRONT_STATUSES	(XENCAN_FAILED + 1)

/* What was asked at an entry of the transmit ring. */
struct front_asked {
	uint16_t id;
	uint8_t operation;
	canid_t can_id;
};

/* What became of it. */
struct front_answer {
	uint8_t operation, status;
	canid_t can_id;
};

struct front_device {
	struct front_ring tx, rx;
	struct front_asked asked[FRONT_ENTRIES_MAX];
	bool wanted;	    /* started, if it were up to us */
	bool started;	    /* by what was put into the ring last */
	bool restart;	    /* put START once more */
	uint32_t commands;  /* START and STOP that are out */
	uint8_t state;	    /* XENCAN_STATE_*, the last that was told */
	const char *broken; /* why; NULL: it is not */
};

/* Over pages that nobody else sees yet. The rings are whole when it returns, but not
 * published: front_device_publish() posts the receive slots. */
void front_device_init(struct front_device *device, void *tx, void *rx, uint32_t pages);

/* Start or stop. */
void front_device_want(struct front_device *device, bool started);
/* It is bus-off: START once more. */
void front_device_restart(struct front_device *device);
/* What was wanted last is done, as far as the back end goes. */
bool front_device_settled(const struct front_device *device);

/* Frames that front_device_send() takes now; 0 while it is not started. */
uint32_t front_device_room(const struct front_device *device);
/* False, and not sent: no frame that a controller could send. There is room. */
bool front_device_send(struct front_device *device, const struct canfd_frame *frame);

/* FRONT_RING_OK, EMPTY, or BROKEN: device->broken says why. */
enum front_ring_status front_device_answer(struct front_device *device,
					   struct front_answer *out);
/* What happened on the bus; its u.frame was not looked at. */
enum front_ring_status front_device_event(struct front_device *device,
					  struct xencan_rx_rsp *out);
/* The back end wrote what cannot be. Always FRONT_RING_BROKEN. */
enum front_ring_status front_device_break(struct front_device *device, const char *why);

/* START or STOP if due, receive slots, and all that was put: true if the back end is
 * to be notified. Once a turn. */
bool front_device_publish(struct front_device *device);
/* True: there is more, do not sleep. */
bool front_device_rest(struct front_device *device);

#endif
