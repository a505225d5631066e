/* SPDX-License-Identifier: MIT */
/*
 * Monotonic time in nanoseconds. Modules that decide by time take a "now"
 * from their caller instead, so that tests can run them in virtual time.
 */
#ifndef XDD_CLOCK_H
#define XDD_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND 1000000000ULL
#define CLOCK_MS     1000000ULL

static inline uint64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_SECOND + (uint64_t)ts.tv_nsec;
}

#endif
