/* SPDX-License-Identifier: MIT */
/*
 * A token bucket in integers: exact over any time, no drift, no float.
 *
 * @now is monotonic nanoseconds; going backwards adds nothing. A bucket that
 * is asked for more than its burst lets that one pass once full, so that a
 * request larger than the burst is slow, never stuck.
 */
#ifndef XDD_RATE_H
#define XDD_RATE_H

#include "policy/policy.h"

struct rate {
	struct policy_rate limit;
	uint64_t tokens;
	uint64_t fraction;  /* of the next token, in 1e-9 */
	uint64_t filled_ns; /* the time up to which tokens were added */
	uint64_t debt;	    /* owed by a request larger than the burst */
};

void rate_init(struct rate *rate, struct policy_rate limit, uint64_t now);
/* A changed policy: keeps the tokens that fit. */
void rate_change(struct rate *rate, struct policy_rate limit, uint64_t now);
/* Takes @units and returns 0, or takes nothing and returns the nanoseconds
 * (> 0) after which it is worth asking again. */
uint64_t rate_take(struct rate *rate, uint64_t units, uint64_t now);

#endif
