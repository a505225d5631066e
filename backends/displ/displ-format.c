/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/displ/displ-format.h"

/* Their pixels are little-endian, and a canvas's this machine's. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "displ_format_plain()");

#define FOURCC(a, b, c, d)                                                             \
	((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/* clang-format off */
static const struct displ_format_info infos[DISPL_FORMATS] = {
	/* name, fourcc, bytes; red, green, blue, alpha */
	[DISPL_XRGB8888] = {"xrgb8888", FOURCC('X', 'R', '2', '4'), 4,
			    {16, 8}, {8, 8}, {0, 8}, {0, 0}},
	[DISPL_ARGB8888] = {"argb8888", FOURCC('A', 'R', '2', '4'), 4,
			    {16, 8}, {8, 8}, {0, 8}, {24, 8}},
	[DISPL_XBGR8888] = {"xbgr8888", FOURCC('X', 'B', '2', '4'), 4,
			    {0, 8}, {8, 8}, {16, 8}, {0, 0}},
	[DISPL_ABGR8888] = {"abgr8888", FOURCC('A', 'B', '2', '4'), 4,
			    {0, 8}, {8, 8}, {16, 8}, {24, 8}},
	[DISPL_RGBX8888] = {"rgbx8888", FOURCC('R', 'X', '2', '4'), 4,
			    {24, 8}, {16, 8}, {8, 8}, {0, 0}},
	[DISPL_RGBA8888] = {"rgba8888", FOURCC('R', 'A', '2', '4'), 4,
			    {24, 8}, {16, 8}, {8, 8}, {0, 8}},
	[DISPL_BGRX8888] = {"bgrx8888", FOURCC('B', 'X', '2', '4'), 4,
			    {8, 8}, {16, 8}, {24, 8}, {0, 0}},
	[DISPL_BGRA8888] = {"bgra8888", FOURCC('B', 'A', '2', '4'), 4,
			    {8, 8}, {16, 8}, {24, 8}, {0, 8}},
	[DISPL_RGB888] = {"rgb888", FOURCC('R', 'G', '2', '4'), 3,
			  {16, 8}, {8, 8}, {0, 8}, {0, 0}},
	[DISPL_RGB565] = {"rgb565", FOURCC('R', 'G', '1', '6'), 2,
			  {11, 5}, {5, 6}, {0, 5}, {0, 0}},
	[DISPL_XRGB1555] = {"xrgb1555", FOURCC('X', 'R', '1', '5'), 2,
			    {10, 5}, {5, 5}, {0, 5}, {0, 0}},
	[DISPL_ARGB1555] = {"argb1555", FOURCC('A', 'R', '1', '5'), 2,
			    {10, 5}, {5, 5}, {0, 5}, {15, 1}},
	[DISPL_XRGB4444] = {"xrgb4444", FOURCC('X', 'R', '1', '2'), 2,
			    {8, 4}, {4, 4}, {0, 4}, {0, 0}},
	[DISPL_ARGB4444] = {"argb4444", FOURCC('A', 'R', '1', '2'), 2,
			    {8, 4}, {4, 4}, {0, 4}, {12, 4}},
};
/* clang-format on */

const struct displ_format_info *displ_format_info(enum displ_format format)
{
	return &infos[format];
}

bool displ_format_parse(const char *name, enum displ_format *out)
{
	for (unsigned i = 0; i < DISPL_FORMATS; i++) {
		if (!strcmp(name, infos[i].name)) {
			*out = (enum displ_format)i;
			return true;
		}
	}
	return false;
}

bool displ_format_of(uint32_t fourcc, enum displ_format *out)
{
	for (unsigned i = 0; i < DISPL_FORMATS; i++) {
		if (fourcc == infos[i].fourcc) {
			*out = (enum displ_format)i;
			return true;
		}
	}
	return false;
}

bool displ_format_plain(enum displ_format format, bool alpha)
{
	return format == DISPL_ARGB8888 || (format == DISPL_XRGB8888 && !alpha);
}

static uint32_t get(const uint8_t *at, uint32_t bytes)
{
	uint32_t v = (uint32_t)at[0] | (uint32_t)at[1] << 8;

	if (bytes > 2)
		v |= (uint32_t)at[2] << 16;
	if (bytes > 3)
		v |= (uint32_t)at[3] << 24;
	return v;
}

/* To 8 bits: its own, again and again. */
static uint32_t widen(uint32_t pixel, struct displ_bits bits)
{
	uint32_t v = pixel >> bits.shift & ((1u << bits.bits) - 1);
	uint32_t out = 0;

	for (int left = 8; left > 0; left -= bits.bits)
		out |= left >= bits.bits ? v << (left - bits.bits)
					 : v >> (bits.bits - left);
	return out;
}

/* Whole bytes, three or four of them. */
static void row_bytes(const struct displ_format_info *info, const uint8_t *src,
		      uint32_t *dst, uint32_t n)
{
	uint32_t opaque = info->alpha.bits ? 0 : 0xff000000u;

	for (uint32_t i = 0; i < n; i++, src += info->bytes) {
		uint32_t v = get(src, info->bytes);

		dst[i] = (v >> info->red.shift & 0xff) << 16 |
			 (v >> info->green.shift & 0xff) << 8 |
			 (v >> info->blue.shift & 0xff) |
			 (opaque ? opaque : (v >> info->alpha.shift & 0xff) << 24);
	}
}

#define NARROW 64 /* values of a component of six bits or fewer */

/* All that a component can be, where it stands on a canvas. */
static void narrow_table(struct displ_bits bits, unsigned shift, uint32_t table[NARROW])
{
	for (uint32_t v = 0; v < 1u << bits.bits; v++)
		table[v] = widen(v, (struct displ_bits){0, bits.bits}) << shift;
}

static uint32_t narrow_get(const uint32_t table[NARROW], uint32_t pixel,
			   struct displ_bits bits)
{
	return table[pixel >> bits.shift & ((1u << bits.bits) - 1)];
}

/* Two bytes, of components that are looked up: a row has more pixels than they have
 * values. */
static void row_narrow(const struct displ_format_info *info, const uint8_t *src,
		       uint32_t *dst, uint32_t n)
{
	uint32_t red[NARROW], green[NARROW], blue[NARROW], alpha[NARROW];

	narrow_table(info->red, 16, red);
	narrow_table(info->green, 8, green);
	narrow_table(info->blue, 0, blue);
	if (info->alpha.bits)
		narrow_table(info->alpha, 24, alpha);
	else
		alpha[0] = 0xff000000u;
	for (uint32_t i = 0; i < n; i++, src += info->bytes) {
		uint32_t v = get(src, info->bytes);

		dst[i] = narrow_get(red, v, info->red) |
			 narrow_get(green, v, info->green) |
			 narrow_get(blue, v, info->blue) |
			 narrow_get(alpha, v, info->alpha);
	}
}

void displ_format_row(enum displ_format format, const uint8_t *src, uint32_t *dst,
		      uint32_t n)
{
	const struct displ_format_info *info = &infos[format];

	if (info->bytes == 2)
		row_narrow(info, src, dst, n);
	else
		row_bytes(info, src, dst, n);
}
