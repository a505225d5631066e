/* SPDX-License-Identifier: MIT */
/*
 * What one back end has registered, from the charge to the kernel's word that
 * it is gone. The quota of an instance, in one table.
 *
 * Not a policy (the caller asked policy_may_map()), no clock, no message.
 * Invariants:
 *  1. pages are charged before they are registered, and refunded when the
 *     kernel confirmed the release or the back end is dead; never earlier;
 *  2. a reference stays locked in the ledger as long as one registration that
 *     holds it is not refunded. It may stand in several registrations of one
 *     instance, and in one twice: a guest may reuse it while an earlier
 *     release is still being confirmed. Each is charged;
 *  3. releases are asked for in order, each with a deadline; one that passes
 *     it means that the back end lied or does not let go;
 *  4. a release pair serves one release until the kernel signalled it;
 *  5. a reference is a ring's, data's or a pool's, never two of them at once: a back
 *     end cannot have its ring's page as a request's data by naming the number.
 *
 * A registration goes LIVE -> QUEUED (asked, no pair is free) -> RELEASING
 * (pair taken) -> FREE, or from anywhere to FREE when the back end is dead.
 */
#ifndef XDD_MAPS_H
#define XDD_MAPS_H

#include "grant-mem/registrar.h"
#include "policy/decide.h"

#define MAPS_SLOTS 65536u /* pages at once; half of a registration's id */

enum maps_state { MAPS_FREE, MAPS_LIVE, MAPS_QUEUED, MAPS_RELEASING };

/* A page; the first of a registration also stands for all of it. */
struct maps_slot {
	struct gref ref;
	uint32_t next; /* page of the registration, or free slot */
	uint8_t state, purpose, writable;
	uint16_t turn;	/* grows with each use of the slot; half of the id */
	uint32_t pages; /* 0: not the first */
	uint32_t after; /* the next release */
	uint64_t index;
	uint64_t deadline;
};

struct maps {
	struct registrar *registrar;
	int ledger; /* or -1: not exclusive */
	uint64_t release_ns;
	struct policy_usage usage;
	uint32_t high, free;  /* slots never used start at high */
	uint32_t first, last; /* queued releases */
	uint32_t pair[REGISTRAR_PAIRS];
	struct maps_slot slot[MAPS_SLOTS];
};

void maps_init(struct maps *maps, struct registrar *registrar, uint64_t release_ns);
/* Charge, lock and register. All or nothing. */
enum wire_result maps_add(struct maps *maps, struct domid client,
			  enum policy_purpose purpose, const struct gref *refs,
			  uint32_t n, bool writable, struct wire_mapped *out);
/* The back end says that it munmapped @id. False if there is no such. */
bool maps_release(struct maps *maps, uint32_t id, uint64_t now);
/* Takes the kernel's confirmations, and starts releases that wait. */
void maps_confirm(struct maps *maps);
/* When the oldest unconfirmed release is overdue; UINT64_MAX: there is none. */
uint64_t maps_deadline(const struct maps *maps);
/* Nothing is charged. */
bool maps_empty(const struct maps *maps);
/* The back end is dead and the gntdev files are closed: refund all. */
void maps_reset(struct maps *maps);

#endif
