/* SPDX-License-Identifier: MIT */
#include "backends/door/virtio-door.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define DOOR_VERSION "1"

static const char *door_memory(const struct virtio_door *door)
{
	return door->memory.pool ? "pool" : "grant";
}

int virtio_door_init(struct virtio_door *door, const struct virtio_door_conf *conf)
{
	struct virtio_device_conf device = {
		.class = conf->class,
		.owner = conf->owner,
		.memory = &door->memory,
		.policy = conf->policy,
		.log = conf->keys.log,
		.queues = conf->queues,
		.posted = conf->posted,
		.queue_size = conf->queue_size,
	};
	int r;

	*door = (struct virtio_door){.conf = *conf};
	r = virtio_memory_init(&door->memory, conf->keys.grants, conf->policy,
			       conf->posted, virtio_slot_moved);
	if (r)
		return r;
	r = virtio_device_init(&door->device, &device);
	if (r)
		virtio_memory_fini(&door->memory);
	return r;
}

void virtio_door_fini(struct virtio_door *door)
{
	assert(door->state == VIRTIO_DOOR_DOWN || door->error);
	virtio_device_fini(&door->device);
	virtio_memory_fini(&door->memory);
	*door = (struct virtio_door){0};
}

int virtio_door_offer(struct virtio_door *door)
{
	const struct keys *k = &door->conf.keys;
	int r = keys_write(k, "versions", DOOR_VERSION);

	if (!r)
		r = keys_write(k, "memory", door_memory(door));
	if (!r && door->memory.pool)
		r = keys_write_number(k, "pool-pages", door->memory.pages_max);
	return r;
}

/* The front end's @key must say @wanted. */
static int door_expect(const struct keys *k, const char *key, const char *wanted)
{
	char value[STORE_VALUE_MAX + 1];
	int r = keys_read(k, STORE_FRONT, key, value);

	if (r < 0)
		return r;
	return r && !strcmp(value, wanted) ? 0
					   : keys_fail(k, key, "not what was offered");
}

/* Let go of what connect has got so far. */
static int door_release(struct virtio_door *door)
{
	int left, r = virtio_memory_disconnect(&door->memory);

	if (door->port.v)
		evtchn_unbind(door->conf.keys.evtchn, door->port);
	door->port.v = 0;
	left = door->page.addr ? grants_unmap(door->conf.keys.grants, &door->page) : 0;
	return left < 0 ? left : r;
}

static int door_open(struct virtio_door *door)
{
	static const char *const page[] = {"control-ref"};
	const struct keys *k = &door->conf.keys;
	int r = door_expect(k, "version", DOOR_VERSION);

	if (!r)
		r = door_expect(k, "memory", door_memory(door));
	if (!r)
		r = keys_map_ring(k, page, 1, &door->page);
	if (!r)
		r = keys_bind(k, "event-channel", &door->port);
	if (!r)
		r = keys_granted(k, "pool-ref", virtio_memory_connect(&door->memory));
	return r;
}

int virtio_door_connect(struct virtio_door *door, bool attach, uint64_t now)
{
	int left, r;

	assert(door->state == VIRTIO_DOOR_DOWN);
	r = door_open(door);
	if (!r)
		door->conf.class->describe(&door->device);
	if (!r)
		r = virtio_msg_connect(&door->msg, &door->device, door->page.addr,
				       attach);
	if (!r && attach)
		/* The one before us may have died between its push and its event. */
		r = evtchn_notify(door->conf.keys.evtchn, door->port);
	if (r) {
		/* What a journal had set up so far, too: nothing was taken. */
		door->msg.page = NULL;
		virtio_device_end(&door->device);
		left = door_release(door);
		return left < 0 ? left : r;
	}
	door->state = VIRTIO_DOOR_UP;
	door->device.due = now;
	return 0;
}

/* Nothing is out. Invariant 3: the page is not written any more. */
static int door_end(struct virtio_door *door)
{
	int left, r;

	door->msg.page = NULL;
	r = virtio_device_end(&door->device);
	left = door_release(door);
	door->state = VIRTIO_DOOR_DOWN;
	if (r >= 0 && left >= 0)
		door->conf.detached(door);
	return left < 0 ? left : r;
}

void virtio_door_detach(struct virtio_door *door)
{
	if (door->state != VIRTIO_DOOR_UP)
		return;
	door->state = VIRTIO_DOOR_STOPPING;
	virtio_device_leave(&door->device, VIRTIO_DRAINS);
	if (!door->error && virtio_device_idle(&door->device))
		door->error = door_end(door);
}

static int door_turn(struct virtio_door *door, uint64_t now)
{
	bool notify = false;
	int r = 0;

	if (door->state == VIRTIO_DOOR_UP)
		r = virtio_msg_turn(&door->msg, &notify);
	if (r >= 0)
		r = virtio_device_turn(&door->device, door->state == VIRTIO_DOOR_UP,
				       now, &notify);
	if (r < 0)
		return r;
	virtio_msg_settle(&door->msg, &notify);
	if (notify) {
		door->notifies++;
		r = evtchn_notify(door->conf.keys.evtchn, door->port);
	}
	if (r >= 0 && door->state == VIRTIO_DOOR_STOPPING &&
	    virtio_device_idle(&door->device))
		r = door_end(door);
	return r < 0 ? r : 0;
}

int virtio_door_turn(struct virtio_door *door, uint64_t now)
{
	if (!door->error && door->state != VIRTIO_DOOR_DOWN)
		door->error = door_turn(door, now);
	return door->error;
}

uint64_t virtio_door_due(const struct virtio_door *door)
{
	return door->state == VIRTIO_DOOR_DOWN ? UINT64_MAX : door->device.due;
}

static bool door_takes(const struct virtio_door *door)
{
	return door->state == VIRTIO_DOOR_UP && !door->error;
}

bool virtio_door_arm(struct virtio_door *door)
{
	bool more;

	if (!door_takes(door))
		return false;
	/* The queues are armed in any case: the page's messages come with an event. */
	more = virtio_device_arm(&door->device);
	return more || virtio_msg_pending(&door->msg);
}

bool virtio_door_pending(const struct virtio_door *door)
{
	return door_takes(door) &&
	       (virtio_msg_pending(&door->msg) || virtio_device_pending(&door->device));
}
