/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <string.h>

#include "backends/net/net-cut.h"
#include "common/bytes.h"

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
	bytes_put16(at, htobe16((uint16_t)value));
}

uint16_t net_cut_sum(const uint8_t *bytes, uint32_t n, const uint8_t *more, uint32_t m)
{
	uint16_t sum = net_sum_fold(net_sum_add(bytes, n) + net_sum_add(more, m));

	return sum == 0xffff ? sum : (uint16_t)~sum;
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
	put16(ip + IPV4_ID, (uint32_t)be16toh(bytes_get16(ip + IPV4_ID)) + cut->number);
	put16(ip + IPV4_SUM, 0);
	put16(ip + IPV4_SUM, net_cut_sum(ip, (ip[0] & 15u) * 4, NULL, 0));
}

/* What ends a burst is the last one's, what answers congestion the first one's. */
static void cut_tcp(struct net_cut *cut, bool last)
{
	uint8_t *tcp = cut->head + cut->frame.l4;
	uint32_t sequence = be32toh(bytes_get32(tcp + TCP_SEQUENCE)) + cut->at -
			    cut->offload.header;

	bytes_put32(tcp + TCP_SEQUENCE, htobe32(sequence));
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
