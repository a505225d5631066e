/* SPDX-License-Identifier: MIT */
/*
 * The section [Net] of a policy: who a client is on its network, and how much of it he
 * may have. Pure: a table for policy_parse_section(). Defaults are the narrow ones: a
 * client has the one MAC address that it was given, no VLAN, and sends to no group.
 *
 * What all classes have holds here so: Resource is the link; Operations and Bytes are
 * what the client sends, in frames and in their bytes, before any are cut; what it is
 * sent has ReceivePackets and ReceiveBytes, which are policy.receive: they may change
 * while it is served.
 */
#ifndef XDD_NET_POLICY_H
#define XDD_NET_POLICY_H

#include "backends/net/net-rules.h"
#include "policy/policy.h"

#define NET_QUEUES_MAX	      16
#define NET_VIRTIO_QUEUES_MAX 7	   /* of Door = virtio: two each, and one for control */
#define NET_MTU_MIN	      68   /* RFC 791 */
#define NET_MTU_MAX	      9000 /* of a frame that is not cut */
#define NET_SPEED_MAX	      2147483647 /* virtio 1.3, 5.1.4 */
#define NET_BACKLOG_MIN	      65536
#define NET_BACKLOG_MAX	      67108864

struct net_policy {
	uint8_t mac[NET_MAC];	/* MAC; required: the client's own */
	struct net_rules rules; /* Sources (default MAC), VLANs (default untagged),
				   Addresses (required), Multicast, Broadcast (no) */
	bool offloads;		/* Offloads; default yes */
	uint32_t queues;	/* Queues, 1 to 16, of Door = virtio to 7; default 1 */
	uint32_t mtu;		/* MTU, 68 to 9000; default 1500 */
	uint32_t speed;	  /* Speed: Mbit/s, shown to a virtio client, and nothing else;
			     0: not known */
	uint32_t backlog; /* Backlog: bytes that wait for the client, 64 KiB to 64 MiB;
			     default 1 MiB */
};

extern const struct policy_section_key net_policy_keys[];

/* The defaults, to parse over. */
void net_policy_init(struct net_policy *policy);
/* What does not go together, or not with the generic sections, to @errors. */
void net_policy_fit(const struct policy *policy, const void *net,
		    struct policy_errors *errors);
/* After both, if there was no error: what follows from other keys. */
void net_policy_complete(struct net_policy *policy);

#endif
