/* SPDX-License-Identifier: MIT */
/*
 * A driver (tests/front/) and a device's virtqueue over the same three areas, each in
 * a block of the heap that ends where the area ends: a sanitizer sees who reads on.
 */
#ifndef XDD_TEST_VIRTQUEUE_SCENE_H
#define XDD_TEST_VIRTQUEUE_SCENE_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/door/virtqueue.h"
#include "tests/front/driver-queue.h"

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define POOL_BYTES (256u << 10)

struct scene {
	struct driver_block area[3];
	uint8_t *memory;
	struct driver_pool pool;
	struct driver_queue front;
	struct virtqueue_conf conf;
	struct virtqueue vq;
	struct virtqueue_chain chain; /* as last taken */
};

static struct scene s;

/* What is the driver's to name: its pool, and nothing else. */
static const void *scene_table(void *owner, uint64_t addr, uint32_t len)
{
	const struct scene *scene = owner;
	uint64_t at = addr - DRIVER_POOL_BASE;

	if (addr < DRIVER_POOL_BASE || at > POOL_BYTES || len > POOL_BYTES - at)
		return NULL;
	return scene->memory + at;
}

static inline int scene_end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		free(s.area[i].at);
	free(s.memory);
	memset(&s, 0, sizeof(s));
	return 0;
}

static inline struct driver_block scene_area(uint64_t addr, uint32_t bytes)
{
	void *at = NULL;

	assert_int_equal(posix_memalign(&at, 16, bytes), 0);
	return (struct driver_block){at, addr, bytes};
}

static inline void scene_begin(uint16_t size, bool event_idx)
{
	scene_end(NULL);
	s.area[0] = scene_area(0x1000, driver_queue_desc_bytes(size));
	s.area[1] = scene_area(0x2000, driver_queue_avail_bytes(size));
	s.area[2] = scene_area(0x3000, driver_queue_used_bytes(size));
	s.memory = calloc(1, POOL_BYTES);
	assert_non_null(s.memory);
	driver_pool_init(&s.pool, s.memory, POOL_BYTES, DRIVER_POOL_BASE);
	driver_queue_init(&s.front, size, event_idx, s.area, &s.pool);
	s.conf = (struct virtqueue_conf){
		.size = size,
		.desc = s.area[0].at,
		.avail = s.area[1].at,
		.used = s.area[2].at,
		.event_idx = event_idx,
		.table = scene_table,
		.owner = &s,
	};
	assert_int_equal(virtqueue_init(&s.vq, &s.conf, false), VIRTQUEUE_OK);
}

/* The same, as after @start chains. */
static inline void scene_begin_at(uint16_t size, bool event_idx, uint16_t start)
{
	scene_begin(size, event_idx);
	driver_queue_start_at(&s.front, start);
	assert_int_equal(virtqueue_init(&s.vq, &s.conf, true), VIRTQUEUE_OK);
	s.vq.signal = false;
}

/* A chain of buffers that tell which they are; @direct as driver_queue_add() has it. */
static inline int scene_add(unsigned readable, unsigned writable, unsigned direct,
			    uint64_t cookie)
{
	struct driver_sg sg[DRIVER_QUEUE_MAX];

	for (unsigned i = 0; i < readable + writable; i++) {
		sg[i].addr = cookie << 16 | i;
		sg[i].len = 1 + i + (uint32_t)cookie % 1000;
	}
	return driver_queue_add(&s.front, sg, readable, writable, direct, cookie);
}

static inline void scene_is(unsigned readable, unsigned writable, uint64_t cookie)
{
	assert_int_equal(s.chain.readable, readable);
	assert_int_equal(s.chain.writable, writable);
	for (unsigned i = 0; i < readable + writable; i++) {
		assert_int_equal(s.chain.buffer[i].addr, cookie << 16 | i);
		assert_int_equal(s.chain.buffer[i].len, 1 + i + cookie % 1000);
	}
}

static inline enum virtqueue_status scene_take(void)
{
	memset(&s.chain, 0xa5, sizeof(s.chain));
	return virtqueue_take(&s.vq, &s.chain);
}

/* One raw descriptor in the queue's own area. */
static inline void scene_desc(unsigned i, uint64_t addr, uint32_t len, uint16_t flags,
			      uint16_t next)
{
	driver_queue_raw_desc(s.area[0].at, i, addr, len, flags, next);
}

/* @head is available as the driver's next, whatever it is. */
static inline void scene_offer(uint16_t head)
{
	driver_queue_raw_avail(&s.front, s.front.added++, head);
	driver_queue_publish(&s.front);
}

/* "@n @what" were tried for case @name: a line for tests/count.py. */
static inline void tally(const char *name, uint64_t n, const char *what)
{
	printf("tally: %s %" PRIu64 " %s\n", name, n, what);
	fflush(stdout);
}

/* The queue is broken, says why, and gives and says nothing more. */
static inline void scene_broken(void)
{
	uint16_t idx = driver_queue_used_idx(&s.front);

	assert_int_equal(scene_take(), VIRTQUEUE_BROKEN);
	assert_non_null(s.vq.why);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(scene_take(), VIRTQUEUE_BROKEN);
	assert_false(virtqueue_pending(&s.vq));
	assert_false(virtqueue_arm(&s.vq));
	assert_false(virtqueue_push(&s.vq));
	assert_int_equal(driver_queue_used_idx(&s.front), idx);
}

#endif
