/* SPDX-License-Identifier: MIT */
/*
 * What libpng says goes nowhere but to @why: a file that is read is named by who reads
 * it, and one that is written cannot be wrong.
 */
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/displ/displ-format.h"
#include "backends/displ/displ-png.h"

/* What libpng 1.6 and zlib ask for, beside two rows: 270 KiB, most of it deflate's. */
#define ARENA ((size_t)512 << 10)
#define ALIGN 16
/* Beside the rows: all chunks but IDAT, and of each 8 KiB of these and of deflate's
 * blocks what is around it. */
#define AROUND(bytes) (4096 + (bytes) / 64)

/* -- Reading --------------------------------------------------------------- */

/* Three bytes a pixel, at the beginning of a row of four: from the last one on. */
static void widen(uint8_t *row, uint32_t width)
{
	for (uint32_t x = width; x-- > 0;) {
		uint32_t v = (uint32_t)row[3 * x] | (uint32_t)row[3 * x + 1] << 8 |
			     (uint32_t)row[3 * x + 2] << 16 | 0xff000000u;

		memcpy(row + DISPL_PIXEL * x, &v, sizeof(v));
	}
}

static int decode(png_image *image, bool alpha, struct displ_pixels *out)
{
	const png_color black = {0, 0, 0};
	const uint32_t width = image->width, height = image->height;
	uint32_t *pixel;

	if (width > DISPL_SIZE_MAX || height > DISPL_SIZE_MAX) {
		png_image_free(image);
		return -EFBIG;
	}
	pixel = calloc((size_t)width * height, DISPL_PIXEL);
	if (!pixel) {
		png_image_free(image);
		return -ENOMEM;
	}
	/* In the order of a little-endian 0xAARRGGBB. */
	image->format = alpha ? PNG_FORMAT_BGRA : PNG_FORMAT_BGR;
	if (!png_image_finish_read(image, &black, pixel,
				   (png_int_32)(DISPL_PIXEL * width), NULL)) {
		free(pixel);
		return -EINVAL;
	}
	for (uint32_t y = 0; !alpha && y < height; y++)
		widen((uint8_t *)(pixel + (size_t)y * width), width);
	*out = (struct displ_pixels){{width, height}, pixel};
	return 0;
}

static int read_file(FILE *f, bool alpha, struct displ_pixels *out,
		     char why[DISPL_PNG_WHY])
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	int r = -EINVAL;

	if (png_image_begin_read_from_stdio(&image, f))
		r = decode(&image, alpha, out);
	if (r == -EFBIG)
		snprintf(why, DISPL_PNG_WHY, "larger than %dx%d", DISPL_SIZE_MAX,
			 DISPL_SIZE_MAX);
	else if (r == -EINVAL)
		snprintf(why, DISPL_PNG_WHY, "no PNG: %s", image.message);
	else if (r)
		snprintf(why, DISPL_PNG_WHY, "%s", strerror(-r));
	return r;
}

int displ_png_read(const char *path, bool alpha, struct displ_pixels *out,
		   char why[DISPL_PNG_WHY])
{
	FILE *f = fopen(path, "re");
	int r;

	if (!f) {
		r = -errno;
		snprintf(why, DISPL_PNG_WHY, "%s", strerror(-r));
		return r;
	}
	r = read_file(f, alpha, out, why);
	fclose(f);
	return r;
}

void displ_pixels_free(struct displ_pixels *pixels)
{
	free(pixels->pixel);
	*pixels = (struct displ_pixels){0};
}

/* -- The arena ------------------------------------------------------------- */

static png_voidp arena_get(png_structp p, png_alloc_size_t n)
{
	struct displ_png *png = png_get_mem_ptr(p);
	const size_t room = ARENA + 16 * (size_t)png->size.width;
	uint8_t *at = png->arena + png->used;

	if (n > room - png->used)
		return NULL;
	n = (n + ALIGN - 1) / ALIGN * ALIGN;
	png->used = n < room - png->used ? png->used + n : room;
	return at;
}

static void arena_put(png_structp p, png_voidp at)
{
	(void)p;
	(void)at;
}

/* -- Writing --------------------------------------------------------------- */

static void refuse(png_structp p, png_const_charp what)
{
	(void)what;
	png_longjmp(p, 1);
}

static void ignore(png_structp p, png_const_charp what)
{
	(void)p;
	(void)what;
}

static void put(png_structp p, png_bytep data, size_t n)
{
	struct displ_png *png = png_get_io_ptr(p);

	if (n > png->room - png->n)
		png_error(p, "longer than it can be");
	memcpy(png->bytes + png->n, data, n);
	png->n += n;
}

static void flush(png_structp p)
{
	(void)p;
}

static void write_head(png_structp p, png_infop info, const struct displ_png *png)
{
	png_set_IHDR(p, info, png->size.width, png->size.height, 8,
		     png->alpha ? PNG_COLOR_TYPE_RGB_ALPHA : PNG_COLOR_TYPE_RGB,
		     PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	png_set_compression_level(p, 0);
	png_set_filter(p, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
	png_write_info(p, info);
	png_set_bgr(p);
	if (!png->alpha)
		png_set_filler(p, 0, PNG_FILLER_AFTER);
}

/* False: libpng jumped back. Nothing here changes once it may. */
static bool write_all(png_structp p, const struct displ_png *png, const uint8_t *pixels,
		      uint32_t stride)
{
	png_infop info;

	if (setjmp(png_jmpbuf(p)))
		return false;
	info = png_create_info_struct(p);
	if (!info)
		return false;
	write_head(p, info, png);
	for (uint32_t y = 0; y < png->size.height; y++)
		png_write_row(p, pixels + (size_t)y * stride);
	png_write_end(p, NULL);
	return true;
}

/* Whatever comes of it has png->n bytes. Neither struct is destroyed: what they would
 * give back is the arena's. */
static bool encode(struct displ_png *png, const uint8_t *pixels, uint32_t stride)
{
	png_structp p;

	png->n = png->used = 0;
	p = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, NULL, refuse, ignore, png,
				      arena_get, arena_put);
	if (!p)
		return false;
	png_set_write_fn(p, png, put, flush);
	return write_all(p, png, pixels, stride);
}

int displ_png_encode(struct displ_png *png, const uint8_t *pixels, uint32_t stride)
{
	const size_t n = png->n;
	bool done = encode(png, pixels, stride) && png->n == n;

	png->n = n;
	return done ? 0 : -EIO;
}

int displ_png_init(struct displ_png *png, struct displ_size size, bool alpha)
{
	const size_t row = 1 + (size_t)size.width * (alpha ? 4 : 3);
	uint8_t *black = calloc(size.width, DISPL_PIXEL);
	bool done = false;

	*png = (struct displ_png){.size = size,
				  .alpha = alpha,
				  .room = row * size.height +
					  AROUND(row * size.height)};
	png->bytes = malloc(png->room);
	png->arena = malloc(ARENA + 16 * (size_t)size.width);
	if (black && png->bytes && png->arena)
		done = encode(png, black, 0);
	free(black);
	if (done)
		return 0;
	displ_png_fini(png);
	return -ENOMEM;
}

void displ_png_fini(struct displ_png *png)
{
	free(png->arena);
	free(png->bytes);
	*png = (struct displ_png){0};
}
