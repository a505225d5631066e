/* SPDX-License-Identifier: MIT */
#include "policy/spin.h"

#include "policy/text.h"

#define SPIN_SHORTEST_NS 1000 /* a window below is given up */
#define SPIN_SKIP	 32   /* for so many waits */

const char *spin_set_time(struct spin_policy *policy, const char *value)
{
	uint64_t us;

	if (!policy_value_number(value, 0, 1000, &us))
		return "0-1000 microseconds; 0: sleep at once";
	policy->time_us = (uint32_t)us;
	return NULL;
}

const char *spin_set_share(struct spin_policy *policy, const char *value)
{
	uint64_t share;

	if (!policy_value_number(value, 1, 100, &share))
		return "1-100 percent of one processor";
	policy->share = (uint32_t)share;
	return NULL;
}

void spin_init(struct spin *spin, struct spin_policy policy, uint64_t now)
{
	*spin = (struct spin){
		.longest = policy.time_us * 1000ull,
		.share = policy.share,
		.window = policy.time_us * 1000ull,
		.budget = SPIN_BURST_NS,
		.at = now,
	};
}

static void spin_fill(struct spin *spin, uint64_t now)
{
	uint64_t passed = now > spin->at ? now - spin->at : 0;

	spin->at += passed;
	/* More fills it anyway; and so the product cannot overflow. */
	if (passed > 100ull * SPIN_BURST_NS)
		passed = 100ull * SPIN_BURST_NS;
	spin->budget += passed * spin->share / 100;
	if (spin->budget > SPIN_BURST_NS)
		spin->budget = SPIN_BURST_NS;
}

uint64_t spin_window(struct spin *spin, uint64_t now)
{
	if (!spin->longest)
		return 0;
	spin_fill(spin, now);
	if (spin->skip) {
		if (--spin->skip)
			return 0;
		spin->window = spin->longest;
	}
	return spin->window <= spin->budget ? spin->window : 0;
}

void spin_done(struct spin *spin, uint64_t ns, bool hit)
{
	spin->spins++;
	spin->hits += hit;
	spin->spent += ns;
	spin->budget -= ns < spin->budget ? ns : spin->budget;
	spin->window = hit ? spin->window * 2 : spin->window / 2;
	if (spin->window > spin->longest)
		spin->window = spin->longest;
	if (spin->window < SPIN_SHORTEST_NS)
		spin->skip = SPIN_SKIP;
}
