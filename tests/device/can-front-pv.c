/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/device/can-front-pv.h"

#define REQ_PROD  0
#define REQ_EVENT 1
#define RSP_PROD  2
#define RSP_EVENT 3
#define HEADER	  64

static struct can_front_pv *pv_of(struct can_front *f)
{
	return (struct can_front_pv *)f;
}

/* -- A ring --------------------------------------------------------------- */

uint32_t *can_front_header(struct can_front_ring *ring)
{
	return (uint32_t *)(void *)ring->page;
}

uint8_t *can_front_slot(struct can_front_ring *ring, uint32_t i)
{
	return ring->page + HEADER + (size_t)(i % ring->entries) * XENCAN_ENTRY;
}

void can_front_raw(struct can_front_ring *ring, const void *entry)
{
	memcpy(can_front_slot(ring, ring->req_prod++), entry, XENCAN_ENTRY);
}

static bool has_room(const struct can_front_ring *ring)
{
	return ring->req_prod - ring->rsp_cons < ring->entries;
}

/* Publish; true if the back end asked to be told. */
static bool ring_push(struct can_front_ring *ring)
{
	uint32_t *header = can_front_header(ring), old = header[REQ_PROD];

	__atomic_store_n(&header[REQ_PROD], ring->req_prod, __ATOMIC_SEQ_CST);
	return ring->req_prod - header[REQ_EVENT] < ring->req_prod - old;
}

/* The next answer, or NULL, and the event is armed. */
static const void *ring_next(struct can_front_ring *ring)
{
	uint32_t *header = can_front_header(ring);

	if (header[RSP_PROD] == ring->rsp_cons) {
		header[RSP_EVENT] = ring->rsp_cons + 1;
		return NULL;
	}
	return can_front_slot(ring, ring->rsp_cons++);
}

static void ring_new(struct can_front *f, struct can_front_ring *ring, unsigned order)
{
	uint32_t room;

	/* Consecutive pages of a domain are neighbours; it has them once. */
	for (unsigned i = 0; ring->pages != 1u << order; i++, ring->pages++) {
		uint8_t *page = loopxen_page(f->x, f->dev->front);

		if (!i)
			ring->page = page;
	}
	for (unsigned i = 0; i < ring->pages; i++)
		ring->ref[i] =
			loopxen_grant(f->x, f->dev->front, ring->page + i * 4096u,
				      f->dev->back, false);
	/* T-RING-3: what nobody writes stays poison. */
	memset(ring->page + HEADER, 0xa5, ring->pages * 4096 - HEADER);
	room = (ring->pages * 4096 - HEADER) / XENCAN_ENTRY;
	for (ring->entries = 1; ring->entries * 2 <= room; ring->entries *= 2)
		;
	ring->req_prod = ring->rsp_cons = 0;
	memset(ring->page, 0, HEADER);
	can_front_header(ring)[REQ_EVENT] = can_front_header(ring)[RSP_EVENT] = 1;
}

/* -- Keys ----------------------------------------------------------------- */

static void pv_key(struct can_front *f, const char *key, const char *value)
{
	char path[160];

	loopxen_path(f->dev, STORE_FRONT, key, path, sizeof(path));
	if (value)
		loopxen_write(f->x, f->dev->front, path, value);
	else
		loopxen_rm(f->x, f->dev->front, path);
}

static void number(struct can_front *f, const char *key, unsigned value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	pv_key(f, key, text);
}

static void ring_keys(struct can_front *f, const char *name,
		      const struct can_front_ring *ring)
{
	char key[32];

	for (unsigned i = 0; i < ring->pages; i++) {
		snprintf(key, sizeof(key), f->conf.order ? "%s%u" : "%s", name, i);
		number(f, key, ring->ref[i].v);
	}
}

