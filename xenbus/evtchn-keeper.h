/* SPDX-License-Identifier: MIT */
/*
 * Seam A, event channels, through the keeper: it binds, on a descriptor that
 * is restricted to the client's domain and that arrives with each bind.
 *
 * After each evtchn_bind() the descriptor may be another one: put evtchn.fd
 * into the loop's table again. It is non-blocking (the keeper opened it so).
 */
#ifndef XDD_EVTCHN_KEEPER_H
#define XDD_EVTCHN_KEEPER_H

#include "grant-mem/client.h"
#include "xenbus/evtchn.h"

struct evtchn_keeper {
	struct evtchn evtchn; /* the handle for everything above */
	struct client *client;
};

/* @c outlives @k. */
void evtchn_keeper_init(struct evtchn_keeper *k, struct client *c);
void evtchn_keeper_fini(struct evtchn_keeper *k);

#endif
