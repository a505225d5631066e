/* SPDX-License-Identifier: MIT */
/*
 * The PV door of a CAN controller: canif.h's two rings on one side, the core on the
 * other. One device of one client, one event channel.
 *
 * Not the device's life (xenbus/life.h), not the event loop, and not the core's turn:
 * the owner calls can_turn(), then can_pv_turn(), once a turn of its loop.
 *
 * Invariants:
 *  1. answers of the transmit ring are published in ring order, so each slot of the
 *     shared ring from rsp_prod on holds its request (pv-ring.h, invariant 5): what was
 *     taken and not answered is the successor's to send;
 *  2. frames go to the core in ring order, at most InFlight at a time, and none that
 *     was not paid for. START and STOP work as soon as they are taken, and all is taken
 *     that is there: a frame that waits does not hold them back, but their answers do
 *     wait for its;
 *  3. each request pays one operation before it is answered, whatever the answer, and
 *     what goes to the bus its bytes. The one exception are frames that a STOP found
 *     waiting: they are answered at once, and owed for (can_pv.owed): nothing else
 *     is paid for before that is;
 *  4. what a START or STOP changed is kept (can-state.h) before it is answered;
 *  5. a slot of the receive ring is answered with one event, in order, and only when
 *     it is posted: who posts none holds up nobody;
 *  6. one push of each ring a turn, and at most one event for both;
 *  7. nothing is unmapped while a frame is with the core;
 *  8. nothing allocates after can_pv_init().
 */
#ifndef XDD_CAN_PV_H
#define XDD_CAN_PV_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/can/can-policy.h"
#include "backends/can/can-state.h"
#include "backends/can/can.h"
#include "backends/can/canif-decode.h"
#include "backends/door/keys.h"
#include "backends/door/pv-ring.h"
#include "common/histogram.h"
#include "policy/policy.h"
#include "policy/toll.h"

#define CAN_PV_ORDER_MAX  3   /* of a ring's pages */
#define CAN_PV_PAGE_SLOTS 32u /* entries of a ring of one page; of 2^n 2^n as many */

struct can_pv;

/* All of it outlives the door; @policy may change in place (can_pv_limits). */
struct can_pv_conf {
	const struct policy *policy;
	const struct can_policy *can_policy;
	struct can *can;
	struct keys keys;
	void *owner;
	/* The client broke a ring: its device fails. Once a connection, as the last act
	 * of a turn; can_pv_detach() may be called from within. */
	void (*broken)(struct can_pv *pv, const char *why);
	/* All slots are home, nothing is mapped, the port is unbound. */
	void (*detached)(struct can_pv *pv);
};

enum can_pv_state { CAN_PV_DOWN, CAN_PV_UP, CAN_PV_STOPPING };

/* What a slot may become is can_slot_moves' in can-pv-slot.c. */
enum can_slot_state {
	CAN_SLOT_FREE,
	CAN_SLOT_TAKEN, /* off the ring, decoded; a START or STOP has worked */
	CAN_SLOT_BUSY,	/* with the core */
	CAN_SLOT_READY, /* only to be published, in its turn */
	CAN_SLOT_STATES,
};

/* The slot of ring index i is slot[i % slots]. */
struct can_slot {
	struct can_tx tx; /* the core's */
	struct can_pv *pv;
	enum can_slot_state state;
	struct canif_request rq;
	enum can_status status; /* READY, or of what is malformed */
	bool malformed;
	struct toll_paid paid;
	uint32_t owes;	   /* STOP: frames that it canceled and that had not paid */
	uint64_t time;	   /* on the wire, or 0 */
	uint64_t taken_at; /* monotonic */
};

struct can_pv_stats {
	uint64_t requests, answers; /* of the transmit ring */
	uint64_t malformed;	    /* of them: no frame, no operation */
	uint64_t errors;	    /* answers that were not XENCAN_OK */
	uint64_t events;	    /* answers of the receive ring */
	uint64_t pushes, notifies;
	struct histogram latency; /* of frames that were sent, from taken to answered */
};

