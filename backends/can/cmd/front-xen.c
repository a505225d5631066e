/* SPDX-License-Identifier: MIT */
/* Xen's devices for user space, through its libraries: see front-xen.h. */
#include "backends/can/cmd/front-xen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <xenevtchn.h>
#include <xengnttab.h>

struct front_xen {
	xengntshr_handle *shares;
	xenevtchn_handle *events;
};

/* The libraries speak of what they cannot open, and not so that it helps. */
static int may_open(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int front_xen_open(struct front_xen **out, const char **node)
{
	static const char *const nodes[] = {"/dev/xen/gntalloc", "/dev/xen/evtchn"};
	struct front_xen *xen;
	int r;

	for (unsigned i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		*node = nodes[i];
		r = may_open(nodes[i]);
		if (r)
			return r;
	}
	*node = NULL;
	xen = calloc(1, sizeof(*xen));
	if (!xen)
		return -ENOMEM;
	xen->shares = xengntshr_open(NULL, 0);
	xen->events = xenevtchn_open(NULL, 0);
	if (xen->shares && xen->events) {
		*out = xen;
		return 0;
	}
	r = errno ? -errno : -EIO;
	front_xen_close(xen);
	return r;
}

void front_xen_close(struct front_xen *xen)
{
	if (xen->events)
		xenevtchn_close(xen->events);
	if (xen->shares)
		xengntshr_close(xen->shares);
	free(xen);
}

int front_xen_fd(const struct front_xen *xen)
{
	return xenevtchn_fd(xen->events);
}

int front_xen_grant(struct front_xen *xen, struct domid domain, uint32_t pages,
		    struct front_grant *out)
{
	struct front_grant grant = {.domain = domain, .pages = pages};
	int r;

	for (unsigned i = 0; i < 2; i++) {
		grant.page[i] = xengntshr_share_pages(xen->shares, domain.v, (int)pages,
						      grant.ref[i], 1);
		if (grant.page[i])
			continue;
		r = errno ? -errno : -EIO;
		front_xen_revoke(xen, &grant);
		return r;
	}
	*out = grant;
	return 0;
}

void front_xen_revoke(struct front_xen *xen, struct front_grant *grant)
{
	for (unsigned i = 0; i < 2; i++) {
		if (grant->page[i])
			xengntshr_unshare(xen->shares, grant->page[i], grant->pages);
	}
	*grant = (struct front_grant){.pages = 0};
}

int front_xen_bind(struct front_xen *xen, struct domid domain, struct evport *out)
{
	int port = xenevtchn_bind_unbound_port(xen->events, domain.v);

	if (port < 0)
		return errno ? -errno : -EIO;
	out->v = (uint32_t)port;
	return 0;
}

void front_xen_unbind(struct front_xen *xen, struct evport port)
{
	(void)xenevtchn_unbind(xen->events, port.v);
}

bool front_xen_event(struct front_xen *xen)
{
	int port = xenevtchn_pending(xen->events);

	if (port < 0)
		return errno == EAGAIN || errno == EINTR;
	/* Unbound meanwhile: there is nothing to unmask. */
	(void)xenevtchn_unmask(xen->events, (uint32_t)port);
	return true;
}

void front_xen_notify(struct front_xen *xen, struct evport port)
{
	/* It fails when the other end is gone, which xenstore tells. */
	(void)xenevtchn_notify(xen->events, port.v);
}
