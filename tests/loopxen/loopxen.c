/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/loopxen/loopxen-world.h"

void world_wrong(const char *fmt, ...)
{
	va_list ap;

	fputs("loopxen: our side did wrong: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

void world_leak(struct loopxen *x, const char *fmt, ...)
{
	va_list ap;

	x->leaks++;
	fputs("loopxen: leaked: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

struct loopxen *loopxen_new(void)
{
	struct loopxen *x = calloc(1, sizeof(*x));

	assert(x);
	x->now = 1000000000;
	loopxen_domain(x, (struct domid){0});
	return x;
}

unsigned loopxen_free(struct loopxen *x)
{
	unsigned leaks;

	while (x->backs)
		loopxen_back_free(&x->backs->seam);
	for (unsigned i = 0; i < LOOPXEN_DOMAINS; i++) {
		struct world_domain *d = &x->domain[i];

		if (!d->exists)
			continue;
		munmap(d->pages, (size_t)LOOPXEN_PAGES * XEN_PAGE_BYTES);
		close(d->pages_fd);
	}
	leaks = x->leaks;
	free(x);
	return leaks;
}

uint64_t loopxen_now(const struct loopxen *x)
{
	return x->now;
}

void loopxen_advance(struct loopxen *x, uint64_t ns)
{
	x->now += ns;
}

struct world_domain *world_domain(struct loopxen *x, struct domid dom)
{
	for (unsigned i = 0; i < LOOPXEN_DOMAINS; i++) {
		if (x->domain[i].exists && x->domain[i].id.v == dom.v)
			return &x->domain[i];
	}
	world_wrong("no domain %u", dom.v);
}

void loopxen_domain(struct loopxen *x, struct domid dom)
{
	size_t bytes = (size_t)LOOPXEN_PAGES * XEN_PAGE_BYTES;

	for (unsigned i = 0; i < LOOPXEN_DOMAINS; i++) {
		struct world_domain *d = &x->domain[i];

		if (d->exists)
			continue;
		d->exists = d->alive = true;
		d->id = dom;
		d->next_ref = 8;
		d->pages_fd = memfd_create("loopxen-domain", MFD_CLOEXEC);
		assert(d->pages_fd >= 0 && !ftruncate(d->pages_fd, (off_t)bytes));
		d->pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
				d->pages_fd, 0);
		assert(d->pages != MAP_FAILED);
		return;
	}
	world_wrong("too many domains");
}

void loopxen_destroy(struct loopxen *x, struct domid dom)
{
	struct world_domain *d = world_domain(x, dom);
	char path[WORLD_PATH];

	d->alive = false;
	for (uint32_t i = 0; i < LOOPXEN_PORTS; i++)
		world_close_port(x, d, i);
	snprintf(path, sizeof(path), "/local/domain/%u", dom.v);
	loopxen_rm(x, (struct domid){0}, path);
}

/* -- Faults ----------------------------------------------------------------- */

void loopxen_fail(struct loopxen *x, enum loopxen_verb verb, unsigned n, int result)
{
	x->fault[verb] = (struct world_fault){true, n, result};
}

bool loopxen_fail_left(struct loopxen *x, enum loopxen_verb verb)
{
	bool left = x->fault[verb].set;

	x->fault[verb].set = false;
	return left;
}

uint64_t loopxen_calls(const struct loopxen *x, enum loopxen_verb verb)
{
	return x->calls[verb];
}

bool world_fails(struct loopxen *x, enum loopxen_verb verb, int *result)
{
	struct world_fault *fault = &x->fault[verb];

	x->calls[verb]++;
	if (!fault->set || fault->n-- > 0)
		return false;
	fault->set = false;
	*result = fault->result;
	return true;
}

/* -- A back-end process ------------------------------------------------------ */

static void back_copy_area(struct world_back *back)
{
	size_t bytes = (size_t)back->policy->data_pages * XEN_PAGE_BYTES;
	struct grants *g = &back->seam.grants;

	back->copy_fd = -1;
	if (back->policy->mode != POLICY_COPY && back->policy->mode != POLICY_GRANT)
		return;
	back->copy_fd = memfd_create("loopxen-copy", MFD_CLOEXEC);
	assert(back->copy_fd >= 0 && !ftruncate(back->copy_fd, (off_t)bytes));
	g->copy_area =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, back->copy_fd, 0);
	assert(g->copy_area != MAP_FAILED);
	g->copy_bytes = bytes;
}

struct loopxen_back *loopxen_back_new(struct loopxen *x, const struct policy *policy,
				      const struct loopxen_device *dev)
{
	/* Each registration has a page at least. */
	uint32_t maps = policy->data_pages + policy->ring_pages;
	struct world_back *back =
		calloc(1, sizeof(*back) + maps * sizeof(back->map[0]));

	assert(back);
	back->maps = maps;
	back->seam.grants.ops = &world_grants_ops;
	back->seam.evtchn.ops = &world_evtchn_ops;
	back->seam.evtchn.fd = -1;
	back->seam.store.ops = &world_store_ops;
	back->seam.store.fd = -1;
	back->x = x;
	back->policy = policy;
	back->class = class_info(policy->class, policy->door);
	back->dev = dev;
	back->next = x->backs;
	x->backs = back;
	back_copy_area(back);
	return &back->seam;
}

static void back_end(struct world_back *back, bool leak)
{
	struct world_back **link = &back->x->backs;
	struct grants *g = &back->seam.grants;

	world_drop_maps(back, leak);
	world_drop_ports(back, leak);
	if (back->usage.data_pages || back->usage.ring_pages || back->usage.binds)
		world_wrong("charged but not refunded: %u data, %u ring, %u binds",
			    back->usage.data_pages, back->usage.ring_pages,
			    back->usage.binds);
	if (g->copy_area) {
		munmap(g->copy_area, g->copy_bytes);
		close(back->copy_fd);
	}
	while (*link != back)
		link = &(*link)->next;
	*link = back->next;
	free(back);
}

void loopxen_back_free(struct loopxen_back *seam)
{
	back_end((struct world_back *)seam, true);
}

void loopxen_back_kill(struct loopxen_back *seam)
{
	back_end((struct world_back *)seam, false);
}

void loopxen_back_release(struct loopxen_back *seam)
{
	((struct world_back *)seam)->release = true;
}

uint32_t loopxen_back_pages(const struct loopxen_back *seam)
{
	return ((const struct world_back *)seam)->usage.data_pages;
}

uint32_t loopxen_back_holds(const struct loopxen_back *seam)
{
	const struct policy_usage *usage = &((const struct world_back *)seam)->usage;

	return usage->data_pages + usage->ring_pages + usage->binds;
}
