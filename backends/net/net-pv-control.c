/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "backends/net/net-pv.h"

#define MOVE(state) (1u << NET_PV_CONTROL_##state)

static const uint8_t control_moves[NET_PV_CONTROL_STATES] = {
	[NET_PV_CONTROL_IDLE] = MOVE(TAKEN),
	[NET_PV_CONTROL_TAKEN] = MOVE(IDLE) | MOVE(ADDING) | MOVE(REMOVING),
	[NET_PV_CONTROL_ADDING] = MOVE(IDLE) | MOVE(UNDOING),
	[NET_PV_CONTROL_UNDOING] = MOVE(IDLE),
	[NET_PV_CONTROL_REMOVING] = MOVE(IDLE),
};

static void control_move(struct net_pv_control *c, enum net_pv_control_state to)
{
	assert(control_moves[c->state] & (1u << to));
	c->state = to;
}

/* Invariant 2. Else when it is worth asking again is in pv->due. */
static bool control_pay(struct net_pv *pv)
{
	struct toll_paid one = {0};
	bool paid = toll_pay(&pv->toll, &one, 0, pv->now, &pv->due);

	pv->control.paid += paid;
	return paid;
}

/* 0 or a negative errno. */
static int control_answer(struct net_pv *pv, enum netif_control_status status,
			  uint32_t data)
{
	struct net_pv_control *c = &pv->control;
	uint8_t answer[NETIF_CONTROL_RESPONSE];
	int r = 0;

	netif_control_encode(&c->request, status, data, answer);
	pv_ring_put(&c->ring, answer, sizeof(answer));
	control_move(c, NET_PV_CONTROL_IDLE);
	pv->stats.controls++;
	pv->stats.pushes++;
	if (pv_ring_push(&c->ring)) {
		r = evtchn_notify(pv->conf.keys.evtchn, c->port);
		pv->stats.notifies++;
	}
	return r < 0 ? r : 0;
}

/* Invariant 4: @bytes of the page of @ref come to c->page, or go from there. 1; 0: it
 * was refused; or a negative errno. */
static int control_copy(struct net_pv *pv, struct gref ref, uint32_t bytes,
			bool to_client)
{
	int r;

	assert(!pv->segs && bytes && bytes <= XEN_PAGE_BYTES);
	net_pv_add(pv, ref, 0, (uint16_t)bytes, pv->control.page, to_client);
	r = net_pv_copy(pv);
	return r < 0 ? r : net_pv_copied(pv, 0, 1);
}

/* -- The hash -------------------------------------------------------------------- */

static int control_hash(struct net_pv *pv)
{
	struct net_pv_control *c = &pv->control;
	uint32_t data, needs;
	enum netif_control_status status;

	status = netif_hash_ask(&c->hash, &c->request, &data, &needs);
	if (status == NETIF_CONTROL_SUCCESS && needs) {
		int r = control_copy(pv, (struct gref){c->request.data[0]}, needs,
				     false);

		if (r < 0)
			return r;
		status = r ? netif_hash_take(&c->hash, &c->request, c->page)
			   : NETIF_CONTROL_INVALID;
	}
	return control_answer(pv, status, data);
}

unsigned net_pv_control_steer(void *hash, const struct net_frame *frame, unsigned queue,
			      struct net_hash *out)
{
	enum netif_hash_type type;
	uint32_t value;

	if (!netif_hash_frame(hash, frame, &type, &value))
		return queue;
	*out = (struct net_hash){true, (uint8_t)type, value};
	return netif_hash_queue(hash, value);
}

/* -- Static grants --------------------------------------------------------------- */

static struct net_pv_statics *control_statics(struct net_pv *pv)
{
	uint32_t queue = pv->control.request.data[0];

	return queue < pv->queues ? &pv->queue[queue].statics : NULL;
}

/* Read the list of @n that the request names. 1; 0: it cannot be; or a negative errno.
 */
static int control_list(struct net_pv *pv, uint32_t n)
{
	struct net_pv_control *c = &pv->control;
	int r;

	if (n > NETIF_GREFS_MAX)
		return 0;
	c->n = n;
	c->at = c->unmapped = 0;
	if (!n)
		return 1;
	r = control_copy(pv, (struct gref){c->request.data[1]}, n * NETIF_GREF, false);
	for (uint32_t i = 0; r > 0 && i < n; i++)
		netif_gref_decode(c->page + (size_t)i * NETIF_GREF, &c->list[i]);
	return r;
}

