/* SPDX-License-Identifier: MIT */
/*
 * What the PV door says and reads in xenstore, and the set-up of its rings.
 * Key names and their meaning: xen/io/netif.h.
 *
 * Each front-end key is read once a connection; a value that is not exactly what the
 * protocol allows fails the device, with a line that says which.
 */
#include <assert.h>
#include <string.h>

#include "backends/net/net-pv.h"

/* What the front end chose, of what it was offered. */
struct pv_choice {
	uint64_t queues;
	uint64_t sg, gso4, gso6, no_csum, csum6, groups;
};

int net_pv_offer(struct net_pv *pv)
{
	const struct net_policy *policy = pv->conf.net_policy;
	/* What is not offered is said too: the directory may hold what another back
	 * end offered. */
	const struct {
		const char *key;
		uint64_t value;
	} keys[] = {
		{"feature-rx-copy", 1},
		{"feature-rx-flip", 0},
		{"feature-sg", 1},
		{"feature-gso-tcpv4", policy->offloads},
		{"feature-gso-tcpv6", policy->offloads},
		{"feature-ipv6-csum-offload", policy->offloads},
		{"feature-multicast-control", 1},
		{"feature-dynamic-multicast-control", 1},
		{"feature-split-event-channels", 1},
		{"feature-ctrl-ring", !!pv->control.page},
		{"multi-queue-max-queues", pv->max_queues},
	};
	int r = 0;

	for (unsigned i = 0; !r && i < sizeof(keys) / sizeof(keys[0]); i++)
		r = keys_write_number(&pv->conf.keys, keys[i].key, keys[i].value);
	return r;
}

/* What netfront has always had, and no other way is offered. */
static int pv_read_needs(struct net_pv *pv)
{
	static const char *const needed[] = {"request-rx-copy", "feature-rx-notify"};

	for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		uint64_t value = 0;
		int r = keys_read_number(&pv->conf.keys, needed[i], 0, 1, &value);

		if (r)
			return r;
		if (!value)
			return keys_fail(&pv->conf.keys, needed[i], "must be 1");
	}
	return 0;
}

static int pv_read_choice(struct net_pv *pv, struct pv_choice *choice)
{
	const struct {
		const char *key;
		uint64_t min, max;
		uint64_t *out;
	} keys[] = {
		{"multi-queue-num-queues", 1, pv->max_queues, &choice->queues},
		{"feature-sg", 0, 1, &choice->sg},
		{"feature-gso-tcpv4", 0, 1, &choice->gso4},
		{"feature-gso-tcpv6", 0, 1, &choice->gso6},
		{"feature-no-csum-offload", 0, 1, &choice->no_csum},
		{"feature-ipv6-csum-offload", 0, 1, &choice->csum6},
		{"request-multicast-control", 0, 1, &choice->groups},
	};
	int r = pv_read_needs(pv);

	*choice = (struct pv_choice){.queues = 1};
	for (unsigned i = 0; !r && i < sizeof(keys) / sizeof(keys[0]); i++)
		r = keys_read_number(&pv->conf.keys, keys[i].key, keys[i].min,
				     keys[i].max, keys[i].out);
	return r;
}

/* An address that is not the policy's is no failure, but nothing would pass: say it
 * where somebody looks for the cause. */
static int pv_check_mac(struct net_pv *pv)
{
	const struct net_policy *policy = pv->conf.net_policy;
	char value[STORE_VALUE_MAX + 1];
	uint8_t mac[NET_MAC];
	int r = keys_read(&pv->conf.keys, STORE_FRONT, "mac", value);

	if (r <= 0)
		return r;
	if (!net_mac_parse(value, mac) || memcmp(mac, policy->mac, NET_MAC))
		log_line(
			pv->conf.keys.log, LOG_LEVEL_WARNING,
			"the front end's mac is not Net.MAC: unless Sources allows it, "
			"what it sends is refused; give it the same mac= in both");
	return 0;
}

/* A sum of IPv4 that is left undone is not told from one of IPv6: who takes one takes
 * both, or is given neither. */
static unsigned offloads_of(const struct net_pv *pv, const struct pv_choice *choice)
{
	unsigned offloads = 0;

	if (!pv->conf.net_policy->offloads || choice->no_csum || !choice->csum6)
		return 0;
	offloads |= NET_LINK_CSUM;
	if (choice->sg && choice->gso4)
		offloads |= NET_LINK_TSO4;
	if (choice->sg && choice->gso6)
		offloads |= NET_LINK_TSO6;
	return offloads;
}

/* -- Rings ------------------------------------------------------------------- */

static int pv_map(struct net_pv_queue *q, const struct pv_choice *choice,
		  const char *name, struct grants_map *out)
{
	char key[KEYS_QUEUE];
	const char *keys[] = {key};

	keys_of_queue(key, (unsigned)choice->queues, q->index, name);
	return keys_map_ring(&q->pv->conf.keys, keys, 1, out);
}

static int pv_map_rings(struct net_pv_queue *q, const struct pv_choice *choice)
{
	int r = pv_map(q, choice, "tx-ring-ref", &q->tx_map);

	if (r)
		return r;
	r = pv_map(q, choice, "rx-ring-ref", &q->rx_map);
	if (r)
		grants_unmap(q->pv->conf.keys.grants, &q->tx_map);
	return r;
}

static int pv_bind_port(struct net_pv_queue *q, const struct pv_choice *choice,
			const char *name, struct evport *out)
{
	char key[KEYS_QUEUE];

	keys_of_queue(key, (unsigned)choice->queues, q->index, name);
	return keys_bind(&q->pv->conf.keys, key, out);
}

