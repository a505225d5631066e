/* SPDX-License-Identifier: MIT */
/*
 * The virtio door of a CAN controller: virtio-can (virtio 1.4, "CAN Device") on one
 * side, the core on the other.
 *
 * Not the transport and not the queues: those are any class's (virtio-door.h). Not the
 * core's turn either: the owner calls can_turn(), then can_virtio_turn(), once a turn
 * of its loop. Here is what a message means, and what it costs.
 *
 * What virtio-can has no word for: BRS and ESI of an FD frame (one is sent with BRS if
 * the policy says a DataBitrate), bus errors, counters, losses (they are counted here
 * and forgotten), times, and why a frame was refused. An interface that is down is
 * BUSOFF.
 *
 * Invariants:
 *  1. a message is decoded once, from one copy of it, before anything of it is done;
 *  2. frames go to the core in the order of their queue, at most InFlight at a time,
 *     and none that was not paid for. START and STOP work as soon as they are taken,
 *     before frames are looked at in the same turn: none that waits holds them back;
 *  3. each message pays one operation before it is answered, whatever the answer, and
 *     what goes to the bus its bytes. The one exception are frames that a STOP or
 *     bus-off found waiting: they are answered at once, and owed for (can_virtio.owed):
 *     nothing else is paid for before that is;
 *  4. what START, STOP and a reset changed is kept (can-state.h) before it is answered;
 *  5. a receive buffer holds the largest frame of what was negotiated, or the device
 *     needs a reset. It comes back with one frame, in order, or, where it cannot be
 *     written, with nothing: who posts none holds up nobody;
 *  6. the core is connected from FEATURES_OK, which says when a frame is done, to the
 *     reset, or to what needs one;
 *  7. nothing allocates after can_virtio_init().
 */
#ifndef XDD_CAN_VIRTIO_H
#define XDD_CAN_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/can/can-policy.h"
#include "backends/can/can-state.h"
#include "backends/can/can.h"
#include "backends/door/virtio-door.h"
#include "common/histogram.h"
#include "policy/toll.h"

#define VIRTIO_CAN_F_CAN_CLASSIC VIRTIO_BIT(0)
#define VIRTIO_CAN_F_CAN_FD	 VIRTIO_BIT(1)
#define VIRTIO_CAN_F_RTR_FRAMES	 VIRTIO_BIT(2)
#define VIRTIO_CAN_F_LATE_TX_ACK VIRTIO_BIT(3)

/* Entries of a queue. Linux has 128 frames out at most; three queues and 128 buffers of
 * each size fit into 32 pages of a pool. */
#define CAN_VIRTIO_QUEUE_SIZE 128

enum can_virtio_queue {
	CAN_VIRTIO_TX,
	CAN_VIRTIO_RX,
	CAN_VIRTIO_CONTROL,
	CAN_VIRTIO_QUEUES,
};

/* Its configuration: a le16 of these bits. */
#define CAN_VIRTIO_CONFIG_BYTES 2
#define CAN_VIRTIO_S_BUSOFF	0x0001

enum can_virtio_type {
	CAN_VIRTIO_MSG_TX = 0x0001,
	CAN_VIRTIO_MSG_RX = 0x0101,
	CAN_VIRTIO_MSG_START = 0x0201,
	CAN_VIRTIO_MSG_STOP = 0x0202,
};

#define CAN_VIRTIO_RTR	    0x2000
#define CAN_VIRTIO_FD	    0x4000
#define CAN_VIRTIO_EXTENDED 0x8000

enum can_virtio_result { CAN_VIRTIO_OK, CAN_VIRTIO_NOT_OK };

/* le16 type, le16 length, 2 bytes and le16 reserved, le32 flags, le32 can_id; data. */
#define CAN_VIRTIO_HEADER	 16
#define CAN_VIRTIO_CONTROL_BYTES 2

struct can_virtio;

