/* SPDX-License-Identifier: MIT */
/*
 * xdd-can: one CAN controller of one client. What it adds to the host skeleton: the
 * [Can] section, a bus opened from Resource, and what its policy refused, once a
 * second, for the keeper's record. Behind which of the two front doors it stands is the
 * policy's Door (can-door.h).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/can/can-door.h"
#include "common/clock.h"

/* What to do about a bus that does not open. */
static const char *bus_advice(int err)
{
	switch (-err) {
	case ENODEV:
		return "there is no such interface: create it, or correct Resource";
	case EPROTONOSUPPORT:
		return "FD = yes, and it takes classic frames alone: ip link set it "
		       "mtu "
		       "72, or fd on";
	case EAFNOSUPPORT:
		return "modprobe can-raw, and let modules-load.d do so";
	case EINVAL:
		return "it must be the name of a CAN interface, loopback: or null:";
	case EACCES:
	case EPERM:
		return "its unit must see the interface: daemon-reload, so that the "
		       "generator does";
	default:
		return "see dmesg";
	}
}

static int controller_open_bus(struct host *host, struct controller *c)
{
	const struct can_bus_conf conf = {
		.fd = c->policy.fd,
		.receive = &c->policy.receive,
		.transmit = &c->policy.transmit,
		.loop = &host->loop,
	};
	int r = can_bus_open(&c->bus, host->policy.resource, &conf);

	if (r < 0)
		log_line(&host->log, LOG_LEVEL_ERROR, "Resource %s: %s (%s)",
			 host->policy.resource, strerror(-r), bus_advice(r));
	return r;
}

/* What stands in the file of numbers (xdd-can(8)): the door's first, of which two are
 * for people. */
static void controller_count(struct host *host, struct controller *c)
{
	const struct can_stats *core = &c->can.stats;
	const struct stats_named counters[] = {
		{"sent", &core->sent},
		{"received", &core->received},
		{"sent_bytes", &core->sent_bytes},
		{"received_bytes", &core->received_bytes},
		{"invalid", &core->refused[CAN_INVALID]},
		{"unsupported", &core->refused[CAN_UNSUPPORTED]},
		{"denied", &core->refused[CAN_DENIED]},
		{"stopped", &core->refused[CAN_STOPPED]},
		{"canceled", &core->refused[CAN_CANCELED]},
		{"bus_off", &core->refused[CAN_BUS_OFF]},
		{"failed", &core->refused[CAN_FAILED]},
		{"filtered", &core->filtered},
		{"lost", &core->lost},
		{"own", &core->own},
		{"bus_errors", &core->errors},
		{"bus_offs", &core->bus_offs},
		{"starts", &core->starts},
		{"stops", &core->stops},
		{"bus_received", &c->bus->received},
		{"bus_sent", &c->bus->sent},
		{"bus_overruns", &c->bus->overruns},
	};

	host->door->count(host);
	STATS_COUNTERS(&host->stats, counters);
}

static int controller_open(struct host *host)
{
	static const struct host_section section = {"Can", can_policy_keys,
						    can_policy_fit};
	struct controller *c = controller_of(host);
	struct can_conf conf = {
		.policy = &c->policy,
		.receive = &host->policy.receive[POLICY_RECEIVE_OPERATIONS],
		.owner = host,
	};
	int r;

	c->keys = (struct keys){host->store, host->grants, host->evtchn, &host->log};
	can_policy_init(&c->policy);
	r = host_read_section(host, &section, &c->policy);
	if (!r)
		r = controller_open_bus(host, c);
	if (r < 0)
		return r;
	conf.bus = c->bus;
	r = can_init(&c->can, &conf);
	if (!r)
		r = host->door->open(host);
	if (r)
		log_line(&host->log, LOG_LEVEL_ERROR, "%s", strerror(-r));
	else
		controller_count(host, c);
	return r;
}

/* "123 (7), 18ff0000 (1), and 12 others", as the keeper takes it. False: nothing was
 * refused. */
static bool refusals(struct can *can, char *out, size_t size)
{
	struct can_refusal refusal;
	size_t n = 0;

	while (can_refusal(can, &refusal)) {
		bool extended = refusal.can_id & CAN_EFF_FLAG;

		n += (size_t)snprintf(out + n, size - n, "%s%0*x (%u)", n ? ", " : "",
				      extended ? 8 : 3, refusal.can_id & CAN_EFF_MASK,
				      refusal.n);
	}
	if (can->unlisted)
		snprintf(out + n, size - n, ", and %llu others",
			 (unsigned long long)can->unlisted);
	can->unlisted = 0;
	return n;
}

static int controller_tick(struct host *host, uint64_t now)
{
	struct can *can = &controller_of(host)->can;
	char text[STORE_VALUE_MAX + 1];
	int r;

	(void)now;
	if (can->error) /* the interface is gone, with or without a client */
		return can->error;
	if (!refusals(can, text, sizeof(text)))
		return 0;
	log_line(&host->log, LOG_LEVEL_WARNING,
		 "Transmit does not allow these identifiers (frames): %s", text);
	r = store_write(host->store, "xdd-refused", text);
	return r < 0 ? r : 0;
}

static void controller_limits(struct host *host)
{
	can_limits(&controller_of(host)->can, clock_now());
}

static const struct host_class can_class = {
	.name = "can",
	.class = POLICY_CAN,
	.door = {&can_door_pv, &can_door_virtio},
	.open = controller_open,
	.tick = controller_tick,
	.limits = controller_limits,
};

int main(int argc, char **argv)
{
	static struct controller controller;

	return host_main(argc, argv, &can_class, &controller);
}
