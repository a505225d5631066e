/* SPDX-License-Identifier: MIT */
/*
 * The device's turn: what is taken, answered and told. What a request does is
 * snd-pv-request.c; what is said in xenstore, and the set-up of rings,
 * snd-pv-connect.c.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/snd/snd-pv.h"
#include "common/clock.h"

static void pv_break(struct snd_pv *pv, const char *why)
{
	if (!pv->why)
		pv->why = why;
}

static void pv_due(struct snd_pv *pv, uint64_t due)
{
	if (due < pv->due)
		pv->due = due;
}

/* -- Requests ------------------------------------------------------------- */

static bool stream_take(struct snd_pv_stream *st)
{
	struct snd_pv *pv = st->pv;
	uint8_t entry[SNDIF_ENTRY];
	enum pv_ring_status status = pv_ring_take(&st->channel.ring, entry);

	if (status == PV_RING_BROKEN)
		pv_break(pv, "its request index passed its requests");
	if (status != PV_RING_OK)
		return false;
	pv->stats.requests++;
	st->step = SND_PV_TAKEN;
	st->paid = (struct toll_paid){0};
	st->status = SND_OK;
	st->taken_at = pv->now;
	if (sndif_decode(entry, &st->rq) != SNDIF_GOOD) {
		pv->stats.malformed++;
		st->status = SND_UNSUPPORTED;
		log_line(pv->conf.keys.log, LOG_LEVEL_WARNING,
			 "a request was refused: there is no operation %u, or no such "
			 "trigger",
			 st->rq.operation);
	}
	return true;
}

static uint64_t stream_bytes(const struct snd_pv_stream *st)
{
	bool moves = st->status == SND_OK && (st->rq.operation == SNDIF_READ ||
					      st->rq.operation == SNDIF_WRITE);
	uint64_t most = st->snd->config.size;

	if (!moves)
		return 0;
	/* More is refused, and no one owes for what was not moved. */
	return st->rq.rw.len < most ? st->rq.rw.len : most;
}

/* Invariant 2. False: it waits. */
static bool stream_work(struct snd_pv_stream *st)
{
	struct snd_pv *pv = st->pv;

	if (!toll_pay(&pv->toll, &st->paid, stream_bytes(st), pv->now, &pv->due))
		return false;
	if (st->status == SND_OK)
		st->status = snd_pv_work(st);
	if (st->status == SND_LATER) {
		st->status = SND_OK;
		pv_due(pv, snd_due(st->snd));
		return false;
	}
	st->step = SND_PV_WORKED;
	return true;
}

/* Invariant 5. False: it waits, or our environment failed. */
static bool stream_keep(struct snd_pv_stream *st)
{
	const struct snd *snd = st->snd;
	const struct snd_kept kept = {(enum snd_kept_state)snd->state, snd->config,
				      st->directory.v};
	struct snd_pv *pv = st->pv;
	int r = snd_keep(&st->kept, &pv->conf.keys, st->number, &kept, &snd->levels);

	if (r == -EAGAIN)
		pv_due(pv, pv->now + KEYS_AGAIN);
	else if (r)
		pv->error = r;
	return !r;
}

static void stream_answer(struct snd_pv_stream *st)
{
	struct snd_pv_stats *stats = &st->pv->stats;
	uint8_t answer[SNDIF_ANSWER_QUERY];
	uint32_t n = sndif_encode(&st->rq, st->status, answer);

	if (n > SNDIF_ANSWER)
		pv_ring_put_repeatable(&st->channel.ring, answer, n);
	else
		pv_ring_put(&st->channel.ring, answer, n);
	stats->answers++;
	stats->errors += st->status != SND_OK;
	if (st->rq.operation == SNDIF_READ || st->rq.operation == SNDIF_WRITE)
		histogram_add(&stats->latency, st->pv->now - st->taken_at);
	st->step = SND_PV_IDLE;
}

/* Invariants 1 and 6. */
static void stream_serve(struct snd_pv_stream *st)
{
	struct snd_pv *pv = st->pv;

	for (uint32_t i = 0; i < st->channel.ring.entries && !pv->why && !pv->error;
	     i++) {
		if (st->step == SND_PV_IDLE && !stream_take(st))
			return;
		if (st->step == SND_PV_TAKEN && !stream_work(st))
			return;
		if (pv->error || !stream_keep(st))
			return;
		stream_answer(st);
	}
	if (st->step == SND_PV_IDLE && pv_ring_pending(&st->channel.ring))
		pv_due(pv, pv->now);
}

/* -- The position --------------------------------------------------------- */

/* Periods whose first unit has passed: Linux's front end (6.1) tells its application of
 * one only when more than a period has come together. */
static uint64_t stream_periods(const struct snd_pv_stream *st, uint64_t position)
{
	const struct snd *s = st->snd;

	return (position + s->config.period - s->unit.bytes) / s->config.period;
}

static void stream_tell(struct snd_pv_stream *st)
{
	const struct snd *s = st->snd;
	uint8_t event[SNDIF_ENTRY];

	if (s->state == SND_STATE_CLOSED || !s->config.period ||
	    s->position == st->told)
		return;
	/* Where it stands still, exactly so: a stop has moved it. */
	if (s->state == SND_STATE_RUNNING &&
	    stream_periods(st, s->position) == stream_periods(st, st->told))
		return;
	/* The next position says it, too. */
	if (!pv_events_room(&st->channel.events)) {
		st->pv->stats.full++;
		return;
	}
	sndif_encode_position(pv_events_id(&st->channel.events), s->position, event);
	pv_events_put(&st->channel.events, event);
	st->told = s->position;
	st->pv->stats.events++;
}

