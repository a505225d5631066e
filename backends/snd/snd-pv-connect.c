/* SPDX-License-Identifier: MIT */
/*
 * What the PV door says and reads in xenstore, and the set-up of its rings.
 * Key names and their meaning: xen/io/sndif.h.
 *
 * A stream's keys stand in "PCM/INDEX/" of the device. Which streams there are, and
 * which way each goes, is the policy's to say, by that address; of the client's own
 * description of its card (names, rates, unique-id) nothing is believed, and but for
 * "type" nothing is read.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "backends/snd/snd-pv.h"

#define PV_AT	    24 /* "255/255" */
#define PV_VERSIONS "1,2"

uint32_t snd_pv_size_max(const struct policy *policy, const struct snd_policy *snd)
{
	uint32_t pages = policy->data_pages, most;

	/* Beside a buffer, the page of a directory. */
	pages = pages > 1 ? pages - 1 : 0;
	most = pages < GRANTS_BATCH_MAX ? pages * XEN_PAGE_BYTES : SND_BUFFER_MAX;
	return snd->buffer < most ? snd->buffer : most;
}

int snd_pv_offer(struct snd_pv *pv)
{
	return keys_write(&pv->conf.keys, "versions", PV_VERSIONS);
}

/* The folder of its keys. */
static void stream_at(const struct snd_pv_stream *st, char at[PV_AT])
{
	snprintf(at, PV_AT, "%u/%u", st->policy->pcm, st->policy->index);
}

/* Linux's front end does not say which of the versions it has chosen. */
static int read_version(struct snd_pv *pv)
{
	char value[STORE_VALUE_MAX + 1];
	int r = keys_read(&pv->conf.keys, STORE_FRONT, "version", value);

	if (r <= 0)
		return r;
	if (strcmp(value, "1") && strcmp(value, "2"))
		return keys_fail(&pv->conf.keys, "version", "not one of those offered");
	return 0;
}

/* *@has: the client has the stream. */
static int read_stream(struct snd_pv_stream *st, bool *has)
{
	char value[STORE_VALUE_MAX + 1], key[PV_CHANNEL_KEY], at[PV_AT];
	const struct keys *keys = &st->pv->conf.keys;
	int r;

	stream_at(st, at);
	pv_channel_key(key, at, "ring-ref");
	r = keys_read(keys, STORE_FRONT, key, value);
	*has = r > 0;
	if (r <= 0)
		return r;
	pv_channel_key(key, at, "type");
	r = keys_read(keys, STORE_FRONT, key, value);
	if (r > 0 && strcmp(value, st->policy->capture ? "c" : "p"))
		return keys_fail(keys, key,
				 st->policy->capture
					 ? "the policy has it for capture"
					 : "the policy has it for playback");
	return r < 0 ? r : 0;
}

/* What it has of these. 0, or the first negative errno. */
static int stream_close(struct snd_pv_stream *st)
{
	const struct keys *keys = &st->pv->conf.keys;
	int r = st->buffer.addr ? grants_unmap(keys->grants, &st->buffer) : 0;
	int channel = pv_channel_close(&st->channel, keys);

	st->step = SND_PV_IDLE;
	return r < 0 ? r : channel;
}

int snd_pv_close(struct snd_pv *pv)
{
	int r = 0;

	for (uint32_t i = 0; i < pv->streams; i++) {
		int this = stream_close(&pv->stream[i]);

		r = r ? r : this;
	}
	return r;
}

static int stream_open(struct snd_pv_stream *st, bool attach)
{
	static const struct pv_channel_names names = {
		"ring-ref", "event-channel", "evt-ring-ref", "evt-event-channel"};
	char at[PV_AT];

	stream_at(st, at);
	return pv_channel_open(&st->channel, &st->pv->conf.keys, at, &names, attach);
}

/* Of a connection before this one it must not be said that it goes on. */
static int stream_forget(struct snd_pv_stream *st)
{
	const struct snd_kept none = {.state = SND_KEPT_CLOSED};
	const struct snd_levels levels = {0};

	return snd_keep(&st->kept, &st->pv->conf.keys, st->number, &none, &levels);
}

static int open_streams(struct snd_pv *pv, bool attach)
{
	bool any = false;
	int r = 0;

	for (uint32_t i = 0; !r && i < pv->streams; i++) {
		bool has;

		r = read_stream(&pv->stream[i], &has);
		if (!r && has)
			r = stream_open(&pv->stream[i], attach);
		if (!r && has && !attach)
			r = stream_forget(&pv->stream[i]);
		any = any || has;
	}
	if (!r && !any)
		r = keys_fail(&pv->conf.keys, "ring-ref",
			      "it has none of the policy's streams");
	return r;
}

/* Go on. What could not be had again ends with the predecessor. */
static int stream_attach(struct snd_pv_stream *st, const struct snd_kept *was,
			 const struct snd_levels *levels)
{
	int r;

	if (was->state != SND_KEPT_CLOSED)
		snd_pv_reopen(st, was, levels);
	r = st->pv->error;
	if (!r)
		r = pv_channel_wake(&st->channel, &st->pv->conf.keys);
	return r < 0 ? r : 0;
}

int snd_pv_connect(struct snd_pv *pv, bool attach, uint64_t now)
{
	struct snd_kept was[SND_STREAMS_MAX];
	struct snd_levels levels[SND_STREAMS_MAX];
	int r, closed;

	assert(pv->state == SND_PV_DOWN);
	pv->now = now;
	r = read_version(pv);
	/* All that may have to be asked for again comes before anything goes on. */
	for (uint32_t i = 0; i < pv->streams; i++) {
		pv->stream[i].kept = (struct snd_keeping){0};
		if (!r && attach)
			r = snd_kept_read(&pv->conf.keys, i, &was[i], &levels[i]);
	}
	if (!r)
		r = open_streams(pv, attach);
	if (r) {
		closed = snd_pv_close(pv);
		return closed < 0 ? closed : r;
	}
	snd_pv_start(pv, now);
	for (uint32_t i = 0; !r && attach && i < pv->streams; i++) {
		if (pv->stream[i].channel.open)
			r = stream_attach(&pv->stream[i], &was[i], &levels[i]);
	}
	return r;
}
