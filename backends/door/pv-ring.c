/* SPDX-License-Identifier: MIT */
/*
 * The shared header of a ring is five words and padding (xen/io/ring.h,
 * struct *_sring); only these offsets of it are used.
 */
#include <assert.h>
#include <string.h>

#include "backends/door/pv-ring.h"
#include "common/shared.h"

#define RING_REQ_PROD  0
#define RING_REQ_EVENT 4
#define RING_RSP_PROD  8
#define RING_RSP_EVENT 12
#define RING_HEADER    64

/* In the header's padding, which front ends clear and leave alone: the answer
 * that is being written (invariant 5). */
#define RING_INTENT_MAGIC 20
#define RING_INTENT_INDEX 24
#define RING_INTENT	  28
/* And the index behind the group that is being answered, and its kinds (invariant 6).
 */
#define RING_GROUP_END	 60
#define RING_GROUP_KINDS 16
#define RING_MAGIC	 0x58444449u

/* No class has larger entries: sndif and displif use 64, blkif 112. */
#define RING_ENTRY_MAX 128

static uint32_t ring_entries(uint32_t bytes, uint32_t entry_size)
{
	uint32_t fit = (bytes - RING_HEADER) / entry_size;

	return 1u << (31 - __builtin_clz(fit));
}

static uint8_t *ring_slot(const struct pv_ring *ring, uint32_t index)
{
	return ring->page + RING_HEADER +
	       (size_t)(index & (ring->entries - 1)) * ring->entry_size;
}

static void ring_publish(const struct pv_ring *ring, uint32_t rsp_prod)
{
	/* The answers before the index that covers them; pairs with the front
	 * end's acquire of rsp_prod. */
	shared_store32_release(ring->page + RING_RSP_PROD, rsp_prod);
}

/* The intent before the index that makes it valid; pairs with the attach of a
 * successor. */
static void ring_intend(const struct pv_ring *ring, uint32_t index,
			const uint8_t *answer)
{
	shared_copy_out(ring->page + RING_INTENT, answer, PV_RING_ANSWER_MAX);
	shared_store32_release(ring->page + RING_INTENT_INDEX, index);
	shared_store32_release(ring->page + RING_INTENT_MAGIC, RING_MAGIC);
}

/* Write and publish the answer for slot @index, @size bytes. Whoever is killed between
 * any two of these stores leaves either the request, or what is needed to write the
 * answer once more; or of one that is repeatable, what is as good as the request.
 * [impl->req~answers-say-nothing-old~1] */
static void ring_answer(const struct pv_ring *ring, uint32_t index,
			const uint8_t *answer, uint32_t size)
{
	uint8_t whole[RING_ENTRY_MAX] = {0};

	memcpy(whole, answer, size);
	if (size <= PV_RING_ANSWER_MAX)
		ring_intend(ring, index, whole);
	shared_copy_out(ring_slot(ring, index), whole, ring->entry_size);
	ring_publish(ring, index + 1);
}

/* Our predecessor died while it wrote the answer at @start: write it again. What
 * a client puts there instead comes back to it alone.
 * [impl->req~successor-answers-the-rest~1] */
static bool ring_finish(const struct pv_ring *ring, uint32_t start)
{
	uint8_t answer[PV_RING_ANSWER_MAX];

	if (shared_load32_acquire(ring->page + RING_INTENT_MAGIC) != RING_MAGIC ||
	    shared_load32_acquire(ring->page + RING_INTENT_INDEX) != start)
		return false;
	shared_copy_in(answer, ring->page + RING_INTENT, sizeof(answer));
	ring_answer(ring, start, answer, sizeof(answer));
	return true;
}

/* Entries from @start on that belong to a group whose first answers are published, or
 * were about to be. What a client puts there instead costs it its own requests. */
