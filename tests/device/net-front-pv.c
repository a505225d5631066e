/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/device/net-front-pv.h"

#define REQ_PROD  0
#define REQ_EVENT 1
#define RSP_PROD  2
#define RSP_EVENT 3
#define HEADER	  64
#define PAGE	  4096u

#define TX_ENTRY 12
#define RX_ENTRY 8

#define CONTROL_ENTRY 16

/* -- A ring --------------------------------------------------------------- */

uint32_t *netfront_header(struct netfront_ring *ring)
{
	return (uint32_t *)(void *)ring->page;
}

uint8_t *netfront_slot(struct netfront_ring *ring, uint32_t i)
{
	return ring->page + HEADER + (size_t)(i % ring->entries) * ring->entry;
}

/* Publish; true if the back end asked to be told. */
static bool ring_push(struct netfront_ring *ring)
{
	uint32_t *header = netfront_header(ring), old = header[REQ_PROD];

	__atomic_store_n(&header[REQ_PROD], ring->req_prod, __ATOMIC_SEQ_CST);
	return ring->req_prod - header[REQ_EVENT] < ring->req_prod - old;
}

/* The next answer, or NULL, and the event is armed. */
static const void *ring_next(struct netfront_ring *ring)
{
	uint32_t *header = netfront_header(ring);

	if (header[RSP_PROD] == ring->rsp_cons) {
		header[RSP_EVENT] = ring->rsp_cons + 1;
		return NULL;
	}
	return netfront_slot(ring, ring->rsp_cons++);
}

static void ring_new(struct netfront *f, struct netfront_ring *ring, uint32_t entry,
		     uint32_t entries)
{
	if (!ring->page)
		ring->page = loopxen_page(f->x, f->dev->front);
	ring->entry = entry;
	ring->entries = entries;
	ring->ref = loopxen_grant(f->x, f->dev->front, ring->page, f->dev->back, false);
	/* T-RING-3: what nobody writes stays poison. */
	memset(ring->page + HEADER, 0xa5, PAGE - HEADER);
	ring->req_prod = ring->rsp_cons = 0;
	memset(ring->page, 0, HEADER);
	netfront_header(ring)[REQ_EVENT] = netfront_header(ring)[RSP_EVENT] = 1;
}

/* -- Keys ----------------------------------------------------------------- */

void netfront_key(struct netfront *f, const char *key, const char *value)
{
	char path[160];

	loopxen_path(f->dev, STORE_FRONT, key, path, sizeof(path));
	if (value)
		loopxen_write(f->x, f->dev->front, path, value);
	else
		loopxen_rm(f->x, f->dev->front, path);
}

void netfront_number(struct netfront *f, const char *key, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	netfront_key(f, key, text);
}

static void queue_number(struct netfront *f, unsigned i, const char *name,
			 unsigned value)
{
	char key[48];

	if (f->queues > 1)
		snprintf(key, sizeof(key), "queue-%u/%s", i, name);
	else
		snprintf(key, sizeof(key), "%s", name);
	netfront_number(f, key, value);
}

static void queue_connect(struct netfront *f, unsigned i)
{
	struct netfront_queue *q = &f->queue[i];

	ring_new(f, &q->tx, TX_ENTRY, NETFRONT_RING);
	ring_new(f, &q->rx, RX_ENTRY, NETFRONT_RING);
	q->begun = false;
	q->tx_port = loopxen_port(f->x, f->dev->front, f->dev->back);
	q->rx_port = q->tx_port;
	queue_number(f, i, "tx-ring-ref", q->tx.ref.v);
	queue_number(f, i, "rx-ring-ref", q->rx.ref.v);
	if (!f->conf.split) {
		queue_number(f, i, "event-channel", q->tx_port.v);
		return;
	}
	q->rx_port = loopxen_port(f->x, f->dev->front, f->dev->back);
	queue_number(f, i, "event-channel-tx", q->tx_port.v);
	queue_number(f, i, "event-channel-rx", q->rx_port.v);
}

static void control_connect(struct netfront *f)
{
	struct netfront_control *c = &f->control;

	netfront_key(f, "ctrl-ring-ref", NULL);
	netfront_key(f, "event-channel-ctrl", NULL);
	if (!f->conf.control)
		return;
	ring_new(f, &c->ring, CONTROL_ENTRY, NETFRONT_CONTROL);
	c->port = loopxen_port(f->x, f->dev->front, f->dev->back);
	netfront_number(f, "ctrl-ring-ref", c->ring.ref.v);
	netfront_number(f, "event-channel-ctrl", c->port.v);
}

