/* SPDX-License-Identifier: MIT */
#include "policy/toll.h"

void toll_init(struct toll *toll, const struct policy *policy, uint64_t now)
{
	rate_init(&toll->operations, policy->operations, now);
	rate_init(&toll->bytes, policy->bytes, now);
}

void toll_receive(struct toll *toll, const struct policy_rate *receive, uint64_t now)
{
	rate_begin(&toll->operations, receive[POLICY_RECEIVE_OPERATIONS], now);
	rate_begin(&toll->bytes, receive[POLICY_RECEIVE_BYTES], now);
}

void toll_receive_change(struct toll *toll, const struct policy_rate *receive,
			 uint64_t now)
{
	rate_become(&toll->operations, receive[POLICY_RECEIVE_OPERATIONS], now);
	rate_become(&toll->bytes, receive[POLICY_RECEIVE_BYTES], now);
}

void toll_change(struct toll *toll, const struct policy *policy, uint64_t now)
{
	rate_change(&toll->operations, policy->operations, now);
	rate_change(&toll->bytes, policy->bytes, now);
}

/* [impl->req~operations-and-bytes-are-limited~1] */
bool toll_pay(struct toll *toll, struct toll_paid *paid, uint64_t bytes, uint64_t now,
	      uint64_t *due)
{
	uint64_t wait = 0, then;

	if (!paid->operation) {
		wait = rate_take(&toll->operations, 1, now);
		paid->operation = !wait;
	}
	if (!wait && bytes && !paid->bytes) {
		wait = rate_take(&toll->bytes, bytes, now);
		paid->bytes = !wait;
	}
	then = wait > UINT64_MAX - now ? UINT64_MAX : now + wait;
	if (wait && then < *due)
		*due = then;
	return !wait;
}
