/* SPDX-License-Identifier: MIT */
/*
 * What a request costs its client: one operation, and its bytes, by the rates of
 * [Limits]. For any class and door.
 *
 * Not a queue: who cannot pay yet waits, in order, at its door.
 */
#ifndef XDD_TOLL_H
#define XDD_TOLL_H

#include "policy/rate.h"

struct toll {
	struct rate operations, bytes;
};

/* What of it one request has paid; begins as zeros. */
struct toll_paid {
	bool operation, bytes;
};

void toll_init(struct toll *toll, const struct policy *policy, uint64_t now);
/* The policy's rates changed. */
void toll_change(struct toll *toll, const struct policy *policy, uint64_t now);
/* The same by policy.receive, of what others have for the client. */
void toll_receive(struct toll *toll, const struct policy_rate *receive, uint64_t now);
void toll_receive_change(struct toll *toll, const struct policy_rate *receive,
			 uint64_t now);
/* True if all is paid, @bytes of data (or 0) with it. Else *@due, a time, is lowered to
 * when it is worth asking again. */
bool toll_pay(struct toll *toll, struct toll_paid *paid, uint64_t bytes, uint64_t now,
	      uint64_t *due);

#endif
