/* SPDX-License-Identifier: MIT */
/* How many descriptors this process has: a test compares. Under cmocka. */
#ifndef XDD_TEST_DESCRIPTORS_H
#define XDD_TEST_DESCRIPTORS_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static inline unsigned descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

#endif
