/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "backends/net/net.h"

static struct net *net_of(struct net_link *link)
{
	return link->owner;
}

/* -- Out --------------------------------------------------------------------- */

static void net_home(struct net *net, struct net_tx *tx, enum net_status status)
{
	net->stats.malformed += status == NET_MALFORMED;
	net->stats.lost += status == NET_LOST;
	if (status == NET_SENT) {
		net->stats.sent++;
		net->stats.sent_bytes += tx->size;
	}
	tx->done(tx, status);
}

static void net_sent(struct net_link *link, struct net_out *out, int res)
{
	struct net_tx *tx =
		(struct net_tx *)((char *)out - offsetof(struct net_tx, out));

	net_of(link)->out--;
	net_home(net_of(link), tx, res ? NET_LOST : NET_SENT);
}

/* Bytes of its header that no MTU counts. */
static uint32_t beside(const struct net_frame *frame)
{
	if (frame->stacked)
		return NET_BESIDE;
	return NET_HEADER + (frame->tagged ? NET_TAG : 0);
}

static bool is_short_enough(const struct net *net, const struct net_frame *frame,
			    const struct net_offload *offload)
{
	uint32_t max = net->conf.policy->mtu + beside(frame);

	if (offload->gso == NET_GSO_NONE)
		return frame->size <= max;
	return (uint32_t)offload->header + offload->gso_size <= max;
}

static enum net_verdict net_judge(const struct net *net, const struct net_frame *frame,
				  const struct net_offload *offload)
{
	enum net_verdict verdict = net_rules_judge(&net->conf.policy->rules, frame);

	if (verdict != NET_PASS)
		return verdict;
	if (offload->gso != NET_GSO_NONE && !net->conf.policy->offloads)
		return NET_NO_OFFLOADS;
	return is_short_enough(net, frame, offload) ? NET_PASS : NET_TOO_LONG;
}

/* What is left to be done, with the place of a sum that nobody named. A frame that is
 * to be cut has its sum made anew, even if it has one. */
static bool net_offload(const struct net_frame *frame, struct net_tx *tx)
{
	struct net_offload *offload = &tx->offload;
	bool cut = offload->gso != NET_GSO_NONE && !offload->sum && !tx->find_sum;

	if ((tx->find_sum || cut) && !net_frame_sum_place(frame, offload))
		return false;
	if (!net_offload_check(frame, offload))
		return false;
	if (cut)
		net_frame_sum(frame, offload);
	return true;
}

/* [impl->req~client-sends-as-itself~1] */
void net_send(struct net *net, unsigned queue, struct net_tx *tx)
{
	struct net_frame frame;
	enum net_verdict verdict;

	assert(net->connected && queue < net->client.queues);
	if (tx->size < NET_HEADER) {
		net_home(net, tx, NET_MALFORMED);
		return;
	}
	net_frame_parse(tx->bytes, tx->size, &frame);
	if (!net_offload(&frame, tx)) {
		net_home(net, tx, NET_MALFORMED);
		return;
	}
	verdict = net_judge(net, &frame, &tx->offload);
	if (verdict != NET_PASS) {
		net->stats.refused[verdict]++;
		net_refusals_add(&net->refusals, verdict, &frame);
		net_home(net, tx, NET_DENIED);
		return;
	}
	tx->out.bytes = tx->bytes;
	tx->out.size = tx->size;
	tx->out.offload = tx->offload;
	tx->out.queue = queue % net->conf.link->queues;
	net->out++;
	net_link_send(net->conf.link, &tx->out);
}

/* -- In ---------------------------------------------------------------------- */

static struct net_in *net_find_room(struct net_link *link, unsigned queue)
{
	struct net *net = net_of(link);
	struct net_slot *slot = net_inbox_room(&net->inbox);

	if (!slot)
		net->starved |= 1u << queue;
	return slot ? &slot->in : NULL;
}

