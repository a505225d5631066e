/* SPDX-License-Identifier: MIT */
/*
 * The virtio door of a network device: virtio-net (virtio 1.3, "Network Device") on one
 * side, the core on the other.
 *
 * Not the transport and not the queues: those are any class's (virtio-door.h). Not the
 * core's turn either: the owner calls net_turn(), then net_virtio_turn(), once a turn
 * of its loop. Here is what a header and an order mean, and what they cost.
 *
 * A pair of queues for each of the policy's Queues, receive 2i and transmit 2i + 1, and
 * the control queue behind those that were negotiated. What is not offered: ECN and
 * UFO (no link says them), receive hashes. USO is where the link has it; who takes
 * frames of one version alone to be cut is handed none, since no link tells them apart.
 *
 * Invariants:
 *  1. a frame of the client's is copied whole, with its header, into memory that no
 *     client can write to, before anything looks at it, with a pool too (XSA-155);
 *  2. each frame pays one operation and its bytes before it is copied, each order one
 *     operation before it is answered. What is too long or too short to be a frame
 *     pays its operation;
 *  3. what a header says that was not negotiated is no header: the frame is dropped,
 *     counted, and its buffer comes back, since virtio-net has no word for it. A chain
 *     that has no room for a header, or mixes what it must not, needs a reset;
 *  4. a frame to the client is written as a whole, into the oldest buffers of its
 *     queue: who posts none holds up nobody, and waits within his Backlog. What fits
 *     into no buffers that he could post is dropped, and counted;
 *  5. what orders say only narrows what the policy lets the client hear;
 *  6. the core is connected from FEATURES_OK to the reset, or to what needs one;
 *  7. nothing allocates after net_virtio_init().
 *
 * A successor of one that died knows what was negotiated, and not what was ordered: it
 * hears what the policy lets, on all VLANs, and all groups until the next table of
 * addresses; it gives frames to the pairs that have buffers; and it has the driver
 * announce itself.
 */
#ifndef XDD_NET_VIRTIO_H
#define XDD_NET_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/door/virtio-door.h"
#include "backends/net/net-policy.h"
#include "backends/net/net-runs.h"
#include "backends/net/net.h"
#include "policy/toll.h"

#define NET_VIRTIO_F_CSUM	    VIRTIO_BIT(0)
#define NET_VIRTIO_F_GUEST_CSUM	    VIRTIO_BIT(1)
#define NET_VIRTIO_F_MTU	    VIRTIO_BIT(3)
#define NET_VIRTIO_F_MAC	    VIRTIO_BIT(5)
#define NET_VIRTIO_F_GUEST_TSO4	    VIRTIO_BIT(7)
#define NET_VIRTIO_F_GUEST_TSO6	    VIRTIO_BIT(8)
#define NET_VIRTIO_F_HOST_TSO4	    VIRTIO_BIT(11)
#define NET_VIRTIO_F_HOST_TSO6	    VIRTIO_BIT(12)
#define NET_VIRTIO_F_MRG_RXBUF	    VIRTIO_BIT(15)
#define NET_VIRTIO_F_STATUS	    VIRTIO_BIT(16)
#define NET_VIRTIO_F_CTRL_VQ	    VIRTIO_BIT(17)
#define NET_VIRTIO_F_CTRL_RX	    VIRTIO_BIT(18)
#define NET_VIRTIO_F_CTRL_VLAN	    VIRTIO_BIT(19)
#define NET_VIRTIO_F_GUEST_ANNOUNCE VIRTIO_BIT(21)
#define NET_VIRTIO_F_MQ		    VIRTIO_BIT(22)
#define NET_VIRTIO_F_CTRL_MAC_ADDR  VIRTIO_BIT(23)
#define NET_VIRTIO_F_GUEST_USO4	    VIRTIO_BIT(54)
#define NET_VIRTIO_F_GUEST_USO6	    VIRTIO_BIT(55)
#define NET_VIRTIO_F_HOST_USO	    VIRTIO_BIT(56)
#define NET_VIRTIO_F_SPEED_DUPLEX   VIRTIO_BIT(63)

/* Its configuration: mac, le16 status, le16 max_virtqueue_pairs, le16 mtu; le32 speed,
 * u8 duplex, if it has them. */
#define NET_VIRTIO_CONFIG_STATUS 6
#define NET_VIRTIO_CONFIG_PAIRS	 8
#define NET_VIRTIO_CONFIG_MTU	 10
#define NET_VIRTIO_CONFIG_SPEED	 12
#define NET_VIRTIO_CONFIG_DUPLEX 16
#define NET_VIRTIO_CONFIG_BYTES	 12 /* without a speed */
#define NET_VIRTIO_CONFIG_WHOLE	 17
#define NET_VIRTIO_FULL_DUPLEX	 1
#define NET_VIRTIO_S_LINK_UP	 1
#define NET_VIRTIO_S_ANNOUNCE	 2

/* u8 flags, u8 gso_type, le16 hdr_len, le16 gso_size, le16 csum_start, le16
 * csum_offset, le16 num_buffers: the header before a frame. */
#define NET_VIRTIO_HEADER 12
/* The longest frame: Ethernet's header, 65,535 bytes, and one that is there to spare,
 * as virtio has it. */
