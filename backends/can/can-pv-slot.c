/* SPDX-License-Identifier: MIT */
/* One request on its way from the transmit ring and back: see can-pv.h. */
#include <assert.h>

#include "backends/can/can-pv.h"

#define MOVE(state) (1u << CAN_SLOT_##state)

static const uint8_t can_slot_moves[CAN_SLOT_STATES] = {
	[CAN_SLOT_FREE] = MOVE(TAKEN),
	[CAN_SLOT_TAKEN] = MOVE(BUSY) | MOVE(READY),
	[CAN_SLOT_BUSY] = MOVE(READY),
	[CAN_SLOT_READY] = MOVE(FREE),
};

static void slot_move(struct can_slot *slot, enum can_slot_state to)
{
	struct can_pv *pv = slot->pv;

	assert(can_slot_moves[slot->state] & (1u << to));
	pv->busy += to == CAN_SLOT_BUSY;
	pv->busy -= slot->state == CAN_SLOT_BUSY;
	slot->state = to;
}

static bool slot_is_frame(const struct can_slot *slot)
{
	return slot->rq.op == CANIF_FRAME;
}

static void slot_home(struct can_slot *slot, enum can_status status)
{
	slot->status = status;
	slot_move(slot, CAN_SLOT_READY);
}

void can_slot_done(struct can_tx *tx, enum can_status status, uint64_t time)
{
	struct can_slot *slot = (struct can_slot *)tx;
	struct can_pv *pv = slot->pv;

	if (status == CAN_FAILED)
		log_line(pv->conf.keys.log, LOG_LEVEL_ERROR,
			 "the host lost a frame that was to be sent");
	slot->time = time;
	slot_home(slot, status);
}

/* -- Off the ring --------------------------------------------------------- */

/* What waits before @slot is answered without having been sent (invariant 3). */
static void slot_cancel_older(struct can_slot *slot, uint32_t index)
{
	struct can_pv *pv = slot->pv;

	for (uint32_t i = pv->started; i != index; i++) {
		struct can_slot *old = can_pv_slot(pv, i);

		if (old->state != CAN_SLOT_TAKEN || !slot_is_frame(old))
			continue;
		slot->owes += !old->paid.operation;
		slot_home(old, CAN_CANCELED);
	}
}

/* Invariant 2: as soon as it is taken. */
static void slot_control(struct can_slot *slot, uint32_t index)
{
	struct can *can = slot->pv->conf.can;

	if (slot->rq.op == CANIF_START) {
		can_start(can);
		return;
	}
	can_stop(can);
	slot_cancel_older(slot, index);
}

static void slot_malformed(struct can_slot *slot, const char *what)
{
	slot->pv->stats.malformed++;
	slot->malformed = true;
	slot->status = CAN_INVALID;
	log_line(slot->pv->conf.keys.log, LOG_LEVEL_WARNING, "%s was refused: %s",
		 slot->rq.operation == XENCAN_OP_FRAME ? "a frame" : "a request", what);
}

void can_slot_take(struct can_pv *pv, const uint8_t *entry)
{
	uint32_t index = pv->tx.req_cons - 1;
	struct can_slot *slot = can_pv_slot(pv, index);
	enum canif_verdict verdict;

	assert(slot->state == CAN_SLOT_FREE);
	verdict = canif_decode(entry, &slot->rq);
	slot->malformed = false;
	slot->paid = (struct toll_paid){0};
	slot->owes = 0;
	slot->time = 0;
	slot->taken_at = pv->now;
	pv->stats.requests++;
	slot_move(slot, CAN_SLOT_TAKEN);
	switch (verdict) {
	case CANIF_GOOD:
		if (!slot_is_frame(slot))
			slot_control(slot, index);
		break;
	case CANIF_BAD_OPERATION:
		slot_malformed(slot, "there is no such operation");
		break;
	case CANIF_BAD_FRAME:
		slot_malformed(slot, "there is no such frame");
		break;
	}
}

/* -- To the core ---------------------------------------------------------- */

/* Invariant 3. Else when it is worth asking again is in pv->due. */
static bool slot_pay(struct can_slot *slot, uint32_t bytes)
{
	struct can_pv *pv = slot->pv;

	for (; pv->owed; pv->owed--) {
		struct toll_paid one = {0};

		if (!toll_pay(&pv->toll, &one, 0, pv->now, &pv->due))
			return false;
	}
	return toll_pay(&pv->toll, &slot->paid, bytes, pv->now, &pv->due);
}

/* False: it must wait. */
static bool slot_start_frame(struct can_slot *slot)
{
	struct can_pv *pv = slot->pv;
	enum can_status status = slot->status;
	uint32_t bytes = 0;

	if (!slot->malformed)
		status = can_judge(pv->conf.can, &slot->rq.frame);
	if (status == CAN_OK) {
		if (pv->busy >= pv->conf.policy->in_flight)
			return false;
		bytes = can_wire_bytes(&slot->rq.frame);
	}
	if (!slot_pay(slot, bytes))
		return false;
	if (slot->malformed) {
		slot_home(slot, status);
		return true;
	}
	slot->tx.frame = slot->rq.frame;
	slot_move(slot, CAN_SLOT_BUSY);
	can_send(pv->conf.can, &slot->tx);
	return true;
}

static bool slot_start_control(struct can_slot *slot)
{
	if (!slot_pay(slot, 0))
		return false;
	slot->pv->owed += slot->owes;
	slot_home(slot, CAN_OK);
	return true;
}

void can_slot_start(struct can_pv *pv)
{
	for (; pv->started != pv->tx.req_cons; pv->started++) {
		struct can_slot *slot = can_pv_slot(pv, pv->started);

		if (slot->state != CAN_SLOT_TAKEN)
			continue; /* a STOP met it */
		if (!(slot_is_frame(slot) ? slot_start_frame(slot)
					  : slot_start_control(slot)))
			break;
	}
}

/* -- Back to the ring ----------------------------------------------------------------
 */

bool can_slot_ready(const struct can_slot *slot)
{
	const struct can_pv *pv = slot->pv;

	/* Invariant 4. */
	return slot->state == CAN_SLOT_READY &&
	       (slot_is_frame(slot) ||
		(pv->kept.known && pv->kept.kept == pv->conf.can->state));
}

void can_slot_put(struct can_slot *slot)
{
	struct can_pv *pv = slot->pv;
	uint8_t answer[CANIF_ANSWER];

	canif_encode(&slot->rq, slot->status, slot->time, answer);
	pv_ring_put(&pv->tx, answer, sizeof(answer));
	pv->stats.answers++;
	pv->stats.errors += slot->status != CAN_OK;
	if (slot_is_frame(slot) && slot->status == CAN_OK)
		histogram_add(&pv->stats.latency, pv->now - slot->taken_at);
	slot_move(slot, CAN_SLOT_FREE);
}
