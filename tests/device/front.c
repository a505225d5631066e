/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "tests/device/front.h"

#define REQ_PROD  0
#define REQ_EVENT 1
#define RSP_PROD  2
#define RSP_EVENT 3
#define HEADER	  64

uint32_t *front_header(struct front *f)
{
	return (uint32_t *)(void *)f->ring;
}

static uint8_t *front_slot(struct front *f, uint32_t i)
{
	return f->ring + HEADER + (size_t)(i % f->entries) * f->at->entry;
}

void front_key(struct front *f, const char *key, const char *value)
{
	char path[160];

	loopxen_path(f->dev, STORE_FRONT, key, path, sizeof(path));
	if (value)
		loopxen_write(f->x, f->dev->front, path, value);
	else
		loopxen_rm(f->x, f->dev->front, path);
}

static void front_number(struct front *f, const char *key, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	front_key(f, key, text);
}

void front_state(struct front *f, enum store_state state)
{
	front_number(f, "state", state);
}

static void front_ring(struct front *f)
{
	uint32_t room;

	for (unsigned i = 0; i < f->pages; i++) {
		/* Consecutive pages of a domain are neighbours. */
		uint8_t *page = loopxen_page(f->x, f->dev->front);

		if (!i)
			f->ring = page;
		f->ring_ref[i] =
			loopxen_grant(f->x, f->dev->front, page, f->dev->back, false);
	}
	/* T-RING-3: what nobody writes stays poison. */
	memset(f->ring + HEADER, 0xa5, f->pages * 4096 - HEADER);
	room = (f->pages * 4096 - HEADER) / f->at->entry;
	for (f->entries = 1; f->entries * 2 <= room; f->entries *= 2)
		;
	f->req_prod = f->rsp_cons = 0;
	front_header(f)[REQ_PROD] = front_header(f)[RSP_PROD] = 0;
	front_header(f)[REQ_EVENT] = front_header(f)[RSP_EVENT] = 1;
}

/* A key of this queue alone. */
static void front_queue_number(struct front *f, const char *name, unsigned value)
{
	char key[48];

	snprintf(key, sizeof(key), "%s%s", f->queue, name);
	front_number(f, key, value);
}

/* Ring and port, and their keys. */
static void front_open(struct front *f, bool numbered)
{
	char key[24];

	front_ring(f);
	f->port = loopxen_port(f->x, f->dev->front, f->dev->back);
	for (unsigned i = 0; i < f->pages; i++) {
		snprintf(key, sizeof(key), numbered ? "ring-ref%u" : "ring-ref", i);
		front_queue_number(f, key, f->ring_ref[i].v);
	}
	front_queue_number(f, "event-channel", f->port.v);
}

void front_connect(struct front *f, struct loopxen *x, const struct loopxen_device *dev,
		   const struct front_conf *conf)
{
	*f = (struct front){.x = x, .dev = dev, .pages = 1u << conf->order};
	if (!blkif_abi_parse(conf->protocol, &f->abi))
		f->abi = BLKIF_ABI_64;
	f->at = &blkif_layouts[f->abi];
	front_key(f, "ring-page-order", NULL);
	front_key(f, "multi-queue-num-queues", NULL);
	if (conf->order)
		front_number(f, "ring-page-order", conf->order);
	if (conf->queues > 1) {
		front_number(f, "multi-queue-num-queues", conf->queues);
		snprintf(f->queue, sizeof(f->queue), "queue-0/");
	}
	front_open(f, conf->order);
	front_key(f, "protocol", conf->protocol);
	front_number(f, "feature-persistent", conf->persistent);
	front_state(f, STORE_INITIALISED);
}

void front_queue(struct front *f, const struct front *first, unsigned i)
{
	*f = (struct front){
		.x = first->x,
		.dev = first->dev,
		.pages = first->pages,
		.abi = first->abi,
		.at = first->at,
	};
	snprintf(f->queue, sizeof(f->queue), "queue-%u/", i);
	front_open(f, f->pages > 1);
}

bool front_disconnect(struct front *f)
{
	bool clean = true;

	loopxen_close(f->x, f->dev->front, f->port);
	for (unsigned i = 0; i < f->pages; i++)
		clean &= loopxen_revoke(f->x, f->dev->front, f->ring_ref[i]);
	return clean;
}

struct front_buf front_buf(struct front *f, bool read_only)
{
	struct front_buf buf = {.first = 0, .last = 7};

	buf.page = loopxen_page(f->x, f->dev->front);
	buf.ref = loopxen_grant(f->x, f->dev->front, buf.page, f->dev->back, read_only);
	return buf;
}

void front_raw(struct front *f, const uint8_t *entry)
{
	memcpy(front_slot(f, f->req_prod++), entry, f->at->entry);
}

static void put_segments(uint8_t *at, const struct front_buf *bufs, unsigned n)
{
	for (unsigned i = 0; i < n; i++, at += BLKIF_SEGMENT) {
		memcpy(at, &bufs[i].ref.v, 4);
		at[4] = bufs[i].first;
		at[5] = bufs[i].last;
	}
}

void front_rw(struct front *f, uint8_t op, uint64_t id, uint64_t sector,
	      const struct front_buf *bufs, unsigned n)
{
	uint8_t e[BLKIF_ENTRY_MAX] = {op, (uint8_t)n};

	memcpy(e + f->at->id, &id, 8);
	memcpy(e + f->at->sector, &sector, 8);
	put_segments(e + f->at->segments, bufs, n <= 11 ? n : 11);
	front_raw(f, e);
}

void front_indirect(struct front *f, uint8_t op, uint64_t id, uint64_t sector,
		    const struct front_buf *bufs, unsigned n,
		    const struct front_buf *table)
{
	uint8_t e[BLKIF_ENTRY_MAX] = {BLKIF_INDIRECT, op};
	uint16_t n16 = (uint16_t)n;

	memcpy(e + 2, &n16, 2);
	memcpy(e + f->at->id, &id, 8);
	memcpy(e + f->at->sector, &sector, 8);
	memcpy(e + f->at->indirect_refs, &table->ref.v, 4);
	put_segments(table->page, bufs, n <= 512 ? n : 512);
	front_raw(f, e);
}

void front_simple(struct front *f, uint8_t op, uint64_t id, uint64_t sector,
		  uint64_t sectors)
{
	uint8_t e[BLKIF_ENTRY_MAX] = {op};

	memcpy(e + f->at->id, &id, 8);
	memcpy(e + f->at->sector, &sector, 8);
	if (op == BLKIF_DISCARD)
		memcpy(e + f->at->discard_sectors, &sectors, 8);
	front_raw(f, e);
}

void front_push(struct front *f)
{
	uint32_t *header = front_header(f), old = header[REQ_PROD];

	__atomic_store_n(&header[REQ_PROD], f->req_prod, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (f->req_prod - header[REQ_EVENT] < f->req_prod - old)
		front_kick(f);
}

void front_kick(struct front *f)
{
	f->kicks++;
	loopxen_notify(f->x, f->dev->front, f->port);
}

bool front_answer(struct front *f, struct front_rsp *out)
{
	uint32_t *header = front_header(f);
	const uint8_t *e;

	if (f->rsp_cons == header[RSP_PROD]) {
		header[RSP_EVENT] = f->rsp_cons + 1;
		return false;
	}
	e = front_slot(f, f->rsp_cons++);
	out->raw = e;
	memcpy(&out->id, e, 8);
	out->operation = e[f->at->rsp_operation];
	memcpy(&out->status, e + f->at->rsp_status, 2);
	return true;
}
