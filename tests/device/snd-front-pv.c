/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/device/snd-front-pv.h"

#define REQ_PROD  0
#define REQ_EVENT 1
#define RSP_PROD  2
#define RSP_EVENT 3
#define HEADER	  64
#define ENTRIES	  32

uint32_t *snd_front_header(struct snd_front_stream *s)
{
	return (uint32_t *)(void *)s->ring;
}

void snd_front_key(struct snd_front_pv *f, const char *key, const char *value)
{
	char path[160];

	loopxen_path(f->dev, STORE_FRONT, key, path, sizeof(path));
	if (value)
		loopxen_write(f->x, f->dev->front, path, value);
	else
		loopxen_rm(f->x, f->dev->front, path);
}

static void stream_key(struct snd_front_pv *f, struct snd_front_stream *s,
		       const char *name, uint32_t value)
{
	char key[64], text[16];

	snprintf(key, sizeof(key), "%s/%s", s->at, name);
	snprintf(text, sizeof(text), "%u", value);
	snd_front_key(f, key, text);
}

static struct gref page_new(struct snd_front_pv *f, uint8_t **page)
{
	if (!*page)
		*page = loopxen_page(f->x, f->dev->front);
	return loopxen_grant(f->x, f->dev->front, *page, f->dev->back, false);
}

static void stream_connect(struct snd_front_pv *f, struct snd_front_stream *s)
{
	char key[64];

	s->ring_ref = page_new(f, &s->ring);
	s->events_ref = page_new(f, &s->events);
	/* T-RING-3: what nobody writes stays poison. */
	memset(s->ring, 0xa5, 4096);
	memset(s->ring, 0, HEADER);
	memset(s->events, 0xa5, 4096);
	memset(s->events, 0, HEADER);
	snd_front_header(s)[REQ_EVENT] = snd_front_header(s)[RSP_EVENT] = 1;
	s->req_prod = s->rsp_cons = 0;
	s->port = loopxen_port(f->x, f->dev->front, f->dev->back);
	s->events_port = loopxen_port(f->x, f->dev->front, f->dev->back);
	stream_key(f, s, "ring-ref", s->ring_ref.v);
	stream_key(f, s, "evt-ring-ref", s->events_ref.v);
	stream_key(f, s, "event-channel", s->port.v);
	stream_key(f, s, "evt-event-channel", s->events_port.v);
	snprintf(key, sizeof(key), "%s/type", s->at);
	snd_front_key(f, key, s->type);
}

void snd_front_connect(struct snd_front_pv *f)
{
	for (uint32_t i = 0; i < f->streams; i++)
		stream_connect(f, &f->stream[i]);
	snd_front_key(f, "state", "3");
}

bool snd_front_disconnect(struct snd_front_pv *f)
{
	bool clean = true;

	for (uint32_t i = 0; i < f->streams; i++) {
		struct snd_front_stream *s = &f->stream[i];

		clean &= snd_front_unbuffer(f, s);
		clean &= loopxen_revoke(f->x, f->dev->front, s->ring_ref);
		clean &= loopxen_revoke(f->x, f->dev->front, s->events_ref);
		loopxen_close(f->x, f->dev->front, s->port);
		loopxen_close(f->x, f->dev->front, s->events_port);
	}
	return clean;
}

void snd_front_buffer(struct snd_front_pv *f, struct snd_front_stream *s,
		      uint32_t pages, bool read_only)
{
	uint32_t *words;

	assert(pages <= SND_FRONT_PAGES && !s->directory_ref.v);
	/* Consecutive pages of a domain are neighbours; it has them once. */
	if (!s->buffer) {
		s->buffer = loopxen_page(f->x, f->dev->front);
		for (uint32_t i = 1; i < SND_FRONT_PAGES; i++)
			loopxen_page(f->x, f->dev->front);
	}
	s->directory_ref = page_new(f, &s->directory);
	memset(s->directory, 0, 4096);
	words = (uint32_t *)(void *)s->directory;
	for (uint32_t i = 0; i < pages; i++) {
		s->refs[i] = loopxen_grant(f->x, f->dev->front, s->buffer + i * 4096u,
					   f->dev->back, read_only);
		words[1 + i] = s->refs[i].v;
	}
	s->pages = pages;
}

bool snd_front_unbuffer(struct snd_front_pv *f, struct snd_front_stream *s)
{
	bool clean = true;

	if (!s->directory_ref.v)
		return true;
	clean &= loopxen_revoke(f->x, f->dev->front, s->directory_ref);
	for (uint32_t i = 0; i < s->pages; i++)
		clean &= loopxen_revoke(f->x, f->dev->front, s->refs[i]);
	s->directory_ref.v = 0;
	return clean;
}

void snd_front_send(struct snd_front_pv *f, struct snd_front_stream *s,
		    const struct xensnd_req *req)
{
	uint32_t *header = snd_front_header(s), old = header[REQ_PROD];

	assert(s->req_prod - s->rsp_cons < ENTRIES);
	memcpy(s->ring + HEADER + (size_t)(s->req_prod % ENTRIES) * 64, req, 64);
	s->req_prod++;
	__atomic_store_n(&header[REQ_PROD], s->req_prod, __ATOMIC_SEQ_CST);
	if (s->req_prod - header[REQ_EVENT] < s->req_prod - old) {
		f->kicks++;
		loopxen_notify(f->x, f->dev->front, s->port);
	}
}

bool snd_front_answer(struct snd_front_stream *s, struct xensnd_resp *out)
{
	uint32_t *header = snd_front_header(s);

	if (header[RSP_PROD] == s->rsp_cons) {
		header[RSP_EVENT] = s->rsp_cons + 1;
		return false;
	}
	memcpy(out, s->ring + HEADER + (size_t)(s->rsp_cons++ % ENTRIES) * 64, 64);
	return true;
}

bool snd_front_event(struct snd_front_stream *s, struct xensnd_evt *out)
{
	struct xensnd_event_page *page = (struct xensnd_event_page *)(void *)s->events;

	if (page->in_cons == page->in_prod)
		return false;
	*out = XENSND_IN_RING_REF(page, page->in_cons);
	assert(out->id == (uint16_t)page->in_cons);
	page->in_cons++;
	return true;
}
