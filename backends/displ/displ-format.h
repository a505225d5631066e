/* SPDX-License-Identifier: MIT */
/*
 * Pixel formats: how they lie in a client's memory (drm_fourcc.h), and what becomes of
 * them on a canvas.
 *
 * Not a picture and not memory: a row of private bytes in, a row of pixels out. A
 * canvas has one format, 32 bits a pixel in this machine's order, 0xAARRGGBB: DRM's
 * ARGB8888, or, where nobody looks at the alpha, its XRGB8888.
 */
#ifndef XDD_DISPL_FORMAT_H
#define XDD_DISPL_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#define DISPL_PIXEL 4 /* bytes, of a canvas */

enum displ_format {
	DISPL_XRGB8888,
	DISPL_ARGB8888,
	DISPL_XBGR8888,
	DISPL_ABGR8888,
	DISPL_RGBX8888,
	DISPL_RGBA8888,
	DISPL_BGRX8888,
	DISPL_BGRA8888,
	DISPL_RGB888,
	DISPL_RGB565,
	DISPL_XRGB1555,
	DISPL_ARGB1555,
	DISPL_XRGB4444,
	DISPL_ARGB4444,
	DISPL_FORMATS,
};

#define DISPL_FORMATS_ALL ((1u << DISPL_FORMATS) - 1)

struct displ_format_info {
	const char *name; /* as a policy has it: "xrgb8888" */
	uint32_t fourcc;  /* DRM_FORMAT_... */
	uint8_t bytes;	  /* of a pixel: 2, 3 or 4 */
	/* Where each component lies in the pixel, a little-endian number, and how many
	 * bits it has; of alpha 0: it is opaque. */
	struct displ_bits {
		uint8_t shift, bits;
	} red, green, blue, alpha;
};

const struct displ_format_info *displ_format_info(enum displ_format format);
/* By a policy's name. */
bool displ_format_parse(const char *name, enum displ_format *out);
/* By DRM's number. */
bool displ_format_of(uint32_t fourcc, enum displ_format *out);
/* Its pixels are those of a canvas, whose alpha counts or (not @alpha) does not. */
bool displ_format_plain(enum displ_format format, bool alpha);
/* @n pixels of @src to @dst, which are apart. What has fewer bits is widened so that
 * all of them set are all of them set. */
void displ_format_row(enum displ_format format, const uint8_t *src, uint32_t *dst,
		      uint32_t n);

#endif
