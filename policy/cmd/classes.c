/* SPDX-License-Identifier: MIT */
/* The classes' sections: see classes.h. */
#include "policy/cmd/classes.h"

#include "backends/blk/blk-policy.h"

static const struct classes_section sections[] = {
	[POLICY_BLK] = {blk_policy_keys, sizeof(struct blk_policy)},
	[POLICY_NET] = {NULL, 0},
	[POLICY_SND] = {NULL, 0},
	[POLICY_DISPL] = {NULL, 0},
	[POLICY_CAN] = {NULL, 0},
};

const struct classes_section *classes_section(enum policy_class class)
{
	return &sections[class];
}
