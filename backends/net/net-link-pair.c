/* SPDX-License-Identifier: MIT */
/*
 * Two links that are each other's other end.
 *
 * What one leaves undone the other hears so: nothing here cuts a frame or finishes a
 * sum. So what the other did not ask for is unfit.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "backends/net/net-link.h"

struct pair {
	struct net_link link;
	struct pair *other;
	unsigned allowed; /* to be left undone of what it hears */
	bool carrier;
	uint32_t starved; /* queues; a bit each */
};

static struct pair pair[2];

static struct pair *pair_of(struct net_link *link)
{
	return (struct pair *)link;
}

static bool pair_allows(const struct pair *to, const struct net_offload *offload)
{
	return !(net_link_undone(offload) & ~to->allowed);
}

static struct net_in *pair_room(struct pair *to, unsigned queue)
{
	struct net_in *in;

	if (!to->carrier || to->starved & 1u << queue)
		return NULL;
	in = to->link.user->room(&to->link, queue);
	if (!in)
		to->starved |= 1u << queue;
	return in;
}

static void pair_hear(struct pair *to, const struct net_out *out, struct net_in *in)
{
	if (out->size < NET_HEADER || out->size > in->room ||
	    !pair_allows(to, &out->offload)) {
		to->link.stats.unfit++;
		to->link.user->unused(&to->link, in);
		return;
	}
	memcpy(in->bytes, out->bytes, out->size);
	in->queue = out->queue;
	in->size = out->size;
	in->offload = out->offload;
	in->validated = out->offload.sum;
	to->link.stats.received++;
	to->link.stats.received_bytes += out->size;
	to->link.user->heard(&to->link, in);
}

static void pair_send(struct net_link *link, struct net_out *out)
{
	struct pair *to = pair_of(link)->other;
	struct net_in *in;

	assert(out->queue < link->queues);
	in = pair_room(to, out->queue);
	if (!in) {
		link->stats.lost++;
		link->user->sent(link, out, -ENOBUFS);
		return;
	}
	link->stats.sent++;
	link->stats.sent_bytes += out->size;
	pair_hear(to, out, in);
	link->user->sent(link, out, 0);
}

static void pair_more(struct net_link *link, unsigned queue)
{
	assert(queue < link->queues);
	pair_of(link)->starved &= ~(1u << queue);
}

static int pair_offloads(struct net_link *link, unsigned offloads)
{
	if (offloads && !(offloads & NET_LINK_CSUM))
		return -EINVAL;
	pair_of(link)->allowed = offloads;
	return 0;
}

static int pair_carrier(struct net_link *link, bool on)
{
	pair_of(link)->carrier = on;
	return 0;
}

static void pair_close(struct net_link *link)
{
	(void)link;
}

static const struct net_link_ops pair_ops = {
	.send = pair_send,
	.more = pair_more,
	.offloads = pair_offloads,
	.carrier = pair_carrier,
	.close = pair_close,
};

int net_link_pair_open(struct net_link **one, struct net_link **other, unsigned queues)
{
	if (queues < 1 || queues > NET_LINK_QUEUES)
		return -EINVAL;
	for (int i = 0; i < 2; i++) {
		pair[i] = (struct pair){
			.link = {.ops = &pair_ops,
				 .queues = queues,
				 .offloads = NET_LINK_ALL},
			.other = &pair[!i],
			.starved = ~0u,
		};
	}
	*one = &pair[0].link;
	*other = &pair[1].link;
	return 0;
}
