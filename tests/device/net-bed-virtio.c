/* SPDX-License-Identifier: MIT */
/* The virtio door on the bed: see net-bed.h. */
#include <errno.h>

#include "tests/device/net-bed.h"

static void left(struct net_virtio *v)
{
	struct net_bed *bed = v->conf.owner;

	bed->detached++;
}

static int virtio_init(struct net_bed *bed, const struct keys *keys)
{
	const struct net_virtio_conf conf = {
		.policy = &bed->policy,
		.net_policy = &bed->net_policy,
		.net = &bed->net,
		.keys = *keys,
		.owner = bed,
		.detached = left,
	};

	return net_virtio_init(&bed->virtio, &conf);
}

static void virtio_fini(struct net_bed *bed)
{
	net_virtio_fini(&bed->virtio);
}

static int virtio_offer(struct net_bed *bed)
{
	return net_virtio_offer(&bed->virtio);
}

static int virtio_connect(struct net_bed *bed, bool attach, uint64_t now)
{
	return net_virtio_connect(&bed->virtio, attach, now);
}

static void virtio_detach(struct net_bed *bed)
{
	net_virtio_detach(&bed->virtio);
}

static int virtio_turn(struct net_bed *bed, uint64_t now)
{
	return net_virtio_turn(&bed->virtio, now);
}

static uint64_t virtio_due(const struct net_bed *bed)
{
	return net_virtio_due(&bed->virtio);
}

static bool virtio_arm(struct net_bed *bed)
{
	return net_virtio_arm(&bed->virtio);
}

static bool virtio_pending(const struct net_bed *bed)
{
	return net_virtio_pending(&bed->virtio);
}

static void virtio_limits(struct net_bed *bed, uint64_t now)
{
	net_virtio_limits(&bed->virtio, now);
}

static bool virtio_is_down(const struct net_bed *bed)
{
	return bed->virtio.door.state == VIRTIO_DOOR_DOWN;
}

static void virtio_died(struct net_bed *bed)
{
	bed->virtio.door.error = -EIO;
}

static void virtio_front_connect(struct net_bed *bed)
{
	net_front_connect(&bed->vfront, bed->x, &bed->dev);
}

static bool virtio_front_ready(struct net_bed *bed)
{
	return net_front_ready(&bed->vfront);
}

static bool virtio_front_disconnect(struct net_bed *bed)
{
	return net_front_disconnect(&bed->vfront);
}

const struct net_bed_door net_bed_virtio = {
	.init = virtio_init,
	.fini = virtio_fini,
	.offer = virtio_offer,
	.connect = virtio_connect,
	.detach = virtio_detach,
	.turn = virtio_turn,
	.due = virtio_due,
	.arm = virtio_arm,
	.pending = virtio_pending,
	.limits = virtio_limits,
	.is_down = virtio_is_down,
	.died = virtio_died,
	.front_connect = virtio_front_connect,
	.front_ready = virtio_front_ready,
	.front_disconnect = virtio_front_disconnect,
};
