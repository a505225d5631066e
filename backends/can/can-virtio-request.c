/* SPDX-License-Identifier: MIT */
/* A message on its way: a frame to send, a buffer for one, START or STOP. See
 * can-virtio.h. */
#include <assert.h>
#include <string.h>

#include "backends/can/can-frame.h"
#include "backends/can/can-virtio.h"

static struct can_virtio *virtio_of(const struct virtio_slot *slot)
{
	return slot->queue->device->conf.owner;
}

static struct can_virtio_request *request_of(const struct virtio_slot *slot)
{
	return slot->request;
}

static enum can_virtio_queue queue_of(const struct virtio_queue *q)
{
	return (enum can_virtio_queue)(q - q->device->queue);
}

/* -- Decoding ------------------------------------------------------------------ */

/* FD, RTR and EXTENDED, of what was negotiated, and not more. Whether they go together
 * is the core's to judge. */
static bool flags_ok(uint64_t features, uint32_t flags)
{
	if (flags & ~(uint32_t)(CAN_VIRTIO_EXTENDED | CAN_VIRTIO_FD | CAN_VIRTIO_RTR))
		return false;
	if (flags & CAN_VIRTIO_FD)
		return features & VIRTIO_CAN_F_CAN_FD;
	return features & VIRTIO_CAN_F_CAN_CLASSIC &&
	       (!(flags & CAN_VIRTIO_RTR) || features & VIRTIO_CAN_F_RTR_FRAMES);
}

/* The frame of @header, but for its data; false: there is none such. */
static bool decode_header(const struct can_virtio *v, const uint8_t *header,
			  struct canfd_frame *out)
{
	uint32_t length = virtio_le16(header + 2), flags = virtio_le32(header + 8);
	uint32_t id = virtio_le32(header + 12);
	bool fd = flags & CAN_VIRTIO_FD, extended = flags & CAN_VIRTIO_EXTENDED;

	if (virtio_le16(header) != CAN_VIRTIO_MSG_TX ||
	    !flags_ok(v->door.device.features, flags) ||
	    length > (fd ? CANFD_MAX_DLEN : CAN_MAX_DLEN) ||
	    id > (extended ? CAN_EFF_MASK : CAN_SFF_MASK))
		return false;
	*out = (struct canfd_frame){.can_id = id, .len = (uint8_t)length};
	if (extended)
		out->can_id |= CAN_EFF_FLAG;
	if (flags & CAN_VIRTIO_RTR)
		out->can_id |= CAN_RTR_FLAG;
	if (fd)
		out->flags = CANFD_FDF;
	if (fd && v->conf.can_policy->data_bitrate)
		out->flags |= CANFD_BRS;
	return true;
}

static void decode_frame(struct virtio_slot *slot)
{
	struct can_virtio_request *r = request_of(slot);
	uint64_t readable = virtio_parts_readable(&slot->parts);
	struct canfd_frame *frame = &r->tx.frame;
	uint8_t header[CAN_VIRTIO_HEADER];

	virtio_parts_read(&slot->parts, 0, header, sizeof(header));
	if (!decode_header(virtio_of(slot), header, frame) ||
	    can_frame_bytes(frame) > readable - sizeof(header))
		return;
	virtio_parts_read(&slot->parts, sizeof(header), frame->data,
			  can_frame_bytes(frame));
	r->refused = false;
}

/* Is there all that a message of its queue must have, and room for what is to go there
 * (invariant 5)? */
static bool chain_ok(struct virtio_slot *slot)
{
	struct virtio_device *d = slot->queue->device;
	uint32_t data =
		d->features & VIRTIO_CAN_F_CAN_FD ? CANFD_MAX_DLEN : CAN_MAX_DLEN;
	const struct {
		uint32_t readable, room;
		const char *why;
	} least[CAN_VIRTIO_QUEUES] = {
		[CAN_VIRTIO_TX] = {CAN_VIRTIO_HEADER, 1,
				   "a frame without its header or its result"},
		[CAN_VIRTIO_RX] = {0, CAN_VIRTIO_HEADER + data,
				   "a receive buffer that does not hold a frame"},
		[CAN_VIRTIO_CONTROL] = {CAN_VIRTIO_CONTROL_BYTES, 1,
					"an order without its type or its result"},
	};
	enum can_virtio_queue queue = queue_of(slot->queue);

	if (virtio_parts_readable(&slot->parts) >= least[queue].readable &&
	    virtio_parts_room(&slot->parts) >= least[queue].room)
		return true;
	virtio_device_wrong(d, least[queue].why);
	return false;
}

