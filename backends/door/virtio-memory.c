/* SPDX-License-Identifier: MIT */
/* Addresses of a driver, as host memory: see virtio-memory.h. */
#include "backends/door/virtio-memory.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The smallest request there is: a header, a page of data, a status; each may
 * reach into a second page. */
#define PAGES_MIN 6

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

int virtio_memory_init(struct virtio_memory *m, struct grants *grants,
		       const struct policy *policy, bool posts,
		       void (*moved)(struct virtio_parts *parts, int status))
{
	size_t area = grants->copy_bytes / XEN_PAGE_BYTES;

	*m = (struct virtio_memory){
		.grants = grants,
		.pool = policy->mode == POLICY_POOL,
		.pages_max = least(policy->data_pages,
				   VIRTIO_RUNS_MAX * VIRTIO_RUN_BYTES / XEN_PAGE_BYTES),
		.moved = moved,
	};
	if (m->pool)
		return 0;
	m->pages = area < UINT16_MAX ? (uint32_t)area : UINT16_MAX;
	m->batch.max = least(GRANTS_BATCH_MAX, policy->data_pages);
	m->reserve = posts ? VIRTIO_RESERVE : 0;
	if (least(m->pages, m->batch.max) < PAGES_MIN + m->reserve)
		return -EINVAL;
	m->free = calloc(m->pages, sizeof(*m->free));
	if (!m->free)
		return -ENOMEM;
	for (uint32_t i = 0; i < m->pages; i++)
		m->free[i] = (uint16_t)(m->pages - 1 - i);
	m->nfree = m->pages;
	return 0;
}

void virtio_memory_fini(struct virtio_memory *m)
{
	free(m->free);
	*m = (struct virtio_memory){0};
}

/* -- The pool ---------------------------------------------------------------- */

int virtio_memory_connect(struct virtio_memory *m)
{
	int r = GRANTS_OK;

	assert(!m->runs);
	while (m->pool && m->runs < VIRTIO_RUNS_MAX) {
		char key[sizeof("pool-ref4294967295")];
		struct grants_map *run = &m->run[m->runs];

		snprintf(key, sizeof(key), "pool-ref%u", m->runs);
		r = grants_map_pool(m->grants, key, run);
		if (r)
			break;
		m->runs++;
		m->bytes += run->pages * XEN_PAGE_BYTES;
		if (run->pages < VIRTIO_RUN_BYTES / XEN_PAGE_BYTES)
			break;
	}
	if (r == GRANTS_OK || (r == GRANTS_ABSENT && m->runs))
		return GRANTS_OK;
	virtio_memory_disconnect(m);
	return r;
}

int virtio_memory_disconnect(struct virtio_memory *m)
{
	int r = 0;

	while (m->runs) {
		int u = grants_unmap(m->grants, &m->run[--m->runs]);

		r = u < 0 ? u : r;
	}
	m->bytes = 0;
	return r;
}

/* [impl->req~addresses-are-in-the-pool~1] */
void *virtio_memory_at(const struct virtio_memory *m, uint64_t addr, uint32_t len)
{
	uint64_t at = addr - VIRTIO_POOL_BASE;

	if (!m->pool || addr < VIRTIO_POOL_BASE || !len || len > m->bytes ||
	    at > m->bytes - len)
		return NULL;
	if (len > VIRTIO_RUN_BYTES || at % VIRTIO_RUN_BYTES > VIRTIO_RUN_BYTES - len)
		return NULL; /* runs are no neighbours here */
	return (uint8_t *)m->run[at / VIRTIO_RUN_BYTES].addr + at % VIRTIO_RUN_BYTES;
}

/* -- Grants ------------------------------------------------------------------ */

/* Bits 12 to 43 of an address; false if it is none, or if the @len bytes there do
 * not end before the last reference does. */
static bool grant_at(uint64_t addr, uint32_t len, uint32_t *ref)
{
	uint64_t at = addr & ~VIRTIO_GRANT_BIT;

	*ref = (uint32_t)(at >> XEN_PAGE_OFFSET);
	return (addr & VIRTIO_GRANT_BIT) && len && !(at >> (32 + XEN_PAGE_OFFSET)) &&
	       (at + len - 1) >> XEN_PAGE_OFFSET <= UINT32_MAX;
}

static uint32_t grant_pages(uint64_t addr, uint32_t len)
{
	return (uint32_t)(((addr & (XEN_PAGE_BYTES - 1)) + len + XEN_PAGE_BYTES - 1) /
			  XEN_PAGE_BYTES);
}

