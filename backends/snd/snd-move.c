/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "backends/snd/snd-move.h"
#include "common/clock.h"

#define MS 1000u /* of a second */

void snd_pace(const struct snd_policy *policy, uint32_t ring, struct snd_params *params)
{
	uint64_t most = (uint64_t)params->rate * policy->latency / MS, buffer;

	if (!params->step)
		params->step = 1;
	buffer = 2ull * params->step;
	if (buffer < most / 4)
		buffer = most / 4;
	if (buffer > most)
		buffer = most;
	if (buffer > ring / 2)
		buffer = ring / 2;
	if (buffer < 2)
		buffer = 2;
	params->buffer = (uint32_t)buffer;
	if (params->step > params->buffer / 2)
		params->step = params->buffer / 2;
}

void snd_paced(struct snd *s)
{
	uint32_t half = s->conf.host->params.buffer / 2;

	s->step = s->conf.host->params.step;
	if (s->step > half)
		s->step = half;
	if (!s->step)
		s->step = 1;
	s->low = s->step / 4 ? s->step / 4 : 1;
}

/* -- Frames and bytes ----------------------------------------------------- */

static uint64_t to_bytes(const struct snd *s, uint64_t frames)
{
	return frames / s->unit.frames * s->unit.bytes;
}

static uint64_t to_frames(const struct snd *s, uint64_t bytes)
{
	return bytes / s->unit.bytes * s->unit.frames;
}

static uint64_t to_ns(const struct snd *s, uint64_t frames)
{
	return frames * CLOCK_SECOND / s->config.rate + 1;
}

/* -- The PCM -------------------------------------------------------------------------
 */

/* Invariant 6. */
static void move_fail(struct snd *s, int error)
{
	s->error = error;
	s->conf.stats->failures++;
	snd_cut(s);
}

void snd_cut(struct snd *s)
{
	if (s->on)
		snd_host_stop(s->conf.host);
	s->on = false;
	s->due = UINT64_MAX;
}

/* Move @frames, whole units, at @data. How many were; or -EPIPE or 0, and it failed. */
static int move_frames(struct snd *s, uint8_t *data, uint32_t frames)
{
	int r = snd_host_move(s->conf.host, data, frames);

	if (r < 0 && r != -EPIPE) {
		move_fail(s, r);
		return 0;
	}
	if (r > 0)
		s->conf.stats->frames += (uint32_t)r;
	return r;
}

/* What the PCM takes or has; false: it ran empty (or over) and is stopped, or failed.
 */
static bool move_room(struct snd *s, uint64_t now, uint32_t *room)
{
	int r = snd_host_room(s->conf.host, now, room);

	if (!r)
		return true;
	if (r != -EPIPE)
		move_fail(s, r);
	return false;
}

/* It runs, unless it fails. */
static void move_started(struct snd *s, uint64_t now)
{
	int r = s->on ? 0 : snd_host_start(s->conf.host, now);

	if (r < 0)
		move_fail(s, r);
	else
		s->on = true;
}

/* -- Playback ------------------------------------------------------------------------
 */

/* Silence that is nobody's. Frames that went. */
static uint32_t play_silence(struct snd *s, uint32_t frames)
{
	uint32_t most = (uint32_t)to_frames(s, SND_SCRATCH), sent = 0;

	frames -= frames % s->unit.frames;
	snd_format_silence(s->config.format, s->scratch, (uint32_t)to_bytes(s, most));
	while (sent < frames) {
		uint32_t left = frames - sent;
		int r = move_frames(s, s->scratch, left < most ? left : most);

		if (r <= 0)
			break;
		sent += (uint32_t)r;
	}
	return sent;
}

/* One piece of the ring, no longer than scratch. Frames that went. */
static uint32_t play_piece(struct snd *s, uint32_t frames)
{
	uint32_t at = (uint32_t)(s->position % s->config.size);
	uint32_t most = (uint32_t)to_frames(s, SND_SCRATCH);
	uint32_t end = (uint32_t)to_frames(s, s->config.size - at);
	uint8_t *data = s->ring + at;
	int r;

	if (frames > most)
		frames = most;
	if (frames > end)
		frames = end;
	if (!s->plain) {
		snd_format_scale(s->config.format, data, s->scratch, frames,
				 s->config.channels, s->gain);
		data = s->scratch;
	}
	r = move_frames(s, data, frames);
	if (r <= 0)
		return 0;
	/* Invariant 2: what was played is silence. */
	snd_format_silence(s->config.format, s->ring + at,
			   (uint32_t)to_bytes(s, (uint32_t)r));
	s->position += to_bytes(s, (uint32_t)r);
	return (uint32_t)r;
}

/* The client's samples, as far as there are any, into @room. Frames that went. */
static uint32_t play_ring(struct snd *s, uint32_t room)
{
	uint64_t have =
		s->written > s->position ? to_frames(s, s->written - s->position) : 0;
	uint32_t frames = have < room ? (uint32_t)have : room, sent = 0;

	frames -= frames % s->unit.frames;
	while (sent < frames) {
		uint32_t n = play_piece(s, frames - sent);

		if (!n)
			break;
		sent += n;
	}
	return sent;
}

/* The client has nothing, and the PCM next to nothing: it plays on. Frames of silence.
 */
