/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <linux/can/error.h>
#include <stddef.h>

#include "backends/can/can.h"

static struct can *can_of(struct can_bus *bus)
{
	return bus->owner;
}

static void can_home(struct can_way *way, struct can_tx *tx)
{
	struct can *can = (struct can *)((char *)way - offsetof(struct can, way));

	if (tx->status == CAN_OK) {
		can->stats.sent++;
		can->stats.sent_bytes += can_frame_bytes(&tx->frame);
	} else {
		can->stats.refused[tx->status]++;
	}
	tx->done(tx, tx->status, tx->time);
}

/* -- What the client hears -----------------------------------------------------------
 */

static void can_push(struct can *can, const struct can_event *event)
{
	can->stats.lost += can_queue_push(&can->queue, event);
}

static void can_push_state(struct can *can, uint64_t time)
{
	const struct can_event event = {
		.kind = CAN_EVENT_STATE,
		.state = can->state,
		.tx_errors = can->tx_errors,
		.rx_errors = can->rx_errors,
		.time = time,
	};

	can_push(can, &event);
}

/* Another state, by the host's word. */
static void can_become(struct can *can, enum can_state state, uint64_t time)
{
	if (can->state == state)
		return;
	can->state = state;
	can_push_state(can, time);
}

/* The bus is gone, for this client. The state comes first: what comes home may be
 * followed by what is sent anew. */
static void can_leave(struct can *can, enum can_state state, uint64_t time)
{
	if (can->started) {
		can->started = false;
		can_become(can, state, time);
	}
	can_way_end(&can->way, CAN_BUS_OFF, false);
}

/* -- From the bus --------------------------------------------------------------------
 */

static void can_written(struct can_bus *bus, int res)
{
	struct can *can = can_of(bus);

	/* The state comes first, as in can_leave(). */
	if (res == -ENETDOWN && can->started) {
		can->started = false;
		can_become(can, CAN_STATE_IS_DOWN, 0);
	}
	can_way_written(&can->way, res);
}

static void can_down(struct can_bus *bus)
{
	can_leave(can_of(bus), CAN_STATE_IS_DOWN, 0);
}

static void can_failed(struct can_bus *bus, int err)
{
	can_of(bus)->error = err;
}

static enum can_state can_error_state(const struct can *can, uint8_t status)
{
	if (status & (CAN_ERR_CRTL_RX_PASSIVE | CAN_ERR_CRTL_TX_PASSIVE))
		return CAN_STATE_IS_PASSIVE;
	if (status & (CAN_ERR_CRTL_RX_WARNING | CAN_ERR_CRTL_TX_WARNING))
		return CAN_STATE_IS_WARNING;
	return status & CAN_ERR_CRTL_ACTIVE ? CAN_STATE_IS_ACTIVE : can->state;
}

/* Started, and so it stays. */
static void can_error_controller(struct can *can, const struct canfd_frame *frame,
				 uint64_t time)
{
	uint8_t status = frame->can_id & CAN_ERR_CRTL ? frame->data[1] : 0;

	if (frame->can_id & CAN_ERR_RESTARTED) {
		can_way_lost(&can->way, CAN_BUS_OFF);
		can_become(can, CAN_STATE_IS_ACTIVE, time);
		return;
	}
	/* The host's own controller had no room: nobody counts that. */
	if (status & CAN_ERR_CRTL_RX_OVERFLOW)
		can_queue_lose(&can->queue, CAN_LOST_UNKNOWN);
	can_become(can, can_error_state(can, status), time);
}

static void can_error(struct can *can, const struct canfd_frame *frame, uint64_t time)
{
	can->stats.errors++;
	if (!can->started)
		return;
	if (frame->can_id & CAN_ERR_CNT) {
		can->tx_errors = frame->data[6];
		can->rx_errors = frame->data[7];
	}
	if (can->conf.policy->errors) {
		const struct can_event event = {
			.kind = CAN_EVENT_ERROR,
			.frame = *frame,
			.time = time,
		};

		can_push(can, &event);
	}
	if (frame->can_id & CAN_ERR_BUSOFF) {
		can->stats.bus_offs++;
		can_leave(can, CAN_STATE_IS_BUS_OFF, time);
	} else {
		can_error_controller(can, frame, time);
	}
}

