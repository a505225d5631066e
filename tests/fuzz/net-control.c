/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "tests/fuzz/net-control.h"

#define TYPES 12 /* with one before those that there are, and one behind */

void fuzz_control_name(struct fuzz_named *named, struct net_bed *bed)
{
	named->page = loopxen_page(bed->x, bed->dev.front);
	named->ref = loopxen_grant(bed->x, bed->dev.front, named->page, bed->dev.back,
				   false);
}

void fuzz_control_ask(struct net_bed *bed, const struct fuzz_named *named,
		      uint8_t (*byte)(void))
{
	uint8_t how = byte(), n = byte() % 16;
	uint32_t *words = (uint32_t *)(void *)named->page, d[3];
	const struct netfront_queue *q = &bed->front.queue[how / 64 % NETFRONT_QUEUES];

	if (!bed->front.conf.control)
		return;
	for (unsigned i = 0; i < n; i++) {
		words[2 * i] = how & 16 ? q->tx_ref[byte()].v : byte();
		words[2 * i + 1] = how & 32 ? byte() & 1 : 0;
	}
	for (unsigned i = 0; i < 3; i++)
		d[i] = byte();
	for (unsigned i = 0; i < 2; i++) {
		if (d[i] & 128)
			d[i] = named->ref.v;
	}
	netfront_ask(&bed->front, how % 16 % TYPES, d[0], d[1], d[2]);
}

void fuzz_control_check(const struct net_bed *bed)
{
	const struct net_pv_control *c = &bed->pv.control;
	const struct netif_hash *hash = &c->hash;

	if (bed->pv.state == NET_PV_DOWN || !c->open)
		return;
	assert(c->ring.req_cons - c->ring.rsp_prod ==
	       (c->state != NET_PV_CONTROL_IDLE));
	assert(c->ring.req_prod - c->ring.rsp_prod <= c->ring.entries);
	assert(c->ring.pushed == c->ring.rsp_prod);
	assert(hash->size <= NETIF_MAPPING_MAX && hash->queues == bed->pv.queues);
	for (uint32_t i = 0; i < NETIF_MAPPING_MAX; i++)
		assert(hash->mapping[i] < hash->queues);
	for (unsigned i = 0; i < bed->pv.queues; i++)
		assert(bed->pv.queue[i].statics.n <= bed->pv.queue[i].statics.max);
}

void fuzz_control_collect(struct net_bed *bed)
{
	uint32_t status, data;

	while (bed->front.conf.control && netfront_asked(&bed->front, &status, &data))
		;
}

void fuzz_control_settled(const struct net_bed *bed)
{
	const struct netfront_ring *ring = &bed->front.control.ring;

	assert(!bed->front.conf.control || ring->rsp_cons == ring->req_prod);
}