static int control_grefs(struct net_pv *pv)
{
	struct net_pv_control *c = &pv->control;
	const struct net_pv_statics *statics = control_statics(pv);
	bool add = c->request.type == NETIF_ADD_GREF_MAPPING;
	uint32_t n = c->request.data[2];
	int r;

	if (c->request.type == NETIF_GET_GREF_MAPPING_SIZE)
		return control_answer(
			pv, statics ? NETIF_CONTROL_SUCCESS : NETIF_CONTROL_INVALID,
			statics ? statics->max : 0);
	if (!pv->queue[0].statics.max)
		return control_answer(pv, NETIF_CONTROL_NOT_SUPPORTED, 0);
	if (!statics || (add && n > statics->max - statics->n))
		return control_answer(pv, NETIF_CONTROL_INVALID, 0);
	r = control_list(pv, n);
	if (r <= 0)
		return r < 0 ? r : control_answer(pv, NETIF_CONTROL_INVALID, 0);
	control_move(c, add ? NET_PV_CONTROL_ADDING : NET_PV_CONTROL_REMOVING);
	return 0;
}

/* 1; 0: it cannot be; or a negative errno. */
static int control_add(struct net_pv *pv, const struct netif_gref *gref)
{
	int r;

	if (gref->flags & ~NETIF_GREF_READONLY)
		return 0;
	r = net_pv_static_add(control_statics(pv), pv->conf.keys.grants, gref->ref,
			      !(gref->flags & NETIF_GREF_READONLY));
	return r < 0 ? r : !r;
}

static int control_remove(struct net_pv *pv, struct netif_gref *gref)
{
	int r = net_pv_static_remove(control_statics(pv), pv->conf.keys.grants,
				     gref->ref);

	if (r < 0)
		return r;
	gref->status = r ? NETIF_CONTROL_SUCCESS : NETIF_CONTROL_INVALID;
	pv->control.unmapped += (unsigned)r;
	return 0;
}

/* The list goes back with what became of each. */
static int control_removed(struct net_pv *pv)
{
	struct net_pv_control *c = &pv->control;
	int r = 1;

	for (uint32_t i = 0; i < c->n; i++)
		netif_gref_encode(&c->list[i], c->page + (size_t)i * NETIF_GREF);
	if (c->n)
		r = control_copy(pv, (struct gref){c->request.data[1]},
				 c->n * NETIF_GREF, true);
	if (r < 0)
		return r;
	return control_answer(pv, r ? NETIF_CONTROL_SUCCESS : NETIF_CONTROL_INVALID,
			      c->unmapped);
}

/* One page. 1; 0: not now; or a negative errno. */
static int control_step(struct net_pv *pv)
{
	struct net_pv_control *c = &pv->control;
	int r;

	/* What is undone was paid for. */
	if (c->state == NET_PV_CONTROL_UNDOING) {
		c->at--;
		r = net_pv_static_remove(control_statics(pv), pv->conf.keys.grants,
					 c->list[c->at].ref);
		return r < 0 ? r : 1;
	}
	if (!control_pay(pv))
		return 0;
	if (c->state == NET_PV_CONTROL_REMOVING) {
		r = control_remove(pv, &c->list[c->at++]);
		return r < 0 ? r : 1;
	}
	r = control_add(pv, &c->list[c->at]);
	if (r > 0)
		c->at++;
	else if (!r)
		control_move(c, NET_PV_CONTROL_UNDOING);
	return r < 0 ? r : 1;
}

static bool control_is_through(const struct net_pv_control *c)
{
	return c->state == NET_PV_CONTROL_UNDOING ? !c->at : c->at == c->n;
}

static int control_end(struct net_pv *pv)
{
	if (pv->control.state == NET_PV_CONTROL_REMOVING)
		return control_removed(pv);
	return control_answer(pv,
			      pv->control.state == NET_PV_CONTROL_ADDING
				      ? NETIF_CONTROL_SUCCESS
				      : NETIF_CONTROL_INVALID,
			      0);
}

