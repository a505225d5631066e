/* SPDX-License-Identifier: MIT */
/* What a sound device says of itself over virtio, its life and its turn: see
 * snd-virtio.h. An order is snd-virtio-order.c, what the device has snd-virtio-item.c,
 * samples and events are snd-virtio-data.c. */
#include "backends/snd/snd-virtio.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "common/clock.h"

uint32_t snd_virtio_size_max(const struct snd_policy *snd)
{
	return snd->buffer;
}

struct snd_virtio_stream *snd_virtio_way(struct snd_virtio *v, bool capture)
{
	for (uint32_t i = 0; i < v->streams; i++) {
		if (v->stream[i].capture == capture)
			return &v->stream[i];
	}
	return NULL;
}

void snd_virtio_lower_due(struct snd_virtio *v, uint64_t due)
{
	if (due < v->door.device.due)
		v->door.device.due = due;
}

/* -- What is kept -------------------------------------------------------------- */

static void kept_of(const struct snd_virtio_stream *st, struct snd_kept *out)
{
	static const enum snd_kept_state states[SND_VIRTIO_STATES] = {
		[SND_VIRTIO_UNSET] = SND_KEPT_CLOSED,
		[SND_VIRTIO_SET] = SND_KEPT_SET,
		[SND_VIRTIO_PREPARED] = SND_KEPT_OPEN,
		[SND_VIRTIO_RUNNING] = SND_KEPT_RUNNING,
		[SND_VIRTIO_STOPPED] = SND_KEPT_PAUSED,
	};

	*out = (struct snd_kept){states[st->state], st->config, st->features};
}

bool snd_virtio_keep(struct snd_virtio_stream *st)
{
	struct snd_virtio *v = st->v;
	struct snd_kept kept;
	int r;

	kept_of(st, &kept);
	r = snd_keep(&st->kept, &v->conf.keys, st->number, &kept, &st->levels);
	if (r == -EAGAIN)
		snd_virtio_lower_due(v, v->now + KEYS_AGAIN);
	else if (r)
		v->door.device.error = r;
	return !r;
}

/* As it is after a reset: but for what is kept. */
static void forget(struct snd_virtio_stream *st)
{
	snd_close(st->snd, st->v->now);
	st->state = SND_VIRTIO_UNSET;
	st->features = 0;
	st->skips = st->fails = st->untold = false;
	st->levels = (struct snd_levels){0};
}

static void forget_all(struct snd_virtio *v)
{
	for (uint32_t i = 0; i < v->streams; i++)
		forget(&v->stream[i]);
}

/* -- What the device is ------------------------------------------------------------ */

static void describe(struct virtio_device *d)
{
	const struct snd_virtio *v = d->conf.owner;

	memset(d->config, 0, sizeof(d->config));
	d->config_bytes = SND_VIRTIO_CONFIG_BYTES;
	d->offered = SND_VIRTIO_F_CTLS;
	virtio_put32(d->config + SND_VIRTIO_CONFIG_JACKS, v->streams);
	virtio_put32(d->config + SND_VIRTIO_CONFIG_STREAMS, v->streams);
	virtio_put32(d->config + SND_VIRTIO_CONFIG_CHMAPS, snd_virtio_chmap_count(v));
	virtio_put32(d->config + SND_VIRTIO_CONFIG_CONTROLS, 2 * v->streams);
}

static bool reset(struct virtio_device *d)
{
	struct snd_virtio *v = d->conf.owner;
	bool kept = true;

	forget_all(v);
	for (uint32_t i = 0; i < v->streams; i++)
		kept = snd_virtio_keep(&v->stream[i]) && kept;
	return kept;
}

/* -- Chains ------------------------------------------------------------------------ */

/* Invariant 5. */
static const char *chain_fault(const struct virtio_slot *slot)
{
	uint64_t readable = virtio_parts_readable(&slot->parts);
	uint64_t room = virtio_parts_room(&slot->parts);

	switch (snd_virtio_queue_of(slot->queue)) {
	case SND_VIRTIO_CONTROL:
		return readable < SND_VIRTIO_HEADER || room < SND_VIRTIO_HEADER
			       ? "an order without its code or its answer"
			       : NULL;
	case SND_VIRTIO_EVENT:
		return readable || room < SND_VIRTIO_EVENT_BYTES
			       ? "a buffer that does not hold an event"
			       : NULL;
	case SND_VIRTIO_TX:
	case SND_VIRTIO_RX:
		return readable < SND_VIRTIO_XFER || room < SND_VIRTIO_STATUS
			       ? "samples without their stream or their status"
			       : NULL;
	case SND_VIRTIO_QUEUES:
		break;
	}
	return NULL;
}

