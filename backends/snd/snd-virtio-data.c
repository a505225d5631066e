/* SPDX-License-Identifier: MIT */
/* Buffers of samples on their way, and events: see snd-virtio.h. */
#include <string.h>

#include "backends/snd/snd-virtio.h"

static struct snd_virtio_stream *stream_of(const struct snd_virtio_request *r)
{
	const struct virtio_queue *q = r->slot->queue;

	return snd_virtio_way(snd_virtio_of(q),
			      snd_virtio_queue_of(q) == SND_VIRTIO_RX);
}

static struct virtio_posted *posted_of(const struct snd_virtio_stream *st)
{
	return &st->v->posted[st->capture ? SND_VIRTIO_RX : SND_VIRTIO_TX];
}

static bool is_prepared(const struct snd_virtio_stream *st)
{
	return st->state >= SND_VIRTIO_PREPARED;
}

/* Its PCM is there: not so, if a successor did not get it again. */
static bool is_open(const struct snd_virtio_stream *st)
{
	return is_prepared(st) && st->snd->state != SND_STATE_CLOSED;
}

/* -- Decoding ---------------------------------------------------------------------- */

void snd_virtio_decode_data(struct snd_virtio_request *r)
{
	const struct virtio_parts *parts = &r->slot->parts;
	const struct snd_virtio_stream *st = stream_of(r);
	bool capture = snd_virtio_queue_of(r->slot->queue) == SND_VIRTIO_RX;
	uint64_t readable = virtio_parts_readable(parts) - SND_VIRTIO_XFER;
	uint64_t room = virtio_parts_room(parts) - SND_VIRTIO_STATUS;
	uint64_t bytes = capture ? room : readable;
	uint8_t stream[SND_VIRTIO_XFER];

	virtio_parts_read(parts, 0, stream, sizeof(stream));
	if (!st || virtio_le32(stream) != st->number || bytes > SND_BUFFER_MAX ||
	    (capture ? readable : room))
		r->answer = SND_VIRTIO_BAD_MSG;
	else
		r->bytes = (uint32_t)bytes;
}

uint32_t snd_virtio_cost(const struct snd_virtio_request *r)
{
	/* Of orders, and of what is none, 0. */
	return r->bytes && is_prepared(stream_of(r)) ? r->bytes : 0;
}

/* Of a stream that is prepared: whole units that its ring can hold. */
static bool fits(const struct snd_virtio_stream *st, const struct snd_virtio_request *r)
{
	const struct snd *s = st->snd;

	return r->bytes <= s->config.size && !(r->bytes % s->unit.bytes);
}

/* -- Back to the client ------------------------------------------------------------ */

/* The oldest of its queue may be answered: its status is behind all else. */
static bool has_room(struct virtio_slot *slot)
{
	return virtio_slot_room(slot, (uint32_t)virtio_parts_room(&slot->parts));
}

/* It has room. Of one with an error nothing but its status was written. */
static void give_back(struct virtio_posted *posted, enum snd_virtio_answer answer,
		      uint32_t latency)
{
	struct virtio_slot *slot = virtio_posted_take(posted);
	struct snd_virtio_request *r = slot->request;
	uint64_t room = virtio_parts_room(&slot->parts);
	uint8_t status[SND_VIRTIO_STATUS];

	virtio_put32(status, answer);
	virtio_put32(status + 4, latency);
	virtio_parts_write(&slot->parts, room - sizeof(status), status, sizeof(status));
	r->answer = answer;
	if (answer == SND_VIRTIO_OK)
		virtio_slot_done(slot, room, 0);
	else
		virtio_slot_done(slot, 0, sizeof(status));
}

/* @r can be neither played nor filled: how it is answered, or 0. */
static enum snd_virtio_answer fault_of(const struct snd_virtio_stream *st,
				       const struct snd_virtio_request *r)
{
	if (r->answer)
		return r->answer;
	if (!st || !is_prepared(st))
		return SND_VIRTIO_IO_ERR;
	return is_open(st) && !fits(st, r) ? SND_VIRTIO_BAD_MSG : 0;
}

void snd_virtio_flush(struct snd_virtio_stream *st)
{
	for (struct virtio_slot *slot = posted_of(st)->first; slot; slot = slot->next) {
		struct snd_virtio_request *r = slot->request;

		if (r->answer)
			continue;
		r->answer = SND_VIRTIO_IO_ERR;
		st->v->stats.flushed++;
	}
}

bool snd_virtio_quiet(struct snd_virtio_stream *st)
{
	const struct virtio_queue *q =
		&st->v->door.device.queue[st->capture ? SND_VIRTIO_RX : SND_VIRTIO_TX];

	if (!q->open || q->vq.why)
		return true;
	if (virtio_queue_idle(q) && !q->held && !virtqueue_pending(&q->vq))
		return true;
	/* What waits for a rate has a due of its own. */
	if (virtio_queue_takes(q))
		snd_virtio_lower_due(st->v, st->v->now);
	return false;
}

/* -- Playing ----------------------------------------------------------------------- */

/* Where the client's next samples are to be played: behind what is there, or, if it is
 * late, where the PCM is now. */
static uint64_t next_at(const struct snd *s)
{
	return s->written > s->position ? s->written : s->position;
}

