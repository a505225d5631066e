/* SPDX-License-Identifier: MIT */
/*
 * The virtio door of a disk: virtio-blk (virtio 1.3, 5.2) on one side, the block core
 * on the other.
 *
 * Not the transport and not the queues: those are any class's (virtio-door.h). Here is
 * what a request means, what the disk says of itself, and the policy's rates.
 * Invariants:
 *  1. a request is decoded once, from a copy of its header, before anything of it
 *     is done; its buffers are the core's from then on;
 *  2. no more than InFlight requests are with the core, and no faster than
 *     Operations and Bytes;
 *  3. what must be on stable storage when it is answered (the driver chose
 *     write-through, or cannot flush) is;
 *  4. SIZE_MAX times SEG_MAX fits the pool, or the copy area.
 */
#ifndef XDD_BLK_VIRTIO_H
#define XDD_BLK_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/blk/blk-policy.h"
#include "backends/blk/blk.h"
#include "backends/door/virtio-door.h"
#include "common/histogram.h"
#include "policy/toll.h"

#define VIRTIO_BLK_F_SIZE_MAX	  VIRTIO_BIT(1)
#define VIRTIO_BLK_F_SEG_MAX	  VIRTIO_BIT(2)
#define VIRTIO_BLK_F_RO		  VIRTIO_BIT(5)
#define VIRTIO_BLK_F_BLK_SIZE	  VIRTIO_BIT(6)
#define VIRTIO_BLK_F_FLUSH	  VIRTIO_BIT(9)
#define VIRTIO_BLK_F_TOPOLOGY	  VIRTIO_BIT(10)
#define VIRTIO_BLK_F_CONFIG_WCE	  VIRTIO_BIT(11)
#define VIRTIO_BLK_F_MQ		  VIRTIO_BIT(12)
#define VIRTIO_BLK_F_DISCARD	  VIRTIO_BIT(13)
#define VIRTIO_BLK_F_WRITE_ZEROES VIRTIO_BIT(14)

/* Where things are in its configuration. */
enum blk_virtio_config {
	BLK_VIRTIO_CAPACITY = 0,
	BLK_VIRTIO_SIZE_MAX = 8,
	BLK_VIRTIO_SEG_MAX = 12,
	BLK_VIRTIO_BLK_SIZE = 20,
	BLK_VIRTIO_PHYSICAL_EXP = 24,
	BLK_VIRTIO_MIN_IO = 26,
	BLK_VIRTIO_WRITEBACK = 32,
	BLK_VIRTIO_QUEUES = 34,
	BLK_VIRTIO_DISCARD_SECTORS = 36,
	BLK_VIRTIO_DISCARD_SEG = 40,
	BLK_VIRTIO_DISCARD_ALIGN = 44,
	BLK_VIRTIO_ZEROES_SECTORS = 48,
	BLK_VIRTIO_ZEROES_SEG = 52,
	BLK_VIRTIO_CONFIG_BYTES = 60,
};

enum blk_virtio_type {
	BLK_VIRTIO_IN = 0,
	BLK_VIRTIO_OUT = 1,
	BLK_VIRTIO_FLUSH = 4,
	BLK_VIRTIO_GET_ID = 8,
	BLK_VIRTIO_DISCARD = 11,
	BLK_VIRTIO_WRITE_ZEROES = 13,
};

enum blk_virtio_status { BLK_VIRTIO_OK, BLK_VIRTIO_IOERR, BLK_VIRTIO_UNSUPP };

#define BLK_VIRTIO_HEADER	 16
#define BLK_VIRTIO_ID_BYTES	 20
#define BLK_VIRTIO_RANGE	 16	    /* of DISCARD, WRITE_ZEROES */
#define BLK_VIRTIO_RANGE_SECTORS (1u << 21) /* of one of them, at most: 1 GiB */

struct blk_virtio_conf {
	const struct policy *policy; /* may change in place */
	const struct blk_policy *block;
	struct blk *blk;
	struct keys keys;
	void *owner;
	void (*detached)(struct virtio_door *door);
};

struct blk_virtio_stats {
	uint64_t requests, errors, refused;
	struct histogram latency[BLK_OPS]; /* from being taken to being published */
};

struct blk_virtio {
	struct virtio_door door;
	struct blk_virtio_conf conf;
	struct toll toll;
	struct blk_virtio_stats stats;
};

/* What slot->request is. */
struct blk_virtio_request {
	struct blk_request rq; /* the core's */
	struct virtio_slot *slot;
	enum blk_virtio_type type;
	enum blk_virtio_status answer; /* unless the core gives another */
	bool plain;		       /* nothing for the core to do */
	struct toll_paid paid;
	struct iovec iov[BLK_IOV_MAX];
};

/* Before sealing. 0 or a negative errno; -EINVAL: the policy's memory keys leave no
 * room for a request. */
int blk_virtio_init(struct blk_virtio *v, const struct blk_virtio_conf *conf);
void blk_virtio_fini(struct blk_virtio *v);

/* As struct host_door has them; the rest is virtio_door_*(&v->door). */
int blk_virtio_offer(struct blk_virtio *v);
int blk_virtio_connect(struct blk_virtio *v, bool attach, uint64_t now);
/* The disk has another size: say it. */
void blk_virtio_resized(struct blk_virtio *v);
/* The policy's Operations or Bytes changed. */
void blk_virtio_limits(struct blk_virtio *v, uint64_t now);

/* blk-virtio-request.c: the class's verbs on a request. */
bool blk_virtio_admit(struct virtio_slot *slot, uint64_t now);
void blk_virtio_start(struct virtio_slot *slot);
void blk_virtio_undelivered(struct virtio_slot *slot);
void blk_virtio_answered(struct virtio_slot *slot, uint64_t now);

#endif