static void pv_connect(struct can_front *f)
{
	struct can_front_pv *pv = pv_of(f);

	ring_new(f, &pv->tx, f->conf.order);
	ring_new(f, &pv->rx, f->conf.order);
	pv->slot = pv->heard = 0;
	pv->nkept = 0;
	pv->port = loopxen_port(f->x, f->dev->front, f->dev->back);
	pv_key(f, "ring-page-order", NULL);
	if (f->conf.order)
		number(f, "ring-page-order", f->conf.order);
	pv_key(f, "version", "1");
	ring_keys(f, "tx-ring-ref", &pv->tx);
	ring_keys(f, "rx-ring-ref", &pv->rx);
	number(f, "event-channel", pv->port.v);
	number(f, "late-ack", f->conf.late_ack);
	number(f, "receive-own", f->conf.own);
	number(f, "state", STORE_INITIALISED);
}

static bool pv_ready(struct can_front *f)
{
	number(f, "state", STORE_CONNECTED);
	return true;
}

static bool pv_disconnect(struct can_front *f)
{
	struct can_front_pv *pv = pv_of(f);
	bool clean = true;

	loopxen_close(f->x, f->dev->front, pv->port);
	for (unsigned i = 0; i < pv->tx.pages; i++) {
		clean &= loopxen_revoke(f->x, f->dev->front, pv->tx.ref[i]);
		clean &= loopxen_revoke(f->x, f->dev->front, pv->rx.ref[i]);
	}
	return clean;
}

/* -- Asking --------------------------------------------------------------- */

static bool pv_send(struct can_front *f, uint16_t id, const struct canfd_frame *frame)
{
	struct can_front_pv *pv = pv_of(f);
	struct xencan_tx_req req = {.id = id, .operation = XENCAN_OP_FRAME};

	if (!has_room(&pv->tx))
		return false;
	req.frame.id = frame->can_id & CAN_EFF_MASK;
	if (frame->can_id & CAN_EFF_FLAG)
		req.frame.flags |= XENCAN_FRAME_EXTENDED;
	if (frame->can_id & CAN_RTR_FLAG)
		req.frame.flags |= XENCAN_FRAME_REMOTE;
	if (frame->flags & CANFD_FDF)
		req.frame.flags |= XENCAN_FRAME_FD;
	if (frame->flags & CANFD_BRS)
		req.frame.flags |= XENCAN_FRAME_BRS;
	if (frame->flags & CANFD_ESI)
		req.frame.flags |= XENCAN_FRAME_ESI;
	req.frame.length = frame->len;
	memcpy(req.frame.data, frame->data, sizeof(req.frame.data));
	can_front_raw(&pv->tx, &req);
	return true;
}

static bool pv_control(struct can_front *f, uint16_t id, bool start)
{
	struct xencan_tx_req req = {
		.id = id,
		.operation = start ? XENCAN_OP_START : XENCAN_OP_STOP,
	};

	if (!has_room(&pv_of(f)->tx))
		return false;
	can_front_raw(&pv_of(f)->tx, &req);
	return true;
}

static bool pv_post(struct can_front *f)
{
	struct can_front_pv *pv = pv_of(f);
	struct xencan_rx_req req = {.id = pv->slot};

	if (!has_room(&pv->rx))
		return false;
	can_front_raw(&pv->rx, &req);
	pv->slot++;
	return true;
}

static void pv_kick(struct can_front *f)
{
	pv_of(f)->kicks++;
	loopxen_notify(f->x, f->dev->front, pv_of(f)->port);
}

static void pv_push(struct can_front *f)
{
	struct can_front_pv *pv = pv_of(f);
	bool wants = ring_push(&pv->tx);

	wants |= ring_push(&pv->rx);
	if (wants)
		pv_kick(f);
}

/* -- Answers -------------------------------------------------------------- */

const struct xencan_tx_rsp *can_front_next(struct can_front_pv *f)
{
	return ring_next(&f->tx);
}

static bool is_control(const struct xencan_tx_rsp *rsp)
{
	return rsp->operation == XENCAN_OP_START || rsp->operation == XENCAN_OP_STOP;
}

