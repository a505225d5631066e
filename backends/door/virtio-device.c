/* SPDX-License-Identifier: MIT */
/* Status, features, queues, reset, and the turn: see virtio-device.h. */
#include "backends/door/virtio-device.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_DRIVERS                                                                 \
	(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK |  \
	 VIRTIO_FAILED)

int virtio_device_init(struct virtio_device *d, const struct virtio_device_conf *conf)
{
	int r = 0;

	assert(conf->queues && conf->queues <= VIRTIO_QUEUES_MAX);
	assert(!conf->posted || (conf->class->fill && conf->class->recall));
	assert(conf->queue_size && !(conf->queue_size & (conf->queue_size - 1)) &&
	       conf->queue_size <= VIRTQUEUE_SIZE_MAX);
	*d = (struct virtio_device){.conf = *conf, .due = UINT64_MAX};
	d->queue = calloc(conf->queues, sizeof(*d->queue));
	if (!d->queue)
		return -ENOMEM;
	for (uint32_t i = 0; i < conf->queues && !r; i++)
		r = virtio_queue_init(&d->queue[i], d, conf->queue_size,
				      conf->class->request_bytes);
	if (r)
		virtio_device_fini(d);
	for (uint32_t i = 0; i < conf->queues && !r; i++)
		d->queue[i].posted = conf->posted >> i & 1;
	return r;
}

void virtio_device_fini(struct virtio_device *d)
{
	for (uint32_t i = 0; i < d->conf.queues; i++)
		virtio_queue_fini(&d->queue[i]);
	free(d->queue);
	d->queue = NULL;
}

/* -- Reset ------------------------------------------------------------------- */

bool virtio_device_idle(const struct virtio_device *d)
{
	for (uint32_t i = 0; i < d->conf.queues; i++) {
		if (!virtio_queue_idle(&d->queue[i]))
			return false;
	}
	return true;
}

/* Invariant 1. */
static bool device_live(const struct virtio_device *d)
{
	return (d->status & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) ==
		       VIRTIO_DRIVER_OK &&
	       !d->resetting && d->leaving != VIRTIO_DROPS;
}

static bool queue_live(const struct virtio_device *d, const struct virtio_queue *q)
{
	return q->open && !q->resetting && device_live(d) && !(q->posted && d->leaving);
}

static int device_close(struct virtio_device *d, struct virtio_queue *q)
{
	int r = q->open ? virtio_queue_close(q) : 0;

	if (r < 0)
		d->error = r;
	return r;
}

int virtio_device_end(struct virtio_device *d)
{
	int left, r = 0;

	assert(virtio_device_idle(d) && !d->busy && !d->done);
	for (uint32_t i = 0; i < d->conf.queues; i++) {
		left = device_close(d, &d->queue[i]);
		r = left < 0 ? left : r;
	}
	virtio_device_begin(d);
	return r;
}

void virtio_device_begin(struct virtio_device *d)
{
	d->status = 0;
	d->features = 0;
	d->resetting = d->event = false;
	d->leaving = VIRTIO_STAYS;
	d->written_bytes = 0;
	d->changed = true;
	d->turn = 0;
	d->due = UINT64_MAX;
}

/* Resets end once nothing is out (invariant 3). */
static int device_settle(struct virtio_device *d)
{
	for (uint32_t i = 0; i < d->conf.queues; i++) {
		struct virtio_queue *q = &d->queue[i];

		if (!q->resetting || !virtio_queue_idle(q))
			continue;
		d->changed = true;
		device_close(d, q);
	}
	if (d->resetting && virtio_device_idle(d) &&
	    (!d->conf.class->reset || d->conf.class->reset(d)))
		virtio_device_end(d);
	return d->error;
}

/* Queues that are not served any more give back what they can (invariant 5). */
static void device_drop(struct virtio_device *d)
{
	for (uint32_t i = 0; i < d->conf.queues; i++) {
		if (d->queue[i].open && !queue_live(d, &d->queue[i]))
			virtio_queue_drop(&d->queue[i]);
	}
}

void virtio_device_leave(struct virtio_device *d, enum virtio_leaving how)
{
	d->leaving = how;
	device_drop(d);
	for (uint32_t i = 0; d->conf.class->recall && i < d->conf.queues; i++)
		virtio_queue_untake(&d->queue[i]);
	d->due = 0;
}

