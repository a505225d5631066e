/* SPDX-License-Identifier: MIT */
/* The PV door in xdd-displ: see displ-door.h. */
#include "backends/displ/displ-door.h"
#include "backends/host-forward.h"

static struct displ_pv *pv_of(const struct host *host)
{
	return &shower_of(host)->pv;
}

static struct displ *displ_of(const struct host *host)
{
	return &shower_of(host)->displ;
}

HOST_FORWARD(displ_pv, pv_of)
HOST_FORWARD_TURNS(displ, displ_of, displ_pv, pv_of)
HOST_TOLD_BROKEN(displ_pv)
HOST_TOLD_DETACHED(displ_pv)

static void told_landed(void *owner, uint32_t head, uint64_t now)
{
	displ_pv_landed(pv_of(owner), head, now);
}

static int pv_open(struct host *host)
{
	struct shower *s = shower_of(host);
	struct displ_pv_conf conf = {
		.policy = &host->policy,
		.displ_policy = &s->policy,
		.displ = &s->displ,
		.keys = s->keys,
		.owner = host,
		.broken = told_broken,
		.detached = told_detached,
	};

	for (uint32_t i = 0; i < s->policy.heads; i++)
		conf.edid[i] = (struct displ_edid){s->edid[i].data, s->edid[i].bytes};
	s->displ.conf.landed = told_landed;
	return displ_pv_init(&s->pv, &conf);
}

static void pv_count(struct host *host)
{
	const struct displ_pv_stats *door = &pv_of(host)->stats;
	const struct stats_named counters[] = {
		{"requests", &door->requests}, {"errors", &door->errors},
		{"answers", &door->answers},   {"malformed", &door->malformed},
		{"flips", &door->flips},       {"configs", &door->configs},
		{"buffers", &door->buffers},   {"frame_buffers", &door->frames},
		{"events", &door->events},     {"pushes", &door->pushes},
		{"notifies", &door->notifies},
	};

	STATS_COUNTERS(&host->stats, counters);
	stats_latency(&host->stats, "flip", &door->latency);
}

static int pv_connect(struct host *host, bool attach)
{
	struct displ_pv *pv = pv_of(host);
	int r = displ_pv_connect(pv, attach, clock_now());

	host->ports = 0;
	for (uint32_t i = 0; !r && i < pv->heads; i++) {
		const struct pv_channel *channel = &pv->head[i].channel;

		if (!channel->open)
			continue;
		host->port[host->ports++] = channel->port;
		host->port[host->ports++] = channel->events_port;
	}
	return r;
}

static int pv_turn(struct host *host, uint64_t now)
{
	int r = forward_turn(host, now);

	shower_listen(host);
	return r;
}

static int pv_tick(struct host *host, uint64_t now)
{
	(void)now;
	return pv_of(host)->error;
}

const struct host_door displ_door_pv = {
	.open = pv_open,
	.count = pv_count,
	HOST_FORWARDED,
	.connect = pv_connect,
	.turn = pv_turn,
	.due = forward_due,
	.tick = pv_tick,
};
