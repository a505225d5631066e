/* SPDX-License-Identifier: MIT */
/*
 * The front end's half of a Xen shared ring (xen/io/ring.h), with entries as
 * xen/io/canif.h has them.
 *
 * Not a parser: entries are opaque bytes. The back end's half is
 * backends/door/pv-ring.h; no line is shared. Invariants:
 *  1. req_prod and rsp_cons are private; only rsp_prod and req_event are ever read
 *     from the page;
 *  2. an answer is copied off before anything looks at it;
 *  3. a back end that says to have answered more than it was asked breaks the ring,
 *     and nothing is taken from it any more;
 *  4. requests are kept back until they are published: one notify check a batch.
 */
#ifndef XDD_FRONT_RING_H
#define XDD_FRONT_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/can/canif.h"

#define FRONT_PAGE	  4096u
#define FRONT_PAGES_MAX	  8u   /* of one ring */
#define FRONT_ENTRIES_MAX 256u /* of FRONT_PAGES_MAX pages */

enum front_ring_status {
	FRONT_RING_OK = 0,
	FRONT_RING_EMPTY,
	FRONT_RING_BROKEN, /* an index that no sound back end writes */
};

struct front_ring {
	uint8_t *page;	    /* shared: 64 bytes of header, then entries */
	uint32_t entries;   /* a power of two */
	uint32_t req_prod;  /* private: put */
	uint32_t published; /* of them, those that the back end was shown */
	uint32_t rsp_cons;  /* private: taken */
	uint32_t rsp_prod;  /* the last one read and checked */
	bool broken;
};

/* Makes the ring in @pages pages (a power of two) at @page, which nobody else sees
 * yet. */
void front_ring_init(struct front_ring *ring, void *page, uint32_t pages);
/* How many requests there is room for. */
static inline uint32_t front_ring_room(const struct front_ring *ring)
{
	return ring->entries - (ring->req_prod - ring->rsp_cons);
}
/* Requests that were put and whose answer was not taken. */
static inline uint32_t front_ring_out(const struct front_ring *ring)
{
	return ring->req_prod - ring->rsp_cons;
}
/* The next request: XENCAN_ENTRY bytes. There is room. */
void front_ring_put(struct front_ring *ring, const void *entry);
/* Shows the back end what was put; true if it asked to be notified. */
bool front_ring_publish(struct front_ring *ring);
/* The next answer: XENCAN_ENTRY bytes. */
enum front_ring_status front_ring_take(struct front_ring *ring, void *entry);
/* Asks to be woken by the @answers-th answer from now (1: the next), then looks once
 * more: true if there is something to take already (do not sleep). */
bool front_ring_rest(struct front_ring *ring, uint32_t answers);

#endif
