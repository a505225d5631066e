/* SPDX-License-Identifier: MIT */
/*
 * Durations in powers of two: what a data path can afford to keep of each.
 *
 * Bucket 0 counts what took less than a microsecond, bucket i what took from
 * 2^(i-1) to less than 2^i microseconds, the last all that took longer. It only
 * grows; who wants a rate takes the difference of two looks.
 */
#ifndef XDD_HISTOGRAM_H
#define XDD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 27 /* the last from 33 s on */

struct histogram {
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

static inline void histogram_add(struct histogram *h, uint64_t ns)
{
	uint64_t us = ns / 1000;
	unsigned i = us ? 64u - (unsigned)__builtin_clzll(us) : 0;

	h->bucket[i < HISTOGRAM_BUCKETS ? i : HISTOGRAM_BUCKETS - 1]++;
}

#endif
