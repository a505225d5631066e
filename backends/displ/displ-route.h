/* SPDX-License-Identifier: MIT */
/*
 * Which CRTC, and which primary plane of it, feeds each connector. Pure: no card is
 * asked. CRTCs are known by their place among the card's, planes by theirs here.
 *
 * Invariants:
 *  1. no two connectors have a CRTC or a plane in common, and each has what it can
 * have; if it can be done at all, it is, unless finding it takes more than
 * DISPL_ROUTE_STEPS;
 *  2. a connector keeps the CRTC that it has, if it can, and else takes one that no
 * other connector has; a plane likewise: what a card shows is not moved without need.
 */
#ifndef XDD_DISPL_ROUTE_H
#define XDD_DISPL_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#define DISPL_ROUTE_HEADS_MAX 16 /* of all displays of a card */
#define DISPL_CRTCS_MAX	      32 /* a bit each */
#define DISPL_PLANES_MAX      64
#define DISPL_NO_CRTC	      UINT32_MAX
#define DISPL_ROUTE_STEPS     100000 /* of a search: a fraction of a second */

struct displ_route {
	struct displ_route_end {
		uint32_t possible; /* CRTCs, bits */
		uint32_t now;	   /* the one that it has; or DISPL_NO_CRTC */
	} head[DISPL_ROUTE_HEADS_MAX], plane[DISPL_PLANES_MAX];
	uint32_t unfit[DISPL_PLANES_MAX]; /* heads, bits, that a plane is not for */
	uint32_t heads, planes, crtcs;
	uint32_t others; /* CRTCs, bits, that connectors have which are no heads */

	/* Found, for each head. */
	uint32_t crtc[DISPL_ROUTE_HEADS_MAX], of[DISPL_ROUTE_HEADS_MAX];
	uint32_t steps; /* that it took */
};

/* False: they cannot all be had at once. */
bool displ_route_find(struct displ_route *route);
/* The CRTC of @head feeds another connector as well, as it is now. */
bool displ_route_shares(const struct displ_route *route, uint32_t head);

#endif
