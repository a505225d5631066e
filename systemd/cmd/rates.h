/* SPDX-License-Identifier: MIT */
/*
 * What one back end does, from two looks at its numbers. Pure.
 *
 * Its numbers may be lies, and then so is this; nothing else follows from it.
 */
#ifndef XDD_RATES_H
#define XDD_RATES_H

#include "systemd/cmd/numbers.h"

struct rates {
	bool known;	     /* there were two looks at one process */
	uint64_t operations; /* a second: requests, packets and frames */
	uint64_t bytes;	     /* a second, both ways */
	uint64_t errors;     /* since the look before: answered with one, or refused */
	uint64_t busy;	     /* now */
	uint64_t half,
		most; /* of the operations took less, and 99 of 100: us; 0: none */
};

/* @ns: between the two. */
void rates_between(const struct numbers *before, const struct numbers *now, uint64_t ns,
		   struct rates *out);
/* "12.3k", in at most 7 characters. */
const char *rates_short(uint64_t n, char out[8]);
/* A latency's bound, "<64us" or "-". */
const char *rates_latency(uint64_t us, char out[12]);

#endif