void netfront_connect(struct netfront *f)
{
	const struct netfront_conf *conf = &f->conf;

	f->queues = conf->queues ? conf->queues : 1;
	assert(f->queues <= NETFRONT_QUEUES);
	netfront_key(f, "multi-queue-num-queues", NULL);
	if (conf->queues)
		netfront_number(f, "multi-queue-num-queues", conf->queues);
	for (unsigned i = 0; i < f->queues; i++)
		queue_connect(f, i);
	control_connect(f);
	netfront_number(f, "request-rx-copy", 1);
	netfront_number(f, "feature-rx-notify", 1);
	netfront_number(f, "feature-sg", !conf->no_sg);
	netfront_number(f, "feature-gso-tcpv4", !conf->no_gso);
	netfront_number(f, "feature-gso-tcpv6", !conf->no_gso);
	netfront_number(f, "feature-no-csum-offload", conf->no_csum);
	netfront_number(f, "feature-ipv6-csum-offload", !conf->no_csum6);
	netfront_number(f, "request-multicast-control", conf->groups);
	netfront_number(f, "state", STORE_INITIALISED);
}

void netfront_ready(struct netfront *f)
{
	netfront_number(f, "state", STORE_CONNECTED);
}

bool netfront_disconnect(struct netfront *f)
{
	bool clean = true;

	for (unsigned i = 0; i < f->queues; i++) {
		struct netfront_queue *q = &f->queue[i];

		loopxen_close(f->x, f->dev->front, q->tx_port);
		if (f->conf.split)
			loopxen_close(f->x, f->dev->front, q->rx_port);
		clean &= loopxen_revoke(f->x, f->dev->front, q->tx.ref);
		clean &= loopxen_revoke(f->x, f->dev->front, q->rx.ref);
	}
	if (f->conf.control) {
		loopxen_close(f->x, f->dev->front, f->control.port);
		clean &= loopxen_revoke(f->x, f->dev->front, f->control.ring.ref);
	}
	return clean;
}

/* -- Asking --------------------------------------------------------------- */

uint32_t netfront_room(const struct netfront_queue *q)
{
	return NETFRONT_RING - (q->tx.req_prod - q->tx.rsp_cons);
}

void netfront_raw(struct netfront_queue *q, const void *entry, bool extra, bool last)
{
	const struct netfront_tx_req *req = entry;
	uint32_t slot = q->tx.req_prod % NETFRONT_RING;

	q->out[slot] = (struct netfront_out){extra ? 0 : req->id, extra, last};
	memcpy(netfront_slot(&q->tx, q->tx.req_prod++), entry, TX_ENTRY);
}

uint8_t *netfront_page(struct netfront *f, struct netfront_queue *q, struct gref *ref)
{
	uint32_t slot = q->tx.req_prod % NETFRONT_RING;

	if (!q->tx_page[slot]) {
		q->tx_page[slot] = loopxen_page(f->x, f->dev->front);
		q->tx_ref[slot] = loopxen_grant(f->x, f->dev->front, q->tx_page[slot],
						f->dev->back, true);
	}
	*ref = q->tx_ref[slot];
	return q->tx_page[slot];
}

static void add_extras(struct netfront_queue *q, const struct netfront_packet *packet,
		       bool last)
{
	struct netfront_extra extra = {.type = 1, .flags = packet->hash};

	if (packet->gso) {
		extra.u.gso.size = packet->gso_size;
		extra.u.gso.type = packet->gso;
		netfront_raw(q, &extra, true, last && !packet->hash);
	}
	if (packet->hash) {
		extra = (struct netfront_extra){.type = 4};
		netfront_raw(q, &extra, true, last);
	}
}

static uint32_t piece_of(const struct netfront_packet *packet, unsigned i,
			 uint32_t left)
{
	if (packet->piece)
		return packet->piece[i];
	return left < PAGE ? left : PAGE;
}

static unsigned pieces_of(const struct netfront_packet *packet)
{
	if (packet->piece)
		return packet->pieces;
	return packet->size ? (packet->size + PAGE - 1) / PAGE : 1;
}

