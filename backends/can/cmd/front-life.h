/* SPDX-License-Identifier: MIT */
/*
 * The life of the device, seen from its front end: which XenbusState to write when,
 * and when to grant rings, to use them and to let them go.
 *
 * Pure: told what xenstore says, it asks its owner to act through struct
 * front_life_ops. No descriptor, no clock but @now. The other side's life is
 * xenbus/life.h. Invariants:
 *  1. rings are in use while the phase is FRONT_OFFERED, FRONT_CONNECTED or
 *     FRONT_CLOSING, and in no other;
 *  2. Initialising is never written to a back end that may still use them: it has said
 *     Closed before, or it is new;
 *  3. nothing is written into a device that is not there: that would make one;
 *  4. what a back end does wrong, or that it closes, costs it FRONT_HOLD_NS before it
 *     is tried again, doubled each time until it stays connected for FRONT_GOOD_NS.
 */
#ifndef XDD_FRONT_LIFE_H
#define XDD_FRONT_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "xenbus/store.h"

#define FRONT_HOLD_NS	  CLOCK_SECOND
#define FRONT_HOLD_MAX_NS (32 * CLOCK_SECOND)
#define FRONT_GOOD_NS	  (60 * CLOCK_SECOND) /* connected so long: all is well */
#define FRONT_CLOSE_NS	  (3 * CLOCK_SECOND)  /* for a back end to close */

enum front_phase {
	FRONT_ABSENT,	 /* no device */
	FRONT_WAITING,	 /* for a back end in InitWait, ourselves in Initialising */
	FRONT_OFFERED,	 /* Initialised written: for Connected */
	FRONT_CONNECTED, /* in use */
	FRONT_CLOSING,	 /* Closing written, because we end: for Closing or Closed */
	FRONT_ENDED,
	FRONT_PHASES,
};

/* What xenstore says, all of one moment. */
struct front_look {
	bool present;	  /* there is a device, and it names a back end */
	bool allowed;	  /* that --backends allows */
	bool online;	  /* the toolstack wants it */
	uint16_t backend; /* the domain */
	uint32_t
		generation; /* grows with each back-end path that was not seen before */
	enum store_state own, back;
};

struct front_life;

struct front_life_ops {
	/* Grant rings and write the keys that belong to them. 0, or a negative errno:
	 * tried again after a while. */
	int (*offer)(struct front_life *life);
	void (*connected)(struct front_life *life);
	/* Use the rings no more. */
	void (*drop)(struct front_life *life);
	void (*write)(struct front_life *life, enum store_state state);
};

struct front_life {
	const struct front_life_ops *ops;
	enum front_phase phase;
	struct front_look look;
	uint64_t hold, hold_until; /* before Initialising or an offer */
	uint64_t since;		   /* when the phase began */
	bool ending;
};

void front_life_init(struct front_life *life, const struct front_life_ops *ops);
/* Xenstore says @look. */
void front_life_update(struct front_life *life, const struct front_look *look,
		       uint64_t now);
/* The back end wrote what cannot be. */
void front_life_break(struct front_life *life, uint64_t now);
/* We end: FRONT_ENDED sooner or later, at once if nothing is granted. */
void front_life_end(struct front_life *life, uint64_t now);
/* Time passed. */
void front_life_tick(struct front_life *life, uint64_t now);
/* When front_life_tick() has something to do, or UINT64_MAX. */
uint64_t front_life_due(const struct front_life *life);

#endif
