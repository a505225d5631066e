/* SPDX-License-Identifier: MIT */
/*
 * Seam A, xenstore, through the keeper: reads and writes are its requests,
 * the status is its snapshots. store.fd is the socket to the keeper.
 *
 * A snapshot may come with the reply to any request, of grants and event
 * channels too: poll after each turn of work, not only when fd is readable.
 */
#ifndef XDD_STORE_KEEPER_H
#define XDD_STORE_KEEPER_H

#include "grant-mem/client.h"
#include "xenbus/store.h"

struct store_keeper {
	struct store store; /* the handle for everything above */
	struct client *client;
};

/* @c outlives @k. */
void store_keeper_init(struct store_keeper *k, struct client *c);

#endif
