/* SPDX-License-Identifier: MIT */
/* The virtio door on the bed: see snd-bed.h. */
#include <errno.h>

#include "tests/device/snd-bed.h"

static void left(struct snd_virtio *v)
{
	struct snd_bed *bed = v->conf.owner;

	bed->detached++;
}

static int virtio_init(struct snd_bed *bed, const struct keys *keys)
{
	const struct snd_virtio_conf conf = {
		.policy = &bed->policy,
		.snd_policy = &bed->snd_policy,
		.card = &bed->card,
		.keys = *keys,
		.owner = bed,
		.detached = left,
	};

	return snd_virtio_init(&bed->virtio, &conf);
}

static void virtio_fini(struct snd_bed *bed)
{
	snd_virtio_fini(&bed->virtio);
}

static int virtio_offer(struct snd_bed *bed)
{
	return snd_virtio_offer(&bed->virtio);
}

static int virtio_connect(struct snd_bed *bed, bool attach, uint64_t now)
{
	return snd_virtio_connect(&bed->virtio, attach, now);
}

static void virtio_detach(struct snd_bed *bed)
{
	snd_virtio_detach(&bed->virtio);
}

static int virtio_turn(struct snd_bed *bed, uint64_t now)
{
	return snd_virtio_turn(&bed->virtio, now);
}

static uint64_t virtio_due(const struct snd_bed *bed)
{
	return snd_virtio_due(&bed->virtio);
}

static bool virtio_arm(struct snd_bed *bed)
{
	return snd_virtio_arm(&bed->virtio);
}

static bool virtio_is_down(const struct snd_bed *bed)
{
	return bed->virtio.door.state == VIRTIO_DOOR_DOWN && !bed->virtio.ending;
}

static void virtio_died(struct snd_bed *bed)
{
	bed->virtio.door.error = -EIO;
}

static bool run(void *owner)
{
	return snd_bed_run(owner) >= 0;
}

static void front_connect(struct snd_bed *bed)
{
	bed->vfront.v.run = run;
	bed->vfront.v.owner = bed;
	snd_vfront_connect(&bed->vfront, bed->x, &bed->dev, bed->conf.grant);
}

static bool front_ready(struct snd_bed *bed)
{
	return vfront_ready(&bed->vfront.v);
}

static bool front_disconnect(struct snd_bed *bed)
{
	return vfront_disconnect(&bed->vfront.v);
}

const struct snd_bed_door snd_bed_virtio = {
	.init = virtio_init,
	.fini = virtio_fini,
	.offer = virtio_offer,
	.connect = virtio_connect,
	.detach = virtio_detach,
	.turn = virtio_turn,
	.due = virtio_due,
	.arm = virtio_arm,
	.is_down = virtio_is_down,
	.died = virtio_died,
	.front_connect = front_connect,
	.front_ready = front_ready,
	.front_disconnect = front_disconnect,
};
