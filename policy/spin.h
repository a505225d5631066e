/* SPDX-License-Identifier: MIT */
/*
 * Looking once more before sleeping: saves the client its event and us a wake-up.
 *
 * Two ways. A spin looks at the rings for a while, for processor time. To be eager
 * costs none to speak of: what is submitted may be done within the call that submits
 * it (page cache, RAM), so that call does not wait. Not a busy loop for its own sake,
 * and no spin without a budget. Invariants:
 *  1. no spin is asked for that is longer than the policy's PollTime, and all of them
 *     together, over any time, take no more than PollShare of one processor,
 *     SPIN_BURST_NS, and what the last one was longer than it was asked to be;
 *  2. it adapts: a spin that finds nothing halves the next one, one that finds
 *     something doubles it; one that has become too short is left out for a while;
 *     and so is being eager, once it finds nothing.
 */
#ifndef XDD_SPIN_H
#define XDD_SPIN_H

#include <stdbool.h>
#include <stdint.h>

#define SPIN_BURST_NS 10000000u /* what is saved up while there is nothing to do */

/* What a class's section says. */
struct spin_policy {
	uint32_t time_us; /* PollTime; 0: never */
	uint32_t share;	  /* PollShare, in percent of one processor */
};

/* Setters of the two keys, for the table of a class's section: NULL, or what is
 * allowed. */
const char *spin_set_time(struct spin_policy *policy, const char *value);
const char *spin_set_share(struct spin_policy *policy, const char *value);

struct spin {
	uint64_t longest; /* ns; 0: off */
	uint32_t share;
	uint64_t window; /* of the next spin, ns */
	uint32_t skip;	 /* waits until a window that was given up is tried again */
	int64_t budget;	 /* ns that may be spent; below 0 by what was overrun */
	uint64_t at;	 /* the time up to which the budget was filled */
	uint64_t spins, hits;
	uint64_t spent; /* ns, since the start */
	bool eager;	/* the answer to the last spin_eager() */
	uint32_t pause; /* turns of the loop until being eager is tried again */
};

void spin_init(struct spin *spin, struct spin_policy policy, uint64_t now);
/* How long to look now, in ns; 0: not at all. To be asked once before each wait. */
uint64_t spin_window(struct spin *spin, uint64_t now);
/* It was looked for @ns, and something was found or not. */
void spin_done(struct spin *spin, uint64_t ns, bool hit);
/* Something is to be submitted: true, do not wait for it. */
bool spin_eager(struct spin *spin);
/* After each turn of the loop, eager or not: it called somebody back. */
void spin_turned(struct spin *spin, bool called);

#endif
