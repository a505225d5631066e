/* SPDX-License-Identifier: MIT */
#include "backends/host-events.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define EVENTS_FROM(op, member)                                                        \
	((struct events *)((char *)(op)-offsetof(struct events, member)))

static void events_fail(struct events *events, int error)
{
	if (!events->error)
		events->error = error;
}

static void events_fired(struct loop_op *op, int res)
{
	struct events *events = EVENTS_FROM(op, read_op);
	int n = res / (int)sizeof(events->fired[0]);

	for (int i = 0; i < n && events->listening && events->unmasks < EVENTS_ROOM;
	     i++)
		events->unmask[events->unmasks++] = events->fired[i];
	if (res < 0 && res != -ECANCELED && res != -EAGAIN && res != -EINTR)
		events_fail(events, res);
}

static void events_unmasked(struct loop_op *op, int res)
{
	(void)op;
	(void)res;
}

void events_init(struct events *events, struct loop *loop, struct policy_rate limit,
		 uint64_t now)
{
	*events = (struct events){.loop = loop, .fd = -1, .table_fd = -1};
	events->read_op.done = events_fired;
	events->write_op.done = events_unmasked;
	rate_init(&events->rate, limit, now);
}

void events_await(struct events *events)
{
	int r = 0;

	if (!events->listening || events->read_op.busy)
		return;
	if (events->table_fd != events->fd)
		r = loop_set_file(events->loop, LOOP_FILE_EVTCHN, events->fd);
	if (r < 0) {
		events_fail(events, r);
		return;
	}
	events->table_fd = events->fd;
	loop_read(events->loop, &events->read_op, LOOP_FILE_EVTCHN, events->fired,
		  sizeof(events->fired));
}

void events_listen(struct events *events, int fd)
{
	events->listening = true;
	events->unmasks = 0;
	events->fd = fd;
	events_await(events);
}

void events_stop(struct events *events)
{
	events->listening = false;
	if (events->read_op.busy)
		loop_cancel(events->loop, &events->read_op);
}

/* [impl->req~events-are-limited~1] */
void events_unmask(struct events *events, uint64_t now)
{
	uint64_t wait;

	if (!events->unmasks || events->write_op.busy || !events->listening)
		return;
	wait = rate_take(&events->rate, events->unmasks, now);
	if (wait) {
		events->due = now + wait;
		return;
	}
	memcpy(events->unmasking, events->unmask, sizeof(events->unmasking));
	loop_write(events->loop, &events->write_op, LOOP_FILE_EVTCHN, events->unmasking,
		   events->unmasks * (unsigned)sizeof(events->unmasking[0]));
	events->unmasks = 0;
}

uint64_t events_due(const struct events *events)
{
	return events->listening && events->unmasks && !events->write_op.busy
		       ? events->due
		       : UINT64_MAX;
}
