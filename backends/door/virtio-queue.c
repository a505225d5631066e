/* SPDX-License-Identifier: MIT */
/* Chains on their way from the driver to the class and back: see virtio-queue.h. */
#include "backends/door/virtio-queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "backends/door/virtio-device.h"

/* What is taken in one turn ends with the chain that reaches so many bytes: of a
 * larger batch the driver could not work on the first answer while we do on the last.
 * But where so many chains wait, it is many of them that share a system call. */
#define TAKE_BYTES (32 * XEN_PAGE_BYTES)
#define TAKE_DEEP  16

#define MOVE(state) (1u << VIRTIO_SLOT_##state)

static const uint8_t slot_moves[VIRTIO_SLOT_STATES] = {
	[VIRTIO_SLOT_FREE] = MOVE(FETCHING) | MOVE(FETCHED),
	[VIRTIO_SLOT_FETCHING] = MOVE(FETCHED),
	[VIRTIO_SLOT_FETCHED] = MOVE(BUSY) | MOVE(POSTED) | MOVE(READY),
	[VIRTIO_SLOT_BUSY] = MOVE(DONE),
	[VIRTIO_SLOT_POSTED] = MOVE(DONE) | MOVE(READY),
	[VIRTIO_SLOT_DONE] = MOVE(DELIVERING) | MOVE(READY),
	[VIRTIO_SLOT_DELIVERING] = MOVE(READY) | MOVE(DONE),
	[VIRTIO_SLOT_READY] = MOVE(FREE),
};

static void slot_move(struct virtio_slot *slot, enum virtio_slot_state to)
{
	struct virtio_device *device = slot->queue->device;

	assert(slot_moves[slot->state] & (1u << to));
	device->busy += (uint32_t)(to == VIRTIO_SLOT_BUSY);
	device->busy -= (uint32_t)(slot->state == VIRTIO_SLOT_BUSY);
	slot->state = to;
	if (to != VIRTIO_SLOT_READY)
		return;
	device->freed = true;
	virtio_memory_release(device->conf.memory, &slot->parts);
}

static struct virtio_slot *slot_of(const struct virtio_queue *q, uint32_t sequence)
{
	return &q->slot[sequence & (q->setup.size - 1u)];
}

/* -- Life -------------------------------------------------------------------- */

int virtio_queue_init(struct virtio_queue *q, struct virtio_device *device,
		      uint16_t slots, uint32_t request_bytes)
{
	uint8_t *requests = calloc(slots, request_bytes);

	*q = (struct virtio_queue){.device = device};
	q->slot = calloc(slots, sizeof(*q->slot));
	if (!q->slot || !requests) {
		free(q->slot);
		free(requests);
		q->slot = NULL;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < slots; i++) {
		q->slot[i].queue = q;
		q->slot[i].request = requests + (size_t)i * request_bytes;
	}
	return 0;
}

void virtio_queue_fini(struct virtio_queue *q)
{
	if (q->slot)
		free(q->slot[0].request);
	free(q->slot);
	q->slot = NULL;
}

static const void *queue_table(void *owner, uint64_t addr, uint32_t len)
{
	const struct virtio_queue *q = owner;

	return virtio_memory_at(q->device->conf.memory, addr, len);
}

static int queue_leave(struct virtio_queue *q)
{
	int r = 0;

	for (unsigned i = 0; i < 3; i++) {
		int left = virtio_memory_leave(q->device->conf.memory, &q->area[i]);

		r = left < 0 ? left : r;
	}
	return r;
}

int virtio_queue_open(struct virtio_queue *q, bool attach)
{
	struct virtio_memory *memory = q->device->conf.memory;
	uint64_t features = q->device->features;
	uint32_t size = (uint32_t)q->setup.size;
	const uint32_t bytes[3] = {16 * size, 6 + 2 * size, 6 + 8 * size};
	struct virtqueue_conf conf = {
		.size = (uint16_t)q->setup.size,
		.event_idx = features & VIRTIO_F_EVENT_IDX,
		.table = features & VIRTIO_F_INDIRECT_DESC ? queue_table : NULL,
		.owner = q,
	};
	int r = 0;

	assert(!q->open);
	for (unsigned i = 0; i < 3 && !r; i++)
		r = virtio_memory_area(memory, q->setup.area[i], bytes[i], &q->area[i]);
	conf.desc = q->area[0].at;
	conf.avail = q->area[1].at;
	conf.used = q->area[2].at;
	if (!r && virtqueue_init(&q->vq, &conf, attach) != VIRTQUEUE_OK)
		r = VIRTIO_MEMORY_FOREIGN;
	if (r) {
		int left = queue_leave(q);

		return left < 0 ? left : r;
	}
	q->open = true;
	q->held = false;
	q->published = q->started = q->taken = 0;
	return 0;
}

