/* SPDX-License-Identifier: MIT */
/* The virtio door on the bed: see displ-bed.h. */
#include <errno.h>

#include "common/clock.h"
#include "tests/device/displ-bed.h"

#define PATIENCE 100 /* ms */

static void left(struct displ_virtio *v)
{
	((struct displ_bed *)v->conf.owner)->detached++;
}

static int virtio_init(struct displ_bed *bed, const struct keys *keys)
{
	struct displ_virtio_conf conf = {
		.policy = &bed->policy,
		.displ_policy = &bed->displ_policy,
		.displ = &bed->displ,
		.keys = *keys,
		.owner = bed,
		.detached = left,
	};

	for (uint32_t i = 0; i < bed->displ_policy.heads; i++)
		conf.edid[i] = (struct displ_edid){bed->edid, sizeof(bed->edid)};
	return displ_virtio_init(&bed->virtio, &conf);
}

static void virtio_fini(struct displ_bed *bed)
{
	displ_virtio_fini(&bed->virtio);
}

static int virtio_offer(struct displ_bed *bed)
{
	return displ_virtio_offer(&bed->virtio);
}

static int virtio_connect(struct displ_bed *bed, bool attach, uint64_t now)
{
	return displ_virtio_connect(&bed->virtio, attach, now);
}

static void virtio_detach(struct displ_bed *bed)
{
	displ_virtio_detach(&bed->virtio);
}

static int virtio_turn(struct displ_bed *bed, uint64_t now)
{
	displ_virtio_unplugged(&bed->virtio, bed->unplugged);
	return displ_virtio_turn(&bed->virtio, now);
}

static uint64_t virtio_due(const struct displ_bed *bed)
{
	return displ_virtio_due(&bed->virtio);
}

static bool virtio_arm(struct displ_bed *bed)
{
	return displ_virtio_arm(&bed->virtio);
}

static void virtio_landed(struct displ_bed *bed, uint32_t head, uint64_t now)
{
	displ_virtio_landed(&bed->virtio, head, now);
}

static bool virtio_is_down(const struct displ_bed *bed)
{
	return bed->virtio.door.state == VIRTIO_DOOR_DOWN && !bed->virtio.ending;
}

static bool virtio_takes(const struct displ_bed *bed)
{
	return bed->virtio.door.state != VIRTIO_DOOR_DOWN;
}

static void virtio_died(struct displ_bed *bed)
{
	bed->virtio.door.error = -EIO;
}

/* What it waits for may take time; one that says nothing for long has nothing to say.
 */
static bool run(void *owner)
{
	struct displ_bed *bed = owner;

	if (bed->asked == bed->vfront.driver.token)
		return bed->waited++ < PATIENCE && displ_bed_pass(bed, CLOCK_MS) >= 0;
	bed->asked = bed->vfront.driver.token;
	bed->waited = 0;
	return displ_bed_run(bed) >= 0;
}

static void front_connect(struct displ_bed *bed)
{
	const struct vfront_conf conf = {
		.pages = bed->conf.pages,
		.size = 64,
		.queues = DISPL_VIRTIO_QUEUES,
		.refuses = bed->conf.refuses,
	};

	bed->asked = 0; /* no token */
	bed->vfront.run = run;
	bed->vfront.owner = bed;
	vfront_connect(&bed->vfront, bed->x, &bed->dev, &conf);
	bed->chains = (struct vchains){0};
}

static bool front_ready(struct displ_bed *bed)
{
	return vfront_ready(&bed->vfront);
}

static bool front_disconnect(struct displ_bed *bed)
{
	return vfront_disconnect(&bed->vfront);
}

const struct displ_bed_door displ_bed_virtio = {
	.init = virtio_init,
	.fini = virtio_fini,
	.offer = virtio_offer,
	.connect = virtio_connect,
	.detach = virtio_detach,
	.turn = virtio_turn,
	.due = virtio_due,
	.arm = virtio_arm,
	.is_down = virtio_is_down,
	.takes = virtio_takes,
	.landed = virtio_landed,
	.died = virtio_died,
	.front_connect = front_connect,
	.front_ready = front_ready,
	.front_disconnect = front_disconnect,
};
