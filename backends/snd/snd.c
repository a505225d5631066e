/* SPDX-License-Identifier: MIT */
/* What a client asks of a stream. How its samples move is snd-move.c. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backends/snd/snd-move.h"
#include "backends/snd/snd.h"

#define MOVE(state) (1u << SND_STATE_##state)

static const uint8_t snd_moves[SND_STATES] = {
	[SND_STATE_CLOSED] = MOVE(OPEN),
	[SND_STATE_OPEN] = MOVE(RUNNING) | MOVE(CLOSED),
	[SND_STATE_RUNNING] = MOVE(PAUSED) | MOVE(OPEN) | MOVE(CLOSED),
	[SND_STATE_PAUSED] = MOVE(RUNNING) | MOVE(OPEN) | MOVE(CLOSED),
};

static void snd_become(struct snd *s, enum snd_state to)
{
	assert(snd_moves[s->state] & (1u << to));
	s->state = to;
}

int snd_init(struct snd *s, const struct snd_conf *conf)
{
	*s = (struct snd){.conf = *conf, .due = UINT64_MAX};
	s->ring = malloc(conf->size_max);
	s->scratch = malloc(SND_SCRATCH);
	if (s->ring && s->scratch)
		return 0;
	snd_fini(s);
	return -ENOMEM;
}

void snd_fini(struct snd *s)
{
	free(s->ring);
	free(s->scratch);
	s->ring = s->scratch = NULL;
}

/* -- What can be had ------------------------------------------------------ */

static uint64_t snd_formats(const struct snd *s)
{
	uint64_t formats = s->conf.policy->formats & s->conf.host->caps.formats;

	/* Invariant 4: what cannot be made softer is not offered. */
	for (unsigned i = 0; s->conf.policy->volume < 0 && i < SND_FORMATS; i++) {
		if (!snd_format_is_linear((enum snd_format)i))
			formats &= ~(1ull << i);
	}
	return formats;
}

static bool range_meet(struct snd_range *range, struct snd_range with)
{
	if (range->min < with.min)
		range->min = with.min;
	if (range->max > with.max)
		range->max = with.max;
	return range->min <= range->max;
}

static bool range_has(struct snd_range range, uint32_t value)
{
	return value >= range.min && value <= range.max;
}

static struct snd_range snd_rates(const struct snd *s)
{
	struct snd_range range = s->conf.policy->rate;

	range_meet(&range, s->conf.host->caps.rate);
	return range;
}

static struct snd_range snd_channels(const struct snd *s)
{
	struct snd_range range = s->conf.policy->channels;

	range_meet(&range, s->conf.host->caps.channels);
	return range;
}

/* The most frames that fit a ring: of the narrowest format that is left. */
static uint32_t snd_frames_max(const struct snd *s, uint64_t formats, uint32_t channels)
{
	uint32_t most = 0;

	for (unsigned i = 0; i < SND_FORMATS; i++) {
		struct snd_unit unit = snd_format_unit((enum snd_format)i, channels);
		uint32_t frames = s->conf.size_max / unit.bytes * unit.frames;

		if (formats & (1ull << i) && frames > most)
			most = frames;
	}
	return most;
}

enum snd_status snd_query(const struct snd *s, struct snd_query *q)
{
	struct snd_query left = *q;
	struct snd_range frames = {s->conf.policy->period, 0};

	left.formats &= snd_formats(s);
	if (!left.formats || !range_meet(&left.rate, snd_rates(s)) ||
	    !range_meet(&left.channels, snd_channels(s)))
		return SND_INVALID;
	frames.max = snd_frames_max(s, left.formats, left.channels.min);
	if (!range_meet(&left.period, frames))
		return SND_INVALID;
	frames.min = 2 * frames.min;
	if (!range_meet(&left.buffer, frames))
		return SND_INVALID;
	*q = left;
	return SND_OK;
}

/* How often a stream is looked at is bounded by Period (invariant 8). */
static bool snd_is_slow(const struct snd *s, const struct snd_config *config,
			struct snd_unit unit)
{
	uint32_t ring = config->size / unit.bytes * unit.frames;
	uint32_t period = config->period / unit.bytes * unit.frames;

