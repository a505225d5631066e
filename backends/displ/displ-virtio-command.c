/* SPDX-License-Identifier: MIT */
/* A command on its way: decoded, worked, answered. See displ-virtio.h. */
#include "backends/displ/displ-virtio.h"

/* Of a command that must be asked for again; no answer of the wire. */
#define LATER ((enum displ_virtio_answer)0)

static struct displ_virtio *virtio_of(const struct virtio_slot *slot)
{
	return slot->queue->device->conf.owner;
}

static enum displ_virtio_queue queue_of(const struct virtio_queue *q)
{
	return (enum displ_virtio_queue)(q - q->device->queue);
}

/* -- Decoding -------------------------------------------------------------- */

/* Invariant 6. A cursor's commands have no answer. */
static const char *chain_fault(const struct virtio_slot *slot)
{
	if (virtio_parts_readable(&slot->parts) < DISPL_VIRTIO_HEADER)
		return "a command without its header";
	if (queue_of(slot->queue) == DISPL_VIRTIO_CONTROL &&
	    virtio_parts_room(&slot->parts) < DISPL_VIRTIO_HEADER)
		return "a command without room for its answer";
	return NULL;
}

static bool is_cursors(uint32_t type)
{
	return type == DISPL_VIRTIO_UPDATE_CURSOR || type == DISPL_VIRTIO_MOVE_CURSOR;
}

/* displ-virtio-wire.h, invariant 1. */
static void decode(struct displ_virtio_request *r)
{
	const struct virtio_parts *parts = &r->slot->parts;
	bool cursors = queue_of(r->slot->queue) == DISPL_VIRTIO_CURSOR;
	uint8_t bytes[DISPL_VIRTIO_COMMAND_MAX];
	uint32_t n;

	virtio_parts_read(parts, 0, bytes, DISPL_VIRTIO_HEADER);
	displ_virtio_decode_header(bytes, &r->command);
	n = displ_virtio_bytes(r->command.type);
	if (!n || is_cursors(r->command.type) != cursors) {
		r->answer = DISPL_VIRTIO_UNSPEC;
		virtio_of(r->slot)->stats.malformed++;
		return;
	}
	if (virtio_parts_readable(parts) < n) {
		r->answer = DISPL_VIRTIO_BAD_PARAMETER;
		virtio_of(r->slot)->stats.malformed++;
		return;
	}
	virtio_parts_read(parts, DISPL_VIRTIO_HEADER, bytes, n - DISPL_VIRTIO_HEADER);
	displ_virtio_decode(bytes, &r->command);
}

void displ_virtio_take(struct virtio_slot *slot)
{
	struct displ_virtio_request *r = slot->request;
	const char *fault = chain_fault(slot);

	slot->fresh = false;
	*r = (struct displ_virtio_request){.slot = slot};
	if (fault)
		virtio_device_wrong(slot->queue->device, fault);
	else
		decode(r);
}

/* -- What it costs --------------------------------------------------------- */

static uint64_t canvas_bytes(const struct displ_virtio *v)
{
	const struct displ_scan *scan = v->conf.displ->conf.scan;

	return (uint64_t)scan->stride * scan->size.height;
}

/* What a FLUSH copies, of each head. */
static uint64_t flush_cost(const struct displ_virtio *v,
			   const struct displ_virtio_resource *r)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < v->heads; i++) {
		const struct displ_virtio_scanout *s = &v->scanout[i];

		if (s->place != DISPL_VIRTIO_NONE && &v->resources.place[s->place] == r)
			n += displ_virtio_copies(v, r, &s->rect);
	}
	return n;
}

/* Of what there is; what is refused costs its operation. */
static uint64_t shown_cost(const struct displ_virtio *v,
			   const struct displ_virtio_command *c)
{
	const struct displ_virtio_resource *r =
		displ_virtio_resource(&v->resources, c->resource);

	if (!r || !displ_rect_in(&c->rect, r->size))
		return 0;
	if (c->type == DISPL_VIRTIO_SET_SCANOUT)
		return displ_virtio_copies(v, r, &c->rect);
	if (c->type == DISPL_VIRTIO_RESOURCE_FLUSH)
		return flush_cost(v, r);
	return (uint64_t)c->rect.width * c->rect.height * DISPL_PIXEL;
}

uint64_t displ_virtio_cost(const struct displ_virtio *v,
			   const struct displ_virtio_request *r)
{
	const struct displ_virtio_command *c = &r->command;

	if (r->answer)
		return 0;
	switch ((enum displ_virtio_type)c->type) {
	case DISPL_VIRTIO_RESOURCE_CREATE_2D:
		return displ_virtio_is_small(c->size) ? 0 : canvas_bytes(v);
	case DISPL_VIRTIO_SET_SCANOUT:
	case DISPL_VIRTIO_RESOURCE_FLUSH:
	case DISPL_VIRTIO_TRANSFER_TO_HOST_2D:
		return shown_cost(v, c);
	case DISPL_VIRTIO_ATTACH_BACKING:
		return virtio_parts_readable(&r->slot->parts);
	case DISPL_VIRTIO_UPDATE_CURSOR:
		return DISPL_VIRTIO_SMALL_SIDE * DISPL_VIRTIO_SMALL_SIDE * DISPL_PIXEL;
	case DISPL_VIRTIO_GET_DISPLAY_INFO:
	case DISPL_VIRTIO_RESOURCE_UNREF:
	case DISPL_VIRTIO_DETACH_BACKING:
	case DISPL_VIRTIO_GET_EDID:
	case DISPL_VIRTIO_MOVE_CURSOR:
		break;
	}
	return 0;
}

