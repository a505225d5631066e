/* SPDX-License-Identifier: MIT */
/* The PV door on the bed: see can-bed.h. */
#include <errno.h>

#include "tests/device/can-bed.h"

static void left(struct can_pv *pv)
{
	struct can_bed *bed = pv->conf.owner;

	bed->detached++;
}

static void broken(struct can_pv *pv, const char *why)
{
	struct can_bed *bed = pv->conf.owner;

	bed->broken++;
	bed->why = why;
	can_pv_detach(pv);
}

static int pv_init(struct can_bed *bed, const struct keys *keys)
{
	const struct can_pv_conf conf = {
		.policy = &bed->policy,
		.can_policy = &bed->can_policy,
		.can = &bed->can,
		.keys = *keys,
		.owner = bed,
		.broken = broken,
		.detached = left,
	};

	return can_pv_init(&bed->pv, &conf);
}

static void pv_fini(struct can_bed *bed)
{
	can_pv_fini(&bed->pv);
}

static int pv_offer(struct can_bed *bed)
{
	return can_pv_offer(&bed->pv);
}

static int pv_connect(struct can_bed *bed, bool attach, uint64_t now)
{
	return can_pv_connect(&bed->pv, attach, now);
}

static void pv_detach(struct can_bed *bed)
{
	can_pv_detach(&bed->pv);
}

static int pv_turn(struct can_bed *bed, uint64_t now)
{
	return can_pv_turn(&bed->pv, now);
}

static uint64_t pv_due(const struct can_bed *bed)
{
	return can_pv_due(&bed->pv);
}

static bool pv_arm(struct can_bed *bed)
{
	return can_pv_arm(&bed->pv);
}

static void pv_limits(struct can_bed *bed, uint64_t now)
{
	can_pv_limits(&bed->pv, now);
}

static bool pv_is_down(const struct can_bed *bed)
{
	return bed->pv.state == CAN_PV_DOWN;
}

static void pv_died(struct can_bed *bed)
{
	bed->pv.error = -EIO;
}

static struct can_front *pv_front(struct can_bed *bed)
{
	bed->pv_front = (struct can_front_pv){.front.ops = &can_front_pv_ops};
	return &bed->pv_front.front;
}

const struct can_bed_door can_bed_pv = {
	.init = pv_init,
	.fini = pv_fini,
	.offer = pv_offer,
	.connect = pv_connect,
	.detach = pv_detach,
	.turn = pv_turn,
	.due = pv_due,
	.arm = pv_arm,
	.limits = pv_limits,
	.is_down = pv_is_down,
	.died = pv_died,
	.front = pv_front,
};
