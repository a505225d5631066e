/* SPDX-License-Identifier: MIT */
/* What a device says of itself over virtio, its life and its turn: see net-virtio.h. A
 * frame on its way is net-virtio-frame.c, an order net-virtio-control.c. */
#include "backends/net/net-virtio.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

/* How long frames that the host has are waited for when the device goes. */
#define DRAIN CLOCK_SECOND

/* -- Its queues -------------------------------------------------------------------- */

static struct net_virtio *virtio_of(const struct virtio_queue *q)
{
	return q->device->conf.owner;
}

static unsigned number_of(const struct virtio_queue *q)
{
	return (unsigned)(q - q->device->queue);
}

enum net_virtio_role net_virtio_role(const struct virtio_queue *q)
{
	unsigned pairs = virtio_of(q)->pairs, number = number_of(q);

	if (number == 2 * pairs && q->device->features & NET_VIRTIO_F_CTRL_VQ)
		return NET_VIRTIO_CONTROL;
	if (number >= 2 * pairs)
		return NET_VIRTIO_NONE;
	return number & 1 ? NET_VIRTIO_TX : NET_VIRTIO_RX;
}

unsigned net_virtio_pair(const struct virtio_queue *q)
{
	return number_of(q) / 2;
}

bool net_virtio_pay(struct net_virtio *v, struct net_virtio_request *r, uint32_t bytes,
		    uint64_t now)
{
	return toll_pay(&v->toll, &r->paid, bytes, now, &v->door.device.due);
}

/* -- What the device is ------------------------------------------------------------ */

#define GUEST_USO (NET_VIRTIO_F_GUEST_USO4 | NET_VIRTIO_F_GUEST_USO6)
#define GUEST_CUT (NET_VIRTIO_F_GUEST_TSO4 | NET_VIRTIO_F_GUEST_TSO6 | GUEST_USO)

static uint64_t offloads_offered(const struct net_virtio *v)
{
	unsigned link = v->conf.net->conf.link->offloads;
	uint64_t offered =
		NET_VIRTIO_F_CSUM | NET_VIRTIO_F_HOST_TSO4 | NET_VIRTIO_F_HOST_TSO6;

	if (!v->conf.net_policy->offloads)
		return 0;
	if (link & NET_LINK_USO)
		offered |= NET_VIRTIO_F_HOST_USO;
	if (!(link & NET_LINK_CSUM))
		return offered;
	offered |= NET_VIRTIO_F_GUEST_CSUM;
	if (link & NET_LINK_TSO4)
		offered |= NET_VIRTIO_F_GUEST_TSO4;
	if (link & NET_LINK_TSO6)
		offered |= NET_VIRTIO_F_GUEST_TSO6;
	if (link & NET_LINK_USO)
		offered |= GUEST_USO;
	return offered;
}

/* What a driver may have changed is as the policy says it again. */
static void describe_config(struct virtio_device *d)
{
	const struct net_virtio *v = d->conf.owner;
	const struct net_policy *policy = v->conf.net_policy;
	uint16_t status = NET_VIRTIO_S_LINK_UP;

	if (v->attached)
		status |= NET_VIRTIO_S_ANNOUNCE;
	memset(d->config, 0, sizeof(d->config));
	memcpy(d->config, policy->mac, NET_MAC);
	virtio_put16(d->config + NET_VIRTIO_CONFIG_STATUS, status);
	virtio_put16(d->config + NET_VIRTIO_CONFIG_PAIRS, (uint16_t)policy->queues);
	virtio_put16(d->config + NET_VIRTIO_CONFIG_MTU, (uint16_t)policy->mtu);
	if (policy->speed) {
		virtio_put32(d->config + NET_VIRTIO_CONFIG_SPEED, policy->speed);
		d->config[NET_VIRTIO_CONFIG_DUPLEX] = NET_VIRTIO_FULL_DUPLEX;
	}
}