static void ring_find_left(struct pv_ring *ring, uint32_t start, uint32_t req_prod)
{
	uint32_t end = shared_load32_acquire(ring->page + RING_GROUP_END);

	if (end - start > PV_RING_GROUP_MAX || end - start > req_prod - start)
		return;
	ring->left = end - start;
	ring->kinds = shared_load32(ring->page + RING_GROUP_KINDS);
}

/* [impl->req~successor-answers-the-rest~1] */
static enum pv_ring_status ring_begin(struct pv_ring *ring, uint8_t *page,
				      uint32_t bytes, bool attach)
{
	uint32_t start = 0, req_prod;

	assert(ring->entry_size && ring->entry_size <= RING_ENTRY_MAX);
	assert(bytes >= RING_HEADER + ring->entry_size);
	assert(ring_entries(bytes, ring->entry_size) <= PV_RING_ENTRIES_MAX);
	if (attach)
		start = shared_load32_acquire(page + RING_RSP_PROD);
	ring->page = page;
	ring->entries = ring_entries(bytes, ring->entry_size);
	ring->left = ring->kinds = 0;
	ring->begins = (struct pv_ring_group){0};
	if (attach) {
		req_prod = shared_load32_acquire(page + RING_REQ_PROD);
		if (req_prod - start > ring->entries)
			return PV_RING_BROKEN;
		if (req_prod != start && !ring->kept && ring_finish(ring, start))
			start++;
		if (!ring->kept)
			ring_find_left(ring, start, req_prod);
	}
	ring->req_cons = ring->rsp_prod = ring->req_prod = ring->pushed = start;
	return PV_RING_OK;
}

enum pv_ring_status pv_ring_init(struct pv_ring *ring, void *page, uint32_t bytes,
				 uint32_t entry_size, bool attach)
{
	ring->entry_size = entry_size;
	ring->kept_at = ring->kept = 0;
	return ring_begin(ring, page, bytes, attach);
}

enum pv_ring_status pv_ring_init_posted(struct pv_ring *ring, void *page,
					uint32_t bytes, uint32_t entry_size,
					uint32_t kept_at, uint32_t kept, bool attach)
{
	assert(kept && kept_at <= entry_size && kept <= entry_size - kept_at);
	ring->entry_size = entry_size;
	ring->kept_at = kept_at;
	ring->kept = kept;
	return ring_begin(ring, page, bytes, attach);
}

/* Look at the client's index. It may only move forward, and never so far that
 * it passes a request that was not answered (invariant 3).
 * [impl->req~indices-that-cannot-be~1] */
static enum pv_ring_status ring_look(struct pv_ring *ring)
{
	uint32_t room = ring->entries - (ring->req_cons - ring->rsp_prod);
	uint32_t prod;

	/* The index before the entries that it covers; pairs with the release
	 * in which the front end publishes its requests. */
	prod = shared_load32_acquire(ring->page + RING_REQ_PROD);
	if (prod - ring->req_cons > room)
		return PV_RING_BROKEN;
	ring->req_prod = prod;
	return prod == ring->req_cons ? PV_RING_EMPTY : PV_RING_OK;
}

/* [impl->req~shared-bytes-are-read-once~1] */
enum pv_ring_status pv_ring_take(struct pv_ring *ring, void *entry)
{
	enum pv_ring_status status;

	assert(!ring->kept);
	if (ring->req_cons == ring->req_prod) {
		status = ring_look(ring);
		if (status != PV_RING_OK)
			return status;
	}
	shared_copy_in(entry, ring_slot(ring, ring->req_cons), ring->entry_size);
	ring->req_cons++;
	return PV_RING_OK;
}

void pv_ring_group(struct pv_ring *ring, uint32_t n, uint32_t kinds)
{
	assert(n > 1 && n <= PV_RING_GROUP_MAX);
	ring->begins = (struct pv_ring_group){n, kinds};
}