bool netfront_send(struct netfront *f, unsigned queue,
		   const struct netfront_packet *packet)
{
	struct netfront_queue *q = &f->queue[queue];
	unsigned n = pieces_of(packet), extras = !!packet->gso + packet->hash;
	uint32_t at = 0;

	if (netfront_room(q) < n + extras)
		return false;
	for (unsigned i = 0; i < n; i++) {
		uint32_t size = piece_of(packet, i, packet->size - at);
		struct netfront_tx_req req = {
			.id = (uint16_t)(q->tx.req_prod * 7),
			.offset = packet->offset + size <= PAGE ? packet->offset : 0,
			.flags = i + 1 < n ? NETTXF_MORE : 0,
			.size = (uint16_t)(i ? size : packet->size),
		};
		struct gref ref;
		uint8_t *page = netfront_page(f, q, &ref);

		req.gref = ref.v;
		if (!i)
			req.flags |= packet->flags | (extras ? NETTXF_EXTRA : 0);
		memcpy(page + req.offset, packet->bytes + at, size);
		at += size;
		netfront_raw(q, &req, false, i + 1 == n && (i || !extras));
		if (!i && extras)
			add_extras(q, packet, n == 1);
	}
	return true;
}

void netfront_group(struct netfront *f, unsigned queue, const uint8_t mac[6], bool join)
{
	struct netfront_queue *q = &f->queue[queue];
	struct netfront_tx_req req = {.id = 0x606, .flags = NETTXF_EXTRA};
	struct netfront_extra extra = {.type = join ? 2 : 3};

	memcpy(extra.u.mac, mac, 6);
	netfront_raw(q, &req, false, false);
	netfront_raw(q, &extra, true, true);
}

void netfront_post(struct netfront *f, unsigned queue, unsigned n)
{
	struct netfront_queue *q = &f->queue[queue];

	for (; n; n--) {
		uint32_t slot = q->rx.req_prod % NETFRONT_RING;
		struct netfront_rx_req *req = &q->posted[slot];

		assert(q->rx.req_prod - q->rx.rsp_cons < NETFRONT_RING);
		if (!q->rx_page[slot]) {
			q->rx_page[slot] = loopxen_page(f->x, f->dev->front);
			q->rx_ref[slot] =
				loopxen_grant(f->x, f->dev->front, q->rx_page[slot],
					      f->dev->back, false);
		}
		memset(q->rx_page[slot], 0xee, PAGE);
		*req = (struct netfront_rx_req){
			.id = (uint16_t)(q->rx.req_prod * 3),
			.gref = q->rx_ref[slot].v,
		};
		memcpy(netfront_slot(&q->rx, q->rx.req_prod++), req, RX_ENTRY);
	}
}

bool netfront_ask(struct netfront *f, uint16_t type, uint32_t d0, uint32_t d1,
		  uint32_t d2)
{
	struct netfront_ring *ring = &f->control.ring;
	uint32_t slot = ring->req_prod % NETFRONT_CONTROL;

	if (ring->req_prod - ring->rsp_cons >= NETFRONT_CONTROL)
		return false;
	f->control.out[slot] = (struct netfront_control_req){
		(uint16_t)(ring->req_prod * 11), type, {d0, d1, d2}};
	memcpy(netfront_slot(ring, ring->req_prod++), &f->control.out[slot],
	       CONTROL_ENTRY);
	return true;
}

bool netfront_asked(struct netfront *f, uint32_t *status, uint32_t *data)
{
	struct netfront_ring *ring = &f->control.ring;
	const struct netfront_control_rsp *rsp = ring_next(ring);
	const struct netfront_control_req *req;

	if (!rsp)
		return false;
	assert(ring->req_prod - ring->rsp_cons < NETFRONT_CONTROL);
	req = &f->control.out[(ring->rsp_cons - 1) % NETFRONT_CONTROL];
	assert(rsp->id == req->id && rsp->type == req->type && !rsp->pad);
	assert(rsp->status <= 3 && (!rsp->data || rsp->status != 1));
	*status = rsp->status;
	*data = rsp->data;
	return true;
}

static void kick(struct netfront *f, struct netfront_queue *q, struct evport port)
{
	q->kicks++;
	loopxen_notify(f->x, f->dev->front, port);
}

