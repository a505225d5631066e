/* SPDX-License-Identifier: MIT */
/*
 * A frame that is to be cut, cut; a sum that is to be made, made: for a link whose
 * other end leaves nothing undone, where no kernel is there to do it.
 *
 * Pure: a frame whose offload was checked (net_offload_check()) goes in, and is not
 * written to; of each segment the headers come out, and where its payload lies. TCP
 * over IPv4 and IPv6 alone.
 *
 * Invariants:
 *  1. what the segments hold is the frame's payload, whole and in its order;
 *  2. no frame is cut into more than NET_CUT_MOST, whatever it says.
 *
 * Sources: RFC 791, 8200, 9293; of CWR RFC 3168, 6.1.2.
 */
#ifndef XDD_NET_CUT_H
#define XDD_NET_CUT_H

#include "backends/net/net-frame.h"

#define NET_CUT_MOST 256 /* segments */
#define NET_CUT_HEAD                                                                   \
	256 /* bytes of headers: Ethernet, a tag, IP and TCP with options */

struct net_cut {
	struct net_frame frame; /* of the segment's headers: its bytes are head[] */
	struct net_offload offload;
	const uint8_t *bytes;
	uint32_t size;
	uint32_t at;	 /* the next segment's payload */
	uint32_t number; /* of the next segment */
	/* net_cut_next(): */
	uint8_t head[NET_CUT_HEAD]; /* offload.header bytes; the sum of the pseudo
				       header stands in the place of the sum */
	const uint8_t *payload;
	uint32_t payload_size;
};

/* False: it cannot be cut, or into too many. */
bool net_cut_begin(struct net_cut *cut, const uint8_t *bytes, uint32_t size,
		   const struct net_offload *offload);
/* False: that was the last. */
bool net_cut_next(struct net_cut *cut);

/* What stands in the place of the sum when it is made: over @n bytes and @m more. @n is
 * even, or @m is 0. Never 0, which would be none to UDP. */
uint16_t net_cut_sum(const uint8_t *bytes, uint32_t n, const uint8_t *more, uint32_t m);

#endif
