/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>

#include "backends/net/net-link.h"

static struct net_link null;

static void null_send(struct net_link *link, struct net_out *out)
{
	assert(out->queue < link->queues);
	link->stats.sent++;
	link->stats.sent_bytes += out->size;
	link->user->sent(link, out, 0);
}

static void null_more(struct net_link *link, unsigned queue)
{
	(void)link;
	(void)queue;
}

static int null_offloads(struct net_link *link, unsigned offloads)
{
	(void)link;
	(void)offloads;
	return 0;
}

static int null_carrier(struct net_link *link, bool on)
{
	(void)link;
	(void)on;
	return 0;
}

static void null_close(struct net_link *link)
{
	(void)link;
}

static const struct net_link_ops null_ops = {
	.send = null_send,
	.more = null_more,
	.offloads = null_offloads,
	.carrier = null_carrier,
	.close = null_close,
};

int net_link_null_open(struct net_link **out, const struct net_link_conf *conf)
{
	if (conf->queues < 1 || conf->queues > NET_LINK_QUEUES)
		return -EINVAL;
	null = (struct net_link){
		.ops = &null_ops,
		.queues = conf->queues,
		.offloads = NET_LINK_ALL,
	};
	*out = &null;
	return 0;
}