static void describe(struct virtio_device *d)
{
	const struct net_virtio *v = d->conf.owner;
	const struct net_policy *policy = v->conf.net_policy;

	d->config_bytes =
		policy->speed ? NET_VIRTIO_CONFIG_WHOLE : NET_VIRTIO_CONFIG_BYTES;
	describe_config(d);
	d->offered = NET_VIRTIO_F_MAC | NET_VIRTIO_F_STATUS | NET_VIRTIO_F_MTU |
		     NET_VIRTIO_F_MRG_RXBUF | NET_VIRTIO_F_CTRL_VQ |
		     NET_VIRTIO_F_CTRL_RX | NET_VIRTIO_F_CTRL_VLAN |
		     NET_VIRTIO_F_GUEST_ANNOUNCE | NET_VIRTIO_F_CTRL_MAC_ADDR;
	if (policy->queues > 1)
		d->offered |= NET_VIRTIO_F_MQ;
	if (policy->speed)
		d->offered |= NET_VIRTIO_F_SPEED_DUPLEX;
	d->offered |= offloads_offered(v);
}

/* virtio 1.3, 5.1.3.1, "Feature bit requirements". */
static bool agrees(const struct virtio_device *d, uint64_t features)
{
	static const struct {
		uint64_t feature, needs;
	} rules[] = {
		{NET_VIRTIO_F_HOST_TSO4, NET_VIRTIO_F_CSUM},
		{NET_VIRTIO_F_HOST_TSO6, NET_VIRTIO_F_CSUM},
		{NET_VIRTIO_F_GUEST_TSO4, NET_VIRTIO_F_GUEST_CSUM},
		{NET_VIRTIO_F_GUEST_TSO6, NET_VIRTIO_F_GUEST_CSUM},
		{NET_VIRTIO_F_HOST_USO, NET_VIRTIO_F_CSUM},
		{NET_VIRTIO_F_GUEST_USO4, NET_VIRTIO_F_GUEST_CSUM},
		{NET_VIRTIO_F_GUEST_USO6, NET_VIRTIO_F_GUEST_CSUM},
		{NET_VIRTIO_F_CTRL_RX, NET_VIRTIO_F_CTRL_VQ},
		{NET_VIRTIO_F_CTRL_VLAN, NET_VIRTIO_F_CTRL_VQ},
		{NET_VIRTIO_F_GUEST_ANNOUNCE, NET_VIRTIO_F_CTRL_VQ},
		{NET_VIRTIO_F_MQ, NET_VIRTIO_F_CTRL_VQ},
		{NET_VIRTIO_F_CTRL_MAC_ADDR, NET_VIRTIO_F_CTRL_VQ},
	};

	(void)d;
	for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (features & rules[i].feature && !(features & rules[i].needs))
			return false;
	}
	return true;
}

/* -- The core ---------------------------------------------------------------------- */

static unsigned offloads_of(uint64_t features)
{
	unsigned offloads = 0;

	if (features & NET_VIRTIO_F_GUEST_CSUM)
		offloads |= NET_LINK_CSUM;
	if (features & NET_VIRTIO_F_GUEST_TSO4)
		offloads |= NET_LINK_TSO4;
	if (features & NET_VIRTIO_F_GUEST_TSO6)
		offloads |= NET_LINK_TSO6;
	if ((features & GUEST_USO) == GUEST_USO)
		offloads |= NET_LINK_USO;
	return offloads;
}

static void fail(struct net_virtio *v, int r)
{
	if (r < 0 && !v->error)
		v->error = r;
}

static void settled(struct virtio_device *d)
{
	struct net_virtio *v = d->conf.owner;
	bool cut = d->features & GUEST_CUT;
	struct net_client client = {
		.offloads = offloads_of(d->features),
		.frame_max = cut ? NET_VIRTIO_FRAME_MAX
				 : v->conf.net_policy->mtu + NET_BESIDE,
		.groups = d->features & NET_VIRTIO_F_CTRL_RX,
		.vlans = d->features & NET_VIRTIO_F_CTRL_VLAN && !v->attached,
	};

	assert(!v->connected);
	if (!(d->features & NET_VIRTIO_F_GUEST_ANNOUNCE))
		virtio_put16(d->config + NET_VIRTIO_CONFIG_STATUS,
			     NET_VIRTIO_S_LINK_UP);
	v->pairs = d->features & NET_VIRTIO_F_MQ ? v->conf.net_policy->queues : 1;
	v->first = 0;
	client.queues = v->pairs;
	v->connected = true;
	fail(v, net_connect(v->conf.net, &client, v->now));
	if (!v->error)
		net_virtio_begin_orders(v);
}

/* Frames that the host has still come home. */
static void leave(struct net_virtio *v)
{
	if (v->connected)
		fail(v, net_disconnect(v->conf.net));
	v->connected = false;
}

