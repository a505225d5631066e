/* SPDX-License-Identifier: MIT */
/* backends/snd/snd-format.c: what others say of formats, and each sample's loudness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <alsa/asoundlib.h>
#include <endian.h>
#include <math.h>
#include <xen/xen.h>

#include <xen/io/sndif.h>

#include "backends/snd/snd-format.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* What ALSA and sndif.h call each. */
#define IS_AS(name, alsa)                                                              \
	{                                                                              \
		SND_FORMAT_##name, XENSND_PCM_FORMAT_##name,                           \
			XENSND_PCM_FORMAT_##name##_STR, SND_PCM_FORMAT_##alsa          \
	}
#define IS(name) IS_AS(name, name)

static const struct same {
	enum snd_format ours;
	unsigned sndif;
	const char *name;
	snd_pcm_format_t alsa;
} same[] = {
	IS(S8),
	IS(U8),
	IS(S16_LE),
	IS(S16_BE),
	IS(U16_LE),
	IS(U16_BE),
	IS(S24_LE),
	IS(S24_BE),
	IS(U24_LE),
	IS(U24_BE),
	IS(S32_LE),
	IS(S32_BE),
	IS(U32_LE),
	IS(U32_BE),
	IS_AS(F32_LE, FLOAT_LE),
	IS_AS(F32_BE, FLOAT_BE),
	IS_AS(F64_LE, FLOAT64_LE),
	IS_AS(F64_BE, FLOAT64_BE),
	IS(IEC958_SUBFRAME_LE),
	IS(IEC958_SUBFRAME_BE),
	IS(MU_LAW),
	IS(A_LAW),
	IS(IMA_ADPCM),
	IS(MPEG),
	IS(GSM),
};

static void as_sndif_has_them(void **state)
{
	enum snd_format format;

	(void)state;
	assert_int_equal(COUNT(same), SND_FORMATS);
	assert_int_equal(SND_FORMATS_ALL, 0x1ffffff);
	for (unsigned i = 0; i < COUNT(same); i++) {
		assert_int_equal(same[i].ours, same[i].sndif);
		assert_string_equal(snd_format_info(same[i].ours)->name, same[i].name);
		assert_true(snd_format_parse(same[i].name, &format));
		assert_int_equal(format, same[i].ours);
	}
	assert_false(snd_format_parse("s16", &format));
	assert_false(snd_format_parse("S16_LE", &format));
	assert_false(snd_format_parse("", &format));
}

static void as_alsa_has_them(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(same); i++) {
		const struct snd_format_info *info = snd_format_info(same[i].ours);
		snd_pcm_format_t alsa = same[i].alsa;
		int bits = snd_pcm_format_physical_width(alsa);
		bool linear = snd_pcm_format_linear(alsa) == 1;

		/* ALSA has no width for MPEG and GSM, and we a byte. */
		assert_int_equal(info->bits, bits < 0 ? 8 : bits);
		assert_int_equal(info->is_float, snd_pcm_format_float(alsa) == 1);
		assert_int_equal(snd_format_is_linear(same[i].ours),
				 linear || info->is_float);
		if (info->width)
			assert_int_equal(info->width, snd_pcm_format_width(alsa));
		if (linear)
			assert_int_equal(info->is_unsigned,
					 snd_pcm_format_unsigned(alsa) == 1);
		if (linear || info->is_float)
			assert_int_equal(info->big_endian,
					 info->bits > 8 &&
						 snd_pcm_format_big_endian(alsa) == 1);
	}
}

static void silence_is_alsas(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(same); i++) {
		uint64_t silence = snd_pcm_format_silence_64(same[i].alsa);
		uint8_t out[3 * 8 + 1];

		memset(out, 0xee, sizeof(out));
		snd_format_silence(same[i].ours, out, 24);
		for (unsigned j = 0; j < 24; j += 8)
			assert_memory_equal(out + j, &silence, 8);
		assert_int_equal(out[24], 0xee);
	}
}

static void units(void **state)
{
	static const struct {
		enum snd_format format;
		uint32_t channels;
		struct snd_unit unit;
	} cases[] = {
		{SND_FORMAT_U8, 1, {1, 1}},	   {SND_FORMAT_S16_LE, 2, {1, 4}},
		{SND_FORMAT_S24_BE, 3, {1, 12}},   {SND_FORMAT_F64_LE, 8, {1, 64}},
		{SND_FORMAT_IMA_ADPCM, 1, {2, 1}}, {SND_FORMAT_IMA_ADPCM, 2, {1, 1}},
		{SND_FORMAT_IMA_ADPCM, 3, {2, 3}}, {SND_FORMAT_MPEG, 1, {1, 1}},
		{SND_FORMAT_GSM, 2, {1, 2}},
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct snd_unit unit =
			snd_format_unit(cases[i].format, cases[i].channels);

		assert_int_equal(unit.frames, cases[i].unit.frames);
		assert_int_equal(unit.bytes, cases[i].unit.bytes);
	}
}

