/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "policy/class.h"
#include "tests/device/net-bed.h"

#define BED_TURNS 100000 /* more than a client can ask for while time stands still */

static void bed_net_policy(struct net_bed *bed)
{
	const struct net_bed_conf *conf = &bed->conf;
	const char *vlans = conf->vlans ? conf->vlans : "untagged";
	const char *addresses = conf->addresses ? conf->addresses : "any";
	struct net_policy *net = &bed->net_policy;
	bool ok;

	net_policy_init(net);
	ok = net_mac_parse(NET_FRAMES_MINE, net->mac) &&
	     (!conf->sources || net_macs_parse(conf->sources, &net->rules.sources)) &&
	     net_vlans_parse(vlans, &net->rules.vlans) &&
	     net_addresses_parse(addresses, &net->rules.addresses);
	assert(ok);
	net_policy_complete(net);
	net->rules.multicast = !conf->no_multicast;
	net->rules.broadcast = !conf->no_broadcast;
	net->offloads = !conf->no_offloads;
	net->queues = conf->queues ? conf->queues : 1;
	net->mtu = conf->mtu ? conf->mtu : 1500;
	net->speed = conf->speed;
	net->backlog = conf->backlog ? conf->backlog : 1048576;
}

static enum policy_mode bed_mode(const struct net_bed_conf *conf)
{
	if (conf->door == POLICY_PV && conf->mode != POLICY_GRANT)
		return POLICY_COPY;
	return conf->mode;
}

static void bed_policy(struct net_bed *bed)
{
	const struct net_bed_conf *conf = &bed->conf;
	struct policy_rate free = {1000000000, 1000000000};
	struct policy_rate much = {1ull << 50, 1ull << 50};

	bed->policy = (struct policy){
		.class = POLICY_NET,
		.door = conf->door,
		.domain = bed->dev.front,
		.mode = bed_mode(conf),
		.client_pages = POLICY_BOTH,
		.ring_pages = conf->ring_pages ? conf->ring_pages : 64,
		.data_pages = conf->data_pages ? conf->data_pages : 1024,
		.first_ref = {conf->first_ref ? conf->first_ref : 8},
		.last_ref = {conf->last_ref ? conf->last_ref : LOOPXEN_REFS - 1},
		.in_flight = conf->in_flight ? conf->in_flight : 512,
		.operations = conf->operations.burst ? conf->operations : free,
		.bytes = conf->bytes.burst ? conf->bytes : much,
		.events = free,
		.receive = {conf->receive_packets, conf->receive_bytes},
	};
}

/* -- The world ------------------------------------------------------------ */

static bool bed_run_front(void *owner)
{
	return !net_bed_run(owner);
}

void net_bed_init(struct net_bed *bed, const struct net_bed_conf *conf)
{
	unsigned queues = conf->queues ? conf->queues : 1;

	memset(bed, 0, sizeof(*bed));
	bed->conf = *conf;
	bed->dev = (struct loopxen_device){{2}, {3}, NULL, 0};
	bed->dev.kind = class_info(POLICY_NET, conf->door)->kind;
	bed->door = conf->door == POLICY_PV ? &net_bed_pv : &net_bed_virtio;
	bed_policy(bed);
	bed_net_policy(bed);
	bed->x = loopxen_new();
	loopxen_domain(bed->x, bed->dev.back);
	loopxen_domain(bed->x, bed->dev.front);
	loopxen_attach(bed->x, &bed->dev, "w", "net");
	net_link_test_open(&bed->link, conf->link_queues ? conf->link_queues : queues,
			   NET_LINK_ALL & ~conf->link_without);
	bed->link.holds = conf->holds;
	bed->link.ahead = conf->ahead;
	bed->front =
		(struct netfront){.x = bed->x, .dev = &bed->dev, .conf = conf->front};
	bed->vfront.pairs = queues;
	bed->vfront.conf.grant = conf->mode == POLICY_GRANT;
	bed->vfront.run = bed_run_front;
	bed->vfront.owner = bed;
	log_init(&bed->log, "test");
	bed->log.tokens = 0; /* silent: the tests provoke what it would say */
}

unsigned net_bed_fini(struct net_bed *bed)
{
	net_link_test_reopen(&bed->link);
	return loopxen_free(bed->x);
}

/* -- A process ------------------------------------------------------------------------
 */

