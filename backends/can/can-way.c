/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "backends/can/can-frame.h"
#include "backends/can/can-way.h"

void can_way_init(struct can_way *way, struct can_bus *bus,
		  void (*home)(struct can_way *way, struct can_tx *tx))
{
	*way = (struct can_way){.bus = bus, .home = home, .leaving = CAN_CANCELED};
}

/* The first leaves. It is nobody's here when home() has it: what it brings about may
 * come here again. */
static void way_pop(struct can_way *way, enum can_status status, uint64_t time)
{
	struct can_tx *tx = way->first;

	way->first = tx->next;
	if (!way->first)
		way->last = NULL;
	if (way->to_write == tx)
		way->to_write = tx->next;
	if (way->to_give == tx)
		way->to_give = tx->next;
	way->overtaken = 0;
	tx->next = NULL;
	tx->status = status;
	tx->time = time;
	way->home(way, tx);
}

static void way_pop_settled(struct can_way *way)
{
	struct can_tx *tx = way->first;

	way->early -= tx->status == CAN_OK;
	way_pop(way, tx->status, tx->time);
}

/* Those at the head that are settled (invariant 1). */
static void way_go_home(struct can_way *way)
{
	while (way->first && way->first->settled)
		way_pop_settled(way);
}

static void way_settle(struct can_way *way, struct can_tx *tx, enum can_status status,
		       uint64_t time)
{
	tx->settled = true;
	tx->status = status;
	tx->time = time;
	way->early += status == CAN_OK;
	way_go_home(way);
}

/* What is written from within makes room for more: that is given here, in one loop. */
static void way_give(struct can_way *way)
{
	if (way->giving)
		return;
	way->giving = true;
	while (way->to_give && way->bus->waiting < CAN_BUS_WINDOW) {
		struct can_tx *tx = way->to_give;

		way->to_give = tx->next;
		can_bus_send(way->bus, &tx->frame);
	}
	way->giving = false;
}

void can_way_send(struct can_way *way, struct can_tx *tx)
{
	tx->next = NULL;
	tx->settled = false;
	if (way->last)
		way->last->next = tx;
	else
		way->first = tx;
	way->last = tx;
	if (!way->to_write)
		way->to_write = tx;
	if (!way->to_give)
		way->to_give = tx;
	way_give(way);
}

static enum can_status way_status(const struct can_way *way, int res)
{
	switch (res) {
	case 0:
		return CAN_OK;
	case -ECANCELED:
		return way->leaving;
	case -ENETDOWN:
		return CAN_BUS_OFF;
	default:
		return CAN_FAILED;
	}
}

void can_way_written(struct can_way *way, int res)
{
	struct can_tx *tx = way->to_write;

	assert(tx && tx != way->to_give); /* can-bus.h, invariant 2 */
	way->to_write = tx->next;
	if (res || !way->late_ack)
		way_settle(way, tx, way_status(way, res), 0);
	if (res == -ENETDOWN)
		can_way_end(way, CAN_BUS_OFF, false);
	else
		way_give(way);
}

/* -- Heard again --------------------------------------------------------------------
 */

static void way_forget(struct can_way *way, uint32_t n)
{
	way->ghosts -= n;
	memmove(way->ghost, way->ghost + n, way->ghosts * sizeof(way->ghost[0]));
}

/* What the host did not say of those before it, it has lost. */
static bool way_ghost(struct can_way *way, const struct canfd_frame *frame)
{
	for (uint32_t i = 0; i < way->ghosts; i++) {
		if (!can_frame_same(&way->ghost[i], frame))
			continue;
		way_forget(way, i + 1);
		return true;
	}
	return false;
}

void can_way_heard(struct can_way *way, const struct canfd_frame *frame, uint64_t time)
{
	struct can_tx *tx = way->first;

	if (way_ghost(way, frame))
		return;
	for (; tx && tx != way->to_write; tx = tx->next) {
		if (tx->settled || !can_frame_same(&tx->frame, frame))
			continue;
		way->ghosts = 0;
		way_settle(way, tx, CAN_OK, time);
		return;
	}
}

/* -- The end of some, or of all ------------------------------------------------------
 */

static void way_haunt(struct can_way *way, const struct canfd_frame *frame)
{
	if (way->ghosts < CAN_GHOSTS)
		way->ghost[way->ghosts++] = *frame;
}

/* Those that are written, as they are at this time. */
static void way_end_written(struct can_way *way, enum can_status status, bool ghosts)
{
	while (way->first && way->first != way->to_write) {
		struct can_tx *tx = way->first;

		if (tx->settled) {
			way_pop_settled(way);
			continue;
		}
		if (ghosts)
			way_haunt(way, &tx->frame);
		way_pop(way, status, 0);
	}
}

void can_way_lost(struct can_way *way, enum can_status status)
{
	way->ghosts = 0;
	way_end_written(way, status, false);
}

void can_way_end(struct can_way *way, enum can_status status, bool ghosts)
{
	bool giving = way->giving;

	if (!ghosts)
		way->ghosts = 0;
	way->leaving = status;
	way_end_written(way, status, ghosts);
	way->giving = true; /* what is dropped makes no room */
	can_bus_drop(way->bus);
	way->giving = giving;
	while (way->first)
		way_pop(way, status, 0);
}

/* -- Time ----------------------------------------------------------------------------
 */

void can_way_turn(struct can_way *way, uint64_t now)
{
	way_give(way);
	if (!way->early)
		return;
	if (!way->overtaken)
		way->overtaken = now;
	if (now - way->overtaken < CAN_OVERTAKEN_NS)
		return;
	way_settle(way, way->first, CAN_FAILED, 0);
}

uint64_t can_way_due(const struct can_way *way)
{
	return way->overtaken ? way->overtaken + CAN_OVERTAKEN_NS : UINT64_MAX;
}
