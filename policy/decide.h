/* SPDX-License-Identifier: MIT */
/*
 * The decisions: may this instance do this, given what it already holds?
 *
 * Pure functions over a struct policy and a struct policy_usage; the keeper
 * (and, with Isolation = domain, the back end itself) asks before it acts.
 * Invariants:
 *  1. charge before act: policy_charge_*() is called on an allowed verdict
 *     before anything is linked, policy_refund_*() when the kernel confirmed
 *     the release; usage never exceeds the policy;
 *  2. a verdict names the key that decided, allowed or not.
 */
#ifndef XDD_DECIDE_H
#define XDD_DECIDE_H

#include "policy/policy.h"

/* What one instance holds now. All in pages but @binds. */
struct policy_usage {
	uint32_t ring_pages;
	uint32_t data_pages;
	uint32_t binds; /* event channels bound */
};

enum policy_purpose {
	POLICY_PURPOSE_RING, /* named by a xenstore key, read by the keeper; with Mode =
				grant a virtqueue's, or a page that netif's client has
				kept mapped, named by a message */
	POLICY_PURPOSE_DATA, /* named by a request on a ring */
	POLICY_PURPOSE_POOL, /* named by a xenstore key, read by the keeper */
};

struct verdict {
	bool allowed;
	enum policy_key key; /* what decided */
	unsigned line;	     /* of the policy file; 0: a default */
};

/* May @n references be mapped for @purpose, writable or only readable?
 * Refuses n = 0, a quota passed, and what is no ring: a direction outside
 * ClientPages, and a Mode that is not map for data, not pool for a pool. Refuses
 * a reference outside GrantRefs, but not a ring's, since those are the client's
 * own choice; with Mode = grant a ring's too, which a back end may then choose.
 * An allowed one names GrantRefs, or RingPages where these are not asked. */
struct verdict policy_may_map(const struct policy *policy,
			      const struct policy_usage *usage,
			      enum policy_purpose purpose, const struct gref *refs,
			      uint32_t n, bool writable);
/* May a page of @ref be copied from the client (@to_client false) or to it?
 * @n: segments of the batch, at most DataPages. Only where Mode says so: a
 * policy for maps or a pool allows no copy. An allowed one names GrantRefs. */
struct verdict policy_may_copy(const struct policy *policy, struct gref ref, uint32_t n,
			       bool to_client);
/* May one more event channel be bound? One, and one per further ring. */
struct verdict policy_may_bind(const struct policy *policy,
			       const struct policy_usage *usage);
/* Is this the client this instance serves? @tag may be "". A policy with a
 * number and a tag asks for both. */
struct verdict policy_may_serve(const struct policy *policy, struct domid domain,
				const char *tag);

void policy_charge(struct policy_usage *usage, enum policy_purpose purpose, uint32_t n);
void policy_refund(struct policy_usage *usage, enum policy_purpose purpose, uint32_t n);

/* True if @now takes away what @before allowed to hold: memory, a direction,
 * references, requests in flight, writing (a reload that narrows must drain
 * and revoke). A lower rate is not: it holds at once, and nothing is held. */
bool policy_narrows(const struct policy *before, const struct policy *now);
/* True if a running device cannot take @now over (class, door, resource,
 * client, device, mode, isolation or the class's section changed, or a resource that
 * was opened read-only is to be written): the unit must be restarted. */
bool policy_needs_restart(const struct policy *before, const struct policy *now);

#endif
