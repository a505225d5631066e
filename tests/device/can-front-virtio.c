/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/device/can-front-virtio.h"
#include "tests/front/virtio-le.h"

static struct can_front_virtio *front_of(struct can_front *f)
{
	return (struct can_front_virtio *)f;
}

/* -- Chains --------------------------------------------------------------------------
 */

void can_front_header_put(uint8_t *at, uint16_t type, uint16_t length, uint32_t flags,
			  uint32_t id)
{
	memset(at, 0, CAN_FRONT_HEADER);
	le_put(at, 2, type);
	le_put(at + 2, 2, length);
	le_put(at + 8, 4, flags);
	le_put(at + 12, 4, id);
}

bool can_front_chain(struct can_front_virtio *f, unsigned queue, uint16_t id,
		     const void *bytes, uint32_t readable, uint32_t room)
{
	return vchain_put(&f->chains, &f->v, queue, id, bytes, readable, room, 0);
}

bool can_front_back(struct can_front_virtio *f, unsigned queue, uint16_t *id,
		    uint8_t *out, uint32_t room, uint32_t *len)
{
	return vchain_back(&f->chains, &f->v, queue, id, out, room, len);
}

void can_front_forget(struct can_front_virtio *f)
{
	f->chains = (struct vchains){0};
	f->bus_off = false;
	f->events = f->v.driver.events;
}

/* -- A driver's life ------------------------------------------------------------------
 */

static void notify(void *owner)
{
	struct vfront *v = &((struct can_front_virtio *)owner)->v;

	loopxen_notify(v->x, v->dev->front, v->port);
}

static bool let_run(void *owner)
{
	struct can_front *front = owner;

	return front->run(front->owner);
}

static void virtio_connect(struct can_front *front)
{
	struct can_front_virtio *f = front_of(front);
	const struct vfront_conf conf = {
		.grant = front->conf.grant,
		.again = f->again,
		.pages = f->pages,
		.queues = CAN_FRONT_QUEUES,
		.plain = front->conf.plain,
		.refuses =
			f->refuses | (front->conf.late_ack ? 0 : CAN_FRONT_F_LATE_ACK),
	};

	vfront_connect(&f->v, front->x, front->dev, &conf);
	f->v.driver.wait = let_run;
	f->v.driver.owner = f;
	f->v.driver.notify = notify;
	can_front_forget(f);
	f->empty = 0;
}

static bool virtio_ready(struct can_front *front)
{
	struct can_front_virtio *f = front_of(front);

	return vfront_ready(&f->v);
}

static bool virtio_disconnect(struct can_front *front)
{
	return vfront_disconnect(&front_of(front)->v);
}

static void virtio_key(struct can_front *front, const char *key, const char *value)
{
	vfront_key(&front_of(front)->v, key, value);
}

/* -- Asking --------------------------------------------------------------------------
 */

static bool virtio_send(struct can_front *front, uint16_t id,
			const struct canfd_frame *frame)
{
	uint8_t bytes[CAN_FRONT_HEADER + 256] = {0};
	bool rtr = frame->can_id & CAN_RTR_FLAG;
	uint32_t flags = 0, n = frame->len;

	if (frame->can_id & CAN_EFF_FLAG)
		flags |= CAN_FRONT_FLAG_EXTENDED;
	if (rtr)
		flags |= CAN_FRONT_FLAG_RTR;
	if (frame->flags & CANFD_FDF)
		flags |= CAN_FRONT_FLAG_FD;
	can_front_header_put(bytes, CAN_FRONT_TYPE_TX, (uint16_t)n, flags,
			     frame->can_id & ~(CAN_EFF_FLAG | CAN_RTR_FLAG));
	if (!rtr)
		memcpy(bytes + CAN_FRONT_HEADER, frame->data,
		       n < CANFD_MAX_DLEN ? n : CANFD_MAX_DLEN);
	return can_front_chain(front_of(front), CAN_FRONT_TX, id, bytes,
			       CAN_FRONT_HEADER + (rtr ? 0 : n), 1);
}

static bool virtio_control(struct can_front *front, uint16_t id, bool start)
{
	uint8_t bytes[2];

	le_put(bytes, 2, start ? CAN_FRONT_TYPE_START : CAN_FRONT_TYPE_STOP);
	return can_front_chain(front_of(front), CAN_FRONT_CONTROL, id, bytes, 2, 1);
}

