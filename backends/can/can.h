/* SPDX-License-Identifier: MIT */
/*
 * The CAN controller core: what a controller does with a frame, whoever asks.
 *
 * Pure: it knows no grant, no ring, no xenstore and no domain. A door (PV or virtio)
 * turns its wire into struct can_tx, and takes struct can_event for its client.
 *
 * Invariants:
 *  1. a frame goes to the core at can_send() and comes home through its done()
 *     exactly once, possibly from within can_send();
 *  2. no frame reaches the bus that can_judge() does not pass, and none is heard
 *     by the client that Receive does not let pass: error frames are never the
 *     client's to send;
 *  3. frames go to the bus in the order of can_send(), and come home in it;
 *  4. what the client itself sent is never among its events, unless it asked;
 *  5. the queue of events is bounded, what does not fit is counted, and the count
 *     stands in the queue where the loss was (CAN_EVENT_LOST);
 *  6. while not started nothing is sent and nothing is heard; what was under way
 *     when that begins comes home at once;
 *  7. no allocation after can_init().
 */
#ifndef XDD_CAN_H
#define XDD_CAN_H

#include <linux/can.h>
#include <stdbool.h>
#include <stdint.h>

#include "backends/can/can-bus.h"
#include "backends/can/can-policy.h"
#include "policy/rate.h"

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

/* Values are those of xen/io/canif.h's XENCAN_STATE_*. */
enum can_state {
	CAN_STATE_IS_STOPPED,
	CAN_STATE_IS_ACTIVE,
	CAN_STATE_IS_WARNING,
	CAN_STATE_IS_PASSIVE,
	CAN_STATE_IS_BUS_OFF,
	CAN_STATE_IS_DOWN,
};

/* A frame on its way. The door's until can_send(), then the core's until done(). */
struct can_tx {
	struct canfd_frame frame;
	/* @time: when it was on the wire, monotonic ns; or 0. */
	void (*done)(struct can_tx *tx, enum can_status status, uint64_t time);
	struct can_tx *next;
	bool given;   /* to the bus */
	bool written; /* by it */
};

enum can_event_kind {
	CAN_EVENT_FRAME,
	CAN_EVENT_STATE,
	CAN_EVENT_ERROR, /* frame holds SocketCAN's error frame */
	CAN_EVENT_LOST,
};

#define CAN_LOST_UNKNOWN    UINT32_MAX
#define CAN_COUNTER_UNKNOWN UINT16_MAX

struct can_event {
	enum can_event_kind kind;
	bool own; /* FRAME: the client's own */
	enum can_state state;
	uint16_t tx_errors, rx_errors; /* STATE; or CAN_COUNTER_UNKNOWN */
	uint32_t lost;		       /* LOST: frames, or CAN_LOST_UNKNOWN */
	uint64_t time;		       /* monotonic ns */
	struct canfd_frame frame;
};

struct can_stats {
	uint64_t sent, received; /* frames: on the wire; given to the client */
	uint64_t sent_bytes, received_bytes; /* of data */
	uint64_t refused[CAN_STATUSES];	     /* frames that came home, by status */
	uint64_t filtered;		     /* heard, and not the client's to hear */
	uint64_t lost;			     /* no room in the queue, or ReceiveRate */
	uint64_t own;			     /* heard, and its own */
	uint64_t errors, bus_offs, starts, stops;
};

/* The newest refusals, for the audit log: can_refusal() takes one and forgets it. */
#define CAN_REFUSALS 8
struct can_refusal {
	canid_t can_id;
	uint32_t n; /* frames with this identifier */
};

struct can_conf {
	const struct can_policy *policy; /* outlives the core */
	struct can_bus *bus;
	void *owner;
};

struct can {
	struct can_conf conf;
	bool late_ack; /* a frame comes home when it was on the wire */
	bool own;      /* the client hears its own */
	enum can_state state;
	bool started;
	uint16_t tx_errors, rx_errors;

	/* Oldest first: written, then given, then waiting for the bus's window. */
	struct can_tx *tx, *tx_last;
	struct can_tx *to_give; /* the first that was not given, or NULL */
	uint32_t out;		/* linked in @tx */
	uint32_t ghosts;	/* written, came home before they were on the wire */

	/* A ring of @queue_size events. */
	struct can_event *queue;
	uint32_t queue_size, head, queued;
	uint32_t lost;	/* not told yet, behind all that is queued */
	bool state_due; /* state is to be told, behind all that is queued */
	struct rate receive_rate;
	uint64_t now, due;

	struct can_refusal refusal[CAN_REFUSALS];
	uint32_t refusals; /* of them in use */
	uint64_t unlisted; /* refused frames that had no room there */
	int error;	   /* the bus failed: the process ends */
	struct can_stats stats;
};

/* Before sealing. 0 or -ENOMEM. */
int can_init(struct can *can, const struct can_conf *conf);
/* Disconnected. */
void can_fini(struct can *can);

/* A client is there: not started (or, @started, for a successor, as it was), nothing
 * queued. */
void can_connect(struct can *can, bool late_ack, bool own, bool started, uint64_t now);
/* All frames come home (CAN_CANCELED) before this returns; nothing is heard any
 * more. */
void can_disconnect(struct can *can);

/* Would the frame be sent? Form first, then policy, then state. Pure. */
enum can_status can_judge(const struct can *can, const struct canfd_frame *frame);
/* @tx->frame was copied from the client once. Judges it, and counts it if refused. */
void can_send(struct can *can, struct can_tx *tx);
/* What a frame occupies on the wire, in bytes of bit times, the most that stuffing
 * can make of it: for the rate Bytes. A frame of no form: the least there is. */
uint32_t can_wire_bytes(const struct canfd_frame *frame);

void can_start(struct can *can);
void can_stop(struct can *can);

/* Once a turn of the loop, after its callbacks: let the bus work. 0, or the negative
 * errno with which our environment failed. */
int can_turn(struct can *can, uint64_t now);
/* The oldest event, if there is one and ReceiveRate lets it pass now (else can->due
 * may be lowered). */
bool can_next(struct can *can, struct can_event *out);
/* There may be one: a look. */
bool can_pending(const struct can *can);
/* Monotonic time at which a turn is due though nothing happened, or UINT64_MAX. */
uint64_t can_due(const struct can *can);
/* Is any frame out? */
static inline bool can_busy(const struct can *can)
{
	return can->tx;
}

/* One identifier that was refused by policy since it was asked last. */
bool can_refusal(struct can *can, struct can_refusal *out);

#endif
