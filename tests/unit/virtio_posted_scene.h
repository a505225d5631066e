/* SPDX-License-Identifier: MIT */
/*
 * Queues whose buffers are posted, beside one of requests, under a class of the test's
 * and a driver of tests/front, over a pool or over grants.
 *
 * What a test turns is struct scene's, of the class; the rest is as a driver does it.
 */
#ifndef XDD_TEST_VIRTIO_POSTED_SCENE_H
#define XDD_TEST_VIRTIO_POSTED_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/door/virtio-device.h"
#include "tests/front/driver-queue.h"

#define MUST	 (VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_RING_RESET)
#define OFFERED	 VIRTIO_BIT(7)
#define PAGE	 4096u
#define PAGES	 160			       /* of the client */
#define AREA	 20			       /* pages of the copy area */
#define WORKS	 ((AREA - VIRTIO_RESERVE) / 2) /* of two pages each */
#define FIRST	 64 /* reference of the client's first page */
#define SIZE	 16
#define BUFFER	 100
#define MESSAGES 64

enum { WORK, POSTED, ORDERS, QUEUES };

/* What slot->request is. */
struct request {
	struct virtio_slot *slot;
	struct request *next;
};

struct list {
	struct request *first, *last;
};

static struct scene {
	struct virtio_memory memory;
	struct virtio_device d;
	struct policy policy;
	struct log log;
	uint8_t theirs[PAGES][PAGE] __attribute__((aligned(4096)));
	uint8_t area[AREA][PAGE] __attribute__((aligned(4096)));
	struct driver_pool pool;
	struct driver_queue front[QUEUES];
	/* Of the class. */
	struct list list[QUEUES];
	unsigned arrived, told; /* messages, and of them put into a buffer */
	unsigned fills, recalls, resets, undelivered;
	bool lets_go;	/* WORK is brought home when it is recalled */
	bool lacks;	/* as it says of POSTED */
	bool not_yet;	/* reset() says so */
	bool disagrees; /* agrees() does */
	uint32_t waits; /* queues, bits, of which nothing is admitted */
	bool paid;	/* what is admitted costs one of `tokens` */
	uint32_t tokens;
	int copy_status; /* of segments to the client */
} * s;

static bool grant;
static uint32_t posts = 1u << POSTED | 1u << ORDERS; /* queues, bits */

/* -- Grants ------------------------------------------------------------------------ */

static inline int fake_map(struct grants *g, const struct gref *refs, uint32_t n,
			   bool writable, struct grants_map *out)
{
	(void)g;
	assert_true(writable && refs[0].v >= FIRST && refs[0].v + n <= FIRST + PAGES);
	*out = (struct grants_map){s->theirs[refs[0].v - FIRST], n, 1, true};
	return GRANTS_OK;
}

static inline int fake_unmap(struct grants *g, struct grants_map *map)
{
	(void)g;
	*map = (struct grants_map){0};
	return GRANTS_OK;
}

static inline int fake_copy(struct grants *g, struct grants_seg *seg, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *at = s->theirs[seg[i].ref.v - FIRST] + seg[i].offset;
		uint8_t *ours = g->copy_area + seg[i].local;

		seg[i].status = (int8_t)(seg[i].to_client ? s->copy_status : 0);
		if (seg[i].status)
			continue;
		memcpy(seg[i].to_client ? at : ours, seg[i].to_client ? ours : at,
		       seg[i].len);
	}
	return GRANTS_OK;
}

static const struct grants_ops fake_ops = {
	.map = fake_map,
	.unmap = fake_unmap,
	.copy = fake_copy,
};
static struct grants grants = {.ops = &fake_ops};

/* -- A class ----------------------------------------------------------------------- */

static inline unsigned index_of(const struct virtio_queue *q)
{
	return (unsigned)(q - q->device->queue);
}

static inline void on_describe(struct virtio_device *d)
{
	d->offered = OFFERED;
}

static inline bool on_agrees(const struct virtio_device *d, uint64_t features)
{
	(void)d;
	return !(s->disagrees && features & OFFERED);
}

static inline void on_settled(struct virtio_device *d)
{
	(void)d;
}

static inline bool on_reset(struct virtio_device *d)
{
	s->resets++;
	if (s->not_yet)
		d->due = 77;
	return !s->not_yet;
}

