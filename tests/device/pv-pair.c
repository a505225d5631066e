/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/device/pv-pair.h"

#define REQ_PROD  0
#define REQ_EVENT 1
#define RSP_PROD  2
#define RSP_EVENT 3
#define HEADER	  64
#define ENTRIES	  32
#define EVENTS	  63

uint32_t *pv_pair_header(struct pv_pair *p)
{
	return (uint32_t *)(void *)p->ring;
}

uint32_t *pv_pair_indices(struct pv_pair *p)
{
	return (uint32_t *)(void *)p->events;
}

void pv_pair_key(struct loopxen *x, const struct loopxen_device *dev, const char *key,
		 const char *value)
{
	char path[160];

	loopxen_path(dev, STORE_FRONT, key, path, sizeof(path));
	if (value)
		loopxen_write(x, dev->front, path, value);
	else
		loopxen_rm(x, dev->front, path);
}

static void number_key(struct pv_pair *p, const char *at, const char *name,
		       uint32_t value)
{
	char key[64], text[16];

	snprintf(key, sizeof(key), "%s/%s", at, name);
	snprintf(text, sizeof(text), "%u", value);
	pv_pair_key(p->x, p->dev, key, text);
}

static struct gref page_new(struct pv_pair *p, uint8_t **page)
{
	if (!*page)
		*page = loopxen_page(p->x, p->dev->front);
	/* T-RING-3: what nobody writes stays poison. */
	memset(*page, 0xa5, 4096);
	memset(*page, 0, HEADER);
	return loopxen_grant(p->x, p->dev->front, *page, p->dev->back, false);
}

void pv_pair_connect(struct pv_pair *p, struct loopxen *x,
		     const struct loopxen_device *dev, const char *at,
		     const struct pv_pair_keys *keys)
{
	p->x = x;
	p->dev = dev;
	p->ring_ref = page_new(p, &p->ring);
	p->events_ref = page_new(p, &p->events);
	pv_pair_header(p)[REQ_EVENT] = pv_pair_header(p)[RSP_EVENT] = 1;
	p->req_prod = p->rsp_cons = 0;
	p->port = loopxen_port(x, dev->front, dev->back);
	p->events_port = loopxen_port(x, dev->front, dev->back);
	number_key(p, at, keys->ring_ref, p->ring_ref.v);
	number_key(p, at, keys->events_ref, p->events_ref.v);
	number_key(p, at, keys->port, p->port.v);
	number_key(p, at, keys->events_port, p->events_port.v);
}

bool pv_pair_disconnect(struct pv_pair *p)
{
	bool clean = true;

	if (!p->ring)
		return true;
	clean &= loopxen_revoke(p->x, p->dev->front, p->ring_ref);
	clean &= loopxen_revoke(p->x, p->dev->front, p->events_ref);
	loopxen_close(p->x, p->dev->front, p->port);
	loopxen_close(p->x, p->dev->front, p->events_port);
	return clean;
}

void pv_pair_send(struct pv_pair *p, const void *entry)
{
	uint32_t *header = pv_pair_header(p), old = header[REQ_PROD];

	assert(p->req_prod - p->rsp_cons < ENTRIES);
	memcpy(p->ring + HEADER + (size_t)(p->req_prod % ENTRIES) * PV_PAIR_ENTRY,
	       entry, PV_PAIR_ENTRY);
	p->req_prod++;
	__atomic_store_n(&header[REQ_PROD], p->req_prod, __ATOMIC_SEQ_CST);
	if (p->req_prod - header[REQ_EVENT] < p->req_prod - old) {
		p->kicks++;
		loopxen_notify(p->x, p->dev->front, p->port);
	}
}

bool pv_pair_answer(struct pv_pair *p, void *entry)
{
	uint32_t *header = pv_pair_header(p);

	if (header[RSP_PROD] == p->rsp_cons) {
		header[RSP_EVENT] = p->rsp_cons + 1;
		return false;
	}
	memcpy(entry,
	       p->ring + HEADER + (size_t)(p->rsp_cons++ % ENTRIES) * PV_PAIR_ENTRY,
	       PV_PAIR_ENTRY);
	return true;
}

bool pv_pair_event(struct pv_pair *p, void *entry)
{
	uint32_t *in = pv_pair_indices(p);
	uint16_t id;

	if (in[0] == in[1])
		return false;
	memcpy(entry, p->events + HEADER + (size_t)(in[0] % EVENTS) * PV_PAIR_ENTRY,
	       PV_PAIR_ENTRY);
	memcpy(&id, entry, sizeof(id));
	assert(id == (uint16_t)in[0]);
	in[0]++;
	return true;
}
