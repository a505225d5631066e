/* SPDX-License-Identifier: MIT */
#include "tests/hostile/memory.h"

#include <stddef.h>

struct memory memory;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

static bool memory_fails(void)
{
	if (!memory.counts)
		return false;
	memory.calls++;
	return memory.fail_at && !--memory.fail_at;
}

void *__wrap_malloc(size_t n)
{
	return memory_fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return memory_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return memory_fails() ? NULL : __real_realloc(p, n);
}

void __wrap_free(void *p)
{
	memory.calls += memory.counts && p;
	__real_free(p);
}
