/* SPDX-License-Identifier: MIT */
/*
 * A PCM of alsa-lib's, whatever its configuration makes of the name.
 *
 * Invariants:
 *  1. it has been set once to each of a few rates before open returns: what alsa-lib
 *     loads for a conversion (its modules, its tables) it has by then, since a sealed
 *     process opens nothing;
 *  2. it is never started but by start(): its own threshold is out of reach; and it
 *     stops by itself when its buffer has run empty, or full;
 *  3. alsa-lib writes nothing to standard error: what it says goes to one log.
 */
#include <alsa/asoundlib.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "backends/snd/snd-host.h"

struct alsa {
	struct snd_host host;
	snd_pcm_t *pcm;
	bool set;
};

static const snd_pcm_format_t formats[SND_FORMATS] = {
	[SND_FORMAT_S8] = SND_PCM_FORMAT_S8,
	[SND_FORMAT_U8] = SND_PCM_FORMAT_U8,
	[SND_FORMAT_S16_LE] = SND_PCM_FORMAT_S16_LE,
	[SND_FORMAT_S16_BE] = SND_PCM_FORMAT_S16_BE,
	[SND_FORMAT_U16_LE] = SND_PCM_FORMAT_U16_LE,
	[SND_FORMAT_U16_BE] = SND_PCM_FORMAT_U16_BE,
	[SND_FORMAT_S24_LE] = SND_PCM_FORMAT_S24_LE,
	[SND_FORMAT_S24_BE] = SND_PCM_FORMAT_S24_BE,
	[SND_FORMAT_U24_LE] = SND_PCM_FORMAT_U24_LE,
	[SND_FORMAT_U24_BE] = SND_PCM_FORMAT_U24_BE,
	[SND_FORMAT_S32_LE] = SND_PCM_FORMAT_S32_LE,
	[SND_FORMAT_S32_BE] = SND_PCM_FORMAT_S32_BE,
	[SND_FORMAT_U32_LE] = SND_PCM_FORMAT_U32_LE,
	[SND_FORMAT_U32_BE] = SND_PCM_FORMAT_U32_BE,
	[SND_FORMAT_F32_LE] = SND_PCM_FORMAT_FLOAT_LE,
	[SND_FORMAT_F32_BE] = SND_PCM_FORMAT_FLOAT_BE,
	[SND_FORMAT_F64_LE] = SND_PCM_FORMAT_FLOAT64_LE,
	[SND_FORMAT_F64_BE] = SND_PCM_FORMAT_FLOAT64_BE,
	[SND_FORMAT_IEC958_SUBFRAME_LE] = SND_PCM_FORMAT_IEC958_SUBFRAME_LE,
	[SND_FORMAT_IEC958_SUBFRAME_BE] = SND_PCM_FORMAT_IEC958_SUBFRAME_BE,
	[SND_FORMAT_MU_LAW] = SND_PCM_FORMAT_MU_LAW,
	[SND_FORMAT_A_LAW] = SND_PCM_FORMAT_A_LAW,
	[SND_FORMAT_IMA_ADPCM] = SND_PCM_FORMAT_IMA_ADPCM,
	[SND_FORMAT_MPEG] = SND_PCM_FORMAT_MPEG,
	[SND_FORMAT_GSM] = SND_PCM_FORMAT_GSM,
};

static struct alsa *alsa_of(struct snd_host *host)
{
	return (struct alsa *)host;
}

/* What alsa-lib returns, as an errno: it has numbers of its own, too. */
static int alsa_errno(long r)
{
	if (r >= 0)
		return 0;
	return r < -4095 ? -EIO : (int)r;
}

/* -- What it says of itself ---------------------------------------------------------
 */

static struct log *alsa_log; /* of all: alsa-lib does not say which PCM it is about */

__attribute__((format(printf, 5, 6))) static void alsa_says(const char *file, int line,
							    const char *function,
							    int err, const char *fmt,
							    ...)
{
	char text[256];
	va_list args;

	(void)file;
	(void)line;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (alsa_log)
		log_line(alsa_log, LOG_LEVEL_WARNING, "ALSA, %s: %s%s%s", function,
			 text, err ? ": " : "", err ? snd_strerror(err) : "");
}

/* -- Setting ------------------------------------------------------------------------
 */

/* All that it can be set to, by reads and writes of whole frames; to be freed. NULL,
 * and a negative errno in *@r. */