static bool reset(struct virtio_device *d)
{
	struct net_virtio *v = d->conf.owner;

	leave(v);
	v->attached = false;
	describe_config(d);
	return true;
}

/* -- Chains ------------------------------------------------------------------------ */

/* Invariant 3: room for what its queue brings, and nothing that has no place there. */
static const char *chain_fault(const struct virtio_slot *slot)
{
	uint64_t readable = virtio_parts_readable(&slot->parts);
	uint64_t room = virtio_parts_room(&slot->parts);

	switch (net_virtio_role(slot->queue)) {
	case NET_VIRTIO_NONE:
		return "a buffer in a queue that was not negotiated";
	case NET_VIRTIO_RX:
		return readable || room < NET_VIRTIO_HEADER
			       ? "a receive buffer that does not hold a header"
			       : NULL;
	case NET_VIRTIO_TX:
		return room || readable < NET_VIRTIO_HEADER
			       ? "a frame without its header, or with room"
			       : NULL;
	case NET_VIRTIO_CONTROL:
		return readable < 2 || !room ? "an order without its name or its answer"
					     : NULL;
	}
	return NULL;
}

static bool is_wrong(const struct virtio_device *d)
{
	return d->status & VIRTIO_NEEDS_RESET;
}

static bool admit(struct virtio_slot *slot, uint64_t now)
{
	struct net_virtio_request *r = slot->request;
	const char *fault = slot->fresh ? chain_fault(slot) : NULL;

	if (slot->fresh) {
		r->slot = slot;
		r->malformed = false;
		r->paid = (struct toll_paid){0};
		slot->fresh = false;
	}
	if (fault)
		virtio_device_wrong(slot->queue->device, fault);
	/* It is wrong itself: it stays where it is, to be dropped. */
	if (is_wrong(slot->queue->device) || virtio_of(slot->queue)->error)
		return false;
	switch (net_virtio_role(slot->queue)) {
	case NET_VIRTIO_TX:
		return net_virtio_admit_frame(r, now);
	case NET_VIRTIO_CONTROL:
		return net_virtio_admit_order(r, now);
	case NET_VIRTIO_RX:
	case NET_VIRTIO_NONE:
		break;
	}
	return true;
}

static void start(struct virtio_slot *slot)
{
	struct net_virtio *v = virtio_of(slot->queue);

	switch (net_virtio_role(slot->queue)) {
	case NET_VIRTIO_RX:
		virtio_posted_put(&v->pair[net_virtio_pair(slot->queue)].rx, slot);
		break;
	case NET_VIRTIO_TX:
		net_virtio_start_frame(slot->request);
		break;
	case NET_VIRTIO_CONTROL:
		net_virtio_start_order(slot->request);
		break;
	case NET_VIRTIO_NONE:
		assert(!"was not admitted");
	}
}

static void fill(struct virtio_device *d, uint64_t now)
{
	struct net_virtio *v = d->conf.owner;

	(void)now;
	if (v->error)
		return;
	net_virtio_answer_orders(v);
	net_virtio_fill_frames(v);
}

static bool lacks(const struct virtio_queue *q)
{
	return net_virtio_role(q) != NET_VIRTIO_RX ||
	       virtio_of(q)->pair[net_virtio_pair(q)].lacks;
}

/* Frames that are to be sent come home soon. */
static void recall(struct virtio_queue *q)
{
	struct net_virtio *v = virtio_of(q);

	if (net_virtio_role(q) == NET_VIRTIO_RX)
		virtio_posted_return(&v->pair[net_virtio_pair(q)].rx);
	else if (net_virtio_role(q) == NET_VIRTIO_CONTROL)
		virtio_posted_return(&v->control);
}

static void undelivered(struct virtio_slot *slot)
{
	struct net_virtio *v = virtio_of(slot->queue);

	log_line(v->conf.keys.log, LOG_LEVEL_WARNING,
		 "a buffer cannot be written: refused, or not granted");
	v->stats.undelivered++;
	virtio_slot_done(slot, 0, 0);
}

static const struct virtio_class net_class = {
	.id = VIRTIO_ID_NET,
	.request_bytes = sizeof(struct net_virtio_request),
	.describe = describe,
	.agrees = agrees,
	.settled = settled,
	.reset = reset,
	.admit = admit,
	.start = start,
	.undelivered = undelivered,
	.fill = fill,
	.lacks = lacks,
	.recall = recall,
};

