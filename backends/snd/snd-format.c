/* SPDX-License-Identifier: MIT */
/*
 * Loudness is one way for all: a sample is read as a number, made softer, and written
 * as it was. A number of at most 32 bits times a gain of 25 fits 64 bits; of a float of
 * 32 bits the product is exact in 64, so that it is rounded once.
 */
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "backends/snd/snd-format.h"

#define GAIN_BITS    24
#define MILLIDB_NONE (-144000)
#define PATTERN	     4 /* bytes after which silence is the same again */

struct format_row {
	struct snd_format_info info;
	uint8_t silence[PATTERN];
};

/* clang-format off */
#define SAME(byte)  {byte, byte, byte, byte}
#define TWICE(a, b) {a, b, a, b}

static const struct format_row rows[SND_FORMATS] = {
	/* name, bits, width, is_float, is_unsigned, big_endian; silence */
	[SND_FORMAT_S8] = {{"s8", 8, 8, false, false, false}, SAME(0)},
	[SND_FORMAT_U8] = {{"u8", 8, 8, false, true, false}, SAME(0x80)},
	[SND_FORMAT_S16_LE] = {{"s16_le", 16, 16, false, false, false}, SAME(0)},
	[SND_FORMAT_S16_BE] = {{"s16_be", 16, 16, false, false, true}, SAME(0)},
	[SND_FORMAT_U16_LE] = {{"u16_le", 16, 16, false, true, false}, TWICE(0, 0x80)},
	[SND_FORMAT_U16_BE] = {{"u16_be", 16, 16, false, true, true}, TWICE(0x80, 0)},
	[SND_FORMAT_S24_LE] = {{"s24_le", 32, 24, false, false, false}, SAME(0)},
	[SND_FORMAT_S24_BE] = {{"s24_be", 32, 24, false, false, true}, SAME(0)},
	[SND_FORMAT_U24_LE] = {{"u24_le", 32, 24, false, true, false}, {0, 0, 0x80, 0}},
	[SND_FORMAT_U24_BE] = {{"u24_be", 32, 24, false, true, true}, {0, 0x80, 0, 0}},
	[SND_FORMAT_S32_LE] = {{"s32_le", 32, 32, false, false, false}, SAME(0)},
	[SND_FORMAT_S32_BE] = {{"s32_be", 32, 32, false, false, true}, SAME(0)},
	[SND_FORMAT_U32_LE] = {{"u32_le", 32, 32, false, true, false}, {0, 0, 0, 0x80}},
	[SND_FORMAT_U32_BE] = {{"u32_be", 32, 32, false, true, true}, {0x80, 0, 0, 0}},
	[SND_FORMAT_F32_LE] = {{"float_le", 32, 32, true, false, false}, SAME(0)},
	[SND_FORMAT_F32_BE] = {{"float_be", 32, 32, true, false, true}, SAME(0)},
	[SND_FORMAT_F64_LE] = {{"float64_le", 64, 64, true, false, false}, SAME(0)},
	[SND_FORMAT_F64_BE] = {{"float64_be", 64, 64, true, false, true}, SAME(0)},
	[SND_FORMAT_IEC958_SUBFRAME_LE] = {{"iec958_subframe_le", 32, 0, false, false, false}, SAME(0)},
	[SND_FORMAT_IEC958_SUBFRAME_BE] = {{"iec958_subframe_be", 32, 0, false, false, true}, SAME(0)},
	[SND_FORMAT_MU_LAW] = {{"mu_law", 8, 0, false, false, false}, SAME(0x7f)},
	[SND_FORMAT_A_LAW] = {{"a_law", 8, 0, false, false, false}, SAME(0x55)},
	[SND_FORMAT_IMA_ADPCM] = {{"ima_adpcm", 4, 0, false, false, false}, SAME(0)},
	[SND_FORMAT_MPEG] = {{"mpeg", 8, 0, false, false, false}, SAME(0)},
	[SND_FORMAT_GSM] = {{"gsm", 8, 0, false, false, false}, SAME(0)},
};
/* clang-format on */

const struct snd_format_info *snd_format_info(enum snd_format format)
{
	assert(format < SND_FORMATS);
	return &rows[format].info;
}

uint32_t snd_rate(unsigned i)
{
	static const uint32_t rates[] = {5512,	8000,	11025, 16000, 22050,
					 32000, 44100,	48000, 64000, 88200,
					 96000, 176400, 192000};

	return i < sizeof(rates) / sizeof(rates[0]) ? rates[i] : 0;
}