int net_bed_start_quiet(struct net_bed *bed)
{
	const struct net_conf conf = {.policy = &bed->net_policy,
				      .receive = bed->policy.receive,
				      .link = &bed->link.link};
	struct keys keys = {.log = &bed->log};
	int r;

	net_link_test_reopen(&bed->link);
	r = net_init(&bed->net, &conf);
	assert(!r);
	bed->back = loopxen_back_new(bed->x, &bed->policy, &bed->dev);
	keys.grants = &bed->back->grants;
	keys.evtchn = &bed->back->evtchn;
	keys.store = &bed->back->store;
	bed->again = false;
	r = bed->door->init(bed, &keys);
	if (r) {
		net_fini(&bed->net);
		loopxen_back_free(bed->back);
	}
	return r;
}

int net_bed_start(struct net_bed *bed)
{
	int r = net_bed_start_quiet(bed);

	if (r)
		return r;
	r = bed->door->offer(bed);
	if (r) {
		bed->door->fini(bed);
		net_fini(&bed->net);
		loopxen_back_kill(bed->back);
	}
	return r;
}

void net_bed_kill(struct net_bed *bed)
{
	loopxen_back_kill(bed->back);
	/* It is not detached, and never will be. */
	bed->door->died(bed);
	bed->door->fini(bed);
	bed->net.connected = false;
	net_fini(&bed->net);
}

int net_bed_follow(struct net_bed *bed)
{
	int r = net_bed_start_quiet(bed);

	return r ? r : net_bed_connect(bed, true);
}

int net_bed_connect(struct net_bed *bed, bool attach)
{
	int r;

	if (!attach)
		bed->door->front_connect(bed);
	r = bed->door->connect(bed, attach, loopxen_now(bed->x));
	if (r)
		return r;
	r = net_bed_run_now(bed);
	if (!r && !attach && !bed->door->front_ready(bed))
		r = -1;
	return r;
}

void net_bed_up(struct net_bed *bed, const struct net_bed_conf *conf)
{
	int r;

	net_bed_init(bed, conf);
	r = net_bed_start(bed);
	assert(!r);
	r = net_bed_connect(bed, false);
	assert(!r);
}

void net_bed_end(struct net_bed *bed)
{
	assert(bed->door->is_down(bed));
	bed->door->fini(bed);
	net_fini(&bed->net);
	loopxen_back_free(bed->back);
}

void net_bed_reconnect(struct net_bed *bed)
{
	int r;

	assert(bed->door->is_down(bed));
	if (!bed->door->front_disconnect(bed))
		assert(!"nothing of the client's is mapped");
	bed->broken = bed->detached = 0;
	bed->why = NULL;
	r = bed->door->offer(bed);
	assert(!r);
	r = net_bed_connect(bed, false);
	assert(!r);
}

unsigned net_bed_down(struct net_bed *bed)
{
	unsigned leaks = 0;

	if (!bed->door->is_down(bed)) {
		bed->door->detach(bed);
		net_bed_run(bed);
	}
	assert(bed->detached && !bed->net.out);
	net_bed_end(bed);
	leaks += !bed->door->front_disconnect(bed);
	return leaks + net_bed_fini(bed);
}

/* -- The loop ------------------------------------------------------------- */

static uint64_t bed_due(const struct net_bed *bed)
{
	uint64_t door = bed->door->due(bed), core = net_due(&bed->net);

	return door < core ? door : core;
}

int net_bed_turn(struct net_bed *bed)
{
	uint64_t now = loopxen_now(bed->x);
	int r = net_turn(&bed->net, now);

	if (!r)
		r = bed->door->turn(bed, now);
	if (!r && bed_due(bed) > now && bed->door->arm(bed))
		bed->again = true;
	return r;
}

int net_bed_run_now(struct net_bed *bed)
{
	unsigned turns = 0;

	while (!bed->door->is_down(bed)) {
		struct evport port;
		bool fired = evtchn_pending(&bed->back->evtchn, &port) == 1;
		int r;

		if (!fired && !bed->link.used && !bed->again &&
		    bed_due(bed) > loopxen_now(bed->x))
			break;
		bed->link.used = bed->again = false;
		assert(turns++ < BED_TURNS);
		r = net_bed_turn(bed);
		if (r < 0)
			return r;
		if (fired && !bed->door->is_down(bed))
			evtchn_unmask(&bed->back->evtchn, port);
	}
	return 0;
}

int net_bed_run(struct net_bed *bed)
{
	for (;;) {
		int r = net_bed_run_now(bed);

		if (r < 0 || bed->door->is_down(bed) || bed_due(bed) == UINT64_MAX)
			return r;
		loopxen_advance(bed->x, bed_due(bed) - loopxen_now(bed->x));
	}
}

const char *net_bed_back_key(struct net_bed *bed, const char *key)
{
	char path[160];

	loopxen_path(&bed->dev, STORE_BACK, key, path, sizeof(path));
	return loopxen_read(bed->x, bed->dev.front, path);
}