static void ring_keep(struct pv_ring *ring, const void *entry, uint32_t size)
{
	uint32_t i = ring->rsp_prod % PV_RING_ENTRIES_MAX;

	assert(size <= ring->entry_size);
	assert(!ring->kept && ring->rsp_prod != ring->req_cons);
	memcpy(ring->answer[i], entry, size);
	ring->size[i] = (uint8_t)size;
	ring->group[i] = ring->begins;
	ring->begins = (struct pv_ring_group){0};
	ring->rsp_prod++;
}

void pv_ring_put(struct pv_ring *ring, const void *entry, uint32_t size)
{
	assert(size <= PV_RING_ANSWER_MAX);
	ring_keep(ring, entry, size);
}

void pv_ring_put_repeatable(struct pv_ring *ring, const void *entry, uint32_t size)
{
	assert(size > PV_RING_ANSWER_MAX && size <= PV_RING_REPEAT_MAX);
	ring_keep(ring, entry, size);
}

enum pv_ring_status pv_ring_posted(struct pv_ring *ring, uint32_t *n)
{
	enum pv_ring_status status = ring_look(ring);

	*n = ring->req_prod - ring->req_cons;
	return status;
}

void pv_ring_fill(struct pv_ring *ring, const void *answer)
{
	uint32_t end = ring->kept_at + ring->kept;
	uint8_t *slot = ring_slot(ring, ring->req_cons);

	assert(ring->kept && pv_ring_has_posted(ring));
	/* Invariant 8. */
	shared_copy_out(slot, answer, ring->kept_at);
	shared_copy_out(slot + end, (const uint8_t *)answer + end,
			ring->entry_size - end);
	ring->req_cons++;
	ring->rsp_prod++;
}

static void ring_push_one(const struct pv_ring *ring)
{
	uint32_t i = ring->pushed % PV_RING_ENTRIES_MAX;

	if (ring->group[i].n) {
		shared_store32(ring->page + RING_GROUP_KINDS, ring->group[i].kinds);
		/* Kinds before the end, and this before the first of its answers; pairs
		 * with the attach of a successor. */
		shared_store32_release(ring->page + RING_GROUP_END,
				       ring->pushed + ring->group[i].n);
	}
	ring_answer(ring, ring->pushed, ring->answer[i], ring->size[i]);
}

bool pv_ring_push(struct pv_ring *ring)
{
	uint32_t old = ring->pushed, event;

	if (ring->rsp_prod == old)
		return false;
	if (ring->kept)
		ring_publish(ring, ring->rsp_prod);
	for (; !ring->kept && ring->pushed != ring->rsp_prod; ring->pushed++)
		ring_push_one(ring);
	ring->pushed = ring->rsp_prod;
	/* rsp_prod is visible before rsp_event is read; pairs with the front
	 * end's barrier between arming rsp_event and looking at rsp_prod. */
	shared_full_barrier();
	event = shared_load32(ring->page + RING_RSP_EVENT);
	return ring->rsp_prod - event < ring->rsp_prod - old;
}

bool pv_ring_pending_of(const struct pv_ring *ring, uint32_t n)
{
	return ring->req_prod - ring->req_cons >= n ||
	       shared_load32(ring->page + RING_REQ_PROD) - ring->req_cons >= n;
}

bool pv_ring_pending(const struct pv_ring *ring)
{
	return pv_ring_pending_of(ring, 1);
}

bool pv_ring_final_check_of(struct pv_ring *ring, uint32_t n)
{
	assert(n && n <= ring->entries);
	if (ring->req_prod - ring->req_cons >= n)
		return true;
	shared_store32(ring->page + RING_REQ_EVENT, ring->req_cons + n);
	/* req_event is visible before req_prod is read; pairs with the front
	 * end's barrier between publishing requests and reading req_event. */
	shared_full_barrier();
	/* A broken index is "there is something": the take will say so. */
	return ring_look(ring) == PV_RING_BROKEN ||
	       ring->req_prod - ring->req_cons >= n;
}

bool pv_ring_final_check(struct pv_ring *ring)
{
	return pv_ring_final_check_of(ring, 1);
}
