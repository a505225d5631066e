/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "backends/door/pv-channel.h"

void pv_channel_key(char key[PV_CHANNEL_KEY], const char *at, const char *name)
{
	snprintf(key, PV_CHANNEL_KEY, "%s/%s", at, name);
}

static int map_page(const struct keys *keys, const char *at, const char *name,
		    struct grants_map *out)
{
	char key[PV_CHANNEL_KEY];
	const char *list[] = {key};

	pv_channel_key(key, at, name);
	return keys_map_ring(keys, list, 1, out);
}

static int bind_port(const struct keys *keys, const char *at, const char *name,
		     struct evport *out)
{
	char key[PV_CHANNEL_KEY];

	pv_channel_key(key, at, name);
	return keys_bind(keys, key, out);
}

static int look(struct pv_channel *c, const struct keys *keys, bool attach)
{
	pv_events_init(&c->events, c->events_map.addr, attach);
	if (pv_ring_init(&c->ring, c->ring_map.addr, XEN_PAGE_BYTES, PV_CHANNEL_ENTRY,
			 attach) == PV_RING_OK)
		return 0;
	return keys_fail(keys, "ring", "its indices cannot be");
}

int pv_channel_open(struct pv_channel *c, const struct keys *keys, const char *at,
		    const struct pv_channel_names *names, bool attach)
{
	int r = map_page(keys, at, names->ring, &c->ring_map);

	if (!r)
		r = map_page(keys, at, names->events, &c->events_map);
	if (!r)
		r = bind_port(keys, at, names->port, &c->port);
	if (!r)
		r = bind_port(keys, at, names->events_port, &c->events_port);
	if (!r)
		r = look(c, keys, attach);
	c->open = !r;
	return r;
}

static int unbind(const struct keys *keys, struct evport *port)
{
	int r = port->v ? evtchn_unbind(keys->evtchn, *port) : 0;

	*port = (struct evport){0};
	return r;
}

static int unmap(const struct keys *keys, struct grants_map *map)
{
	return map->addr ? grants_unmap(keys->grants, map) : 0;
}

int pv_channel_close(struct pv_channel *c, const struct keys *keys)
{
	const int r[] = {
		unmap(keys, &c->ring_map),
		unmap(keys, &c->events_map),
		unbind(keys, &c->port),
		unbind(keys, &c->events_port),
	};

	c->open = false;
	for (unsigned i = 0; i < sizeof(r) / sizeof(r[0]); i++) {
		if (r[i] < 0)
			return r[i];
	}
	return 0;
}

int pv_channel_wake(const struct pv_channel *c, const struct keys *keys)
{
	int r = evtchn_notify(keys->evtchn, c->port);

	if (r >= 0)
		r = evtchn_notify(keys->evtchn, c->events_port);
	return r < 0 ? r : 0;
}