/* Invariant 2. */
static void work(struct can_virtio *v, struct can_virtio_request *r)
{
	if (r->type == CAN_VIRTIO_MSG_START) {
		can_start(v->conf.can);
		return;
	}
	can_stop(v->conf.can);
	v->holds = false;
	r->owes = can_virtio_cancel(v);
}

static void decode_order(struct virtio_slot *slot)
{
	struct can_virtio_request *r = request_of(slot);
	uint8_t type[CAN_VIRTIO_CONTROL_BYTES];

	virtio_parts_read(&slot->parts, 0, type, sizeof(type));
	r->type = virtio_le16(type);
	r->refused = r->type != CAN_VIRTIO_MSG_START && r->type != CAN_VIRTIO_MSG_STOP;
	if (!r->refused)
		work(virtio_of(slot), r);
}

/* Once. What could not be fetched is no message. */
static void decode(struct virtio_slot *slot)
{
	struct can_virtio_request *r = request_of(slot);

	if (!slot->fresh)
		return;
	slot->fresh = false;
	r->slot = slot;
	r->refused = true;
	r->canceled = false;
	r->paid = (struct toll_paid){0};
	r->owes = 0;
	r->result = CAN_VIRTIO_NOT_OK;
	if (!chain_ok(slot) || slot->failed)
		return;
	if (queue_of(slot->queue) == CAN_VIRTIO_TX)
		decode_frame(slot);
	else if (queue_of(slot->queue) == CAN_VIRTIO_CONTROL)
		decode_order(slot);
}

/* -- Paying -------------------------------------------------------------------- */

/* Invariant 3. Else when it is worth asking again is in the device's due. */
static bool pay(struct can_virtio *v, struct can_virtio_request *r, uint32_t bytes,
		uint64_t now)
{
	uint64_t *due = &v->door.device.due;

	for (; v->owed; v->owed--) {
		struct toll_paid one = {0};

		if (!toll_pay(&v->toll, &one, 0, now, due))
			return false;
	}
	return toll_pay(&v->toll, &r->paid, bytes, now, due);
}

static bool admit_frame(struct can_virtio *v, struct can_virtio_request *r,
			uint64_t now)
{
	uint32_t bytes = 0;

	if (r->canceled)
		return true;
	if (!r->refused && can_judge(v->conf.can, &r->tx.frame) == CAN_OK)
		bytes = can_wire_bytes(&r->tx.frame);
	return pay(v, r, bytes, now);
}

static bool is_wrong(const struct can_virtio *v)
{
	return v->door.device.status & VIRTIO_NEEDS_RESET;
}

/* An order works though one before it cannot pay. */
static void decode_all(struct can_virtio *v, const struct virtio_queue *q)
{
	struct virtio_slot *slot;

	for (uint32_t i = 0; !is_wrong(v) && (slot = virtio_queue_waiting(q, i)); i++)
		decode(slot);
}

bool can_virtio_admit(struct virtio_slot *slot, uint64_t now)
{
	struct can_virtio *v = virtio_of(slot);

	if (queue_of(slot->queue) == CAN_VIRTIO_CONTROL)
		decode_all(v, slot->queue);
	else
		decode(slot);
	/* It is wrong itself: it stays where it is, to be dropped. */
	if (is_wrong(v))
		return false;
	switch (queue_of(slot->queue)) {
	case CAN_VIRTIO_TX:
		return admit_frame(v, request_of(slot), now);
	case CAN_VIRTIO_CONTROL:
		return pay(v, request_of(slot), 0, now);
	case CAN_VIRTIO_RX:
	case CAN_VIRTIO_QUEUES:
		break;
	}
	return true;
}