static snd_pcm_hw_params_t *alsa_any(snd_pcm_t *pcm, int *r)
{
	snd_pcm_hw_params_t *hw;

	*r = -ENOMEM;
	snd_pcm_hw_params_malloc(&hw);
	if (!hw)
		return NULL;
	*r = snd_pcm_hw_params_any(pcm, hw);
	if (*r >= 0)
		*r = snd_pcm_hw_params_set_access(pcm, hw,
						  SND_PCM_ACCESS_RW_INTERLEAVED);
	if (*r >= 0)
		return hw;
	*r = alsa_errno(*r);
	snd_pcm_hw_params_free(hw);
	return NULL;
}

/* No rate but that one: who resamples, and how, is said by the PCM's name. */
static int alsa_hardware(snd_pcm_t *pcm, const struct snd_params *params,
			 snd_pcm_uframes_t *buffer)
{
	snd_pcm_uframes_t step = params->step;
	snd_pcm_hw_params_t *hw;
	int r;

	hw = alsa_any(pcm, &r);
	if (!hw)
		return r;
	r = snd_pcm_hw_params_set_format(pcm, hw, formats[params->format]);
	if (r >= 0)
		r = snd_pcm_hw_params_set_channels(pcm, hw, params->channels);
	if (r >= 0)
		r = snd_pcm_hw_params_set_rate(pcm, hw, params->rate, 0);
	if (r >= 0)
		r = snd_pcm_hw_params_set_period_size_near(pcm, hw, &step, NULL);
	if (r >= 0)
		r = snd_pcm_hw_params_set_buffer_size_near(pcm, hw, buffer);
	if (r >= 0)
		r = snd_pcm_hw_params(pcm, hw);
	if (r >= 0)
		r = snd_pcm_hw_params_get_buffer_size(hw, buffer);
	snd_pcm_hw_params_free(hw);
	return alsa_errno(r);
}

static int alsa_software(snd_pcm_t *pcm, snd_pcm_uframes_t buffer)
{
	bool plays = snd_pcm_stream(pcm) == SND_PCM_STREAM_PLAYBACK;
	snd_pcm_uframes_t boundary;
	snd_pcm_sw_params_t *sw;
	int r;

	snd_pcm_sw_params_malloc(&sw);
	if (!sw)
		return -ENOMEM;
	r = snd_pcm_sw_params_current(pcm, sw);
	if (r >= 0)
		r = snd_pcm_sw_params_get_boundary(sw, &boundary);
	if (r >= 0)
		r = snd_pcm_sw_params_set_start_threshold(pcm, sw, boundary);
	if (r >= 0)
		r = snd_pcm_sw_params_set_stop_threshold(pcm, sw, buffer);
	/* What was played becomes silence at once: who is late stopping it, or runs
	 * empty, is not heard again. */
	if (r >= 0)
		r = snd_pcm_sw_params_set_silence_threshold(pcm, sw, 0);
	if (r >= 0)
		r = snd_pcm_sw_params_set_silence_size(pcm, sw, plays ? boundary : 0);
	if (r >= 0)
		r = snd_pcm_sw_params(pcm, sw);
	snd_pcm_sw_params_free(sw);
	return alsa_errno(r);
}

static void alsa_unset(struct alsa *alsa)
{
	alsa->set = false;
	if (snd_pcm_state(alsa->pcm) == SND_PCM_STATE_OPEN)
		return; /* nothing was set: alsa-lib would say so */
	snd_pcm_drop(alsa->pcm);
	snd_pcm_hw_free(alsa->pcm);
}

static bool alsa_can(const struct snd_caps *caps, const struct snd_params *params)
{
	return params->format < SND_FORMATS && caps->formats >> params->format & 1 &&
	       params->rate >= caps->rate.min && params->rate <= caps->rate.max &&
	       params->channels >= caps->channels.min &&
	       params->channels <= caps->channels.max && params->step &&
	       params->step <= UINT32_MAX / 2;
}

static int alsa_set(struct snd_host *host, const struct snd_params *params)
{
	struct alsa *alsa = alsa_of(host);
	snd_pcm_uframes_t least = 2 * (snd_pcm_uframes_t)params->step, buffer;
	int r;

	if (alsa->set)
		alsa_unset(alsa);
	if (!alsa_can(&host->caps, params))
		return -EINVAL;
	buffer = params->buffer < least ? least : params->buffer;
	r = alsa_hardware(alsa->pcm, params, &buffer);
	if (!r && (buffer < least || buffer > UINT32_MAX))
		r = -EINVAL;
	if (!r)
		r = alsa_software(alsa->pcm, buffer);
	if (!r)
		r = alsa_errno(snd_pcm_prepare(alsa->pcm));
	if (r) {
		alsa_unset(alsa);
		return r;
	}
	host->params = *params;
	host->params.buffer = (uint32_t)buffer;
	alsa->set = true;
	return 0;
}

