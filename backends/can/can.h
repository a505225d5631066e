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
 *  2. no frame reaches the bus that can_judge() does not pass, and none of
 *     another station is heard by the client that Receive does not let pass:
 *     error frames are never the client's to send;
 *  3. frames go to the bus in the order of can_send(), and come home in it, but for
 *     those that are refused, which come home at once;
 *  4. what the client itself sent is never among its events, unless it asked;
 *  5. the queue of events is bounded, what does not fit is counted, and the count
 *     stands in the queue where the loss was (CAN_EVENT_LOST);
 *  6. while not started nothing is sent and nothing is heard; what was under way
 *     when that begins comes home at once;
 *  7. no allocation after can_init();
 *  8. can->started says that the state is ACTIVE, WARNING or PASSIVE.
 *
 * What the client asked for itself is no event: START and STOP are answered. But START
 * after BUS_OFF or DOWN is one, since STATE events of these may still be queued.
 */
#ifndef XDD_CAN_H
#define XDD_CAN_H

#include <linux/can.h>
#include <stdbool.h>
#include <stdint.h>

#include "backends/can/can-bus.h"
#include "backends/can/can-frame.h"
#include "backends/can/can-policy.h"
#include "backends/can/can-queue.h"
#include "backends/can/can-way.h"

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
	/* Its rate towards the client, of policy.receive; may change: can_limits() */
	const struct policy_rate *receive;
	struct can_bus *bus;
	void *owner;
};

struct can {
	struct can_conf conf;
	bool own; /* the client hears its own */
	enum can_state state;
	bool started;
	uint16_t tx_errors, rx_errors;
	struct can_way way;
	struct can_queue queue;
	uint64_t now;
	uint64_t overruns; /* of the bus, that were told */

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

/* A client is there, nothing is queued. @was: CAN_STATE_IS_STOPPED, or for a successor
 * what the one before it was. Off the bus it stays off, and tells so again: nobody
 * knows whether the client heard of it. */
void can_connect(struct can *can, bool late_ack, bool own, enum can_state was,
		 uint64_t now);
/* All frames come home (CAN_CANCELED) before this returns; nothing is heard any
 * more. */
void can_disconnect(struct can *can);

/* Would the frame be sent? Form first, then policy, then state. Pure. */
enum can_status can_judge(const struct can *can, const struct canfd_frame *frame);
/* @tx->frame was copied from the client once. Judges it, and counts it if refused. */
void can_send(struct can *can, struct can_tx *tx);

void can_start(struct can *can);
void can_stop(struct can *can);

/* The rate towards the client has changed. */
void can_limits(struct can *can, uint64_t now);
/* Once a turn of the loop, after its callbacks: let the bus work. 0, or the negative
 * errno with which our environment failed. Frames may come home from within. */
int can_turn(struct can *can, uint64_t now);
/* The oldest event, if there is one and ReceiveRate lets it pass now (else
 * can_due() says when it may). */
bool can_next(struct can *can, struct can_event *out);
/* There may be one: a look. */
bool can_pending(const struct can *can);
/* Monotonic time at which a turn is due though nothing happened, or UINT64_MAX. */
uint64_t can_due(const struct can *can);
/* Is any frame out? */
static inline bool can_busy(const struct can *can)
{
	return can->way.first;
}

/* One identifier that was refused by policy since it was asked last. */
bool can_refusal(struct can *can, struct can_refusal *out);

#endif
