/* SPDX-License-Identifier: MIT */
/* What one request does: see snd-pv.h. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "backends/door/pv-directory.h"
#include "backends/snd/snd-pv.h"
#include "common/bytes.h"
#include "common/shared.h"

_Static_assert(SND_BUFFER_MAX == GRANTS_BATCH_MAX * XEN_PAGE_BYTES, "of one map");

static void refused(struct snd_pv_stream *st, const char *what)
{
	log_line(st->pv->conf.keys.log, LOG_LEVEL_WARNING, "stream %u: %s", st->number,
		 what);
}

/* -- The buffer ----------------------------------------------------------- */

/* What became of a map, or of the list of its pages, in the client's words; logged. */
static enum snd_status mapped(struct snd_pv_stream *st, int r)
{
	const char *why = pv_directory_why(r);

	if (!r)
		return SND_OK;
	if (!why) {
		st->pv->error = r;
		return SND_FAILED;
	}
	log_line(st->pv->conf.keys.log, LOG_LEVEL_WARNING,
		 "stream %u: OPEN was refused: %s", st->number, why);
	return r == GRANTS_REFUSED || r == GRANTS_BUSY ? SND_DENIED : SND_INVALID;
}

static void pv_unmap(struct snd_pv *pv, struct grants_map *map)
{
	int r = grants_unmap(pv->conf.keys.grants, map);

	if (r < 0 && !pv->error)
		pv->error = r;
}

void snd_pv_shut(struct snd_pv_stream *st)
{
	snd_close(st->snd, st->pv->now);
	if (st->buffer.addr)
		pv_unmap(st->pv, &st->buffer);
}

static enum snd_status map_buffer(struct snd_pv_stream *st, bool writable)
{
	return mapped(st, grants_map(st->pv->conf.keys.grants, st->refs, st->pages,
				     writable, &st->buffer));
}

static enum snd_status open_buffer(struct snd_pv_stream *st, struct gref directory)
{
	enum snd_status status;

	st->pages = (st->snd->config.size + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES;
	/* Invariant 7. */
	status = mapped(st, pv_directory_read(st->pv->conf.keys.grants, directory,
					      st->refs, st->pages));
	if (status == SND_OK)
		status = map_buffer(st, st->policy->capture);
	return status;
}

/* -- OPEN and CLOSE ------------------------------------------------------- */

static const char *why_not(enum snd_status status)
{
	switch (status) {
	case SND_INVALID:
		return "OPEN was refused: it contradicts itself, or it is open";
	case SND_UNSUPPORTED:
		return "OPEN was refused: the host's PCM does not have that";
	case SND_DENIED:
		return "OPEN was refused: the policy does not allow that";
	case SND_FAILED:
		return "OPEN failed: the host's PCM";
	case SND_OK:
	case SND_LATER:
	case SND_STATUSES:
		break;
	}
	return NULL;
}

/* What the client has not read of the last time is of no position. */
static void blank(uint16_t id, uint8_t *out)
{
	sndif_encode_position(id, 0, out);
}

static enum snd_status open_stream(struct snd_pv_stream *st,
				   const struct snd_config *config,
				   struct gref directory)
{
	enum snd_status status = snd_open(st->snd, config, st->pv->now);

	if (why_not(status))
		refused(st, why_not(status));
	if (status != SND_OK)
		return status;
	status = open_buffer(st, directory);
	if (status != SND_OK) {
		snd_close(st->snd, st->pv->now);
		return status;
	}
	st->directory = directory;
	st->told = 0;
	return SND_OK;
}

static enum snd_status work_open(struct snd_pv_stream *st)
{
	enum snd_status status =
		open_stream(st, &st->rq.open.config, st->rq.open.directory);

	if (status == SND_OK)
		pv_events_blank(&st->channel.events, blank);
	return status;
}

static enum snd_status work_close(struct snd_pv_stream *st)
{
	/* Linux closes what it never opened. */
	snd_pv_shut(st);
	return SND_OK;
}

enum snd_status snd_pv_reopen(struct snd_pv_stream *st, const struct snd_kept *kept,
			      const struct snd_levels *levels)
{
	uint64_t position = pv_events_last64(&st->channel.events, SNDIF_POSITION);
	struct gref directory = {kept->own};
	enum snd_status status = open_stream(st, &kept->config, directory);

	if (status != SND_OK)
		return status;
	snd_set_levels(st->snd, levels);
	snd_continue(st->snd, position);
	st->told = st->snd->position;
	if (kept->state != SND_KEPT_OPEN)
		status = snd_start(st->snd, st->pv->now);
	if (status == SND_OK && kept->state == SND_KEPT_PAUSED)
		status = snd_pause(st->snd, st->pv->now);
	return status;
}

/* -- Samples ------------------------------------------------------------- */

/* The request's bytes of the ring, if there are any and they are whole units.
 * [impl->req~samples-lie-in-their-buffer~1] */
static uint8_t *samples_at(const struct snd_pv_stream *st)
{
	uint32_t unit = st->snd->unit.bytes;

	if (!st->rq.rw.len || !snd_at(st->snd, st->rq.rw.offset, st->rq.rw.len) ||
	    st->rq.rw.offset % unit || st->rq.rw.len % unit)
		return NULL;
	return snd_at(st->snd, st->rq.rw.offset, st->rq.rw.len);
}

/* Invariant 3, of READ and WRITE. */
static enum snd_status work_samples(struct snd_pv_stream *st, bool capture)
{
	struct snd_pv_stats *stats = &st->pv->stats;
	uint8_t *ring = samples_at(st), *page = st->buffer.addr;
	uint32_t offset = st->rq.rw.offset, len = st->rq.rw.len;