static inline bool on_admit(struct virtio_slot *slot, uint64_t now)
{
	(void)now;
	if (!virtio_parts_room(&slot->parts))
		virtio_device_wrong(slot->queue->device, "no room");
	if ((slot->queue->device->status & VIRTIO_NEEDS_RESET) ||
	    (s->waits & 1u << index_of(slot->queue)) || (s->paid && !s->tokens))
		return false;
	s->tokens -= s->paid;
	return true;
}

static inline void on_start(struct virtio_slot *slot)
{
	struct list *list = &s->list[index_of(slot->queue)];
	struct request *r = slot->request;

	*r = (struct request){.slot = slot};
	*(list->first ? &list->last->next : &list->first) = r;
	list->last = r;
}

static struct virtio_slot *take(unsigned queue)
{
	struct request *r = s->list[queue].first;

	s->list[queue].first = r->next;
	return r->slot;
}

static inline void on_undelivered(struct virtio_slot *slot)
{
	s->undelivered++;
	virtio_slot_done(slot, 0, 0);
}

/* Message @i: @i bytes and one more, all alike. */
static inline void on_fill(struct virtio_device *d, uint64_t now)
{
	uint8_t bytes[MESSAGES + 1];

	(void)d;
	(void)now;
	s->fills++;
	while (posts && s->list[ORDERS].first &&
	       virtio_slot_room(s->list[ORDERS].first->slot, 1)) {
		struct virtio_slot *slot = take(ORDERS);

		virtio_parts_read(&slot->parts, 0, bytes, 1);
		virtio_parts_write(&slot->parts, 0, bytes, 1);
		virtio_slot_done(slot, 1, 0);
	}
	while (s->list[POSTED].first && s->told != s->arrived) {
		struct virtio_slot *slot = s->list[POSTED].first->slot;

		if (!virtio_slot_room(slot, s->told + 1))
			return;
		take(POSTED);
		memset(bytes, (int)s->told + 1, sizeof(bytes));
		virtio_parts_write(&slot->parts, 0, bytes, s->told + 1);
		virtio_slot_done(slot, ++s->told, 0);
	}
}

static inline bool on_lacks(const struct virtio_queue *q)
{
	return index_of(q) != POSTED || s->lacks;
}

static inline void on_recall(struct virtio_queue *q)
{
	unsigned i = index_of(q);

	s->recalls++;
	while (s->list[i].first && (i != WORK || s->lets_go)) {
		struct virtio_slot *slot = take(i);

		if (i == WORK)
			virtio_slot_done(slot, 0, 0);
		else
			virtio_slot_return(slot);
	}
}

static const struct virtio_class class = {
	.id = VIRTIO_ID_NET,
	.request_bytes = sizeof(struct request),
	.describe = on_describe,
	.agrees = on_agrees,
	.settled = on_settled,
	.reset = on_reset,
	.admit = on_admit,
	.start = on_start,
	.undelivered = on_undelivered,
	.fill = on_fill,
	.lacks = on_lacks,
	.recall = on_recall,
};

/* -- The scene -----------------------------------------------------------------------
 */

static inline void process(void)
{
	struct virtio_device_conf conf = {
		.class = &class,
		.memory = &s->memory,
		.policy = &s->policy,
		.log = &s->log,
		.queues = QUEUES,
		.posted = posts,
		.queue_size = SIZE,
	};

	s->policy = (struct policy){
		.in_flight = 1,
		.mode = grant ? POLICY_GRANT : POLICY_POOL,
		.data_pages = grant ? AREA : PAGES,
	};
	grants.copy_area = s->area[0];
	grants.copy_bytes = sizeof(s->area);
	assert_int_equal(virtio_memory_init(&s->memory, &grants, &s->policy, true,
					    virtio_slot_moved),
			 0);
	if (!grant) {
		s->memory.run[0] = (struct grants_map){s->theirs, PAGES, 0, true};
		s->memory.runs = 1;
		s->memory.bytes = PAGES * PAGE;
	}
	assert_int_equal(virtio_device_init(&s->d, &conf), 0);
	memset(s->list, 0, sizeof(s->list));
	on_describe(&s->d);
	virtio_device_begin(&s->d);
}