void virtio_device_wrong(struct virtio_device *d, const char *why)
{
	d->stats.wrong++;
	if (d->status & VIRTIO_NEEDS_RESET)
		return;
	log_line(d->conf.log, LOG_LEVEL_WARNING,
		 "the client's driver broke the protocol, its device needs a reset: %s",
		 why);
	d->status |= VIRTIO_NEEDS_RESET;
	d->event = d->changed = true;
}

/* -- Status and features ------------------------------------------------------ */

uint64_t virtio_device_features(const struct virtio_device *d)
{
	uint64_t features = d->offered | VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM |
			    VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_RESET;

	return d->conf.memory->pool ? features | VIRTIO_F_INDIRECT_DESC : features;
}

void virtio_device_accept(struct virtio_device *d, uint32_t block, uint32_t bits)
{
	unsigned shift = 32 * (block & 1);

	if ((d->status & VIRTIO_FEATURES_OK) || (block > 1 && bits)) {
		virtio_device_wrong(d, block > 1 ? "it accepted a feature that there "
						   "is not"
						 : "features after FEATURES_OK");
		return;
	}
	if (block > 1)
		return;
	d->features &= ~((uint64_t)UINT32_MAX << shift);
	d->features |= (uint64_t)bits << shift;
	d->changed = true;
}

static bool device_agrees(const struct virtio_device *d)
{
	uint64_t must = VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM;

	return !(d->features & ~virtio_device_features(d)) &&
	       (d->features & must) == must &&
	       (!d->conf.class->agrees || d->conf.class->agrees(d, d->features));
}

/* Invariant 4. */
static const char *status_fault(uint32_t now, uint32_t next)
{
	static const uint32_t order[] = {VIRTIO_ACKNOWLEDGE, VIRTIO_DRIVER,
					 VIRTIO_FEATURES_OK, VIRTIO_DRIVER_OK};

	if (next & ~(uint32_t)(STATUS_DRIVERS | VIRTIO_NEEDS_RESET))
		return "a status bit that there is not";
	if (now & STATUS_DRIVERS & ~next)
		return "a status bit was taken back";
	for (unsigned i = 1; i < sizeof(order) / sizeof(order[0]); i++) {
		if ((next & order[i]) && !(next & order[i - 1]))
			return "status bits out of order";
	}
	if ((next & VIRTIO_DRIVER_OK) && !(now & VIRTIO_FEATURES_OK))
		return "DRIVER_OK without FEATURES_OK";
	return NULL;
}

static void settled(struct virtio_device *d)
{
	if (d->conf.class->settled)
		d->conf.class->settled(d);
}

enum virtio_answer virtio_device_set_status(struct virtio_device *d, uint32_t status)
{
	uint32_t added = status & ~d->status & STATUS_DRIVERS;
	const char *fault;

	d->changed = true;
	if (!status) {
		d->stats.resets++;
		d->resetting = true;
		device_drop(d);
		device_settle(d);
		return d->resetting ? VIRTIO_LATER : VIRTIO_NOW;
	}
	fault = status_fault(d->status, status);
	if (fault) {
		virtio_device_wrong(d, fault);
		return VIRTIO_NOW;
	}
	if ((added & VIRTIO_FEATURES_OK) && !device_agrees(d))
		added &= ~(uint32_t)VIRTIO_FEATURES_OK;
	d->status |= added;
	if (added & VIRTIO_FEATURES_OK)
		settled(d);
	return VIRTIO_NOW;
}

/* -- Queues ------------------------------------------------------------------ */

static const char *queue_fault(const struct virtio_device *d, uint32_t index,
			       uint32_t size, const uint64_t area[3])
{
	if (!(d->status & VIRTIO_FEATURES_OK))
		return "a queue before FEATURES_OK";
	if (index >= d->conf.queues)
		return "a queue that there is not";
	if (d->queue[index].open)
		return "a queue that is set up was set up again";
	if ((d->status & VIRTIO_DRIVER_OK) && !(d->features & VIRTIO_F_RING_RESET))
		return "a queue after DRIVER_OK";
	if (size < 2 || size > d->conf.queue_size || (size & (size - 1)))
		return "a queue's size";
	if (area[0] % 16 || area[1] % 2 || area[2] % 4)
		return "a queue's area is not aligned";
	return NULL;
}

/* It is set up just so: whoever follows one that died between doing it and counting
 * the message as taken does it again. */
