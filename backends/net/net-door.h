/* SPDX-License-Identifier: MIT */
/*
 * A network device, as main.c and its two front doors see it. host->device is one.
 */
#ifndef XDD_NET_DOOR_H
#define XDD_NET_DOOR_H

#include "backends/host.h"
#include "backends/net/net-pv.h"
#include "backends/net/net-virtio.h"

struct station {
	struct net_policy policy;
	struct net net;
	struct net_link *link;
	struct keys keys;
	union {
		struct net_pv pv;
		struct net_virtio virtio;
	};
};

static inline struct station *station_of(const struct host *host)
{
	return host->device;
}

/* The earlier of the core's and the door's. */
static inline uint64_t station_due(const struct station *s, uint64_t door)
{
	uint64_t core = net_due(&s->net);

	return core < door ? core : door;
}

extern const struct host_door net_door_pv, net_door_virtio;

#endif