/* The next of its kind, from those that were kept, or from the ring. */
static bool next_of(struct can_front_pv *pv, bool control, struct xencan_tx_rsp *out)
{
	const struct xencan_tx_rsp *rsp;

	for (uint32_t i = 0; i < pv->nkept; i++) {
		if (is_control(&pv->kept[i]) != control)
			continue;
		*out = pv->kept[i];
		memmove(pv->kept + i, pv->kept + i + 1,
			(--pv->nkept - i) * sizeof(pv->kept[0]));
		return true;
	}
	while ((rsp = can_front_next(pv))) {
		if (is_control(rsp) == control) {
			*out = *rsp;
			return true;
		}
		assert(pv->nkept < CAN_FRONT_KEPT);
		pv->kept[pv->nkept++] = *rsp;
	}
	return false;
}

static bool answer_of(struct can_front *f, bool control, struct can_front_answer *out)
{
	struct xencan_tx_rsp rsp;

	if (!next_of(pv_of(f), control, &rsp))
		return false;
	*out = (struct can_front_answer){rsp.id, (enum can_status)rsp.status, rsp.time};
	return true;
}

static bool pv_answer(struct can_front *f, struct can_front_answer *out)
{
	return answer_of(f, false, out);
}

static bool pv_controlled(struct can_front *f, struct can_front_answer *out)
{
	return answer_of(f, true, out);
}

static void frame_of(const struct xencan_frame *wire, struct canfd_frame *out)
{
	*out = (struct canfd_frame){.can_id = wire->id, .len = (uint8_t)wire->length};
	assert(wire->length <= 64);
	if (wire->flags & XENCAN_FRAME_EXTENDED)
		out->can_id |= CAN_EFF_FLAG;
	if (wire->flags & XENCAN_FRAME_REMOTE)
		out->can_id |= CAN_RTR_FLAG;
	if (wire->flags & XENCAN_FRAME_FD)
		out->flags |= CANFD_FDF;
	if (wire->flags & XENCAN_FRAME_BRS)
		out->flags |= CANFD_BRS;
	if (wire->flags & XENCAN_FRAME_ESI)
		out->flags |= CANFD_ESI;
	memcpy(out->data, wire->data, sizeof(wire->data));
}

static bool pv_event(struct can_front *f, struct can_event *out)
{
	struct can_front_pv *pv = pv_of(f);
	const struct xencan_rx_rsp *rsp = ring_next(&pv->rx);

	if (!rsp)
		return false;
	assert(rsp->id == pv->heard);
	pv->heard++;
	*out = (struct can_event){.kind = (enum can_event_kind)rsp->type};
	out->time = rsp->time;
	switch (rsp->type) {
	case XENCAN_RX_FRAME:
		frame_of(&rsp->u.frame, &out->frame);
		out->own = rsp->u.frame.flags & XENCAN_FRAME_OWN;
		break;
	case XENCAN_RX_STATE:
		out->kind = CAN_EVENT_STATE;
		out->state = (enum can_state)rsp->u.state.state;
		out->tx_errors = rsp->u.state.tx_errors;
		out->rx_errors = rsp->u.state.rx_errors;
		break;
	case XENCAN_RX_ERROR:
		out->kind = CAN_EVENT_ERROR;
		out->frame.can_id = rsp->u.error.classes;
		memcpy(out->frame.data, rsp->u.error.data, 8);
		break;
	case XENCAN_RX_LOST:
		out->kind = CAN_EVENT_LOST;
		out->lost = rsp->u.lost.frames;
		break;
	default:
		assert(!"an event");
	}
	return true;
}

const struct can_front_ops can_front_pv_ops = {
	.words = {true, true, true, true, true},
	.connect = pv_connect,
	.ready = pv_ready,
	.disconnect = pv_disconnect,
	.key = pv_key,
	.send = pv_send,
	.control = pv_control,
	.post = pv_post,
	.push = pv_push,
	.kick = pv_kick,
	.answer = pv_answer,
	.controlled = pv_controlled,
	.event = pv_event,
};
