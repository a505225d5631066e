/* SPDX-License-Identifier: MIT */
/*
 * The device's turn: what is taken, started, answered and told. One request on its way
 * is can-pv-slot.c; what is said in xenstore, and the set-up of rings,
 * can-pv-connect.c.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "backends/can/can-pv.h"
#include "common/clock.h"

/* How long an end waits for frames that are on their way. */
#define DRAIN (100 * CLOCK_MS)

static void pv_break(struct can_pv *pv, const char *why)
{
	if (!pv->why)
		pv->why = why;
}

static void pv_due(struct can_pv *pv, uint64_t due)
{
	if (due < pv->due)
		pv->due = due;
}

/* -- The transmit ring ---------------------------------------------------- */

/* Each is started, if it need not wait, before the next is looked at: a START or STOP
 * passes only what waits. No turn takes more than the ring holds: answers come after.
 */
static void pv_take(struct can_pv *pv)
{
	uint8_t entry[XENCAN_ENTRY];
	enum pv_ring_status status;

	can_slot_start(pv);
	for (;;) {
		status = pv_ring_take(&pv->tx, entry);
		if (status != PV_RING_OK)
			break;
		can_slot_take(pv, entry);
		can_slot_start(pv);
	}
	if (status == PV_RING_BROKEN)
		pv_break(pv, "its request index passed its requests");
}

/* What the bus changed is kept, too. 0 or a negative errno. */
static int pv_keep(struct can_pv *pv)
{
	int r = can_state_keep(&pv->kept, pv->conf.can->state);

	if (r != -EAGAIN)
		return r;
	pv_due(pv, pv->now + KEYS_AGAIN);
	return 0;
}

/* Invariant 1. True if the client wants an event. */
static bool pv_publish(struct can_pv *pv)
{
	while (pv->tx.rsp_prod != pv->tx.req_cons) {
		struct can_slot *slot = can_pv_slot(pv, pv->tx.rsp_prod);

		if (!can_slot_ready(slot))
			break;
		can_slot_put(slot);
	}
	if (pv->tx.rsp_prod == pv->tx.pushed)
		return false;
	pv->stats.pushes++;
	return pv_ring_push(&pv->tx);
}

/* -- The receive ring ----------------------------------------------------- */

/* Invariant 5. True if the client wants an event. */
static bool pv_tell(struct can_pv *pv)
{
	uint8_t answer[XENCAN_ENTRY];
	struct can_event event;
	uint32_t posted;

	if (pv_ring_posted(&pv->rx, &posted) == PV_RING_BROKEN) {
		pv_break(pv, "its slot index passed its slots");
		return false;
	}
	for (; posted && can_next(pv->conf.can, &event); posted--) {
		canif_encode_event(&event, answer);
		pv_ring_fill(&pv->rx, answer);
		pv->stats.events++;
	}
	if (pv->rx.rsp_prod == pv->rx.pushed)
		return false;
	pv->stats.pushes++;
	return pv_ring_push(&pv->rx);
}

/* -- The turn ------------------------------------------------------------------------
 */

/* Invariant 6. Nothing is said on a ring beside a broken one. */
static int pv_answer(struct can_pv *pv)
{
	bool wants;
	int r = pv_keep(pv);

	if (r < 0)
		return r;
	wants = pv_publish(pv);
	if (pv->state == CAN_PV_UP)
		wants |= pv_tell(pv);
	if (!wants)
		return 0;
	pv->stats.notifies++;
	r = evtchn_notify(pv->conf.keys.evtchn, pv->port);
	return r < 0 ? r : 0;
}

static int pv_serve(struct can_pv *pv)
{
	pv->due = UINT64_MAX;
	if (pv->state == CAN_PV_UP && !pv->why)
		pv_take(pv);
	return pv->why ? 0 : pv_answer(pv);
}

/* What is home is answered; what is not stays in the ring, as if it had never been
 * taken (invariant 1). */
static void pv_end(struct can_pv *pv)
{
	int r = pv->why ? 0 : pv_answer(pv);

	/* Invariant 7. */
	can_disconnect(pv->conf.can);
	assert(!pv->busy);
	if (r >= 0)
		r = can_pv_close(pv);
	pv->state = CAN_PV_DOWN;
	pv->due = UINT64_MAX;
	if (r < 0)
		pv->error = r;
	else
		pv->conf.detached(pv);
}

