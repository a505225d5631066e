/* SPDX-License-Identifier: MIT */
/*
 * xdd-net: one network device of one client. What it adds to the host skeleton: the
 * [Net] section, a link opened from Resource, and what its policy refused, once a
 * second, for the keeper's record.
 */
#include <errno.h>
#include <string.h>

#include "backends/net/net-door.h"
#include "common/clock.h"
#include "policy/class.h"

/* What to do about a named one that does not open. */
static const char *named_advice(int err)
{
	switch (-err) {
	case ENOENT:
	case ERANGE:
		return "xdd-link@NAME.service makes it: see why it did not";
	case EBUSY:
		return "two others have its two ends";
	default:
		return "see dmesg";
	}
}

/* The same of any. */
static const char *link_advice(const struct policy *policy, int err)
{
	if (class_link(policy))
		return named_advice(err);
	switch (-err) {
	case ENODEV:
		return "there is no such interface: have systemd-networkd make it, or "
		       "correct Resource";
	case ENOENT:
		return "modprobe tun, and let modules-load.d do so";
	case EACCES:
	case EPERM:
		return "it must be a tap of this instance's user: User= in its "
		       ".netdev, "
		       "and a daemon-reload, so that the unit may open it";
	case EBUSY:
		return "somebody else has it open";
	case EINVAL:
		return "it must be the name of a tap, link:NAME or null:";
	default:
		return "see dmesg";
	}
}

static int station_open_link(struct host *host, struct station *s)
{
	const struct net_link_conf conf = {
		.queues = s->policy.queues,
		.loop = &host->loop,
	};
	int r = net_link_open(&s->link, host->policy.resource, &conf);

	if (r < 0)
		log_line(&host->log, LOG_LEVEL_ERROR, "Resource %s: %s (%s)",
			 host->policy.resource, strerror(-r),
			 link_advice(&host->policy, r));
	else if (class_link(&host->policy) && s->policy.queues > 1)
		log_line(&host->log, LOG_LEVEL_NOTICE,
			 "Resource %s has one queue for Queues = %u",
			 host->policy.resource, s->policy.queues);
	else if (s->link->queues < s->policy.queues)
		log_line(&host->log, LOG_LEVEL_NOTICE,
			 "Resource %s has %u queue for Queues = %u: MultiQueue=yes in "
			 "its .netdev gives it more",
			 host->policy.resource, s->link->queues, s->policy.queues);
	return r;
}

/* What stands in the file of numbers (xdd-net(8)): the door's first, of which two are
 * for people. */
static void station_count(struct host *host, struct station *s)
{
	const struct net_stats *core = &s->net.stats;
	const struct net_link_stats *link = &s->link->stats;
	const struct stats_named counters[] = {
		{"sent", &core->sent},
		{"sent_bytes", &core->sent_bytes},
		{"received", &core->received},
		{"received_bytes", &core->received_bytes},
		{"spoofed_mac", &core->refused[NET_SPOOFED_MAC]},
		{"spoofed_vlan", &core->refused[NET_SPOOFED_VLAN]},
		{"spoofed_address", &core->refused[NET_SPOOFED_ADDRESS]},
		{"no_multicast", &core->refused[NET_NO_MULTICAST]},
		{"no_broadcast", &core->refused[NET_NO_BROADCAST]},
		{"no_offloads", &core->refused[NET_NO_OFFLOADS]},
		{"too_long", &core->refused[NET_TOO_LONG]},
		{"no_frame", &core->malformed},
		{"lost", &core->lost},
		{"filtered", &core->filtered},
		{"unfit", &core->unfit},
		{"link_unfit", &link->unfit},
	};

	host->door->count(host);
	STATS_COUNTERS(&host->stats, counters);
}

static int station_open(struct host *host)
{
	static const struct host_section section = {"Net", net_policy_keys,
						    net_policy_fit};
	struct station *s = station_of(host);
	struct net_conf conf = {.policy = &s->policy, .receive = host->policy.receive};
	int r;

	s->keys = (struct keys){host->store, host->grants, host->evtchn, &host->log};
	net_policy_init(&s->policy);
	r = host_read_section(host, &section, &s->policy);
	if (!r)
		r = station_open_link(host, s);
	if (r < 0)
		return r;
	net_policy_complete(&s->policy);
	conf.link = s->link;
	r = net_init(&s->net, &conf);
	if (!r)
		r = host->door->open(host);
	if (r)
		log_line(&host->log, LOG_LEVEL_ERROR, "%s", strerror(-r));
	else
		station_count(host, s);
	return r;
}

static int station_tick(struct host *host, uint64_t now)
{
	struct net *net = &station_of(host)->net;
	char text[STORE_VALUE_MAX + 1];
	int r;

	(void)now;
	if (net->error) /* the interface is gone, with or without a client */
		return net->error;
	if (!net_refusals_text(&net->refusals, text, sizeof(text)))
		return 0;
	log_line(&host->log, LOG_LEVEL_WARNING,
		 "the policy does not allow what the client sent (frames): %s", text);
	r = store_write(host->store, "xdd-refused", text);
	return r < 0 ? r : 0;
}

static void station_limits(struct host *host)
{
	net_limits(&station_of(host)->net, clock_now());
}

static const struct host_class net_class = {
	.name = "net",
	.class = POLICY_NET,
	.door = {&net_door_pv, &net_door_virtio},
	.open = station_open,
	.tick = station_tick,
	.limits = station_limits,
};

int main(int argc, char **argv)
{
	static struct station station;

	return host_main(argc, argv, &net_class, &station);
}
