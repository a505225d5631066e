/* SPDX-License-Identifier: MIT */
#include "backends/can/cmd/front-ring.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "common/shared.h"

/* struct *_sring of xen/io/ring.h. */
#define RING_REQ_PROD  0
#define RING_REQ_EVENT 4
#define RING_RSP_PROD  8
#define RING_RSP_EVENT 12
#define RING_HEADER    64

static uint8_t *ring_slot(const struct front_ring *ring, uint32_t index)
{
	return ring->page + RING_HEADER +
	       (size_t)(index & (ring->entries - 1)) * XENCAN_ENTRY;
}

void front_ring_init(struct front_ring *ring, void *page, uint32_t pages)
{
	uint32_t fit = (pages * FRONT_PAGE - RING_HEADER) / XENCAN_ENTRY;

	assert(pages && pages <= FRONT_PAGES_MAX && !(pages & (pages - 1)));
	*ring = (struct front_ring){.page = page,
				    .entries = 1u << (31 - __builtin_clz(fit))};
	memset(page, 0, (size_t)pages * FRONT_PAGE);
	shared_store32(ring->page + RING_REQ_EVENT, 1);
	shared_store32(ring->page + RING_RSP_EVENT, 1);
}

void front_ring_put(struct front_ring *ring, const void *entry)
{
	assert(front_ring_room(ring));
	shared_copy_out(ring_slot(ring, ring->req_prod), entry, XENCAN_ENTRY);
	ring->req_prod++;
}

bool front_ring_publish(struct front_ring *ring)
{
	uint32_t old = ring->published, event;

	if (ring->req_prod == old)
		return false;
	ring->published = ring->req_prod;
	/* The requests before the index that covers them; pairs with the back
	 * end's acquire of req_prod. */
	shared_store32_release(ring->page + RING_REQ_PROD, ring->published);
	/* req_prod is visible before req_event is read; pairs with the back end's
	 * barrier between arming req_event and looking at req_prod. */
	shared_full_barrier();
	event = shared_load32(ring->page + RING_REQ_EVENT);
	return ring->published - event < ring->published - old;
}

/* Looks at the back end's index (invariant 3). */
static enum front_ring_status ring_look(struct front_ring *ring)
{
	uint32_t prod;

	if (ring->broken)
		return FRONT_RING_BROKEN;
	/* The index before the answers that it covers; pairs with the release in
	 * which the back end publishes them. */
	prod = shared_load32_acquire(ring->page + RING_RSP_PROD);
	if (prod - ring->rsp_cons > ring->published - ring->rsp_cons) {
		ring->broken = true;
		return FRONT_RING_BROKEN;
	}
	ring->rsp_prod = prod;
	return prod == ring->rsp_cons ? FRONT_RING_EMPTY : FRONT_RING_OK;
}

enum front_ring_status front_ring_take(struct front_ring *ring, void *entry)
{
	enum front_ring_status status;

	if (ring->rsp_cons == ring->rsp_prod) {
		status = ring_look(ring);
		if (status != FRONT_RING_OK)
			return status;
	}
	shared_copy_in(entry, ring_slot(ring, ring->rsp_cons), XENCAN_ENTRY);
	ring->rsp_cons++;
	return FRONT_RING_OK;
}

bool front_ring_rest(struct front_ring *ring, uint32_t answers)
{
	if (ring->rsp_cons != ring->rsp_prod)
		return true;
	shared_store32(ring->page + RING_RSP_EVENT, ring->rsp_cons + answers);
	/* rsp_event is visible before rsp_prod is read; pairs with the back end's
	 * barrier between publishing answers and reading rsp_event. */
	shared_full_barrier();
	/* A broken index is "there is something": the take will say so. */
	return ring_look(ring) != FRONT_RING_EMPTY;
}
