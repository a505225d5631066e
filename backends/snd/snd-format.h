/* SPDX-License-Identifier: MIT */
/*
 * Sample formats: how wide a sample is, what silence is, and how loud it is made.
 *
 * The numbers are sndif.h's (XENSND_PCM_FORMAT_*), in its order, which is not that of
 * ALSA's nor of virtio's: a door or a host PCM has its own table to these. Pure.
 *
 * Data come in units: the least whole number of frames that is a whole number of bytes.
 * That is one frame, but for IMA ADPCM with an odd number of channels. What has no
 * width at all (MPEG, GSM: a stream of bytes) counts as one byte a sample.
 */
#ifndef XDD_SND_FORMAT_H
#define XDD_SND_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

enum snd_format {
	SND_FORMAT_S8,
	SND_FORMAT_U8,
	SND_FORMAT_S16_LE,
	SND_FORMAT_S16_BE,
	SND_FORMAT_U16_LE,
	SND_FORMAT_U16_BE,
	SND_FORMAT_S24_LE, /* in the low three bytes of four */
	SND_FORMAT_S24_BE,
	SND_FORMAT_U24_LE,
	SND_FORMAT_U24_BE,
	SND_FORMAT_S32_LE,
	SND_FORMAT_S32_BE,
	SND_FORMAT_U32_LE,
	SND_FORMAT_U32_BE,
	SND_FORMAT_F32_LE,
	SND_FORMAT_F32_BE,
	SND_FORMAT_F64_LE,
	SND_FORMAT_F64_BE,
	SND_FORMAT_IEC958_SUBFRAME_LE,
	SND_FORMAT_IEC958_SUBFRAME_BE,
	SND_FORMAT_MU_LAW,
	SND_FORMAT_A_LAW,
	SND_FORMAT_IMA_ADPCM,
	SND_FORMAT_MPEG,
	SND_FORMAT_GSM,
	SND_FORMATS,
};

#define SND_FORMATS_ALL ((1ull << SND_FORMATS) - 1)

struct snd_format_info {
	const char *name; /* sndif.h's: "s16_le" */
	uint8_t bits;	  /* of a sample, as it lies in memory */
	uint8_t width;	  /* of them in use, from the lowest; 0: not linear */
	bool is_float, is_unsigned, big_endian;
};

/* @format < SND_FORMATS. */
const struct snd_format_info *snd_format_info(enum snd_format format);
/* False: it is none of them. */
bool snd_format_parse(const char *name, enum snd_format *out);
/* The rates that Linux knows by name, in Hz: the @i-th, from the lowest; 0: no more. */
uint32_t snd_rate(unsigned i);
/* It can be made louder or softer: snd_format_scale(). */
bool snd_format_is_linear(enum snd_format format);

/* Frames and bytes of a unit. */
struct snd_unit {
	uint32_t frames, bytes;
};

struct snd_unit snd_format_unit(enum snd_format format, uint32_t channels);

/* Fill @bytes, a whole number of samples, with silence. */
void snd_format_silence(enum snd_format format, uint8_t *out, uint32_t bytes);

/* -- Loudness -----------------------------------------------------------------------
 */

#define SND_GAIN_UNITY (1u << 24)

/* Of @millidb thousandths of a dB as sndif.h has it, -144000 (and below: nothing) to 0:
 * 0 to SND_GAIN_UNITY. There is no gain above 0 dB: it would clip. */
uint32_t snd_gain(int32_t millidb);
/* @frames frames of a linear format from @in to @out, which may be the same: channel c
 * by @gain[c], rounded to the nearest; by SND_GAIN_UNITY, the most there is, they are
 * the same bytes. */
void snd_format_scale(enum snd_format format, const uint8_t *in, uint8_t *out,
		      uint32_t frames, uint32_t channels, const uint32_t *gain);

#endif
