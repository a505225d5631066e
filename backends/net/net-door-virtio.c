/* SPDX-License-Identifier: MIT */
/* The virtio door in xdd-net: see net-door.h. */
#include "backends/net/net-door.h"
#include "backends/host-forward.h"
#include "backends/host-virtio.h"

static struct net_virtio *virtio_of(const struct host *host)
{
	return &station_of(host)->virtio;
}

HOST_FORWARD(net_virtio, virtio_of)
HOST_FORWARD_TURNS(net, net_of, net_virtio, virtio_of)
HOST_TOLD_DETACHED(net_virtio)

static int virtio_open(struct host *host)
{
	struct station *s = station_of(host);
	struct net_virtio_conf conf = {
		.policy = &host->policy,
		.net_policy = &s->policy,
		.net = &s->net,
		.keys = s->keys,
		.owner = host,
		.detached = told_detached,
	};
	int r = net_virtio_init(&s->virtio, &conf);

	host->virtio = &s->virtio.door;
	if (r == -EINVAL)
		log_line(&host->log, LOG_LEVEL_ERROR,
			 "%s = %u has no room for a frame of %u pages",
			 policy_key_name(policy_data_key(&host->policy)),
			 host->policy.data_pages,
			 net_room(&s->policy) / XEN_PAGE_BYTES);
	return r;
}

static void virtio_count(struct host *host)
{
	const struct net_virtio *v = virtio_of(host);
	const struct net_virtio_stats *door = &v->stats;
	const struct stats_named counters[] = {
		{"packets", &door->packets},	 {"frames", &door->frames},
		{"malformed", &door->malformed}, {"orders", &door->orders},
		{"errors", &door->errors},	 {"refused", &door->refused},
		{"buffers", &door->buffers},	 {"undelivered", &door->undelivered},
	};

	STATS_COUNTERS(&host->stats, counters);
	host_virtio_count(host);
	stats_gauge(&host->stats, "queues", &v->pairs);
}

static int virtio_connect(struct host *host, bool attach)
{
	struct net_virtio *v = virtio_of(host);

	return host_virtio_connected(host, net_virtio_connect(v, attach, clock_now()));
}

static int virtio_tick(struct host *host, uint64_t now)
{
	const struct net_virtio *v = virtio_of(host);

	(void)now;
	return v->error ? v->error : v->door.error;
}

const struct host_door net_door_virtio = {
	.open = virtio_open,
	.count = virtio_count,
	HOST_FORWARDED,
	.connect = virtio_connect,
	HOST_FORWARDED_TURNS,
	.tick = virtio_tick,
};
