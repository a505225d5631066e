/* SPDX-License-Identifier: MIT */
/*
 * backends/displ/displ-format.c: its formats are those of drm_fourcc.h, and what
 * becomes of their pixels is what their names say, worked out from these alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ctype.h>
#include <drm_fourcc.h>

#include "backends/displ/displ-format.h"

#define IS(name)                                                                       \
	{                                                                              \
		DISPL_##name, #name, DRM_FORMAT_##name                                 \
	}

static const struct same {
	enum displ_format ours;
	const char *name;
	uint32_t fourcc;
} same[] = {
	IS(XRGB8888), IS(ARGB8888), IS(XBGR8888), IS(ABGR8888), IS(RGBX8888),
	IS(RGBA8888), IS(BGRX8888), IS(BGRA8888), IS(RGB888),	IS(RGB565),
	IS(XRGB1555), IS(ARGB1555), IS(XRGB4444), IS(ARGB4444),
};
#define COUNT (sizeof(same) / sizeof(same[0]))

/* A component of a name: which one, and how wide. Letters first, the highest bits of a
 * little-endian number first, then as many digits. */
struct part {
	char what;
	unsigned bits, shift;
};

static unsigned parts_of(const char *name, struct part parts[4])
{
	unsigned n = strspn(name, "XARGB"), bits = 0;

	for (unsigned i = n; i-- > 0;) {
		parts[i] = (struct part){name[i], (unsigned)(name[n + i] - '0'), bits};
		bits += parts[i].bits;
	}
	return n;
}

static unsigned bytes_of(const char *name)
{
	struct part parts[4];
	unsigned n = parts_of(name, parts);

	return (parts[0].shift + parts[0].bits + 7 * (n > 0)) / 8;
}

/* Its bits from the highest one on, again and again. */
static uint32_t wide(uint32_t v, unsigned bits)
{
	uint32_t out = 0;

	for (unsigned i = 0; i < 8; i++)
		out = out << 1 | (v >> (bits - 1 - i % bits) & 1);
	return out;
}

static uint32_t want(const char *name, uint32_t pixel)
{
	struct part parts[4];
	unsigned n = parts_of(name, parts);
	uint32_t alpha = 255, red = 0, green = 0, blue = 0;

	for (unsigned i = 0; i < n; i++) {
		uint32_t v = pixel >> parts[i].shift & ((1u << parts[i].bits) - 1);

		v = wide(v, parts[i].bits);
		if (parts[i].what == 'A')
			alpha = v;
		else if (parts[i].what == 'R')
			red = v;
		else if (parts[i].what == 'G')
			green = v;
		else if (parts[i].what == 'B')
			blue = v;
	}
	return alpha << 24 | red << 16 | green << 8 | blue;
}

static void names(void **state)
{
	enum displ_format format = DISPL_FORMATS;

	(void)state;
	assert_int_equal(COUNT, DISPL_FORMATS);
	assert_int_equal(DISPL_FORMATS_ALL, (1u << COUNT) - 1);
	for (unsigned i = 0; i < COUNT; i++) {
		const struct displ_format_info *info = displ_format_info(same[i].ours);
		char lower[16] = "";

		for (unsigned j = 0; same[i].name[j]; j++)
			lower[j] = (char)tolower((unsigned char)same[i].name[j]);
		assert_string_equal(info->name, lower);
		assert_int_equal(info->fourcc, same[i].fourcc);
		assert_int_equal(info->bytes, bytes_of(same[i].name));
		assert_true(displ_format_parse(lower, &format));
		assert_int_equal(format, same[i].ours);
		format = DISPL_FORMATS;
		assert_true(displ_format_of(same[i].fourcc, &format));
		assert_int_equal(format, same[i].ours);
		format = DISPL_FORMATS;
		assert_false(displ_format_parse(same[i].name, &format));
		assert_int_equal(format, DISPL_FORMATS);
	}
	assert_false(displ_format_parse("", &format));
	assert_false(displ_format_parse("xrgb888", &format));
	assert_false(displ_format_of(0, &format));
	assert_false(displ_format_of(DRM_FORMAT_NV12, &format));
	assert_false(
		displ_format_of(DRM_FORMAT_XRGB8888 | DRM_FORMAT_BIG_ENDIAN, &format));
	assert_int_equal(format, DISPL_FORMATS);
}

/* One by one, in a row, at any place of it. */
static void pixel_is(const struct same *of, uint32_t pixel)
{
	unsigned bytes = bytes_of(of->name);
	uint8_t src[3 * 4 + 1];
	uint32_t dst[4] = {0x12345678, 0, 0, 0x9abcdef0};

	memset(src, 0xa5, sizeof(src));
	for (unsigned i = 0; i < 2; i++) {
		for (unsigned b = 0; b < bytes; b++)
			src[1 + i * bytes + b] =
				(uint8_t)((pixel ^ (i ? ~0u : 0)) >> 8 * b);
	}
	displ_format_row(of->ours, src + 1, dst + 1, 2);
	if (dst[1] != want(of->name, pixel) || dst[2] != want(of->name, ~pixel))
		fail_msg("%s %08x: %08x %08x, not %08x %08x", of->name, pixel, dst[1],
			 dst[2], want(of->name, pixel), want(of->name, ~pixel));
	assert_int_equal(dst[0], 0x12345678);
	assert_int_equal(dst[3], 0x9abcdef0);
}

/* Of two bytes each one that there is; of more each byte's every value, and some. */
static void pixels(void **state)
{
	(void)state;
	srand(1);
	for (unsigned i = 0; i < COUNT; i++) {
		bool small = bytes_of(same[i].name) == 2;

		for (uint32_t v = 0; v < 0x10000; v++)
			pixel_is(&same[i], small ? v : v | v << 16);
		for (uint32_t v = 0; !small && v < 4 * 256; v++)
			pixel_is(&same[i], (v & 0xff) << v / 256 * 8);
		for (uint32_t k = 0; k < 10000; k++)
			pixel_is(&same[i], (uint32_t)rand() << 16 ^ (uint32_t)rand());
	}
}

/* Nothing is nothing, and no row is longer than it says. */
static void rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		unsigned bytes = bytes_of(same[i].name);
		uint8_t *src = malloc(100 * bytes); /* its end is watched */
		uint32_t dst[101] = {[0] = 7, [100] = 7};

		displ_format_row(same[i].ours, src, dst, 0);
		assert_int_equal(dst[0], 7);
		memset(src, 0xff, 100 * bytes);
		displ_format_row(same[i].ours, src, dst, 100);
		for (unsigned x = 0; x < 100; x++)
			assert_int_equal(dst[x], 0xffffffff);
		assert_int_equal(dst[100], 7);
		free(src);
	}
}

/* Those are copied as they are: then what a row makes of them is the same. */
static void plain(void **state)
{
	static const uint8_t src[4] = {1, 2, 3, 4};
	uint32_t dst;

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		enum displ_format format = same[i].ours;

		assert_int_equal(displ_format_plain(format, true),
				 format == DISPL_ARGB8888);
		assert_int_equal(displ_format_plain(format, false),
				 format == DISPL_ARGB8888 || format == DISPL_XRGB8888);
	}
	displ_format_row(DISPL_ARGB8888, src, &dst, 1);
	assert_memory_equal(&dst, src, 4);
	displ_format_row(DISPL_XRGB8888, src, &dst, 1);
	assert_memory_equal(&dst, src, 3);
	assert_int_equal(dst >> 24, 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(pixels),
		cmocka_unit_test(rows),
		cmocka_unit_test(plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
