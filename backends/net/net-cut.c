/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/net/net-cut.h"

#define IPV4_LENGTH  2
#define IPV4_ID	     4
#define IPV4_SUM     10
#define IPV6_LENGTH  4
#define IPV6_BYTES   40
#define TCP_SEQUENCE 4
#define TCP_FLAGS    13
#define TCP_FIN	     0x01
#define TCP_PSH	     0x08
#define TCP_CWR	     0x80

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
	       at[3];
}

static uint64_t sum_bytes(const uint8_t *at, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	return n & 1 ? sum + ((uint32_t)at[n - 1] << 8) : sum;
}

uint16_t net_cut_sum(const uint8_t *bytes, uint32_t n, const uint8_t *more, uint32_t m)
{
	uint64_t sum = sum_bytes(bytes, n) + sum_bytes(more, m);

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum ^= 0xffff;
	return sum ? (uint16_t)sum : 0xffff;
}

bool net_cut_begin(struct net_cut *cut, const uint8_t *bytes, uint32_t size,
		   const struct net_offload *offload)
{
	uint32_t payload = size - offload->header;

	if ((offload->gso != NET_GSO_TCPV4 && offload->gso != NET_GSO_TCPV6) ||
	    offload->header > NET_CUT_HEAD ||
	    (payload - 1) / offload->gso_size + 1 > NET_CUT_MOST)
		return false;
	*cut = (struct net_cut){
		.offload = *offload,
		.bytes = bytes,
		.size = size,
		.at = offload->header,
	};
	/* It writes nothing to them. */
	net_frame_parse((uint8_t *)(uintptr_t)bytes, size, &cut->frame);
	cut->frame.bytes = cut->head;
	return true;
}

static void cut_ip(struct net_cut *cut)
{
	uint8_t *ip = cut->head + cut->frame.l3;
	uint32_t bytes = cut->offload.header - cut->frame.l3 + cut->payload_size;

	if (cut->offload.gso == NET_GSO_TCPV6) {
		put16(ip + IPV6_LENGTH, bytes - IPV6_BYTES);
		return;
	}
	put16(ip + IPV4_LENGTH, bytes);
	put16(ip + IPV4_ID,
	      ((uint32_t)ip[IPV4_ID] << 8 | ip[IPV4_ID + 1]) + cut->number);
	put16(ip + IPV4_SUM, 0);
	put16(ip + IPV4_SUM, net_cut_sum(ip, (ip[0] & 15u) * 4, NULL, 0));
}

/* What ends a burst is the last one's, what answers congestion the first one's. */
static void cut_tcp(struct net_cut *cut, bool last)
{
	uint8_t *tcp = cut->head + cut->frame.l4;
	uint32_t sequence = get32(tcp + TCP_SEQUENCE) + cut->at - cut->offload.header;

	put16(tcp + TCP_SEQUENCE, sequence >> 16);
	put16(tcp + TCP_SEQUENCE + 2, sequence);
	if (!last)
		tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (cut->number)
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
}

bool net_cut_next(struct net_cut *cut)
{
	uint32_t left = cut->size - cut->at;
	bool last = left <= cut->offload.gso_size;

	if (!left)
		return false;
	cut->payload = cut->bytes + cut->at;
	cut->payload_size = last ? left : cut->offload.gso_size;
	memcpy(cut->head, cut->bytes, cut->offload.header);
	cut_ip(cut);
	cut_tcp(cut, last);
	net_frame_sum(&cut->frame, &cut->offload);
	cut->at += cut->payload_size;
	cut->number++;
	return true;
}
