/* SPDX-License-Identifier: MIT */
/*
 * Xen's numbers as types of their own, so that a reference is never passed
 * where a port or a domain is meant. Values only: no rights, no lifetime.
 */
#ifndef XDD_IDS_H
#define XDD_IDS_H

#include <stdint.h>

struct gref {
	uint32_t v; /* grant reference (xen/grant_table.h: grant_ref_t) */
};

/* References in ascending order that @refs begins with, of @n: at least one. */
static inline uint32_t gref_run(const struct gref *refs, uint32_t n)
{
	uint32_t run = 1;

	while (run < n && refs[run].v == refs[0].v + run)
		run++;
	return run;
}

struct domid {
	uint16_t v; /* domain (xen/xen.h: domid_t); 0x7ff0 and up are reserved */
};

struct evport {
	uint32_t v; /* event channel port (xen/event_channel.h: evtchn_port_t) */
};

#define DOMID_LIMIT	0x7ff0u /* DOMID_FIRST_RESERVED */
#define XEN_PAGE_BYTES	4096u
#define XEN_PAGE_OFFSET 12u

#endif
