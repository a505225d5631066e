/* SPDX-License-Identifier: MIT */
/* The classes' sections: see classes.h. */
#include "policy/cmd/classes.h"

#include "backends/blk/blk-policy.h"
#include "backends/can/can-policy.h"
#include "backends/displ/displ-policy.h"
#include "backends/net/net-policy.h"
#include "backends/snd/snd-policy.h"

static const struct classes_section sections[] = {
	[POLICY_BLK] = {blk_policy_keys, sizeof(struct blk_policy), blk_policy_fit},
	[POLICY_NET] = {net_policy_keys, sizeof(struct net_policy), net_policy_fit},
	[POLICY_SND] = {snd_policy_keys, sizeof(struct snd_policy), snd_policy_fit},
	[POLICY_DISPL] = {displ_policy_keys, sizeof(struct displ_policy),
			  displ_policy_fit},
	[POLICY_CAN] = {can_policy_keys, sizeof(struct can_policy), can_policy_fit},
};

const struct classes_section *classes_section(enum policy_class class)
{
	return &sections[class];
}