/* -- What the device has ---------------------------------------------------- */

/* @n bytes behind the answer's header. */
static enum displ_virtio_answer put_behind(struct displ_virtio_request *r,
					   enum displ_virtio_answer answer,
					   const uint8_t *bytes, uint32_t n)
{
	struct virtio_parts *parts = &r->slot->parts;

	if (virtio_parts_room(parts) - DISPL_VIRTIO_HEADER < n)
		return DISPL_VIRTIO_BAD_PARAMETER;
	virtio_parts_write(parts, DISPL_VIRTIO_HEADER, bytes, n);
	r->behind = n;
	return answer;
}

static enum displ_virtio_answer get_info(struct displ_virtio *v,
					 struct displ_virtio_request *r)
{
	uint8_t info[DISPL_VIRTIO_INFO];

	enum displ_virtio_answer answer;

	displ_virtio_put_info(v->conf.displ_policy, v->unplugged, info);
	answer = put_behind(r, DISPL_VIRTIO_OK_DISPLAY_INFO, info, sizeof(info));
	if (answer == DISPL_VIRTIO_OK_DISPLAY_INFO)
		v->told = v->unplugged;
	return answer;
}

static enum displ_virtio_answer get_edid(struct displ_virtio *v,
					 struct displ_virtio_request *r)
{
	uint8_t bytes[DISPL_VIRTIO_EDID];
	const struct displ_edid *edid;

	if (!(v->door.device.features & DISPL_VIRTIO_F_EDID))
		return DISPL_VIRTIO_UNSPEC;
	if (r->command.scanout >= v->heads)
		return DISPL_VIRTIO_BAD_SCANOUT;
	edid = &v->conf.edid[r->command.scanout];
	if (!edid->bytes)
		return DISPL_VIRTIO_UNSPEC;
	displ_virtio_put_edid(edid->data, edid->bytes, bytes);
	return put_behind(r, DISPL_VIRTIO_OK_EDID, bytes, sizeof(bytes));
}

/* -- Resources --------------------------------------------------------------- */

/* What a predecessor made and had not answered. */
static bool is_same(const struct displ_virtio_resource *r,
		    const struct displ_virtio_command *c)
{
	return r->recalled && r->wire == c->format && r->size.width == c->size.width &&
	       r->size.height == c->size.height;
}

static enum displ_virtio_answer create(struct displ_virtio *v,
				       struct displ_virtio_request *rq)
{
	struct displ_virtio_resource *r =
		displ_virtio_resource(&v->resources, rq->command.resource);
	enum displ_virtio_answer answer;

	if (r && is_same(r, &rq->command))
		return DISPL_VIRTIO_OK;
	answer = displ_virtio_create(&v->resources, &rq->command, &r);
	v->stats.resources += answer == DISPL_VIRTIO_OK;
	return answer;
}

static enum displ_virtio_answer unref(struct displ_virtio *v,
				      struct displ_virtio_resource *r,
				      struct displ_virtio_request *rq)
{
	(void)rq;
	displ_virtio_unshow(v, (uint32_t)(r - v->resources.place));
	displ_virtio_cursors_lift(&v->cursors, r->canvas);
	displ_virtio_cursors_orphan(&v->cursors, r->id);
	displ_virtio_drop(r);
	return DISPL_VIRTIO_OK;
}

static enum displ_virtio_answer attach(struct displ_virtio *v,
				       struct displ_virtio_resource *r,
				       struct displ_virtio_request *rq)
{
	if (r->runs && !r->recalled)
		return DISPL_VIRTIO_UNSPEC;
	return displ_virtio_attach(&v->resources, r, &rq->slot->parts,
				   displ_virtio_bytes(DISPL_VIRTIO_ATTACH_BACKING),
				   rq->command.entries);
}

static enum displ_virtio_answer detach(struct displ_virtio *v,
				       struct displ_virtio_resource *r,
				       struct displ_virtio_request *rq)
{
	(void)v;
	(void)rq;
	displ_virtio_unback(r);
	return DISPL_VIRTIO_OK;
}

static enum displ_virtio_answer transfer(struct displ_virtio *v,
					 struct displ_virtio_resource *r,
					 struct displ_virtio_request *rq)
{
	v->stats.transfers++;
	displ_virtio_cursors_lift(&v->cursors, r->canvas);
	return displ_virtio_transfer(&v->resources, r, &rq->command.rect,
				     rq->command.offset);
}

