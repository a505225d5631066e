/* SPDX-License-Identifier: MIT */
/*
 * The section [Block] of a policy: what only disks know. Pure: a table for
 * policy_parse_section(). What a client may do to the host's disk is decided
 * by it, so its defaults are the narrow ones.
 */
#ifndef XDD_BLK_POLICY_H
#define XDD_BLK_POLICY_H

#include "policy/policy.h"
#include "policy/spin.h"

/* Past the host's page cache, or through it. Auto is direct, but where that
 * cannot be trusted (main.c says where). */
enum blk_cache { BLK_CACHE_AUTO, BLK_CACHE_DIRECT, BLK_CACHE_BUFFERED };

struct blk_policy {
	bool discard;		   /* Discard */
	enum blk_cache cache;	   /* Cache */
	uint32_t sector_bytes;	   /* SectorSize; 0: the disk's own */
	uint32_t queues;	   /* Queues: as many a client may use; at most
				      RingPages, which are shared by them */
	uint32_t persistent_pages; /* PersistentGrants: pages kept mapped between
				      requests; at most DataPages */
	uint32_t persistent_idle;  /* PersistentIdle: seconds, 0: no matter */
	struct spin_policy spin;   /* PollTime, PollShare */
};

#define BLK_POLICY_QUEUES_MAX 16

extern const struct policy_section_key blk_policy_keys[];

/* What does not go together with the generic sections, to @errors. */
void blk_policy_fit(const struct policy *policy, const void *block,
		    struct policy_errors *errors);
/* The defaults, to parse over. */
void blk_policy_init(struct blk_policy *policy);

#endif
