/* SPDX-License-Identifier: MIT */
/*
 * A token bucket in integers: see rate.h. Invariants:
 *  1. tokens <= limit.burst, fraction < 1e9;
 *  2. tokens > 0 or fraction > 0 only while nothing is owed, but for the
 *     fraction of the token being paid back;
 *  3. what passed in any span is at most burst + rate * span, and one request
 *     larger than the burst, which is then waited for.
 */
#include "policy/rate.h"

#include <assert.h>

#define SECOND 1000000000ULL

/* Whole tokens that flow in during @ns; *@fraction carries what is left over.
 * At most UINT64_MAX, where a bucket is long full. */
static uint64_t inflow(uint64_t per_second, uint64_t ns, uint64_t *fraction)
{
	uint64_t rest = ns % SECOND, whole, tail, sum;

	/* per_second * rest / SECOND, apart: neither product can overflow. */
	tail = per_second % SECOND * rest + *fraction;
	sum = per_second / SECOND * rest + tail / SECOND;
	*fraction = tail % SECOND;
	if (__builtin_mul_overflow(per_second, ns / SECOND, &whole) ||
	    __builtin_add_overflow(sum, whole, &sum))
		return UINT64_MAX;
	return sum;
}

static void fill(struct rate *rate, uint64_t now)
{
	uint64_t gained, room;

	if (now <= rate->filled_ns)
		return;
	gained = inflow(rate->limit.per_second, now - rate->filled_ns, &rate->fraction);
	rate->filled_ns = now;

	if (gained < rate->debt) {
		rate->debt -= gained;
		return;
	}
	gained -= rate->debt;
	rate->debt = 0;
	room = rate->limit.burst - rate->tokens;
	if (gained < room) {
		rate->tokens += gained;
		return;
	}
	rate->tokens = rate->limit.burst;
	rate->fraction = 0;
}

/* The time in which @missing tokens flow in: never too short, and too long by
 * a 2^-30th at most. */
static uint64_t time_for(const struct rate *rate, uint64_t missing)
{
	uint64_t per_second = rate->limit.per_second;
	uint64_t rest = missing % per_second, ns;

	if (__builtin_mul_overflow(missing / per_second, SECOND, &ns))
		return UINT64_MAX;
	while (rest >= UINT64_MAX / SECOND) {
		rest = rest / 2 + 1;
		per_second /= 2;
	}
	rest = rest * SECOND / per_second + 1;
	return __builtin_add_overflow(ns, rest, &ns) ? UINT64_MAX : ns;
}

void rate_init(struct rate *rate, struct policy_rate limit, uint64_t now)
{
	assert(limit.per_second && limit.burst);
	*rate = (struct rate){.limit = limit, .tokens = limit.burst, .filled_ns = now};
}

void rate_change(struct rate *rate, struct policy_rate limit, uint64_t now)
{
	assert(limit.per_second && limit.burst);
	fill(rate, now);
	rate->limit = limit;
	if (rate->tokens > limit.burst)
		rate->tokens = limit.burst;
}

void rate_begin(struct rate *rate, struct policy_rate limit, uint64_t now)
{
	if (limit.per_second)
		rate_init(rate, limit, now);
	else
		*rate = (struct rate){0};
}

void rate_become(struct rate *rate, struct policy_rate limit, uint64_t now)
{
	if (limit.per_second && rate->limit.per_second)
		rate_change(rate, limit, now);
	else
		rate_begin(rate, limit, now);
}

/* [impl->req~policy-rate-over-any-time~1] */
uint64_t rate_take(struct rate *rate, uint64_t units, uint64_t now)
{
	uint64_t need = units < rate->limit.burst ? units : rate->limit.burst, missing;

	if (!rate->limit.per_second)
		return 0;
	fill(rate, now);
	if (!rate->debt && rate->tokens >= need) {
		rate->tokens -= need;
		rate->debt = units - need;
		return 0;
	}
	if (!units)
		return 0;
	if (__builtin_add_overflow(rate->debt, need - rate->tokens, &missing))
		return UINT64_MAX;
	return time_for(rate, missing);
}