static void decode_order(struct snd_virtio_request *r)
{
	const struct virtio_parts *parts = &r->slot->parts;
	uint64_t n = virtio_parts_readable(parts);
	uint8_t bytes[SND_VIRTIO_ORDER_MAX];

	if (n > sizeof(bytes))
		n = sizeof(bytes);
	virtio_parts_read(parts, 0, bytes, (size_t)n);
	if (!snd_virtio_decode(bytes, (uint32_t)n, &r->order))
		r->answer = SND_VIRTIO_BAD_MSG;
}

/* Once. */
static void decode(struct virtio_slot *slot)
{
	struct snd_virtio_request *r = slot->request;
	const char *fault = chain_fault(slot);

	slot->fresh = false;
	*r = (struct snd_virtio_request){.slot = slot};
	if (fault)
		virtio_device_wrong(slot->queue->device, fault);
	else if (slot->failed)
		r->answer = SND_VIRTIO_IO_ERR;
	else if (snd_virtio_queue_of(slot->queue) == SND_VIRTIO_CONTROL)
		decode_order(r);
	else if (snd_virtio_queue_of(slot->queue) != SND_VIRTIO_EVENT)
		snd_virtio_decode_data(r);
}

/* -- From the queues ----------------------------------------------------------- */

static bool is_wrong(const struct virtio_device *d)
{
	return d->status & VIRTIO_NEEDS_RESET;
}

static bool admit(struct virtio_slot *slot, uint64_t now)
{
	struct snd_virtio *v = snd_virtio_of(slot->queue);
	struct snd_virtio_request *r = slot->request;

	if (slot->fresh)
		decode(slot);
	/* It is wrong itself: it stays where it is, to be dropped. */
	if (is_wrong(slot->queue->device))
		return false;
	if (snd_virtio_queue_of(slot->queue) == SND_VIRTIO_EVENT)
		return true;
	return toll_pay(&v->toll, &r->paid, snd_virtio_cost(r), now,
			&v->door.device.due);
}

static void count(struct snd_virtio *v, const struct snd_virtio_request *r)
{
	struct snd_virtio_stats *stats = &v->stats;
	enum snd_virtio_queue queue = snd_virtio_queue_of(r->slot->queue);

	stats->orders += queue == SND_VIRTIO_CONTROL;
	stats->buffers += queue == SND_VIRTIO_TX || queue == SND_VIRTIO_RX;
	stats->refused += r->slot->failed;
	stats->malformed += r->answer == SND_VIRTIO_BAD_MSG;
}

static void start(struct virtio_slot *slot)
{
	struct snd_virtio *v = snd_virtio_of(slot->queue);

	count(v, slot->request);
	virtio_posted_put(&v->posted[snd_virtio_queue_of(slot->queue)], slot);
}

static void fill(struct virtio_device *d, uint64_t now)
{
	struct snd_virtio *v = d->conf.owner;

	(void)now;
	snd_virtio_serve_orders(v);
	if (!d->error)
		snd_virtio_serve_data(v);
}

static bool lacks(const struct virtio_queue *q)
{
	struct snd_virtio *v = snd_virtio_of(q);
	enum snd_virtio_queue queue = snd_virtio_queue_of(q);
	const struct snd_virtio_stream *st;

	if (queue == SND_VIRTIO_CONTROL)
		return true;
	if (queue == SND_VIRTIO_EVENT)
		return false; /* invariant 6 */
	st = snd_virtio_way(v, queue == SND_VIRTIO_RX);
	return !st || snd_virtio_hungry(st);
}

static void recall(struct virtio_queue *q)
{
	virtio_posted_return(&snd_virtio_of(q)->posted[snd_virtio_queue_of(q)]);
}

static void undelivered(struct virtio_slot *slot)
{
	struct snd_virtio *v = snd_virtio_of(slot->queue);

	log_line(v->conf.keys.log, LOG_LEVEL_WARNING,
		 "a buffer cannot be written: refused, or not granted");
	v->stats.undelivered++;
	virtio_slot_done(slot, 0, 0);
}

static void answered(struct virtio_slot *slot, uint64_t now)
{
	const struct snd_virtio_request *r = slot->request;
	enum snd_virtio_queue queue = snd_virtio_queue_of(slot->queue);

	if (queue >= SND_VIRTIO_TX && r->answer == SND_VIRTIO_OK)
		histogram_add(&snd_virtio_of(slot->queue)->stats.latency,
			      now - slot->taken_at);
}

