/* SPDX-License-Identifier: MIT */
/* Orders of the control queue: see net-virtio.h. virtio 1.3, 5.1.6.5. */
#include <string.h>

#include "backends/net/net-virtio.h"

#define NAME_BYTES 2 /* u8 class, u8 command */
#define DATA_MAX   8
#define VARIES	   UINT32_MAX

enum ack { ACK_OK, ACK_ERROR };

static struct net_virtio *virtio_of(const struct net_virtio_request *r)
{
	return r->slot->queue->device->conf.owner;
}

/* -- What they do: true, or it is an error -------------------------------------------
 */

/* Invariant 5. A unicast address of others is not heard, whatever is ordered. */
static void hear_groups(struct net_virtio *v)
{
	net_hear_groups(v->conf.net, v->promiscuous || v->all_groups || v->untold);
}

static bool order_promiscuous(struct net_virtio *v, const uint8_t *data)
{
	v->promiscuous = data[0];
	hear_groups(v);
	return true;
}

static bool order_all_groups(struct net_virtio *v, const uint8_t *data)
{
	v->all_groups = data[0];
	hear_groups(v);
	return true;
}

static bool order_mac(struct net_virtio *v, const uint8_t *data)
{
	if (!net_macs_pass(&v->conf.net_policy->rules.sources, data))
		return false;
	memcpy(v->door.device.config, data, NET_MAC);
	return true;
}

static bool order_vlan(struct net_virtio *v, const uint8_t *data, bool on)
{
	uint16_t vlan = virtio_le16(data);

	if (vlan >= NET_VLANS)
		return false;
	net_hear_vlan(v->conf.net, vlan, on);
	return true;
}

static bool order_vlan_add(struct net_virtio *v, const uint8_t *data)
{
	return order_vlan(v, data, true);
}

static bool order_vlan_del(struct net_virtio *v, const uint8_t *data)
{
	return order_vlan(v, data, false);
}

static bool order_announced(struct net_virtio *v, const uint8_t *data)
{
	uint8_t *status = v->door.device.config + NET_VIRTIO_CONFIG_STATUS;

	(void)data;
	virtio_put16(status, virtio_le16(status) & ~NET_VIRTIO_S_ANNOUNCE);
	return true;
}

static bool order_pairs(struct net_virtio *v, const uint8_t *data)
{
	uint16_t pairs = virtio_le16(data);

	if (!pairs || pairs > v->pairs)
		return false;
	net_spread(v->conf.net, pairs);
	v->guesses = false;
	return true;
}

/* The addresses of a table, from @*at on: its count, if all of them are there. */
static bool table_read(const struct virtio_parts *parts, uint64_t *at, uint32_t *n)
{
	uint8_t count[4];

	if (virtio_parts_readable(parts) - *at < sizeof(count))
		return false;
	virtio_parts_read(parts, *at, count, sizeof(count));
	*at += sizeof(count);
	*n = virtio_le32(count);
	return *n <= (virtio_parts_readable(parts) - *at) / NET_MAC;
}

/* Of which more are heard than there is room for. */
static void join_all(struct net *net, const struct virtio_parts *parts, uint64_t at,
		     uint32_t n)
{
	uint8_t mac[NET_MAC];

	net_leave_all(net);
	for (uint32_t i = 0; i < n; i++, at += NET_MAC) {
		virtio_parts_read(parts, at, mac, NET_MAC);
		if (!net_join(net, mac))
			return;
	}
}

/* Two tables, of which the first, of stations, says nothing that the policy does not.
 */
static bool order_table(struct net_virtio *v, const struct virtio_parts *parts)
{
	uint64_t at = NAME_BYTES;
	uint32_t stations, groups;

	if (!table_read(parts, &at, &stations))
		return false;
	at += (uint64_t)stations * NET_MAC;
	if (!table_read(parts, &at, &groups) ||
	    at + (uint64_t)groups * NET_MAC != virtio_parts_readable(parts))
		return false;
	join_all(v->conf.net, parts, at, groups);
	v->untold = false;
	hear_groups(v);
	return true;
}

/* -- Which there are -----------------------------------------------------------------
 */

struct order {
	uint8_t name[NAME_BYTES];
	uint64_t feature;
	uint32_t bytes; /* of its data */
	bool (*work)(struct net_virtio *v, const uint8_t *data);
};

static const struct order orders[] = {
	{{0, 0}, NET_VIRTIO_F_CTRL_RX, 1, order_promiscuous},
	{{0, 1}, NET_VIRTIO_F_CTRL_RX, 1, order_all_groups},
	{{1, 0}, NET_VIRTIO_F_CTRL_RX, VARIES, NULL},
	{{1, 1}, NET_VIRTIO_F_CTRL_MAC_ADDR, NET_MAC, order_mac},
	{{2, 0}, NET_VIRTIO_F_CTRL_VLAN, 2, order_vlan_add},
	{{2, 1}, NET_VIRTIO_F_CTRL_VLAN, 2, order_vlan_del},
	{{3, 0}, NET_VIRTIO_F_GUEST_ANNOUNCE, 0, order_announced},
	{{4, 0}, NET_VIRTIO_F_MQ, 2, order_pairs},
};

static const struct order *order_find(const struct net_virtio *v, const uint8_t *name)
{
	for (unsigned i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		if (!memcmp(orders[i].name, name, NAME_BYTES))
			return v->door.device.features & orders[i].feature ? &orders[i]
									   : NULL;
	}
	return NULL;
}

static bool order_work(struct net_virtio *v, const struct virtio_parts *parts)
{
	uint64_t bytes = virtio_parts_readable(parts) - NAME_BYTES;
	uint8_t name[NAME_BYTES], data[DATA_MAX];
	const struct order *order;

	virtio_parts_read(parts, 0, name, sizeof(name));
	order = order_find(v, name);
	if (!order)
		return false;
	if (order->bytes == VARIES)
		return order_table(v, parts);
	if (bytes != order->bytes)
		return false;
	virtio_parts_read(parts, NAME_BYTES, data, order->bytes);
	return order->work(v, data);
}

/* -- On their way --------------------------------------------------------------------
 */

void net_virtio_begin_orders(struct net_virtio *v)
{
	v->promiscuous = v->all_groups = false;
	v->untold = true;
	v->guesses = v->attached;
	hear_groups(v);
	net_spread(v->conf.net, 1);
}

bool net_virtio_admit_order(struct net_virtio_request *r, uint64_t now)
{
	return net_virtio_pay(virtio_of(r), r, 0, now);
}

void net_virtio_start_order(struct net_virtio_request *r)
{
	struct net_virtio *v = virtio_of(r);
	bool failed = r->slot->failed, good = !failed && order_work(v, &r->slot->parts);

	v->stats.orders++;
	v->stats.errors += !good;
	v->stats.refused += failed;
	r->ack = good ? ACK_OK : ACK_ERROR;
	virtio_posted_put(&v->control, r->slot);
}

void net_virtio_answer_orders(struct net_virtio *v)
{
	struct virtio_posted *posted = &v->control;

	while (posted->first && virtio_slot_room(posted->first, 1)) {
		struct virtio_slot *slot = virtio_posted_take(posted);
		const struct net_virtio_request *r = slot->request;

		virtio_parts_write(&slot->parts, 0, &r->ack, 1);
		virtio_slot_done(slot, 1, 0);
	}
}
