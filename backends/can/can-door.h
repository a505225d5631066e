/* SPDX-License-Identifier: MIT */
/*
 * A CAN controller, as main.c and its two front doors see it. host->device is one.
 */
#ifndef XDD_CAN_DOOR_H
#define XDD_CAN_DOOR_H

#include "backends/can/can-policy.h"
#include "backends/can/can-pv.h"
#include "backends/can/can-virtio.h"
#include "backends/can/can.h"
#include "backends/host.h"

struct controller {
	struct can_policy policy;
	struct can can;
	struct can_bus *bus;
	struct keys keys;
	union {
		struct can_pv pv;
		struct can_virtio virtio;
	};
};

static inline struct controller *controller_of(const struct host *host)
{
	return host->device;
}

static inline struct can *can_of(const struct host *host)
{
	return &controller_of(host)->can;
}

extern const struct host_door can_door_pv, can_door_virtio;

#endif
