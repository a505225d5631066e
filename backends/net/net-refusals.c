/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backends/net/net-refusals.h"

static void about_address(struct net_refusal *out, const struct net_frame *frame)
{
	out->known = frame->has_claim || frame->has_source;
	if (out->known)
		out->address = frame->has_claim ? frame->claim : frame->source;
}

/* Its sender's; or that which ARP claims, if it is another one. */
static void about_mac(struct net_refusal *out, const struct net_frame *frame)
{
	const uint8_t *source = frame->bytes + NET_MAC, *claim = frame->claim_mac;

	memcpy(out->mac, claim ? claim : source, NET_MAC);
}

static struct net_refusal about(enum net_verdict verdict, const struct net_frame *frame)
{
	struct net_refusal out = {.verdict = verdict};

	switch (verdict) {
	case NET_SPOOFED_MAC:
		about_mac(&out, frame);
		break;
	case NET_SPOOFED_VLAN:
		out.vlan = frame->tagged ? frame->vlan : 0;
		break;
	case NET_SPOOFED_ADDRESS:
		about_address(&out, frame);
		break;
	case NET_PASS:
	case NET_NO_MULTICAST:
	case NET_NO_BROADCAST:
	case NET_NO_OFFLOADS:
	case NET_TOO_LONG:
	case NET_VERDICTS:
		break;
	}
	return out;
}

static bool same(const struct net_refusal *a, const struct net_refusal *b)
{
	return a->verdict == b->verdict && a->vlan == b->vlan && a->known == b->known &&
	       a->address.ipv6 == b->address.ipv6 && !memcmp(a->mac, b->mac, NET_MAC) &&
	       !memcmp(a->address.byte, b->address.byte, sizeof(a->address.byte));
}

void net_refusals_add(struct net_refusals *refusals, enum net_verdict verdict,
		      const struct net_frame *frame)
{
	struct net_refusal new = about(verdict, frame);

	for (unsigned i = 0; i < refusals->used; i++) {
		if (same(&refusals->list[i], &new)) {
			refusals->list[i].n++;
			return;
		}
	}
	if (refusals->used == NET_REFUSALS) {
		refusals->others++;
		return;
	}
	new.n = 1;
	refusals->list[refusals->used++] = new;
}

/* What it was, without the number. */
static void describe(const struct net_refusal *r, char *out, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "not readable";
	const uint8_t *m = r->mac;

	switch (r->verdict) {
	case NET_SPOOFED_MAC:
		snprintf(out, size, "MAC %02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1],
			 m[2], m[3], m[4], m[5]);
		break;
	case NET_SPOOFED_VLAN:
		snprintf(out, size, "VLAN %u", r->vlan);
		break;
	case NET_SPOOFED_ADDRESS:
		if (r->known)
			inet_ntop(r->address.ipv6 ? AF_INET6 : AF_INET, r->address.byte,
				  address, sizeof(address));
		snprintf(out, size, "address %s", address);
		break;
	case NET_NO_MULTICAST:
		snprintf(out, size, "multicast");
		break;
	case NET_NO_BROADCAST:
		snprintf(out, size, "broadcast");
		break;
	case NET_NO_OFFLOADS:
		snprintf(out, size, "offload");
		break;
	case NET_TOO_LONG:
		snprintf(out, size, "longer than MTU");
		break;
	case NET_PASS:
	case NET_VERDICTS:
		break;
	}
}

/* As many as fit are told by what they were. */
size_t net_refusals_text(struct net_refusals *refusals, char *out, size_t size)
{
	uint64_t others = refusals->others;
	size_t n = 0;

	for (unsigned i = 0; i < refusals->used; i++) {
		char what[64], entry[96];
		size_t room = size - n - sizeof(", and 18446744073709551615 others");
		int len;

		describe(&refusals->list[i], what, sizeof(what));
		len = snprintf(entry, sizeof(entry), "%s%s (%" PRIu64 ")",
			       n ? ", " : "", what, refusals->list[i].n);
		if ((size_t)len >= room) {
			others += refusals->list[i].n;
			continue;
		}
		memcpy(out + n, entry, (size_t)len + 1);
		n += (size_t)len;
	}
	if (others)
		n += (size_t)snprintf(out + n, size - n, ", and %" PRIu64 " others",
				      others);
	*refusals = (struct net_refusals){0};
	return n;
}