static bool virtio_post(struct can_front *front)
{
	struct can_front_virtio *f = front_of(front);
	uint32_t data = f->v.features & CAN_FRONT_F_FD ? 64 : 8;

	return can_front_chain(f, CAN_FRONT_RX, 0, "", 0, CAN_FRONT_HEADER + data);
}

static void virtio_push(struct can_front *front)
{
	vfront_push(&front_of(front)->v);
}

static void virtio_kick(struct can_front *front)
{
	notify(front);
}

/* -- Being told -----------------------------------------------------------------------
 */

static bool take_result(struct can_front *front, unsigned queue,
			struct can_front_answer *out)
{
	uint8_t result = 0xff;
	uint32_t len;

	if (!can_front_back(front_of(front), queue, &out->id, &result, 1, &len))
		return false;
	/* What could not be delivered is said to be no answer. */
	assert(len ? len == 1 && result <= 1 : front->conf.grant);
	out->status = len && !result ? CAN_OK : CAN_FAILED;
	out->time = 0;
	return true;
}

static bool virtio_answer(struct can_front *front, struct can_front_answer *out)
{
	return take_result(front, CAN_FRONT_TX, out);
}

static bool virtio_controlled(struct can_front *front, struct can_front_answer *out)
{
	return take_result(front, CAN_FRONT_CONTROL, out);
}

/* The configuration, when it is another one: true if it says BUSOFF, and did not. */
static bool went_off(struct can_front_virtio *f)
{
	struct virtio_driver *d = &f->v.driver;
	bool was = f->bus_off;
	uint32_t generation;
	uint8_t status[2];
	bool got;

	virtio_driver_poll(d);
	if (d->events == f->events)
		return false;
	got = virtio_driver_get_config(d, 0, 2, status, &generation);
	if (!got)
		return false; /* it is not there just now */
	assert(status[0] <= 1 && !status[1]);
	f->events = d->events;
	f->bus_off = status[0];
	return f->bus_off && !was;
}

static void decode(const uint8_t *at, uint32_t len, struct can_event *out)
{
	uint32_t flags = (uint32_t)le_get(at + 8, 4);
	bool fd = flags & CAN_FRONT_FLAG_FD;
	uint32_t data = (uint32_t)le_get(at + 2, 2);

	assert(le_get(at, 2) == CAN_FRONT_TYPE_RX && !le_get(at + 4, 4));
	assert(!(flags & ~(uint32_t)(CAN_FRONT_FLAG_EXTENDED | CAN_FRONT_FLAG_FD |
				     CAN_FRONT_FLAG_RTR)));
	assert(data <= (fd ? 64 : 8) && len == CAN_FRONT_HEADER + data);
	*out = (struct can_event){.kind = CAN_EVENT_FRAME};
	out->frame.can_id = (uint32_t)le_get(at + 12, 4);
	assert(out->frame.can_id <=
	       (flags & CAN_FRONT_FLAG_EXTENDED ? CAN_EFF_MASK : CAN_SFF_MASK));
	if (flags & CAN_FRONT_FLAG_EXTENDED)
		out->frame.can_id |= CAN_EFF_FLAG;
	if (flags & CAN_FRONT_FLAG_RTR)
		out->frame.can_id |= CAN_RTR_FLAG;
	out->frame.flags = fd ? CANFD_FDF : 0;
	out->frame.len = (uint8_t)data;
	memcpy(out->frame.data, at + CAN_FRONT_HEADER, data);
}

static bool virtio_event(struct can_front *front, struct can_event *out)
{
	struct can_front_virtio *f = front_of(front);
	uint8_t bytes[CAN_FRONT_HEADER + 64];
	uint32_t len;
	uint16_t id;

	while (can_front_back(f, CAN_FRONT_RX, &id, bytes, sizeof(bytes), &len)) {
		if (len) {
			decode(bytes, len, out);
			return true;
		}
		f->empty++;
	}
	if (!went_off(f))
		return false;
	*out = (struct can_event){.kind = CAN_EVENT_STATE,
				  .state = CAN_STATE_IS_BUS_OFF};
	return true;
}

const struct can_front_ops can_front_virtio_ops = {
	.words = {0},
	.connect = virtio_connect,
	.ready = virtio_ready,
	.disconnect = virtio_disconnect,
	.key = virtio_key,
	.send = virtio_send,
	.control = virtio_control,
	.post = virtio_post,
	.push = virtio_push,
	.kick = virtio_kick,
	.answer = virtio_answer,
	.controlled = virtio_controlled,
	.event = virtio_event,
};
