/* SPDX-License-Identifier: MIT */
#include "backends/can/cmd/front-traffic.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "backends/can/cmd/front-wire.h"
#include "common/clock.h"

#define RESTART_MAX_NS (5 * CLOCK_SECOND)

static const char *const status_names[FRONT_STATUSES] = {
	[XENCAN_OK] = "sent",
	[XENCAN_INVALID] = "invalid",
	[XENCAN_UNSUPPORTED] = "unsupported",
	[XENCAN_DENIED] = "denied by policy",
	[XENCAN_STOPPED] = "stopped",
	[XENCAN_CANCELED] = "canceled",
	[XENCAN_BUS_OFF] = "bus-off",
	[XENCAN_FAILED] = "failed",
};

void front_traffic_init(struct front_traffic *t, const char *who, uint32_t restart_ms)
{
	*t = (struct front_traffic){.restart_ns = restart_ms * CLOCK_MS};
	front_can_init(&t->can, -1, false);
	log_init(&t->log, who);
	log_init(&t->refusals, who);
	t->log.plain = t->refusals.plain = isatty(STDERR_FILENO);
}

void front_traffic_begin(struct front_traffic *t, bool fd)
{
	t->connected = true;
	t->fd = fd;
	t->told_no_fd = false;
	t->restart_at = 0;
	t->wait_ns = t->restart_ns;
}

void front_traffic_end(struct front_traffic *t)
{
	t->connected = false;
	t->restart_at = 0;
}

/* -- To local programs ----------------------------------------------------- */

static void flush(struct front_traffic *t)
{
	int r;

	if (!t->batched)
		return;
	if (t->can.fd < 0) {
		t->can.unsent += t->batched;
	} else {
		r = front_can_write(&t->can, t->batch, t->batched);
		t->can_err = r ? r : t->can_err;
	}
	t->batched = 0;
}

/* The next place in the batch. */
static struct canfd_frame *place(struct front_traffic *t)
{
	if (t->batched == FRONT_CAN_BATCH)
		flush(t);
	return &t->batch[t->batched];
}

static void say_no_fd(struct front_traffic *t, const char *why)
{
	if (t->told_no_fd)
		return;
	t->told_no_fd = true;
	log_line(&t->log, LOG_LEVEL_WARNING, "an FD frame was dropped: %s", why);
}

static void heard_frame(struct front_traffic *t, const struct xencan_frame *wire)
{
	struct canfd_frame *frame = place(t);

	if (!front_wire_decode(wire, frame)) {
		front_device_break(&t->device, "a frame that is none");
		return;
	}
	if (frame->flags & CANFD_FDF && !t->can.fd_frames) {
		t->n.no_fd++;
		say_no_fd(t, "the interface's MTU is that of classic frames "
			     "(ip link set INTERFACE down, then mtu 72 up)");
		return;
	}
	t->n.received++;
	t->batched++;
}

static void schedule_restart(struct front_traffic *t, uint64_t now)
{
	if (!t->restart_ns)
		return;
	t->restart_at = now + t->wait_ns;
	t->wait_ns *= 2;
	if (t->wait_ns > RESTART_MAX_NS)
		t->wait_ns =
			t->restart_ns > RESTART_MAX_NS ? t->restart_ns : RESTART_MAX_NS;
}

static void heard_state(struct front_traffic *t, const struct xencan_rx_state *wire,
			uint64_t now)
{
	unsigned before = t->device.state;
	bool off =
		wire->state == XENCAN_STATE_BUS_OFF || wire->state == XENCAN_STATE_DOWN;

	if (front_wire_state(before, wire, place(t)))
		t->batched++;
	t->device.state = wire->state;
	t->restart_at = 0;
	if (!off)
		t->wait_ns = t->restart_ns;
	else
		schedule_restart(t, now);
	t->n.bus_offs += wire->state == XENCAN_STATE_BUS_OFF;
	if (wire->state == before || (!off && !t->verbose))
		return;
	log_line(&t->log, off ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
		 "the controller is %s%s", front_wire_state_name(wire->state),
		 off && !t->restart_ns ? "; set the interface down and up to start it "
					 "again"
				       : "");
}

static void heard_lost(struct front_traffic *t, const struct xencan_rx_lost *wire)
{
	uint32_t frames = le32toh(wire->frames);

	front_wire_lost(place(t));
	t->batched++;
	if (frames == XENCAN_LOST_UNKNOWN) {
		t->n.lost_unknown++;
		log_line(&t->log, LOG_LEVEL_WARNING,
			 "frames were lost while the back end was away");
		return;
	}
	t->n.lost += frames;
	log_line(&t->log, LOG_LEVEL_WARNING,
		 "%" PRIu32 " frames were lost: more came than were taken", frames);
}

/* Invariant 1. */
static void take_events(struct front_traffic *t, uint64_t now)
{
	struct xencan_rx_rsp event;

	for (uint32_t i = 0; i < t->device.rx.entries; i++) {
		if (front_device_event(&t->device, &event) != FRONT_RING_OK)
			break;
		switch (event.type) {
		case XENCAN_RX_FRAME:
			heard_frame(t, &event.u.frame);
			break;
		case XENCAN_RX_STATE:
			heard_state(t, &event.u.state, now);
			break;
		case XENCAN_RX_ERROR:
			t->n.errors++;
			if (front_wire_error(&event.u.error, place(t)))
				t->batched++;
			break;
		case XENCAN_RX_LOST:
			heard_lost(t, &event.u.lost);
			break;
		}
	}
	flush(t);
}