/* -- Loudness -----------------------------------------------------------------------
 */

static void gains(void **state)
{
	uint32_t last = 0;

	(void)state;
	assert_int_equal(snd_gain(0), 1 << 24);
	assert_int_equal(snd_gain(1), 1 << 24);
	assert_int_equal(snd_gain(INT32_MAX), 1 << 24);
	assert_int_equal(snd_gain(-20000), 1677722); /* a tenth */
	assert_int_equal(snd_gain(-6000), 8408526);  /* 0.501187 */
	assert_int_equal(snd_gain(-120000), 17);
	assert_int_equal(snd_gain(-144000), 0);
	assert_int_equal(snd_gain(INT32_MIN), 0);
	for (int32_t millidb = -144000; millidb <= 0; millidb += 50) {
		assert_true(snd_gain(millidb) >= last);
		last = snd_gain(millidb);
	}
}

/* The nearest whole number, of halves the greater one. */
static int64_t nearest(int64_t v, uint32_t gain)
{
	return (int64_t)floorl((long double)v * gain / 16777216.0L + 0.5L);
}

static uint32_t scaled(enum snd_format format, uint32_t raw, uint32_t gain)
{
	uint8_t bytes[8] = {0};
	uint32_t out = 0;

	memcpy(bytes, &raw, 4);
	snd_format_scale(format, bytes, bytes, 1, 1, &gain);
	memcpy(&out, bytes, 4);
	return out;
}

static const uint32_t some_gains[] = {0,       1,	 2,	   8388607, 8388608,
				      8388609, 12345678, 16777215, 1 << 24};

static void each_of_eight_and_sixteen_bits(void **state)
{
	(void)state;
	for (unsigned g = 0; g < COUNT(some_gains); g++) {
		uint32_t gain = some_gains[g];

		for (int v = -128; v < 128; v++) {
			int64_t n = nearest(v, gain);

			assert_int_equal(scaled(SND_FORMAT_S8, (uint8_t)v, gain),
					 (uint8_t)n);
			assert_int_equal(
				scaled(SND_FORMAT_U8, (uint8_t)(v + 128), gain),
				(uint8_t)(n + 128));
		}
		for (int v = -32768; v < 32768; v++) {
			uint16_t s = (uint16_t)v, u = (uint16_t)(v + 32768);
			uint16_t n = (uint16_t)nearest(v, gain);
			uint16_t m = (uint16_t)(n + 32768);

			assert_int_equal(scaled(SND_FORMAT_S16_LE, htole16(s), gain),
					 htole16(n));
			assert_int_equal(scaled(SND_FORMAT_S16_BE, htobe16(s), gain),
					 htobe16(n));
			assert_int_equal(scaled(SND_FORMAT_U16_LE, htole16(u), gain),
					 htole16(m));
			assert_int_equal(scaled(SND_FORMAT_U16_BE, htobe16(u), gain),
					 htobe16(m));
		}
	}
}

static const int32_t wide[] = {INT32_MIN, INT32_MIN + 1,
			       -0x800000, -0x7fffff,
			       -8388609,  -65536,
			       -3,	  -2,
			       -1,	  0,
			       1,	  2,
			       3,	  65535,
			       0x7fffff,  0x800000,
			       INT32_MAX};

static void of_32_bits(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(wide) * COUNT(some_gains); i++) {
		uint32_t gain = some_gains[i % COUNT(some_gains)];
		int32_t v = wide[i / COUNT(some_gains)];
		uint32_t s = (uint32_t)v, n = (uint32_t)nearest(v, gain);
		uint32_t u = s ^ 1u << 31, m = n ^ 1u << 31;

		assert_int_equal(scaled(SND_FORMAT_S32_LE, htole32(s), gain),
				 htole32(n));
		assert_int_equal(scaled(SND_FORMAT_S32_BE, htobe32(s), gain),
				 htobe32(n));
		assert_int_equal(scaled(SND_FORMAT_U32_LE, htole32(u), gain),
				 htole32(m));
		assert_int_equal(scaled(SND_FORMAT_U32_BE, htobe32(u), gain),
				 htobe32(m));
	}
}

/* Whatever lies in the fourth byte does not count, and stays if nothing is to change.
 */
