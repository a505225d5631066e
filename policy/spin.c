/* SPDX-License-Identifier: MIT */
#include "policy/spin.h"

#include "policy/text.h"

#define SPIN_SHORTEST_NS 1000 /* a window below is given up */
#define SPIN_SKIP	 32   /* for so many waits */
#define SPIN_PAUSE	 64   /* turns without being eager */
#define SPIN_FILL_NS	 3600000000000ull

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
	/* So that the product cannot overflow; nobody owes for longer. */
	if (passed > SPIN_FILL_NS)
		passed = SPIN_FILL_NS;
	spin->budget += (int64_t)(passed * spin->share / 100);
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
	return (int64_t)spin->window <= spin->budget ? spin->window : 0;
}

void spin_done(struct spin *spin, uint64_t ns, bool hit)
{
	spin->spins++;
	spin->hits += hit;
	spin->spent += ns;
	spin->budget -= (int64_t)ns;
	spin->window = hit ? spin->window * 2 : spin->window / 2;
	if (spin->window > spin->longest)
		spin->window = spin->longest;
	if (spin->window < SPIN_SHORTEST_NS)
		spin->skip = SPIN_SKIP;
}

bool spin_eager(struct spin *spin)
{
	spin->eager = !spin->pause;
	return spin->eager;
}

void spin_turned(struct spin *spin, bool called)
{
	if (spin->eager)
		spin->pause = called ? 0 : SPIN_PAUSE;
	else if (spin->pause)
		spin->pause--;
	spin->eager = false;
}
