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

static inline struct net *net_of(const struct host *host)
{
	return &station_of(host)->net;
}

extern const struct host_door net_door_pv, net_door_virtio;

#endif