/* -- From local programs --------------------------------------------------- */

static void say_refused(struct front_traffic *t, const struct front_answer *answer)
{
	bool extended = answer->can_id & CAN_EFF_FLAG;

	switch (answer->status) {
	case XENCAN_OK:
	case XENCAN_STOPPED:
	case XENCAN_CANCELED:
	case XENCAN_BUS_OFF:
		return; /* the controller's state has been told */
	case XENCAN_UNSUPPORTED:
		say_no_fd(t, "the back end takes none");
		return;
	}
	log_line(&t->refusals, LOG_LEVEL_WARNING,
		 "a frame was not sent, %s: %0*" PRIX32, status_names[answer->status],
		 extended ? 8 : 3,
		 answer->can_id & (extended ? CAN_EFF_MASK : CAN_SFF_MASK));
}

static void answered_command(struct front_traffic *t, const struct front_answer *answer,
			     uint64_t now)
{
	if (answer->status == XENCAN_OK || answer->operation == XENCAN_OP_STOP)
		return;
	log_line(&t->log, LOG_LEVEL_WARNING, "the controller was not started: %s",
		 status_names[answer->status]);
	if (!t->restart_at && t->device.wanted)
		schedule_restart(t, now);
}

static void take_answers(struct front_traffic *t, uint64_t now)
{
	struct front_answer answer;

	for (uint32_t i = 0; i < t->device.tx.entries; i++) {
		if (front_device_answer(&t->device, &answer) != FRONT_RING_OK)
			return;
		if (answer.operation != XENCAN_OP_FRAME) {
			answered_command(t, &answer, now);
			continue;
		}
		if (answer.status == XENCAN_OK)
			t->n.sent++;
		else
			t->n.refused[answer.status]++;
		say_refused(t, &answer);
	}
}

static void send_frame(struct front_traffic *t, const struct canfd_frame *frame)
{
	if (frame->flags & CANFD_FDF && !t->fd) {
		t->n.no_fd++;
		say_no_fd(t, "the back end takes none");
	} else if (!front_device_send(&t->device, frame)) {
		t->n.odd++;
	}
}

/* Nobody would send them (invariant 3). */
static bool is_idle(const struct front_traffic *t)
{
	return !t->connected || !t->device.started;
}

/* True: there may be more. */
static bool take_frames(struct front_traffic *t)
{
	struct canfd_frame frames[FRONT_CAN_BATCH] = {{.can_id = 0}};
	unsigned max = FRONT_CAN_BATCH;
	int n;

	if (!is_idle(t)) {
		uint32_t room = front_device_room(&t->device);

		max = room < max ? room : max;
	}
	if (!max)
		return false;
	n = front_can_read(&t->can, frames, max);
	if (n < 0) {
		t->can_err = n;
		return false;
	}
	if (is_idle(t))
		t->n.idle += (unsigned)n;
	for (int i = 0; i < n && !is_idle(t); i++)
		send_frame(t, &frames[i]);
	return (unsigned)n == max;
}

bool front_traffic_reads(const struct front_traffic *t)
{
	return t->can.fd >= 0 && (is_idle(t) || front_device_room(&t->device));
}

/* -- A turn ---------------------------------------------------------------- */

static void restart_if_due(struct front_traffic *t, uint64_t now)
{
	if (!t->restart_at || now < t->restart_at)
		return;
	front_device_restart(&t->device);
	schedule_restart(t, now); /* until it says that it is another state */
}

bool front_traffic_turn(struct front_traffic *t, bool readable, uint64_t now,
			bool *notify)
{
	unsigned rounds = FRONT_ENTRIES_MAX / FRONT_CAN_BATCH;
	bool more = readable && t->can.fd >= 0;

	*notify = false;
	if (t->connected) {
		take_events(t, now);
		take_answers(t, now);
		restart_if_due(t, now);
	}
	for (; more && rounds; rounds--)
		more = take_frames(t);
	more &= front_traffic_reads(t);
	if (!t->connected)
		return more;
	*notify = front_device_publish(&t->device);
	return front_device_rest(&t->device) || more;
}

uint64_t front_traffic_due(const struct front_traffic *t)
{
	return t->restart_at ? t->restart_at : UINT64_MAX;
}

void front_traffic_report(const struct front_traffic *t, struct log *log)
{
	const struct front_counters *n = &t->n;
	char refused[256] = "";
	size_t at = 0;

	for (unsigned i = XENCAN_OK + 1; i < FRONT_STATUSES; i++) {
		if (n->refused[i])
			at += (size_t)snprintf(refused + at, sizeof(refused) - at,
					       ", %s %" PRIu64, status_names[i],
					       n->refused[i]);
	}
	log_line(log, LOG_LEVEL_NOTICE,
		 "to the bus: sent %" PRIu64 "%s, socket full %" PRIu64
		 ", not connected or stopped %" PRIu64 ", FD %" PRIu64
		 ", no frame %" PRIu64,
		 n->sent, refused, t->can.dropped, n->idle, n->no_fd, n->odd);
	log_line(log, LOG_LEVEL_NOTICE,
		 "from the bus: received %" PRIu64 ", lost %" PRIu64 " and %" PRIu64
		 " times more, not taken by the interface %" PRIu64 ", errors %" PRIu64
		 ", bus-off %" PRIu64,
		 n->received, n->lost, n->lost_unknown, t->can.unsent, n->errors,
		 n->bus_offs);
}
