/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/device/vfront.h"
#include "tests/front/virtio-le.h"

#define RUN   256  /* pages of one pool-ref */
#define FIRST 1024 /* reference, where nobody else takes one */

#define T_IN	 0
#define T_GET_ID 8
#define HEADER	 16
#define SEGMENT	 4096 /* what one descriptor carries */
#define SEGMENTS 250

void vfront_key(struct vfront *f, const char *key, const char *value)
{
	char path[160];

	loopxen_path(f->dev, STORE_FRONT, key, path, sizeof(path));
	if (value)
		loopxen_write(f->x, f->dev->front, path, value);
	else
		loopxen_rm(f->x, f->dev->front, path);
}

static void number(struct vfront *f, const char *key, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	vfront_key(f, key, text);
}

void vfront_state(struct vfront *f, enum store_state state)
{
	number(f, "state", state);
}

static void notify(void *owner)
{
	struct vfront *f = owner;

	loopxen_notify(f->x, f->dev->front, f->port);
}

static bool let_run(void *owner)
{
	struct vfront *f = owner;

	return f->run(f->owner);
}

/* The pool, or what is granted page by page: neighbours, with neighbours' numbers. */
static void grant_pool(struct vfront *f)
{
	unsigned pages = f->conf.pages ? f->conf.pages : 512;
	uint64_t base = DRIVER_POOL_BASE;
	uint8_t *at = f->pool.at, *old = at;
	char key[16], value[32];

	f->first.v = FIRST;
	for (unsigned i = 0; i < pages; i++) {
		uint8_t *page = old ? old + (size_t)i * 4096
				    : loopxen_page(f->x, f->dev->front);

		at = at ? at : page;
		loopxen_grant_as(f->x, f->dev->front, (struct gref){FIRST + i}, page,
				 f->dev->back, false);
	}
	if (f->conf.grant)
		base = UINT64_C(1) << 63 | (uint64_t)FIRST << 12;
	for (unsigned i = 0; i < 16; i++) {
		unsigned left = i * RUN < pages ? pages - i * RUN : 0;

		snprintf(key, sizeof(key), "pool-ref%u", i);
		snprintf(value, sizeof(value), "%u+%u", FIRST + i * RUN,
			 left < RUN ? left : RUN);
		vfront_key(f, key, left && !f->conf.grant ? value : NULL);
	}
	driver_pool_init(&f->pool, at, pages * 4096, base);
}

void vfront_connect(struct vfront *f, struct loopxen *x,
		    const struct loopxen_device *dev, const struct vfront_conf *conf)
{
	bool (*run)(void *) = f->run;
	void *owner = f->owner;
	uint8_t *page = conf->again ? f->page : NULL;
	uint8_t *pool = conf->again ? f->pool.at : NULL;

	*f = (struct vfront){
		.x = x, .dev = dev, .conf = *conf, .run = run, .owner = owner};
	f->pool.at = pool;
	if (!f->conf.queues)
		f->conf.queues = 1;
	if (!f->conf.size)
		f->conf.size = 128;
	f->page = page ? page : loopxen_page(x, dev->front);
	f->control = loopxen_grant(x, dev->front, f->page, dev->back, false);
	f->port = loopxen_port(x, dev->front, dev->back);
	grant_pool(f);
	virtio_driver_init(&f->driver, f->page, notify, let_run, f);
	vfront_key(f, "version", "1");
	vfront_key(f, "memory", conf->grant ? "grant" : "pool");
	number(f, "control-ref", f->control.v);
	number(f, "event-channel", f->port.v);
	vfront_state(f, STORE_INITIALISED);
}