/* Into the ring, which has room for it. */
static void place(struct snd_virtio_stream *st, struct snd_virtio_request *r)
{
	struct snd *s = st->snd;
	uint64_t begin = next_at(s);
	uint32_t done = 0;

	while (done < r->bytes) {
		uint32_t at = (uint32_t)((begin + done) % s->config.size);
		uint32_t n = r->bytes - done;

		if (n > s->config.size - at)
			n = s->config.size - at;
		virtio_parts_read(&r->slot->parts, SND_VIRTIO_XFER + (uint64_t)done,
				  snd_at(s, at, n), n);
		snd_wrote(s, at, n);
		done += n;
	}
	r->placed = true;
	r->end = begin + r->bytes;
	st->v->stats.written_bytes += r->bytes;
}

static bool has_place(const struct snd *s, uint32_t bytes)
{
	return bytes <= s->config.size - (next_at(s) - s->position);
}

/* Of what a predecessor had begun to play nothing is left to play. */
static void skip(struct snd_virtio_stream *st, struct snd_virtio_request *r)
{
	st->skips = false;
	r->placed = true;
	r->end = st->snd->position;
}

void snd_virtio_place(struct snd_virtio_stream *st)
{
	struct virtio_slot *slot;

	if (st->capture || !is_open(st))
		return;
	for (slot = posted_of(st)->first; slot; slot = slot->next) {
		struct snd_virtio_request *r = slot->request;

		if (r->placed || fault_of(st, r))
			continue;
		if (st->skips)
			skip(st, r);
		else if (has_place(st->snd, r->bytes))
			place(st, r);
		else
			return;
	}
}

static uint32_t latency(const struct snd *s)
{
	return s->queued / s->unit.frames * s->unit.bytes;
}

static void serve_played(struct snd_virtio *v)
{
	struct snd_virtio_stream *st = snd_virtio_way(v, false);
	struct virtio_posted *posted = &v->posted[SND_VIRTIO_TX];

	if (st)
		snd_virtio_place(st);
	while (posted->first) {
		const struct snd_virtio_request *r = posted->first->request;
		enum snd_virtio_answer fault = fault_of(st, r);

		if (!fault && (!r->placed || st->snd->position < r->end))
			return;
		if (!has_room(posted->first))
			return;
		give_back(posted, fault ? fault : SND_VIRTIO_OK,
			  fault ? 0 : latency(st->snd));
	}
}

/* -- Recording --------------------------------------------------------------------- */

/* What the client took too late is gone. */
static void catch_up(struct snd_virtio_stream *st)
{
	const struct snd *s = st->snd;

	if (s->position - st->taken <= s->config.size)
		return;
	st->taken = s->position - s->config.size;
	st->untold = true;
	st->v->stats.overruns++;
}

static void take(struct snd_virtio_stream *st, struct snd_virtio_request *r)
{
	const struct snd *s = st->snd;
	uint32_t done = 0;

	while (done < r->bytes) {
		uint32_t at = (uint32_t)(st->taken % s->config.size);
		uint32_t n = r->bytes - done;

		if (n > s->config.size - at)
			n = s->config.size - at;
		virtio_parts_write(&r->slot->parts, done, snd_at(s, at, n), n);
		st->taken += n;
		done += n;
	}
	st->v->stats.read_bytes += r->bytes;
}

static void serve_recorded(struct snd_virtio *v)
{
	struct snd_virtio_stream *st = snd_virtio_way(v, true);
	struct virtio_posted *posted = &v->posted[SND_VIRTIO_RX];

	if (st && is_open(st))
		catch_up(st);
	while (posted->first) {
		struct snd_virtio_request *r = posted->first->request;
		enum snd_virtio_answer fault = fault_of(st, r);

		if (!fault &&
		    (!is_open(st) || st->snd->position - st->taken < r->bytes))
			return;
		if (!has_room(posted->first))
			return;
		if (!fault)
			take(st, r);
		give_back(posted, fault ? fault : SND_VIRTIO_OK, 0);
	}
}

/* -- Events ------------------------------------------------------------------------ */

/* A running stream that starves, or whose PCM failed. */
static void look(struct snd_virtio_stream *st)
{
	bool fails = st->state == SND_VIRTIO_RUNNING &&
		     (!is_open(st) || st->snd->error || st->snd->starved);

	st->untold |= fails && !st->fails;
	st->fails = fails;
}

/* Invariant 6. */
static void serve_events(struct snd_virtio *v)
{
	struct virtio_posted *posted = &v->posted[SND_VIRTIO_EVENT];

	for (uint32_t i = 0; i < v->streams; i++) {
		struct snd_virtio_stream *st = &v->stream[i];
		uint8_t event[SND_VIRTIO_EVENT_BYTES];

		look(st);
		if (!st->untold)
			continue;
		st->untold = false;
		if (!(st->features & SND_VIRTIO_PCM_F_EVT_XRUNS) || !posted->first ||
		    !virtio_slot_room(posted->first, sizeof(event)))
			continue;
		virtio_put32(event, SND_VIRTIO_EVT_XRUN);
		virtio_put32(event + 4, st->number);
		virtio_parts_write(&posted->first->parts, 0, event, sizeof(event));
		virtio_slot_done(virtio_posted_take(posted), sizeof(event), 0);
		v->stats.events++;
	}
}

void snd_virtio_serve_data(struct snd_virtio *v)
{
	serve_played(v);
	serve_recorded(v);
	serve_events(v);
}

/* -- When to be told of more --------------------------------------------------- */

/* A stream that runs is looked at by its PCM's pace, and what was posted is taken then:
 * an event is worth its price where the next look might come too late. */
bool snd_virtio_hungry(const struct snd_virtio_stream *st)
{
	const struct snd *s = st->snd;

	if (!is_open(st) || !s->on)
		return true;
	if (st->capture)
		return !posted_of(st)->first;
	return (next_at(s) - s->position) / s->unit.bytes * s->unit.frames <
	       s->conf.host->params.buffer;
}
