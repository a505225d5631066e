/* SPDX-License-Identifier: MIT */
/* Orders of the control queue: see snd-virtio.h. */
#include "backends/snd/snd-virtio.h"

/* Of an order that must be asked for again; no answer of the wire. */
#define LATER ((enum snd_virtio_answer)0)

/* -- Saying why not ---------------------------------------------------------------- */

static void say(struct snd_virtio_stream *st, const char *name, const char *why)
{
	log_line(st->v->conf.keys.log, LOG_LEVEL_WARNING,
		 "%s of stream %u was refused: %s", name, st->number, why);
}

static enum snd_virtio_answer answer_of(struct snd_virtio_stream *st, const char *name,
					enum snd_status status)
{
	switch (status) {
	case SND_OK:
		return SND_VIRTIO_OK;
	case SND_INVALID:
		say(st, name, "it contradicts itself");
		return SND_VIRTIO_BAD_MSG;
	case SND_UNSUPPORTED:
		say(st, name, "the host's PCM does not have that");
		return SND_VIRTIO_NOT_SUPP;
	case SND_DENIED:
		say(st, name, "the policy does not allow that");
		return SND_VIRTIO_NOT_SUPP;
	case SND_FAILED:
		say(st, name, "the host's PCM failed");
		return SND_VIRTIO_IO_ERR;
	case SND_LATER:
	case SND_STATUSES:
		break;
	}
	return LATER;
}

/* -- What orders do ---------------------------------------------------------------- */

/* What was prepared is no more, and no buffer of it is played. */
static void stream_close(struct snd_virtio_stream *st)
{
	snd_virtio_flush(st);
	snd_close(st->snd, st->v->now);
	st->skips = st->fails = st->untold = false;
}

static enum snd_status set_params(struct snd_virtio_stream *st,
				  const struct snd_virtio_order *o)
{
	struct snd_config config = {
		.channels = o->channels,
		.size = o->buffer,
		.period = o->period,
	};
	enum snd_status status;

	if (o->features & ~SND_VIRTIO_PCM_F_EVT_XRUNS ||
	    !snd_virtio_format(o->format, &config.format) ||
	    !snd_virtio_rate(o->rate, &config.rate))
		return SND_UNSUPPORTED;
	if (!o->period || o->buffer % o->period)
		return SND_INVALID;
	status = snd_judge(st->snd, &config);
	if (status != SND_OK)
		return status;
	stream_close(st);
	st->config = config;
	st->features = o->features;
	return SND_OK;
}

static enum snd_status prepare(struct snd_virtio_stream *st,
			       const struct snd_virtio_order *o)
{
	enum snd_status status;

	(void)o;
	stream_close(st);
	status = snd_open(st->snd, &st->config, st->v->now);
	if (status == SND_LATER)
		snd_virtio_lower_due(st->v, snd_due(st->snd));
	if (status != SND_OK)
		return status;
	st->taken = 0;
	snd_set_levels(st->snd, &st->levels);
	return SND_OK;
}

static enum snd_status run(struct snd_virtio_stream *st,
			   const struct snd_virtio_order *o)
{
	(void)o;
	/* What was posted before is there from its first sample on. */
	snd_virtio_place(st);
	return snd_start(st->snd, st->v->now);
}

static enum snd_status stop(struct snd_virtio_stream *st,
			    const struct snd_virtio_order *o)
{
	(void)o;
	/* A successor may not have got it open again. */
	if (st->snd->state == SND_STATE_RUNNING)
		snd_pause(st->snd, st->v->now);
	return SND_OK;
}

static enum snd_status release(struct snd_virtio_stream *st,
			       const struct snd_virtio_order *o)
{
	(void)o;
	stream_close(st);
	return SND_OK;
}

/* -- The life of a stream: 5.14.6.6.1 ---------------------------------------------- */

#define FROM(state) (1u << SND_VIRTIO_##state)

/* In which states an order may come, and what the stream then becomes. A RELEASE of
 * what is released is none: Linux sends it again when the first one took too long. */
static const struct move {
	const char *name;
	uint8_t from;
	enum snd_virtio_state to;
	enum snd_status (*work)(struct snd_virtio_stream *st,
				const struct snd_virtio_order *o);
} moves[] = {
	{"SET_PARAMS", FROM(UNSET) | FROM(SET) | FROM(PREPARED), SND_VIRTIO_SET,
	 set_params},
	{"PREPARE", FROM(SET) | FROM(PREPARED), SND_VIRTIO_PREPARED, prepare},
	{"RELEASE", FROM(SET) | FROM(PREPARED) | FROM(STOPPED), SND_VIRTIO_SET,
	 release},
	{"START", FROM(PREPARED) | FROM(STOPPED), SND_VIRTIO_RUNNING, run},
	{"STOP", FROM(RUNNING), SND_VIRTIO_STOPPED, stop},
};

static enum snd_virtio_answer work_stream(struct snd_virtio *v,
					  const struct snd_virtio_order *o)
{
	struct snd_virtio_stream *st = o->id < v->streams ? &v->stream[o->id] : NULL;
	const struct move *move = &moves[o->code - SND_VIRTIO_PCM_SET_PARAMS];
	enum snd_virtio_answer answer;

	if (!st)
		return SND_VIRTIO_BAD_MSG;
	if (!(move->from & (1u << st->state))) {
		say(st, move->name, "its stream is not in a state for that");
		return SND_VIRTIO_BAD_MSG;
	}
	answer = answer_of(st, move->name, move->work(st, o));
	if (answer == SND_VIRTIO_OK)
		st->state = move->to;
	return answer;
}