int virtio_queue_close(struct virtio_queue *q)
{
	assert(virtio_queue_idle(q));
	q->open = q->held = q->resetting = false;
	q->setup = (struct virtio_queue_setup){0};
	return queue_leave(q);
}

bool virtio_queue_idle(const struct virtio_queue *q)
{
	return q->published == q->taken;
}

/* -- Off the virtqueue ------------------------------------------------------- */

void virtio_queue_turn(struct virtio_queue *q)
{
	q->budget = TAKE_BYTES;
	q->deep = false;
}

bool virtio_queue_takes(const struct virtio_queue *q)
{
	return q->started == q->taken && !q->held;
}

static uint32_t chain_bytes(const struct virtqueue_chain *chain)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < chain->readable + chain->writable; i++) {
		if (chain->buffer[i].len >= TAKE_BYTES - n)
			return TAKE_BYTES;
		n += chain->buffer[i].len;
	}
	return n;
}

/* The chain that was taken gets a slot. An enum virtio_memory_status, or a negative
 * errno. */
static int queue_gather(struct virtio_queue *q, uint64_t now)
{
	struct virtio_memory *memory = q->device->conf.memory;
	struct virtio_slot *slot = slot_of(q, q->taken);
	int r = virtio_memory_gather(memory, &q->chain, q->posted, &slot->parts);

	if (r)
		return r;
	slot->head = q->chain.head;
	slot->fresh = true;
	slot->failed = false;
	slot->taken_at = now;
	q->held = false;
	q->taken++;
	q->device->stats.taken++;
	r = virtio_memory_fetch(memory, &slot->parts);
	slot_move(slot, r == VIRTIO_MEMORY_LATER ? VIRTIO_SLOT_FETCHING
						 : VIRTIO_SLOT_FETCHED);
	return r < 0 ? r : VIRTIO_MEMORY_OK;
}

int virtio_queue_take(struct virtio_queue *q, uint64_t now)
{
	uint32_t bytes;
	int r;

	if (q->vq.why)
		virtio_device_wrong(q->device, q->vq.why);
	if (q->vq.why || q->started != q->taken)
		return 0;
	while (q->budget && q->taken - q->published < q->setup.size) {
		if (!q->held) {
			switch (virtqueue_take(&q->vq, &q->chain)) {
			case VIRTQUEUE_EMPTY:
				return 0;
			case VIRTQUEUE_BROKEN:
				virtio_device_wrong(q->device, q->vq.why);
				return 0;
			case VIRTQUEUE_OK:
				break;
			}
			q->held = true;
		}
		if (q->budget == TAKE_BYTES)
			q->deep |= virtqueue_waiting(&q->vq) >= TAKE_DEEP - 1;
		r = queue_gather(q, now);
		if (r == VIRTIO_MEMORY_FOREIGN)
			virtio_device_wrong(q->device, "a buffer that is not the "
						       "client's to name");
		if (r)
			return r < 0 ? r : 0;
		if (q->deep)
			continue;
		bytes = chain_bytes(&q->chain);
		q->budget -= bytes < q->budget ? bytes : q->budget;
	}
	return 0;
}

struct virtio_slot *virtio_queue_waiting(const struct virtio_queue *q, uint32_t i)
{
	struct virtio_slot *slot = slot_of(q, q->started + i);

	if (i >= q->taken - q->started || slot->state != VIRTIO_SLOT_FETCHED)
		return NULL;
	return slot;
}

/* -- To the class and back --------------------------------------------------- */

int virtio_queue_start(struct virtio_queue *q, uint64_t now, uint32_t *started)
{
	const struct virtio_class *class = q->device->conf.class;

	for (; q->started != q->taken; ++*started) {
		struct virtio_slot *slot = slot_of(q, q->started);

		if (slot->state != VIRTIO_SLOT_FETCHED ||
		    !(q->posted || virtio_device_admits(q->device)) ||
		    !class->admit(slot, now))
			return VIRTIO_QUEUE_WAITS;
		q->started++;
		slot_move(slot, q->posted ? VIRTIO_SLOT_POSTED : VIRTIO_SLOT_BUSY);
		class->start(slot);
	}
	return 0;
}

