/* SPDX-License-Identifier: MIT */
/*
 * What a client was refused since it was asked last, for the audit log: which rule, and
 * by what of the frame, with how many there were. A flood is counted, and keeps its
 * room: what finds none is counted as well.
 */
#ifndef XDD_NET_REFUSALS_H
#define XDD_NET_REFUSALS_H

#include <stddef.h>

#include "backends/net/net-rules.h"

#define NET_REFUSALS 8

struct net_refusal {
	enum net_verdict verdict;
	uint8_t mac[NET_MAC];	    /* NET_SPOOFED_MAC */
	uint16_t vlan;		    /* NET_SPOOFED_VLAN; 0: untagged, or stacked */
	struct net_address address; /* NET_SPOOFED_ADDRESS, if @known */
	bool known;
	uint64_t n;
};

struct net_refusals {
	struct net_refusal list[NET_REFUSALS];
	unsigned used;
	uint64_t others;
};

/* @frame was judged so. */
void net_refusals_add(struct net_refusals *refusals, enum net_verdict verdict,
		      const struct net_frame *frame);
/* "MAC 02:00:00:00:00:01 (3), VLAN 7 (1), and 2 others", and forgets it. Its length, 0:
 * nothing was refused. */
size_t net_refusals_text(struct net_refusals *refusals, char *out, size_t size);

#endif
