/* SPDX-License-Identifier: MIT */
/*
 * A disk, as main.c and its two front doors see it. host->device is one.
 */
#ifndef XDD_BLK_DOOR_H
#define XDD_BLK_DOOR_H

#include "backends/blk/blk-policy.h"
#include "backends/blk/blk-pv.h"
#include "backends/blk/blk-virtio.h"
#include "backends/blk/blk.h"
#include "backends/host.h"

struct disk {
	struct blk_policy block;
	struct blk blk;
	struct blk_store *store;
	struct keys keys;
	union {
		struct blk_pv pv;
		struct blk_virtio virtio;
	};
};

static inline struct disk *disk_of(const struct host *host)
{
	return host->device;
}

extern const struct host_door blk_door_pv, blk_door_virtio;

#endif
