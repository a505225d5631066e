/* SPDX-License-Identifier: MIT */
/*
 * What a sound card is called and can do, in the front end's directory, as libxl writes
 * it for `vsnd` (xen/io/sndif.h): from a policy's section [Sound]. Pure.
 *
 * Advice to the client, which may rewrite it: what holds is the policy, in the back
 * end.
 */
#ifndef XDD_PLAN_SOUND_H
#define XDD_PLAN_SOUND_H

#include "xenbus/cmd/plan.h"

/* Of a card without streams: its own five, and one for each stream its directories,
 * name, type and unique-id. */
#define PLAN_SOUND_NODES (6 + 8 * 5)

/* Calls @add for each node, @key being relative to the device's directory, and a
 * directory before what is in it (with the value ""). */
void plan_sound(const struct plan_input *in,
		void (*add)(void *owner, const char *key, const char *value),
		void *owner);

#endif
