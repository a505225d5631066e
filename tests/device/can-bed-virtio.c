/* SPDX-License-Identifier: MIT */
/* The virtio door on the bed: see can-bed.h. */
#include <errno.h>

#include "tests/device/can-bed.h"

static void left(struct can_virtio *v)
{
	struct can_bed *bed = v->conf.owner;

	bed->detached++;
}

static int virtio_init(struct can_bed *bed, const struct keys *keys)
{
	const struct can_virtio_conf conf = {
		.policy = &bed->policy,
		.can_policy = &bed->can_policy,
		.can = &bed->can,
		.keys = *keys,
		.owner = bed,
		.detached = left,
	};

	return can_virtio_init(&bed->virtio, &conf);
}

static void virtio_fini(struct can_bed *bed)
{
	can_virtio_fini(&bed->virtio);
}

static int virtio_offer(struct can_bed *bed)
{
	return can_virtio_offer(&bed->virtio);
}

static int virtio_connect(struct can_bed *bed, bool attach, uint64_t now)
{
	return can_virtio_connect(&bed->virtio, attach, now);
}

static void virtio_detach(struct can_bed *bed)
{
	can_virtio_detach(&bed->virtio);
}

static int virtio_turn(struct can_bed *bed, uint64_t now)
{
	return can_virtio_turn(&bed->virtio, now);
}

static uint64_t virtio_due(const struct can_bed *bed)
{
	return can_virtio_due(&bed->virtio);
}

static bool virtio_arm(struct can_bed *bed)
{
	return can_virtio_arm(&bed->virtio);
}

static void virtio_limits(struct can_bed *bed, uint64_t now)
{
	can_virtio_limits(&bed->virtio, now);
}

static bool virtio_is_down(const struct can_bed *bed)
{
	return bed->virtio.door.state == VIRTIO_DOOR_DOWN;
}

static void virtio_died(struct can_bed *bed)
{
	bed->virtio.door.error = -EIO;
}

static struct can_front *virtio_front(struct can_bed *bed)
{
	bed->virtio_front =
		(struct can_front_virtio){.front.ops = &can_front_virtio_ops};
	return &bed->virtio_front.front;
}

const struct can_bed_door can_bed_virtio = {
	.init = virtio_init,
	.fini = virtio_fini,
	.offer = virtio_offer,
	.connect = virtio_connect,
	.detach = virtio_detach,
	.turn = virtio_turn,
	.due = virtio_due,
	.arm = virtio_arm,
	.limits = virtio_limits,
	.is_down = virtio_is_down,
	.died = virtio_died,
	.front = virtio_front,
};
