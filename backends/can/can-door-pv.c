/* SPDX-License-Identifier: MIT */
/* The PV door in xdd-can: see can-door.h. */
#include "backends/can/can-door.h"
#include "common/clock.h"

static void pv_broken(struct can_pv *pv, const char *why)
{
	host_broken(pv->conf.owner, why);
}

static void pv_detached(struct can_pv *pv)
{
	host_detached(pv->conf.owner);
}

static int pv_open(struct host *host)
{
	struct controller *c = controller_of(host);
	struct can_pv_conf conf = {
		.policy = &host->policy,
		.can_policy = &c->policy,
		.can = &c->can,
		.keys = c->keys,
		.owner = host,
		.broken = pv_broken,
		.detached = pv_detached,
	};

	return can_pv_init(&c->pv, &conf);
}

static void pv_count(struct host *host)
{
	const struct can_pv *pv = &controller_of(host)->pv;
	const struct can_pv_stats *door = &pv->stats;
	const struct {
		const char *name;
		const uint64_t *counter;
	} counters[] = {
		{"requests", &door->requests}, {"errors", &door->errors},
		{"answers", &door->answers},   {"malformed", &door->malformed},
		{"events", &door->events},     {"pushes", &door->pushes},
		{"notifies", &door->notifies},
	};

	for (unsigned i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		stats_counter(&host->stats, counters[i].name, counters[i].counter);
	stats_gauge(&host->stats, "busy", &pv->busy);
	stats_latency(&host->stats, "transmit", &door->latency);
}

static int pv_offer(struct host *host)
{
	return can_pv_offer(&controller_of(host)->pv);
}

static int pv_connect(struct host *host, bool attach)
{
	struct can_pv *pv = &controller_of(host)->pv;
	int r = can_pv_connect(pv, attach, clock_now());

	host->ports = r ? 0 : 1;
	host->port[0] = pv->port;
	return r;
}

static int pv_turn(struct host *host, uint64_t now)
{
	struct controller *c = controller_of(host);
	int r = can_turn(&c->can, now);

	return r < 0 ? r : can_pv_turn(&c->pv, now);
}

static uint64_t pv_due(struct host *host)
{
	const struct controller *c = controller_of(host);

	return controller_due(c, can_pv_due(&c->pv));
}

static bool pv_arm(struct host *host)
{
	return can_pv_arm(&controller_of(host)->pv);
}

static bool pv_pending(const struct host *host)
{
	return can_pv_pending(&controller_of(host)->pv);
}

static void pv_detach(struct host *host)
{
	can_pv_detach(&controller_of(host)->pv);
}

static int pv_tick(struct host *host, uint64_t now)
{
	(void)now;
	return controller_of(host)->pv.error;
}

static void pv_limits(struct host *host)
{
	can_pv_limits(&controller_of(host)->pv, clock_now());
}

const struct host_door can_door_pv = {
	.open = pv_open,
	.count = pv_count,
	.offer = pv_offer,
	.connect = pv_connect,
	.turn = pv_turn,
	.due = pv_due,
	.arm = pv_arm,
	.pending = pv_pending,
	.detach = pv_detach,
	.tick = pv_tick,
	.limits = pv_limits,
};
