/* SPDX-License-Identifier: MIT */
/*
 * Static grants: pages of a client that one of its queues keeps mapped because the
 * client asked for it (xen/io/netif.h, ADD_GREF_MAPPING). A request or a posted slot
 * that names such a reference is served by memory, with no call to the keeper.
 *
 * Not a policy: the keeper decides of each, and charges it. Invariants:
 *  1. a reference stands here at most once, with a map of its own, so that each can be
 *     let go of alone;
 *  2. there are no more than were given room for;
 *  3. a page is touched in the course of one call alone, by who found it: between calls
 *     none is in use, and any may be unmapped;
 *  4. nothing allocates after net_pv_statics_init().
 */
#ifndef XDD_NET_PV_STATIC_H
#define XDD_NET_PV_STATIC_H

#include "grant-mem/grants.h"

#define NET_PV_STATICS_MAX 512 /* of a queue: a page for each slot of both rings */
#define NET_PV_BUCKETS	   256

struct net_pv_static {
	struct gref ref;
	struct grants_map map;
	uint16_t next; /* of its bucket, or free; NET_PV_STATICS_MAX: none */
};

struct net_pv_statics {
	struct net_pv_static *entry;
	uint32_t max, n;
	uint16_t free;
	uint16_t bucket[NET_PV_BUCKETS];
};

/* Room for @max, 0 to NET_PV_STATICS_MAX. 0 or -ENOMEM. */
int net_pv_statics_init(struct net_pv_statics *statics, uint32_t max);
/* Whatever is mapped stays so: net_pv_statics_clear() comes first. */
void net_pv_statics_fini(struct net_pv_statics *statics);

/* Map it. 0; an enum grants_status, of what the policy or Xen did not allow;
 * GRANTS_BUSY: it is there, or there is no room; or a negative errno. */
int net_pv_static_add(struct net_pv_statics *statics, struct grants *grants,
		      struct gref ref, bool writable);
/* Unmap it. 1; 0: it is not there; or a negative errno. */
int net_pv_static_remove(struct net_pv_statics *statics, struct grants *grants,
			 struct gref ref);
/* All of them. 0 or a negative errno. */
int net_pv_statics_clear(struct net_pv_statics *statics, struct grants *grants);
/* NULL: it is not there. */
const struct grants_map *net_pv_static_find(const struct net_pv_statics *statics,
					    struct gref ref);

#endif
