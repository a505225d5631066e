/* SPDX-License-Identifier: MIT */
/*
 * Isolation = domain: the keeper's own parts, in the process of its back end.
 *
 * Not another keeper and not another policy: what decides is what decides in
 * xdd-keeper (grant-mem/cmd/keeper.h), request by request. The two talk over a
 * socket pair, so that client, messages and checks are the same as well; while
 * the back end waits for a reply, the keeper's parts are turned.
 *
 * Invariants:
 *  1. it holds against the client alone: a process that was taken over holds
 *     the Xen devices itself (grant-mem/THREAT-MODEL.md);
 *  2. nobody is there to kill us: what the keeper would kill for ends the
 *     connection, every call on the client then fails, and the owner exits;
 *  3. what was kept for a restart by a keeper is not kept: maps, locks and
 *     event channels end with the process, and are made anew by the next;
 *  4. the keeper's parts run inside client_call() and domain_turn(), nowhere
 *     else, and never call up.
 */
#ifndef XDD_HOST_DOMAIN_H
#define XDD_HOST_DOMAIN_H

#include <stdbool.h>

#include "grant-mem/client.h"

struct keeper;

/* Who starts. */
struct domain_who {
	const char *name, *class; /* of the instance; "blk" */
	const char *policy_dir;
};

struct domain {
	struct client_inner inner; /* what @client turns */
	struct keeper *keeper;
	bool unfit; /* domain_open() failed for what the policy says */
	int fd;	    /* readable when domain_turn() or client_poll() has work */
	int timer;
};

/* Read and check @who's policy, open the Xen devices and the audit log, and
 * connect @c. 0 or a negative errno, with @c->why; if it is @d->unfit, the lines
 * before say all that is wrong. Before sealing. */
int domain_open(struct domain *d, struct client *c, const struct domain_who *who);
/* The part of it that connects @c to @k, which is ready for a back end. */
int domain_connect(struct domain *d, struct client *c, struct keeper *k,
		   const char *class);
/* What became readable and what is due. Does not wait for the back end, nor, but
 * for a watch that it sets up (xenbus/xs.h), for xenstored. */
void domain_turn(struct domain *d);
/* A planned end: said in the audit log and in xenstore. */
void domain_close(struct domain *d);

#endif
