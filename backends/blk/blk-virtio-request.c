/* SPDX-License-Identifier: MIT */
/* One virtio-blk request: decoded, paid for, done and answered. See blk-virtio.h. */
#include <assert.h>
#include <string.h>

#include "backends/blk/blk-virtio.h"

static struct blk_virtio *virtio_of(const struct virtio_slot *slot)
{
	return slot->queue->device->conf.owner;
}

static struct blk_virtio_request *request_of(const struct virtio_slot *slot)
{
	return slot->request;
}

/* -- Decoding ------------------------------------------------------------------ */

static enum blk_op op_of(enum blk_virtio_type type)
{
	switch (type) {
	case BLK_VIRTIO_IN:
	case BLK_VIRTIO_GET_ID:
		return BLK_READ;
	case BLK_VIRTIO_OUT:
		return BLK_WRITE;
	case BLK_VIRTIO_FLUSH:
		return BLK_FLUSH;
	case BLK_VIRTIO_DISCARD:
		return BLK_DISCARD;
	case BLK_VIRTIO_WRITE_ZEROES:
		return BLK_WRITE_ZEROES;
	}
	return BLK_OPS;
}

/* It is answered as it is, without the core. */
static void answer(struct blk_virtio_request *r, enum blk_virtio_status status)
{
	r->plain = true;
	r->answer = status;
}

/* @bytes of data, which are in the slot's parts from @skip on. */
static void decode_data(struct blk_virtio_request *r, uint64_t bytes)
{
	bool reads = r->type == BLK_VIRTIO_IN;

	r->rq.iov = r->iov;
	r->rq.niov =
		virtio_parts_cut(&r->slot->parts, reads, reads ? 0 : BLK_VIRTIO_HEADER,
				 bytes, BLK_PART_BYTES, r->iov, BLK_IOV_MAX);
	r->rq.sectors = bytes / BLK_SECTOR;
	if (!bytes || bytes % BLK_SECTOR || !r->rq.niov)
		answer(r, BLK_VIRTIO_IOERR);
}

/* The one segment that we offered (max_discard_seg, max_write_zeroes_seg). */
static void decode_range(struct blk_virtio_request *r, uint64_t bytes)
{
	uint8_t range[BLK_VIRTIO_RANGE];
	uint32_t flags;

	if (bytes != sizeof(range)) {
		answer(r, BLK_VIRTIO_IOERR);
		return;
	}
	virtio_parts_read(&r->slot->parts, BLK_VIRTIO_HEADER, range, sizeof(range));
	r->rq.sector = virtio_le64(range);
	r->rq.sectors = virtio_le32(range + 8);
	flags = virtio_le32(range + 12);
	/* Not more at once than was offered. */
	if (r->rq.sectors > BLK_VIRTIO_RANGE_SECTORS)
		answer(r, BLK_VIRTIO_IOERR);
	/* Bit 0, unmap, is only a wish of WRITE_ZEROES. */
	if (flags & (r->type == BLK_VIRTIO_DISCARD ? ~0u : ~1u))
		answer(r, BLK_VIRTIO_UNSUPP);
}

/* Does the driver count on a write to be safe once it is answered? (invariant 3) */
static bool writes_through(const struct blk_virtio *v)
{
	const struct virtio_device *d = &v->door.device;

	if (!v->conf.blk->geometry.flush)
		return false;
	return d->features & VIRTIO_BLK_F_CONFIG_WCE
		       ? !d->config[BLK_VIRTIO_WRITEBACK]
		       : !(d->features & VIRTIO_BLK_F_FLUSH);
}

static void decode(struct virtio_slot *slot)
{
	struct blk_virtio_request *r = request_of(slot);
	uint64_t readable = virtio_parts_readable(&slot->parts);
	uint64_t room = virtio_parts_room(&slot->parts);
	uint8_t header[BLK_VIRTIO_HEADER];

	r->slot = slot;
	r->plain = false;
	r->paid = (struct toll_paid){0};
	r->answer = BLK_VIRTIO_OK;
	r->rq.op = BLK_OPS;
	if (slot->failed) {
		answer(r, BLK_VIRTIO_IOERR);
		return;
	}
	if (readable < sizeof(header) || !room) {
		virtio_device_wrong(slot->queue->device,
				    "a request without its header or its status");
		answer(r, BLK_VIRTIO_IOERR);
		return;
	}
	virtio_parts_read(&slot->parts, 0, header, sizeof(header));
	r->type = virtio_le32(header);
	r->rq.op = op_of(r->type);
	r->rq.sector = virtio_le64(header + 8);
	r->rq.sectors = 0;
	r->rq.iov = r->iov;
	r->rq.niov = 0;
	r->rq.through = r->type != BLK_VIRTIO_IN && writes_through(virtio_of(slot));
	switch (r->type) {
	case BLK_VIRTIO_IN:
		decode_data(r, room - 1);
		return;
	case BLK_VIRTIO_OUT:
		decode_data(r, readable - sizeof(header));
		return;
	case BLK_VIRTIO_DISCARD:
	case BLK_VIRTIO_WRITE_ZEROES:
		decode_range(r, readable - sizeof(header));
		return;
	case BLK_VIRTIO_FLUSH:
		r->rq.through = false;
		return;
	case BLK_VIRTIO_GET_ID:
		r->plain = true;
		return;
	}
	answer(r, BLK_VIRTIO_UNSUPP);
}

