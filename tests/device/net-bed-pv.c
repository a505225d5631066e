/* SPDX-License-Identifier: MIT */
/* The PV door on the bed: see net-bed.h. */
#include <errno.h>

#include "tests/device/net-bed.h"

static void left(struct net_pv *pv)
{
	struct net_bed *bed = pv->conf.owner;

	bed->detached++;
}

static void broken(struct net_pv *pv, const char *why)
{
	struct net_bed *bed = pv->conf.owner;

	bed->broken++;
	bed->why = why;
	net_pv_detach(pv);
}

static int pv_init(struct net_bed *bed, const struct keys *keys)
{
	const struct net_pv_conf conf = {
		.policy = &bed->policy,
		.net_policy = &bed->net_policy,
		.net = &bed->net,
		.keys = *keys,
		.owner = bed,
		.broken = broken,
		.detached = left,
	};

	return net_pv_init(&bed->pv, &conf);
}

static void pv_fini(struct net_bed *bed)
{
	net_pv_fini(&bed->pv);
}

static int pv_offer(struct net_bed *bed)
{
	return net_pv_offer(&bed->pv);
}

static int pv_connect(struct net_bed *bed, bool attach, uint64_t now)
{
	return net_pv_connect(&bed->pv, attach, now);
}

static void pv_detach(struct net_bed *bed)
{
	net_pv_detach(&bed->pv);
}

static int pv_turn(struct net_bed *bed, uint64_t now)
{
	return net_pv_turn(&bed->pv, now);
}

static uint64_t pv_due(const struct net_bed *bed)
{
	return net_pv_due(&bed->pv);
}

static bool pv_arm(struct net_bed *bed)
{
	return net_pv_arm(&bed->pv);
}

static bool pv_pending(const struct net_bed *bed)
{
	return net_pv_pending(&bed->pv);
}

static void pv_limits(struct net_bed *bed, uint64_t now)
{
	net_pv_limits(&bed->pv, now);
}

static bool pv_is_down(const struct net_bed *bed)
{
	return bed->pv.state == NET_PV_DOWN;
}

static void pv_died(struct net_bed *bed)
{
	bed->pv.error = -EIO;
}

static void pv_front_connect(struct net_bed *bed)
{
	netfront_connect(&bed->front);
}

static bool pv_front_ready(struct net_bed *bed)
{
	netfront_ready(&bed->front);
	return true;
}

static bool pv_front_disconnect(struct net_bed *bed)
{
	return netfront_disconnect(&bed->front);
}

const struct net_bed_door net_bed_pv = {
	.init = pv_init,
	.fini = pv_fini,
	.offer = pv_offer,
	.connect = pv_connect,
	.detach = pv_detach,
	.turn = pv_turn,
	.due = pv_due,
	.arm = pv_arm,
	.pending = pv_pending,
	.limits = pv_limits,
	.is_down = pv_is_down,
	.died = pv_died,
	.front_connect = pv_front_connect,
	.front_ready = pv_front_ready,
	.front_disconnect = pv_front_disconnect,
};
