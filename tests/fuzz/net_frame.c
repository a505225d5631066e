/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: what a client says is left to be done to a frame, and the frame.
 *
 * Whatever comes in, net-frame.h's invariants hold: what passes is sound where it is,
 * the frame is the same after it was judged, and who listens to an address only hears
 * it from whom it was read.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backends/net/net-rules.h"
#include "common/bytes.h"

#define HEAD 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_frame(const struct net_frame *frame)
{
	must(frame->l3 == NET_HEADER || frame->l3 == NET_HEADER + NET_TAG);
	must(frame->l3 <= frame->size);
	must(frame->vlan < NET_VLANS && frame->tagged == (frame->vlan > 0));
	must(frame->has_source == (frame->protocol != NET_OTHER));
	must(!frame->has_claim || frame->protocol == NET_IPV6);
	must(!frame->claim_mac || frame->protocol == NET_ARP);
	must(!frame->l4 || (frame->l4 > frame->l3 && frame->l4 + 8u <= frame->size));
}

/* Invariant 3. */
static void check_offload(const struct net_frame *frame, struct net_offload *offload)
{
	if (!net_offload_check(frame, offload))
		return;
	if (offload->sum)
		must(offload->start + offload->offset + 2u <= frame->size);
	if (offload->gso == NET_GSO_NONE)
		return;
	must(offload->sum && offload->gso_size);
	must(offload->header > frame->l4 && offload->header < frame->size);
	net_frame_sum(frame, offload);
}

static void check_rules(const struct net_frame *frame)
{
	struct net_rules rules = {
		.sources.any = true,
		.vlans.any = true,
		.multicast = true,
		.broadcast = true,
	};
	static const uint8_t none[16];
	enum net_verdict verdict = net_rules_judge(&rules, frame);

	/* To nobody, but as nobody. */
	if (verdict == NET_PASS)
		must(frame->has_source && !memcmp(frame->source.byte, none, 16));
	else
		must(verdict == NET_SPOOFED_ADDRESS);
	if (frame->has_source && !frame->has_claim) {
		rules.addresses.n = 1;
		rules.addresses.prefix[0].address = frame->source;
		rules.addresses.prefix[0].bits = frame->source.ipv6 ? 128 : 32;
		must(net_rules_judge(&rules, frame) == NET_PASS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct net_offload offload;
	struct net_frame frame;
	uint8_t *bytes;

	if (size < HEAD + NET_HEADER || size > HEAD + NET_FRAME_MAX)
		return 0;
	offload = (struct net_offload){
		.sum = data[0] & 1,
		.gso = (enum net_gso)(data[1] % 4),
		.start = bytes_get16(data + 2),
		.offset = bytes_get16(data + 4),
		.gso_size = bytes_get16(data + 6),
	};
	size -= HEAD;
	bytes = malloc(size);
	must(bytes);
	memcpy(bytes, data + HEAD, size);
	net_frame_parse(bytes, (uint32_t)size, &frame);
	check_frame(&frame);
	check_rules(&frame);
	must(!memcmp(bytes, data + HEAD, size));
	check_offload(&frame, &offload);
	if (net_frame_sum_place(&frame, &offload))
		check_offload(&frame, &offload);
	free(bytes);
	return 0;
}