static uint32_t play_starved(struct snd *s, uint32_t queued)
{
	uint32_t sent = play_silence(s, 2 * s->low + s->unit.frames - queued);

	s->position += to_bytes(s, sent);
	s->conf.stats->silence += sent;
	if (!s->starved)
		s->conf.stats->underruns++;
	s->starved = true;
	return sent;
}

/* Frames from the position to one unit behind the client's next period; or, if that is
 * far, as many as the PCM is looked at. */
static uint32_t move_next(const struct snd *s)
{
	uint32_t period = s->config.period ? s->config.period : s->config.size;
	uint64_t left = to_frames(s, period - s->position % period);

	return (uint32_t)(left < s->step ? left : s->step) + s->unit.frames;
}

/* When to come back, with @queued frames in the PCM. */
static void play_due(struct snd *s, uint32_t queued, uint64_t now)
{
	uint32_t buffer = s->conf.host->params.buffer;
	uint32_t room = buffer - queued, next = move_next(s);
	uint32_t wait = next > room ? next - room : 0;

	if (s->written <= s->position) /* nothing of the client's: until it is needed */
		wait = queued > s->low ? queued - s->low : 0;
	else if (queued > s->low && wait > queued - s->low)
		wait = queued - s->low;
	/* A host's clock may stand still for a while: no more than so many looks. */
	if (wait < s->step / 4)
		wait = s->step / 4;
	s->due = now + to_ns(s, wait ? wait : 1);
}

/* It ran empty: for us? Not of silence, nor if the client had nothing and we came
 * before what we leave in it was played: its clock has jumped. */
static bool was_late(const struct snd *s, uint64_t now)
{
	return !s->starved &&
	       (s->written > s->position || now - s->due >= to_ns(s, s->low));
}

static void play_turn(struct snd *s, uint64_t now)
{
	uint32_t buffer = s->conf.host->params.buffer, room, queued, sent;

	if (!move_room(s, now, &room)) {
		if (s->error)
			return;
		s->on = false;
		s->conf.stats->xruns += was_late(s, now);
		room = buffer;
	}
	sent = play_ring(s, room);
	if (sent)
		s->starved = false;
	queued = buffer - room + sent;
	if (!s->error && queued <= s->low)
		queued += play_starved(s, queued);
	/* One that took nothing is asked again. */
	if (!s->error && queued)
		move_started(s, now);
	s->queued = queued;
	if (!s->error)
		play_due(s, queued, now);
}

/* Invariant 3: silence goes in behind what is to be heard; once as much is left as went
 * in, it was. */
static void end_turn(struct snd *s, uint64_t now)
{
	uint32_t room, queued;

	if (!move_room(s, now, &room)) {
		snd_cut(s);
		return;
	}
	queued = s->conf.host->params.buffer - room;
	if (queued <= s->after || now >= s->cut_at) {
		snd_cut(s);
		return;
	}
	s->due = now + to_ns(s, queued - s->after);
}

/* -- Recording -----------------------------------------------------------------------
 */

static uint32_t record_piece(struct snd *s, uint32_t frames)
{
	uint32_t at = (uint32_t)(s->position % s->config.size);
	uint32_t end = (uint32_t)to_frames(s, s->config.size - at);
	int r = move_frames(s, s->ring + at, frames < end ? frames : end);

	if (r <= 0)
		return 0;
	if (!s->plain)
		snd_format_scale(s->config.format, s->ring + at, s->ring + at,
				 (uint32_t)r, s->config.channels, s->gain);
	s->position += to_bytes(s, (uint32_t)r);
	return (uint32_t)r;
}

static void record_turn(struct snd *s, uint64_t now)
{
	uint32_t room, got = 0, wait;

	if (!move_room(s, now, &room)) {
		if (s->error)
			return;
		s->conf.stats->xruns++;
		s->on = false;
		move_started(s, now);
		room = 0;
	}
	room -= room % s->unit.frames;
	while (!s->error && got < room) {
		uint32_t n = record_piece(s, room - got);

		if (!n)
			break;
		got += n;
	}
	if (s->error)
		return;
	wait = move_next(s);
	s->due = now + to_ns(s, wait > s->step / 4 ? wait : s->step / 4 + 1);
}

/* -- The turn ------------------------------------------------------------------------
 */

void snd_begin(struct snd *s, uint64_t now)
{
	if (s->conf.host->capture && !s->on)
		move_started(s, now);
	if (!s->error)
		s->due = now;
	snd_turn(s, now);
}

void snd_end(struct snd *s, uint64_t now)
{
	uint32_t room;

	if (!s->on)
		return;
	if (s->conf.host->capture || !move_room(s, now, &room)) {
		snd_cut(s);
		return;
	}
	s->cut_at = now + CLOCK_SECOND;
	s->after = play_silence(s, room);
	s->due = s->on ? now : UINT64_MAX;
}

void snd_turn(struct snd *s, uint64_t now)
{
	if (now < s->due)
		return;
	s->conf.stats->wakes++;
	if (s->state != SND_STATE_RUNNING)
		end_turn(s, now);
	else if (s->conf.host->capture)
		record_turn(s, now);
	else
		play_turn(s, now);
}
