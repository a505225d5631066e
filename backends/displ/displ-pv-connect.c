/* SPDX-License-Identifier: MIT */
/*
 * What the PV door says and reads in xenstore, and the set-up of its rings.
 * Key names and their meaning: xen/io/displif.h.
 *
 * A connector's keys stand in "N/" of the device. Of the client's description of it
 * nothing is believed and nothing read, but for what stands in "resolution", which
 * libxl lets no client write: that it is more than the policy has is said here, and not
 * only when a picture is refused.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "backends/displ/displ-kept.h"
#include "backends/displ/displ-pv.h"

#define PV_KEY	    32 /* "3/evt-event-channel" */
#define PV_VERSIONS "1,2"

int displ_pv_offer(struct displ_pv *pv)
{
	return keys_write(&pv->conf.keys, "versions", PV_VERSIONS);
}

static void head_key(const struct displ_pv_head *head, const char *name,
		     char key[PV_KEY])
{
	snprintf(key, PV_KEY, "%u/%s", head->number, name);
}

/* Linux's front end does not say which of the versions it has chosen. */
static int read_version(struct displ_pv *pv)
{
	char value[STORE_VALUE_MAX + 1];
	int r = keys_read(&pv->conf.keys, STORE_FRONT, "version", value);

	if (r <= 0)
		return r;
	if (strcmp(value, "1") && strcmp(value, "2"))
		return keys_fail(&pv->conf.keys, "version", "not one of those offered");
	return 0;
}

/* *@has: the client has the connector. */
static int read_head(struct displ_pv_head *head, bool *has)
{
	const struct displ_size *most =
		&head->pv->conf.displ_policy->head[head->number].size;
	const struct keys *keys = &head->pv->conf.keys;
	char value[STORE_VALUE_MAX + 1], key[PV_KEY];
	struct displ_size size;
	int r;

	head_key(head, "req-ring-ref", key);
	r = keys_read(keys, STORE_FRONT, key, value);
	*has = r > 0;
	if (r <= 0)
		return r;
	head_key(head, "resolution", key);
	r = keys_read(keys, STORE_FRONT, key, value);
	if (r > 0 && displ_size_parse(value, &size) &&
	    (size.width > most->width || size.height > most->height))
		return keys_fail(keys, key,
				 "it is more than the policy's Connector has");
	return r < 0 ? r : 0;
}

static int map_page(struct displ_pv_head *head, const char *name,
		    struct grants_map *out)
{
	char key[PV_KEY];
	const char *keys[] = {key};

	head_key(head, name, key);
	return keys_map_ring(&head->pv->conf.keys, keys, 1, out);
}

static int bind_port(struct displ_pv_head *head, const char *name, struct evport *out)
{
	char key[PV_KEY];

	head_key(head, name, key);
	return keys_bind(&head->pv->conf.keys, key, out);
}

/* Look at the rings for the first time. */
static int init_rings(struct displ_pv_head *head, bool attach)
{
	pv_events_init(&head->events, head->events_map.addr, attach);
	if (pv_ring_init(&head->ring, head->ring_map.addr, XEN_PAGE_BYTES,
			 DISPLIF_ENTRY, attach) == PV_RING_OK)
		return 0;
	return keys_fail(&head->pv->conf.keys, "ring", "its indices cannot be");
}

static int unbind(struct displ_pv *pv, struct evport *port)
{
	int r = port->v ? evtchn_unbind(pv->conf.keys.evtchn, *port) : 0;

	*port = (struct evport){0};
	return r;
}

static int unmap(struct displ_pv *pv, struct grants_map *map)
{
	return map->addr ? grants_unmap(pv->conf.keys.grants, map) : 0;
}

