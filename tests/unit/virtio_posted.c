/* SPDX-License-Identifier: MIT */
/*
 * backends/door/: queues whose buffers are posted, beside one of requests, under a
 * class of the test's and a driver of tests/front. Each case through a pool and through
 * grants.
 */
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
	bool lets_go;	 /* WORK is brought home when it is recalled */
	bool lacks;	 /* as it says of POSTED */
	bool not_yet;	 /* reset() says so */
	bool disagrees;	 /* agrees() does */
	int copy_status; /* of segments to the client */
} * s;

static bool grant;

/* -- Grants ------------------------------------------------------------------------ */

static int fake_map(struct grants *g, const struct gref *refs, uint32_t n,
		    bool writable, struct grants_map *out)
{
	(void)g;
	assert_true(writable && refs[0].v >= FIRST && refs[0].v + n <= FIRST + PAGES);
	*out = (struct grants_map){s->theirs[refs[0].v - FIRST], n, 1, true};
	return GRANTS_OK;
}

static int fake_unmap(struct grants *g, struct grants_map *map)
{
	(void)g;
	*map = (struct grants_map){0};
	return GRANTS_OK;
}

static int fake_copy(struct grants *g, struct grants_seg *seg, uint32_t n)
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

static unsigned index_of(const struct virtio_queue *q)
{
	return (unsigned)(q - q->device->queue);
}

static void on_describe(struct virtio_device *d)
{
	d->offered = OFFERED;
}

static bool on_agrees(const struct virtio_device *d, uint64_t features)
{
	(void)d;
	return !(s->disagrees && features & OFFERED);
}

static void on_settled(struct virtio_device *d)
{
	(void)d;
}

static bool on_reset(struct virtio_device *d)
{
	s->resets++;
	if (s->not_yet)
		d->due = 77;
	return !s->not_yet;
}

static bool on_admit(struct virtio_slot *slot, uint64_t now)
{
	(void)now;
	if (!virtio_parts_room(&slot->parts))
		virtio_device_wrong(slot->queue->device, "no room");
	return !(slot->queue->device->status & VIRTIO_NEEDS_RESET);
}

static void on_start(struct virtio_slot *slot)
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

static void on_undelivered(struct virtio_slot *slot)
{
	s->undelivered++;
	virtio_slot_done(slot, 0, 0);
}

