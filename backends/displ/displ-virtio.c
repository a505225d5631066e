/* SPDX-License-Identifier: MIT */
/* What a display says of itself over virtio, its life and its turn: see displ-virtio.h.
 * A command is displ-virtio-command.c, what heads show displ-virtio-show.c, what is
 * kept of both displ-virtio-kept.c. */
#include "backends/displ/displ-virtio.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

static struct displ_virtio *virtio_of(const struct virtio_slot *slot)
{
	return slot->queue->device->conf.owner;
}

void displ_virtio_lower_due(struct displ_virtio *v, uint64_t due)
{
	if (due < v->door.device.due)
		v->door.device.due = due;
}

/* Invariant 5. False: not yet, or our environment failed. */
static bool keep(struct displ_virtio *v)
{
	int r = displ_virtio_keep(v);

	if (r == -EAGAIN)
		displ_virtio_lower_due(v, v->now + KEYS_AGAIN);
	else if (r)
		v->door.device.error = r;
	return !r;
}

/* As it is after a reset: but for what is kept. */
static void forget_all(struct displ_virtio *v)
{
	displ_virtio_cursors_forget(&v->cursors);
	for (uint32_t i = 0; i < v->heads; i++)
		displ_virtio_darken(v, i);
	for (uint32_t i = 0; i < v->resources.used; i++) {
		if (v->resources.place[i].id)
			displ_virtio_drop(&v->resources.place[i]);
	}
}

/* -- What the device is ------------------------------------------------------------ */

static void describe(struct virtio_device *d)
{
	const struct displ_virtio *v = d->conf.owner;

	memset(d->config, 0, sizeof(d->config));
	d->config_bytes = DISPL_VIRTIO_CONFIG_BYTES;
	d->offered = DISPL_VIRTIO_F_EDID;
	virtio_put32(d->config + DISPL_VIRTIO_CONFIG_SCANOUTS, v->heads);
}

/* What is written is no configuration, and reads as 0. */
static bool config_write(struct virtio_device *d, uint32_t offset, const uint8_t *data,
			 uint32_t n)
{
	uint8_t *events = d->config + DISPL_VIRTIO_CONFIG_EVENTS;

	if (offset != DISPL_VIRTIO_CONFIG_CLEAR || n != 4)
		return false;
	virtio_put32(events, virtio_le32(events) & ~virtio_le32(data));
	return true;
}

/* A driver asks before it shows anything. */
static bool reset(struct virtio_device *d)
{
	struct displ_virtio *v = d->conf.owner;

	virtio_put32(d->config + DISPL_VIRTIO_CONFIG_EVENTS, 0);
	v->told = v->unplugged;
	forget_all(v);
	return keep(v);
}

/* -- What is plugged in ------------------------------------------------------------ */

void displ_virtio_unplugged(struct displ_virtio *v, uint32_t heads)
{
	if (v->unplugged != heads)
		displ_virtio_lower_due(v, v->now);
	v->unplugged = heads;
}

/* Invariant 7. */
static void tell(struct displ_virtio *v)
{
	struct virtio_device *d = &v->door.device;
	uint8_t *events = d->config + DISPL_VIRTIO_CONFIG_EVENTS;

	if (v->told == v->unplugged || virtio_le32(events) & DISPL_VIRTIO_EVENT_DISPLAY)
		return;
	virtio_put32(events, DISPL_VIRTIO_EVENT_DISPLAY);
	virtio_device_reconfigured(d);
	v->stats.plugs++;
	displ_virtio_lower_due(v, v->now);
}

/* -- From the queues ----------------------------------------------------------- */

static bool is_wrong(const struct virtio_device *d)
{
	return d->status & VIRTIO_NEEDS_RESET;
}

static bool admit(struct virtio_slot *slot, uint64_t now)
{
	struct displ_virtio *v = virtio_of(slot);
	struct displ_virtio_request *r = slot->request;

	if (slot->fresh)
		displ_virtio_take(slot);
	/* It is wrong itself: it stays where it is, to be dropped. */
	if (is_wrong(&v->door.device))
		return false;
	/* Nothing new before what was is again; a pointer does not show anything. */
	if (!slot->queue->posted && !displ_virtio_again(v))
		return false;
	return toll_pay(&v->toll, &r->paid, displ_virtio_cost(v, r), now,
			&v->door.device.due) &&
	       displ_virtio_work(v, r) && keep(v);
}

/* A predecessor's pictures do not wait for a command, nor do the places of pointers. */
static void fill(struct virtio_device *d, uint64_t now)
{
	struct displ_virtio *v = d->conf.owner;
	uint64_t when = displ_virtio_cursors_moved(&v->cursors, now);

	displ_virtio_again(v);
	displ_virtio_lower_due(v, when);
	if (when <= now)
		keep(v);
}

/* Invariant 4. */
static void start(struct virtio_slot *slot)
{
	struct displ_virtio *v = virtio_of(slot);
	struct displ_virtio_request *r = slot->request;

	v->stats.commands++;
	if (r->flown && r->command.flags & DISPL_VIRTIO_FLAG_FENCE &&
	    !displ_virtio_is_seen(v, r))
		virtio_posted_put(&v->fenced, slot);
	else
		displ_virtio_finish(r);
}

