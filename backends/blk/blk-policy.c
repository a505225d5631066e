/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/blk/blk-policy.h"
#include "policy/text.h"

/* [impl->req~policy-narrow-defaults~1] */
void blk_policy_init(struct blk_policy *policy)
{
	*policy = (struct blk_policy){
		.queues = 1,
		.persistent_pages = UINT32_MAX,
		.persistent_idle = 60,
		.spin.share = 10,
	};
}

static const char *set_discard(void *out, const char *value)
{
	return policy_set_bool(value, &((struct blk_policy *)out)->discard);
}

static const char *set_sector_size(void *out, const char *value)
{
	struct blk_policy *policy = out;
	uint64_t bytes;

	if (!policy_value_number(value, 512, 4096, &bytes) ||
	    (bytes != 512 && bytes != 4096))
		return "512, 4096";
	policy->sector_bytes = (uint32_t)bytes;
	return NULL;
}

static const char *set_queues(void *out, const char *value)
{
	struct blk_policy *policy = out;

	return policy_value_uint32(value, 1, BLK_POLICY_QUEUES_MAX, &policy->queues)
		       ? NULL
		       : "1-16; RingPages must have a page for each";
}

static const char *set_persistent_grants(void *out, const char *value)
{
	struct blk_policy *policy = out;

	return policy_value_uint32(value, 0, 1048576, &policy->persistent_pages)
		       ? NULL
		       : "0-1048576; what is more than DataPages has no effect";
}

static const char *set_persistent_idle(void *out, const char *value)
{
	struct blk_policy *policy = out;

	return policy_value_uint32(value, 0, 86400, &policy->persistent_idle)
		       ? NULL
		       : "0-86400 seconds; 0: kept however long it is not used";
}

static const char *set_cache(void *out, const char *value)
{
	static const char *const names[] = {"auto", "direct", "buffered"};
	struct blk_policy *policy = out;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(value, names[i])) {
			policy->cache = (enum blk_cache)i;
			return NULL;
		}
	}
	return "auto, direct, buffered";
}

static const char *set_poll_time(void *out, const char *value)
{
	struct blk_policy *policy = out;

	return spin_set_time(&policy->spin, value);
}

static const char *set_poll_share(void *out, const char *value)
{
	struct blk_policy *policy = out;

	return spin_set_share(&policy->spin, value);
}

const struct policy_section_key blk_policy_keys[] = {
	{"Discard", false, set_discard},
	{"SectorSize", false, set_sector_size},
	{"Queues", false, set_queues},
	{"PersistentGrants", false, set_persistent_grants},
	{"PersistentIdle", false, set_persistent_idle},
	{"Cache", false, set_cache},
	{"PollTime", false, set_poll_time},
	{"PollShare", false, set_poll_share},
	{NULL, false, NULL},
};

void blk_policy_fit(const struct policy *policy, const void *block,
		    struct policy_errors *errors)
{
	uint32_t queues = ((const struct blk_policy *)block)->queues;

	if (queues > policy->ring_pages)
		text_error(errors, policy->line[POLICY_KEY_RING_PAGES],
			   "a page for each queue, Queues or more",
			   "RingPages = %u is too little for Queues = %u",
			   policy->ring_pages, queues);
}
