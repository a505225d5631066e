/* SPDX-License-Identifier: MIT */
#include "backends/host-virtio.h"

void host_virtio_count(struct host *host)
{
	const struct virtio_door *door = host->virtio;
	const struct stats_named counters[] = {
		{"answers", &door->device.stats.answers},
		{"pushes", &door->device.stats.pushes},
		{"notifies", &door->notifies},
		{"messages", &door->msg.messages},
		{"resets", &door->device.stats.resets},
		{"wrong", &door->device.stats.wrong},
		{"pool_bytes", &door->memory.bytes},
	};

	STATS_COUNTERS(&host->stats, counters);
	stats_gauge(&host->stats, "busy", &door->device.busy);
	stats_gauge(&host->stats, "virtio_status", &door->device.status);
}

int host_virtio_connected(struct host *host, int r)
{
	host->ports = r ? 0 : 1;
	host->port[0] = host->virtio->port;
	return r;
}

int host_virtio_turn(struct host *host, uint64_t now)
{
	return virtio_door_turn(host->virtio, now);
}

uint64_t host_virtio_due(struct host *host)
{
	return virtio_door_due(host->virtio);
}

bool host_virtio_arm(struct host *host)
{
	return virtio_door_arm(host->virtio);
}

bool host_virtio_pending(const struct host *host)
{
	return virtio_door_pending(host->virtio);
}

void host_virtio_detach(struct host *host)
{
	virtio_door_detach(host->virtio);
}
