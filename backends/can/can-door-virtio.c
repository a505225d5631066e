/* SPDX-License-Identifier: MIT */
/* The virtio door in xdd-can: see can-door.h. */
#include "backends/can/can-door.h"
#include "backends/host-virtio.h"
#include "backends/host-forward.h"

static struct can_virtio *virtio_of(const struct host *host)
{
	return &controller_of(host)->virtio;
}

HOST_FORWARD(can_virtio, virtio_of)
HOST_FORWARD_TURNS(can, can_of, can_virtio, virtio_of)
HOST_TOLD_DETACHED(can_virtio)

static int virtio_open(struct host *host)
{
	struct controller *c = controller_of(host);
	struct can_virtio_conf conf = {
		.policy = &host->policy,
		.can_policy = &c->policy,
		.can = &c->can,
		.keys = c->keys,
		.owner = host,
		.detached = told_detached,
	};

	host->virtio = &c->virtio.door;
	return can_virtio_init(&c->virtio, &conf);
}

static void virtio_count(struct host *host)
{
	const struct can_virtio_stats *door = &controller_of(host)->virtio.stats;
	const struct stats_named counters[] = {
		{"requests", &door->requests},	 {"errors", &door->errors},
		{"malformed", &door->malformed}, {"not_sent", &door->canceled},
		{"events", &door->events},	 {"unfit", &door->unfit},
		{"untold", &door->untold},	 {"undelivered", &door->undelivered},
	};

	STATS_COUNTERS(&host->stats, counters);
	host_virtio_count(host);
	stats_latency(&host->stats, "transmit", &door->latency);
}

static int virtio_connect(struct host *host, bool attach)
{
	struct can_virtio *v = &controller_of(host)->virtio;

	return host_virtio_connected(host, can_virtio_connect(v, attach, clock_now()));
}

static int virtio_tick(struct host *host, uint64_t now)
{
	(void)now;
	return host->virtio->error;
}

const struct host_door can_door_virtio = {
	.open = virtio_open,
	.count = virtio_count,
	HOST_FORWARDED,
	.connect = virtio_connect,
	HOST_FORWARDED_TURNS,
	.tick = virtio_tick,
};