/* -- To the core and back -------------------------------------------------------- */

static bool moves_data(const struct blk_virtio_request *r)
{
	return !r->plain && (r->rq.op == BLK_READ || r->rq.op == BLK_WRITE);
}

/* Invariant 2. */
bool blk_virtio_admit(struct virtio_slot *slot, uint64_t now)
{
	struct blk_virtio *v = virtio_of(slot);
	struct blk_virtio_request *r = request_of(slot);
	uint64_t bytes;

	if (slot->fresh)
		decode(slot);
	slot->fresh = false;
	/* It is wrong itself: it stays where it is, to be dropped. */
	if (v->door.device.status & VIRTIO_NEEDS_RESET)
		return false;
	bytes = moves_data(r) ? r->rq.sectors * BLK_SECTOR : 0;
	return toll_pay(&v->toll, &r->paid, bytes, now, &v->door.device.due);
}

static void finish(struct blk_virtio_request *r, enum blk_virtio_status status,
		   uint64_t data)
{
	struct blk_virtio *v = virtio_of(r->slot);
	uint64_t room = virtio_parts_room(&r->slot->parts);
	uint8_t byte = (uint8_t)status;

	r->answer = status;
	v->stats.errors += status != BLK_VIRTIO_OK;
	if (room)
		virtio_parts_write(&r->slot->parts, room - 1, &byte, 1);
	virtio_slot_done(r->slot, data, room ? 1 : 0);
}

static void request_done(struct blk_request *rq, enum blk_status status)
{
	struct blk_virtio_request *r = (struct blk_virtio_request *)rq;
	struct blk_virtio *v = virtio_of(r->slot);
	uint64_t data = rq->op == BLK_READ ? rq->sectors * BLK_SECTOR : 0;

	if (status == BLK_OK) {
		finish(r, BLK_VIRTIO_OK, data);
		return;
	}
	log_line(v->conf.keys.log,
		 status == BLK_IOERR || status == BLK_NOSPACE || status == BLK_FAULT
			 ? LOG_LEVEL_ERROR
			 : LOG_LEVEL_WARNING,
		 "%s at sector %llu failed: %s", blk_op_name(rq->op),
		 (unsigned long long)rq->sector, blk_status_name(status));
	finish(r, status == BLK_UNSUPPORTED ? BLK_VIRTIO_UNSUPP : BLK_VIRTIO_IOERR, 0);
}

/* The name of the instance: what lsblk shows as the serial number. */
static void give_id(struct blk_virtio_request *r)
{
	struct blk_virtio *v = virtio_of(r->slot);
	char id[BLK_VIRTIO_ID_BYTES] = {0};
	uint64_t room = virtio_parts_room(&r->slot->parts) - 1;
	size_t n = strlen(v->conf.policy->name);

	memcpy(id, v->conf.policy->name, n < sizeof(id) ? n : sizeof(id));
	n = room < sizeof(id) ? (size_t)room : sizeof(id);
	virtio_parts_write(&r->slot->parts, 0, id, n);
	finish(r, BLK_VIRTIO_OK, n);
}

void blk_virtio_start(struct virtio_slot *slot)
{
	struct blk_virtio *v = virtio_of(slot);
	struct blk_virtio_request *r = request_of(slot);

	v->stats.requests++;
	if (slot->failed) {
		log_line(v->conf.keys.log, LOG_LEVEL_WARNING,
			 "a request's buffers cannot be read: refused, or not granted");
		v->stats.refused++;
		finish(r, BLK_VIRTIO_IOERR, 0);
	} else if (!r->plain) {
		r->rq.done = request_done;
		blk_submit(v->conf.blk, &r->rq);
	} else if (r->answer == BLK_VIRTIO_OK) {
		give_id(r);
	} else {
		v->stats.refused++;
		finish(r, r->answer, 0);
	}
}

void blk_virtio_undelivered(struct virtio_slot *slot)
{
	log_line(virtio_of(slot)->conf.keys.log, LOG_LEVEL_WARNING,
		 "a request's buffers cannot be written: refused, or not granted");
	finish(request_of(slot), BLK_VIRTIO_IOERR, 0);
}

void blk_virtio_answered(struct virtio_slot *slot, uint64_t now)
{
	struct blk_virtio_request *r = request_of(slot);

	if (r->rq.op < BLK_OPS)
		histogram_add(&virtio_of(slot)->stats.latency[r->rq.op],
			      now - slot->taken_at);
}