static void net_unused(struct net_link *link, struct net_in *in)
{
	net_inbox_give(&net_of(link)->inbox, (struct net_slot *)in);
}

static bool group_is_heard(const struct net *net, const struct net_frame *frame)
{
	if (frame->cast != NET_MULTICAST || !net->client.groups || net->full ||
	    net->all_groups)
		return true;
	for (unsigned i = 0; i < net->groups; i++) {
		if (!memcmp(net->group[i], frame->bytes, NET_MAC))
			return true;
	}
	return false;
}

/* Of stacked tags the outer one counts; what has none is heard. */
static bool vlan_is_heard(const struct net *net, const struct net_frame *frame)
{
	uint16_t vlan = frame->vlan;

	return !net->client.vlans || !vlan || (net->vlan[vlan / 64] >> (vlan % 64) & 1);
}

/* With no more left to do than the client takes. */
static bool fits_client(const struct net *net, const struct net_in *in)
{
	unsigned undone = net_link_undone(&in->offload);

	return !(undone & ~net->client.offloads) && in->size <= net->client.frame_max;
}

/* Invariant 3. */
static bool net_hears(struct net *net, const struct net_in *in,
		      const struct net_frame *frame)
{
	if (!net_rules_hear(&net->conf.policy->rules, frame) ||
	    !group_is_heard(net, frame) || !vlan_is_heard(net, frame)) {
		net->stats.filtered++;
		return false;
	}
	if (!fits_client(net, in)) {
		net->stats.unfit++;
		return false;
	}
	return true;
}

static unsigned net_steer(const struct net *net, const struct net_frame *frame,
			  struct net_in *in)
{
	const struct net_client *client = &net->client;
	unsigned queue = in->queue % net->spread;

	in->hash = (struct net_hash){0};
	if (client->steer)
		queue = client->steer(client->steers, frame, queue, &in->hash);
	assert(queue < client->queues);
	return queue;
}

static void net_heard(struct net_link *link, struct net_in *in)
{
	struct net *net = net_of(link);
	struct net_slot *slot = (struct net_slot *)in;
	struct net_frame frame;

	if (net->connected) {
		net_frame_parse(in->bytes, in->size, &frame);
		if (net_hears(net, in, &frame)) {
			net_inbox_put(&net->inbox, net_steer(net, &frame, in), slot);
			return;
		}
	}
	net_inbox_give(&net->inbox, slot);
}

static void net_failed(struct net_link *link, int err)
{
	net_of(link)->error = err;
}

static const struct net_link_user net_user = {
	.sent = net_sent,
	.room = net_find_room,
	.heard = net_heard,
	.unused = net_unused,
	.failed = net_failed,
};

const struct net_in *net_next(struct net *net, unsigned queue)
{
	struct net_slot *slot = net_inbox_first(&net->inbox, queue);

	if (!slot ||
	    !toll_pay(&net->toll, &slot->paid, slot->in.size, net->now, &net->due))
		return NULL;
	return &slot->in;
}

struct net_slot *net_take(struct net *net, unsigned queue)
{
	struct net_slot *slot = net_inbox_take(&net->inbox, queue);

	net->stats.received++;
	net->stats.received_bytes += slot->in.size;
	return slot;
}

void net_give(struct net *net, struct net_slot *slot)
{
	net_inbox_give(&net->inbox, slot);
	/* A link that found no room is asked in the next turn, which nothing else may
	 * bring about. */
	if (net->starved)
		net->due = net->now;
}

void net_drop(struct net *net, unsigned queue)
{
	net->stats.unfit++;
	net_give(net, net_inbox_take(&net->inbox, queue));
}

/* -- Groups ------------------------------------------------------------------ */

bool net_join(struct net *net, const uint8_t mac[NET_MAC])
{
	for (unsigned i = 0; i < net->groups; i++) {
		if (!memcmp(net->group[i], mac, NET_MAC))
			return true;
	}
	if (net->groups == NET_GROUPS_MAX) {
		net->full = true;
		return false;
	}
	memcpy(net->group[net->groups++], mac, NET_MAC);
	return true;
}

