/* SPDX-License-Identifier: MIT */
/* The PV door in xdd-net: see net-door.h. */
#include "backends/net/net-door.h"
#include "backends/host-forward.h"

_Static_assert(2 * NET_QUEUES_MAX + 1 <= EVENTS_PORTS, "two ports a queue, and one");

static struct net_pv *pv_of(const struct host *host)
{
	return &station_of(host)->pv;
}

HOST_FORWARD(net_pv, pv_of)
HOST_FORWARD_TURNS(net, net_of, net_pv, pv_of)
HOST_TOLD_BROKEN(net_pv)
HOST_TOLD_DETACHED(net_pv)

static int pv_open(struct host *host)
{
	struct station *s = station_of(host);
	struct net_pv_conf conf = {
		.policy = &host->policy,
		.net_policy = &s->policy,
		.net = &s->net,
		.keys = s->keys,
		.owner = host,
		.broken = told_broken,
		.detached = told_detached,
	};
	int r = net_pv_init(&s->pv, &conf);

	if (r == -EINVAL)
		log_line(&host->log, LOG_LEVEL_ERROR,
			 "Memory.DataPages = %u has no room for a frame of %u pages "
			 "each way in each of %u queues: double it",
			 host->policy.data_pages, net_room(&s->policy) / XEN_PAGE_BYTES,
			 s->policy.queues);
	return r;
}

static void pv_count(struct host *host)
{
	const struct net_pv *pv = &station_of(host)->pv;
	const struct net_pv_stats *door = &pv->stats;
	const struct stats_named counters[] = {
		{"packets", &door->packets},	 {"frames", &door->frames},
		{"malformed", &door->malformed}, {"orders", &door->orders},
		{"answers", &door->answers},	 {"errors", &door->errors},
		{"refused", &door->refused},	 {"copies", &door->copies},
		{"segments", &door->segments},	 {"pushes", &door->pushes},
		{"notifies", &door->notifies},	 {"controls", &door->controls},
		{"direct", &door->direct},
	};

	STATS_COUNTERS(&host->stats, counters);
	stats_gauge(&host->stats, "queues", &pv->queues);
	stats_gauge(&host->stats, "busy", &pv->busy);
}

static int pv_connect(struct host *host, bool attach)
{
	struct net_pv *pv = &station_of(host)->pv;
	int r = net_pv_connect(pv, attach, clock_now());

	host->ports = 0;
	for (unsigned i = 0; !r && i < pv->queues; i++) {
		host->port[host->ports++] = pv->queue[i].tx_port;
		if (pv->queue[i].split)
			host->port[host->ports++] = pv->queue[i].rx_port;
	}
	if (!r && pv->control.open)
		host->port[host->ports++] = pv->control.port;
	return r;
}

static int pv_tick(struct host *host, uint64_t now)
{
	(void)now;
	return station_of(host)->pv.error;
}

const struct host_door net_door_pv = {
	.open = pv_open,
	.count = pv_count,
	HOST_FORWARDED,
	.connect = pv_connect,
	HOST_FORWARDED_TURNS,
	.tick = pv_tick,
};
