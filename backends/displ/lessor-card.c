/* SPDX-License-Identifier: MIT */
/* The card, who gets what of it, and leases: see lessor.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <xf86drmMode.h>

#include "backends/displ/displ-drm.h"
#include "backends/displ/displ-parts.h"
#include "backends/displ/lessor.h"

/* -- Who gets what --------------------------------------------------------- */

/* @parts has the heads of those that come before. */
static bool is_free(const struct displ_parts *parts, struct lessor_instance *in)
{
	for (uint32_t i = 0; i < in->policy.heads; i++) {
		for (uint32_t k = 0; k < parts->route.heads; k++) {
			if (strcmp(parts->head[k].name, in->policy.head[i].name))
				continue;
			log_line(&in->log, LOG_LEVEL_ERROR,
				 "Connector%u is %s, which another instance of this "
				 "card has (xdd-policy check names it); it is lent "
				 "nothing",
				 i, in->policy.head[i].name);
			return false;
		}
	}
	return true;
}

static bool is_found(struct displ_parts *parts)
{
	return displ_parts_connectors(parts) && !displ_parts_planes(parts) &&
	       displ_route_find(&parts->route);
}

/* Those before it keep what they need, if not which. */
static bool admit(struct displ_parts *parts, struct lessor_instance *in)
{
	uint32_t before = parts->route.heads;

	parts->log = &in->log;
	if (before + in->policy.heads > DISPL_ROUTE_HEADS_MAX) {
		log_line(&in->log, LOG_LEVEL_ERROR,
			 "%s has %d connectors lent at most; it is lent nothing",
			 parts->path, DISPL_ROUTE_HEADS_MAX);
		return false;
	}
	if (!is_free(parts, in))
		return false;
	for (uint32_t i = 0; i < in->policy.heads; i++)
		displ_parts_add(parts, in->policy.head[i].name,
				displ_drm_fourcc(&in->policy));
	if (is_found(parts))
		return true;
	log_line(&in->log, LOG_LEVEL_ERROR,
		 "%s has not got its connectors, each with a CRTC and a primary plane "
		 "of %s, beside what others have; it is lent nothing",
		 parts->path, in->policy.alpha ? "ARGB8888 (Alpha = yes)" : "XRGB8888");
	parts->route.heads = before;
	return false;
}

/* Heads @first and on are its. [impl->req~nothing-is-lent-twice~1] */
static void assign(const struct displ_parts *parts, uint32_t first,
		   struct lessor_instance *in)
{
	for (uint32_t i = 0; i < in->policy.heads; i++) {
		const uint32_t head = first + i;

		in->object[in->objects++] = parts->head[head].connector;
		in->object[in->objects++] = parts->res->crtcs[parts->route.crtc[head]];
		in->object[in->objects++] = parts->plane[parts->route.of[head]];
	}
}

static int settle(struct lessor *l, struct displ_parts *parts)
{
	bool in[LESSOR_INSTANCES_MAX] = {false};
	uint32_t head = 0;
	int r = 0;

	for (unsigned i = 0; i < l->instances; i++)
		in[i] = l->instance[i].policy.heads && admit(parts, &l->instance[i]);
	/* Whoever was not admitted left its marks. */
	if (parts->route.heads && !is_found(parts))
		return displ_parts_failed();
	for (unsigned i = 0; i < l->instances; i++) {
		if (!in[i])
			continue;
		assign(parts, head, &l->instance[i]);
		head += l->instance[i].policy.heads;
	}
	for (uint32_t i = 0; !r && i < head; i++)
		r = displ_parts_free_crtc(parts, i);
	return r;
}

int lessor_open(struct lessor *l)
{
	struct displ_parts parts;
	int r;

	l->fd = displ_drm_open(l->card, &l->log);
	if (l->fd < 0) {
		log_line(&l->log, LOG_LEVEL_ERROR,
			 "%s: %s (its module must be loaded first; daemon-reload, so "
			 "that the generator lets this see it)",
			 l->card, strerror(-l->fd));
		return l->fd;
	}
	r = displ_parts_open(&parts, l->fd, l->card, &l->log);
	if (!r) {
		r = settle(l, &parts);
		displ_parts_close(&parts);
	}
	if (r)
		log_line(&l->log, LOG_LEVEL_ERROR, "%s: %s (see dmesg)", l->card,
			 strerror(-r));
	return r;
}

/* -- Leases ---------------------------------------------------------------- */

/* The kernel gives the number of one that is gone to the next: who had it, is gone. */
static void forget(struct lessor *l, uint32_t lessee)
{
	for (unsigned i = 0; i < l->instances; i++) {
		if (l->instance[i].lessee == lessee)
			l->instance[i].lessee = 0;
	}
}

void lessor_revoke(struct lessor *l, struct lessor_instance *in)
{
	if (in->lessee)
		drmModeRevokeLease(l->fd, in->lessee);
	in->lessee = 0;
}

/* [impl->req~nothing-is-lent-twice~1] */
int lessor_lend(struct lessor *l, struct lessor_instance *in)
{
	uint32_t lessee = 0;
	int fd;

	lessor_revoke(l, in);
	fd = drmModeCreateLease(l->fd, in->object, (int)in->objects,
				O_CLOEXEC | O_NONBLOCK, &lessee);
	if (fd < 0)
		return fd;
	forget(l, lessee);
	in->lessee = lessee;
	return fd;
}

void lessor_init(struct lessor *l, const char *card, const char *owners)
{
	*l = (struct lessor){.card = card, .owners = owners, .fd = -1};
	log_init(&l->log, "xdd-lease");
}

void lessor_fini(struct lessor *l)
{
	for (unsigned i = 0; i < l->instances; i++) {
		struct lessor_instance *in = &l->instance[i];

		if (in->listener >= 0)
			close(in->listener);
		if (in->peer >= 0)
			close(in->peer);
	}
	if (l->fd >= 0)
		close(l->fd);
}