bool snd_format_parse(const char *name, enum snd_format *out)
{
	for (unsigned i = 0; i < SND_FORMATS; i++) {
		if (strcmp(name, rows[i].info.name))
			continue;
		*out = (enum snd_format)i;
		return true;
	}
	return false;
}

bool snd_format_is_linear(enum snd_format format)
{
	return snd_format_info(format)->width;
}

struct snd_unit snd_format_unit(enum snd_format format, uint32_t channels)
{
	uint32_t bits = snd_format_info(format)->bits * channels;
	uint32_t frames = bits % 8 ? 2 : 1;

	return (struct snd_unit){frames, frames * bits / 8};
}

void snd_format_silence(enum snd_format format, uint8_t *out, uint32_t bytes)
{
	const uint8_t *silence;
	uint32_t done = bytes < PATTERN ? bytes : PATTERN, n;

	assert(format < SND_FORMATS);
	silence = rows[format].silence;
	memcpy(out, silence, done);
	for (; done < bytes; done += n) { /* twice as much each time */
		n = bytes - done < done ? bytes - done : done;
		memcpy(out + done, out, n);
	}
}

/* -- Loudness -----------------------------------------------------------------------
 */

uint32_t snd_gain(int32_t millidb)
{
	if (millidb >= 0)
		return SND_GAIN_UNITY;
	if (millidb <= MILLIDB_NONE)
		return 0;
	return (uint32_t)lround(SND_GAIN_UNITY * pow(10, millidb / 20000.0));
}

static uint64_t load(const uint8_t *in, uint32_t bytes, bool big_endian)
{
	uint64_t v = 0;

	for (uint32_t i = 0; i < bytes; i++)
		v = v << 8 | in[big_endian ? i : bytes - 1 - i];
	return v;
}

static void store(uint64_t v, uint8_t *out, uint32_t bytes, bool big_endian)
{
	for (uint32_t i = 0; i < bytes; i++, v >>= 8)
		out[big_endian ? bytes - 1 - i : i] = (uint8_t)v;
}

/* What lies above the width in @v is not looked at; of the result it is the sign, or of
 * an unsigned one nothing. */
static uint64_t scale_integer(const struct snd_format_info *info, uint64_t v,
			      uint32_t gain)
{
	uint64_t sign = 1ull << (info->width - 1), mask = 2 * sign - 1;
	uint64_t biased = (info->is_unsigned ? v : v ^ sign) & mask;
	int64_t n = (int64_t)biased - (int64_t)sign;

	n = (n * gain + (1 << (GAIN_BITS - 1))) >> GAIN_BITS;
	return info->is_unsigned ? (uint64_t)(n + (int64_t)sign) : (uint64_t)n;
}

static uint64_t scale_float(const struct snd_format_info *info, uint64_t v,
			    uint32_t gain)
{
	uint32_t narrow = (uint32_t)v;
	double wide;
	float f;

	if (info->bits == 64) {
		memcpy(&wide, &v, sizeof(wide));
		wide = wide * gain / SND_GAIN_UNITY;
		memcpy(&v, &wide, sizeof(v));
		return v;
	}
	memcpy(&f, &narrow, sizeof(f));
	f = (float)((double)f * gain / SND_GAIN_UNITY);
	memcpy(&narrow, &f, sizeof(narrow));
	return narrow;
}

static void scale(const struct snd_format_info *info, const uint8_t *in, uint8_t *out,
		  uint32_t gain)
{
	uint32_t bytes = info->bits / 8;
	uint64_t v = load(in, bytes, info->big_endian);

	if (gain != SND_GAIN_UNITY)
		v = info->is_float ? scale_float(info, v, gain)
				   : scale_integer(info, v, gain);
	store(v, out, bytes, info->big_endian);
}

void snd_format_scale(enum snd_format format, const uint8_t *in, uint8_t *out,
		      uint32_t frames, uint32_t channels, const uint32_t *gain)
{
	const struct snd_format_info *info = snd_format_info(format);
	size_t bytes = info->bits / 8;

	assert(snd_format_is_linear(format));
	for (uint32_t c = 0; c < channels; c++)
		assert(gain[c] <= SND_GAIN_UNITY);
	for (uint32_t frame = 0; frame < frames; frame++) {
		for (uint32_t c = 0; c < channels; c++, in += bytes, out += bytes)
			scale(info, in, out, gain[c]);
	}
}
