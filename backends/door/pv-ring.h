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
 *  4. responses are kept back until the push; one notify check a batch;
 *  5. whenever the process dies, each slot from rsp_prod on holds its request,
 *     or the header's padding holds the answer that was being written there. So
 *     a successor that attaches loses none and misreads none.
 *
 * Where several slots are one thing (a packet of netif), a process that dies between
 * two of their answers has a successor that finds half of it:
 *  6. from the first answer of a group on, the header's padding says where it ends:
 *     what is left of it is known (ring->left), and is no request. Of what kind each
 * is, one of two that its class has, is known, too.
 *
 * Of a ring of posted buffers a request only waits to be answered, and is told from
 * others by some bytes that stand at the same place in its answer: the kept ones. There
 * answers may be as long as entries, since they are written around these bytes:
 *  7. nothing is read of such a ring but its indices; req_cons is rsp_prod;
 *  8. the kept bytes of a slot are never written. So each slot from rsp_prod on holds
 *     what counts of its request whenever the process dies: in place of 5. What it held
 *     beside may be gone, and a half-written answer in its place.
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

#define PV_RING_ENTRIES_MAX 1024 /* 16 pages of the smallest entries */
#define PV_RING_ANSWER_MAX  32	 /* bytes of a response that are not zero */
#define PV_RING_REPEAT_MAX  48	 /* the same of one that is repeatable */
#define PV_RING_GROUP_MAX   32	 /* answers that belong together */

struct pv_ring {
	uint8_t *page;		/* shared: 64-byte header, then entries */
	uint32_t entries;	/* a power of two */
	uint32_t entry_size;	/* bytes, request and response alike */
	uint32_t req_cons;	/* private */
	uint32_t rsp_prod;	/* private */
	uint32_t req_prod;	/* the last one read and checked */
	uint32_t pushed;	/* rsp_prod as it was published */
	uint32_t kept_at, kept; /* of posted buffers: bytes; else 0 */
	/* At an attach: entries of a group that was begun, and their kinds, a bit each,
	 * bit 0 of the last. */
	uint32_t left, kinds;
	struct pv_ring_group {
		uint32_t n, kinds; /* 0: none begins here */
	} begins, group[PV_RING_ENTRIES_MAX];
	uint8_t answer[PV_RING_ENTRIES_MAX][PV_RING_REPEAT_MAX]; /* to be pushed */
	uint8_t size[PV_RING_ENTRIES_MAX];			 /* bytes of these */
};

/* @bytes of shared memory at @page. @attach: the ring is live; start at the
 * response index that it shows, or one further if a predecessor
 * died while it wrote that answer. PV_RING_BROKEN if its indices cannot be. */
enum pv_ring_status pv_ring_init(struct pv_ring *ring, void *page, uint32_t bytes,
				 uint32_t entry_size, bool attach);
/* The same, of posted buffers: @kept bytes from @kept_at on are their own. */
enum pv_ring_status pv_ring_init_posted(struct pv_ring *ring, void *page,
					uint32_t bytes, uint32_t entry_size,
					uint32_t kept_at, uint32_t kept, bool attach);
/* Copy the next request off the ring into @entry (entry_size bytes). */
enum pv_ring_status pv_ring_take(struct pv_ring *ring, void *entry);
/* The next response (@size <= PV_RING_ANSWER_MAX bytes; the rest is zero). It
 * reaches the ring with the next push. */
void pv_ring_put(struct pv_ring *ring, const void *entry, uint32_t size);
/* One of more than that, and up to PV_RING_REPEAT_MAX bytes, for which the padding has
 * no room (invariant 5). It must be repeatable: whichever of its words stand over those
 * of its request, that is a request with the same answer (a query of sndif, which
 * narrows ranges where they stand). */
void pv_ring_put_repeatable(struct pv_ring *ring, const void *entry, uint32_t size);
/* The next @n answers (2 to PV_RING_GROUP_MAX) are a group, of these @kinds
 * (invariant 6). */
void pv_ring_group(struct pv_ring *ring, uint32_t n, uint32_t kinds);
/* Look at the client's index, once: *@n requests are there and not taken, or of posted
 * buffers not filled. PV_RING_EMPTY if that is none. */
enum pv_ring_status pv_ring_posted(struct pv_ring *ring, uint32_t *n);
/* One of them is left, as far as was looked. */
static inline bool pv_ring_has_posted(const struct pv_ring *ring)
{
	return ring->req_cons != ring->req_prod;
}
/* Of posted buffers, in place of taking and putting: answer the oldest with @answer
 * (entry_size bytes, but for the kept ones). It is the client's with the next push. */
void pv_ring_fill(struct pv_ring *ring, const void *answer);
/* Publish what was put or filled; true if the front end asked to be notified. */
bool pv_ring_push(struct pv_ring *ring);
/* There is something to take, or an index that is broken. */
bool pv_ring_pending(const struct pv_ring *ring);
/* So many are there, or an index that is broken. */
bool pv_ring_pending_of(const struct pv_ring *ring, uint32_t n);
/* Ask to be woken by the next request, then look once more: true if there is
 * one already (do not sleep). */
bool pv_ring_final_check(struct pv_ring *ring);
/* The same for who can do nothing with less than @n (1 to ring->entries) requests that
 * are not taken. */
bool pv_ring_final_check_of(struct pv_ring *ring, uint32_t n);

#endif