void virtio_slot_done(struct virtio_slot *slot, uint64_t data, uint32_t tail)
{
	struct virtio_device *device = slot->queue->device;

	slot->data = data;
	slot->tail = tail;
	slot_move(slot, VIRTIO_SLOT_DONE);
	slot->next = NULL;
	*(device->done ? &device->done_last->next : &device->done) = slot;
	device->done_last = slot;
}

void virtio_posted_put(struct virtio_posted *posted, struct virtio_slot *slot)
{
	slot->next = NULL;
	*(posted->first ? &posted->last->next : &posted->first) = slot;
	posted->last = slot;
	posted->n++;
}

struct virtio_slot *virtio_posted_take(struct virtio_posted *posted)
{
	struct virtio_slot *slot = posted->first;

	posted->first = slot->next;
	posted->n--;
	return slot;
}

void virtio_posted_return(struct virtio_posted *posted)
{
	while (posted->first)
		virtio_slot_return(virtio_posted_take(posted));
}

bool virtio_slot_room(struct virtio_slot *slot, uint32_t bytes)
{
	assert(slot->state == VIRTIO_SLOT_POSTED);
	return virtio_memory_room(slot->queue->device->conf.memory, &slot->parts,
				  bytes) == VIRTIO_MEMORY_OK;
}

void virtio_slot_return(struct virtio_slot *slot)
{
	assert(slot->state == VIRTIO_SLOT_POSTED && slot->queue->dropping);
	slot_move(slot, VIRTIO_SLOT_READY);
}

int virtio_slot_deliver(struct virtio_slot *slot, bool lost)
{
	int r = 0;

	if (!lost)
		r = virtio_memory_deliver(slot->queue->device->conf.memory,
					  &slot->parts, slot->data, slot->tail);
	slot_move(slot, r == VIRTIO_MEMORY_LATER ? VIRTIO_SLOT_DELIVERING
						 : VIRTIO_SLOT_READY);
	return r < 0 ? r : 0;
}

void virtio_slot_moved(struct virtio_parts *parts, int status)
{
	struct virtio_slot *slot = (struct virtio_slot *)parts;

	if (slot->state == VIRTIO_SLOT_FETCHING) {
		slot->failed = status != GRANTS_OK;
		slot_move(slot, VIRTIO_SLOT_FETCHED);
		return;
	}
	/* What could not be delivered is the client's loss, but must not look as if it
	 * had been. */
	if (status != GRANTS_OK && slot->data)
		slot->queue->device->conf.class->undelivered(slot);
	else
		slot_move(slot, VIRTIO_SLOT_READY);
}

/* As virtio counts: from the first writable byte on, without a gap. */
static uint32_t slot_written(const struct virtio_slot *slot)
{
	uint64_t total = virtio_parts_room(&slot->parts);

	if (slot->data + slot->tail < total)
		total = slot->data;
	return total > UINT32_MAX ? UINT32_MAX : (uint32_t)total;
}

bool virtio_queue_publish(struct virtio_queue *q, uint64_t now)
{
	struct virtio_device *device = q->device;
	uint32_t before = q->published;

	for (; q->published != q->started; q->published++) {
		struct virtio_slot *slot = slot_of(q, q->published);

		if (slot->state != VIRTIO_SLOT_READY)
			break;
		virtqueue_put(&q->vq, slot->head, slot_written(slot));
		if (device->conf.class->answered)
			device->conf.class->answered(slot, now);
		slot_move(slot, VIRTIO_SLOT_FREE);
	}
	if (q->published == before)
		return false;
	device->stats.answers += q->published - before;
	device->stats.pushes++;
	return virtqueue_push(&q->vq);
}

void virtio_queue_untake(struct virtio_queue *q)
{
	q->held = false;
	while (q->taken != q->started) {
		struct virtio_slot *slot = slot_of(q, --q->taken);

		slot_move(slot, VIRTIO_SLOT_READY);
		slot_move(slot, VIRTIO_SLOT_FREE);
	}
}

void virtio_queue_drop(struct virtio_queue *q)
{
	const struct virtio_class *class = q->device->conf.class;

	q->held = false;
	if (q->started != q->published && class->recall) {
		q->dropping = true;
		class->recall(q);
		q->dropping = false;
	}
	for (; q->published != q->taken; q->published++) {
		struct virtio_slot *slot = slot_of(q, q->published);

		if (slot->state == VIRTIO_SLOT_FETCHED) {
			assert(q->started == q->published);
			q->started++;
			slot_move(slot, VIRTIO_SLOT_READY);
		}
		if (slot->state != VIRTIO_SLOT_READY)
			return;
		slot_move(slot, VIRTIO_SLOT_FREE);
	}
}
