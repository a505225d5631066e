/* SPDX-License-Identifier: MIT */
/*
 * What a product build does before and after each read of shared memory, and before
 * each write: nothing.
 *
 * A test build puts tests/hook/ before this folder in its include path; its
 * shared-hook.h counts the reads and may rewrite what the k-th one will see, or
 * what a second look would; and it sees each write come.
 */
#ifndef XDD_SHARED_HOOK_H
#define XDD_SHARED_HOOK_H

#include <stddef.h>

static inline void shared_hook_read(const volatile void *p, size_t len)
{
	(void)p;
	(void)len;
}

static inline void shared_hook_done(const volatile void *p, size_t len)
{
	(void)p;
	(void)len;
}

static inline void shared_hook_write(const volatile void *p, const void *src,
				     size_t len)
{
	(void)p;
	(void)src;
	(void)len;
}

#endif
