/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "tests/front/virtio-le.h"
#include "tests/front/driver-queue.h"

#define NO_INTERRUPT 1
#define NO_NOTIFY    1

uint32_t driver_queue_desc_bytes(uint16_t size)
{
	return 16u * size;
}

uint32_t driver_queue_avail_bytes(uint16_t size)
{
	return 6 + 2u * size;
}

uint32_t driver_queue_used_bytes(uint16_t size)
{
	return 6 + 8u * size;
}

static uint8_t *used_event(const struct driver_queue *q)
{
	return q->avail.at + 4 + 2u * q->size;
}

static uint8_t *avail_event(const struct driver_queue *q)
{
	return q->used.at + 4 + 8u * q->size;
}

/* Does "tell me at @event" mean now, when an index went from @old to @new? */
static bool passed(uint16_t event, uint16_t new, uint16_t old)
{
	for (uint16_t i = old; i != new; i++) {
		if (i == event)
			return true;
	}
	return false;
}

void driver_queue_init(struct driver_queue *q, uint16_t size, bool event_idx,
		       const struct driver_block area[3], struct driver_pool *pool)
{
	assert(size && size <= DRIVER_QUEUE_MAX);
	memset(q, 0, sizeof(*q));
	q->size = q->frees = size;
	q->event_idx = event_idx;
	q->pool = pool;
	q->desc = area[0];
	q->avail = area[1];
	q->used = area[2];
	memset(q->desc.at, 0, driver_queue_desc_bytes(size));
	memset(q->avail.at, 0, driver_queue_avail_bytes(size));
	memset(q->used.at, 0, driver_queue_used_bytes(size));
	for (uint16_t i = 0; i < size; i++)
		q->next[i] = (uint16_t)(i + 1);
}

bool driver_queue_new(struct driver_queue *q, uint16_t size, bool event_idx,
		      struct driver_pool *pool)
{
	struct driver_block area[3] = {
		driver_pool_get(pool, driver_queue_desc_bytes(size), 16),
		driver_pool_get(pool, driver_queue_avail_bytes(size), 2),
		driver_pool_get(pool, driver_queue_used_bytes(size), 4),
	};

	if (area[0].at && area[1].at && area[2].at) {
		driver_queue_init(q, size, event_idx, area, pool);
		return true;
	}
	for (unsigned i = 0; i < 3; i++)
		driver_pool_put(pool, &area[i]);
	return false;
}

void driver_queue_free(struct driver_queue *q)
{
	for (unsigned i = 0; i < q->size; i++)
		driver_pool_put(q->pool, &q->chain[i].table);
	driver_pool_put(q->pool, &q->desc);
	driver_pool_put(q->pool, &q->avail);
	driver_pool_put(q->pool, &q->used);
}

/* Buffers @from to @to into a table; in the queue's own they go where it is free. */
static void describe(struct driver_queue *q, uint8_t *table, bool own, uint16_t at,
		     const struct driver_sg *sg, unsigned from, unsigned to,
		     unsigned readable, bool more)
{
	for (unsigned i = from; i < to; i++) {
		uint16_t next = own ? q->next[at] : (uint16_t)(at + 1);
		bool last = i == to - 1 && !more;
		uint16_t flags = i < readable ? 0 : VIRTQ_DESC_F_WRITE;

		if (!last)
			flags |= VIRTQ_DESC_F_NEXT;
		driver_queue_raw_desc(table, at, sg[i].addr, sg[i].len, flags,
				      last ? 0 : next);
		at = next;
	}
}

int driver_queue_add(struct driver_queue *q, const struct driver_sg *sg,
		     unsigned readable, unsigned writable, unsigned direct,
		     uint64_t cookie)
{
	unsigned n = readable + writable, in_table = n - direct;
	unsigned descs = direct + (in_table != 0);
	struct driver_block table = {0};
	uint16_t head = q->free, last = head;

	assert(n && direct <= n);
	if (descs > q->frees)
		return -1;
	if (in_table) {
		table = driver_pool_get(q->pool, 16 * in_table, 16);
		if (!table.at)
			return -1;
		describe(q, table.at, false, 0, sg, direct, n, readable, false);
	}
	describe(q, q->desc.at, true, head, sg, 0, direct, readable, in_table);
	for (unsigned i = 1; i < descs; i++)
		last = q->next[last];
	if (in_table)
		driver_queue_raw_desc(q->desc.at, last, table.addr, 16 * in_table,
				      VIRTQ_DESC_F_INDIRECT, 0);
	q->free = q->next[last];
	q->frees -= (uint16_t)descs;
	q->chain[head].out = true;
	q->chain[head].descs = (uint16_t)descs;
	q->chain[head].cookie = cookie;
	q->chain[head].table = table;
	driver_queue_raw_avail(q, q->added++, head);
	return head;
}

