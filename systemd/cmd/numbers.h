/* SPDX-License-Identifier: MIT */
/*
 * What a back end counts, read from its file: see backends/stats.h for its form.
 *
 * The file is a page of memory that a process writes which its client may have taken
 * over, in a directory of that process's user. Such a process can lie about its own
 * numbers, and that is all it can: the reader takes STATS_BYTES of a regular file that
 * no link leads to, into memory of its own, and what does not have the form is not
 * shown.
 *
 * Invariants:
 *  1. a name is 1 to NUMBERS_NAME - 1 of [a-z_], and there once; a number is none below
 * 0;
 *  2. a histogram has HISTOGRAM_BUCKETS buckets;
 *  3. text is plain ASCII.
 */
#ifndef XDD_NUMBERS_H
#define XDD_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/stats.h"

#define NUMBERS_NAME 32

struct number {
	char name[NUMBERS_NAME];
	uint64_t value;
};

struct latency {
	char name[NUMBERS_NAME]; /* without its "_us" */
	struct histogram histogram;
};

struct numbers {
	bool there;
	const char
		*why; /* it is not: what stands there is no file of numbers; or NULL */
	uint64_t seq, pid;
	char who[64], state[32];
	unsigned count, latencies;
	struct number number[STATS_FIELDS];
	struct latency latency[STATS_FIELDS];
};

/* One file's @len bytes. True, or false with why. */
bool numbers_parse(struct numbers *numbers, const char *text, size_t len);
/* Of the instance @name, whose name is good. What is written meanwhile is read again.
 */
void numbers_read(struct numbers *numbers, const char *name);
/* The one of that name, or NULL. */
const struct number *numbers_find(const struct numbers *numbers, const char *name);
/* True for what says how it is now, and does not only grow. */
bool number_is_gauge(const char *name);
/* The upper bound of bucket @i in microseconds; UINT64_MAX of the last. */
uint64_t latency_bound(unsigned i);
/* The least bound that @per_mille of @histogram's durations are below; 0: there are
 * none. */
uint64_t latency_quantile(const struct histogram *histogram, unsigned per_mille);

#endif
