/* SPDX-License-Identifier: MIT */
/*
 * In place of the C library's: what a whole program allocates and frees, counted, and
 * failing on demand. Its program is linked with memory_wraps.
 */
#ifndef XDD_TEST_MEMORY_H
#define XDD_TEST_MEMORY_H

#include <stdbool.h>

struct memory {
	bool counts; /* or lets all pass */
	unsigned calls;
	unsigned fail_at; /* 1: the next; 0: none */
};

extern struct memory memory;

#endif
