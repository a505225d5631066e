/* SPDX-License-Identifier: MIT */
/*
 * A sound device, as main.c and its front doors see it. host->device is one.
 */
#ifndef XDD_SND_DOOR_H
#define XDD_SND_DOOR_H

#include "backends/host.h"
#include "backends/snd/snd-card.h"
#include "backends/snd/snd-pv.h"
#include "backends/snd/snd-virtio.h"

struct sounder {
	struct snd_policy policy;
	struct snd_card card;
	struct keys keys;
	uint64_t failures; /* of PCMs, that were said */
	union {
		struct snd_pv pv;
		struct snd_virtio virtio;
	};
};

static inline struct sounder *sounder_of(const struct host *host)
{
	return host->device;
}

extern const struct host_door snd_door_pv, snd_door_virtio;

#endif
