/* SPDX-License-Identifier: MIT */
/* The PV door in xdd-blk: see blk-door.h. */
#include "backends/blk/blk-door.h"
#include "backends/host-forward.h"

_Static_assert(BLK_QUEUES_MAX <= EVENTS_PORTS, "a port for each queue");

static struct blk_pv *pv_of(const struct host *host)
{
	return &disk_of(host)->pv;
}

HOST_FORWARD(blk_pv, pv_of)
HOST_TOLD_BROKEN(blk_pv)
HOST_TOLD_DETACHED(blk_pv)

static int pv_open(struct host *host)
{
	struct disk *disk = disk_of(host);
	struct blk_pv_conf conf = {
		.policy = &host->policy,
		.block = &disk->block,
		.blk = &disk->blk,
		.keys = disk->keys,
		.owner = host,
		.broken = told_broken,
		.detached = told_detached,
	};

	return blk_pv_init(&disk->pv, &conf);
}

static void pv_count(struct host *host)
{
	const struct disk *disk = disk_of(host);
	const struct blk_pv_stats *door = &disk->pv.stats;
	const struct pgrants *pages = &disk->pv.memory.pgrants;
	const struct stats_named counters[] = {
		{"requests", &door->requests},	 {"errors", &door->errors},
		{"answers", &door->answers},	 {"malformed", &door->malformed},
		{"refused", &door->refused},	 {"pushes", &door->pushes},
		{"notifies", &door->notifies},	 {"page_hits", &pages->hits},
		{"page_misses", &pages->misses}, {"page_evictions", &pages->evictions},
	};

	STATS_COUNTERS(&host->stats, counters);
	stats_gauge(&host->stats, "queues", &disk->pv.queues);
	stats_gauge(&host->stats, "busy", &disk->pv.busy);
	stats_gauge(&host->stats, "pages", &pages->pages);
	stats_gauge(&host->stats, "pages_kept", &pages->kept);
}

static int pv_connect(struct host *host, bool attach)
{
	struct blk_pv *pv = &disk_of(host)->pv;
	int r = blk_pv_connect(pv, attach, clock_now());

	host->ports = r ? 0 : pv->queues;
	for (unsigned i = 0; i < host->ports; i++)
		host->port[i] = pv->queue[i].port;
	return r;
}

static int pv_turn(struct host *host, uint64_t now)
{
	return blk_pv_turn(&disk_of(host)->pv, now);
}

static uint64_t pv_due(struct host *host)
{
	return blk_pv_due(&disk_of(host)->pv);
}

static int pv_tick(struct host *host, uint64_t now)
{
	struct disk *disk = disk_of(host);
	enum life_state state = host->life.state;
	int r = blk_pv_tick(&disk->pv, now);

	if (!r && (state == LIFE_WAITING || state == LIFE_CONNECTED))
		r = blk_pv_resized(&disk->pv);
	if (r > 0)
		host_repeat(host);
	return r < 0 ? r : 0;
}

const struct host_door blk_door_pv = {
	.open = pv_open,
	.count = pv_count,
	HOST_FORWARDED,
	.connect = pv_connect,
	.turn = pv_turn,
	.due = pv_due,
	.tick = pv_tick,
};
