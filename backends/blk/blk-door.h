/* SPDX-License-Identifier: MIT */
/*
 * The two front doors of a disk, as main.c sees them: one table of verbs each, those
 * of struct host_class with the disk beside them.
 */
#ifndef XDD_BLK_DOOR_H
#define XDD_BLK_DOOR_H

#include "backends/blk/blk-policy.h"
#include "backends/blk/blk-pv.h"
#include "backends/blk/blk-virtio.h"
#include "backends/blk/blk.h"
#include "backends/host.h"

struct blk_door;

struct disk {
	const struct blk_door *door;
	struct blk_policy block;
	struct blk blk;
	struct blk_store *store;
	struct keys keys;
	union {
		struct blk_pv pv;
		struct blk_virtio virtio;
	};
};

struct blk_door {
	int (*open)(struct host *host, struct disk *disk);
	/* Name what it counts; the latencies of the core's operations. */
	const struct histogram *(*count)(struct host *host, struct disk *disk);
	int (*offer)(struct host *host, struct disk *disk);
	int (*connect)(struct host *host, struct disk *disk, bool attach);
	int (*turn)(struct disk *disk, uint64_t now);
	uint64_t (*due)(const struct disk *disk);
	bool (*arm)(struct disk *disk);
	bool (*pending)(const struct disk *disk);
	void (*detach)(struct disk *disk);
	int (*tick)(struct host *host, struct disk *disk, uint64_t now);
	void (*limits)(struct disk *disk);
};

extern const struct blk_door blk_door_pv, blk_door_virtio;

#endif