/* -- The door ---------------------------------------------------------------------- */

static void detached(struct virtio_door *door)
{
	struct net_virtio *v = door->conf.owner;

	leave(v);
	v->conf.detached(v);
}

/* Frames to the client may take as much memory as its pool, or the copy area, has: so
 * much, and what does not depend on it, its unit lets the process have. */
static size_t receive_bytes(const struct net_virtio *v)
{
	size_t most = (size_t)NET_VIRTIO_RX_SLOTS * net_room(v->conf.net_policy);
	size_t pages = (size_t)v->conf.policy->data_pages * XEN_PAGE_BYTES;

	return pages < most ? pages : most;
}

static int init_memory(struct net_virtio *v)
{
	unsigned queues = v->conf.net_policy->queues;
	size_t tx = (size_t)queues * NET_VIRTIO_TX_BYTES, rx = receive_bytes(v);

	/* Untouched until a frame comes to lie there. */
	v->memory = calloc(1, tx + rx);
	if (!v->memory)
		return -ENOMEM;
	for (unsigned i = 0; i < queues; i++)
		net_runs_init(&v->pair[i].runs,
			      v->memory + (size_t)i * NET_VIRTIO_TX_BYTES,
			      NET_VIRTIO_TX_BYTES);
	return net_give_room(v->conf.net, v->memory + tx, rx);
}

/* Receive and control queues are posted: all that have even numbers. */
#define POSTED 0x5555u

int net_virtio_init(struct net_virtio *v, const struct net_virtio_conf *conf)
{
	uint32_t queues = 2 * conf->net_policy->queues + 1;
	struct virtio_door_conf door = {
		.class = &net_class,
		.policy = conf->policy,
		.keys = conf->keys,
		.owner = v,
		.queues = queues,
		.posted = POSTED & ((1u << queues) - 1),
		.queue_size = NET_VIRTIO_QUEUE_SIZE,
		.detached = detached,
	};
	int r;

	*v = (struct net_virtio){.conf = *conf, .pairs = 1};
	r = virtio_door_init(&v->door, &door);
	if (r)
		return r;
	r = init_memory(v);
	if (r)
		net_virtio_fini(v);
	return r;
}

void net_virtio_fini(struct net_virtio *v)
{
	virtio_door_fini(&v->door);
	free(v->memory);
	v->memory = NULL;
}

int net_virtio_offer(struct net_virtio *v)
{
	return virtio_door_offer(&v->door);
}

int net_virtio_connect(struct net_virtio *v, bool attach, uint64_t now)
{
	int r;

	assert(!v->connected);
	v->now = now;
	v->attached = attach;
	toll_init(&v->toll, v->conf.policy, now);
	r = virtio_door_connect(&v->door, attach, now);
	if (r)
		leave(v);
	return v->error ? v->error : r;
}

void net_virtio_detach(struct net_virtio *v)
{
	if (v->door.state != VIRTIO_DOOR_UP)
		return;
	v->drained = v->now + DRAIN;
	virtio_door_detach(&v->door);
}

static bool is_stopping(const struct net_virtio *v)
{
	return v->door.state == VIRTIO_DOOR_STOPPING && !v->door.error;
}

int net_virtio_turn(struct net_virtio *v, uint64_t now)
{
	struct virtio_device *d = &v->door.device;
	int r;

	v->now = now;
	r = virtio_door_turn(&v->door, now);
	if (r < 0)
		return r;
	if (is_wrong(d))
		leave(v);
	/* What the host does not give back is our environment's failure. */
	if (is_stopping(v) && now >= v->drained)
		fail(v, -ETIMEDOUT);
	else if (is_stopping(v) && v->drained < d->due)
		d->due = v->drained;
	return v->error;
}

uint64_t net_virtio_due(const struct net_virtio *v)
{
	/* A frame came home: its buffer is to be given back. */
	return v->door.device.done ? v->now : virtio_door_due(&v->door);
}

bool net_virtio_arm(struct net_virtio *v)
{
	return virtio_door_arm(&v->door);
}

bool net_virtio_pending(const struct net_virtio *v)
{
	return virtio_door_pending(&v->door);
}

void net_virtio_limits(struct net_virtio *v, uint64_t now)
{
	if (v->door.state == VIRTIO_DOOR_DOWN)
		return;
	toll_change(&v->toll, v->conf.policy, now);
	v->door.device.due = now;
}
