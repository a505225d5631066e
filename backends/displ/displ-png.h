/* SPDX-License-Identifier: MIT */
/*
 * PNG files: one read to pixels, and pixels written to bytes of one, by libpng.
 *
 * Not a file that is written: who encodes has bytes. Invariants:
 *  1. a file is read before the process is sealed, and is the driver domain's own: it
 * is no client's;
 *  2. what is encoded is not compressed, so that all pictures of one size are as many
 *     bytes, and a file of them is written in place;
 *  3. displ_png_encode() allocates nothing: what libpng and zlib ask for lies in an
 *     arena, which is theirs anew each time. The first time was in displ_png_init(),
 * and what they ask for depends on the size alone.
 */
#ifndef XDD_DISPL_PNG_H
#define XDD_DISPL_PNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/displ/displ-policy.h"

#define DISPL_PNG_WHY 128 /* bytes of a reason */

/* Pixels of displ-format.h, row after row, without a gap. */
struct displ_pixels {
	struct displ_size size;
	uint32_t *pixel;
};

/* *@out is the caller's, for displ_pixels_free(). Not @alpha: it is on black, and
 * opaque. 0; or a negative errno and, in @why, what is the matter: -EINVAL if it is no
 * PNG, or a broken one, -EFBIG if a side is longer than DISPL_SIZE_MAX. */
int displ_png_read(const char *path, bool alpha, struct displ_pixels *out,
		   char why[DISPL_PNG_WHY]);
void displ_pixels_free(struct displ_pixels *pixels);

/* An encoder for pictures of one size. */
struct displ_png {
	struct displ_size size;
	bool alpha;
	uint8_t *bytes; /* of the last one */
	size_t n, room; /* @n: of each */
	uint8_t *arena;
	size_t used;
};

/* Before sealing; the last one is black. 0 or a negative errno. */
int displ_png_init(struct displ_png *png, struct displ_size size, bool alpha);
void displ_png_fini(struct displ_png *png);
/* @pixels: of displ-format.h, with @stride bytes from row to row. 0; -EIO: libpng would
 * not, or made more or less of it, and png->bytes is nothing. */
int displ_png_encode(struct displ_png *png, const uint8_t *pixels, uint32_t stride);

#endif