void net_leave(struct net *net, const uint8_t mac[NET_MAC])
{
	for (unsigned i = 0; i < net->groups; i++) {
		if (memcmp(net->group[i], mac, NET_MAC))
			continue;
		memcpy(net->group[i], net->group[--net->groups], NET_MAC);
		return;
	}
}

void net_leave_all(struct net *net)
{
	net->groups = 0;
	net->full = false;
}

void net_hear_groups(struct net *net, bool all)
{
	net->all_groups = all;
}

void net_hear_vlan(struct net *net, uint16_t vlan, bool on)
{
	uint64_t bit = 1ull << (vlan % 64);

	assert(vlan < NET_VLANS);
	if (on)
		net->vlan[vlan / 64] |= bit;
	else
		net->vlan[vlan / 64] &= ~bit;
}

void net_spread(struct net *net, unsigned queues)
{
	assert(queues && queues <= net->client.queues);
	net->spread = queues;
}

/* -- Its life ---------------------------------------------------------------- */

/* Queues that found no room are asked once there is. */
static void net_feed(struct net *net)
{
	uint32_t starved = net->starved;

	if (!starved || !net_inbox_has_room(&net->inbox))
		return;
	net->starved = 0;
	for (unsigned queue = 0; queue < net->conf.link->queues; queue++) {
		if (starved >> queue & 1)
			net_link_more(net->conf.link, queue);
	}
}

int net_turn(struct net *net, uint64_t now)
{
	net->now = now;
	net->due = UINT64_MAX;
	if (net->connected && !net->error)
		net_feed(net);
	return net->error;
}

int net_connect(struct net *net, const struct net_client *client, uint64_t now)
{
	int r;

	assert(!net->connected && client->queues && client->queues <= NET_QUEUES_MAX);
	net->client = *client;
	net->spread = client->queues;
	net_leave_all(net);
	net->all_groups = false;
	memset(net->vlan, 0, sizeof(net->vlan));
	r = net_link_offloads(net->conf.link,
			      client->offloads & net->conf.link->offloads);
	if (!r)
		r = net_link_carrier(net->conf.link, true);
	if (r)
		return r;
	net->connected = true;
	net->now = now;
	net->due = now;
	toll_receive(&net->toll, net->conf.receive, now);
	net_feed(net);
	return net->error;
}

void net_limits(struct net *net, uint64_t now)
{
	if (!net->connected)
		return;
	toll_receive_change(&net->toll, net->conf.receive, now);
	net->due = now;
}

int net_disconnect(struct net *net)
{
	int r = net_link_carrier(net->conf.link, false);

	net->connected = false;
	net->due = UINT64_MAX;
	net_inbox_clear(&net->inbox);
	/* What waits at the host comes now, to nobody. */
	net_feed(net);
	return r < 0 ? r : net->error;
}

uint32_t net_room(const struct net_policy *policy)
{
	uint32_t bytes = policy->offloads ? NET_FRAME_MAX : policy->mtu;

	return (bytes + NET_BESIDE + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES *
	       XEN_PAGE_BYTES;
}

int net_give_room(struct net *net, uint8_t *area, size_t bytes)
{
	return net_inbox_init(&net->inbox, area, bytes, net_room(net->conf.policy),
			      net->conf.policy->backlog);
}

int net_init(struct net *net, const struct net_conf *conf)
{
	*net = (struct net){.conf = *conf, .due = UINT64_MAX};
	conf->link->user = &net_user;
	conf->link->owner = net;
	/* None has been asked yet: each is, at the first connection. */
	net->starved = (uint32_t)((1ull << conf->link->queues) - 1);
	return net_link_carrier(conf->link, false);
}

void net_fini(struct net *net)
{
	assert(!net->connected);
	net_inbox_fini(&net->inbox);
}