static int grant_area(struct virtio_memory *m, uint64_t addr, uint32_t bytes,
		      struct virtio_area *out)
{
	struct gref refs[4];
	uint32_t first, n = grant_pages(addr, bytes);
	int r;

	if (!grant_at(addr, bytes, &first) || n > sizeof(refs) / sizeof(refs[0]))
		return VIRTIO_MEMORY_FOREIGN;
	for (uint32_t i = 0; i < n; i++)
		refs[i].v = first + i;
	r = grants_map(m->grants, refs, n, true, &out->map);
	if (r)
		return r < 0 ? r : VIRTIO_MEMORY_FOREIGN;
	out->at = (uint8_t *)out->map.addr + (addr & (XEN_PAGE_BYTES - 1));
	return VIRTIO_MEMORY_OK;
}

int virtio_memory_area(struct virtio_memory *m, uint64_t addr, uint32_t bytes,
		       struct virtio_area *out)
{
	*out = (struct virtio_area){0};
	if (!m->pool)
		return grant_area(m, addr, bytes, out);
	out->at = virtio_memory_at(m, addr, bytes);
	return out->at ? VIRTIO_MEMORY_OK : VIRTIO_MEMORY_FOREIGN;
}

int virtio_memory_leave(struct virtio_memory *m, struct virtio_area *area)
{
	int r = area->map.addr ? grants_unmap(m->grants, &area->map) : 0;

	*area = (struct virtio_area){0};
	return r < 0 ? r : 0;
}

/* -- The parts of a chain ---------------------------------------------------- */

static int gather_pool(const struct virtio_memory *m,
		       const struct virtqueue_chain *chain, struct virtio_parts *out)
{
	const struct virtqueue_buffer *buffer = chain->buffer;
	uint32_t n = (uint32_t)chain->readable + chain->writable;

	out->readable = chain->readable;
	out->writable = chain->writable;
	for (uint32_t i = 0; i < n; i++) {
		void *at = virtio_memory_at(m, buffer[i].addr, buffer[i].len);

		if (!at)
			return VIRTIO_MEMORY_FOREIGN;
		out->part[i] = (struct iovec){at, buffer[i].len};
	}
	return VIRTIO_MEMORY_OK;
}

/* A part for each page of @buffer, after the first @n. The new count, or 0: it is not
 * the driver's to name, or there are too many. */
static uint32_t split(const struct virtqueue_buffer *buffer, uint32_t n,
		      struct virtio_parts *out)
{
	uint32_t ref, offset = buffer->addr & (XEN_PAGE_BYTES - 1), left = buffer->len;

	if (!grant_at(buffer->addr, buffer->len, &ref))
		return 0;
	for (; left; n++, ref++, offset = 0) {
		uint32_t len = least(left, XEN_PAGE_BYTES - offset);

		if (n == VIRTIO_PARTS_MAX)
			return 0;
		out->ref[n].v = ref;
		out->offset[n] = (uint16_t)offset;
		out->part[n] = (struct iovec){NULL, len};
		left -= len;
	}
	return n;
}

/* The first @n parts get their pages; they are there. */
static void hold(struct virtio_memory *m, struct virtio_parts *parts, uint32_t n)
{
	for (uint32_t i = parts->pages; i < n; i++) {
		parts->page[i] = m->free[--m->nfree];
		/* At its offset: a disk wants memory that is aligned as the client's.
		 */
		parts->part[i].iov_base = m->grants->copy_area +
					  (size_t)parts->page[i] * XEN_PAGE_BYTES +
					  parts->offset[i];
	}
	if (n > parts->pages)
		parts->pages = (uint16_t)n;
}

static int gather_grant(struct virtio_memory *m, const struct virtqueue_chain *chain,
			bool posted, struct virtio_parts *out)
{
	uint32_t n = 0, readable = 0, reserve = posted ? 0 : m->reserve, now;

	for (uint32_t i = 0; i < chain->readable + chain->writable; i++) {
		n = split(&chain->buffer[i], n, out);
		if (!n || n >= m->batch.max || n > m->pages - reserve)
			return VIRTIO_MEMORY_FOREIGN;
		if (i + 1 == chain->readable)
			readable = n;
	}
	now = posted ? readable : n;
	if (now + reserve > m->nfree)
		return VIRTIO_MEMORY_FULL;
	hold(m, out, now);
	out->readable = (uint16_t)readable;
	out->writable = (uint16_t)(n - readable);
	return VIRTIO_MEMORY_OK;
}

int virtio_memory_gather(struct virtio_memory *m, const struct virtqueue_chain *chain,
			 bool posted, struct virtio_parts *out)
{
	int r;

	out->pages = 0;
	r = m->pool ? gather_pool(m, chain, out) : gather_grant(m, chain, posted, out);
	if (r == VIRTIO_MEMORY_OK)
		virtio_parts_sum(out);
	return r;
}

