/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/net/net-policy.h"
#include "policy/class.h"
#include "policy/text.h"

#define RINGS 2 /* of a queue of netif */

void net_policy_init(struct net_policy *policy)
{
	*policy = (struct net_policy){
		.rules.vlans.set[0] = 1, /* untagged */
		.offloads = true,
		.queues = 1,
		.mtu = 1500,
		.backlog = 1048576,
	};
}

static const char *set_mac(void *out, const char *value)
{
	struct net_policy *policy = out;

	return net_mac_parse(value, policy->mac) ? NULL : NET_MAC_ALLOWED;
}

static const char *set_sources(void *out, const char *value)
{
	struct net_policy *policy = out;

	return net_macs_parse(value, &policy->rules.sources) ? NULL : NET_MACS_ALLOWED;
}

static const char *set_vlans(void *out, const char *value)
{
	struct net_policy *policy = out;

	return net_vlans_parse(value, &policy->rules.vlans) ? NULL : NET_VLANS_ALLOWED;
}

static const char *set_addresses(void *out, const char *value)
{
	struct net_policy *policy = out;

	return net_addresses_parse(value, &policy->rules.addresses)
		       ? NULL
		       : NET_ADDRESSES_ALLOWED;
}

static const char *set_multicast(void *out, const char *value)
{
	return policy_set_bool(value, &((struct net_policy *)out)->rules.multicast);
}

static const char *set_broadcast(void *out, const char *value)
{
	return policy_set_bool(value, &((struct net_policy *)out)->rules.broadcast);
}

static const char *set_offloads(void *out, const char *value)
{
	return policy_set_bool(value, &((struct net_policy *)out)->offloads);
}

static const char *set_queues(void *out, const char *value)
{
	struct net_policy *policy = out;

	return policy_value_uint32(value, 1, NET_QUEUES_MAX, &policy->queues) ? NULL
									      : "1-16";
}

static const char *set_mtu(void *out, const char *value)
{
	struct net_policy *policy = out;

	return policy_value_uint32(value, NET_MTU_MIN, NET_MTU_MAX, &policy->mtu)
		       ? NULL
		       : "68-9000 bytes";
}

static const char *set_speed(void *out, const char *value)
{
	struct net_policy *policy = out;

	return policy_value_uint32(value, 1, NET_SPEED_MAX, &policy->speed)
		       ? NULL
		       : "1-2147483647 Mbit/s";
}

static const char *set_backlog(void *out, const char *value)
{
	struct net_policy *policy = out;

	return policy_value_uint32(value, NET_BACKLOG_MIN, NET_BACKLOG_MAX,
				   &policy->backlog)
		       ? NULL
		       : "65536-67108864 bytes";
}

const struct policy_section_key net_policy_keys[] = {
	{"MAC", true, set_mac},
	{"Sources", false, set_sources},
	{"VLANs", false, set_vlans},
	{"Addresses", true, set_addresses},
	{"Multicast", false, set_multicast},
	{"Broadcast", false, set_broadcast},
	{"Offloads", false, set_offloads},
	{"Queues", false, set_queues},
	{"MTU", false, set_mtu},
	{"Speed", false, set_speed},
	{"Backlog", false, set_backlog},
	{"ReceivePackets", false, policy_set_read},
	{"ReceiveBytes", false, policy_set_read},
	{NULL, false, NULL},
};

static bool names_ipv4(const struct net_addresses *addresses)
{
	for (uint32_t i = 0; i < addresses->n; i++) {
		if (!addresses->prefix[i].address.ipv6)
			return true;
	}
	return false;
}

/* The pages of rings: of netif two a queue, of virtio a control page and, where each is
 * granted on its own, three for each virtqueue. */
static uint32_t rings_of(const struct policy *policy, const struct net_policy *net)
{
	if (policy->door == POLICY_PV)
		return RINGS * net->queues;
	return policy->mode == POLICY_GRANT ? 1 + 3 * (2 * net->queues + 1) : 1;
}

static void fit_queues(const struct policy *policy, const struct net_policy *net,
		       struct policy_errors *errors)
{
	if (policy->door == POLICY_VIRTIO && net->queues > NET_VIRTIO_QUEUES_MAX)
		text_error(errors, 0, "Queues = 1-7",
			   "Net.Queues = %u is more than a virtio device has room for",
			   net->queues);
	else if (policy->ring_pages < rings_of(policy, net))
		text_error(errors, 0,
			   "RingPages = 2 for each of Queues; of Mode = grant 4, and 6 "
			   "for each",
			   "Memory.RingPages = %u is too few for Net.Queues = %u",
			   policy->ring_pages, net->queues);
}

/* A process with Isolation = domain can open the other end's memory by its name, and
 * make it shorter. */
static void fit_link(const struct policy *policy, struct policy_errors *errors)
{
	if (!class_link_name(policy->resource))
		return;
	if (!class_link(policy))
		text_error(errors, policy->line[POLICY_KEY_RESOURCE],
			   "link:NAME, NAME of 1 to 31 of [a-z0-9_]",
			   "Backend.Resource = %s is no link's name", policy->resource);
	else if (policy->isolation == POLICY_DOMAIN)
		text_error(errors, policy->line[POLICY_KEY_ISOLATION],
			   "Isolation = process",
			   "Backend.Resource = %s is shared with another instance",
			   policy->resource);
}

void net_policy_fit(const struct policy *policy, const void *net,
		    struct policy_errors *errors)
{
	const struct net_policy *p = net;

	fit_queues(policy, p, errors);
	fit_link(policy, errors);
	/* What could not be meant: an address that nobody can be asked for. */
	if (names_ipv4(&p->rules.addresses) && !p->rules.broadcast)
		text_error(
			errors, 0, "Broadcast = yes, or no IPv4 address",
			"Net.Addresses names an IPv4 address with Net.Broadcast = no: "
			"ARP needs it");
	if (policy->door == POLICY_PV && p->speed)
		text_error(errors, 0, "no such line",
			   "Net.Speed: with Door = pv there is no way to show it");
	if (policy->door == POLICY_PV && policy->mode == POLICY_MAP)
		text_error(
			errors, 0, "Mode = copy, grant",
			"Memory.Mode = map: a frame's header is looked at, so it has "
			"to be the back end's own");
}

void net_policy_complete(struct net_policy *policy)
{
	struct net_macs *sources = &policy->rules.sources;

	if (!sources->any && !sources->n)
		memcpy(sources->mac[sources->n++], policy->mac, NET_MAC);
}
