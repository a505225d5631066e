/* SPDX-License-Identifier: MIT */
/* A kernel and a systemd that say yes to all a keeper asks. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "tests/hostile/herd.h"

int registrar_open(struct registrar *r)
{
	r->rw = open("/dev/null", O_RDWR | O_CLOEXEC);
	r->ro = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return 0;
}

int registrar_add(struct registrar *r, struct domid client, const struct gref *refs,
		  uint32_t n, bool writable, uint64_t *index)
{
	(void)r, (void)client, (void)writable;
	herd.registered++;
	herd.last_ref = refs[n - 1].v;
	*index = 0;
	return 0;
}

int registrar_drop(struct registrar *r, bool writable, uint64_t index, uint32_t n,
		   unsigned pair)
{
	(void)writable, (void)index, (void)n;
	r->pair[pair].listens = 1; /* signalled */
	return 0;
}

int registrar_dropped(struct registrar *r)
{
	for (int i = 0; i < REGISTRAR_PAIRS; i++) {
		if (r->pair[i].listens) {
			r->pair[i].listens = 0;
			return i;
		}
	}
	return -EAGAIN;
}

int registrar_copy(struct registrar *r, struct domid client,
		   const struct wire_seg *segs, uint32_t n, uint8_t *area,
		   int8_t *status)
{
	(void)r, (void)client, (void)segs, (void)area;
	memset(status, 0, n);
	return 0;
}

int registrar_bind(struct registrar *r, struct domid client, struct evport remote)
{
	(void)client;
	if (r->events < 0)
		r->events = open("/dev/null", O_RDWR | O_CLOEXEC);
	herd.last_port = remote.v;
	return 7;
}

void registrar_unmask(struct registrar *r, struct evport local)
{
	(void)r, (void)local;
}

int registrar_unbind(struct registrar *r, struct evport local)
{
	(void)r, (void)local;
	return 0;
}

void keeper_status(struct keeper *k)
{
	(void)k;
}

void keeper_store(const char *name, unsigned number, int fd)
{
	(void)name, (void)number, (void)fd;
}
