/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <string.h>

#include "backends/net/net-rules.h"
#include "common/number.h"
#include "policy/policy.h"

#define VLAN_MAX 4094

/* -- From text --------------------------------------------------------------- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' ^ 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool net_mac_parse(const char *text, uint8_t out[NET_MAC])
{
	static const uint8_t none[NET_MAC];
	uint8_t mac[NET_MAC];

	for (unsigned i = 0; i < NET_MAC; i++, text += 3) {
		int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);

		if (low < 0 || text[2] != (i < NET_MAC - 1 ? ':' : 0))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	if (mac[0] & 1 || !memcmp(mac, none, NET_MAC))
		return false;
	memcpy(out, mac, NET_MAC);
	return true;
}

static bool add_mac(void *out, const char *text)
{
	struct net_macs *macs = out;

	return macs->n < NET_MACS_MAX && net_mac_parse(text, macs->mac[macs->n++]);
}

bool net_macs_parse(const char *text, struct net_macs *out)
{
	struct net_macs macs = {.any = !strcmp(text, "any")};

	if (!macs.any && !policy_value_list(text, add_mac, &macs))
		return false;
	*out = macs;
	return true;
}

static bool vlan_parse(const char *text, size_t len, uint64_t *out)
{
	return number_parse(text, len, VLAN_MAX, out) && *out;
}

static bool add_vlan(void *out, const char *text)
{
	struct net_vlans *vlans = out;
	size_t len = strcspn(text, "-");
	uint64_t first = 0, last = 0;

	if (strcmp(text, "untagged")) {
		if (!vlan_parse(text, len, &first))
			return false;
		last = first;
		if (text[len] &&
		    !vlan_parse(text + len + 1, strlen(text + len + 1), &last))
			return false;
	}
	for (uint64_t i = first; i <= last; i++)
		vlans->set[i / 64] |= 1ULL << i % 64;
	return first <= last;
}

bool net_vlans_parse(const char *text, struct net_vlans *out)
{
	struct net_vlans vlans = {.any = !strcmp(text, "any")};

	if (!vlans.any && !policy_value_list(text, add_vlan, &vlans))
		return false;
	*out = vlans;
	return true;
}

/* No bit is set behind the first @bits. */
static bool is_prefix(const struct net_address *address, unsigned bits)
{
	unsigned max = address->ipv6 ? 128 : 32;

	for (unsigned i = bits; i < max; i++) {
		if (address->byte[i / 8] & 0x80 >> i % 8)
			return false;
	}
	return true;
}

static bool add_address(void *out, const char *text)
{
	struct net_addresses *addresses = out;
	struct net_prefix prefix = {.address.ipv6 = strchr(text, ':')};
	unsigned max = prefix.address.ipv6 ? 128 : 32;
	char address[POLICY_ENTRY_MAX + 1] = "";
	size_t len = strcspn(text, "/");
	uint64_t bits = max;

	memcpy(address, text, len);
	if (addresses->n == NET_ADDRESSES_MAX ||
	    inet_pton(prefix.address.ipv6 ? AF_INET6 : AF_INET, address,
		      prefix.address.byte) != 1)
		return false;
	if (text[len] &&
	    !number_parse(text + len + 1, strlen(text + len + 1), max, &bits))
		return false;
	prefix.bits = (uint8_t)bits;
	if (!is_prefix(&prefix.address, prefix.bits))
		return false;
	addresses->prefix[addresses->n++] = prefix;
	return true;
}

bool net_addresses_parse(const char *text, struct net_addresses *out)
{
	struct net_addresses addresses = {.any = !strcmp(text, "any")};

	if (!addresses.any && strcmp(text, "none") &&
	    !policy_value_list(text, add_address, &addresses))
		return false;
	*out = addresses;
	return true;
}

/* -- What passes ------------------------------------------------------------- */

bool net_macs_pass(const struct net_macs *macs, const uint8_t *mac)
{
	for (uint32_t i = 0; i < macs->n; i++) {
		if (!memcmp(macs->mac[i], mac, NET_MAC))
			return true;
	}
	return macs->any;
}

static bool sources_pass(const struct net_macs *macs, const struct net_frame *frame)
{
	return net_macs_pass(macs, frame->bytes + NET_MAC) &&
	       (!frame->claim_mac || net_macs_pass(macs, frame->claim_mac));
}

static bool vlan_passes(const struct net_vlans *vlans, const struct net_frame *frame)
{
	uint16_t vlan = frame->tagged ? frame->vlan : 0;

	if (vlans->any)
		return true;
	return !frame->stacked && vlans->set[vlan / 64] >> vlan % 64 & 1;
}

static bool prefix_has(const struct net_prefix *prefix,
		       const struct net_address *address)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;
	const uint8_t *a = prefix->address.byte, *b = address->byte;

	if (prefix->address.ipv6 != address->ipv6 || memcmp(a, b, whole))
		return false;
	return !rest || !((a[whole] ^ b[whole]) & 0xff00 >> rest);
}

static bool address_passes(const struct net_addresses *addresses,
			   const struct net_address *address)
{
	for (uint32_t i = 0; i < addresses->n; i++) {
		if (prefix_has(&addresses->prefix[i], address))
			return true;
	}
	return false;
}

/* Invariants 2 and 3. */
static bool addresses_pass(const struct net_addresses *addresses,
			   const struct net_frame *frame)
{
	static const uint8_t none[16];

	if (addresses->any)
		return true;
	if (!frame->has_source)
		return false;
	if (frame->has_claim && !address_passes(addresses, &frame->claim))
		return false;
	return !memcmp(frame->source.byte, none, frame->source.ipv6 ? 16 : 4) ||
	       address_passes(addresses, &frame->source);
}

/* [impl->req~client-sends-as-itself~1] */
enum net_verdict net_rules_judge(const struct net_rules *rules,
				 const struct net_frame *frame)
{
	if (!sources_pass(&rules->sources, frame))
		return NET_SPOOFED_MAC;
	if (!vlan_passes(&rules->vlans, frame))
		return NET_SPOOFED_VLAN;
	if (!addresses_pass(&rules->addresses, frame))
		return NET_SPOOFED_ADDRESS;
	if (frame->cast == NET_MULTICAST && !rules->multicast)
		return NET_NO_MULTICAST;
	if (frame->cast == NET_BROADCAST && !rules->broadcast)
		return NET_NO_BROADCAST;
	return NET_PASS;
}

bool net_rules_hear(const struct net_rules *rules, const struct net_frame *frame)
{
	if (frame->cast == NET_UNICAST && !net_macs_pass(&rules->sources, frame->bytes))
		return false;
	return vlan_passes(&rules->vlans, frame);
}