/* What is shown need not be waited for. */
static void recall(struct virtio_queue *q)
{
	struct displ_virtio *v = q->device->conf.owner;

	if (q == &q->device->queue[DISPL_VIRTIO_CONTROL])
		displ_virtio_answer_fenced(v, true);
}

static void undelivered(struct virtio_slot *slot)
{
	virtio_slot_done(slot, 0, 0);
}

static void answered(struct virtio_slot *slot, uint64_t now)
{
	const struct displ_virtio_request *r = slot->request;

	if (r->flown && r->command.flags & DISPL_VIRTIO_FLAG_FENCE)
		histogram_add(&virtio_of(slot)->stats.latency, now - slot->taken_at);
}

static const struct virtio_class displ_class = {
	.id = VIRTIO_ID_GPU,
	.request_bytes = sizeof(struct displ_virtio_request),
	.describe = describe,
	.reset = reset,
	.admit = admit,
	.start = start,
	.fill = fill,
	.undelivered = undelivered,
	.recall = recall,
	.answered = answered,
	.config_write = config_write,
};

/* -- The door ---------------------------------------------------------------------- */

static void end(struct displ_virtio *v)
{
	v->ending = displ_flies(v->conf.displ);
	if (!v->ending)
		v->conf.detached(v);
}

static void detached(struct virtio_door *door)
{
	end(door->conf.owner);
}

int displ_virtio_init(struct displ_virtio *v, const struct displ_virtio_conf *conf)
{
	struct virtio_door_conf door = {
		.class = &displ_class,
		.policy = conf->policy,
		.keys = conf->keys,
		.owner = v,
		.queues = DISPL_VIRTIO_QUEUES,
		/* A pointer does not wait for the picture that it is over. */
		.posted = 1u << DISPL_VIRTIO_CURSOR,
		.queue_size = DISPL_VIRTIO_QUEUE_SIZE,
		.detached = detached,
	};
	int r;

	*v = (struct displ_virtio){.conf = *conf, .heads = conf->displ->heads};
	for (uint32_t i = 0; i < v->heads; i++)
		v->scanout[i].place = DISPL_VIRTIO_NONE;
	displ_virtio_cursors_init(&v->cursors, conf->displ);
	r = displ_virtio_resources_init(&v->resources, conf->displ, &v->door.memory);
	if (r)
		return r;
	r = virtio_door_init(&v->door, &door);
	if (r)
		displ_virtio_resources_fini(&v->resources);
	return r;
}

void displ_virtio_fini(struct displ_virtio *v)
{
	virtio_door_fini(&v->door);
	displ_virtio_resources_fini(&v->resources);
}

int displ_virtio_offer(struct displ_virtio *v)
{
	return virtio_door_offer(&v->door);
}

/* A device that the predecessor's driver had in use. */
static bool goes_on(const struct virtio_device *d)
{
	return (d->status & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) ==
	       VIRTIO_DRIVER_OK;
}

int displ_virtio_connect(struct displ_virtio *v, bool attach, uint64_t now)
{
	struct displ_virtio_kept was;
	int r;

	v->now = now;
	v->ending = false;
	v->fenced = (struct virtio_posted){0};
	forget_all(v);
	v->resources.used = 0;
	toll_init(&v->toll, v->conf.policy, now);
	/* All that may have to be asked for again comes before anything goes on. */
	r = attach ? displ_virtio_kept_read(v, &was) : displ_virtio_keep_none(v);
	if (!r)
		r = virtio_door_connect(&v->door, attach, now);
	if (!r && attach && goes_on(&v->door.device))
		displ_virtio_recall(v, &was);
	return r;
}

void displ_virtio_detach(struct displ_virtio *v)
{
	if (v->door.state != VIRTIO_DOOR_UP)
		return;
	/* Not as in a reset: a successor goes on with what is kept. */
	displ_virtio_cursors_forget(&v->cursors);
	for (uint32_t i = 0; i < v->heads; i++)
		displ_virtio_darken(v, i);
	virtio_door_detach(&v->door);
}

int displ_virtio_turn(struct displ_virtio *v, uint64_t now)
{
	int r;

	v->now = now;
	if (v->ending) {
		end(v);
		return 0;
	}
	if (v->door.state == VIRTIO_DOOR_UP)
		displ_virtio_cursors_draw(&v->cursors, v);
	r = virtio_door_turn(&v->door, now);
	if (v->door.state != VIRTIO_DOOR_UP)
		return r;
	if (is_wrong(&v->door.device))
		forget_all(v);
	tell(v);
	return r;
}

uint64_t displ_virtio_due(const struct displ_virtio *v)
{
	/* A command came home: it is to be answered. */
	return v->door.device.done ? v->now : virtio_door_due(&v->door);
}

bool displ_virtio_arm(struct displ_virtio *v)
{
	return virtio_door_arm(&v->door);
}

bool displ_virtio_pending(const struct displ_virtio *v)
{
	return virtio_door_pending(&v->door);
}

void displ_virtio_limits(struct displ_virtio *v, uint64_t now)
{
	if (v->door.state == VIRTIO_DOOR_DOWN)
		return;
	toll_change(&v->toll, v->conf.policy, now);
	v->door.device.due = now;
}