void snd_virtio_reopen(struct snd_virtio_stream *st, const struct snd_kept *kept)
{
	static const enum snd_virtio_state states[SND_KEPT_STATES] = {
		[SND_KEPT_CLOSED] = SND_VIRTIO_UNSET,
		[SND_KEPT_SET] = SND_VIRTIO_SET,
		[SND_KEPT_OPEN] = SND_VIRTIO_PREPARED,
		[SND_KEPT_RUNNING] = SND_VIRTIO_RUNNING,
		[SND_KEPT_PAUSED] = SND_VIRTIO_STOPPED,
	};
	enum snd_status status = SND_OK;

	/* The client believes so, whatever is to be had. */
	st->state = states[kept->state];
	st->config = kept->config;
	st->features = kept->own & SND_VIRTIO_PCM_F_EVT_XRUNS;
	if (st->state < SND_VIRTIO_PREPARED)
		return;
	status = snd_open(st->snd, &st->config, st->v->now);
	if (status == SND_OK) {
		snd_set_levels(st->snd, &st->levels);
		st->skips = st->state != SND_VIRTIO_PREPARED;
		if (st->state == SND_VIRTIO_RUNNING)
			status = snd_start(st->snd, st->v->now);
	}
	if (status != SND_OK)
		log_line(st->v->conf.keys.log, LOG_LEVEL_WARNING,
			 "stream %u does not go on: its PCM is not to be had again",
			 st->number);
}

/* -- All --------------------------------------------------------------------------- */

/* Once, or again if it was too early: @out and *@n are the answer's bytes behind its
 * status. */
static enum snd_virtio_answer work(struct snd_virtio *v, struct snd_virtio_request *r,
				   uint8_t *out, uint32_t *n)
{
	switch ((enum snd_virtio_code)r->order.code) {
	case SND_VIRTIO_JACK_INFO:
	case SND_VIRTIO_PCM_INFO:
	case SND_VIRTIO_CHMAP_INFO:
	case SND_VIRTIO_CTL_INFO:
		return snd_virtio_items(v, r, out, n);
	case SND_VIRTIO_PCM_SET_PARAMS:
	case SND_VIRTIO_PCM_PREPARE:
	case SND_VIRTIO_PCM_RELEASE:
	case SND_VIRTIO_PCM_START:
	case SND_VIRTIO_PCM_STOP:
		return work_stream(v, &r->order);
	case SND_VIRTIO_CTL_READ:
	case SND_VIRTIO_CTL_WRITE:
	case SND_VIRTIO_CTL_TLV_READ:
		return snd_virtio_control(v, r, out, n);
	/* No jack can be remapped, no control has items or takes a scale. */
	case SND_VIRTIO_JACK_REMAP:
	case SND_VIRTIO_CTL_ENUM_ITEMS:
	case SND_VIRTIO_CTL_TLV_WRITE:
	case SND_VIRTIO_CTL_TLV_COMMAND:
	case SND_VIRTIO_EVT_XRUN:
		break;
	}
	return SND_VIRTIO_NOT_SUPP;
}

static bool keep_all(struct snd_virtio *v)
{
	for (uint32_t i = 0; i < v->streams; i++) {
		if (!snd_virtio_keep(&v->stream[i]))
			return false;
	}
	return true;
}

/* 5.14.6.6.5.1: not before its buffers are back. */
static bool is_released(struct snd_virtio *v, const struct snd_virtio_request *r)
{
	return r->order.code != SND_VIRTIO_PCM_RELEASE || r->answer != SND_VIRTIO_OK ||
	       snd_virtio_quiet(&v->stream[r->order.id]);
}

static void give_answer(struct snd_virtio *v, struct snd_virtio_request *r)
{
	uint8_t status[SND_VIRTIO_HEADER];

	virtio_put32(status, r->answer);
	virtio_parts_write(&r->slot->parts, 0, status, sizeof(status));
	v->stats.errors += r->answer != SND_VIRTIO_OK;
	virtio_slot_done(r->slot, sizeof(status) + r->behind, 0);
}

/* Room for the longest answer that it may get. */
static bool has_room(struct virtio_slot *slot)
{
	uint64_t room = virtio_parts_room(&slot->parts);
	uint32_t most = SND_VIRTIO_HEADER + SND_VIRTIO_BEHIND_MAX;

	return virtio_slot_room(slot, room < most ? (uint32_t)room : most);
}

/* Invariants 1 and 3. False: the order at the front waits. */
static bool serve_order(struct snd_virtio *v)
{
	struct snd_virtio_request *r = v->posted[SND_VIRTIO_CONTROL].first->request;
	uint8_t behind[SND_VIRTIO_BEHIND_MAX];

	if (!has_room(r->slot))
		return false;
	if (!r->answer) {
		r->answer = work(v, r, behind, &r->behind);
		if (r->answer == LATER)
			return false;
		virtio_parts_write(&r->slot->parts, SND_VIRTIO_HEADER, behind,
				   r->behind);
	}
	if (!keep_all(v) || !is_released(v, r))
		return false;
	virtio_posted_take(&v->posted[SND_VIRTIO_CONTROL]);
	give_answer(v, r);
	return true;
}

void snd_virtio_serve_orders(struct snd_virtio *v)
{
	while (v->posted[SND_VIRTIO_CONTROL].first && serve_order(v))
		;
}
