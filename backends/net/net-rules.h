/* SPDX-License-Identifier: MIT */
/*
 * Who a client may be on its network: the addresses, the VLANs and the kinds of frames
 * that its policy lets it send. What is spoofed does not leave.
 *
 * Pure. It judges what net-frame.h says of a frame. Invariants:
 *  1. what a list does not name does not pass; an empty one lets nothing pass;
 *  2. where addresses are listed, a frame passes only by an address that was read: IP
 *     that is cut short and stacked tags do not, nor does what is no ARP, IPv4 or IPv6;
 *  3. the address that is none (0.0.0.0, ::) passes as a source, since it is
 *     nobody's: DHCP, address probes and duplicate address detection need it.
 *
 * Lists are separated as policy_value_list() says. MAC addresses are six pairs of
 * hexadecimal digits with colons; VLANs 1 to 4094, FIRST-LAST, or "untagged"; addresses
 * are IPv4 or IPv6, with /BITS or without.
 */
#ifndef XDD_NET_RULES_H
#define XDD_NET_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/net/net-frame.h"

#define NET_MACS_MAX	  32
#define NET_VLANS	  4096
#define NET_ADDRESSES_MAX 64
#define NET_MAC_ALLOWED	  "six pairs of hexadecimal digits with colons, not of a group"
#define NET_MACS_ALLOWED  "any, or up to 32 MAC addresses"
#define NET_VLANS_ALLOWED "any, or a list of untagged, 1-4094, FIRST-LAST"
#define NET_ADDRESSES_ALLOWED                                                          \
	"any, none, or up to 64 IPv4 and IPv6 addresses, with /BITS or without"

struct net_macs {
	bool any;
	uint32_t n;
	uint8_t mac[NET_MACS_MAX][NET_MAC];
};

struct net_vlans {
	bool any; /* stacked tags too */
	/* A bit each; bit 0 is untagged. */
	uint64_t set[NET_VLANS / 64];
};

struct net_prefix {
	struct net_address address; /* no bits are set behind @bits */
	uint8_t bits;
};

struct net_addresses {
	bool any; /* also what is no IP */
	uint32_t n;
	struct net_prefix prefix[NET_ADDRESSES_MAX];
};

struct net_rules {
	struct net_macs sources;
	struct net_vlans vlans;
	struct net_addresses addresses;
	bool multicast, broadcast;
};

enum net_verdict {
	NET_PASS,
	NET_SPOOFED_MAC,     /* its source, or ARP's sender, is none of Sources */
	NET_SPOOFED_VLAN,    /* not one of VLANs */
	NET_SPOOFED_ADDRESS, /* its source, or what it advertises, not of Addresses */
	NET_NO_MULTICAST,
	NET_NO_BROADCAST,
	NET_NO_OFFLOADS, /* it is to be cut, with Offloads = no */
	NET_TOO_LONG,	 /* for MTU, or its segments are */
	NET_VERDICTS,
};

/* False, with *@out untouched: not such a text. */
bool net_mac_parse(const char *text, uint8_t out[NET_MAC]);
bool net_macs_parse(const char *text, struct net_macs *out);
bool net_vlans_parse(const char *text, struct net_vlans *out);
bool net_addresses_parse(const char *text, struct net_addresses *out);

/* Is @mac one of @macs? */
bool net_macs_pass(const struct net_macs *macs, const uint8_t *mac);
/* May a client with these rules send @frame? The first rule that it breaks. */
enum net_verdict net_rules_judge(const struct net_rules *rules,
				 const struct net_frame *frame);
/* Is @frame, of somebody else, its to hear? What is sent to a station that is none of
 * Sources, as a bridge sends what it has not learnt yet, or on a VLAN that is none of
 * VLANs, is not. Groups are heard. */
bool net_rules_hear(const struct net_rules *rules, const struct net_frame *frame);

#endif
