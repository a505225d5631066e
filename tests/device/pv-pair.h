/* SPDX-License-Identifier: MIT */
/*
 * The front end's half of what sndif and displif have for each stream or connector: a
 * ring of requests with 64-byte entries, and a page of events. In a loopxen domain.
 *
 * Not what an entry means. Written from Xen's headers alone.
 */
#ifndef XDD_TEST_PV_PAIR_H
#define XDD_TEST_PV_PAIR_H

#include "tests/loopxen/loopxen.h"

#define PV_PAIR_ENTRY 64

/* How a class calls its keys: "req-ring-ref" and so on. */
struct pv_pair_keys {
	const char *ring_ref, *port, *events_ref, *events_port;
};

struct pv_pair {
	struct loopxen *x;
	const struct loopxen_device *dev;
	uint8_t *ring, *events; /* pages */
	struct gref ring_ref, events_ref;
	struct evport port, events_port;
	uint32_t req_prod, rsp_cons; /* private */
	uint16_t id;		     /* of the next request */
	uint64_t kicks;
};

/* A front-end key; NULL: it is removed. */
void pv_pair_key(struct loopxen *x, const struct loopxen_device *dev, const char *key,
		 const char *value);
/* Pages, grants, ports, and the keys that name them, in the folder @at. */
void pv_pair_connect(struct pv_pair *p, struct loopxen *x,
		     const struct loopxen_device *dev, const char *at,
		     const struct pv_pair_keys *keys);
/* Takes all back; false: something of it is mapped. */
bool pv_pair_disconnect(struct pv_pair *p);

/* The next request as it is, published, and an event if one is wanted. */
void pv_pair_send(struct pv_pair *p, const void *entry);
/* The next answer; false: there is none, and an event is asked for. */
bool pv_pair_answer(struct pv_pair *p, void *entry);
/* The next event; its id must be the count of those before. */
bool pv_pair_event(struct pv_pair *p, void *entry);
/* Words of the ring's header: req_prod, req_event, rsp_prod, rsp_event. */
uint32_t *pv_pair_header(struct pv_pair *p);
/* Of the events' page: in_cons, in_prod. */
uint32_t *pv_pair_indices(struct pv_pair *p);

#endif
