/* SPDX-License-Identifier: MIT */
/*
 * What an Ethernet frame says of itself, as far as rules and offloads need it.
 *
 * Pure: a whole frame in private memory goes in, once; nothing is written to it but by
 * net_frame_sum(). It knows no rule and no client.
 *
 * Invariants:
 *  1. nothing outside of the frame is read, and each loop is bounded;
 *  2. what is not understood is said to be so (NET_OTHER, no source, no l4), never
 *     guessed: who filters by addresses refuses what has none that he can read;
 *  3. what net_offload_check() passes is sound for whoever takes the frame from there:
 *     headers lie in the frame, the sum's field too, and a segment holds some payload.
 *     (XSA-423, XSA-432: headers are contiguous here by construction.)
 *
 * Sources: IEEE 802.3, 802.1Q; RFC 791, 826, 4861, 8200; linux/virtio_net.h.
 */
#ifndef XDD_NET_FRAME_H
#define XDD_NET_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#define NET_MAC	       6
#define NET_HEADER     14
#define NET_TAG	       4     /* bytes of a VLAN tag */
#define NET_FRAME_MAX  65535 /* bytes, as a packet of netif has them at most */
#define NET_EXTENSIONS 8     /* IPv6 extension headers that are looked through */

enum net_protocol {
	NET_OTHER, /* also what claims to be one of these, and cannot be read to its end
		    */
	NET_ARP,
	NET_IPV4,
	NET_IPV6,
};

enum net_cast { NET_UNICAST, NET_MULTICAST, NET_BROADCAST };

/* An address of either family; IPv4 in the first four bytes. */
struct net_address {
	bool ipv6;
	uint8_t byte[16];
};

struct net_frame {
	uint8_t *bytes;
	uint32_t size;
	enum net_cast cast;
	bool tagged;   /* by 802.1Q; a priority tag (VLAN 0) is none */
	bool stacked;  /* more than one tag, one of 802.1ad, or one that is cut short */
	uint16_t vlan; /* tagged: 1 to 4095 */
	uint16_t type; /* ethertype behind the tag; below 0x600 a length */
	enum net_protocol protocol;
	uint16_t l3;		   /* where the protocol's header begins */
	bool has_source;	   /* ARP's sender, or the source of IP */
	struct net_address source; /* has_source */
	/* What it tells others to send to the sender's station, beside its source: the
	 * target of a neighbour advertisement. */
	bool has_claim;
	struct net_address claim;
	const uint8_t *claim_mac; /* ARP: the sender's hardware address; else NULL */
	/* IP, and no fragment: where TCP or UDP begins, else 0. */
	uint16_t l4;
	uint8_t l4_protocol;
};

/* @size bytes, at least NET_HEADER. */
void net_frame_parse(uint8_t *bytes, uint32_t size, struct net_frame *out);

enum net_gso { NET_GSO_NONE, NET_GSO_TCPV4, NET_GSO_TCPV6, NET_GSO_UDP };

/* What is left to be done to a frame. */
struct net_offload {
	bool sum; /* the checksum from @start on, into @start + @offset */
	uint16_t start, offset;
	enum net_gso gso;
	uint16_t gso_size; /* bytes of payload a segment */
	uint16_t header;   /* bytes of all headers; gso */
};

/* Where the checksum of this frame's TCP or UDP is, as who asks without saying where
 * (netif's csum_blank) means it. False: it has none. */
bool net_frame_sum_place(const struct net_frame *frame, struct net_offload *out);
/* Is @offload, as its client said it, sound for this frame? Sets @offload->header,
 * whatever the client said of it. */
bool net_offload_check(const struct net_frame *frame, struct net_offload *offload);
/* The sum of RFC 1071 before it is folded, of @n bytes; one that is odd is the first of
 * two. */
uint64_t net_sum_add(const uint8_t *at, uint32_t n);
/* Folded to 16 bits. */
uint16_t net_sum_fold(uint64_t sum);
/* Put the sum of the pseudo header into the place of the sum, as who finishes it
 * expects it: for a frame to be cut whose sum was complete. @offload was checked. */
void net_frame_sum(const struct net_frame *frame, const struct net_offload *offload);

#endif