/* -- Playing and recording ----------------------------------------------------------
 */

/* What went wrong with it, @r: if it can be had again, as set() left it, -EPIPE. */
static int alsa_again(struct alsa *alsa, long r)
{
	if (r != -EPIPE && r != -ESTRPIPE)
		return alsa_errno(r);
	r = snd_pcm_prepare(alsa->pcm);
	return r < 0 ? alsa_errno(r) : -EPIPE;
}

static int alsa_start(struct snd_host *host, uint64_t now)
{
	struct alsa *alsa = alsa_of(host);
	int r;

	(void)now;
	if (!alsa->set)
		return -EBADFD;
	r = snd_pcm_start(alsa->pcm);
	return r < 0 ? alsa_again(alsa, r) : 0;
}

static int alsa_room(struct snd_host *host, uint64_t now, uint32_t *out)
{
	struct alsa *alsa = alsa_of(host);
	snd_pcm_sframes_t n;

	(void)now;
	if (!alsa->set)
		return -EBADFD;
	n = snd_pcm_avail(alsa->pcm);
	if (n < 0)
		return alsa_again(alsa, n);
	*out = n > host->params.buffer ? host->params.buffer : (uint32_t)n;
	return 0;
}

/* Of ALSA's type "null" frames are recorded that nobody has written: silence, then, and
 * not what lay there. */
static void alsa_silence(const struct snd_params *params, uint8_t *data,
			 uint32_t frames)
{
	struct snd_unit unit = snd_format_unit(params->format, params->channels);

	snd_format_silence(params->format, data, frames / unit.frames * unit.bytes);
}

static int alsa_move(struct snd_host *host, uint8_t *data, uint32_t frames)
{
	struct alsa *alsa = alsa_of(host);
	snd_pcm_sframes_t n;

	if (!alsa->set)
		return -EBADFD;
	if (!frames)
		return 0;
	if (host->capture)
		alsa_silence(&host->params, data, frames);
	n = host->capture ? snd_pcm_readi(alsa->pcm, data, frames)
			  : snd_pcm_writei(alsa->pcm, data, frames);
	if (n == -EAGAIN)
		return 0;
	return n < 0 ? alsa_again(alsa, n) : (int)n;
}

static void alsa_stop(struct snd_host *host)
{
	struct alsa *alsa = alsa_of(host);

	if (!alsa->set)
		return;
	snd_pcm_drop(alsa->pcm);
	if (snd_pcm_prepare(alsa->pcm) < 0)
		alsa_unset(alsa);
}

static void alsa_close(struct snd_host *host)
{
	struct alsa *alsa = alsa_of(host);

	snd_pcm_close(alsa->pcm);
	free(alsa);
}

static const struct snd_host_ops alsa_ops = {
	.set = alsa_set,
	.start = alsa_start,
	.room = alsa_room,
	.move = alsa_move,
	.stop = alsa_stop,
	.close = alsa_close,
};

/* -- Probing ------------------------------------------------------------------------
 */

static struct snd_range clamped(unsigned min, unsigned max, struct snd_range within)
{
	return (struct snd_range){
		.min = min < within.min ? within.min : min,
		.max = max > within.max ? within.max : max,
	};
}

static int alsa_probe_ranges(const snd_pcm_hw_params_t *hw, struct snd_caps *caps)
{
	const struct snd_range rates = {SND_RATE_MIN, SND_RATE_MAX};
	const struct snd_range channels = {1, SND_CHANNELS_MAX};
	unsigned min, max;
	int r;

	r = snd_pcm_hw_params_get_rate_min(hw, &min, NULL);
	if (r >= 0)
		r = snd_pcm_hw_params_get_rate_max(hw, &max, NULL);
	if (r < 0)
		return alsa_errno(r);
	caps->rate = clamped(min, max, rates);
	r = snd_pcm_hw_params_get_channels_min(hw, &min);
	if (r >= 0)
		r = snd_pcm_hw_params_get_channels_max(hw, &max);
	if (r < 0)
		return alsa_errno(r);
	caps->channels = clamped(min, max, channels);
	return caps->rate.min > caps->rate.max ||
			       caps->channels.min > caps->channels.max
		       ? -EINVAL
		       : 0;
}

