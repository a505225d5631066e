/* SPDX-License-Identifier: MIT */
/* What a controller says of itself over virtio, its life and its turn: see
 * can-virtio.h. A message on its way is can-virtio-request.c. */
#include "backends/can/can-virtio.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/clock.h"

/* How long an end waits for frames that are on their way. */
#define DRAIN (100 * CLOCK_MS)

static void lower_due(struct can_virtio *v, uint64_t due)
{
	if (due < v->door.device.due)
		v->door.device.due = due;
}

/* -- The core's state -------------------------------------------------------------- */

void can_virtio_leave(struct can_virtio *v)
{
	if (v->connected)
		can_disconnect(v->conf.can);
	v->connected = v->holds = false;
}

/* A bus that is gone takes with it what waits for it. */
static void show_bus_off(struct can_virtio *v)
{
	struct virtio_device *d = &v->door.device;
	bool off = v->conf.can->state >= CAN_STATE_IS_BUS_OFF;
	uint16_t status = off ? CAN_VIRTIO_S_BUSOFF : 0;

	if (virtio_le16(d->config) == status)
		return;
	virtio_put16(d->config, status);
	virtio_device_reconfigured(d);
	if (!off)
		return;
	v->owed += can_virtio_cancel(v);
	lower_due(v, v->now); /* they may be started at once */
}

bool can_virtio_keep(struct can_virtio *v)
{
	int r = can_state_keep(&v->kept, v->conf.can->state);

	show_bus_off(v);
	if (!r)
		return true;
	if (r == -EAGAIN)
		lower_due(v, v->now + KEYS_AGAIN);
	else
		v->door.device.error = r;
	return false;
}

/* -- What the device is ------------------------------------------------------------ */

static void describe(struct virtio_device *d)
{
	const struct can_virtio *v = d->conf.owner;
	const struct can_bus *bus = v->conf.can->conf.bus;

	memset(d->config, 0, sizeof(d->config));
	d->config_bytes = CAN_VIRTIO_CONFIG_BYTES;
	d->offered = VIRTIO_CAN_F_CAN_CLASSIC | VIRTIO_CAN_F_RTR_FRAMES;
	if (bus->fd && v->conf.can_policy->fd)
		d->offered |= VIRTIO_CAN_F_CAN_FD;
	if (bus->echo)
		d->offered |= VIRTIO_CAN_F_LATE_TX_ACK;
}

/* virtio 1.4, CAN Device, "Feature bit requirements". */
static bool agrees(const struct virtio_device *d, uint64_t features)
{
	(void)d;
	if (features & VIRTIO_CAN_F_RTR_FRAMES)
		return features & VIRTIO_CAN_F_CAN_CLASSIC;
	return features & (VIRTIO_CAN_F_CAN_CLASSIC | VIRTIO_CAN_F_CAN_FD);
}

static void settled(struct virtio_device *d)
{
	struct can_virtio *v = d->conf.owner;

	assert(!v->connected);
	can_connect(v->conf.can, d->features & VIRTIO_CAN_F_LATE_TX_ACK, false, v->was,
		    v->now);
	v->connected = true;
}

/* Invariant 4. */
static bool reset(struct virtio_device *d)
{
	struct can_virtio *v = d->conf.owner;

	can_virtio_leave(v);
	return can_virtio_keep(v);
}

static const struct virtio_class can_class = {
	.id = VIRTIO_ID_CAN,
	.request_bytes = sizeof(struct can_virtio_request),
	.describe = describe,
	.agrees = agrees,
	.settled = settled,
	.reset = reset,
	.admit = can_virtio_admit,
	.start = can_virtio_start,
	.undelivered = can_virtio_undelivered,
	.fill = can_virtio_fill,
	.lacks = can_virtio_lacks,
	.recall = can_virtio_recall,
	.answered = can_virtio_answered,
};

/* -- The door ---------------------------------------------------------------------- */

static void detached(struct virtio_door *door)
{
	struct can_virtio *v = door->conf.owner;

	can_virtio_leave(v);
	v->conf.detached(v);
}

int can_virtio_init(struct can_virtio *v, const struct can_virtio_conf *conf)
{
	struct virtio_door_conf door = {
		.class = &can_class,
		.policy = conf->policy,
		.keys = conf->keys,
		.owner = v,
		.queues = CAN_VIRTIO_QUEUES,
		.posted = 1u << CAN_VIRTIO_RX | 1u << CAN_VIRTIO_CONTROL,
		.queue_size = CAN_VIRTIO_QUEUE_SIZE,
		.detached = detached,
	};

	*v = (struct can_virtio){.conf = *conf};
	return virtio_door_init(&v->door, &door);
}

void can_virtio_fini(struct can_virtio *v)
{
	virtio_door_fini(&v->door);
}

int can_virtio_offer(struct can_virtio *v)
{
	return virtio_door_offer(&v->door);
}

int can_virtio_connect(struct can_virtio *v, bool attach, uint64_t now)
{
	int r;

	assert(!v->connected);
	v->now = now;
	can_state_init(&v->kept, &v->conf.keys);
	r = attach ? can_state_read(&v->kept, &v->was)
		   : can_state_keep(&v->kept, CAN_STATE_IS_STOPPED);
	if (r < 0)
		return r;
	v->owed = 0;
	memset(v->posted, 0, sizeof(v->posted));
	toll_init(&v->toll, v->conf.policy, now);
	r = virtio_door_connect(&v->door, attach, now);
	v->was = CAN_STATE_IS_STOPPED;
	if (r)
		can_virtio_leave(v);
	return r;
}

void can_virtio_detach(struct can_virtio *v)
{
	if (v->door.state != VIRTIO_DOOR_UP)
		return;
	v->drained = v->now + DRAIN;
	virtio_door_detach(&v->door);
}

static bool is_stopping(const struct can_virtio *v)
{
	return v->door.state == VIRTIO_DOOR_STOPPING && !v->door.error;
}

int can_virtio_turn(struct can_virtio *v, uint64_t now)
{
	struct virtio_device *d = &v->door.device;
	int r;

	v->now = now;
	if (is_stopping(v) && now >= v->drained)
		virtio_device_leave(d, VIRTIO_DROPS);
	r = virtio_door_turn(&v->door, now);
	if (is_stopping(v))
		lower_due(v, v->drained);
	if (d->status & VIRTIO_NEEDS_RESET)
		can_virtio_leave(v);
	return r;
}

uint64_t can_virtio_due(const struct can_virtio *v)
{
	/* A frame came home: it is to be answered. */
	return v->door.device.done ? v->now : virtio_door_due(&v->door);
}

bool can_virtio_arm(struct can_virtio *v)
{
	return virtio_door_arm(&v->door);
}

bool can_virtio_pending(const struct can_virtio *v)
{
	return virtio_door_pending(&v->door);
}

void can_virtio_limits(struct can_virtio *v, uint64_t now)
{
	if (v->door.state == VIRTIO_DOOR_DOWN)
		return;
	toll_change(&v->toll, v->conf.policy, now);
	v->door.device.due = now;
}
