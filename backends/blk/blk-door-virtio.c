/* SPDX-License-Identifier: MIT */
/* The virtio door in xdd-blk: see blk-door.h. */
#include "backends/blk/blk-door.h"
#include "backends/host-virtio.h"
#include "common/clock.h"

static void virtio_detached(struct virtio_door *door)
{
	const struct blk_virtio *v = door->conf.owner;

	host_detached(v->conf.owner);
}

static int virtio_open(struct host *host)
{
	struct disk *disk = disk_of(host);
	struct blk_virtio_conf conf = {
		.policy = &host->policy,
		.block = &disk->block,
		.blk = &disk->blk,
		.keys = disk->keys,
		.owner = host,
		.detached = virtio_detached,
	};

	host->virtio = &disk->virtio.door;
	return blk_virtio_init(&disk->virtio, &conf);
}

static void virtio_count(struct host *host)
{
	const struct blk_virtio_stats *stats = &disk_of(host)->virtio.stats;

	stats_counter(&host->stats, "requests", &stats->requests);
	stats_counter(&host->stats, "errors", &stats->errors);
	stats_counter(&host->stats, "refused", &stats->refused);
	host_virtio_count(host);
}

static int virtio_offer(struct host *host)
{
	return blk_virtio_offer(&disk_of(host)->virtio);
}

static int virtio_connect(struct host *host, bool attach)
{
	struct blk_virtio *v = &disk_of(host)->virtio;

	return host_virtio_connected(host, blk_virtio_connect(v, attach, clock_now()));
}

static int virtio_tick(struct host *host, uint64_t now)
{
	(void)now;
	blk_virtio_resized(&disk_of(host)->virtio);
	return host->virtio->error;
}

static void virtio_limits(struct host *host)
{
	blk_virtio_limits(&disk_of(host)->virtio, clock_now());
}

const struct host_door blk_door_virtio = {
	.open = virtio_open,
	.count = virtio_count,
	.offer = virtio_offer,
	.connect = virtio_connect,
	.turn = host_virtio_turn,
	.due = host_virtio_due,
	.arm = host_virtio_arm,
	.pending = host_virtio_pending,
	.detach = host_virtio_detach,
	.tick = virtio_tick,
	.limits = virtio_limits,
};
