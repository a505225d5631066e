/* SPDX-License-Identifier: MIT */
/* The virtio door in xdd-blk: see blk-door.h. */
#include "backends/blk/blk-door.h"
#include "common/clock.h"

static void virtio_detached(struct virtio_door *door)
{
	const struct blk_virtio *v = door->conf.owner;

	host_detached(v->conf.owner);
}

static int virtio_open(struct host *host, struct disk *disk)
{
	struct blk_virtio_conf conf = {
		.policy = &host->policy,
		.block = &disk->block,
		.blk = &disk->blk,
		.keys = disk->keys,
		.owner = host,
		.detached = virtio_detached,
	};

	return blk_virtio_init(&disk->virtio, &conf);
}

static const struct histogram *virtio_count(struct host *host, struct disk *disk)
{
	const struct blk_virtio *v = &disk->virtio;
	const struct virtio_door *door = &v->door;
	const struct {
		const char *name;
		const uint64_t *counter;
	} counters[] = {
		{"requests", &v->stats.requests},
		{"errors", &v->stats.errors},
		{"answers", &door->device.stats.answers},
		{"refused", &v->stats.refused},
		{"pushes", &door->device.stats.pushes},
		{"notifies", &door->notifies},
		{"messages", &door->msg.messages},
		{"resets", &door->device.stats.resets},
		{"wrong", &door->device.stats.wrong},
		{"pool_bytes", &door->memory.bytes},
	};

	for (unsigned i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		stats_counter(&host->stats, counters[i].name, counters[i].counter);
	stats_gauge(&host->stats, "busy", &door->device.busy);
	stats_gauge(&host->stats, "virtio_status", &door->device.status);
	return v->stats.latency;
}

static int virtio_offer(struct host *host, struct disk *disk)
{
	(void)host;
	return blk_virtio_offer(&disk->virtio);
}

static int virtio_connect(struct host *host, struct disk *disk, bool attach)
{
	int r = blk_virtio_connect(&disk->virtio, attach, clock_now());

	host->ports = r ? 0 : 1;
	host->port[0] = disk->virtio.door.port;
	return r;
}

static int virtio_turn(struct disk *disk, uint64_t now)
{
	return virtio_door_turn(&disk->virtio.door, now);
}

static uint64_t virtio_due(const struct disk *disk)
{
	return virtio_door_due(&disk->virtio.door);
}

static bool virtio_arm(struct disk *disk)
{
	return virtio_door_arm(&disk->virtio.door);
}

static bool virtio_pending(const struct disk *disk)
{
	return virtio_door_pending(&disk->virtio.door);
}

static void virtio_detach(struct disk *disk)
{
	virtio_door_detach(&disk->virtio.door);
}

static int virtio_tick(struct host *host, struct disk *disk, uint64_t now)
{
	(void)host;
	(void)now;
	blk_virtio_resized(&disk->virtio);
	return disk->virtio.door.error;
}

static void virtio_limits(struct disk *disk)
{
	blk_virtio_limits(&disk->virtio, clock_now());
}

const struct blk_door blk_door_virtio = {
	.open = virtio_open,
	.count = virtio_count,
	.offer = virtio_offer,
	.connect = virtio_connect,
	.turn = virtio_turn,
	.due = virtio_due,
	.arm = virtio_arm,
	.pending = virtio_pending,
	.detach = virtio_detach,
	.tick = virtio_tick,
	.limits = virtio_limits,
};