static const struct virtio_class snd_class = {
	.id = VIRTIO_ID_SOUND,
	.request_bytes = sizeof(struct snd_virtio_request),
	.describe = describe,
	.reset = reset,
	.admit = admit,
	.start = start,
	.undelivered = undelivered,
	.fill = fill,
	.lacks = lacks,
	.recall = recall,
	.answered = answered,
};

/* -- The door ---------------------------------------------------------------------- */

static void end(struct snd_virtio *v)
{
	v->ending = snd_card_on(v->conf.card);
	if (!v->ending)
		v->conf.detached(v);
}

static void detached(struct virtio_door *door)
{
	end(door->conf.owner);
}

static void init_streams(struct snd_virtio *v)
{
	for (uint32_t i = 0; i < v->conf.card->streams; i++) {
		struct snd_virtio_stream *st = &v->stream[i];

		assert(i < SND_VIRTIO_STREAMS);
		*st = (struct snd_virtio_stream){
			.v = v,
			.snd = &v->conf.card->stream[i],
			.number = i,
			.capture = v->conf.snd_policy->stream[i].capture,
		};
		v->streams++;
	}
}

int snd_virtio_init(struct snd_virtio *v, const struct snd_virtio_conf *conf)
{
	struct virtio_door_conf door = {
		.class = &snd_class,
		.policy = conf->policy,
		.keys = conf->keys,
		.owner = v,
		.queues = SND_VIRTIO_QUEUES,
		.posted = (1u << SND_VIRTIO_QUEUES) - 1,
		.queue_size = SND_VIRTIO_QUEUE_SIZE,
		.detached = detached,
	};

	*v = (struct snd_virtio){.conf = *conf};
	init_streams(v);
	return virtio_door_init(&v->door, &door);
}

void snd_virtio_fini(struct snd_virtio *v)
{
	virtio_door_fini(&v->door);
}

int snd_virtio_offer(struct snd_virtio *v)
{
	return virtio_door_offer(&v->door);
}

/* Of a connection before this one it must not be said that it goes on. */
static int begin_kept(struct snd_virtio *v, bool attach, struct snd_kept *was)
{
	for (uint32_t i = 0; i < v->streams; i++) {
		struct snd_virtio_stream *st = &v->stream[i];
		int r = 0;

		st->kept = (struct snd_keeping){0};
		if (attach)
			r = snd_kept_read(&v->conf.keys, i, &was[i], &st->levels);
		else if (!snd_virtio_keep(st))
			r = v->door.device.error ? v->door.device.error : -EAGAIN;
		if (r)
			return r;
	}
	return 0;
}

/* A device that the predecessor's driver had in use. */
static bool goes_on(const struct virtio_device *d)
{
	return (d->status & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) ==
	       VIRTIO_DRIVER_OK;
}

int snd_virtio_connect(struct snd_virtio *v, bool attach, uint64_t now)
{
	struct snd_kept was[SND_VIRTIO_STREAMS];
	int r;

	v->now = now;
	v->ending = false;
	memset(v->posted, 0, sizeof(v->posted));
	forget_all(v);
	toll_init(&v->toll, v->conf.policy, now);
	/* All that may have to be asked for again comes before anything goes on. */
	r = begin_kept(v, attach, was);
	if (!r)
		r = virtio_door_connect(&v->door, attach, now);
	for (uint32_t i = 0; !r && attach && i < v->streams; i++) {
		if (goes_on(&v->door.device))
			snd_virtio_reopen(&v->stream[i], &was[i]);
	}
	return r;
}

void snd_virtio_detach(struct snd_virtio *v)
{
	if (v->door.state != VIRTIO_DOOR_UP)
		return;
	for (uint32_t i = 0; i < v->streams; i++)
		snd_close(v->stream[i].snd, v->now);
	virtio_door_detach(&v->door);
}

int snd_virtio_turn(struct snd_virtio *v, uint64_t now)
{
	int r;

	v->now = now;
	if (v->ending) {
		end(v);
		return 0;
	}
	r = virtio_door_turn(&v->door, now);
	if (is_wrong(&v->door.device))
		forget_all(v);
	return r;
}

uint64_t snd_virtio_due(const struct snd_virtio *v)
{
	return virtio_door_due(&v->door);
}

bool snd_virtio_arm(struct snd_virtio *v)
{
	return virtio_door_arm(&v->door);
}

bool snd_virtio_pending(const struct snd_virtio *v)
{
	return virtio_door_pending(&v->door);
}

void snd_virtio_limits(struct snd_virtio *v, uint64_t now)
{
	if (v->door.state == VIRTIO_DOOR_DOWN)
		return;
	toll_change(&v->toll, v->conf.policy, now);
	v->door.device.due = now;
}
