/* SPDX-License-Identifier: MIT */
/* The virtio door in xdd-displ: see displ-door.h. */
#include "backends/displ/displ-door.h"
#include "backends/displ/displ-resource.h"
#include "backends/host-forward.h"
#include "backends/host-virtio.h"

static struct displ_virtio *virtio_of(const struct host *host)
{
	return &shower_of(host)->virtio;
}

static struct displ *displ_of(const struct host *host)
{
	return &shower_of(host)->displ;
}

HOST_FORWARD(displ_virtio, virtio_of)
HOST_FORWARD_TURNS(displ, displ_of, displ_virtio, virtio_of)
HOST_TOLD_DETACHED(displ_virtio)

static void told_landed(void *owner, uint32_t head, uint64_t now)
{
	displ_virtio_landed(virtio_of(owner), head, now);
}

static int virtio_open(struct host *host)
{
	struct shower *s = shower_of(host);
	struct displ_virtio_conf conf = {
		.policy = &host->policy,
		.displ_policy = &s->policy,
		.displ = &s->displ,
		.keys = s->keys,
		.owner = host,
		.detached = told_detached,
	};

	for (uint32_t i = 0; i < s->policy.heads; i++)
		conf.edid[i] = (struct displ_edid){s->edid[i].data, s->edid[i].bytes};
	if (displ_resource_is_card(host->policy.resource))
		displ_plugs_open(&s->plugs, DISPL_PLUGS, &s->policy, &host->log);
	else
		displ_plugs_none(&s->plugs, &s->policy);
	s->displ.conf.landed = told_landed;
	host->virtio = &s->virtio.door;
	return displ_virtio_init(&s->virtio, &conf);
}

static void virtio_count(struct host *host)
{
	const struct displ_virtio_stats *door = &virtio_of(host)->stats;
	const struct stats_named counters[] = {
		{"requests", &door->commands},	 {"errors", &door->errors},
		{"malformed", &door->malformed}, {"flips", &door->flips},
		{"configs", &door->configs},	 {"resources", &door->resources},
		{"transfers", &door->transfers}, {"cursors", &door->cursors},
		{"plugs", &door->plugs},
	};

	STATS_COUNTERS(&host->stats, counters);
	host_virtio_count(host);
	stats_latency(&host->stats, "flip", &door->latency);
}

static int virtio_connect(struct host *host, bool attach)
{
	struct displ_virtio *v = virtio_of(host);

	return host_virtio_connected(host,
				     displ_virtio_connect(v, attach, clock_now()));
}

static int virtio_turn(struct host *host, uint64_t now)
{
	struct shower *s = shower_of(host);
	int r;

	displ_plugs_look(&s->plugs, now);
	displ_virtio_unplugged(&s->virtio, s->plugs.out);
	r = forward_turn(host, now);
	shower_listen(host);
	return r;
}

static uint64_t virtio_due(struct host *host)
{
	const struct shower *s = shower_of(host);
	uint64_t due = forward_due(host);

	return s->plugs.due < due ? s->plugs.due : due;
}

static int virtio_tick(struct host *host, uint64_t now)
{
	(void)now;
	return host->virtio->error;
}

const struct host_door displ_door_virtio = {
	.open = virtio_open,
	.count = virtio_count,
	HOST_FORWARDED,
	.connect = virtio_connect,
	.turn = virtio_turn,
	.due = virtio_due,
	.tick = virtio_tick,
};
