/* SPDX-License-Identifier: MIT */
/*
 * A display device, as main.c and its front doors see it. host->device is one.
 */
#ifndef XDD_DISPL_DOOR_H
#define XDD_DISPL_DOOR_H

#include "backends/displ/displ-plugs.h"
#include "backends/displ/displ-pv.h"
#include "backends/displ/displ-virtio.h"
#include "backends/host.h"

/* What a connector says of itself; no bytes: nothing. */
struct shower_edid {
	uint8_t data[DISPLIF_EDID_MAX];
	uint32_t bytes;
};

struct shower {
	struct displ_policy policy;
	struct displ_scan *scan;
	struct displ displ;
	struct shower_edid edid[DISPL_HEADS_MAX];
	struct displ_plugs plugs; /* with virtio */
	struct keys keys;
	struct loop_op ready_op; /* waits for scan->fd */
	uint64_t failures;	 /* of the card, that were said */
	union {
		struct displ_pv pv;
		struct displ_virtio virtio;
	};
};

static inline struct shower *shower_of(const struct host *host)
{
	return host->device;
}

/* At the end of a turn: what the card has to say ends the wait, too. */
void shower_listen(struct host *host);

extern const struct host_door displ_door_pv, displ_door_virtio;

#endif
