/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/client.h"

#define FIRST_RING 8u
#define FIRST_PAGE 16u
#define FOREIGN	   40u
#define RING_PAGES 2u
#define HEADER	   64u

static const struct domid third = {9};

void client_init(struct client *c, struct bed *bed)
{
	*c = (struct client){.bed = bed};
	c->queues = bed->conf.front.queues ? bed->conf.front.queues : 1;
	for (unsigned q = 0; q < CLIENT_QUEUES; q++) {
		/* Consecutive pages of a domain are neighbours. */
		c->ring[q] = loopxen_page(bed->x, bed->dev.front);
		loopxen_page(bed->x, bed->dev.front);
	}
	for (unsigned i = 0; i < CLIENT_PAGES; i++) {
		c->page[i].page = loopxen_page(bed->x, bed->dev.front);
		c->page[i].ref = (struct gref){FIRST_PAGE + i};
		c->page[i].last = 7;
	}
	loopxen_domain(bed->x, third);
	loopxen_grant_as(bed->x, bed->dev.front, (struct gref){FOREIGN},
			 c->page[0].page, third, false);
}

static void client_ring(struct client *c, unsigned q)
{
	const struct front_conf *conf = &c->bed->conf.front;
	struct front *f = &c->queue[q];
	uint32_t room;

	*f = (struct front){
		.x = c->bed->x,
		.dev = &c->bed->dev,
		.ring = c->ring[q],
		.pages = 1u << conf->order,
		.port = loopxen_port(c->bed->x, c->bed->dev.front, c->bed->dev.back),
	};
	assert(f->pages <= RING_PAGES);
	if (!blkif_abi_parse(conf->protocol, &f->abi))
		f->abi = BLKIF_ABI_64;
	f->at = &blkif_layouts[f->abi];
	room = (f->pages * XEN_PAGE_BYTES - HEADER) / f->at->entry;
	for (f->entries = 1; f->entries * 2 <= room; f->entries *= 2)
		;
	if (c->queues > 1)
		snprintf(f->queue, sizeof(f->queue), "queue-%u/", q);
	memset(f->ring, 0, (size_t)RING_PAGES * XEN_PAGE_BYTES);
	front_header(f)[1] = front_header(f)[3] = 1; /* req_event, rsp_event */
	for (unsigned i = 0; i < RING_PAGES; i++) {
		f->ring_ref[i].v = FIRST_RING + q * RING_PAGES + i;
		loopxen_grant_as(f->x, f->dev->front, f->ring_ref[i],
				 f->ring + (size_t)i * XEN_PAGE_BYTES, f->dev->back,
				 false);
	}
}

static void client_grant(struct client *c, unsigned i)
{
	loopxen_grant_as(c->bed->x, c->bed->dev.front, c->page[i].ref, c->page[i].page,
			 c->bed->dev.back, i >= CLIENT_PAGES - 2);
	c->granted[i] = true;
}

void client_open(struct client *c)
{
	for (unsigned q = 0; q < CLIENT_QUEUES; q++)
		client_ring(c, q);
	for (unsigned i = 0; i < CLIENT_PAGES; i++) {
		memset(c->page[i].page, 0, XEN_PAGE_BYTES);
		client_grant(c, i);
	}
}

static void client_number(struct front *f, const char *name, unsigned value)
{
	char key[32], text[16];

	snprintf(key, sizeof(key), "%s%s", f->queue, name);
	snprintf(text, sizeof(text), "%u", value);
	front_key(f, key, text);
}

void client_keys(struct client *c)
{
	const struct front_conf *conf = &c->bed->conf.front;
	struct front *f = &c->queue[0];
	char name[16], text[16];

	snprintf(text, sizeof(text), "%u", conf->order);
	front_key(f, "ring-page-order", conf->order ? text : NULL);
	snprintf(text, sizeof(text), "%u", c->queues);
	front_key(f, "multi-queue-num-queues", c->queues > 1 ? text : NULL);
	front_key(f, "protocol", conf->protocol);
	front_key(f, "feature-persistent", conf->persistent ? "1" : "0");
	for (unsigned q = 0; q < c->queues; q++) {
		f = &c->queue[q];
		for (unsigned i = 0; i < f->pages; i++) {
			snprintf(name, sizeof(name),
				 conf->order ? "ring-ref%u" : "ring-ref", i);
			client_number(f, name, f->ring_ref[i].v);
		}
		client_number(f, "event-channel", f->port.v);
	}
}

void client_close(struct client *c)
{
	for (unsigned q = 0; q < CLIENT_QUEUES; q++) {
		struct front *f = &c->queue[q];

		loopxen_close(f->x, f->dev->front, f->port);
		for (unsigned i = 0; i < RING_PAGES; i++)
			assert(loopxen_revoke(f->x, f->dev->front, f->ring_ref[i]));
	}
	for (unsigned i = 0; i < CLIENT_PAGES; i++) {
		if (c->granted[i])
			assert(loopxen_revoke(c->bed->x, c->bed->dev.front,
					      c->page[i].ref));
		c->granted[i] = false;
	}
}

void client_toggle(struct client *c, unsigned i)
{
	if (!c->granted[i])
		client_grant(c, i);
	else if (loopxen_revoke(c->bed->x, c->bed->dev.front, c->page[i].ref))
		c->granted[i] = false;
}
