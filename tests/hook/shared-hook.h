/* SPDX-License-Identifier: MIT */
/*
 * A test build's view of each read of shared memory: it is counted, and a
 * test may act just before it, for instance rewrite what it will see, and just
 * after it, so that a second look would see other bytes. Of each write a test may
 * learn before it is done.
 *
 * Stands first in the include path where common/hook/ stands otherwise.
 */
#ifndef XDD_SHARED_HOOK_H
#define XDD_SHARED_HOOK_H

#include <stddef.h>
#include <stdint.h>

/* Reads since the test last set it to 0. */
extern uint64_t shared_hook_reads;
/* Called with the number of the read (from 0), or NULL. */
extern void (*shared_hook)(uint64_t k, const volatile void *p, size_t len);
/* The same, when the bytes are in private hands. */
extern void (*shared_hook_after)(uint64_t k, const volatile void *p, size_t len);
/* Called before @len bytes of @src are written to @p, or NULL. */
extern void (*shared_hook_before_write)(const volatile void *p, const void *src,
					size_t len);

static inline void shared_hook_read(const volatile void *p, size_t len)
{
	if (shared_hook)
		shared_hook(shared_hook_reads, p, len);
	shared_hook_reads++;
}

static inline void shared_hook_done(const volatile void *p, size_t len)
{
	if (shared_hook_after)
		shared_hook_after(shared_hook_reads - 1, p, len);
}

static inline void shared_hook_write(const volatile void *p, const void *src,
				     size_t len)
{
	if (shared_hook_before_write)
		shared_hook_before_write(p, src, len);
}

#endif