/* All of it outlives the door; @policy may change in place (can_virtio_limits). */
struct can_virtio_conf {
	const struct policy *policy;
	const struct can_policy *can_policy;
	struct can *can;
	struct keys keys;
	void *owner;
	/* All slots are home, nothing is mapped, the port is unbound. */
	void (*detached)(struct can_virtio *v);
};

struct can_virtio_stats {
	uint64_t requests;  /* frames, started */
	uint64_t malformed; /* of them, and of orders: there are none such */
	uint64_t canceled;  /* frames that never came to the core */
	uint64_t errors;    /* answers that were NOT_OK */
	uint64_t events;    /* frames put into buffers */
	uint64_t unfit;	    /* frames heard of a kind that was not negotiated */
	uint64_t untold;    /* states, errors and losses */
	uint64_t undelivered;
	/* Of frames that were sent, from being taken to being published. */
	struct histogram latency;
};

/* What slot->request is. */
struct can_virtio_request {
	struct can_tx tx; /* the core's */
	struct virtio_slot *slot;
	uint16_t type;
	bool refused;  /* it is no such message, or no such frame */
	bool canceled; /* it was found waiting */
	struct toll_paid paid;
	uint32_t owes; /* STOP: frames that it canceled and that had not paid */
	enum can_virtio_result result;
};

struct can_virtio {
	struct virtio_door door;
	struct can_virtio_conf conf;
	struct toll toll;
	uint32_t owed; /* operations (invariant 3) */
	struct can_state_key kept;
	bool connected;	    /* the core is */
	enum can_state was; /* a predecessor's, and ours is to be */
	struct virtio_posted posted[CAN_VIRTIO_QUEUES];
	bool holds; /* a frame that found no room yet, in @held */
	struct can_event held;
	uint64_t now;	  /* of the last turn */
	uint64_t drained; /* STOPPING: when what is out is no longer waited for */
	struct can_virtio_stats stats;
};

/* Before sealing. 0 or a negative errno; -EINVAL: the policy's memory keys leave no
 * room for a frame. */
int can_virtio_init(struct can_virtio *v, const struct can_virtio_conf *conf);
/* Detached. */
void can_virtio_fini(struct can_virtio *v);

/* As struct host_class has them. */
int can_virtio_offer(struct can_virtio *v);
int can_virtio_connect(struct can_virtio *v, bool attach, uint64_t now);
/* conf.detached() follows, now or, if frames are on their way, in a later turn, no
 * later than 100 ms. What is not home by then is left to a successor. */
void can_virtio_detach(struct can_virtio *v);
/* Once a turn of the loop, after can_turn(). */
int can_virtio_turn(struct can_virtio *v, uint64_t now);
/* The core has its own (can_due()). */
uint64_t can_virtio_due(const struct can_virtio *v);
bool can_virtio_arm(struct can_virtio *v);
bool can_virtio_pending(const struct can_virtio *v);
/* The policy's InFlight, Operations or Bytes changed. */
void can_virtio_limits(struct can_virtio *v, uint64_t now);

/* For can-virtio-request.c: the core is disconnected, if it was connected. */
void can_virtio_leave(struct can_virtio *v);
/* Keep and show the core's state. False: it is not kept yet. */
bool can_virtio_keep(struct can_virtio *v);

/* can-virtio-request.c: the class's verbs on a message. */
bool can_virtio_admit(struct virtio_slot *slot, uint64_t now);
void can_virtio_start(struct virtio_slot *slot);
void can_virtio_undelivered(struct virtio_slot *slot);
void can_virtio_fill(struct virtio_device *d, uint64_t now);
bool can_virtio_lacks(const struct virtio_queue *q);
void can_virtio_recall(struct virtio_queue *q);
void can_virtio_answered(struct virtio_slot *slot, uint64_t now);
/* What waits on the transmit queue is answered, and never sent. How many of these had
 * not paid. */
uint32_t can_virtio_cancel(struct can_virtio *v);

#endif
