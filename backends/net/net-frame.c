/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <string.h>

#include "backends/net/net-frame.h"

#define TYPE_IPV4  0x0800
#define TYPE_ARP   0x0806
#define TYPE_VLAN  0x8100
#define TYPE_IPV6  0x86dd
#define TYPE_STACK 0x88a8 /* 802.1ad */

#define VLAN_MASK 0x0fff

#define ARP_BYTES	    28 /* of Ethernet and IPv4 */
#define ARP_STATION	    8
#define ARP_SENDER	    14
#define IPV4_BYTES	    20
#define IPV4_SOURCE	    12
#define IPV4_FRAGMENT	    0x3fff /* offset, and that more follow */
#define IPV6_BYTES	    40
#define IPV6_SOURCE	    8
#define IPV6_FRAGMENT	    0xfff9
#define ADVERTISEMENT	    136 /* ICMPv6 type */
#define ADVERTISED	    8	/* its target */
#define ADVERTISEMENT_BYTES 24
#define TCP_BYTES	    20
#define TCP_SUM		    16
#define UDP_BYTES	    8
#define UDP_SUM		    6

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* -- Parsing ----------------------------------------------------------------- */

static enum net_cast cast_of(const uint8_t *mac)
{
	static const uint8_t all[NET_MAC] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (!memcmp(mac, all, NET_MAC))
		return NET_BROADCAST;
	return mac[0] & 1 ? NET_MULTICAST : NET_UNICAST;
}

static bool is_tag(uint16_t type)
{
	return type == TYPE_VLAN || type == TYPE_STACK;
}

/* Type and tag; l3 is where they end. */
static void parse_type(struct net_frame *frame)
{
	frame->l3 = NET_HEADER;
	frame->type = get16(frame->bytes + NET_HEADER - 2);
	if (!is_tag(frame->type))
		return;
	frame->stacked = true; /* until it was read */
	if (frame->size < NET_HEADER + NET_TAG)
		return;
	frame->stacked = frame->type == TYPE_STACK;
	frame->vlan = get16(frame->bytes + NET_HEADER) & VLAN_MASK;
	frame->tagged = frame->vlan;
	frame->l3 += NET_TAG;
	frame->type = get16(frame->bytes + frame->l3 - 2);
	if (is_tag(frame->type))
		frame->stacked = true;
}

static void set_source(struct net_frame *frame, const uint8_t *at, bool ipv6)
{
	frame->has_source = true;
	frame->source.ipv6 = ipv6;
	memcpy(frame->source.byte, at, ipv6 ? 16 : 4);
}

static void parse_arp(struct net_frame *frame)
{
	static const uint8_t ethernet[] = {0, 1, 8, 0, 6, 4};
	const uint8_t *at = frame->bytes + frame->l3;

	if (frame->size - frame->l3 < ARP_BYTES || memcmp(at, ethernet, 6))
		return;
	frame->protocol = NET_ARP;
	frame->claim_mac = at + ARP_STATION;
	set_source(frame, at + ARP_SENDER, false);
}

/* A header of TCP or UDP that is whole, from @at to @end, which is no less. */
static void set_l4(struct net_frame *frame, uint8_t protocol, uint32_t at, uint32_t end)
{
	uint32_t least = protocol == IPPROTO_TCP   ? TCP_BYTES
			 : protocol == IPPROTO_UDP ? UDP_BYTES
						   : UINT32_MAX;

	if (end - at < least)
		return;
	frame->l4 = (uint16_t)at;
	frame->l4_protocol = protocol;
}

static void parse_ipv4(struct net_frame *frame)
{
	const uint8_t *at = frame->bytes + frame->l3;
	uint32_t room = frame->size - frame->l3, header, total;

	if (room < IPV4_BYTES || at[0] >> 4 != 4)
		return;
	header = (at[0] & 15u) * 4;
	total = get16(at + 2);
	if (header < IPV4_BYTES || header > total || total > room)
		return;
	frame->protocol = NET_IPV4;
	set_source(frame, at + IPV4_SOURCE, false);
	if (!(get16(at + 6) & IPV4_FRAGMENT))
		set_l4(frame, at[9], frame->l3 + header, frame->l3 + total);
}

static bool is_extension(uint8_t next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING ||
	       next == IPPROTO_DSTOPTS || next == IPPROTO_FRAGMENT;
}

/* To what stands behind the extension headers, or to the fragment's, which is as far as
 * it can be read. False: they are not whole, or too many. */
static bool skip_extensions(const struct net_frame *frame, uint8_t *next, uint32_t *at,
			    uint32_t end)
{
	for (unsigned i = 0; is_extension(*next); i++) {
		const uint8_t *header = frame->bytes + *at;
		uint32_t bytes = 8;

		if (i == NET_EXTENSIONS || end - *at < bytes)
			return false;
		if (*next != IPPROTO_FRAGMENT)
			bytes = (header[1] + 1u) * 8;
		else if (get16(header + 2) & IPV6_FRAGMENT)
			return true;
		if (bytes > end - *at)
			return false;
		*next = header[0];
		*at += bytes;
	}
	return true;
}