int can_pv_turn(struct can_pv *pv, uint64_t now)
{
	if (pv->error || pv->state == CAN_PV_DOWN)
		return pv->error;
	pv->now = now;
	pv->error = pv_serve(pv);
	if (pv->error)
		return pv->error;
	if (pv->state == CAN_PV_STOPPING) {
		if (!pv->busy || now >= pv->drained)
			pv_end(pv);
		else
			pv_due(pv, pv->drained);
	} else if (pv->why && !pv->told) {
		pv->told = true;
		pv->conf.broken(pv, pv->why);
	}
	return pv->error;
}

static bool pv_takes(const struct can_pv *pv)
{
	return pv->state == CAN_PV_UP && !pv->why && !pv->error;
}

/* Something waits for a slot, and none is posted. What waits for ReceiveRate has one.
 */
static bool pv_lacks_slots(const struct can_pv *pv)
{
	return !pv_ring_has_posted(&pv->rx) && can_pending(pv->conf.can);
}

bool can_pv_arm(struct can_pv *pv)
{
	bool more = false;

	if (!pv_takes(pv))
		return false;
	if (pv_lacks_slots(pv))
		more = pv_ring_final_check(&pv->rx);
	return pv_ring_final_check(&pv->tx) || more;
}

bool can_pv_pending(const struct can_pv *pv)
{
	if (!pv_takes(pv))
		return false;
	return pv_ring_pending(&pv->tx) ||
	       (pv_lacks_slots(pv) && pv_ring_pending(&pv->rx));
}

void can_pv_detach(struct can_pv *pv)
{
	if (pv->state != CAN_PV_UP)
		return;
	pv->state = CAN_PV_STOPPING;
	pv->drained = pv->now + DRAIN;
	pv_due(pv, pv->drained);
	if ((!pv->busy || pv->why) && !pv->error)
		pv_end(pv);
}

uint64_t can_pv_due(const struct can_pv *pv)
{
	return pv->state == CAN_PV_DOWN ? UINT64_MAX : pv->due;
}

void can_pv_limits(struct can_pv *pv, uint64_t now)
{
	if (pv->state == CAN_PV_DOWN)
		return;
	toll_change(&pv->toll, pv->conf.policy, now);
	pv->due = now;
}

void can_pv_start(struct can_pv *pv, uint64_t now)
{
	assert(!pv->busy && pv->tx.entries <= pv->slots);
	pv->started = pv->tx.req_cons;
	pv->owed = 0;
	pv->why = NULL;
	pv->told = false;
	toll_init(&pv->toll, pv->conf.policy, now);
	pv->now = pv->due = now;
	pv->state = CAN_PV_UP;
}

int can_pv_close(struct can_pv *pv)
{
	struct grants *grants = pv->conf.keys.grants;
	int tx = grants_unmap(grants, &pv->tx_map);
	int rx = grants_unmap(grants, &pv->rx_map);
	int port = evtchn_unbind(pv->conf.keys.evtchn, pv->port);

	for (uint32_t i = 0; i < pv->slots; i++)
		pv->slot[i].state = CAN_SLOT_FREE;
	return tx < 0 ? tx : rx < 0 ? rx : port < 0 ? port : 0;
}

int can_pv_init(struct can_pv *pv, const struct can_pv_conf *conf)
{
	*pv = (struct can_pv){.conf = *conf, .due = UINT64_MAX};
	if (conf->policy->ring_pages < 2)
		return -EINVAL;
	while (pv->ring_order < CAN_PV_ORDER_MAX &&
	       4u << pv->ring_order <= conf->policy->ring_pages)
		pv->ring_order++;
	pv->slots = CAN_PV_PAGE_SLOTS << pv->ring_order;
	pv->slot = calloc(pv->slots, sizeof(*pv->slot));
	if (!pv->slot)
		return -ENOMEM;
	for (uint32_t i = 0; i < pv->slots; i++) {
		pv->slot[i].pv = pv;
		pv->slot[i].tx.done = can_slot_done;
	}
	return 0;
}

void can_pv_fini(struct can_pv *pv)
{
	assert(pv->state == CAN_PV_DOWN || pv->error);
	free(pv->slot);
	*pv = (struct can_pv){0};
}
