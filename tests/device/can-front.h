/* SPDX-License-Identifier: MIT */
/*
 * A CAN controller as its client sees it, whichever door it stands behind: start and
 * stop, frames to send and what became of them, slots for what comes.
 *
 * Deliberately simple: it does what it is told, right or wrong, and checks nothing
 * but what came back. What only one door can do is done with can-front-pv.h and
 * can-front-virtio.h.
 */
#ifndef XDD_TEST_CAN_FRONT_H
#define XDD_TEST_CAN_FRONT_H

#include "backends/can/can.h"
#include "tests/loopxen/loopxen.h"

struct can_front;

struct can_front_conf {
	bool late_ack, own;
	unsigned order; /* PV: of each ring */
	bool grant;	/* virtio: no pool */
	bool plain;	/* virtio: neither indirect descriptors nor event index */
};

/* What became of what was asked for under @id. */
struct can_front_answer {
	uint16_t id;
	enum can_status status; /* of a wire that knows no more: CAN_OK or CAN_FAILED */
	uint64_t time;
};

/* What a wire can say at all. */
struct can_front_words {
	bool statuses; /* each enum can_status; else that it failed */
	bool events;   /* changes of state, bus errors, losses; else frames alone, and
			  that it is BUS_OFF */
	bool times;
	bool own; /* its own frames, if it asked */
	bool brs; /* BRS and ESI of a frame */
};

struct can_front_ops {
	struct can_front_words words;
	/* Grants, port and keys, up to Initialised. */
	void (*connect)(struct can_front *f);
	/* The back end connected: what a driver's probe does then. False if the device
	 * does not come along. */
	bool (*ready)(struct can_front *f);
	/* Takes its grants back; false if the back end still maps one. */
	bool (*disconnect)(struct can_front *f);
	void (*key)(struct can_front *f, const char *key, const char *value);

	/* All of these are written, and published by the next push. False: no room. An
	 * id is the caller's, and need not be another than those that are out. */
	bool (*send)(struct can_front *f, uint16_t id, const struct canfd_frame *frame);
	bool (*control)(struct can_front *f, uint16_t id, bool start);
	/* One more slot for something that comes. */
	bool (*post)(struct can_front *f);
	/* Publish, with an event if the back end asked for one. */
	void (*push)(struct can_front *f);
	/* An event, asked for or not. */
	void (*kick)(struct can_front *f);

	/* The next answer to a frame, or to a start or stop; arms the event when there
	 * is none. */
	bool (*answer)(struct can_front *f, struct can_front_answer *out);
	bool (*controlled)(struct can_front *f, struct can_front_answer *out);
	/* The next thing that came; its slot is free again, and not posted. */
	bool (*event)(struct can_front *f, struct can_event *out);
};

/* First member of each implementation's own. */
struct can_front {
	const struct can_front_ops *ops;
	struct loopxen *x;
	const struct loopxen_device *dev;
	struct can_front_conf conf;
	/* Let the back end run until it rests. False: its process failed. */
	bool (*run)(void *owner);
	void *owner;
};

#endif
