/* SPDX-License-Identifier: MIT */
/* The classes' sections: see classes.h. */
#include "policy/cmd/classes.h"

#include "backends/blk/blk-policy.h"
#include "backends/can/can-policy.h"

static const struct classes_section sections[] = {
	[POLICY_BLK] = {blk_policy_keys, sizeof(struct blk_policy), blk_policy_fit},
	[POLICY_NET] = {NULL, 0, NULL},
	[POLICY_SND] = {NULL, 0, NULL},
	[POLICY_DISPL] = {NULL, 0, NULL},
	[POLICY_CAN] = {can_policy_keys, sizeof(struct can_policy), can_policy_fit},
};

const struct classes_section *classes_section(enum policy_class class)
{
	return &sections[class];
}
