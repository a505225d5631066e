/* SPDX-License-Identifier: MIT */
/*
 * Seam A, guest memory, through the keeper: it registers, we mmap.
 *
 * Not a decision: the keeper decides, and the kernel holds us to it. Beside
 * grants.h's invariants:
 *  1. the order of letting go is munmap, then WIRE_UNMAP: the keeper refunds
 *     only what the kernel confirms;
 *  2. pages for reading come on the read-only descriptor, so that neither
 *     mmap nor mprotect can make them writable.
 */
#ifndef XDD_GRANTS_KEEPER_H
#define XDD_GRANTS_KEEPER_H

#include "grant-mem/client.h"
#include "grant-mem/grants.h"

struct grants_keeper {
	struct grants grants; /* the handle for everything above */
	struct client *client;
};

/* Maps the copy area, if there is one. @c outlives @k. */
int grants_keeper_init(struct grants_keeper *k, struct client *c);
/* All maps must be gone. */
void grants_keeper_fini(struct grants_keeper *k);

#endif
