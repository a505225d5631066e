/* SPDX-License-Identifier: MIT */
/*
 * The back end's half of a Xen shared ring (xen/io/ring.h), for any class.
 *
 * Not a request parser: entries are opaque bytes of one size. Invariants:
 *  1. req_cons and rsp_prod are private; only req_prod and rsp_event are ever
 *     read from the page, once each a batch;
 *  2. an entry is copied off before anything looks at it;
 *  3. a producer index that is more than a ring ahead of what was answered
 *     is the client's fault and stops the ring (PV_RING_BROKEN);
 *  4. responses are written in any slot order the door likes, but published
 *     in one push a batch.
 */
#ifndef XDD_PV_RING_H
#define XDD_PV_RING_H

#include <stdbool.h>
#include <stdint.h>

enum pv_ring_status {
	PV_RING_OK = 0,
	PV_RING_EMPTY,
	PV_RING_BROKEN, /* indices that no sound front end writes */
};

struct pv_ring {
	uint8_t *page;	     /* shared: 64-byte header, then entries */
	uint32_t entries;    /* a power of two */
	uint32_t entry_size; /* bytes, request and response alike */
	uint32_t req_cons;   /* private */
	uint32_t rsp_prod;   /* private */
	uint32_t req_prod;   /* the last one read and checked */
	uint32_t pushed;     /* rsp_prod as it was published */
};

/* @bytes of shared memory at @page. @attach: the ring is live; start at the
 * response index that it shows. PV_RING_BROKEN if its indices cannot be. */
enum pv_ring_status pv_ring_init(struct pv_ring *ring, void *page, uint32_t bytes,
				 uint32_t entry_size, bool attach);
/* Copy the next request off the ring into @entry (entry_size bytes). */
enum pv_ring_status pv_ring_take(struct pv_ring *ring, void *entry);
/* Write the next response (@size <= entry_size bytes; the rest is zeroed). */
void pv_ring_put(struct pv_ring *ring, const void *entry, uint32_t size);
/* Publish what was put; true if the front end asked to be notified. */
bool pv_ring_push(struct pv_ring *ring);
/* Ask to be woken by the next request, then look once more: true if there is
 * one already (do not sleep). */
bool pv_ring_final_check(struct pv_ring *ring);

#endif