struct can_pv {
	struct can_pv_conf conf;
	struct can_slot *slot;
	uint32_t slots;	     /* a power of two, no less than tx.entries */
	unsigned ring_order; /* that is offered */

	enum can_pv_state state;
	const char *why; /* a ring is broken, or NULL */
	bool told;	 /* conf.broken() was called */
	int error;	 /* our environment failed */

	struct grants_map tx_map, rx_map;
	struct evport port; /* for the owner: pending, unmask */
	struct pv_ring tx, rx;
	/* tx.rsp_prod <= started <= tx.req_cons: slots from here on are TAKEN, or READY
	 * because a STOP met them. */
	uint32_t started;
	uint32_t busy; /* slots that are BUSY */
	struct can_state_key kept;

	struct toll toll;
	uint32_t owed;	   /* operations (invariant 3) */
	uint64_t now, due; /* of the last turn, of the next */
	uint64_t drained;  /* STOPPING: when what is out is no longer waited for */
	struct can_pv_stats stats;
};

/* Before sealing. 0 or a negative errno. */
int can_pv_init(struct can_pv *pv, const struct can_pv_conf *conf);
/* Detached. */
void can_pv_fini(struct can_pv *pv);

/* As life_ops.offer: what canif.h has of the back end's keys. 0, -EAGAIN or another
 * negative errno. */
int can_pv_offer(struct can_pv *pv);
/* As life_ops.connect: map the rings, bind the port. @attach: the rings are live, go on
 * where they stand. 0; positive: the client's doing, logged; -EAGAIN: ask again;
 * another negative errno: our environment. Afterwards the owner unmasks the port and
 * turns once. */
int can_pv_connect(struct can_pv *pv, bool attach, uint64_t now);
/* Take nothing more; conf.detached() follows, now or, if frames are on their way, in a
 * later turn, no later than 100 ms. What is not home by then is left to a successor. */
void can_pv_detach(struct can_pv *pv);

/* Once a turn of the loop, after can_turn(), whatever woke it. 0, or the negative errno
 * with which our environment failed: the process ends then, and leaves the client's
 * device as it is. */
int can_pv_turn(struct can_pv *pv, uint64_t now);
/* Monotonic time at which a turn is due though nothing happened; UINT64_MAX: none. The
 * core has its own (can_due()). */
uint64_t can_pv_due(const struct can_pv *pv);
/* Before a wait, after a turn: have the client wake us by its next request, and by its
 * next slot if one is missing. True if there is one already, and the next turn is due.
 */
bool can_pv_arm(struct can_pv *pv);
/* A look without that. */
bool can_pv_pending(const struct can_pv *pv);
/* The policy's InFlight, Operations or Bytes changed. */
void can_pv_limits(struct can_pv *pv, uint64_t now);

/* The turn's part of connecting, for can-pv-connect.c. */
void can_pv_start(struct can_pv *pv, uint64_t now);
/* Let go of rings and port. 0 or a negative errno. */
int can_pv_close(struct can_pv *pv);

/* can-pv-slot.c: one request on its way from the transmit ring and back. */

static inline struct can_slot *can_pv_slot(struct can_pv *pv, uint32_t index)
{
	return &pv->slot[index & (pv->slots - 1)];
}

/* The next request, @entry, off the ring. A START or STOP works. */
void can_slot_take(struct can_pv *pv, const uint8_t *entry);
/* Start what waits, in order, until one must wait on. */
void can_slot_start(struct can_pv *pv);
/* May it be put? An answer that must wait for the state to be kept may not. */
bool can_slot_ready(const struct can_slot *slot);
/* Into the ring, for the next push. */
void can_slot_put(struct can_slot *slot);
/* The done() of the core's frame. */
void can_slot_done(struct can_tx *tx, enum can_status status, uint64_t time);

#endif