/* Two ports, or one for both. */
static int pv_bind(struct net_pv_queue *q, const struct pv_choice *choice)
{
	char key[KEYS_QUEUE], value[STORE_VALUE_MAX + 1];
	int r;

	keys_of_queue(key, (unsigned)choice->queues, q->index, "event-channel-tx");
	r = keys_read(&q->pv->conf.keys, STORE_FRONT, key, value);
	if (r < 0)
		return r;
	q->split = r;
	if (!q->split)
		return pv_bind_port(q, choice, "event-channel", &q->tx_port);
	r = pv_bind_port(q, choice, "event-channel-tx", &q->tx_port);
	if (r)
		return r;
	r = pv_bind_port(q, choice, "event-channel-rx", &q->rx_port);
	if (r)
		evtchn_unbind(q->pv->conf.keys.evtchn, q->tx_port);
	return r;
}

/* Look at the rings for the first time. */
static int pv_init_rings(struct net_pv_queue *q, bool attach)
{
	enum pv_ring_status tx, rx;

	tx = pv_ring_init(&q->tx, q->tx_map.addr, XEN_PAGE_BYTES, NETIF_TX_ENTRY,
			  attach);
	rx = pv_ring_init(&q->rx, q->rx_map.addr, XEN_PAGE_BYTES, NETIF_RX_ENTRY,
			  attach);
	if (tx == PV_RING_OK && rx == PV_RING_OK)
		return 0;
	return keys_fail(&q->pv->conf.keys,
			 tx == PV_RING_OK ? "receive ring" : "transmit ring",
			 "its indices cannot be");
}

static int pv_unbind(struct net_pv_queue *q)
{
	struct evtchn *evtchn = q->pv->conf.keys.evtchn;
	int tx = evtchn_unbind(evtchn, q->tx_port);
	int rx = q->split ? evtchn_unbind(evtchn, q->rx_port) : 0;

	return tx < 0 ? tx : rx;
}

static int pv_unmap(struct net_pv_queue *q)
{
	struct grants *grants = q->pv->conf.keys.grants;
	int tx = grants_unmap(grants, &q->tx_map);
	int rx = grants_unmap(grants, &q->rx_map);

	return tx < 0 ? tx : rx;
}

int net_pv_close_queue(struct net_pv_queue *q)
{
	int cleared = net_pv_statics_clear(&q->statics, q->pv->conf.keys.grants);
	int unmapped = pv_unmap(q), unbound = pv_unbind(q);

	if (cleared < 0)
		return cleared;
	if (unmapped < 0)
		return unmapped;
	return unbound < 0 ? unbound : 0;
}

/* Map, bind, look. All or nothing. */
static int pv_open_queue(struct net_pv_queue *q, const struct pv_choice *choice,
			 bool attach)
{
	int r = pv_map_rings(q, choice);

	if (r)
		return r;
	r = pv_bind(q, choice);
	if (r) {
		pv_unmap(q);
		return r;
	}
	r = pv_init_rings(q, attach);
	if (r) {
		net_pv_close_queue(q);
		return r;
	}
	q->reader = (struct netif_reader){0};
	q->taken = q->started = q->answered = 0;
	net_runs_clear(&q->runs);
	q->lacks = 0;
	net_pv_finish_tx(q);
	net_pv_finish_rx(q);
	return 0;
}

static void pv_close_all(struct net_pv *pv)
{
	net_pv_control_close(pv);
	while (pv->queues)
		net_pv_close_queue(&pv->queue[--pv->queues]);
}

/* Each queue, and the control ring if there is one. */
static int pv_open_all(struct net_pv *pv, const struct pv_choice *choice, bool attach)
{
	int r = 0;

	for (pv->queues = 0; pv->queues < choice->queues; pv->queues++) {
		r = pv_open_queue(&pv->queue[pv->queues], choice, attach);
		if (r)
			break;
	}
	if (!r)
		r = net_pv_control_open(pv, attach);
	if (r)
		pv_close_all(pv);
	return r;
}

/* The one before us may have died between its push and its event. */
static int pv_wake_all(struct net_pv *pv)
{
	int r = 0;

	for (unsigned i = 0; i < pv->queues && r >= 0; i++) {
		const struct net_pv_queue *q = &pv->queue[i];

		r = evtchn_notify(pv->conf.keys.evtchn, q->tx_port);
		if (r >= 0 && q->split)
			r = evtchn_notify(pv->conf.keys.evtchn, q->rx_port);
	}
	if (r >= 0 && pv->control.open)
		r = evtchn_notify(pv->conf.keys.evtchn, pv->control.port);
	return r < 0 ? r : 0;
}

int net_pv_connect(struct net_pv *pv, bool attach, uint64_t now)
{
	struct net_client client = {0};
	struct pv_choice choice;
	int r;

	assert(pv->state == NET_PV_DOWN);
	r = pv_read_choice(pv, &choice);
	if (!r)
		r = pv_check_mac(pv);
	if (!r)
		r = pv_open_all(pv, &choice, attach);
	if (r)
		return r;
	client.queues = (unsigned)choice.queues;
	client.offloads = offloads_of(pv, &choice);
	client.frame_max = choice.sg ? UINT32_MAX : XEN_PAGE_BYTES;
	/* Which groups it joined before, nobody knows any more: it hears all. */
	client.groups = choice.groups && !attach;
	if (pv->control.open) {
		client.steer = net_pv_control_steer;
		client.steers = &pv->control.hash;
	}
	r = net_connect(pv->conf.net, &client, now);
	if (r) {
		pv_close_all(pv);
		return r;
	}
	net_pv_start(pv, now);
	return attach ? pv_wake_all(pv) : 0;
}