void netfront_push(struct netfront *f)
{
	for (unsigned i = 0; i < f->queues; i++) {
		struct netfront_queue *q = &f->queue[i];

		if (ring_push(&q->tx))
			kick(f, q, q->tx_port);
		if (ring_push(&q->rx))
			kick(f, q, q->rx_port);
	}
	if (f->conf.control && ring_push(&f->control.ring))
		loopxen_notify(f->x, f->dev->front, f->control.port);
}

/* -- Answers -------------------------------------------------------------- */

bool netfront_done(struct netfront *f, unsigned queue, int *status)
{
	struct netfront_queue *q = &f->queue[queue];
	const struct netfront_tx_rsp *rsp;

	while ((rsp = ring_next(&q->tx))) {
		uint32_t slot = (q->tx.rsp_cons - 1) % NETFRONT_RING;
		const struct netfront_out *out = &q->out[slot];

		assert(q->tx.req_prod - q->tx.rsp_cons < NETFRONT_RING);
		if (out->extra) {
			assert(rsp->status == RSP_NULL);
		} else {
			assert(rsp->id == out->id);
			assert(rsp->status <= 0 && rsp->status >= RSP_DROPPED);
			assert(!q->begun || f->halves || q->status == rsp->status);
			q->status = rsp->status;
		}
		q->begun = true;
		if (out->last) {
			q->begun = false;
			*status = q->status;
			return true;
		}
	}
	return false;
}

/* The next slot's answer; in the order in which they were posted. */
static const struct netfront_rx_rsp *next_slot(struct netfront_queue *q, bool is_extra,
					       const uint8_t **page)
{
	const struct netfront_rx_rsp *rsp = ring_next(&q->rx);
	uint32_t slot = (q->rx.rsp_cons - 1) % NETFRONT_RING;

	if (!rsp)
		return NULL;
	assert(q->rx.req_prod - q->rx.rsp_cons < NETFRONT_RING);
	assert(is_extra || rsp->id == q->posted[slot].id);
	*page = q->rx_page[slot];
	return rsp;
}

/* False: one of no type, in place of one that did not come. */
static bool take_extra(struct netfront_queue *q, struct netfront_heard *out, bool *more)
{
	const uint8_t *page;
	const struct netfront_extra *extra = (const void *)next_slot(q, true, &page);

	out->slots++;
	assert(extra && extra->flags <= 1);
	*more = extra->flags;
	if (extra->type == 4) {
		assert(!out->hashed && !*more);
		out->hashed = true;
		out->hash_type = extra->u.hash.type;
		out->hash_algorithm = extra->u.hash.algorithm;
		memcpy(&out->hash, extra->u.hash.value, 4);
		return true;
	}
	if (!extra->type) {
		assert(!*more);
		return false;
	}
	assert(extra->type == 1 && !out->gso);
	assert(!extra->u.gso.pad && !extra->u.gso.features);
	out->gso = extra->u.gso.type;
	out->gso_size = extra->u.gso.size;
	return true;
}

/* False: not all came that were announced. */
static bool take_extras(struct netfront_queue *q, struct netfront_heard *out)
{
	bool more = true;

	while (more) {
		if (!take_extra(q, out, &more))
			return false;
	}
	return true;
}

bool netfront_heard(struct netfront *f, unsigned queue, struct netfront_heard *out)
{
	struct netfront_queue *q = &f->queue[queue];
	const struct netfront_rx_rsp *rsp;
	const uint8_t *page;
	bool more;

	rsp = next_slot(q, false, &page);
	if (!rsp)
		return false;
	out->status = out->gso = 0;
	out->gso_size = 0;
	out->hashed = false;
	out->size = out->slots = 0;
	out->flags = rsp->flags;
	do {
		uint32_t size = (uint16_t)rsp->status;

		more = rsp->flags & NETRXF_MORE;
		out->slots++;
		if (rsp->status < 0) {
			assert((!out->size || f->halves) && !more && !rsp->flags);
			out->status = rsp->status;
			return true;
		}
		assert(rsp->status > 0 && rsp->offset + size <= PAGE);
		assert(out->size + size <= sizeof(out->bytes));
		memcpy(out->bytes + out->size, page + rsp->offset, size);
		out->size += size;
		if (rsp->flags & NETRXF_EXTRA && !take_extras(q, out)) {
			assert(f->halves);
			out->status = RSP_ERROR;
		}
		/* A frame is answered as a whole. */
		if (more)
			rsp = next_slot(q, false, &page);
		assert(rsp);
	} while (more);
	return true;
}