static bool queue_is(const struct virtio_device *d, uint32_t index, uint32_t size,
		     const uint64_t area[3])
{
	const struct virtio_queue *q = index < d->conf.queues ? &d->queue[index] : NULL;

	return q && q->open && q->setup.size == size &&
	       !memcmp(q->setup.area, area, sizeof(q->setup.area));
}

static int device_set_queue(struct virtio_device *d, uint32_t index, uint32_t size,
			    const uint64_t area[3], bool attach)
{
	const char *fault = queue_fault(d, index, size, area);
	struct virtio_queue *q;
	int r;

	if (queue_is(d, index, size, area))
		return 0;
	if (fault) {
		virtio_device_wrong(d, fault);
		return 0;
	}
	q = &d->queue[index];
	q->setup.size = (uint16_t)size;
	memcpy(q->setup.area, area, sizeof(q->setup.area));
	r = virtio_queue_open(q, attach);
	if (r)
		q->setup = (struct virtio_queue_setup){0};
	if (r > 0)
		virtio_device_wrong(d, "a queue's area is not the client's to name, or "
				       "not as it must be");
	d->changed = true;
	return r < 0 ? r : 0;
}

int virtio_device_set_queue(struct virtio_device *d, uint32_t index, uint32_t size,
			    const uint64_t area[3])
{
	return device_set_queue(d, index, size, area, false);
}

enum virtio_answer virtio_device_reset_queue(struct virtio_device *d, uint32_t index)
{
	struct virtio_queue *q = index < d->conf.queues ? &d->queue[index] : NULL;

	if (!q || !(d->features & VIRTIO_F_RING_RESET)) {
		virtio_device_wrong(d, "a reset of a queue that there is not");
		return VIRTIO_NOW;
	}
	if (!q->open)
		return VIRTIO_NOW; /* as it was: see queue_is() */
	q->resetting = true;
	virtio_queue_drop(q);
	device_settle(d);
	return q->resetting ? VIRTIO_LATER : VIRTIO_NOW;
}

/* -- Configuration ----------------------------------------------------------- */

bool virtio_device_configure(struct virtio_device *d, uint32_t generation,
			     uint32_t offset, const uint8_t *data, uint32_t n)
{
	if (generation != d->generation || !d->conf.class->config_write ||
	    n > sizeof(d->written) || !d->conf.class->config_write(d, offset, data, n))
		return false;
	d->written_at = offset;
	d->written_bytes = n;
	memcpy(d->written, data, n);
	d->changed = true;
	return true;
}

void virtio_device_reconfigured(struct virtio_device *d)
{
	d->generation++;
	d->event = d->changed = true;
}

/* -- A successor ------------------------------------------------------------- */

void virtio_device_keep(const struct virtio_device *d, struct virtio_kept *out)
{
	*out = (struct virtio_kept){.generation = d->generation};
	if (d->resetting)
		return;
	*out = (struct virtio_kept){
		.status = d->status,
		.generation = d->generation,
		.features = d->features,
		.written_at = d->written_at,
		.written_bytes = d->written_bytes,
	};
	memcpy(out->written, d->written, sizeof(out->written));
	for (uint32_t i = 0; i < d->conf.queues; i++) {
		if (!d->queue[i].resetting)
			out->queue[i] = d->queue[i].setup;
	}
}

static const uint32_t restore_steps[] = {
	VIRTIO_ACKNOWLEDGE,
	VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER,
	VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK,
};

int virtio_device_restore(struct virtio_device *d, const struct virtio_kept *kept)
{
	int r = 0;

	virtio_device_begin(d);
	/* What the driver knows of its configuration may be what we would not say. */
	d->generation = kept->generation + 1;
	d->event = true;
	for (uint32_t block = 0; block < 2; block++)
		virtio_device_accept(d, block,
				     (uint32_t)(kept->features >> 32 * block));
	for (unsigned i = 0; i < sizeof(restore_steps) / sizeof(restore_steps[0]);
	     i++) {
		if (!(restore_steps[i] & ~kept->status))
			virtio_device_set_status(d, restore_steps[i]);
	}
	if (kept->written_bytes && kept->written_bytes <= sizeof(kept->written))
		virtio_device_configure(d, d->generation, kept->written_at,
					kept->written, kept->written_bytes);
	for (uint32_t i = 0; i < d->conf.queues && r >= 0; i++) {
		if (kept->queue[i].size)
			r = device_set_queue(d, i, kept->queue[i].size,
					     kept->queue[i].area, true);
	}
	if (r >= 0 && kept->status & STATUS_DRIVERS)
		virtio_device_set_status(d, kept->status & STATUS_DRIVERS);
	if (kept->status & VIRTIO_NEEDS_RESET)
		virtio_device_wrong(d, "before this process was started");
	return r;
}