	return ring / 2 >= s->conf.policy->period &&
	       (!period || period >= s->conf.policy->period);
}

enum snd_status snd_judge(const struct snd *s, const struct snd_config *config)
{
	const struct snd_policy *policy = s->conf.policy;
	struct snd_unit unit;

	if (config->format >= SND_FORMATS || !config->channels || !config->rate)
		return SND_INVALID;
	if (config->channels > SND_CHANNELS_MAX)
		return SND_UNSUPPORTED;
	unit = snd_format_unit(config->format, config->channels);
	if (!config->size || config->size % unit.bytes || config->period % unit.bytes ||
	    config->period > config->size)
		return SND_INVALID;
	if (!(policy->formats & (1ull << config->format)) ||
	    !range_has(policy->rate, config->rate) ||
	    !range_has(policy->channels, config->channels) ||
	    config->size > s->conf.size_max || !snd_is_slow(s, config, unit))
		return SND_DENIED;
	if (!(snd_formats(s) & (1ull << config->format)) ||
	    !range_has(snd_rates(s), config->rate) ||
	    !range_has(snd_channels(s), config->channels))
		return SND_UNSUPPORTED;
	return SND_OK;
}

/* -- Opening and closing -------------------------------------------------- */

/* [impl->req~no-louder-than-the-policy~1] */
static void snd_gains(struct snd *s)
{
	int32_t most = s->conf.policy->volume;

	s->plain = true;
	for (uint32_t i = 0; i < s->config.channels; i++) {
		int32_t volume =
			s->levels.volume[i] < most ? s->levels.volume[i] : most;

		s->gain[i] = s->levels.muted[i] ? 0 : snd_gain(volume);
		s->plain = s->plain && s->gain[i] == SND_GAIN_UNITY;
	}
}

static enum snd_status snd_set(struct snd *s, const struct snd_config *config,
			       struct snd_unit unit)
{
	struct snd_params params = {config->format, config->channels, config->rate, 0,
				    0};
	uint32_t period = config->period ? config->period : config->size / 4;
	int r;

	params.step = period / unit.bytes * unit.frames;
	snd_pace(s->conf.policy, config->size / unit.bytes * unit.frames, &params);
	r = snd_host_set(s->conf.host, &params);
	if (r == -EINVAL)
		return SND_UNSUPPORTED;
	s->error = r;
	if (r < 0) {
		s->conf.stats->failures++;
		return SND_FAILED;
	}
	return SND_OK;
}

enum snd_status snd_open(struct snd *s, const struct snd_config *config, uint64_t now)
{
	struct snd_unit unit;
	enum snd_status status;

	if (s->state != SND_STATE_CLOSED)
		return SND_INVALID;
	status = snd_judge(s, config);
	if (status != SND_OK)
		return status;
	unit = snd_format_unit(config->format, config->channels);
	snd_turn(s, now);
	if (s->on)
		return SND_LATER;
	status = snd_set(s, config, unit);
	if (status != SND_OK)
		return status;
	s->config = *config;
	s->unit = unit;
	s->position = s->written = 0;
	snd_paced(s);
	s->levels = (struct snd_levels){0};
	s->queued = 0;
	snd_gains(s);
	snd_format_silence(config->format, s->ring, config->size);
	snd_become(s, SND_STATE_OPEN);
	s->conf.stats->opens++;
	return SND_OK;
}

void snd_continue(struct snd *s, uint64_t position)
{
	assert(s->state == SND_STATE_OPEN && !s->position);
	/* What a client may have written there: not so far that it could wrap. */
	if (position > UINT64_MAX / 4)
		position = 0;
	s->position = s->written = position - position % s->unit.bytes;
}

void snd_close(struct snd *s, uint64_t now)
{
	if (s->state == SND_STATE_CLOSED)
		return;
	if (s->state == SND_STATE_RUNNING)
		snd_end(s, now);
	snd_become(s, SND_STATE_CLOSED);
}

enum snd_status snd_start(struct snd *s, uint64_t now)
{
	if (s->state != SND_STATE_OPEN && s->state != SND_STATE_PAUSED)
		return SND_INVALID;
	if (s->error)
		return SND_FAILED;
	snd_become(s, SND_STATE_RUNNING);
	s->conf.stats->starts++;
	s->starved = false;
	snd_begin(s, now);
	return s->error ? SND_FAILED : SND_OK;
}