#define NET_VIRTIO_FRAME_MAX 65550

#define NET_VIRTIO_QUEUE_SIZE 256
#define NET_VIRTIO_PAIRS_MAX  ((VIRTIO_QUEUES_MAX - 1) / 2)
/* Private memory: of each transmit queue, and slots of net_room() for all frames to the
 * client, at most. */
#define NET_VIRTIO_TX_BYTES (512u * 1024)
#define NET_VIRTIO_RX_SLOTS 256

_Static_assert(NET_VIRTIO_PAIRS_MAX == NET_VIRTIO_QUEUES_MAX, "as Queues may be");

struct net_virtio;

/* All of it outlives the door; @policy may change in place (net_virtio_limits). */
struct net_virtio_conf {
	const struct policy *policy;
	const struct net_policy *net_policy;
	struct net *net;
	struct keys keys;
	void *owner;
	/* All slots are home, nothing is mapped, the port is unbound. */
	void (*detached)(struct net_virtio *v);
};

struct net_virtio_stats {
	uint64_t packets;   /* of the transmit queues */
	uint64_t malformed; /* of them, and of orders: there are none such */
	uint64_t refused;   /* of both, that could not be fetched */
	uint64_t orders;
	uint64_t errors;      /* of them, answered so */
	uint64_t frames;      /* given to the client */
	uint64_t buffers;     /* that they took */
	uint64_t undelivered; /* buffers that could not be written */
};

/* What slot->request is. */
struct net_virtio_request {
	struct net_tx tx; /* the core's */
	struct virtio_slot *slot;
	struct net_run run; /* a frame's that is one */
	uint32_t size;	    /* of the frame, without its header */
	bool malformed;
	struct toll_paid paid;
	uint8_t ack; /* an order's */
};

struct net_virtio_pair {
	struct virtio_posted rx;
	bool lacks; /* a frame waits for more buffers than are there */
	struct net_runs runs;
};

struct net_virtio {
	struct virtio_door door;
	struct net_virtio_conf conf;
	struct net_virtio_pair pair[NET_VIRTIO_PAIRS_MAX];
	struct virtio_posted control;
	uint8_t *memory; /* of the frames */
	struct toll toll;
	bool connected; /* the core is */
	bool attached;	/* the first driver of this connection is a predecessor's */
	unsigned pairs; /* that were negotiated */
	unsigned first; /* of them, at the next filling */
	/* What was ordered. */
	bool promiscuous, all_groups;
	bool untold;	  /* no table of addresses has come yet */
	bool guesses;	  /* nor how many pairs get frames; those with buffers do */
	uint64_t now;	  /* of the last turn */
	uint64_t drained; /* STOPPING: when what is out is no longer waited for */
	int error;	  /* our environment failed */
	struct net_virtio_stats stats;
};

/* Before sealing; gives the core its room. 0 or a negative errno; -EINVAL: the policy's
 * memory keys leave no room for a frame. */
int net_virtio_init(struct net_virtio *v, const struct net_virtio_conf *conf);
/* Detached. */
void net_virtio_fini(struct net_virtio *v);

/* As struct host_class has them. */
int net_virtio_offer(struct net_virtio *v);
int net_virtio_connect(struct net_virtio *v, bool attach, uint64_t now);
/* conf.detached() follows, now or, if frames are on their way, in a later turn. */
void net_virtio_detach(struct net_virtio *v);
/* Once a turn of the loop, after net_turn(). */
int net_virtio_turn(struct net_virtio *v, uint64_t now);
/* The core has its own (net_due()). */
uint64_t net_virtio_due(const struct net_virtio *v);
bool net_virtio_arm(struct net_virtio *v);
bool net_virtio_pending(const struct net_virtio *v);
/* The policy's InFlight, Operations or Bytes changed. */
void net_virtio_limits(struct net_virtio *v, uint64_t now);

/* -- Its parts ------------------------------------------------------------------- */

/* What a queue is; of a pair that was not negotiated it is none. */
enum net_virtio_role {
	NET_VIRTIO_NONE,
	NET_VIRTIO_RX,
	NET_VIRTIO_TX,
	NET_VIRTIO_CONTROL
};
enum net_virtio_role net_virtio_role(const struct virtio_queue *q);
/* Of RX and TX: of which pair. */
unsigned net_virtio_pair(const struct virtio_queue *q);
/* One operation, and @bytes: paid? Else when to ask again is in the device's due. */
bool net_virtio_pay(struct net_virtio *v, struct net_virtio_request *r, uint32_t bytes,
		    uint64_t now);

/* net-virtio-frame.c: a buffer of the transmit queue. */
bool net_virtio_admit_frame(struct net_virtio_request *r, uint64_t now);
void net_virtio_start_frame(struct net_virtio_request *r);
/* Frames into what is posted. */
void net_virtio_fill_frames(struct net_virtio *v);

/* net-virtio-control.c: what orders said is forgotten, or (attached) not known. */
void net_virtio_begin_orders(struct net_virtio *v);
bool net_virtio_admit_order(struct net_virtio_request *r, uint64_t now);
void net_virtio_start_order(struct net_virtio_request *r);
void net_virtio_answer_orders(struct net_virtio *v);

#endif