/* Message @i: @i bytes and one more, all alike. */
static void on_fill(struct virtio_device *d, uint64_t now)
{
	uint8_t bytes[MESSAGES + 1];

	(void)d;
	(void)now;
	s->fills++;
	while (s->list[ORDERS].first &&
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

static bool on_lacks(const struct virtio_queue *q)
{
	return index_of(q) != POSTED || s->lacks;
}

static void on_recall(struct virtio_queue *q)
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

static void process(void)
{
	struct virtio_device_conf conf = {
		.class = &class,
		.memory = &s->memory,
		.policy = &s->policy,
		.log = &s->log,
		.queues = QUEUES,
		.posted = 1u << POSTED | 1u << ORDERS,
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

static void settle_features(void)
{
	virtio_device_set_status(&s->d, 3);
	virtio_device_accept(&s->d, 0, (uint32_t)OFFERED);
	virtio_device_accept(&s->d, 1, (uint32_t)(MUST >> 32));
	virtio_device_set_status(&s->d, 11);
}

static void set_queue(unsigned i)
{
	struct driver_queue *q = &s->front[i];
	uint64_t area[3];

	assert_true(driver_queue_new(q, SIZE, false, &s->pool));
	area[0] = q->desc.addr;
	area[1] = q->avail.addr;
	area[2] = q->used.addr;
	assert_int_equal(virtio_device_set_queue(&s->d, i, SIZE, area), 0);
}

static void ready(void)
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

static int set_up(void **state)
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

static void process_ends(void)
{
	virtio_device_fini(&s->d);
	s->memory.runs = 0;
	virtio_memory_fini(&s->memory);
}

static int tear_down(void **state)
{
	(void)state;
	process_ends();
	free(s);
	return 0;
}

static void turn_as(bool taking)
{
	bool notify = false;

	assert_int_equal(virtio_device_turn(&s->d, taking, 5, &notify), 0);
}

static void turn(void)
{
	turn_as(true);
}

/* A chain with @readable bytes to read and @room to write, a page of its own. */
static uint8_t *add(unsigned queue, uint32_t readable, uint32_t room, uint8_t byte)
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

static void post(unsigned n)
{
	while (n--)
		add(POSTED, 0, BUFFER, 0);
}

/* Message @i is the next thing to come back on POSTED. */
static void comes(unsigned i)
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

static bool is_silent(unsigned queue)
{
	struct driver_done done;

	return driver_queue_get(&s->front[queue], &done) == DRIVER_NOTHING;
}

static uint32_t out(unsigned queue)
{
	return s->d.queue[queue].taken - s->d.queue[queue].published;
}

static void finish_work(void)
{
	virtio_slot_done(take(WORK), 1, 0);
}

/* -- What is posted is no work -------------------------------------------------------
 */

/* InFlight is 1, and one is in flight that does not end: what is posted on other queues
 * goes on, and is not counted. */
static void beside_work(void **state)
{
	(void)state;
	add(WORK, 8, 8, 1);
	add(WORK, 8, 8, 2);
	turn();
	assert_int_equal(s->d.busy, 1);
	assert_int_equal(s->d.queue[WORK].started, 1);
	post(3);
	turn();
	assert_int_equal(s->d.queue[POSTED].started, 3);
	assert_int_equal(s->d.busy, 1);
	for (unsigned i = 0; i < 3; i++) {
		s->arrived++;
		turn();
		comes(i);
		assert_true(is_silent(POSTED));
	}
	add(ORDERS, 1, 1, 0x42);
	turn();
	assert_false(is_silent(ORDERS));
	assert_int_equal(s->d.busy, 1);
	finish_work();
	turn();
	assert_false(is_silent(WORK));
	assert_int_equal(s->d.busy, 1); /* the second */
	finish_work();
	turn();
}

/* What is posted keeps no work from starting, however many queues of it come first. */
static void before_work(void **state)
{
	(void)state;
	post(SIZE);
	turn();
	for (unsigned i = 0; i < 8; i++) {
		add(WORK, 8, 8, 1);
		turn();
		assert_int_equal(s->d.busy, 1);
		finish_work();
		turn();
		assert_false(is_silent(WORK));
	}
	assert_int_equal(out(POSTED), SIZE);
}

/* All that has come goes out in one turn, in order; what finds no buffer waits for one.
 */
static void in_order(void **state)
{
	(void)state;
	post(5);
	s->arrived = 9;
	turn();
	for (unsigned i = 0; i < 5; i++)
		comes(i);
	assert_true(is_silent(POSTED));
	assert_int_equal(s->told, 5);
	post(4);
	turn();
	for (unsigned i = 5; i < 9; i++)
		comes(i);
	assert_true(is_silent(POSTED));
}

/* -- Memory --------------------------------------------------------------------------
 */

/* Buffers that wait hold no page; work leaves the reserve alone, and it is enough. */
static void holds_no_page(void **state)
{
	(void)state;
	post(SIZE);
	turn();
	assert_int_equal(s->memory.nfree, AREA);
	for (unsigned i = 0; i <= WORKS; i++)
		add(WORK, 8, 8, 1);
	turn();
	assert_int_equal(s->memory.nfree, VIRTIO_RESERVE);
	assert_true(s->d.queue[WORK].held);
	s->arrived = SIZE;
	turn();
	for (unsigned i = 0; i < SIZE; i++)
		comes(i);
	assert_int_equal(s->memory.nfree, VIRTIO_RESERVE);
	add(ORDERS, 1, 1, 1);
	turn();
	assert_false(is_silent(ORDERS));
	assert_int_equal(s->memory.nfree, VIRTIO_RESERVE);
	while (s->d.busy) {
		finish_work();
		turn();
	}
	assert_int_equal(s->memory.nfree, AREA);
}

/* The reserve is gone, too: what comes waits until pages are given back, and then does
 * not wait any longer. */
static void waits_for_pages(void **state)
{
	struct driver_sg sg[VIRTIO_RESERVE + 1];
	struct driver_block block;

	(void)state;
	for (unsigned i = 0; i < WORKS; i++)
		add(WORK, 8, 8, 1);
	post(2);
	turn();
	block = driver_pool_get(&s->pool, PAGE, PAGE);
	for (unsigned i = 0; i <= VIRTIO_RESERVE; i++)
		sg[i] = (struct driver_sg){block.addr + i, 1};
	driver_queue_add(&s->front[ORDERS], sg, VIRTIO_RESERVE, 1, VIRTIO_RESERVE + 1,
			 0);
	driver_queue_publish(&s->front[ORDERS]);
	s->arrived = 2;
	turn();
	assert_int_equal(s->memory.nfree, 0);
	assert_true(is_silent(POSTED) && is_silent(ORDERS));
	finish_work();
	turn();
	assert_false(is_silent(ORDERS));
	comes(0);
	comes(1);
	assert_int_equal(s->d.stats.wrong, 0);
	while (s->d.busy) {
		finish_work();
		turn();
	}
	assert_int_equal(s->memory.nfree, AREA);
}

/* A request that would need the reserve is none that could ever be done. */
static void larger_than_its_share(void **state)
{
	struct driver_sg sg[AREA - VIRTIO_RESERVE + 1];
	struct driver_block block = driver_pool_get(&s->pool, PAGE, PAGE);

	(void)state;
	for (unsigned more = 0; more < 2; more++) {
		unsigned n = AREA - VIRTIO_RESERVE + more;

		for (unsigned i = 0; i < n; i++)
			sg[i] = (struct driver_sg){block.addr + i, 1};
		driver_queue_add(&s->front[WORK], sg, 0, n, n, 0);
		driver_queue_publish(&s->front[WORK]);
		turn();
		assert_int_equal(s->d.busy, !more);
		assert_int_equal(s->d.stats.wrong, more);
		if (more)
			break;
		finish_work();
		turn();
		assert_false(is_silent(WORK));
	}
}

/* What cannot be written is not said to have been. */
static void undelivered(void **state)
{
	struct driver_done done;

	(void)state;
	post(2);
	s->arrived = 1;
	s->copy_status = GRANTS_BAD;
	turn();
	assert_int_equal(driver_queue_get(&s->front[POSTED], &done), DRIVER_GOT);
	assert_int_equal(done.len, 0);
	assert_int_equal(s->undelivered, 1);
	s->copy_status = GRANTS_OK;
	s->arrived = 2;
	turn();
	comes(1);
	assert_int_equal(s->memory.nfree, AREA);
}

/* -- Resets --------------------------------------------------------------------------
 */

/* Nothing waits for what is posted; nothing of it is said; nothing is written after. */
static void reset_with_all_posted(void **state)
{
	(void)state;
	post(SIZE);
	add(ORDERS, 1, 1, 1);
	turn();
	s->arrived = 1;
	assert_int_equal(virtio_device_set_status(&s->d, 0), VIRTIO_NOW);
	assert_false(s->d.queue[POSTED].open);
	memset(s->theirs, 0x77, sizeof(s->theirs));
	turn();
	for (const uint8_t *at = s->theirs[0]; at < s->theirs[PAGES]; at++)
		assert_int_equal(*at, 0x77);
	assert_int_equal(s->told, 0);
	ready();
	post(1);
	turn();
	comes(0);
	assert_int_equal(s->d.stats.wrong, 0);
}

/* Work is waited for, unless its class lets it go. */
static void reset_with_work_out(void **state)
{
	(void)state;
	for (unsigned lets_go = 0; lets_go < 2; lets_go++) {
		s->lets_go = lets_go;
		post(4);
		add(WORK, 8, 8, 1);
		add(WORK, 8, 8, 1);
		turn();
		assert_int_equal(virtio_device_set_status(&s->d, 0), VIRTIO_LATER);
		assert_null(s->list[POSTED].first);
		turn();
		assert_int_equal(s->d.resetting, !lets_go);
		if (!lets_go)
			finish_work();
		turn();
		assert_false(s->d.resetting);
		assert_int_equal(s->d.busy, 0);
		ready();
	}
}

/* One queue alone: the others serve on, and it begins anew. */
static void reset_of_a_queue(void **state)
{
	(void)state;
	post(4);
	add(WORK, 8, 8, 1);
	turn();
	assert_int_equal(virtio_device_reset_queue(&s->d, POSTED), VIRTIO_NOW);
	assert_false(s->d.queue[POSTED].open);
	s->arrived = 1;
	turn();
	assert_int_equal(driver_queue_used_idx(&s->front[POSTED]), 0);
	finish_work();
	turn();
	assert_false(is_silent(WORK));
	driver_queue_free(&s->front[POSTED]);
	set_queue(POSTED);
	post(1);
	turn();
	comes(0);
	assert_int_equal(s->d.stats.wrong, 0);
}

/* What needs a reset gets nothing more, and its buffers are recalled. */
static void wrong_with_all_posted(void **state)
{
	struct driver_sg sg = {s->front[WORK].desc.addr, 8};

	(void)state;
	s->lets_go = true;
	post(4);
	add(WORK, 8, 8, 1);
	turn();
	assert_int_equal(s->d.busy, 1);
	s->policy.in_flight = 2;
	driver_queue_add(&s->front[WORK], &sg, 1, 0, 1, 0);
	driver_queue_publish(&s->front[WORK]);
	turn();
	assert_true(s->d.status & VIRTIO_NEEDS_RESET);
	assert_int_equal(s->d.due, 5); /* for what came home */
	assert_null(s->list[POSTED].first);
	assert_int_equal(out(POSTED), 0);
	s->arrived = 1;
	s->fills = 0;
	turn();
	assert_int_equal(s->fills, 0);
	assert_int_equal(driver_queue_used_idx(&s->front[POSTED]), 0);
	assert_int_equal(virtio_device_set_status(&s->d, 0), VIRTIO_NOW);
	ready();
	post(1);
	turn();
	comes(0);
}

/* The class has its say before the driver hears that the reset is done. */
static void reset_waits_for_its_class(void **state)
{
	(void)state;
	s->not_yet = true;
	assert_int_equal(virtio_device_set_status(&s->d, 0), VIRTIO_LATER);
	turn();
	assert_true(s->d.resetting);
	assert_int_equal(s->d.due, 77);
	s->not_yet = false;
	turn();
	assert_false(s->d.resetting);
	assert_true(s->resets >= 3);
}

static void features_that_do_not_go_together(void **state)
{
	(void)state;
	virtio_device_set_status(&s->d, 0);
	s->disagrees = true;
	settle_features();
	assert_int_equal(s->d.status, 3);
	s->disagrees = false;
	settle_features();
	assert_int_equal(s->d.status, 11);
	assert_int_equal(s->d.stats.wrong, 0);
}

/* -- Ends ----------------------------------------------------------------------------
 */

static void successor(void)
{
	struct virtio_kept kept;

	virtio_device_keep(&s->d, &kept);
	assert_int_equal(virtio_device_end(&s->d), 0);
	process_ends();
	process();
	assert_int_equal(virtio_device_restore(&s->d, &kept), 0);
	assert_int_equal(s->d.status, 15);
}

/* What is in flight is finished and answered; buffers are neither waited for nor given
 * back, and the next process has them. */
static void drains(void **state)
{
	(void)state;
	post(6);
	s->arrived = 2;
	add(WORK, 8, 8, 1);
	turn();
	comes(0);
	comes(1);
	virtio_device_leave(&s->d, VIRTIO_DRAINS);
	assert_true(virtio_device_idle(&s->d) == false);
	s->arrived = 3;
	s->fills = 0;
	post(1);
	turn_as(false);
	assert_int_equal(s->fills, 0);
	assert_true(is_silent(POSTED));
	assert_int_equal(out(POSTED), 0);
	finish_work();
	turn_as(false);
	assert_false(is_silent(WORK));
	assert_true(virtio_device_idle(&s->d));
	successor();
	turn();
	assert_int_equal(s->d.queue[POSTED].taken, 5);
	comes(2);
	s->arrived = 7;
	turn();
	for (unsigned i = 3; i < 7; i++)
		comes(i);
	assert_int_equal(s->d.stats.wrong, 0);
}

/* What is in flight is let go, unanswered, and the next process does it again. */
static void drops(void **state)
{
	(void)state;
	post(2);
	add(WORK, 8, 8, 1);
	add(WORK, 8, 8, 1);
	turn();
	virtio_device_leave(&s->d, VIRTIO_DRAINS);
	turn_as(false);
	assert_int_equal(s->d.busy, 1);
	s->lets_go = true;
	virtio_device_leave(&s->d, VIRTIO_DROPS);
	assert_int_equal(s->d.due, 0);
	turn_as(false);
	assert_true(virtio_device_idle(&s->d) && !s->d.busy);
	assert_true(is_silent(WORK));
	successor();
	s->lets_go = false;
	for (unsigned i = 0; i < 2; i++) {
		turn();
		assert_int_equal(s->d.busy, 1);
		finish_work();
		turn();
		assert_false(is_silent(WORK));
	}
}

/* -- Events --------------------------------------------------------------------------
 */

/* A driver that adds buffers wakes us only if some are missing. */
static void asks_only_if_it_lacks(void **state)
{
	(void)state;
	post(1);
	turn();
	virtio_device_arm(&s->d);
	assert_true(driver_queue_used_flags(&s->front[POSTED]) & 1);
	assert_false(driver_queue_used_flags(&s->front[ORDERS]) & 1);
	post(1);
	assert_false(virtio_device_pending(&s->d));
	s->lacks = true;
	assert_true(virtio_device_pending(&s->d));
	assert_true(virtio_device_arm(&s->d));
	turn();
	assert_false(virtio_device_arm(&s->d));
	assert_false(driver_queue_used_flags(&s->front[POSTED]) & 1);
}

static int set_up_pool(void **state)
{
	grant = false;
	return set_up(state);
}

static int set_up_grant(void **state)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(beside_work),
		BOTH(before_work),
		BOTH(in_order),
		GRANT(holds_no_page),
		GRANT(waits_for_pages),
		GRANT(larger_than_its_share),
		GRANT(undelivered),
		BOTH(reset_with_all_posted),
		BOTH(reset_with_work_out),
		BOTH(reset_of_a_queue),
		BOTH(wrong_with_all_posted),
		BOTH(reset_waits_for_its_class),
		BOTH(features_that_do_not_go_together),
		BOTH(drains),
		BOTH(drops),
		BOTH(asks_only_if_it_lacks),
	};

	return cmocka_run_group_tests_name("virtio_posted", tests, NULL, NULL);
}
