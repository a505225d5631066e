/* SPDX-License-Identifier: MIT */
/*
 * Through the virtio door, with a pool or with grants, as Linux' virtio_blk is: one
 * queue, event index, indirect descriptors where they are offered, a descriptor for
 * each page of data. See front.h; the driver is tests/front's.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench-parts/front.h"
#include "tests/front/virtio-driver.h"
#include "tests/front/virtio-le.h"

#define QUEUE_SIZE  256
#define POOL_PAGES  1792 /* seven runs of 256, from page 1 on */
#define POOL_BYTES  (POOL_PAGES * 4096)
#define GRANT_BASE  (UINT64_C(1) << 63 | (uint64_t)(SCENE_FIRST_REF + 1) << 12)
#define T_IN	    0
#define T_OUT	    1
#define HEADER	    16
#define DESCRIPTORS (FRONT_SEGMENTS + 2)

static struct {
	struct scene *scene;
	struct driver_pool pool;
	struct virtio_driver driver;
	struct driver_queue queue;
	uint64_t features;
	struct {
		struct driver_block header, data, status;
	} slot[FRONT_DEPTH];
} dev;

static _Noreturn void die(const char *why)
{
	fprintf(stderr, "bench: virtio: %s\n", why);
	exit(1);
}

static void kick(void *owner)
{
	scene_kick(owner);
}

static bool wait(void *owner)
{
	scene_wait(owner);
	return true;
}

static void begin(struct scene *s, uint64_t base)
{
	dev.scene = s;
	driver_pool_init(&dev.pool, scene_page(s, 1), POOL_BYTES, base);
	virtio_driver_init(&dev.driver, scene_page(s, 0), kick, wait, s);
}

static void pool_begin(struct scene *s)
{
	begin(s, DRIVER_POOL_BASE);
}

static void grant_begin(struct scene *s)
{
	begin(s, GRANT_BASE);
}

static void virtio_ready(struct scene *s)
{
	(void)s;
	if (!virtio_driver_begin(&dev.driver, ~UINT64_C(0), &dev.features) ||
	    !driver_queue_new(&dev.queue, QUEUE_SIZE, dev.features & DRIVER_F_EVENT_IDX,
			      &dev.pool) ||
	    !virtio_driver_queue(&dev.driver, 0, &dev.queue) ||
	    !virtio_driver_ready(&dev.driver))
		die("the device does not get ready");
	for (unsigned i = 0; i < FRONT_DEPTH; i++) {
		dev.slot[i].header = driver_pool_get(&dev.pool, HEADER, 16);
		dev.slot[i].status = driver_pool_get(&dev.pool, 1, 1);
		dev.slot[i].data =
			driver_pool_get(&dev.pool, FRONT_SEGMENTS * 4096, 4096);
		if (!dev.slot[i].header.at || !dev.slot[i].status.at ||
		    !dev.slot[i].data.at)
			die("the pool is too small");
	}
	driver_queue_arm(&dev.queue);
}

static bool virtio_add(unsigned slot, const struct front_request *request)
{
	const struct driver_block *header = &dev.slot[slot].header;
	const struct driver_block *status = &dev.slot[slot].status;
	struct driver_sg sg[DESCRIPTORS] = {{header->addr, HEADER}};
	unsigned n = request->pages, readable = request->write ? 1 + n : 1;
	unsigned direct = dev.features & DRIVER_F_INDIRECT_DESC ? 0 : n + 2;

	le_put(header->at, 4, request->write ? T_OUT : T_IN);
	le_put(header->at + 4, 4, 0);
	le_put(header->at + 8, 8, request->sector);
	*status->at = 0xff;
	for (unsigned i = 0; i < n; i++)
		sg[1 + i] =
			(struct driver_sg){dev.slot[slot].data.addr + i * 4096, 4096};
	sg[1 + n] = (struct driver_sg){status->addr, 1};
	return driver_queue_add(&dev.queue, sg, readable, n + 2 - readable, direct,
				slot) >= 0;
}

static void virtio_publish(void)
{
	if (driver_queue_publish(&dev.queue))
		scene_kick(dev.scene);
}

static int virtio_answer(void)
{
	struct driver_done done;
	enum driver_got got = driver_queue_get(&dev.queue, &done);

	if (got == DRIVER_NOTHING && driver_queue_arm(&dev.queue))
		got = driver_queue_get(&dev.queue, &done);
	if (got == DRIVER_NOTHING)
		return FRONT_NONE;
	if (got == DRIVER_WRONG || *dev.slot[done.cookie].status.at)
		die("a request failed");
	return (int)done.cookie;
}

#define KEYS                                                                           \
	{"version", "1"}, {"control-ref", "8"},                                        \
	{                                                                              \
		"event-channel", "5"                                                   \
	}

static const struct scene_key pool_keys[] = {
	KEYS,
	{"memory", "pool"},
	{"pool-ref0", "9+256"},
	{"pool-ref1", "265+256"},
	{"pool-ref2", "521+256"},
	{"pool-ref3", "777+256"},
	{"pool-ref4", "1033+256"},
	{"pool-ref5", "1289+256"},
	{"pool-ref6", "1545+256"},
	{NULL, NULL},
};

const struct front front_pool = {
	.name = "virtio-pool",
	.kind = "vmsg_blk",
	.door = "Door = virtio\n",
	.memory = "Mode = pool\nPoolPages = 1792\n",
	.keys = pool_keys,
	.begin = pool_begin,
	.ready = virtio_ready,
	.add = virtio_add,
	.publish = virtio_publish,
	.answer = virtio_answer,
};

static const struct scene_key grant_keys[] = {
	KEYS,
	{"memory", "grant"},
	{NULL, NULL},
};

const struct front front_grant = {
	.name = "virtio-grant",
	.kind = "vmsg_blk",
	.door = "Door = virtio\n",
	.memory = "Mode = grant\nDataPages = 1056\n",
	.keys = grant_keys,
	.begin = grant_begin,
	.ready = virtio_ready,
	.add = virtio_add,
	.publish = virtio_publish,
	.answer = virtio_answer,
};