static void of_24_bits(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(wide) * COUNT(some_gains); i++) {
		uint32_t gain = some_gains[i % COUNT(some_gains)];
		int32_t v = wide[i / COUNT(some_gains)] % 0x800000;
		uint32_t junk = (uint32_t)i << 24, low = 0xffffff;
		uint32_t s = ((uint32_t)v & low) | junk, n = (uint32_t)nearest(v, gain);
		uint32_t u = s ^ 0x800000, m = (n + 0x800000) & low;

		if (gain == SND_GAIN_UNITY) {
			n = s;
			m = u;
		}
		assert_int_equal(scaled(SND_FORMAT_S24_LE, htole32(s), gain),
				 htole32(n));
		assert_int_equal(scaled(SND_FORMAT_S24_BE, htobe32(s), gain),
				 htobe32(n));
		assert_int_equal(scaled(SND_FORMAT_U24_LE, htole32(u), gain),
				 htole32(m));
		assert_int_equal(scaled(SND_FORMAT_U24_BE, htobe32(u), gain),
				 htobe32(m));
	}
}

static void of_floats(void **state)
{
	static const float floats[] = {0,    -0.0f,  1,	       -1,
				       0.3f, 1e-38f, -3.4e38f, INFINITY};
	const uint32_t gain = 12345678;

	(void)state;
	for (unsigned i = 0; i < COUNT(floats); i++) {
		float f = (float)((long double)floats[i] * gain / 16777216.0L);
		double d = (double)floats[i], e = d * gain / 16777216;
		uint32_t in, out;
		uint64_t in64, out64, swapped;

		memcpy(&in, &floats[i], 4);
		memcpy(&out, &f, 4);
		assert_int_equal(scaled(SND_FORMAT_F32_LE, htole32(in), gain),
				 htole32(out));
		assert_int_equal(scaled(SND_FORMAT_F32_BE, htobe32(in), gain),
				 htobe32(out));
		memcpy(&in64, &d, 8);
		memcpy(&out64, &e, 8);
		swapped = htobe64(in64);
		snd_format_scale(SND_FORMAT_F64_BE, (uint8_t *)&swapped,
				 (uint8_t *)&swapped, 1, 1, &gain);
		assert_true(swapped == htobe64(out64));
		swapped = htole64(in64);
		snd_format_scale(SND_FORMAT_F64_LE, (uint8_t *)&swapped,
				 (uint8_t *)&swapped, 1, 1, &gain);
		assert_true(swapped == htole64(out64));
	}
}

/* The same bytes, whatever they are: NaNs that signal, a fourth byte of 24 bits. */
static void unity_changes_no_bit(void **state)
{
	const uint32_t gain[2] = {SND_GAIN_UNITY, SND_GAIN_UNITY};
	uint8_t in[4096], out[4096];
	uint32_t random = 1;

	(void)state;
	for (unsigned i = 0; i < sizeof(in); i++) {
		random = random * 1664525 + 1013904223;
		in[i] = (uint8_t)(random >> 24);
	}
	memcpy(in, "\x01\x00\xa0\x7f\x7f\xa0\x00\x01", 8); /* such NaNs */
	for (unsigned f = 0; f < SND_FORMATS; f++) {
		uint32_t bytes = snd_format_info((enum snd_format)f)->bits / 8;

		if (!snd_format_is_linear((enum snd_format)f))
			continue;
		memset(out, 0, sizeof(out));
		snd_format_scale((enum snd_format)f, in, out,
				 (uint32_t)sizeof(in) / bytes / 2, 2, gain);
		assert_memory_equal(in, out, sizeof(in));
	}
}

static void each_channel_by_its_own(void **state)
{
	const uint32_t gain[3] = {SND_GAIN_UNITY, SND_GAIN_UNITY / 2, 0};
	const int16_t in[] = {100, 100, 100, -100, -100, -100, 7, 7, 7};
	int16_t out[9];

	(void)state;
	out[6] = out[7] = out[8] = 55;
	snd_format_scale(SND_FORMAT_S16_LE, (const uint8_t *)in, (uint8_t *)out, 2, 3,
			 gain);
	assert_memory_equal(out, ((int16_t[]){100, 50, 0, -100, -50, 0, 55, 55, 55}),
			    sizeof(out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_sndif_has_them),
		cmocka_unit_test(as_alsa_has_them),
		cmocka_unit_test(silence_is_alsas),
		cmocka_unit_test(units),
		cmocka_unit_test(gains),
		cmocka_unit_test(each_of_eight_and_sixteen_bits),
		cmocka_unit_test(of_32_bits),
		cmocka_unit_test(of_24_bits),
		cmocka_unit_test(of_floats),
		cmocka_unit_test(unity_changes_no_bit),
		cmocka_unit_test(each_channel_by_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