/* What it has of these. 0, or the first negative errno. */
static int head_close(struct displ_pv_head *head)
{
	struct displ_pv *pv = head->pv;
	int r[] = {
		unmap(pv, &head->ring_map),
		unmap(pv, &head->events_map),
		unbind(pv, &head->port),
		unbind(pv, &head->events_port),
	};

	head->connected = head->lit = head->kept = head->again = head->flipping = false;
	head->step = DISPL_PV_IDLE;
	for (unsigned i = 0; i < sizeof(r) / sizeof(r[0]); i++) {
		if (r[i] < 0)
			return r[i];
	}
	return 0;
}

int displ_pv_close(struct displ_pv *pv)
{
	int r = displ_pv_forget(pv);

	for (uint32_t i = 0; i < pv->heads; i++) {
		int this = head_close(&pv->head[i]);

		r = r ? r : this;
	}
	return r;
}

static int head_open(struct displ_pv_head *head, bool attach)
{
	int r = map_page(head, "req-ring-ref", &head->ring_map);

	if (!r)
		r = map_page(head, "evt-ring-ref", &head->events_map);
	if (!r)
		r = bind_port(head, "req-event-channel", &head->port);
	if (!r)
		r = bind_port(head, "evt-event-channel", &head->events_port);
	if (!r)
		r = init_rings(head, attach);
	head->connected = !r;
	return r;
}

static int open_heads(struct displ_pv *pv, bool attach)
{
	bool any = false;
	int r = 0;

	for (uint32_t i = 0; !r && i < pv->heads; i++) {
		bool has;

		r = read_head(&pv->head[i], &has);
		if (!r && has)
			r = head_open(&pv->head[i], attach);
		any = any || has;
	}
	if (!r && !any)
		r = keys_fail(&pv->conf.keys, "req-ring-ref",
			      "it has none of the policy's connectors");
	return r;
}

/* What a predecessor had it show. */
static int head_recall(struct displ_pv_head *head)
{
	uint64_t v[5];
	int r = displ_kept_read(&head->pv->conf.keys, "connector", head->number, 5, v);

	if (r <= 0)
		return r;
	head->shows = v[0];
	head->rect = (struct displ_rect){(uint32_t)v[1], (uint32_t)v[2], (uint32_t)v[3],
					 (uint32_t)v[4]};
	head->lit = head->again = head->kept = true;
	return 0;
}

/* Of a connection before this one it must not be said that it goes on. */
static int forget(struct displ_pv *pv)
{
	const uint64_t none[] = {0, 0};
	int r = displ_keep(&pv->conf.keys, "counts", 0, none, 2);

	for (uint32_t i = 0; !r && i < pv->heads; i++)
		r = displ_keep(&pv->conf.keys, "connector", i, NULL, 0);
	pv->counts_kept = !r;
	return r;
}

static int recall(struct displ_pv *pv)
{
	int r = displ_pv_recall(pv);

	for (uint32_t i = 0; !r && i < pv->heads; i++) {
		if (pv->head[i].connected)
			r = head_recall(&pv->head[i]);
	}
	return r;
}

/* The one before us may have died between its push and its event. */
static int notify_all(struct displ_pv *pv)
{
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < pv->heads; i++) {
		struct displ_pv_head *head = &pv->head[i];

		if (!head->connected)
			continue;
		r = evtchn_notify(pv->conf.keys.evtchn, head->port);
		if (r >= 0)
			r = evtchn_notify(pv->conf.keys.evtchn, head->events_port);
	}
	return r < 0 ? r : 0;
}

int displ_pv_connect(struct displ_pv *pv, bool attach, uint64_t now)
{
	int r, closed;

	assert(pv->state == DISPL_PV_DOWN);
	pv->now = now;
	r = read_version(pv);
	if (!r)
		r = open_heads(pv, attach);
	if (!r)
		r = attach ? recall(pv) : forget(pv);
	if (r) {
		closed = displ_pv_close(pv);
		return closed < 0 ? closed : r;
	}
	displ_pv_start(pv, now);
	return attach ? notify_all(pv) : 0;
}
