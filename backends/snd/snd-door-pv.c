/* SPDX-License-Identifier: MIT */
/* The PV door in xdd-snd: see snd-door.h. */
#include "backends/host-forward.h"
#include "backends/snd/snd-door.h"

static struct snd_pv *pv_of(const struct host *host)
{
	return &sounder_of(host)->pv;
}

static struct snd_card *card_of(const struct host *host)
{
	return &sounder_of(host)->card;
}

HOST_FORWARD(snd_pv, pv_of)
HOST_FORWARD_TURNS(snd_card, card_of, snd_pv, pv_of)
HOST_TOLD_BROKEN(snd_pv)
HOST_TOLD_DETACHED(snd_pv)

static int pv_open(struct host *host)
{
	struct sounder *s = sounder_of(host);
	struct snd_pv_conf conf = {
		.policy = &host->policy,
		.snd_policy = &s->policy,
		.card = &s->card,
		.keys = s->keys,
		.owner = host,
		.broken = told_broken,
		.detached = told_detached,
	};

	return snd_pv_init(&s->pv, &conf);
}

static void pv_count(struct host *host)
{
	const struct snd_pv_stats *door = &pv_of(host)->stats;
	const struct stats_named counters[] = {
		{"requests", &door->requests},
		{"errors", &door->errors},
		{"answers", &door->answers},
		{"malformed", &door->malformed},
		{"reads", &door->reads},
		{"writes", &door->writes},
		{"read_bytes", &door->read_bytes},
		{"written_bytes", &door->written_bytes},
		{"events", &door->events},
		{"events_full", &door->full},
		{"pushes", &door->pushes},
		{"notifies", &door->notifies},
	};

	STATS_COUNTERS(&host->stats, counters);
	stats_latency(&host->stats, "samples", &door->latency);
}

static int pv_connect(struct host *host, bool attach)
{
	struct snd_pv *pv = pv_of(host);
	int r = snd_pv_connect(pv, attach, clock_now());

	host->ports = 0;
	for (uint32_t i = 0; !r && i < pv->streams; i++) {
		const struct pv_channel *channel = &pv->stream[i].channel;

		if (!channel->open)
			continue;
		host->port[host->ports++] = channel->port;
		host->port[host->ports++] = channel->events_port;
	}
	return r;
}

static int pv_tick(struct host *host, uint64_t now)
{
	(void)now;
	return pv_of(host)->error;
}

const struct host_door snd_door_pv = {
	.open = pv_open,
	.count = pv_count,
	HOST_FORWARDED,
	.connect = pv_connect,
	HOST_FORWARDED_TURNS,
	.tick = pv_tick,
};
