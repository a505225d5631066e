/* SPDX-License-Identifier: MIT */
/*
 * Frames from one process to another in memory that both can write to: a ring of bytes,
 * one who puts and one who takes.
 *
 * Pure: an area goes in, no file and no wake-up. Neither side trusts the other, and
 * neither can stop the other's process: what stands in the area is read once, checked,
 * and then used. It judges no frame and no offload.
 *
 * Invariants:
 *  1. each side's own index is a private variable; what stands in the area under its
 *     name is for the other to read, and is never read back but to see that somebody
 *     else wrote there (net_ring_out_heal());
 *  2. whatever is in the area, nothing outside of it is read or written, no more than
 *     NET_RING_FRAME_MAX bytes are taken for a frame, and each call ends;
 *  3. what cannot be frames is dropped as far as the other's index stands: from any
 *     indices two honest sides come to agree again, once each has looked;
 *  4. a frame is there whole before the index that tells of it (release, acquire).
 *
 * An entry is a head, then its frame, then bytes of no meaning to the next multiple of
 * NET_RING_ALIGN. Indices count bytes, and run over at 2^32.
 */
#ifndef XDD_NET_LINK_RING_H
#define XDD_NET_LINK_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/net/net-vnet.h"

#define NET_RING_ALIGN	   16
#define NET_RING_BYTES	   (1u << 20)
#define NET_RING_CONTROL   4096 /* before them: a page for the indices */
#define NET_RING_AREA	   (NET_RING_CONTROL + NET_RING_BYTES)
#define NET_RING_FRAME_MAX (NET_FRAME_MAX + NET_HEADER + 2 * NET_TAG)

/* At the start of an area. Who takes writes all but the first line. */
struct net_ring_control {
	uint32_t put __attribute__((aligned(64)));
	uint32_t taken __attribute__((aligned(64)));
	uint32_t wake;	/* tell me when this byte is put */
	uint32_t takes; /* whoever puts may know what is to be put: the link's own */
};

struct net_ring_head {
	uint32_t size; /* of the frame */
	struct net_vnet_header offload;
	uint8_t zero[2];
};

/* Who puts. */
struct net_ring_out {
	uint8_t *area;
	uint32_t put;
	uint32_t taken; /* as it was last seen, and sound */
	uint32_t told;	/* as far as the other's wake was looked at */
};

/* Who takes. */
struct net_ring_in {
	uint8_t *area;
	uint32_t taken;
	uint32_t put;  /* as it was last seen, and sound */
	uint32_t size; /* of the frame that was looked at */
};

enum net_ring_look {
	NET_RING_EMPTY,
	NET_RING_FRAME,
	NET_RING_BROKEN, /* what was there is dropped; look again */
};

/* Goes on where the one before it was, if that can be. @area is NET_RING_AREA bytes, at
 * a multiple of 64. */
void net_ring_out_begin(struct net_ring_out *ring, void *area);
/* Is there room for a frame of so many bytes? False as well for one that is too long,
 * and while the other's index is none. */
bool net_ring_out_room(struct net_ring_out *ring, uint32_t size);
/* Of the frame that there is room for: these bytes, at @at. */
void net_ring_out_write(struct net_ring_out *ring, uint32_t at, const uint8_t *bytes,
			uint32_t n);
/* It is there. */
void net_ring_out_push(struct net_ring_out *ring, const struct net_ring_head *head);
/* The other has to be told, since what it waits for was put. Once for each wait. */
bool net_ring_out_wakes(struct net_ring_out *ring);
/* The other's index is none, or ours was written by somebody else: ours is said again,
 * and true: the other has to be told. */
bool net_ring_out_heal(struct net_ring_out *ring);

/* The same. */
void net_ring_in_begin(struct net_ring_in *ring, void *area);
/* At the oldest frame, if there is one, of which *@head is set. */
enum net_ring_look net_ring_in_look(struct net_ring_in *ring,
				    struct net_ring_head *head);
/* Of the frame that was looked at all bytes: head->size. Once. */
void net_ring_in_read(struct net_ring_in *ring, uint8_t *bytes);
/* It is done with; the other learns that by net_ring_in_publish(). */
void net_ring_in_pop(struct net_ring_in *ring);
void net_ring_in_publish(struct net_ring_in *ring);
/* All that is there is done with, and the other learns it. */
void net_ring_in_discard(struct net_ring_in *ring);
/* From now on we are to be told. False: something came meanwhile. */
bool net_ring_in_wait(struct net_ring_in *ring);

#endif
