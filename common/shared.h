/* SPDX-License-Identifier: MIT */
/*
 * The only way in which xdd reads or writes memory that another party can
 * write at the same time: ring pages, granted pages, the copy area.
 *
 * Not a lock and not a check: what comes back is a private copy of bytes that
 * may be hostile. Invariants of its users:
 *  1. each shared byte that decides anything is read once, by a call here;
 *  2. what is checked and what is used is that copy, never the shared byte;
 *  3. an index is published after what it publishes (release), and read
 *     before what it covers (acquire).
 *
 * Loads and stores are single accesses of naturally aligned words; copies
 * read each source byte once, in no promised order.
 */
#ifndef XDD_SHARED_H
#define XDD_SHARED_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shared-hook.h"

static inline uint16_t shared_load16(const volatile void *p)
{
	uint16_t v;

	shared_hook_read(p, 2);
	v = __atomic_load_n((const volatile uint16_t *)p, __ATOMIC_RELAXED);
	shared_hook_done(p, 2);
	return v;
}

static inline uint32_t shared_load32(const volatile void *p)
{
	uint32_t v;

	shared_hook_read(p, 4);
	v = __atomic_load_n((const volatile uint32_t *)p, __ATOMIC_RELAXED);
	shared_hook_done(p, 4);
	return v;
}

/* Load an index before what it covers; pairs with the peer's release. */
static inline uint16_t shared_load16_acquire(const volatile void *p)
{
	uint16_t v;

	shared_hook_read(p, 2);
	v = __atomic_load_n((const volatile uint16_t *)p, __ATOMIC_ACQUIRE);
	shared_hook_done(p, 2);
	return v;
}

static inline uint32_t shared_load32_acquire(const volatile void *p)
{
	uint32_t v;

	shared_hook_read(p, 4);
	v = __atomic_load_n((const volatile uint32_t *)p, __ATOMIC_ACQUIRE);
	shared_hook_done(p, 4);
	return v;
}

static inline void shared_store16(volatile void *p, uint16_t v)
{
	shared_hook_write(p, &v, 2);
	__atomic_store_n((volatile uint16_t *)p, v, __ATOMIC_RELAXED);
}

static inline void shared_store32(volatile void *p, uint32_t v)
{
	shared_hook_write(p, &v, 4);
	__atomic_store_n((volatile uint32_t *)p, v, __ATOMIC_RELAXED);
}

/* Store an index after what it publishes; pairs with the peer's acquire. */
static inline void shared_store16_release(volatile void *p, uint16_t v)
{
	shared_hook_write(p, &v, 2);
	__atomic_store_n((volatile uint16_t *)p, v, __ATOMIC_RELEASE);
}

static inline void shared_store32_release(volatile void *p, uint32_t v)
{
	shared_hook_write(p, &v, 4);
	__atomic_store_n((volatile uint32_t *)p, v, __ATOMIC_RELEASE);
}

/* Stores before it become visible before loads after it: "arm the wake-up,
 * then look again" needs exactly this and nothing weaker. */
static inline void shared_full_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Out of shared memory: @dst is private, @src may change while it is read.
 * [impl->req~shared-bytes-are-read-once~1] */
static inline void shared_copy_in(void *dst, const volatile void *src, size_t len)
{
	shared_hook_read(src, len);
	memcpy(dst, (const void *)(uintptr_t)src, len);
	/* The compiler may not read @src again in place of @dst. */
	__asm__ volatile("" : : "r"(dst), "r"(src) : "memory");
	shared_hook_done(src, len);
}

/* Into shared memory. */
static inline void shared_copy_out(volatile void *dst, const void *src, size_t len)
{
	shared_hook_write(dst, src, len);
	/* What was stored with release before stays before: plain stores follow. */
	__asm__ volatile("" : : : "memory");
	memcpy((void *)(uintptr_t)dst, src, len);
	__asm__ volatile("" : : "r"(dst), "r"(src) : "memory");
}

#endif