static enum displ_virtio_answer with_resource(
	struct displ_virtio *v, struct displ_virtio_request *rq,
	enum displ_virtio_answer (*work)(struct displ_virtio *v,
					 struct displ_virtio_resource *r,
					 struct displ_virtio_request *rq))
{
	struct displ_virtio_resource *r =
		displ_virtio_resource(&v->resources, rq->command.resource);

	return r ? work(v, r, rq) : DISPL_VIRTIO_BAD_RESOURCE;
}

/* -- The cursor's ------------------------------------------------------------ */

static enum displ_virtio_answer cursor(struct displ_virtio *v,
				       const struct displ_virtio_command *c)
{
	const struct displ_virtio_resource *r =
		displ_virtio_resource(&v->resources, c->resource);
	bool update = c->type == DISPL_VIRTIO_UPDATE_CURSOR;

	if (c->scanout >= v->heads)
		return DISPL_VIRTIO_BAD_SCANOUT;
	if (update && c->resource && !(r && r->pixels))
		return DISPL_VIRTIO_BAD_RESOURCE;
	v->stats.cursors += update;
	if (update)
		displ_virtio_cursor_set(&v->cursors, c->scanout, r);
	displ_virtio_cursor_move(&v->cursors, c->scanout, c->x, c->y);
	return DISPL_VIRTIO_OK;
}

/* -- All ------------------------------------------------------------------- */

static enum displ_virtio_answer work(struct displ_virtio *v,
				     struct displ_virtio_request *r)
{
	switch ((enum displ_virtio_type)r->command.type) {
	case DISPL_VIRTIO_GET_DISPLAY_INFO:
		return get_info(v, r);
	case DISPL_VIRTIO_RESOURCE_CREATE_2D:
		return create(v, r);
	case DISPL_VIRTIO_RESOURCE_UNREF:
		return with_resource(v, r, unref);
	case DISPL_VIRTIO_SET_SCANOUT:
		return displ_virtio_set(v, &r->command);
	case DISPL_VIRTIO_RESOURCE_FLUSH:
		return displ_virtio_flush(v, r);
	case DISPL_VIRTIO_TRANSFER_TO_HOST_2D:
		return with_resource(v, r, transfer);
	case DISPL_VIRTIO_ATTACH_BACKING:
		return with_resource(v, r, attach);
	case DISPL_VIRTIO_DETACH_BACKING:
		return with_resource(v, r, detach);
	case DISPL_VIRTIO_GET_EDID:
		return get_edid(v, r);
	case DISPL_VIRTIO_UPDATE_CURSOR:
	case DISPL_VIRTIO_MOVE_CURSOR:
		return cursor(v, &r->command);
	}
	return DISPL_VIRTIO_UNSPEC;
}

static const char *why_not(enum displ_virtio_answer answer)
{
	switch (answer) {
	case DISPL_VIRTIO_OUT_OF_MEMORY:
		return "there is no room for that";
	case DISPL_VIRTIO_BAD_SCANOUT:
		return "it has no such connector";
	case DISPL_VIRTIO_BAD_RESOURCE:
		return "there is no such resource, or already one";
	case DISPL_VIRTIO_BAD_PARAMETER:
		return "it contradicts itself, what there is, or the policy";
	case DISPL_VIRTIO_UNSPEC:
	case DISPL_VIRTIO_BAD_CONTEXT:
	case DISPL_VIRTIO_OK:
	case DISPL_VIRTIO_OK_DISPLAY_INFO:
	case DISPL_VIRTIO_OK_EDID:
		break;
	}
	return "that is not to be had";
}

bool displ_virtio_work(struct displ_virtio *v, struct displ_virtio_request *r)
{
	if (!r->answer) {
		r->answer = work(v, r);
		displ_virtio_cursors_draw(&v->cursors, v);
	}
	return r->answer != LATER;
}

static bool is_error(const struct displ_virtio_request *r)
{
	return r->answer >= DISPL_VIRTIO_UNSPEC;
}

void displ_virtio_finish(struct displ_virtio_request *r)
{
	struct displ_virtio *v = virtio_of(r->slot);
	struct virtio_parts *parts = &r->slot->parts;
	uint8_t header[DISPL_VIRTIO_HEADER];

	if (is_error(r)) {
		v->stats.errors++;
		log_line(v->conf.keys.log, LOG_LEVEL_WARNING,
			 "command 0x%x of resource %u was refused: %s", r->command.type,
			 r->command.resource, why_not(r->answer));
	}
	if (virtio_parts_room(parts) < sizeof(header)) {
		virtio_slot_done(r->slot, 0, 0);
		return;
	}
	displ_virtio_encode(&r->command, r->answer, header);
	virtio_parts_write(parts, 0, header, sizeof(header));
	virtio_slot_done(r->slot, sizeof(header) + r->behind, 0);
}
