/* SPDX-License-Identifier: MIT */
#include "tests/bench-parts/wraps.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/bench-parts/scene.h"

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);

static struct scene_counts nowhere;
struct scene_counts *wraps_counts = &nowhere;

static void __attribute__((constructor)) wraps_init(void)
{
	const char *path = getenv(SCENE_ENV_COUNT);
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *page;

	if (fd < 0)
		return;
	page = mmap(NULL, XEN_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED)
		wraps_counts = page;
	close(fd);
}

/* Two processes count here. */
static void allocated(void)
{
	__atomic_fetch_add(&wraps_counts->allocations, 1, __ATOMIC_RELAXED);
}

void *__wrap_malloc(size_t size)
{
	allocated();
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	allocated();
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	allocated();
	return __real_realloc(p, size);
}
