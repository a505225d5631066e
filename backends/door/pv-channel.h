/* SPDX-License-Identifier: MIT */
/*
 * What sndif has for each stream and displif for each connector: a ring of requests and
 * a page of events, a page each, with an event channel each (xen/io/sndif.h, displif.h:
 * "Request Transport Parameters", "Event Transport Parameters").
 *
 * Not what a request means, and not when it is taken: what it is made of, from being
 * opened to being closed.
 */
#ifndef XDD_PV_CHANNEL_H
#define XDD_PV_CHANNEL_H

#include <stdbool.h>

#include "backends/door/keys.h"
#include "backends/door/pv-events.h"
#include "backends/door/pv-ring.h"

#define PV_CHANNEL_ENTRY                                                               \
	PV_EVENTS_ENTRY	  /* bytes: of a request, an answer, an event                  \
			   */
#define PV_CHANNEL_KEY 40 /* "255/255/evt-event-channel" */

/* How a protocol calls its keys. */
struct pv_channel_names {
	const char *ring, *port, *events, *events_port;
};

struct pv_channel {
	bool open;
	struct grants_map ring_map, events_map;
	struct evport port, events_port; /* for the owner: pending, unmask */
	struct pv_ring ring;
	struct pv_events events;
};

/* The key @name in the folder @at of a device: "0/1/ring-ref". */
void pv_channel_key(char key[PV_CHANNEL_KEY], const char *at, const char *name);
/* Map and bind what its keys in @at name, and look at the ring for the first time;
 * @attach: it is live. As keys.h's; what there is of it afterwards is to be closed,
 * whatever that says. */
int pv_channel_open(struct pv_channel *c, const struct keys *keys, const char *at,
		    const struct pv_channel_names *names, bool attach);
/* What it has of these is given back. 0, or the first negative errno. */
int pv_channel_close(struct pv_channel *c, const struct keys *keys);
/* Of an attach: who was there before may have died between its push and its event. 0 or
 * a negative errno. */
int pv_channel_wake(const struct pv_channel *c, const struct keys *keys);

#endif