bool driver_queue_publish(struct driver_queue *q)
{
	uint16_t old = q->published;

	le16_release(q->avail.at + 2, q->added);
	q->published = q->added;
	/* The index is visible before the device's wish is read; pairs with the
	 * device's barrier between saying it and looking at the index. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (q->event_idx)
		return passed(le16_acquire(avail_event(q)), q->added, old);
	return old != q->added && !(le16_acquire(q->used.at) & NO_NOTIFY);
}

enum driver_got driver_queue_get(struct driver_queue *q, struct driver_done *out)
{
	uint16_t idx = le16_acquire(q->used.at + 2), last;
	const uint8_t *element = q->used.at + 4 + 8u * (q->got % q->size);
	uint32_t head = (uint32_t)le_get(element, 4);

	if (idx == q->got)
		return DRIVER_NOTHING;
	if ((uint16_t)(idx - q->got) > (uint16_t)(q->published - q->got))
		return DRIVER_WRONG;
	if (head >= q->size || !q->chain[head].out)
		return DRIVER_WRONG;
	q->got++;
	last = (uint16_t)head;
	for (unsigned i = 1; i < q->chain[head].descs; i++)
		last = q->next[last];
	q->next[last] = q->free;
	q->free = (uint16_t)head;
	q->frees += q->chain[head].descs;
	q->chain[head].out = false;
	driver_pool_put(q->pool, &q->chain[head].table);
	q->chain[head].table.at = NULL;
	out->cookie = q->chain[head].cookie;
	out->len = (uint32_t)le_get(element + 4, 4);
	out->head = (uint16_t)head;
	return DRIVER_GOT;
}

bool driver_queue_arm(struct driver_queue *q)
{
	if (q->event_idx)
		driver_queue_raw_used_event(q, q->got);
	else
		driver_queue_raw_flags(q, 0);
	/* What we want is visible before the used index is read; pairs with the
	 * device's barrier between publishing it and reading what we want. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return le16_acquire(q->used.at + 2) != q->got;
}

void driver_queue_quiet(struct driver_queue *q)
{
	if (q->event_idx) /* an index that is passed last of all */
		driver_queue_raw_used_event(q, (uint16_t)(q->got - 1));
	else
		driver_queue_raw_flags(q, NO_INTERRUPT);
}

unsigned driver_queue_out(const struct driver_queue *q)
{
	return (uint16_t)(q->published - q->got);
}

void driver_queue_raw_desc(uint8_t *at, unsigned i, uint64_t addr, uint32_t len,
			   uint16_t flags, uint16_t next)
{
	le_put(at + 16 * i, 8, addr);
	le_put(at + 16 * i + 8, 4, len);
	le_put(at + 16 * i + 12, 2, flags);
	le_put(at + 16 * i + 14, 2, next);
}

void driver_queue_raw_avail(struct driver_queue *q, uint16_t index, uint16_t head)
{
	le_put(q->avail.at + 4 + 2u * (index % q->size), 2, head);
}

void driver_queue_raw_idx(struct driver_queue *q, uint16_t index)
{
	le16_release(q->avail.at + 2, index);
}

void driver_queue_raw_flags(struct driver_queue *q, uint16_t flags)
{
	le16_release(q->avail.at, flags);
}

void driver_queue_raw_used_event(struct driver_queue *q, uint16_t index)
{
	le16_release(used_event(q), index);
}

uint16_t driver_queue_idx(const struct driver_queue *q)
{
	return le16_acquire(q->avail.at + 2);
}

uint16_t driver_queue_used_idx(const struct driver_queue *q)
{
	return le16_acquire(q->used.at + 2);
}

uint16_t driver_queue_used_flags(const struct driver_queue *q)
{
	return le16_acquire(q->used.at);
}

uint16_t driver_queue_avail_event(const struct driver_queue *q)
{
	return le16_acquire(avail_event(q));
}

void driver_queue_start_at(struct driver_queue *q, uint16_t start)
{
	assert(q->frees == q->size);
	q->added = q->published = q->got = start;
	driver_queue_raw_idx(q, start);
	le16_release(q->used.at + 2, start);
	driver_queue_raw_used_event(q, start);
	le16_release(avail_event(q), start);
}
