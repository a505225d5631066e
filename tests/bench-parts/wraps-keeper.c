/* SPDX-License-Identifier: MIT */
/*
 * A keeper's kernel and its way to xenstored: see wraps.h and scene.h. For a copy as
 * many system calls as grant-mem/registrar-xen.c makes, one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "grant-mem/cmd/keeper.h"
#include "tests/bench-parts/scene.h"
#include "tests/bench-parts/wraps.h"

#define HYPERCALL_COPIES 16 /* GNTDEV_COPY_BATCH, drivers/xen/gntdev.c */

static unsigned freed[REGISTRAR_PAIRS], nfreed;

static int given(const char *name)
{
	const char *number = getenv(name);

	return number ? atoi(number) : -1;
}

int __wrap_xs_open(void);
int __real_calls_handle(struct keeper *k, size_t len);
int __wrap_calls_handle(struct keeper *k, size_t len);

int __wrap_calls_handle(struct keeper *k, size_t len)
{
	wraps_counts->calls++;
	return __real_calls_handle(k, len);
}

int __wrap_xs_open(void)
{
	int fd = fcntl(given(SCENE_ENV_STORE), F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

int registrar_open(struct registrar *r)
{
	const char *path = getenv(SCENE_ENV_MEMORY);

	if (r->releases < 0)
		r->releases = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
	r->rw = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	r->ro = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	return r->rw < 0 || r->ro < 0 || r->releases < 0 ? -errno : 0;
}

int registrar_add(struct registrar *r, struct domid client, const struct gref *refs,
		  uint32_t n, bool writable, uint64_t *index)
{
	(void)r, (void)client, (void)writable;
	if (refs[0].v + n > SCENE_FIRST_REF + SCENE_PAGES || gref_run(refs, n) != n)
		return -EINVAL;
	*index = (uint64_t)(refs[0].v - SCENE_FIRST_REF) * XEN_PAGE_BYTES;
	return 0;
}

int registrar_drop(struct registrar *r, bool writable, uint64_t index, uint32_t n,
		   unsigned pair)
{
	(void)writable, (void)index, (void)n;
	freed[nfreed++] = pair;
	return eventfd_write(r->releases, 1) ? -errno : 0;
}

int registrar_dropped(struct registrar *r)
{
	eventfd_t one;

	if (!nfreed || eventfd_read(r->releases, &one))
		return -EAGAIN;
	return (int)freed[--nfreed];
}

int registrar_copy(struct registrar *r, struct domid client,
		   const struct wire_seg *segs, uint32_t n, uint8_t *area,
		   int8_t *status)
{
	static uint8_t *pages;

	(void)client;
	if (!pages)
		pages = mmap(NULL, SCENE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			     r->rw, 0);
	if (pages == MAP_FAILED)
		return -errno;
	ioctl(r->rw, 0, NULL);
	wraps_counts->copies++;
	wraps_counts->segments += n;
	wraps_counts->hypercalls += (n + HYPERCALL_COPIES - 1) / HYPERCALL_COPIES;
	for (const struct wire_seg *s = segs; s < segs + n; s++) {
		size_t at = (size_t)(s->ref - SCENE_FIRST_REF) * XEN_PAGE_BYTES;
		bool there = s->ref - SCENE_FIRST_REF < SCENE_PAGES;

		*status++ = there ? WIRE_OK : WIRE_BAD;
		if (there && s->to_client)
			memcpy(pages + at + s->offset, area + s->local, s->len);
		else if (there)
			memcpy(area + s->local, pages + at + s->offset, s->len);
	}
	return 0;
}

/* As the client calls it. */
int registrar_bind(struct registrar *r, struct domid client, struct evport remote)
{
	(void)client;
	if (r->events < 0)
		r->events = fcntl(given(SCENE_ENV_EVENTS), F_DUPFD_CLOEXEC, 0);
	return r->events < 0 ? -errno : (int)remote.v;
}

void registrar_unmask(struct registrar *r, struct evport local)
{
	(void)!write(r->events, &local.v, sizeof(local.v));
}

int registrar_unbind(struct registrar *r, struct evport local)
{
	(void)r, (void)local;
	return 0;
}
