/* SPDX-License-Identifier: MIT */
/* What a disk says of itself over virtio, and its door: see blk-virtio.h. */
#include "backends/blk/blk-virtio.h"

#include <string.h>

#include "backends/blk/blk-rights.h"

#define QUEUE_SIZE   256
#define SEGMENTS_MAX 126 /* and header and status in one chain */
#define SEGMENT_MAX  BLK_PART_BYTES

/* -- Configuration ---------------------------------------------------------------- */

static void put16(struct blk_virtio *v, unsigned at, uint32_t value)
{
	virtio_put16(v->door.device.config + at,
		     value > UINT16_MAX ? UINT16_MAX : (uint16_t)value);
}

static void put32(struct blk_virtio *v, unsigned at, uint32_t value)
{
	virtio_put32(v->door.device.config + at, value);
}

/* Invariant 4: a quarter of the pool, so that a few fit; of the copy area what one
 * batch and all its pages allow, a segment touching two. */
static void config_segments(struct blk_virtio *v)
{
	const struct virtio_memory *m = &v->door.memory;
	uint32_t segments = SEGMENTS_MAX, bytes = XEN_PAGE_BYTES;
	uint32_t pages = m->batch.max < m->pages ? m->batch.max : m->pages;

	if (m->pool) {
		while (bytes < SEGMENT_MAX && 8ull * bytes * segments <= m->bytes)
			bytes *= 2;
		if (4ull * bytes * segments > m->bytes)
			segments = (uint32_t)(m->bytes / (4 * bytes));
	} else if (segments > (pages - 5) / 2) {
		segments = (pages - 5) / 2;
	}
	put32(v, BLK_VIRTIO_SIZE_MAX, bytes);
	put32(v, BLK_VIRTIO_SEG_MAX, segments ? segments : 1);
}

static uint64_t features(const struct blk_virtio *v)
{
	const struct blk_geometry *g = &v->conf.blk->geometry;
	uint64_t bits = VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX |
			VIRTIO_BLK_F_BLK_SIZE | VIRTIO_BLK_F_TOPOLOGY;

	if (g->read_only)
		bits |= VIRTIO_BLK_F_RO;
	if (g->flush)
		bits |= VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_CONFIG_WCE;
	if (g->discard)
		bits |= VIRTIO_BLK_F_DISCARD;
	if (g->write_zeroes && !g->read_only)
		bits |= VIRTIO_BLK_F_WRITE_ZEROES;
	if (v->door.device.conf.queues > 1)
		bits |= VIRTIO_BLK_F_MQ;
	return bits;
}

static uint8_t log2_of(uint32_t n)
{
	return (uint8_t)(31 - __builtin_clz(n));
}

static void describe(struct virtio_device *d)
{
	struct blk_virtio *v = d->conf.owner;
	const struct blk_geometry *g = &v->conf.blk->geometry;

	memset(d->config, 0, sizeof(d->config));
	d->config_bytes = BLK_VIRTIO_CONFIG_BYTES;
	virtio_put64(d->config + BLK_VIRTIO_CAPACITY, g->sectors);
	put32(v, BLK_VIRTIO_BLK_SIZE, g->logical_bytes);
	d->config[BLK_VIRTIO_PHYSICAL_EXP] =
		log2_of(g->physical_bytes / g->logical_bytes);
	put16(v, BLK_VIRTIO_MIN_IO, g->physical_bytes / g->logical_bytes);
	d->config[BLK_VIRTIO_WRITEBACK] = g->flush;
	put16(v, BLK_VIRTIO_QUEUES, d->conf.queues);
	put32(v, BLK_VIRTIO_DISCARD_SECTORS, BLK_VIRTIO_RANGE_SECTORS);
	put32(v, BLK_VIRTIO_DISCARD_SEG, 1);
	put32(v, BLK_VIRTIO_DISCARD_ALIGN, g->discard_granularity / BLK_SECTOR);
	put32(v, BLK_VIRTIO_ZEROES_SECTORS, BLK_VIRTIO_RANGE_SECTORS);
	put32(v, BLK_VIRTIO_ZEROES_SEG, 1);
	config_segments(v);
	d->offered = features(v);
}

/* A driver may turn the write cache off and on, and nothing else. */
static bool config_write(struct virtio_device *d, uint32_t offset, const uint8_t *data,
			 uint32_t n)
{
	if (offset != BLK_VIRTIO_WRITEBACK || n != 1 || data[0] > 1 ||
	    !(d->features & VIRTIO_BLK_F_CONFIG_WCE))
		return false;
	d->config[BLK_VIRTIO_WRITEBACK] = data[0];
	return true;
}

/* -- The door ---------------------------------------------------------------------- */

static void settled(struct virtio_device *d)
{
	const struct blk_virtio *v = d->conf.owner;

	d->config[BLK_VIRTIO_WRITEBACK] = v->conf.blk->geometry.flush;
}

static const struct virtio_class blk_class = {
	.id = VIRTIO_ID_BLOCK,
	.request_bytes = sizeof(struct blk_virtio_request),
	.describe = describe,
	.settled = settled,
	.admit = blk_virtio_admit,
	.start = blk_virtio_start,
	.undelivered = blk_virtio_undelivered,
	.answered = blk_virtio_answered,
	.config_write = config_write,
};

int blk_virtio_init(struct blk_virtio *v, const struct blk_virtio_conf *conf)
{
	struct virtio_door_conf door = {
		.class = &blk_class,
		.policy = conf->policy,
		.keys = conf->keys,
		.owner = v,
		.queues = conf->block->queues,
		.queue_size = QUEUE_SIZE,
		.detached = conf->detached,
	};

	*v = (struct blk_virtio){.conf = *conf};
	return virtio_door_init(&v->door, &door);
}

void blk_virtio_fini(struct blk_virtio *v)
{
	virtio_door_fini(&v->door);
}

int blk_virtio_offer(struct blk_virtio *v)
{
	int r = blk_rights(&v->conf.keys, v->conf.blk);

	return r ? r : virtio_door_offer(&v->door);
}

int blk_virtio_connect(struct blk_virtio *v, bool attach, uint64_t now)
{
	int r = blk_rights(&v->conf.keys, v->conf.blk);

	if (r)
		return r;
	toll_init(&v->toll, v->conf.policy, now);
	return virtio_door_connect(&v->door, attach, now);
}

void blk_virtio_resized(struct blk_virtio *v)
{
	struct virtio_device *d = &v->door.device;
	uint64_t sectors = v->conf.blk->geometry.sectors;

	if (v->door.state != VIRTIO_DOOR_UP ||
	    virtio_le64(d->config + BLK_VIRTIO_CAPACITY) == sectors)
		return;
	log_line(v->conf.keys.log, LOG_LEVEL_NOTICE, "resized to %llu sectors",
		 (unsigned long long)sectors);
	virtio_put64(d->config + BLK_VIRTIO_CAPACITY, sectors);
	virtio_device_reconfigured(d);
}

void blk_virtio_limits(struct blk_virtio *v, uint64_t now)
{
	if (v->door.state == VIRTIO_DOOR_DOWN)
		return;
	toll_change(&v->toll, v->conf.policy, now);
	v->door.device.due = now;
}
