/* SPDX-License-Identifier: MIT */
/*
 * Events that the client has not taken.
 *
 * Invariants:
 *  1. frames, errors and states have each their own bound, so that none drives out
 *     another;
 *  2. a frame or error that was lost is told where it stood: before the next event,
 *     which carries the count until then, or behind all that is queued;
 *  3. the newest state is never lost: where there are too many, it is told alone,
 *     behind all that is queued.
 */
#ifndef XDD_CAN_QUEUE_H
#define XDD_CAN_QUEUE_H

#include <linux/can.h>
#include <stdbool.h>
#include <stdint.h>

#include "backends/can/can-policy.h"
#include "policy/rate.h"

/* Values are those of xen/io/canif.h's XENCAN_STATE_*. */
enum can_state {
	CAN_STATE_IS_STOPPED,
	CAN_STATE_IS_ACTIVE,
	CAN_STATE_IS_WARNING,
	CAN_STATE_IS_PASSIVE,
	CAN_STATE_IS_BUS_OFF,
	CAN_STATE_IS_DOWN,
};

enum can_event_kind {
	CAN_EVENT_FRAME,
	CAN_EVENT_STATE,
	CAN_EVENT_ERROR, /* frame holds SocketCAN's error frame */
	CAN_EVENT_LOST,
};

#define CAN_EVENT_KINDS	    (CAN_EVENT_LOST + 1)
#define CAN_LOST_UNKNOWN    UINT32_MAX
#define CAN_COUNTER_UNKNOWN UINT16_MAX

struct can_event {
	enum can_event_kind kind;
	bool own; /* FRAME: the client's own */
	enum can_state state;
	uint16_t tx_errors, rx_errors; /* STATE; or CAN_COUNTER_UNKNOWN */
	uint32_t lost;		       /* LOST: frames, or CAN_LOST_UNKNOWN; in the
					  queue: that were lost before this */
	uint64_t time;		       /* monotonic ns */
	struct canfd_frame frame;
};

#define CAN_QUEUE_ERRORS 8
#define CAN_QUEUE_STATES 8

struct can_queue {
	const struct can_policy *policy;
	const struct policy_rate *receive; /* ReceiveRate; per_second 0: none */
	struct can_event *event;	   /* a ring of @size */
	uint32_t size, head, queued;
	uint32_t max[CAN_EVENT_KINDS], n[CAN_EVENT_KINDS]; /* queued of each kind */
	uint32_t lost; /* behind all that is queued */
	bool state_due;
	struct can_event state; /* which is due, behind that */
	struct rate rate;	/* ReceiveRate */
	uint64_t rate_due;	/* before that it lets none pass */
};

/* Both outlive it; @receive may change: can_queue_limits(). 0 or -ENOMEM. */
int can_queue_init(struct can_queue *queue, const struct can_policy *policy,
		   const struct policy_rate *receive);
void can_queue_fini(struct can_queue *queue);
/* Empty, and ReceiveRate begins. */
void can_queue_begin(struct can_queue *queue, uint64_t now);
void can_queue_clear(struct can_queue *queue);
/* ReceiveRate is another one. */
void can_queue_limits(struct can_queue *queue, uint64_t now);
/* How many were lost by that: 0 or 1. @event->lost is the queue's. */
uint32_t can_queue_push(struct can_queue *queue, const struct can_event *event);
/* @n frames, or CAN_LOST_UNKNOWN, were lost elsewhere, at this place. */
void can_queue_lose(struct can_queue *queue, uint32_t n);
/* The oldest, if ReceiveRate lets it pass. */
bool can_queue_next(struct can_queue *queue, uint64_t now, struct can_event *out);
bool can_queue_pending(const struct can_queue *queue, uint64_t now);
/* When ReceiveRate lets the oldest pass that it held back, or UINT64_MAX. */
uint64_t can_queue_due(const struct can_queue *queue, uint64_t now);

#endif
