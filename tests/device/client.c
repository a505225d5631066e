/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "tests/device/client.h"

static const uint8_t pv_ops[] = {
	[CLIENT_READ] = BLKIF_READ,
	[CLIENT_WRITE] = BLKIF_WRITE,
	[CLIENT_FLUSH] = BLKIF_FLUSH,
	[CLIENT_DISCARD] = BLKIF_DISCARD,
};

static const uint32_t virtio_types[] = {
	[CLIENT_READ] = BLK_VIRTIO_IN,
	[CLIENT_WRITE] = BLK_VIRTIO_OUT,
	[CLIENT_FLUSH] = BLK_VIRTIO_FLUSH,
	[CLIENT_DISCARD] = BLK_VIRTIO_DISCARD,
};

static bool is_virtio(const struct client *c)
{
	return c->bed->conf.door == POLICY_VIRTIO;
}

static struct front *pv_queue(struct client *c, unsigned queue)
{
	return queue ? &c->bed->queue[queue] : &c->bed->front;
}

void client_init(struct client *c, struct bed *bed)
{
	memset(c, 0, sizeof(*c));
	c->bed = bed;
}

static void pv_add(struct client *c, unsigned queue, uint64_t id, enum client_op op,
		   uint64_t sector, uint32_t bytes, const uint8_t *data)
{
	struct front *f = pv_queue(c, queue);
	unsigned pages = (bytes + 4095) / 4096;

	if (op == CLIENT_FLUSH || op == CLIENT_DISCARD) {
		front_simple(f, pv_ops[op], id, sector, bytes / 512);
		return;
	}
	for (unsigned i = 0; i < pages; i++) {
		struct front_buf *buf = &c->buf[id][i];
		uint32_t left = bytes - i * 4096, n = left < 4096 ? left : 4096;

		if (!buf->page)
			*buf = front_buf(&c->bed->front, false);
		buf->first = 0;
		buf->last = (uint8_t)(n / 512 - 1);
		if (data)
			memcpy(buf->page, data + i * 4096, n);
	}
	front_rw(f, pv_ops[op], id, sector, c->buf[id], pages);
}

static void virtio_add(struct client *c, unsigned queue, uint64_t id, enum client_op op,
		       uint64_t sector, uint32_t bytes, const uint8_t *data)
{
	uint8_t range[BLK_VIRTIO_RANGE] = {0};
	uint8_t *at;

	if (op == CLIENT_DISCARD) {
		virtio_put64(range, sector);
		virtio_put32(range + 8, bytes / 512);
		data = range;
		bytes = sizeof(range);
	}
	at = vfront_add(&c->bed->vfront, queue, id, virtio_types[op], sector, bytes);
	assert(at);
	if (data)
		memcpy(at, data, bytes);
}

void client_add(struct client *c, unsigned queue, uint64_t id, enum client_op op,
		uint64_t sector, uint32_t bytes, const uint8_t *data)
{
	assert(id < CLIENT_IDS && bytes <= CLIENT_BYTES);
	c->reads[id] = op == CLIENT_READ;
	c->bytes[id] = bytes;
	if (is_virtio(c))
		virtio_add(c, queue, id, op, sector, bytes, data);
	else
		pv_add(c, queue, id, op, sector, bytes, data);
}

void client_push(struct client *c)
{
	unsigned queues = c->bed->conf.front.queues;

	if (is_virtio(c)) {
		vfront_push(&c->bed->vfront);
		return;
	}
	for (unsigned i = 0; i < (queues ? queues : 1); i++)
		front_push(pv_queue(c, i));
}

static bool pv_answer(struct client *c, struct client_answer *out)
{
	unsigned queues = c->bed->conf.front.queues;
	struct front_rsp rsp;
	unsigned i = 0;

	while (!front_answer(pv_queue(c, i), &rsp)) {
		if (++i >= (queues ? queues : 1))
			return false;
	}
	out->id = rsp.id;
	out->result = rsp.status == BLKIF_OKAY	       ? CLIENT_OK
		      : rsp.status == BLKIF_EOPNOTSUPP ? CLIENT_UNSUPPORTED
						       : CLIENT_ERROR;
	for (uint32_t at = 0; c->reads[rsp.id] && at < c->bytes[rsp.id]; at += 4096) {
		uint32_t left = c->bytes[rsp.id] - at;

		memcpy(c->data[rsp.id] + at, c->buf[rsp.id][at / 4096].page,
		       left < 4096 ? left : 4096);
	}
	return true;
}

static bool virtio_answer(struct client *c, struct client_answer *out)
{
	struct vfront_answer a;

	if (!vfront_answer(&c->bed->vfront, &a))
		return false;
	out->id = a.cookie;
	out->result = a.status == BLK_VIRTIO_OK	      ? CLIENT_OK
		      : a.status == BLK_VIRTIO_UNSUPP ? CLIENT_UNSUPPORTED
						      : CLIENT_ERROR;
	/* All that was written, or nothing of it. */
	if (c->reads[a.cookie]) {
		assert(a.len == (a.status ? 0 : c->bytes[a.cookie] + 1));
		memcpy(c->data[a.cookie], a.data, c->bytes[a.cookie]);
	}
	return true;
}

bool client_answer(struct client *c, struct client_answer *out)
{
	bool got = is_virtio(c) ? virtio_answer(c, out) : pv_answer(c, out);

	if (got)
		out->data = c->data[out->id];
	return got;
}

enum client_result client_ask(struct client *c, enum client_op op, uint64_t sector,
			      uint32_t bytes, uint8_t *data)
{
	struct client_answer answer;
	int r;

	client_add(c, 0, 0, op, sector, bytes, op == CLIENT_WRITE ? data : NULL);
	client_push(c);
	r = bed_run(c->bed);
	assert(!r);
	if (!client_answer(c, &answer))
		assert(!"an answer");
	assert(!answer.id);
	if (op == CLIENT_READ)
		memcpy(data, answer.data, bytes);
	assert(!client_answer(c, &answer));
	return answer.result;
}