static inline void settle_features(void)
{
	virtio_device_set_status(&s->d, 3);
	virtio_device_accept(&s->d, 0, (uint32_t)OFFERED);
	virtio_device_accept(&s->d, 1, (uint32_t)(MUST >> 32));
	virtio_device_set_status(&s->d, 11);
}

static inline void set_queue(unsigned i)
{
	struct driver_queue *q = &s->front[i];
	uint64_t area[3];

	assert_true(driver_queue_new(q, SIZE, false, &s->pool));
	area[0] = q->desc.addr;
	area[1] = q->avail.addr;
	area[2] = q->used.addr;
	assert_int_equal(virtio_device_set_queue(&s->d, i, SIZE, area), 0);
}

static inline void ready(void)
{
	settle_features();
	driver_pool_init(&s->pool, s->theirs, PAGES * PAGE,
			 grant ? UINT64_C(1) << 63 | (uint64_t)FIRST << 12
			       : DRIVER_POOL_BASE);
	for (unsigned i = 0; i < QUEUES; i++)
		set_queue(i);
	virtio_device_set_status(&s->d, 15);
	assert_int_equal(s->d.status, 15);
}

static inline int set_up(void **state)
{
	(void)state;
	s = aligned_alloc(4096, (sizeof(*s) + PAGE - 1) / PAGE * PAGE);
	memset(s, 0, sizeof(*s));
	log_init(&s->log, "test");
	s->log.tokens = 0;
	process();
	ready();
	return 0;
}

static inline void process_ends(void)
{
	virtio_device_fini(&s->d);
	s->memory.runs = 0;
	virtio_memory_fini(&s->memory);
}

static inline int tear_down(void **state)
{
	(void)state;
	process_ends();
	free(s);
	return 0;
}

static inline void turn_as(bool taking)
{
	bool notify = false;

	assert_int_equal(virtio_device_turn(&s->d, taking, 5, &notify), 0);
}

static inline void turn(void)
{
	turn_as(true);
}

/* A chain with @readable bytes to read and @room to write, a page of its own. */
static inline uint8_t *add(unsigned queue, uint32_t readable, uint32_t room,
			   uint8_t byte)
{
	struct driver_block block = driver_pool_get(&s->pool, PAGE, PAGE);
	struct driver_sg sg[2] = {{block.addr, readable},
				  {block.addr + readable, room}};
	unsigned reads = readable != 0;

	assert_non_null(block.at);
	memset(block.at, byte, readable);
	memset(block.at + readable, 0xee, PAGE - readable);
	assert_true(driver_queue_add(&s->front[queue], reads ? sg : sg + 1, reads, 1,
				     reads + 1, (uintptr_t)block.at) >= 0);
	driver_queue_publish(&s->front[queue]);
	return block.at + readable;
}

static inline void post(unsigned n)
{
	while (n--)
		add(POSTED, 0, BUFFER, 0);
}

/* Message @i is the next thing to come back on POSTED. */
static inline void comes(unsigned i)
{
	struct driver_done done;
	const uint8_t *at;

	assert_int_equal(driver_queue_get(&s->front[POSTED], &done), DRIVER_GOT);
	assert_int_equal(done.len, i + 1);
	at = (const uint8_t *)(uintptr_t)done.cookie;
	for (unsigned k = 0; k <= i; k++)
		assert_int_equal(at[k], i + 1);
	assert_int_equal(at[i + 1], 0xee);
}

static inline bool is_silent(unsigned queue)
{
	struct driver_done done;

	return driver_queue_get(&s->front[queue], &done) == DRIVER_NOTHING;
}

static inline uint32_t out(unsigned queue)
{
	return s->d.queue[queue].taken - s->d.queue[queue].published;
}

static inline void finish_work(void)
{
	virtio_slot_done(take(WORK), 1, 0);
}

static inline int set_up_pool(void **state)
{
	grant = false;
	return set_up(state);
}

static inline int set_up_grant(void **state)
{
	grant = true;
	return set_up(state);
}

#define BOTH(name)                                                                     \
	{#name ": pool", name, set_up_pool, tear_down, NULL},                          \
	{                                                                              \
#name ": grant", name, set_up_grant, tear_down, NULL                   \
	}

#define GRANT(name) cmocka_unit_test_setup_teardown(name, set_up_grant, tear_down)

#endif
