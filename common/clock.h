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

static inline uint64_t clock_read(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * CLOCK_SECOND + (uint64_t)ts.tv_nsec;
}

static inline uint64_t clock_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

/* As it was at the kernel's last tick, some ms ago: for what counts in seconds. The
 * vDSO has it even where Xen keeps the time (x86 PV), and clock_now() is a system call.
 */
static inline uint64_t clock_about(void)
{
	return clock_read(CLOCK_MONOTONIC_COARSE);
}

#endif
