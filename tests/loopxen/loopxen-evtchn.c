/* SPDX-License-Identifier: MIT */
/* Event channels between domains, and the evtchn verbs of a back end. */
#include <stdio.h>
#include <string.h>

#include "tests/loopxen/loopxen-world.h"

static struct world_port *port_of(struct loopxen *x, struct domid dom,
				  struct evport port)
{
	struct world_domain *d = world_domain(x, dom);

	return port.v && port.v < LOOPXEN_PORTS ? &d->port[port.v] : NULL;
}

static uint32_t port_free(struct world_domain *d)
{
	for (uint32_t i = 1; i < LOOPXEN_PORTS; i++) {
		if (d->port[i].state == PORT_FREE)
			return i;
	}
	world_wrong("domain %u has no more ports", d->id.v);
}

struct evport loopxen_port(struct loopxen *x, struct domid dom, struct domid remote)
{
	struct world_domain *d = world_domain(x, dom);
	uint32_t i = port_free(d);

	d->port[i] = (struct world_port){.state = PORT_UNBOUND, .remote = remote};
	return (struct evport){i};
}

void world_close_port(struct loopxen *x, struct world_domain *d, uint32_t i)
{
	struct world_port *port = &d->port[i], *peer;

	if (port->state == PORT_BOUND) {
		peer = port_of(x, port->remote, (struct evport){port->remote_port});
		/* As Xen: the other end waits for a new peer. */
		peer->state = PORT_UNBOUND;
	}
	*port = (struct world_port){0};
}

void loopxen_close(struct loopxen *x, struct domid dom, struct evport port)
{
	world_close_port(x, world_domain(x, dom), port.v);
}

static void port_send(struct loopxen *x, struct world_port *port)
{
	struct world_port *peer;

	if (port->state != PORT_BOUND)
		return; /* to nobody, as Xen */
	peer = port_of(x, port->remote, (struct evport){port->remote_port});
	peer->pending = true; /* coalesces */
}

void loopxen_notify(struct loopxen *x, struct domid dom, struct evport port)
{
	port_send(x, port_of(x, dom, port));
}

bool loopxen_fired(struct loopxen *x, struct domid dom, struct evport port)
{
	struct world_port *p = port_of(x, dom, port);
	bool fired = p->pending;

	p->pending = false;
	return fired;
}

/* -- The verbs -------------------------------------------------------------- */

static struct world_back *back_of(struct evtchn *e)
{
	return (struct world_back *)((char *)e - offsetof(struct loopxen_back, evtchn));
}

static int back_slot(const struct world_back *back, uint32_t port)
{
	for (int i = 0; i < LOOPXEN_PORTS; i++) {
		if (back->bound[i].used && back->bound[i].port == port)
			return i;
	}
	return -1;
}

static struct world_port *back_port(struct world_back *back, struct evport port)
{
	if (back_slot(back, port.v) < 0)
		world_wrong("port %u is not bound", port.v);
	return port_of(back->x, back->dev->back, port);
}

static int back_new_port(struct world_back *back, const char *key, struct evport theirs,
			 struct evport *out)
{
	struct world_domain *d = world_domain(back->x, back->dev->back);
	struct world_port *peer = port_of(back->x, back->dev->front, theirs);
	uint32_t i, slot = 0;

	if (!peer || peer->state != PORT_UNBOUND || peer->remote.v != d->id.v)
		return EVTCHN_BAD;
	while (back->bound[slot].used)
		slot++;
	i = port_free(d);
	/* Xen makes a freshly bound port pending. */
	d->port[i] = (struct world_port){
		.state = PORT_BOUND,
		.remote = back->dev->front,
		.remote_port = theirs.v,
		.pending = true,
	};
	peer->state = PORT_BOUND;
	peer->remote_port = i;
	back->bound[slot].used = true;
	back->bound[slot].port = i;
	snprintf(back->bound[slot].key, sizeof(back->bound[slot].key), "%s", key);
	back->usage.binds++;
	*out = (struct evport){i};
	return EVTCHN_OK;
}

static int back_bind(struct evtchn *e, const char *key, struct evport *out)
{
	struct world_back *back = back_of(e);
	uint64_t theirs;
	int r;

	if (world_fails(back->x, LOOPXEN_BIND, &r))
		return r;
	if (!class_key_matches(back->class->event_keys, key))
		return EVTCHN_REFUSED;
	for (int i = 0; i < LOOPXEN_PORTS; i++) {
		if (!back->bound[i].used || strcmp(back->bound[i].key, key))
			continue;
		*out = (struct evport){back->bound[i].port};
		return EVTCHN_OK;
	}
	if (!policy_may_bind(back->policy, &back->usage).allowed)
		return EVTCHN_REFUSED;
	if (!world_front_number(back, key, UINT32_MAX, &theirs))
		return EVTCHN_ABSENT;
	return back_new_port(back, key, (struct evport){(uint32_t)theirs}, out);
}

static void back_let_go(struct world_back *back, int slot)
{
	struct world_domain *d = world_domain(back->x, back->dev->back);

	world_close_port(back->x, d, back->bound[slot].port);
	back->bound[slot].used = false;
	back->usage.binds--;
}

void world_drop_ports(struct world_back *back, bool leak)
{
	for (int i = 0; i < LOOPXEN_PORTS; i++) {
		if (!back->bound[i].used)
			continue;
		if (leak)
			world_leak(back->x, "port of %s", back->bound[i].key);
		back_let_go(back, i);
	}
}

static int back_unbind(struct evtchn *e, struct evport port)
{
	struct world_back *back = back_of(e);
	int r = EVTCHN_OK;

	back_port(back, port);
	back_let_go(back, back_slot(back, port.v));
	world_fails(back->x, LOOPXEN_UNBIND, &r);
	return r;
}

static int back_notify(struct evtchn *e, struct evport port)
{
	struct world_back *back = back_of(e);
	struct world_port *p = back_port(back, port);
	int r;

	if (world_fails(back->x, LOOPXEN_NOTIFY, &r))
		return r;
	port_send(back->x, p);
	return EVTCHN_OK;
}

static int back_unmask(struct evtchn *e, struct evport port)
{
	struct world_back *back = back_of(e);
	struct world_port *p = back_port(back, port);
	int r;

	if (world_fails(back->x, LOOPXEN_UNMASK, &r))
		return r;
	p->masked = false;
	return EVTCHN_OK;
}

static int back_pending(struct evtchn *e, struct evport *out)
{
	struct world_back *back = back_of(e);
	int r;

	if (world_fails(back->x, LOOPXEN_PENDING, &r))
		return r;
	for (int i = 0; i < LOOPXEN_PORTS; i++) {
		struct world_port *p;

		if (!back->bound[i].used)
			continue;
		p = back_port(back, (struct evport){back->bound[i].port});
		if (!p->pending || p->masked)
			continue;
		p->pending = false;
		p->masked = true;
		*out = (struct evport){back->bound[i].port};
		return 1;
	}
	return 0;
}

const struct evtchn_ops world_evtchn_ops = {
	.bind = back_bind,
	.unbind = back_unbind,
	.notify = back_notify,
	.unmask = back_unmask,
	.pending = back_pending,
};