int virtio_memory_room(struct virtio_memory *m, struct virtio_parts *parts,
		       uint32_t bytes)
{
	uint32_t n = parts->readable;

	assert(bytes <= virtio_parts_room(parts));
	if (m->pool)
		return VIRTIO_MEMORY_OK;
	for (uint64_t at = 0; at < bytes; n++)
		at += parts->part[n].iov_len;
	if (n > parts->pages && n - parts->pages > m->nfree)
		return VIRTIO_MEMORY_FULL;
	hold(m, parts, n);
	return VIRTIO_MEMORY_OK;
}

void virtio_memory_release(struct virtio_memory *m, struct virtio_parts *parts)
{
	while (parts->pages)
		m->free[m->nfree++] = parts->page[--parts->pages];
}

/* -- Batches ----------------------------------------------------------------- */

int virtio_memory_flush(struct virtio_memory *m)
{
	struct virtio_batch *b = &m->batch;
	uint32_t n = b->n;
	int r;

	if (!n)
		return 0;
	r = grants_copy(m->grants, b->seg, b->segs);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < n; i++) {
		int status = r;

		for (uint32_t k = 0; k < b->whose[i].n && status == GRANTS_OK; k++)
			status = b->seg[b->whose[i].first + k].status;
		m->moved(b->whose[i].parts, status);
	}
	assert(b->n == n);
	b->n = b->segs = 0;
	return 0;
}

/* Put off the bytes from @from to @to of part @i. */
static void put_off(struct virtio_batch *b, const struct virtio_parts *parts,
		    uint32_t i, uint32_t from, uint32_t to, bool to_client)
{
	b->seg[b->segs++] = (struct grants_seg){
		.ref = parts->ref[i],
		.offset = (uint16_t)(parts->offset[i] + from),
		.len = (uint16_t)(to - from),
		.local = parts->page[i] * XEN_PAGE_BYTES + parts->offset[i] + from,
		.to_client = to_client,
	};
}

/* Room for @n segments. */
static int begin(struct virtio_memory *m, uint32_t n)
{
	int r = m->batch.segs + n > m->batch.max ? virtio_memory_flush(m) : 0;

	assert(r < 0 || m->batch.segs + n <= m->batch.max);
	return r;
}

/* What was put off since there were @first segments is @parts'. */
static int end(struct virtio_batch *b, struct virtio_parts *parts, uint32_t first)
{
	if (b->segs == first)
		return VIRTIO_MEMORY_OK;
	b->whose[b->n].parts = parts;
	b->whose[b->n].first = first;
	b->whose[b->n++].n = b->segs - first;
	return VIRTIO_MEMORY_LATER;
}

int virtio_memory_fetch(struct virtio_memory *m, struct virtio_parts *parts)
{
	uint32_t first;
	int r;

	if (m->pool)
		return VIRTIO_MEMORY_OK;
	r = begin(m, parts->readable);
	if (r < 0)
		return r;
	first = m->batch.segs;
	for (uint32_t i = 0; i < parts->readable; i++)
		put_off(&m->batch, parts, i, 0, (uint32_t)parts->part[i].iov_len,
			false);
	return end(&m->batch, parts, first);
}

/* How far @x reaches into the @len bytes from @at on. */
static uint32_t within(uint64_t x, uint64_t at, uint64_t len)
{
	return x <= at ? 0 : (uint32_t)(x - at < len ? x - at : len);
}

int virtio_memory_deliver(struct virtio_memory *m, struct virtio_parts *parts,
			  uint64_t head, uint32_t tail)
{
	uint32_t first, n = (uint32_t)parts->readable + parts->writable;
	uint64_t at = 0, total = virtio_parts_room(parts);
	int r;

	if (m->pool)
		return VIRTIO_MEMORY_OK;
	r = begin(m, parts->writable + 1u);
	if (r < 0)
		return r;
	first = m->batch.segs;
	assert(head <= total && tail <= total - head);
	for (uint32_t i = parts->readable; i < n; i++) {
		uint32_t len = (uint32_t)parts->part[i].iov_len;
		uint32_t front = within(head, at, len);
		uint32_t back = within(total - tail, at, len);

		at += len;
		/* What lies between the two was not written. */
		if (front >= back)
			front = back = len;
		assert(i < parts->pages || (!front && back == len));
		if (front)
			put_off(&m->batch, parts, i, 0, front, true);
		if (back < len)
			put_off(&m->batch, parts, i, back, len, true);
	}
	return end(&m->batch, parts, first);
}
