/* SPDX-License-Identifier: MIT */
/*
 * Where a back end gets its grants, event channels and store from: its keeper,
 * another process or (Isolation = domain) parts of this one.
 *
 * Not a policy of its own: the keeper decides. The calls stand in the order in
 * which host.c makes them; the first three come before sealing.
 */
#ifndef XDD_HOST_DOORS_H
#define XDD_HOST_DOORS_H

#include <stdbool.h>
#include <stddef.h>

#include "backends/host-domain.h"
#include "grant-mem/client.h"
#include "grant-mem/grants-keeper.h"
#include "policy/policy.h"
#include "xenbus/evtchn-keeper.h"
#include "xenbus/store-keeper.h"

struct doors {
	struct client client;
	bool inner; /* the keeper is @domain */
	struct domain domain;
	struct grants_keeper grants;
	struct evtchn_keeper evtchn;
	struct store_keeper store;
	const char *why; /* what went wrong, in words, after a negative return */
};

/* Take over what xdd-enter left, or start without it, as @who says; the policy's
 * text lands in @text. Bytes, or a negative errno. */
int doors_adopt(struct doors *doors, const struct domain_who *who, char *text,
		size_t size);
/* Make the three handles. 0 or a negative errno. */
int doors_open(struct doors *doors);
/* seal_last(), or what stands in its place: @mixes has one, Isolation = domain another,
 * and they do not go together. */
int doors_seal(const struct doors *doors, bool mixes);
/* Isolation = domain: the keeper's parts do what is due. */
void doors_turn(struct doors *doors);
/* True if a snapshot came in beside an answer. No system call. */
bool doors_changed(const struct doors *doors);
/* True if the limits differ from @policy's; they are stored into it. */
bool doors_limits(const struct doors *doors, struct policy *policy);
/* The end of serving. */
void doors_close(struct doors *doors);

#endif