enum snd_status snd_pause(struct snd *s, uint64_t now)
{
	if (s->state != SND_STATE_RUNNING)
		return SND_INVALID;
	snd_end(s, now);
	snd_become(s, SND_STATE_PAUSED);
	return SND_OK;
}

enum snd_status snd_resume(struct snd *s, uint64_t now)
{
	return s->state == SND_STATE_PAUSED ? snd_start(s, now) : SND_INVALID;
}

enum snd_status snd_stop(struct snd *s, uint64_t now)
{
	if (s->state == SND_STATE_CLOSED)
		return SND_INVALID;
	if (s->state == SND_STATE_RUNNING)
		snd_end(s, now);
	if (s->state != SND_STATE_OPEN)
		snd_become(s, SND_STATE_OPEN);
	/* Invariant 7. */
	s->position += s->config.size - 1;
	s->position -= s->position % s->config.size;
	s->written = s->position;
	snd_format_silence(s->config.format, s->ring, s->config.size);
	return SND_OK;
}

/* -- Samples and loudness -------------------------------------------------------------
 */

uint8_t *snd_at(const struct snd *s, uint32_t offset, uint32_t len)
{
	if (s->state == SND_STATE_CLOSED || len > s->config.size ||
	    offset > s->config.size - len)
		return NULL;
	return s->ring + offset;
}

/* Where on the way @offset lies: behind what was written before, if it goes on there,
 * and else the next time that the position comes by. */
static uint64_t snd_place(const struct snd *s, uint32_t offset)
{
	uint32_t size = s->config.size;
	uint32_t at = (uint32_t)(s->position % size);

	if (offset == s->written % size && s->written + size > s->position)
		return s->written;
	return s->position + (offset >= at ? offset - at : size - at + offset);
}

void snd_wrote(struct snd *s, uint32_t offset, uint32_t len)
{
	uint64_t begin = snd_place(s, offset), end = begin + len;
	uint64_t last = s->position + s->config.size;

	assert(snd_at(s, offset, len));
	if (begin < s->position) {
		/* Invariant 2. */
		uint64_t late = s->position - begin < len ? s->position - begin : len;

		snd_format_silence(s->config.format, s->ring + offset, (uint32_t)late);
		s->conf.stats->late += late;
	}
	if (end > last)
		end = last;
	if (s->written <= s->position && end > s->position && s->due != UINT64_MAX)
		s->due = 0; /* it may have waited for these */
	if (end > s->written)
		s->written = end;
}

/* [impl->req~no-louder-than-the-policy~1] */
enum snd_status snd_set_volume(struct snd *s, uint32_t channel, int32_t millidb)
{
	if (s->state == SND_STATE_CLOSED || channel >= s->config.channels)
		return SND_INVALID;
	if (!snd_format_is_linear(s->config.format))
		return SND_UNSUPPORTED;
	if (millidb > s->conf.policy->volume)
		millidb = s->conf.policy->volume;
	s->levels.volume[channel] = millidb < SND_VOLUME_MIN ? SND_VOLUME_MIN : millidb;
	snd_gains(s);
	return SND_OK;
}

enum snd_status snd_set_mute(struct snd *s, uint32_t channel, bool muted)
{
	if (s->state == SND_STATE_CLOSED || channel >= s->config.channels)
		return SND_INVALID;
	if (!snd_format_is_linear(s->config.format))
		return SND_UNSUPPORTED;
	s->levels.muted[channel] = muted;
	snd_gains(s);
	return SND_OK;
}

int32_t snd_volume(const struct snd *s, uint32_t channel)
{
	int32_t most = s->conf.policy->volume;

	return s->levels.volume[channel] < most ? s->levels.volume[channel] : most;
}

void snd_set_levels(struct snd *s, const struct snd_levels *levels)
{
	if (s->state == SND_STATE_CLOSED || !snd_format_is_linear(s->config.format))
		return;
	s->levels = *levels;
	snd_gains(s);
}