/* What the host lost before we could take it, by its count. Own frames and errors are
 * among it: the client is told the most that it can be. */
static void can_overruns(struct can *can)
{
	uint64_t n = can->conf.bus->overruns - can->overruns;

	can->overruns = can->conf.bus->overruns;
	if (!n || !can->started)
		return;
	can->stats.lost += n;
	can_queue_lose(&can->queue,
		       n < CAN_LOST_UNKNOWN ? (uint32_t)n : CAN_LOST_UNKNOWN);
}

static bool can_hears(const struct can *can, const struct canfd_frame *frame)
{
	const struct can_policy *policy = can->conf.policy;

	return (policy->fd || !can_frame_fd(frame)) &&
	       can_rules_pass(&policy->receive, frame->can_id);
}

static void can_tell_frame(struct can *can, const struct canfd_frame *frame, bool own,
			   uint64_t time)
{
	const struct can_event event = {
		.kind = CAN_EVENT_FRAME,
		.own = own,
		.frame = *frame,
		.time = time,
	};

	can_push(can, &event);
}

static void can_heard_frame(struct can *can, const struct canfd_frame *frame, bool own,
			    uint64_t time)
{
	if (own) {
		can->stats.own++;
		can_way_heard(&can->way, frame, time);
	}
	if (!can->started || (own && !can->own))
		return;
	if (own || can_hears(can, frame))
		can_tell_frame(can, frame, own, time);
	else
		can->stats.filtered++;
}

static void can_heard(struct can_bus *bus, const struct canfd_frame *frame, bool own,
		      uint64_t time)
{
	struct can *can = can_of(bus);

	can_overruns(can);
	if (frame->can_id & CAN_ERR_FLAG)
		can_error(can, frame, time);
	else
		can_heard_frame(can, frame, own, time);
}

static const struct can_bus_user can_user = {
	.written = can_written,
	.heard = can_heard,
	.down = can_down,
	.failed = can_failed,
};

/* -- The life of a controller --------------------------------------------------------
 */

int can_init(struct can *can, const struct can_conf *conf)
{
	*can = (struct can){.conf = *conf, .state = CAN_STATE_IS_STOPPED};
	can_way_init(&can->way, conf->bus, can_home);
	conf->bus->user = &can_user;
	conf->bus->owner = can;
	return can_queue_init(&can->queue, conf->policy, conf->receive);
}

void can_fini(struct can *can)
{
	can_queue_fini(&can->queue);
}

static void can_counters_unknown(struct can *can)
{
	can->tx_errors = can->rx_errors = CAN_COUNTER_UNKNOWN;
}

/* Started, and how well it did: the host will say. */
static enum can_state can_state_after(enum can_state was)
{
	switch (was) {
	case CAN_STATE_IS_ACTIVE:
	case CAN_STATE_IS_WARNING:
	case CAN_STATE_IS_PASSIVE:
		return CAN_STATE_IS_ACTIVE;
	case CAN_STATE_IS_STOPPED:
	case CAN_STATE_IS_BUS_OFF:
	case CAN_STATE_IS_DOWN:
		break;
	}
	return was;
}

void can_connect(struct can *can, bool late_ack, bool own, enum can_state was,
		 uint64_t now)
{
	can->way.late_ack = late_ack && can->conf.bus->echo;
	can->own = own;
	can->state = can_state_after(was);
	can->started = can->state == CAN_STATE_IS_ACTIVE;
	can->now = now;
	can->overruns = can->conf.bus->overruns;
	can_counters_unknown(can);
	can_queue_begin(&can->queue, now);
	if (can->started)
		can_queue_lose(&can->queue, CAN_LOST_UNKNOWN);
	else if (can->state != CAN_STATE_IS_STOPPED)
		can_push_state(can, 0);
}