static void set_claim(struct net_frame *frame, uint32_t at, uint32_t end)
{
	const uint8_t *message = frame->bytes + at;

	if (end - at < ADVERTISEMENT_BYTES || message[0] != ADVERTISEMENT)
		return;
	frame->has_claim = true;
	frame->claim.ipv6 = true;
	memcpy(frame->claim.byte, message + ADVERTISED, 16);
}

static void parse_ipv6(struct net_frame *frame)
{
	const uint8_t *header = frame->bytes + frame->l3;
	uint32_t room = frame->size - frame->l3, at = frame->l3 + IPV6_BYTES, end;
	uint8_t next;

	if (room < IPV6_BYTES || header[0] >> 4 != 6)
		return;
	end = at + get16(header + 4);
	next = header[6];
	/* Behind what is not looked through there may be a claim (invariant 2). */
	if (end > frame->size || !skip_extensions(frame, &next, &at, end))
		return;
	frame->protocol = NET_IPV6;
	set_source(frame, header + IPV6_SOURCE, true);
	if (next == IPPROTO_ICMPV6)
		set_claim(frame, at, end);
	else
		set_l4(frame, next, at, end);
}

void net_frame_parse(uint8_t *bytes, uint32_t size, struct net_frame *out)
{
	*out = (struct net_frame){
		.bytes = bytes,
		.size = size,
		.cast = cast_of(bytes),
	};
	parse_type(out);
	if (out->stacked)
		return;
	if (out->type == TYPE_ARP)
		parse_arp(out);
	else if (out->type == TYPE_IPV4)
		parse_ipv4(out);
	else if (out->type == TYPE_IPV6)
		parse_ipv6(out);
}

/* -- Offloads ---------------------------------------------------------------- */

bool net_frame_sum_place(const struct net_frame *frame, struct net_offload *out)
{
	if (!frame->l4)
		return false;
	out->sum = true;
	out->start = frame->l4;
	out->offset = frame->l4_protocol == IPPROTO_TCP ? TCP_SUM : UDP_SUM;
	return true;
}

static bool sum_is_sound(const struct net_frame *frame,
			 const struct net_offload *offload)
{
	return offload->start >= NET_HEADER &&
	       (uint32_t)offload->start + offload->offset + 2 <= frame->size;
}

/* The bytes of all headers, 0 if the frame is not what is to be cut. */
static uint32_t headers_of(const struct net_frame *frame, enum net_gso gso)
{
	uint32_t tcp;

	switch (gso) {
	case NET_GSO_NONE:
		return 0;
	case NET_GSO_TCPV4:
	case NET_GSO_TCPV6:
		if (frame->l4_protocol != IPPROTO_TCP)
			return 0;
		if (frame->protocol != (gso == NET_GSO_TCPV4 ? NET_IPV4 : NET_IPV6))
			return 0;
		tcp = (frame->bytes[frame->l4 + 12] >> 4) * 4u;
		return tcp < TCP_BYTES ? 0 : frame->l4 + tcp;
	case NET_GSO_UDP:
		return frame->l4_protocol == IPPROTO_UDP ? frame->l4 + UDP_BYTES : 0;
	}
	return 0;
}

/* What is cut has its sum made anew, and at its own place. */
static bool gso_is_sound(const struct net_frame *frame, struct net_offload *offload)
{
	uint32_t header = headers_of(frame, offload->gso);
	struct net_offload own;

	if (!header || header >= frame->size || !offload->gso_size)
		return false;
	if (!offload->sum || !net_frame_sum_place(frame, &own))
		return false;
	offload->header = (uint16_t)header;
	return offload->start == own.start && offload->offset == own.offset;
}

bool net_offload_check(const struct net_frame *frame, struct net_offload *offload)
{
	offload->header = 0;
	if (offload->sum && !sum_is_sound(frame, offload))
		return false;
	return offload->gso == NET_GSO_NONE || gso_is_sound(frame, offload);
}

uint64_t net_sum_add(const uint8_t *at, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i + 1 < n; i += 2)
		sum += get16(at + i);
	return n & 1 ? sum + ((uint32_t)at[n - 1] << 8) : sum;
}

uint16_t net_sum_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

void net_frame_sum(const struct net_frame *frame, const struct net_offload *offload)
{
	uint8_t *at = frame->bytes + offload->start + offload->offset;
	const uint8_t *ip = frame->bytes + frame->l3;
	uint64_t sum = frame->l4_protocol;
	uint32_t end;

	if (frame->protocol == NET_IPV4) {
		sum += net_sum_add(ip + IPV4_SOURCE, 8);
		end = (uint32_t)frame->l3 + get16(ip + 2);
	} else {
		sum += net_sum_add(ip + IPV6_SOURCE, 32);
		end = (uint32_t)frame->l3 + IPV6_BYTES + get16(ip + 4);
	}
	sum += end - frame->l4;
	sum = net_sum_fold(sum);
	at[0] = (uint8_t)(sum >> 8);
	at[1] = (uint8_t)sum;
}
