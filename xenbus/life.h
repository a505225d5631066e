/* SPDX-License-Identifier: MIT */
/*
 * The life of one device, seen from its back end: which XenbusState to write
 * when, and when to connect, to detach and to delete the directory.
 *
 * Pure: told what the store says, it asks its owner to act through struct
 * life_ops and writes states through them. No descriptor, no clock.
 *
 * Invariants:
 *  1. states move only along life_table's successors;
 *  2. the owner is connected exactly while the life is LIFE_CONNECTED or
 *     LIFE_DRAINING;
 *  3. a state is never walked back because a process died: a device found
 *     Connected on both sides is attached again, not set up again;
 *  4. InitWait (2) is written and stays until the front end acts: libxl waits
 *     for exactly that value;
 *  5. the directory is removed once the device is offline, closed on our side
 *     and detached, but not at once: libxl wants to see Closed (6) first, then
 *     the directory gone, and calls it an error if it misses the former.
 *
 * Source: xen/io/xenbus.h, xen/io/blkif.h "State diagrams", libxl's device
 * code (libxl_device.c).
 */
#ifndef XDD_LIFE_H
#define XDD_LIFE_H

#include <stdbool.h>

#include "xenbus/store.h"

enum life_state {
	LIFE_ABSENT,	/* no device: wait */
	LIFE_WAITING,	/* InitWait written: wait for the front end */
	LIFE_CONNECTED, /* serving */
	LIFE_DRAINING,	/* detaching: wait for slots to come home */
	LIFE_CLOSED,	/* Closed written: wait for the front end or removal */
	LIFE_FAILED,	/* connecting failed by the client's doing: Closed */
	LIFE_STATES,
};

#define LIFE_REMOVE_TICKS 2 /* from Closed to the removal */

struct life;

struct life_ops {
	/* Write what the front end must find before InitWait; -EAGAIN: later. */
	int (*offer)(struct life *life);
	/* Map, bind and start; @attach: rings are live, take over at the shared
	 * index. 0: connected (keys written before Connected is); positive: the
	 * client's doing, the device fails; -EAGAIN: ask again at the next
	 * life_update(); other negative: our environment, reported up. */
	int (*connect)(struct life *life, bool attach);
	/* Take nothing more; call life_detached() when all slots are home and
	 * nothing is mapped (may be from within). */
	void (*detach)(struct life *life);
	/* Queue "state" = @state in the back-end directory; -EAGAIN: the queue is
	 * full, and life_update() will try again. */
	int (*set_state)(struct life *life, enum store_state state);
	/* Queue the removal of the back-end directory; -EAGAIN: later. */
	int (*remove)(struct life *life);
};

struct life {
	const struct life_ops *ops;
	enum life_state state;
	struct store_status status; /* the newest snapshot */
	uint32_t generation;	    /* of the device being served */
	enum store_state written;   /* the last state that we wrote or found */
	enum store_state wanted;    /* differs while the store's queue is full */
	bool stopping;		    /* our own planned stop: detach, write nothing */
	unsigned ticks;		    /* offline and closed, in life_tick()s */
	bool failing;		    /* draining because of the client's doing */
};

void life_init(struct life *life, const struct life_ops *ops);
/* The store said something, or it is time to ask again. */
int life_update(struct life *life, const struct store_status *status);
/* Call it about once a second: what must not happen at once happens here. */
int life_tick(struct life *life);
/* All slots are home, nothing is mapped. */
int life_detached(struct life *life);
/* The client broke the protocol: its device goes to Closing, then Closed. */
int life_fail(struct life *life);
/* Keys that the front end reads when we are Connected have changed: if we are, say
 * it once more, so that it looks again (blkif's resize). */
int life_repeat(struct life *life);
/* Planned stop: detach without touching any state. True once detached. */
bool life_stop(struct life *life);
const char *life_name(enum life_state state);

#endif