/* What the host has goes its way: STOP takes nothing back that was written. */
static void can_halt(struct can *can)
{
	can->started = false;
	can->state = CAN_STATE_IS_STOPPED;
	can_queue_clear(&can->queue);
	can_way_end(&can->way, CAN_CANCELED, true);
}

void can_disconnect(struct can *can)
{
	can_halt(can);
}

void can_limits(struct can *can, uint64_t now)
{
	can_queue_limits(&can->queue, now);
}

void can_start(struct can *can)
{
	enum can_state was = can->state;

	if (can->started)
		return;
	can->stats.starts++;
	can->started = true;
	can->state = CAN_STATE_IS_ACTIVE;
	can_counters_unknown(can);
	if (was != CAN_STATE_IS_STOPPED)
		can_push_state(can, 0);
}

void can_stop(struct can *can)
{
	if (can->state == CAN_STATE_IS_STOPPED)
		return;
	can->stats.stops++;
	can_halt(can);
}

/* -- What the client sends ------------------------------------------------------------
 */

/* [impl->req~client-sends-its-identifiers~1] */
enum can_status can_judge(const struct can *can, const struct canfd_frame *frame)
{
	const struct can_policy *policy = can->conf.policy;

	if (!can_frame_ok(frame))
		return CAN_INVALID;
	if (can_frame_fd(frame) && !(policy->fd && can->conf.bus->fd))
		return CAN_UNSUPPORTED;
	if (policy->listen_only || !can_rules_pass(&policy->transmit, frame->can_id))
		return CAN_DENIED;
	if (can->started)
		return CAN_OK;
	return can->state == CAN_STATE_IS_STOPPED ? CAN_STOPPED : CAN_BUS_OFF;
}

static void can_note_refusal(struct can *can, canid_t can_id)
{
	uint32_t i = 0;

	can_id &= ~CAN_RTR_FLAG;
	while (i < can->refusals && can->refusal[i].can_id != can_id)
		i++;
	if (i == CAN_REFUSALS) {
		can->unlisted++;
		return;
	}
	if (i == can->refusals)
		can->refusal[can->refusals++] = (struct can_refusal){can_id, 0};
	if (can->refusal[i].n < UINT32_MAX)
		can->refusal[i].n++;
}

bool can_refusal(struct can *can, struct can_refusal *out)
{
	if (!can->refusals)
		return false;
	*out = can->refusal[--can->refusals];
	return true;
}

void can_send(struct can *can, struct can_tx *tx)
{
	tx->status = can_judge(can, &tx->frame);
	tx->time = 0;
	if (tx->status == CAN_DENIED)
		can_note_refusal(can, tx->frame.can_id);
	if (tx->status != CAN_OK) {
		can_home(&can->way, tx);
		return;
	}
	can_frame_fill(&tx->frame);
	can_way_send(&can->way, tx);
}

/* -- A turn ---------------------------------------------------------------------------
 */

int can_turn(struct can *can, uint64_t now)
{
	can->now = now;
	can_bus_turn(can->conf.bus, now);
	can_way_turn(&can->way, now);
	return can->error;
}

bool can_next(struct can *can, struct can_event *out)
{
	if (!can_queue_next(&can->queue, can->now, out))
		return false;
	if (out->kind == CAN_EVENT_FRAME) {
		can->stats.received++;
		can->stats.received_bytes += can_frame_bytes(&out->frame);
	}
	return true;
}

bool can_pending(const struct can *can)
{
	return can_queue_pending(&can->queue, can->now);
}

uint64_t can_due(const struct can *can)
{
	uint64_t due = can->conf.bus->due, other;

	other = can_way_due(&can->way);
	if (other < due)
		due = other;
	other = can_queue_due(&can->queue, can->now);
	return other < due ? other : due;
}
