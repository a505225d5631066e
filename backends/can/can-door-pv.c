/* SPDX-License-Identifier: MIT */
/* The PV door in xdd-can: see can-door.h. */
#include "backends/can/can-door.h"
#include "backends/host-forward.h"

static struct can_pv *pv_of(const struct host *host)
{
	return &controller_of(host)->pv;
}

HOST_FORWARD(can_pv, pv_of)
HOST_FORWARD_TURNS(can, can_of, can_pv, pv_of)
HOST_TOLD_BROKEN(can_pv)
HOST_TOLD_DETACHED(can_pv)

static int pv_open(struct host *host)
{
	struct controller *c = controller_of(host);
	struct can_pv_conf conf = {
		.policy = &host->policy,
		.can_policy = &c->policy,
		.can = &c->can,
		.keys = c->keys,
		.owner = host,
		.broken = told_broken,
		.detached = told_detached,
	};

	return can_pv_init(&c->pv, &conf);
}

static void pv_count(struct host *host)
{
	const struct can_pv *pv = &controller_of(host)->pv;
	const struct can_pv_stats *door = &pv->stats;
	const struct stats_named counters[] = {
		{"requests", &door->requests}, {"errors", &door->errors},
		{"answers", &door->answers},   {"malformed", &door->malformed},
		{"events", &door->events},     {"pushes", &door->pushes},
		{"notifies", &door->notifies},
	};

	STATS_COUNTERS(&host->stats, counters);
	stats_gauge(&host->stats, "busy", &pv->busy);
	stats_latency(&host->stats, "transmit", &door->latency);
}

static int pv_connect(struct host *host, bool attach)
{
	struct can_pv *pv = &controller_of(host)->pv;
	int r = can_pv_connect(pv, attach, clock_now());

	host->ports = r ? 0 : 1;
	host->port[0] = pv->port;
	return r;
}

static int pv_tick(struct host *host, uint64_t now)
{
	(void)now;
	return controller_of(host)->pv.error;
}

const struct host_door can_door_pv = {
	.open = pv_open,
	.count = pv_count,
	HOST_FORWARDED,
	.connect = pv_connect,
	HOST_FORWARDED_TURNS,
	.tick = pv_tick,
};
