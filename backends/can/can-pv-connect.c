/* SPDX-License-Identifier: MIT */
/*
 * What the PV door says and reads in xenstore, and the set-up of its rings.
 * Key names and their meaning: canif.h.
 *
 * Each front-end key is read once a connection; a value that is not exactly what the
 * protocol allows fails the device, with a line that says which.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "backends/can/can-pv.h"

#define PV_KEY	   24 /* "tx-ring-ref7" */
#define PV_VERSION "1"

/* What the front end chose, of what it was offered. */
struct pv_choice {
	uint32_t pages; /* of each ring */
	bool numbered;	/* "tx-ring-ref0", "tx-ring-ref1" ... */
	bool late_ack, own;
	enum can_state was; /* what the one before us was */
};

static int pv_offer_rules(struct can_pv *pv, const char *key,
			  const struct can_rules *rules)
{
	char text[STORE_VALUE_MAX + 1];

	can_rules_text(rules, text, sizeof(text));
	return keys_write(&pv->conf.keys, key, text);
}

int can_pv_offer(struct can_pv *pv)
{
	const struct can_policy *policy = pv->conf.can_policy;
	const struct can_bus *bus = pv->conf.can->conf.bus;
	/* What is not offered is said too: the directory may hold what another back
	 * end offered. */
	const struct {
		const char *key;
		uint64_t value;
	} keys[] = {
		{"max-ring-page-order", pv->ring_order},
		{"feature-fd", policy->fd && bus->fd},
		{"feature-late-ack", bus->echo},
		{"feature-transmit", !policy->listen_only && policy->transmit.n},
		{"bitrate", policy->bitrate},
		{"data-bitrate", policy->data_bitrate},
		{"sample-point", policy->sample_point},
		{"data-sample-point", policy->data_sample_point},
		{"controller", CAN_STATE_IS_STOPPED},
	};
	int r = keys_write(&pv->conf.keys, "versions", PV_VERSION);

	for (unsigned i = 0; !r && i < sizeof(keys) / sizeof(keys[0]); i++)
		r = keys_write_number(&pv->conf.keys, keys[i].key, keys[i].value);
	if (!r)
		r = pv_offer_rules(pv, "transmit-ids", &policy->transmit);
	if (!r)
		r = pv_offer_rules(pv, "receive-ids", &policy->receive);
	return r;
}

static int pv_read_version(struct can_pv *pv)
{
	char value[STORE_VALUE_MAX + 1];
	int r = keys_read(&pv->conf.keys, STORE_FRONT, "version", value);

	if (r < 0)
		return r;
	if (!r || strcmp(value, PV_VERSION))
		return keys_fail(&pv->conf.keys, "version", "not one of those offered");
	return 0;
}

static int pv_read_choice(struct can_pv *pv, struct pv_choice *choice)
{
	const uint64_t none = UINT64_MAX;
	uint64_t order = none, late_ack = 0, own = 0;
	const struct {
		const char *key;
		uint64_t max;
		uint64_t *out;
	} keys[] = {
		{"ring-page-order", pv->ring_order, &order},
		{"late-ack", 1, &late_ack},
		{"receive-own", 1, &own},
	};
	int r = pv_read_version(pv);

	for (unsigned i = 0; !r && i < sizeof(keys) / sizeof(keys[0]); i++)
		r = keys_read_number(&pv->conf.keys, keys[i].key, 0, keys[i].max,
				     keys[i].out);
	if (r)
		return r;
	choice->numbered = order != none;
	choice->pages = order != none ? 1u << order : 1;
	choice->late_ack = late_ack && pv->conf.can->conf.bus->echo;
	choice->own = own;
	return 0;
}

static int pv_map_ring(struct can_pv *pv, const char *name,
		       const struct pv_choice *choice, struct grants_map *out)
{
	char text[GRANTS_RING_MAX][PV_KEY];
	const char *keys[GRANTS_RING_MAX];

	for (uint32_t i = 0; i < choice->pages; i++) {
		if (choice->numbered)
			snprintf(text[i], PV_KEY, "%s%u", name, i);
		else
			snprintf(text[i], PV_KEY, "%s", name);
		keys[i] = text[i];
	}
	return keys_map_ring(&pv->conf.keys, keys, choice->pages, out);
}

/* Look at the rings for the first time. */
static int pv_init_rings(struct can_pv *pv, const struct pv_choice *choice, bool attach)
{
	uint32_t bytes = choice->pages * XEN_PAGE_BYTES;
	enum pv_ring_status tx, rx;

	tx = pv_ring_init(&pv->tx, pv->tx_map.addr, bytes, XENCAN_ENTRY, attach);
	rx = pv_ring_init_posted(&pv->rx, pv->rx_map.addr, bytes, XENCAN_ENTRY, 0,
				 CANIF_SLOT_ID, attach);
	if (tx == PV_RING_OK && rx == PV_RING_OK)
		return 0;
	return keys_fail(&pv->conf.keys,
			 tx == PV_RING_OK ? "receive ring" : "transmit ring",
			 "its indices cannot be");
}

/* Both or none. */
static int pv_map_rings(struct can_pv *pv, const struct pv_choice *choice)
{
	int r = pv_map_ring(pv, "tx-ring-ref", choice, &pv->tx_map);

	if (r)
		return r;
	r = pv_map_ring(pv, "rx-ring-ref", choice, &pv->rx_map);
	if (r)
		grants_unmap(pv->conf.keys.grants, &pv->tx_map);
	return r;
}

static int pv_bind(struct can_pv *pv, const struct pv_choice *choice, bool attach)
{
	int r = keys_bind(&pv->conf.keys, "event-channel", &pv->port);

	if (r)
		return r;
	r = pv_init_rings(pv, choice, attach);
	if (r)
		evtchn_unbind(pv->conf.keys.evtchn, pv->port);
	return r;
}

/* Map, bind, look. All or nothing. */
static int pv_open(struct can_pv *pv, const struct pv_choice *choice, bool attach)
{
	int r = pv_map_rings(pv, choice);

	if (r)
		return r;
	r = pv_bind(pv, choice, attach);
	if (r) {
		grants_unmap(pv->conf.keys.grants, &pv->rx_map);
		grants_unmap(pv->conf.keys.grants, &pv->tx_map);
	}
	return r;
}

int can_pv_connect(struct can_pv *pv, bool attach, uint64_t now)
{
	struct pv_choice choice = {.was = CAN_STATE_IS_STOPPED};
	int r;

	assert(pv->state == CAN_PV_DOWN);
	can_state_init(&pv->kept, &pv->conf.keys);
	r = pv_read_choice(pv, &choice);
	if (!r && attach)
		r = can_state_read(&pv->kept, &choice.was);
	if (!r)
		r = pv_open(pv, &choice, attach);
	if (r)
		return r;
	can_connect(pv->conf.can, choice.late_ack, choice.own, choice.was, now);
	can_pv_start(pv, now);
	/* The one before us may have died between its push and its event. */
	r = attach ? evtchn_notify(pv->conf.keys.evtchn, pv->port) : 0;
	return r < 0 ? r : 0;
}
