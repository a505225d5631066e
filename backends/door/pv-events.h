/* SPDX-License-Identifier: MIT */
/*
 * The back end's half of a page of events, as sndif and displif have it beside a ring
 * (xen/io/sndif.h, displif.h: "Back to front events delivery").
 *
 * Not a ring of answers: the back end alone puts entries, the front end says how far it
 * has read. Invariants:
 *  1. only in_cons is ever read from a live page, once a batch; in_prod is ours;
 *  2. what the front end has not read is never written over: a full page takes no more,
 *     and an index that cannot be counts as full;
 *  3. an event's id is its index, modulo 2^16: Linux's front ends (6.1) drop an event
 *     whose id is not the count of those before it. So a successor that attaches
 *     goes on where in_prod stands, and needs to know nothing else.
 */
#ifndef XDD_PV_EVENTS_H
#define XDD_PV_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#define PV_EVENTS_ENTRY 64 /* bytes */
#define PV_EVENTS_MAX	63 /* entries of the page */

struct pv_events {
	uint8_t *page; /* shared */
	uint32_t prod, pushed;
};

/* One page at @page. @attach: it is live. */
void pv_events_init(struct pv_events *events, void *page, bool attach);
/* The id that the next one has. */
static inline uint16_t pv_events_id(const struct pv_events *events)
{
	return (uint16_t)events->prod;
}
/* Room for one more. */
bool pv_events_room(const struct pv_events *events);
/* Of PV_EVENTS_ENTRY bytes; there is room. It reaches the page with the next push. */
void pv_events_put(struct pv_events *events, const void *event);
/* Publish; true if there was something: the front end wants to be notified. */
bool pv_events_push(struct pv_events *events);
/* Those that the front end has not read become what @blank makes of them, by id. */
void pv_events_blank(struct pv_events *events,
		     void (*blank)(uint16_t id, uint8_t *out));
/* At an attach: 8 bytes at @offset of the last one that was put, whatever the client
 * has made of it; 0 if there was none. */
uint64_t pv_events_last64(const struct pv_events *events, uint32_t offset);
/* The same of one that was put and not pushed, by its id: true if there is one, and
 * that is not 0. */
bool pv_events_begun64(const struct pv_events *events, uint32_t offset, uint64_t *out);

#endif