	if (!ring || st->policy->capture != capture)
		return SND_INVALID;
	if (capture) {
		shared_copy_out(page + offset, ring, len);
		stats->reads++;
		stats->read_bytes += len;
		return SND_OK;
	}
	shared_copy_in(ring, page + offset, len);
	snd_wrote(st->snd, offset, len);
	stats->writes++;
	stats->written_bytes += len;
	return SND_OK;
}

/* -- Loudness ------------------------------------------------------------ */

/* A word a channel. */
static bool has_channels(const struct snd_pv_stream *st)
{
	uint32_t bytes = st->snd->config.channels * SNDIF_CHANNEL;

	return snd_at(st->snd, st->rq.rw.offset, st->rq.rw.len) &&
	       st->rq.rw.len >= bytes;
}

static enum snd_status set_channel(struct snd_pv_stream *st, uint32_t channel,
				   const uint8_t *word)
{
	switch (st->rq.op) {
	case SNDIF_SET_VOLUME:
		return snd_set_volume(st->snd, channel, (int32_t)bytes_get32(word));
	case SNDIF_MUTE:
	case SNDIF_UNMUTE:
		if (!word[0])
			return SND_OK;
		return snd_set_mute(st->snd, channel, st->rq.op == SNDIF_MUTE);
	case SNDIF_OPEN:
	case SNDIF_CLOSE:
	case SNDIF_READ:
	case SNDIF_WRITE:
	case SNDIF_GET_VOLUME:
	case SNDIF_TRIGGER:
	case SNDIF_QUERY:
	case SNDIF_OPS:
		break;
	}
	return SND_UNSUPPORTED;
}

static enum snd_status work_set(struct snd_pv_stream *st)
{
	uint8_t words[SND_CHANNELS_MAX * SNDIF_CHANNEL];
	uint32_t channels = st->snd->config.channels;
	enum snd_status status = SND_OK;

	if (!has_channels(st))
		return SND_INVALID;
	shared_copy_in(words, (uint8_t *)st->buffer.addr + st->rq.rw.offset,
		       channels * SNDIF_CHANNEL);
	for (uint32_t i = 0; status == SND_OK && i < channels; i++)
		status = set_channel(st, i, words + i * SNDIF_CHANNEL);
	return status;
}

/* The buffer as it must be; a client that took its pages back meanwhile has no stream
 * any more. */
static enum snd_status map_again(struct snd_pv_stream *st, bool writable)
{
	enum snd_status status;

	pv_unmap(st->pv, &st->buffer);
	if (st->pv->error)
		return SND_FAILED;
	status = map_buffer(st, writable);
	if (status != SND_OK)
		snd_close(st->snd, st->pv->now);
	return status;
}

/* Pages that are given back count until the kernel has confirmed it: there must be room
 * for the buffer twice, or the stream would be lost for a question. */
static bool has_room_twice(const struct snd_pv_stream *st)
{
	const struct snd_pv *pv = st->pv;
	uint32_t pages = st->pages;

	for (uint32_t i = 0; i < pv->streams; i++)
		pages += pv->stream[i].buffer.pages;
	return pages <= pv->conf.policy->data_pages;
}

/* Invariant 4. */
static enum snd_status work_get(struct snd_pv_stream *st)
{
	uint8_t words[SND_CHANNELS_MAX * SNDIF_CHANNEL];
	uint32_t channels = st->snd->config.channels;
	enum snd_status status = SND_OK;
	bool again = !st->policy->capture;

	if (!has_channels(st))
		return SND_INVALID;
	if (!snd_format_is_linear(st->snd->config.format))
		return SND_UNSUPPORTED;
	if (!(st->pv->conf.policy->client_pages & POLICY_WRITABLE) ||
	    (again && !has_room_twice(st)))
		return SND_DENIED;
	for (uint32_t i = 0; i < channels; i++)
		bytes_put32(words + i * SNDIF_CHANNEL,
			    (uint32_t)snd_volume(st->snd, i));
	if (again)
		status = map_again(st, true);
	if (status != SND_OK)
		return status;
	shared_copy_out((uint8_t *)st->buffer.addr + st->rq.rw.offset, words,
			channels * SNDIF_CHANNEL);
	return again ? map_again(st, false) : SND_OK;
}

/* -- All ----------------------------------------------------------------- */

static enum snd_status work_trigger(struct snd_pv_stream *st)
{
	switch (st->rq.trigger) {
	case SNDIF_START:
		return snd_start(st->snd, st->pv->now);
	case SNDIF_PAUSE:
		return snd_pause(st->snd, st->pv->now);
	case SNDIF_STOP:
		return snd_stop(st->snd, st->pv->now);
	case SNDIF_RESUME:
		return snd_resume(st->snd, st->pv->now);
	}
	return SND_UNSUPPORTED;
}

enum snd_status snd_pv_work(struct snd_pv_stream *st)
{
	switch (st->rq.op) {
	case SNDIF_OPEN:
		return work_open(st);
	case SNDIF_CLOSE:
		return work_close(st);
	case SNDIF_READ:
		return work_samples(st, true);
	case SNDIF_WRITE:
		return work_samples(st, false);
	case SNDIF_SET_VOLUME:
	case SNDIF_MUTE:
	case SNDIF_UNMUTE:
		return work_set(st);
	case SNDIF_GET_VOLUME:
		return work_get(st);
	case SNDIF_TRIGGER:
		return work_trigger(st);
	case SNDIF_QUERY:
		return snd_query(st->snd, &st->rq.query);
	case SNDIF_OPS:
		break;
	}
	return SND_UNSUPPORTED;
}
