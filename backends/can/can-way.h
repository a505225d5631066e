/* SPDX-License-Identifier: MIT */
/*
 * Frames under way: from the core to the bus, and home.
 *
 * Not a judge: what comes here may be sent. Invariants:
 *  1. frames stand in one list, oldest first: written, then given to the bus, then
 *     waiting for its window; they leave it at its head, through home(), once each;
 *  2. with late_ack a frame is settled when the host says that it was on the wire,
 *     else when it was written; one that fails waits for its turn as well;
 *  3. each frame that the host has written is heard by us as our own, or was lost by
 *     it. The oldest that equals what is heard is the one.
 *
 * A ghost is a frame that went home before it was heard. Ghosts are older than all that
 * is under way, so what equals one is taken for that, and once a frame that is under
 * way was heard, none is left.
 */
#ifndef XDD_CAN_WAY_H
#define XDD_CAN_WAY_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/can/can-bus.h"

/* What became of a frame, or would become. */
enum can_status {
	CAN_OK,
	CAN_INVALID,	 /* there is no such frame */
	CAN_UNSUPPORTED, /* FD, and the bus or the policy has none */
	CAN_DENIED,	 /* the policy */
	CAN_STOPPED,
	CAN_CANCELED, /* by can_stop(); it may have been on the wire */
	CAN_BUS_OFF,  /* or the interface is down */
	CAN_FAILED,   /* the host's fault */
	CAN_STATUSES,
};

/* A frame on its way. The door's until can_send(), then the core's until done(). */
struct can_tx {
	struct canfd_frame frame;
	/* @time: when it was on the wire, monotonic ns; or 0. */
	void (*done)(struct can_tx *tx, enum can_status status, uint64_t time);
	/* The core's, while it has it. */
	struct can_tx *next;
	bool settled; /* comes home when those before it do, with: */
	enum can_status status;
	uint64_t time;
};

#define CAN_GHOSTS 64
/* How long a frame is waited for once a younger one was heard: then the host has lost
 * it. */
#define CAN_OVERTAKEN_NS 1000000000ull

struct can_way {
	struct can_bus *bus;
	/* @tx left the list, its status and time say how. */
	void (*home)(struct can_way *way, struct can_tx *tx);
	bool late_ack;
	struct can_tx *first, *last;
	struct can_tx *to_write; /* the first that was not written, or NULL */
	struct can_tx *to_give;	 /* the first that was not given, or NULL */
	bool giving;
	enum can_status leaving; /* what those that the bus drops come home with */
	uint32_t early;		 /* heard, and not the first */
	uint64_t overtaken;	 /* since when the first is waited for; 0: it is not */
	struct canfd_frame ghost[CAN_GHOSTS]; /* oldest first */
	uint32_t ghosts;
};

void can_way_init(struct can_way *way, struct can_bus *bus,
		  void (*home)(struct can_way *way, struct can_tx *tx));
/* @tx->frame is ok and filled. */
void can_way_send(struct can_way *way, struct can_tx *tx);
/* From the bus. -ENETDOWN: all come home. */
void can_way_written(struct can_way *way, int res);
void can_way_heard(struct can_way *way, const struct canfd_frame *frame, uint64_t time);
/* All come home with @status. @ghosts: what the host has will be on the wire all the
 * same; else the host has lost it, and all ghosts. */
void can_way_end(struct can_way *way, enum can_status status, bool ghosts);
/* The host has lost all that was written, and goes on with the rest. */
void can_way_lost(struct can_way *way, enum can_status status);
void can_way_turn(struct can_way *way, uint64_t now);
uint64_t can_way_due(const struct can_way *way);

#endif