/* -- The turn ---------------------------------------------------------------- */

bool virtio_device_admits(const struct virtio_device *d)
{
	return d->busy < d->conf.policy->in_flight;
}

static int device_release(struct virtio_device *d)
{
	int r = 0;

	while (d->done && r >= 0) {
		struct virtio_slot *slot = d->done;

		d->done = slot->next;
		r = virtio_slot_deliver(slot, !queue_live(d, slot->queue));
	}
	return r;
}

static int device_take(struct virtio_device *d, uint64_t now)
{
	int r = 0;

	for (uint32_t i = 0; i < d->conf.queues && r >= 0; i++) {
		if (queue_live(d, &d->queue[i]))
			r = virtio_queue_take(&d->queue[i], now);
	}
	return r;
}

/* Invariant 5: before all that may wait, and none of it for InFlight. */
static void device_post(struct virtio_device *d, uint64_t now)
{
	uint32_t started = 0;

	for (uint32_t i = 0; i < d->conf.queues; i++) {
		if (d->queue[i].posted && queue_live(d, &d->queue[i]))
			virtio_queue_start(&d->queue[i], now, &started);
	}
}

/* Queues take turns: each is asked once, first the one behind that which started
 * something last. So what they share, InFlight or a rate, is nobody's for ever, and one
 * that waits for something of its own holds up no other. */
static void device_start(struct virtio_device *d, uint64_t now)
{
	const uint32_t n = d->conf.queues, first = d->turn;

	device_post(d, now);
	for (uint32_t i = 0; i < n; i++) {
		const uint32_t at = (first + i) % n;
		struct virtio_queue *q = &d->queue[at];
		uint32_t started = 0;
		int r = queue_live(d, q) && !q->posted
				? virtio_queue_start(q, now, &started)
				: 0;

		if (started)
			d->turn = (at + 1) % n;
		if (r == VIRTIO_QUEUE_WAITS && !virtio_device_admits(d))
			break;
	}
	if (d->conf.class->fill && device_live(d) && !d->leaving)
		d->conf.class->fill(d, now);
}

static bool device_publish(struct virtio_device *d, uint64_t now)
{
	bool notify = false;

	for (uint32_t i = 0; i < d->conf.queues; i++) {
		if (queue_live(d, &d->queue[i]))
			notify |= virtio_queue_publish(&d->queue[i], now);
	}
	device_drop(d);
	return notify;
}

int virtio_device_turn(struct virtio_device *d, bool taking, uint64_t now, bool *notify)
{
	int r = 0;

	d->due = UINT64_MAX;
	for (uint32_t i = 0; i < d->conf.queues; i++)
		virtio_queue_turn(&d->queue[i]);
	do {
		r = device_release(d);
		d->freed = false;
		if (r >= 0 && taking)
			r = device_take(d, now);
		if (r >= 0)
			r = virtio_memory_flush(d->conf.memory);
		if (r < 0)
			return r;
		device_start(d, now);
	} while (d->done || d->freed);
	*notify |= device_publish(d, now);
	/* What was dropped makes room for who waits for it; what was recalled is home.
	 */
	if (d->freed || d->done)
		d->due = now;
	return device_settle(d);
}

/* There is something to take, if it is there. */
static bool queue_wants(const struct virtio_device *d, const struct virtio_queue *q)
{
	return queue_live(d, q) && virtio_queue_takes(q) &&
	       !(q->posted && d->conf.class->lacks && !d->conf.class->lacks(q));
}

bool virtio_device_arm(struct virtio_device *d)
{
	bool more = false;

	for (uint32_t i = 0; i < d->conf.queues; i++) {
		struct virtio_queue *q = &d->queue[i];

		if (queue_wants(d, q))
			more |= virtqueue_arm(&q->vq);
	}
	return more;
}

bool virtio_device_pending(const struct virtio_device *d)
{
	for (uint32_t i = 0; i < d->conf.queues; i++) {
		const struct virtio_queue *q = &d->queue[i];

		if (queue_wants(d, q) && virtqueue_pending(&q->vq))
			return true;
	}
	return false;
}
