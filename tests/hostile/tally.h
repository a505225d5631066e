/* SPDX-License-Identifier: MIT */
/*
 * How much was tried: one more line for tests/count.py. A test is named after its case,
 * t_ring_1_... for T-RING-1; count.py adds the cases up from these names and from what
 * tally() says.
 */
#ifndef XDD_TEST_TALLY_H
#define XDD_TEST_TALLY_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

/* "@n @what" were tried for case @name. */
static inline void tally(const char *name, uint64_t n, const char *what)
{
	printf("tally: %s %" PRIu64 " %s\n", name, n, what);
	fflush(stdout);
}

#endif