static int alsa_probe(snd_pcm_t *pcm, struct snd_caps *caps)
{
	snd_pcm_hw_params_t *hw;
	int r;

	hw = alsa_any(pcm, &r);
	if (!hw)
		return r;
	r = alsa_probe_ranges(hw, caps);
	for (unsigned i = 0; !r && i < SND_FORMATS; i++) {
		if (!snd_pcm_hw_params_test_format(pcm, hw, formats[i]))
			caps->formats |= 1ull << i;
	}
	snd_pcm_hw_params_free(hw);
	return !r && !caps->formats ? -EINVAL : r;
}

/* Invariant 1: modules convert rates alone, and of these some differ, so that one is
 * not the PCM's own; the rest alsa-lib has in it. Without its module a sealed process
 * would have the simplest of converters, and nobody would be told. 0: it could be set
 * to one at least. */
static int alsa_rehearse(struct alsa *alsa)
{
	static const uint32_t rates[] = {48000, 44100, 32000, 8000};
	const struct snd_caps *caps = &alsa->host.caps;
	struct snd_params params = {.buffer = 8192, .step = 512};
	int done = -EINVAL;

	while (!(caps->formats >> params.format & 1))
		params.format++;
	if (caps->formats >> SND_FORMAT_S16_LE & 1)
		params.format = SND_FORMAT_S16_LE;
	for (unsigned i = 0; i <= sizeof(rates) / sizeof(rates[0]); i++) {
		int r;

		params.rate = i ? rates[i - 1] : caps->rate.min;
		params.channels = caps->channels.min;
		if (caps->channels.max >= 2 && caps->channels.min < 2)
			params.channels = 2;
		r = alsa_set(&alsa->host, &params);
		if (!r)
			done = 0;
		else if (done)
			done = r;
	}
	if (alsa->set)
		alsa_unset(alsa);
	return done;
}

/* -- Opening ------------------------------------------------------------------------
 */

/* Those of this process; 0: not known. */
static unsigned long threads(void)
{
	struct stat st;

	return stat("/proc/self/task", &st) ? 0 : (unsigned long)st.st_nlink;
}

static int alsa_open_one(struct alsa *alsa, const struct snd_host_conf *conf)
{
	return alsa_errno(snd_pcm_open(&alsa->pcm, conf->name,
				       conf->capture ? SND_PCM_STREAM_CAPTURE
						     : SND_PCM_STREAM_PLAYBACK,
				       SND_PCM_NONBLOCK));
}

/* Hardware by itself loads nothing, and a successor has little time. What was rehearsed
 * is forgotten with its handle: snd-aloop keeps to what a PCM was set to until that is
 * closed. */
static int alsa_try(struct alsa *alsa, const struct snd_host_conf *conf)
{
	int r = alsa_probe(alsa->pcm, &alsa->host.caps);

	if (r || snd_pcm_type(alsa->pcm) == SND_PCM_TYPE_HW)
		return r;
	r = alsa_rehearse(alsa);
	if (r)
		return r;
	snd_pcm_close(alsa->pcm);
	alsa->pcm = NULL;
	return alsa_open_one(alsa, conf);
}

static int alsa_open_pcm(struct alsa *alsa, const struct snd_host_conf *conf)
{
	unsigned long before = threads();
	int r = alsa_open_one(alsa, conf);

	if (!r)
		r = alsa_try(alsa, conf);
	if (!r && threads() > before) {
		log_line(conf->log, LOG_LEVEL_ERROR,
			 "the PCM %s makes threads of its own, which a sealed process "
			 "cannot have: name one of the hardware",
			 conf->name);
		r = -EOPNOTSUPP;
	}
	if (r && alsa->pcm)
		snd_pcm_close(alsa->pcm);
	return r;
}

int snd_host_alsa_open(struct snd_host **out, const struct snd_host_conf *conf)
{
	struct alsa *alsa = malloc(sizeof(*alsa));
	int r;

	if (!alsa)
		return -ENOMEM;
	*alsa = (struct alsa){.host = {.ops = &alsa_ops, .capture = conf->capture}};
	alsa_log = conf->log;
	snd_lib_error_set_handler(alsa_says);
	r = alsa_open_pcm(alsa, conf);
	if (r) {
		free(alsa);
		return r;
	}
	*out = &alsa->host;
	return 0;
}
