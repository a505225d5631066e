/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "tests/device/net-front-virtio.h"
#include "tests/front/virtio-le.h"

/* -- Chains --------------------------------------------------------------------------
 */

bool net_front_chain(struct net_front_virtio *f, unsigned queue, uint16_t id,
		     const void *bytes, uint32_t readable, uint32_t room)
{
	return vchain_put(&f->chains, &f->v, queue, id, bytes, readable, room,
			  f->piece);
}

bool net_front_back(struct net_front_virtio *f, unsigned queue, uint16_t *id,
		    uint8_t *out, uint32_t room, uint32_t *len)
{
	return vchain_back(&f->chains, &f->v, queue, id, out, room, len);
}

void net_front_push(struct net_front_virtio *f)
{
	vfront_push(&f->v);
}

/* -- A driver's life -----------------------------------------------------------------
 */

static void notify(void *owner)
{
	struct vfront *v = &((struct net_front_virtio *)owner)->v;

	loopxen_notify(v->x, v->dev->front, v->port);
}

static bool let_run(void *owner)
{
	struct net_front_virtio *f = owner;

	return f->run(f->owner);
}

void net_front_forget(struct net_front_virtio *f)
{
	f->chains = (struct vchains){0};
	f->empty = 0;
}

void net_front_connect(struct net_front_virtio *f, struct loopxen *x,
		       const struct loopxen_device *dev)
{
	struct vfront_conf conf = f->conf;

	conf.queues = 2 * (f->pairs ? f->pairs : 1) + 1;
	if (!conf.size)
		conf.size = 256;
	if (!conf.pages)
		conf.pages = 1024;
	vfront_connect(&f->v, x, dev, &conf);
	f->v.driver.wait = let_run;
	f->v.driver.owner = f;
	f->v.driver.notify = notify;
	net_front_forget(f);
}

bool net_front_ready(struct net_front_virtio *f)
{
	return vfront_ready(&f->v);
}

bool net_front_disconnect(struct net_front_virtio *f)
{
	return vfront_disconnect(&f->v);
}

/* -- Frames --------------------------------------------------------------------------
 */

static void put_header(const struct net_front_header *header, uint8_t *at)
{
	const uint16_t words[] = {header->header, header->gso_size, header->start,
				  header->offset, header->buffers};

	at[0] = header->flags;
	at[1] = header->gso;
	for (unsigned i = 0; i < 5; i++)
		le_put(at + 2 + 2 * i, 2, words[i]);
}

static void get_header(const uint8_t *at, struct net_front_header *out)
{
	uint16_t *const words[] = {&out->header, &out->gso_size, &out->start,
				   &out->offset, &out->buffers};

	out->flags = at[0];
	out->gso = at[1];
	for (unsigned i = 0; i < 5; i++)
		*words[i] = (uint16_t)le_get(at + 2 + 2 * i, 2);
}

bool net_front_send(struct net_front_virtio *f, unsigned pair, uint16_t id,
		    const struct net_front_header *header, const uint8_t *frame,
		    uint32_t size)
{
	assert(NET_FRONT_HEADER + size <= sizeof(f->bytes));
	put_header(header, f->bytes);
	memcpy(f->bytes + NET_FRONT_HEADER, frame, size);
	return net_front_chain(f, NET_FRONT_TX(pair), id, f->bytes,
			       NET_FRONT_HEADER + size, 0);
}

bool net_front_sent(struct net_front_virtio *f, unsigned pair, uint16_t *id)
{
	uint32_t len;

	if (!net_front_back(f, NET_FRONT_TX(pair), id, NULL, 0, &len))
		return false;
	assert(!len);
	return true;
}

bool net_front_post(struct net_front_virtio *f, unsigned pair, unsigned n,
		    uint32_t bytes)
{
	bool room = true;

	while (room && n--)
		room = net_front_chain(f, NET_FRONT_RX(pair), 0, "", 0, bytes);
	return room;
}

uint32_t net_front_receive(struct net_front_virtio *f, unsigned pair,
			   struct net_front_header *header)
{
	uint32_t at = 0, len;
	uint16_t id;

	do {
		if (!net_front_back(f, NET_FRONT_RX(pair), &id, f->bytes,
				    sizeof(f->bytes), &len))
			return 0;
		f->empty += !len;
	} while (!len);
	assert(len >= NET_FRONT_HEADER && len <= sizeof(f->bytes));
	get_header(f->bytes, header);
	assert(header->buffers >= 1 &&
	       (header->buffers == 1 || f->v.features & NET_FRONT_F_MRG_RXBUF));
	for (at = len; --header->buffers; at += len) {
		bool back = net_front_back(f, NET_FRONT_RX(pair), &id, f->bytes + at,
					   (uint32_t)sizeof(f->bytes) - at, &len);

		/* All of a frame comes at once. */
		assert(back && len && len <= sizeof(f->bytes) - at);
	}
	get_header(f->bytes, header);
	return at - NET_FRONT_HEADER;
}

/* -- Orders --------------------------------------------------------------------------
 */

int net_front_order_raw(struct net_front_virtio *f, const void *bytes, uint32_t n)
{
	unsigned pairs = f->v.features & NET_FRONT_F_MQ && f->pairs ? f->pairs : 1;
	uint8_t ack = 0xff;
	uint32_t len;
	uint16_t id;

	if (!net_front_chain(f, 2 * pairs, 0, bytes, n, 1))
		return -1;
	net_front_push(f);
	f->run(f->owner);
	if (!net_front_back(f, 2 * pairs, &id, &ack, 1, &len))
		return -1;
	assert(len == 1 && ack <= 1);
	return ack;
}

int net_front_order(struct net_front_virtio *f, uint8_t class, uint8_t command,
		    const void *data, uint32_t bytes)
{
	uint8_t order[4096] = {class, command};

	assert(bytes <= sizeof(order) - 2);
	memcpy(order + 2, data, bytes);
	return net_front_order_raw(f, order, 2 + bytes);
}