bool vfront_ready(struct vfront *f)
{
	uint64_t wanted = ~f->conf.refuses;

	if (f->conf.plain)
		wanted &= ~(DRIVER_F_INDIRECT_DESC | DRIVER_F_EVENT_IDX);
	if (!virtio_driver_begin(&f->driver, wanted, &f->features))
		return false;
	for (unsigned i = 0; i < f->conf.queues; i++) {
		if (!driver_queue_new(&f->queue[i], f->conf.size,
				      f->features & DRIVER_F_EVENT_IDX, &f->pool) ||
		    !virtio_driver_queue(&f->driver, i, &f->queue[i]))
			return false;
	}
	return virtio_driver_ready(&f->driver) &&
	       !(f->driver.status & DRIVER_S_NEEDS_RESET);
}

bool vfront_disconnect(struct vfront *f)
{
	unsigned pages = f->conf.pages ? f->conf.pages : 512;
	bool clean = loopxen_revoke(f->x, f->dev->front, f->control);

	for (unsigned i = 0; i < pages; i++)
		clean &= loopxen_revoke(f->x, f->dev->front,
					(struct gref){f->first.v + i});
	loopxen_close(f->x, f->dev->front, f->port);
	return clean;
}

/* As many buffers as @block needs, after the first @n. */
static unsigned cut(const struct driver_block *block, struct driver_sg *sg, unsigned n)
{
	for (uint32_t at = 0; at < block->bytes; at += SEGMENT, n++) {
		uint32_t left = block->bytes - at;

		assert(n < SEGMENTS);
		sg[n] = (struct driver_sg){block->addr + at,
					   left < SEGMENT ? left : SEGMENT};
	}
	return n;
}

uint8_t *vfront_add(struct vfront *f, unsigned queue, uint64_t cookie, uint32_t type,
		    uint64_t sector, uint32_t bytes)
{
	struct vfront_request *r = &f->request[cookie % VFRONT_REQUESTS];
	bool reads = type == T_IN || type == T_GET_ID;
	struct driver_sg sg[SEGMENTS + 2];
	unsigned n, readable;

	assert(!r->out);
	*r = (struct vfront_request){.queue = queue};
	r->header = driver_pool_get(&f->pool, HEADER, 16);
	r->status = driver_pool_get(&f->pool, 1, 1);
	if (bytes)
		r->data = driver_pool_get(&f->pool, bytes, bytes < 512 ? 16 : 512);
	if (!r->header.at || !r->status.at || (bytes && !r->data.at))
		return NULL;
	le_put(r->header.at, 4, type);
	le_put(r->header.at + 4, 4, 0);
	le_put(r->header.at + 8, 8, sector);
	*r->status.at = 0xff;
	n = cut(&r->header, sg, 0);
	if (!reads)
		n = cut(&r->data, sg, n);
	readable = n;
	if (reads)
		n = cut(&r->data, sg, n);
	n = cut(&r->status, sg, n);
	if (driver_queue_add(&f->queue[queue], sg, readable, n - readable,
			     f->features & DRIVER_F_INDIRECT_DESC ? 0 : n, cookie) < 0)
		return NULL;
	r->out = true;
	return r->data.at ? r->data.at : r->header.at;
}

void vfront_push(struct vfront *f)
{
	bool wants = false;

	for (unsigned i = 0; i < f->conf.queues; i++)
		wants |= driver_queue_publish(&f->queue[i]);
	if (wants)
		notify(f);
}

bool vfront_answer(struct vfront *f, struct vfront_answer *out)
{
	for (unsigned i = 0; i < f->conf.queues; i++) {
		struct vfront_request *r;
		struct driver_done done;
		enum driver_got got = driver_queue_get(&f->queue[i], &done);

		if (got == DRIVER_NOTHING) {
			driver_queue_arm(&f->queue[i]);
			continue;
		}
		assert(got == DRIVER_GOT);
		r = &f->request[done.cookie % VFRONT_REQUESTS];
		assert(r->out && r->queue == i);
		r->out = false;
		*out = (struct vfront_answer){done.cookie, *r->status.at, done.len,
					      r->data.at};
		driver_pool_put(&f->pool, &r->header);
		driver_pool_put(&f->pool, &r->data);
		driver_pool_put(&f->pool, &r->status);
		return true;
	}
	return false;
}
