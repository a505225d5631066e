/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/blk/blk-policy.h"

void blk_policy_init(struct blk_policy *policy)
{
	*policy = (struct blk_policy){.persistent_pages = UINT32_MAX};
}

static const char *set_discard(void *out, const char *value)
{
	struct blk_policy *policy = out;

	return policy_value_bool(value, &policy->discard) ? NULL : "yes, no";
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

static const char *set_persistent_grants(void *out, const char *value)
{
	struct blk_policy *policy = out;
	uint64_t pages;

	if (!policy_value_number(value, 0, 1048576, &pages))
		return "0-1048576; what is more than DataPages has no effect";
	policy->persistent_pages = (uint32_t)pages;
	return NULL;
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

const struct policy_section_key blk_policy_keys[] = {
	{"Discard", false, set_discard},
	{"SectorSize", false, set_sector_size},
	{"PersistentGrants", false, set_persistent_grants},
	{"Cache", false, set_cache},
	{NULL, false, NULL},
};