/* Invariant 3. */
static int control_go_on(struct net_pv *pv)
{
	struct net_pv_control *c = &pv->control;

	for (unsigned steps = 0; !control_is_through(c); steps++) {
		int r;

		if (steps == NET_PV_STEPS) {
			pv->due = pv->now;
			return 0;
		}
		r = control_step(pv);
		if (r <= 0)
			return r;
	}
	return control_end(pv);
}

/* -- A turn ---------------------------------------------------------------------- */

static void control_take(struct net_pv *pv)
{
	struct net_pv_control *c = &pv->control;
	uint8_t entry[NETIF_CONTROL_ENTRY];

	switch (pv_ring_take(&c->ring, entry)) {
	case PV_RING_OK:
		netif_control_decode(entry, &c->request);
		control_move(c, NET_PV_CONTROL_TAKEN);
		break;
	case PV_RING_EMPTY:
		break;
	case PV_RING_BROKEN:
		net_pv_broken(pv, "the control ring's index is too far ahead");
		break;
	}
}

static int control_begin(struct net_pv *pv)
{
	const struct netif_control *request = &pv->control.request;

	if (!control_pay(pv))
		return 0;
	if (netif_hash_is_asked(request))
		return control_hash(pv);
	if (request->type >= NETIF_GET_GREF_MAPPING_SIZE &&
	    request->type <= NETIF_DEL_GREF_MAPPING)
		return control_grefs(pv);
	return control_answer(pv, NETIF_CONTROL_NOT_SUPPORTED, 0);
}

int net_pv_control_serve(struct net_pv *pv)
{
	struct net_pv_control *c = &pv->control;
	int r = 0;

	if (c->state == NET_PV_CONTROL_IDLE)
		control_take(pv);
	if (c->state == NET_PV_CONTROL_TAKEN)
		r = control_begin(pv);
	if (!r && c->state > NET_PV_CONTROL_TAKEN)
		r = control_go_on(pv);
	return r;
}

/* While one is not answered none is taken, and what it waits for is in pv->due. */
bool net_pv_control_arm(struct net_pv *pv)
{
	return pv->control.open && pv->control.state == NET_PV_CONTROL_IDLE &&
	       pv_ring_final_check(&pv->control.ring);
}

bool net_pv_control_pending(const struct net_pv *pv)
{
	return pv->control.open && pv->control.state == NET_PV_CONTROL_IDLE &&
	       pv_ring_pending(&pv->control.ring);
}

/* -- Its life -------------------------------------------------------------------- */

/* 1: the front end has one; 0: it has none; as keys.h says else. */
static int control_is_there(struct net_pv *pv)
{
	char value[STORE_VALUE_MAX + 1];

	if (!pv->control.page)
		return 0;
	return keys_read(&pv->conf.keys, STORE_FRONT, "ctrl-ring-ref", value);
}

int net_pv_control_open(struct net_pv *pv, bool attach)
{
	static const char *const key = "ctrl-ring-ref";
	struct net_pv_control *c = &pv->control;
	int r = control_is_there(pv);

	netif_hash_init(&c->hash, pv->queues);
	if (r <= 0)
		return r;
	r = keys_map_ring(&pv->conf.keys, &key, 1, &c->map);
	if (r)
		return r;
	r = keys_bind(&pv->conf.keys, "event-channel-ctrl", &c->port);
	if (r) {
		grants_unmap(pv->conf.keys.grants, &c->map);
		return r;
	}
	c->state = NET_PV_CONTROL_IDLE;
	c->open = true;
	if (pv_ring_init(&c->ring, c->map.addr, XEN_PAGE_BYTES, NETIF_CONTROL_ENTRY,
			 attach) == PV_RING_OK)
		return 0;
	net_pv_control_close(pv);
	return keys_fail(&pv->conf.keys, "control ring", "its indices cannot be");
}

int net_pv_control_close(struct net_pv *pv)
{
	struct net_pv_control *c = &pv->control;
	int unmapped, unbound;

	if (!c->open)
		return 0;
	c->open = false;
	unmapped = grants_unmap(pv->conf.keys.grants, &c->map);
	unbound = evtchn_unbind(pv->conf.keys.evtchn, c->port);
	if (unmapped < 0)
		return unmapped;
	return unbound < 0 ? unbound : 0;
}
