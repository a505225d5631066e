/* SPDX-License-Identifier: MIT */
/*
 * What a client asks of Xen: pages that one back end may map, and an event channel to
 * it. Implementations: front-xen.c, and the tests' world.
 *
 * Nobody is told whether a page that was taken back is still mapped. Negative errno:
 * our environment.
 */
#ifndef XDD_FRONT_XEN_H
#define XDD_FRONT_XEN_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/can/cmd/front-ring.h"
#include "policy/ids.h"

/* Both rings. */
struct front_grant {
	struct domid domain;
	void *page[2];	/* tx, rx */
	uint32_t pages; /* of each; 0: nothing is granted */
	uint32_t ref[2][FRONT_PAGES_MAX];
};

struct front_xen;

/* Opens the devices, once. On failure *@node is the one that would not open, or
 * NULL. */
int front_xen_open(struct front_xen **out, const char **node);
void front_xen_close(struct front_xen *xen);
/* Readable when an event came. */
int front_xen_fd(const struct front_xen *xen);
/* Grants two rings of @pages pages, writable, to @domain. On failure nothing is left.
 */
int front_xen_grant(struct front_xen *xen, struct domid domain, uint32_t pages,
		    struct front_grant *out);
/* Takes it all back. Pages that are still mapped are the kernel's to wait for. */
void front_xen_revoke(struct front_xen *xen, struct front_grant *grant);
/* A port that @domain may bind to. */
int front_xen_bind(struct front_xen *xen, struct domid domain, struct evport *out);
void front_xen_unbind(struct front_xen *xen, struct evport port);
/* When front_xen_fd() is readable, and only then: takes the event, and lets the next
 * one come. False: the device is of no use any more. */
bool front_xen_event(struct front_xen *xen);
void front_xen_notify(struct front_xen *xen, struct evport port);

#endif