uint32_t can_virtio_cancel(struct can_virtio *v)
{
	const struct virtio_queue *q = &v->door.device.queue[CAN_VIRTIO_TX];
	struct virtio_slot *slot;
	uint32_t unpaid = 0;

	for (uint32_t i = 0; (slot = virtio_queue_waiting(q, i)); i++) {
		struct can_virtio_request *r = request_of(slot);

		decode(slot);
		unpaid += !r->canceled && !r->paid.operation;
		r->canceled = true;
	}
	return unpaid;
}

/* -- Frames to send -------------------------------------------------------------- */

static void finish(struct can_virtio_request *r, enum can_virtio_result result)
{
	uint8_t byte = (uint8_t)result;

	r->result = result;
	virtio_of(r->slot)->stats.errors += result != CAN_VIRTIO_OK;
	virtio_parts_write(&r->slot->parts, 0, &byte, 1);
	virtio_slot_done(r->slot, 1, 0);
}

static void frame_done(struct can_tx *tx, enum can_status status, uint64_t time)
{
	struct can_virtio_request *r = (struct can_virtio_request *)tx;

	(void)time;
	if (status == CAN_FAILED)
		log_line(virtio_of(r->slot)->conf.keys.log, LOG_LEVEL_ERROR,
			 "the host lost a frame that was to be sent");
	finish(r, status == CAN_OK ? CAN_VIRTIO_OK : CAN_VIRTIO_NOT_OK);
}

/* Why it is no message. */
static void say_malformed(struct can_virtio_request *r, const char *what)
{
	struct can_virtio *v = virtio_of(r->slot);

	v->stats.malformed++;
	log_line(v->conf.keys.log, LOG_LEVEL_WARNING, "%s was refused: %s", what,
		 r->slot->failed ? "its buffers cannot be read"
				 : "there is no such one");
}

static void start_frame(struct can_virtio *v, struct can_virtio_request *r)
{
	v->stats.requests++;
	if (r->refused)
		say_malformed(r, "a frame");
	if (r->refused || r->canceled) {
		v->stats.canceled += r->canceled;
		finish(r, CAN_VIRTIO_NOT_OK);
		return;
	}
	r->tx.done = frame_done;
	can_send(v->conf.can, &r->tx);
}

/* -- What is posted ---------------------------------------------------------------- */

/* It has worked. */
static void start_order(struct can_virtio *v, struct can_virtio_request *r)
{
	if (r->refused)
		say_malformed(r, "an order");
	v->owed += r->owes;
	r->result = r->refused ? CAN_VIRTIO_NOT_OK : CAN_VIRTIO_OK;
}

void can_virtio_start(struct virtio_slot *slot)
{
	struct can_virtio *v = virtio_of(slot);
	struct can_virtio_request *r = request_of(slot);
	enum can_virtio_queue queue = queue_of(slot->queue);

	if (queue == CAN_VIRTIO_TX) {
		start_frame(v, r);
		return;
	}
	if (queue == CAN_VIRTIO_CONTROL)
		start_order(v, r);
	virtio_posted_put(&v->posted[queue], slot);
}

/* Invariant 4. */
static void answer_orders(struct can_virtio *v)
{
	struct virtio_posted *posted = &v->posted[CAN_VIRTIO_CONTROL];

	if (!can_virtio_keep(v))
		return;
	while (posted->first && virtio_slot_room(posted->first, 1)) {
		struct can_virtio_request *r = request_of(virtio_posted_take(posted));

		finish(r, r->result);
	}
}

/* The next frame for the client is in v->held. */
static bool hold_frame(struct can_virtio *v)
{
	uint64_t features = v->door.device.features;
	const struct canfd_frame *frame = &v->held.frame;

	while (!v->holds && can_next(v->conf.can, &v->held)) {
		uint32_t flags = can_frame_fd(frame) ? CAN_VIRTIO_FD : 0;

		if (v->held.kind != CAN_EVENT_FRAME) {
			v->stats.untold++;
			continue;
		}
		if (frame->can_id & CAN_RTR_FLAG)
			flags |= CAN_VIRTIO_RTR;
		v->holds = flags_ok(features, flags);
		v->stats.unfit += !v->holds;
	}
	return v->holds;
}

