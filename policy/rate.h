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

/* A limit of 0 a second is no limit, and is one for those that a policy may leave out
 * alone: rate_begin(), rate_become(). */
void rate_init(struct rate *rate, struct policy_rate limit, uint64_t now);
/* A changed policy: keeps the tokens that fit. */
void rate_change(struct rate *rate, struct policy_rate limit, uint64_t now);
/* The same of a limit that may be none: all passes then. */
void rate_begin(struct rate *rate, struct policy_rate limit, uint64_t now);
/* From one to another one, from or to none. What was none begins with a full bucket. */
void rate_become(struct rate *rate, struct policy_rate limit, uint64_t now);
/* Takes @units and returns 0, or takes nothing and returns the nanoseconds
 * (> 0) after which it is worth asking again. */
uint64_t rate_take(struct rate *rate, uint64_t units, uint64_t now);

#endif
