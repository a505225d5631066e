/* SPDX-License-Identifier: MIT */
/*
 * What the two processes of a scene have had until now: of two looks the difference
 * counts. Nothing here stops them, or is felt by them.
 */
#ifndef XDD_BENCH_COUNTERS_H
#define XDD_BENCH_COUNTERS_H

#include <stdint.h>

#include "tests/bench-parts/scene.h"

struct counters {
	uint64_t calls[2]; /* system calls: of the back end, of its keeper */
	uint64_t sleeps;   /* of the back end: times that it waited */
	struct scene_counts counts;
	uint64_t now, cpu; /* ns; cpu: of the back end */
};

/* Of calls_open() for back end and keeper; a negative one counts nothing. */
void counters_take(struct counters *c, const struct scene *s, const int counter[2]);

#endif
