/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/device/displ-front-pv.h"

#define OF_LIST 1023

static const struct pv_pair_keys keys = {"req-ring-ref", "req-event-channel",
					 "evt-ring-ref", "evt-event-channel"};

void displ_front_key(struct displ_front_pv *f, const char *key, const char *value)
{
	pv_pair_key(f->x, f->dev, key, value);
}

void displ_front_connect(struct displ_front_pv *f)
{
	for (uint32_t i = 0; i < f->heads; i++) {
		char at[4];

		snprintf(at, sizeof(at), "%u", i % 10);
		pv_pair_connect(&f->head[i], f->x, f->dev, at, &keys);
	}
	displ_front_key(f, "state", "3");
}

bool displ_front_disconnect(struct displ_front_pv *f)
{
	bool clean = true;

	for (uint32_t i = 0; i < DISPL_FRONT_BUFFERS; i++)
		clean &= displ_front_unbuffer(f, i);
	for (uint32_t i = 0; i < f->heads; i++)
		clean &= pv_pair_disconnect(&f->head[i]);
	return clean;
}

static struct gref grant(struct displ_front_pv *f, const void *page, bool read_only)
{
	return loopxen_grant(f->x, f->dev->front, page, f->dev->back, read_only);
}

/* Neighbours: whoever wants more than it has gets all of it anew. */
static void have(struct displ_front_pv *f, struct displ_front_buffer *b, uint32_t pages)
{
	if (b->had >= pages)
		return;
	b->bytes = loopxen_page(f->x, f->dev->front);
	for (b->had = 1; b->had < pages; b->had++)
		loopxen_page(f->x, f->dev->front);
}

void displ_front_buffer(struct displ_front_pv *f, uint32_t i, uint32_t bytes,
			bool read_only)
{
	struct displ_front_buffer *b = &f->buffer[i];
	uint32_t pages = (bytes + 4095) / 4096;

	assert(pages && pages <= DISPL_FRONT_PAGES && !b->pages);
	have(f, b, pages);
	b->lists = (pages + OF_LIST - 1) / OF_LIST;
	for (uint32_t l = 0; l < b->lists; l++) {
		if (!b->list[l])
			b->list[l] =
				(uint32_t *)(void *)loopxen_page(f->x, f->dev->front);
		memset(b->list[l], 0, 4096);
		b->list_ref[l] = grant(f, b->list[l], read_only);
	}
	for (uint32_t l = 0; l + 1 < b->lists; l++)
		b->list[l][0] = b->list_ref[l + 1].v;
	for (uint32_t p = 0; p < pages; p++) {
		b->ref[p] = grant(f, b->bytes + (size_t)p * 4096, read_only);
		b->list[p / OF_LIST][1 + p % OF_LIST] = b->ref[p].v;
	}
	b->pages = pages;
}

bool displ_front_unbuffer(struct displ_front_pv *f, uint32_t i)
{
	struct displ_front_buffer *b = &f->buffer[i];
	bool clean = true;

	for (uint32_t p = 0; p < b->pages; p++)
		clean &= loopxen_revoke(f->x, f->dev->front, b->ref[p]);
	for (uint32_t l = 0; b->pages && l < b->lists; l++)
		clean &= loopxen_revoke(f->x, f->dev->front, b->list_ref[l]);
	b->pages = 0;
	return clean;
}
