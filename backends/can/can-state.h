/* SPDX-License-Identifier: MIT */
/*
 * What both doors of a CAN controller keep in the back-end directory: what state it is
 * in, for whoever follows a back end that died, and for people.
 *
 * The key "controller" holds an enum can_state. Keeping it is a request to the keeper,
 * so it is kept even if this process dies right after; a door keeps it before it
 * answers what changed it. Return values as in keys.h.
 */
#ifndef XDD_CAN_STATE_H
#define XDD_CAN_STATE_H

#include <stdbool.h>

#include "backends/can/can.h"
#include "backends/door/keys.h"

struct can_state_key {
	const struct keys *keys;
	bool known;
	enum can_state kept;
};

/* A connection begins: nothing is known to be kept. */
void can_state_init(struct can_state_key *key, const struct keys *keys);
/* What it was, for an attach: 0 and *@out, which is STOPPED if nothing of ours stands
 * there, or a negative errno. */
int can_state_read(const struct can_state_key *key, enum can_state *out);
/* Writes it if it is another one. 0, -EAGAIN (ask again), or another negative errno. */
int can_state_keep(struct can_state_key *key, enum can_state state);

#endif
