/* SPDX-License-Identifier: MIT */
/*
 * What the policies need: see dt-need.h. Of maps and ports it is what xdd-policy
 * check says (set.h), in Xen's frames.
 */
#include "policy/cmd/dt-need.h"

static uint64_t frames(uint64_t entries, uint64_t per_frame)
{
	return (entries + per_frame - 1) / per_frame;
}

static uint64_t at_most(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

struct dt_grants dt_need_grants(const struct dt *dt, struct domid client)
{
	struct dt_grants need = {.refs = POLICY_FIRST_REF};

	for (unsigned i = 0; i < dt->set.n; i++) {
		const struct policy *policy = &dt->set.entry[i].policy;
		uint64_t reach = policy->last_ref.v / DT_FRAME_REFS + 1;

		if (dt->client[i].v != client.v)
			continue;
		need.policies++;
		need.refs += (uint64_t)policy->ring_pages + policy->data_pages;
		if (reach > need.reach)
			need.reach = reach;
	}
	need.least = frames(need.refs, DT_FRAME_REFS);
	need.fit = at_most(DT_GRANT_FRAMES, need.reach);
	if (need.fit < need.least)
		need.fit = need.least;
	return need;
}

uint64_t dt_need_maps(const struct dt *dt)
{
	return set_share_need(&dt->set, SET_MAPTRACK, false);
}

uint64_t dt_need_maptrack_frames(const struct dt *dt)
{
	return frames(dt_need_maps(dt), DT_FRAME_MAPS) + 1;
}

uint64_t dt_need_ports(const struct dt *dt)
{
	return set_share_need(&dt->set, SET_EVENT_CHANNELS, false);
}