/* As it stands in a buffer; how many bytes. */
static uint32_t encode(const struct canfd_frame *frame, uint8_t *out)
{
	bool extended = frame->can_id & CAN_EFF_FLAG;
	uint32_t flags = extended ? CAN_VIRTIO_EXTENDED : 0;

	if (frame->can_id & CAN_RTR_FLAG)
		flags |= CAN_VIRTIO_RTR;
	if (can_frame_fd(frame))
		flags |= CAN_VIRTIO_FD;
	memset(out, 0, CAN_VIRTIO_HEADER + CANFD_MAX_DLEN);
	virtio_put16(out, CAN_VIRTIO_MSG_RX);
	virtio_put16(out + 2, frame->len);
	virtio_put32(out + 8, flags);
	virtio_put32(out + 12,
		     frame->can_id & (extended ? CAN_EFF_MASK : CAN_SFF_MASK));
	memcpy(out + CAN_VIRTIO_HEADER, frame->data, can_frame_bytes(frame));
	return CAN_VIRTIO_HEADER + frame->len;
}

static void fill_buffers(struct can_virtio *v)
{
	struct virtio_posted *posted = &v->posted[CAN_VIRTIO_RX];
	uint8_t bytes[CAN_VIRTIO_HEADER + CANFD_MAX_DLEN];

	while (posted->first && hold_frame(v)) {
		struct virtio_slot *slot = posted->first;
		uint32_t n = encode(&v->held.frame, bytes);

		if (!virtio_slot_room(slot, n))
			return;
		virtio_posted_take(posted);
		v->holds = false;
		v->stats.events++;
		virtio_parts_write(&slot->parts, 0, bytes, n);
		virtio_slot_done(slot, n, 0);
	}
}

void can_virtio_fill(struct virtio_device *d, uint64_t now)
{
	struct can_virtio *v = d->conf.owner;

	(void)now;
	answer_orders(v);
	fill_buffers(v);
}

bool can_virtio_lacks(const struct virtio_queue *q)
{
	const struct can_virtio *v = q->device->conf.owner;

	return queue_of(q) != CAN_VIRTIO_RX || (!v->posted[CAN_VIRTIO_RX].first &&
						(v->holds || can_pending(v->conf.can)));
}

/* -- Back ------------------------------------------------------------------------ */

/* Frames that are out need not come home: nobody may be there to take them off the
 * bus. If nothing else ends than their queue, the controller goes on. */
static void recall_frames(struct can_virtio *v)
{
	const struct virtio_device *d = &v->door.device;
	bool ends = d->resetting || d->leaving || is_wrong(v);

	if (ends) {
		can_virtio_leave(v);
	} else if (can_busy(v->conf.can)) {
		can_stop(v->conf.can);
		v->holds = false;
		can_start(v->conf.can);
	}
}

void can_virtio_recall(struct virtio_queue *q)
{
	struct can_virtio *v = q->device->conf.owner;

	if (queue_of(q) == CAN_VIRTIO_TX)
		recall_frames(v);
	virtio_posted_return(&v->posted[queue_of(q)]);
}

void can_virtio_undelivered(struct virtio_slot *slot)
{
	struct can_virtio *v = virtio_of(slot);

	log_line(v->conf.keys.log, LOG_LEVEL_WARNING,
		 "a buffer cannot be written: refused, or not granted");
	v->stats.undelivered++;
	virtio_slot_done(slot, 0, 0);
}

void can_virtio_answered(struct virtio_slot *slot, uint64_t now)
{
	const struct can_virtio_request *r = request_of(slot);

	if (queue_of(slot->queue) == CAN_VIRTIO_TX && r->result == CAN_VIRTIO_OK)
		histogram_add(&virtio_of(slot)->stats.latency, now - slot->taken_at);
}