/* -- The turn ------------------------------------------------------------------------
 */

static void stream_notify(struct snd_pv_stream *st, struct evport port)
{
	struct snd_pv *pv = st->pv;
	int r = evtchn_notify(pv->conf.keys.evtchn, port);

	pv->stats.notifies++;
	if (r < 0)
		pv->error = r;
}

/* Nothing is said on a ring beside a broken one. Where a stop has moved the position to
 * is said before the stop is answered: what the client does next builds on it. */
static void stream_push(struct snd_pv_stream *st)
{
	if (pv_events_push(&st->channel.events))
		stream_notify(st, st->channel.events_port);
	if (st->channel.ring.rsp_prod != st->channel.ring.pushed) {
		st->pv->stats.pushes++;
		if (pv_ring_push(&st->channel.ring))
			stream_notify(st, st->channel.port);
	}
}

static void pv_serve(struct snd_pv *pv)
{
	pv->due = UINT64_MAX;
	for (uint32_t i = 0; i < pv->streams && !pv->error; i++) {
		struct snd_pv_stream *st = &pv->stream[i];

		if (!st->channel.open)
			continue;
		if (pv->state == SND_PV_UP && !pv->why)
			stream_serve(st);
		if (!pv->why && !pv->error)
			stream_tell(st);
		if (!pv->why && !pv->error)
			stream_push(st);
	}
}

static void pv_end(struct snd_pv *pv)
{
	int r = snd_pv_close(pv);

	pv->state = SND_PV_DOWN;
	pv->due = UINT64_MAX;
	if (r < 0)
		pv->error = r;
	else
		pv->conf.detached(pv);
}

int snd_pv_turn(struct snd_pv *pv, uint64_t now)
{
	if (pv->error || pv->state == SND_PV_DOWN)
		return pv->error;
	pv->now = now;
	pv_serve(pv);
	if (pv->error)
		return pv->error;
	if (pv->state == SND_PV_STOPPING) {
		if (!snd_card_on(pv->conf.card))
			pv_end(pv);
	} else if (pv->why && !pv->told) {
		pv->told = true;
		pv->conf.broken(pv, pv->why);
	}
	return pv->error;
}

static bool pv_takes(const struct snd_pv *pv)
{
	return pv->state == SND_PV_UP && !pv->why && !pv->error;
}

/* Who waits is woken by what it waits for. */
static bool stream_listens(const struct snd_pv_stream *st)
{
	return st->channel.open && st->step == SND_PV_IDLE;
}

bool snd_pv_arm(struct snd_pv *pv)
{
	bool more = false;

	for (uint32_t i = 0; pv_takes(pv) && i < pv->streams; i++) {
		struct snd_pv_stream *st = &pv->stream[i];

		if (stream_listens(st) && pv_ring_final_check(&st->channel.ring))
			more = true;
	}
	return more;
}

bool snd_pv_pending(const struct snd_pv *pv)
{
	for (uint32_t i = 0; pv_takes(pv) && i < pv->streams; i++) {
		const struct snd_pv_stream *st = &pv->stream[i];

		if (stream_listens(st) && pv_ring_pending(&st->channel.ring))
			return true;
	}
	return false;
}

void snd_pv_detach(struct snd_pv *pv)
{
	if (pv->state != SND_PV_UP)
		return;
	pv->state = SND_PV_STOPPING;
	for (uint32_t i = 0; i < pv->streams; i++)
		snd_pv_shut(&pv->stream[i]);
	if (!snd_card_on(pv->conf.card) && !pv->error)
		pv_end(pv);
}

uint64_t snd_pv_due(const struct snd_pv *pv)
{
	return pv->state == SND_PV_DOWN ? UINT64_MAX : pv->due;
}

void snd_pv_limits(struct snd_pv *pv, uint64_t now)
{
	if (pv->state == SND_PV_DOWN)
		return;
	toll_change(&pv->toll, pv->conf.policy, now);
	pv->due = now;
}

void snd_pv_start(struct snd_pv *pv, uint64_t now)
{
	pv->why = NULL;
	pv->told = false;
	toll_init(&pv->toll, pv->conf.policy, now);
	pv->now = pv->due = now;
	pv->state = SND_PV_UP;
}

int snd_pv_init(struct snd_pv *pv, const struct snd_pv_conf *conf)
{
	*pv = (struct snd_pv){.conf = *conf, .due = UINT64_MAX};
	pv->streams = conf->card->streams;
	for (uint32_t i = 0; i < pv->streams; i++) {
		pv->stream[i].pv = pv;
		pv->stream[i].snd = &conf->card->stream[i];
		pv->stream[i].policy = &conf->snd_policy->stream[i];
		pv->stream[i].number = i;
	}
	return 0;
}

void snd_pv_fini(struct snd_pv *pv)
{
	assert(pv->state == SND_PV_DOWN || pv->error);
	*pv = (struct snd_pv){0};
}
