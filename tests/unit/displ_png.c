/* SPDX-License-Identifier: MIT */
/*
 * backends/displ/displ-png.c: what it writes is what others read, of one length, and
 * takes no memory; what it reads is what others wrote, or says why not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <malloc.h>
#include <png.h>
#include <unistd.h>

#include "backends/displ/displ-png.h"

static char path[] = "/tmp/xdd-png.XXXXXX";

static uint32_t some_pixel(uint32_t x, uint32_t y)
{
	return (x * 0x01030507u + y * 0x11050301u) ^ 0x80402010u;
}

static void paint(uint32_t *pixels, struct displ_size size, uint32_t stride)
{
	for (uint32_t y = 0; y < size.height; y++) {
		for (uint32_t x = 0; x < size.width; x++)
			pixels[y * stride / 4 + x] = some_pixel(x, y);
	}
}

/* -- Writing --------------------------------------------------------------- */

/* As libpng's simplified reading has it: its bytes in their order. */
static void reads_as(const struct displ_png *png, const uint32_t *pixels,
		     uint32_t stride)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	uint8_t *rgba = malloc((size_t)png->size.width * png->size.height * 4);

	assert_non_null(rgba);
	assert_true(png_image_begin_read_from_memory(&image, png->bytes, png->n));
	assert_int_equal(image.width, png->size.width);
	assert_int_equal(image.height, png->size.height);
	assert_int_equal(image.format & PNG_FORMAT_FLAG_ALPHA,
			 png->alpha ? PNG_FORMAT_FLAG_ALPHA : 0);
	image.format = PNG_FORMAT_RGBA;
	assert_true(png_image_finish_read(&image, NULL, rgba, 0, NULL));
	for (uint32_t y = 0; y < png->size.height; y++) {
		for (uint32_t x = 0; x < png->size.width; x++) {
			const uint8_t *is = rgba + 4 * (y * png->size.width + x);
			uint32_t want = pixels[y * stride / 4 + x];

			assert_int_equal(is[0], want >> 16 & 0xff);
			assert_int_equal(is[1], want >> 8 & 0xff);
			assert_int_equal(is[2], want & 0xff);
			assert_int_equal(is[3], png->alpha ? want >> 24 : 255);
		}
	}
	free(rgba);
}

static void writes(void **state)
{
	static const struct displ_size sizes[] = {
		{64, 64}, {65, 67}, {1920, 1080}, {8192, 64}, {64, 8192}, {641, 480},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct displ_size size = sizes[i / 2];
		uint32_t stride = 4 * (size.width + 24);
		uint32_t *pixels = calloc(size.height, stride);
		struct displ_png png;
		size_t n;

		assert_non_null(pixels);
		assert_int_equal(displ_png_init(&png, size, i & 1), 0);
		n = png.n;
		reads_as(&png, pixels, stride); /* black; of alpha nothing */
		paint(pixels, size, stride);
		assert_int_equal(
			displ_png_encode(&png, (const uint8_t *)pixels, stride), 0);
		assert_int_equal(png.n, n);
		reads_as(&png, pixels, stride);
		displ_png_fini(&png);
		free(pixels);
	}
}

/* However often, and whatever it is: no byte more of the heap. What libpng had had from
 * there nobody would give back. */
static void takes_no_memory(void **state)
{
	const struct displ_size size = {800, 480};
	uint32_t *pixels = calloc(size.height, 4 * size.width);
	struct displ_png png;
	size_t heap;

	(void)state;
	assert_int_equal(displ_png_init(&png, size, false), 0);
	paint(pixels, size, 4 * size.width);
	heap = mallinfo2().uordblks;
	for (unsigned i = 0; i < 50; i++) {
		pixels[i] = i;
		assert_int_equal(
			displ_png_encode(&png, (const uint8_t *)pixels, 4 * size.width),
			0);
	}
	assert_true(png.used > 200000); /* zlib's, too */
	assert_int_equal(mallinfo2().uordblks, heap);
	displ_png_fini(&png);
	free(pixels);
}

/* One that is not as long as the others is none: its file would be broken. */
static void of_another_length(void **state)
{
	const struct displ_size size = {64, 64};
	uint32_t pixels[64] = {0};
	struct displ_png png;

	(void)state;
	assert_int_equal(displ_png_init(&png, size, false), 0);
	png.n--;
	assert_int_equal(displ_png_encode(&png, (const uint8_t *)pixels, 0), -EIO);
	png.n++;
	assert_int_equal(displ_png_encode(&png, (const uint8_t *)pixels, 0), 0);
	png.room = png.n - 1;
	assert_int_equal(displ_png_encode(&png, (const uint8_t *)pixels, 0), -EIO);
	displ_png_fini(&png);
}

/* -- Reading --------------------------------------------------------------- */

static void write_file(const void *data, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, n, f), n);
	fclose(f);
}

static void write_png(uint32_t format, uint32_t width, uint32_t height,
		      const void *pixels)
{
	png_image image = {.version = PNG_IMAGE_VERSION,
			   .width = width,
			   .height = height,
			   .format = format};

	assert_true(png_image_write_to_file(&image, path, 0, pixels, 0, NULL));
}

static struct displ_pixels read_png(bool alpha)
{
	struct displ_pixels pixels;
	char why[DISPL_PNG_WHY] = "";

	assert_int_equal(displ_png_read(path, alpha, &pixels, why), 0);
	assert_string_equal(why, "");
	return pixels;
}

static void reads(void **state)
{
	static const uint8_t rgba[2][3][4] = {
		{{1, 2, 3, 255}, {4, 5, 6, 255}, {255, 0, 128, 255}},
		{{7, 8, 9, 255}, {200, 100, 50, 0}, {0, 0, 0, 255}},
	};
	static const uint32_t want[2][6] = {
		{0xff010203, 0xff040506, 0xffff0080, 0xff070809, 0xff000000,
		 0xff000000},
		{0xff010203, 0xff040506, 0xffff0080, 0xff070809, 0x00c86432,
		 0xff000000},
	};

	(void)state;
	write_png(PNG_FORMAT_RGBA, 3, 2, rgba);
	for (unsigned alpha = 0; alpha < 2; alpha++) {
		struct displ_pixels pixels = read_png(alpha);

		assert_int_equal(pixels.size.width, 3);
		assert_int_equal(pixels.size.height, 2);
		assert_memory_equal(pixels.pixel, want[alpha], sizeof(want[alpha]));
		displ_pixels_free(&pixels);
		assert_null(pixels.pixel);
	}
}

/* Grey ones, and ones without alpha: opaque. */
static void reads_others(void **state)
{
	static const uint8_t grey[] = {0, 127, 255};
	static const uint8_t rgb[] = {1, 2, 3, 4, 5, 6};

	(void)state;
	for (unsigned alpha = 0; alpha < 2; alpha++) {
		struct displ_pixels pixels;

		write_png(PNG_FORMAT_GRAY, 3, 1, grey);
		pixels = read_png(alpha);
		assert_int_equal(pixels.pixel[0], 0xff000000);
		assert_int_equal(pixels.pixel[1], 0xff7f7f7f);
		assert_int_equal(pixels.pixel[2], 0xffffffff);
		displ_pixels_free(&pixels);
		write_png(PNG_FORMAT_RGB, 1, 2, rgb);
		pixels = read_png(alpha);
		assert_int_equal(pixels.pixel[0], 0xff010203);
		assert_int_equal(pixels.pixel[1], 0xff040506);
		displ_pixels_free(&pixels);
	}
}

static void fails(int with, const char *what)
{
	struct displ_pixels pixels = {{1, 1}, NULL};
	char why[DISPL_PNG_WHY] = "";

	assert_int_equal(displ_png_read(path, false, &pixels, why), with);
	assert_non_null(strstr(why, what));
	assert_int_equal(pixels.size.width, 1); /* untouched */
	assert_null(pixels.pixel);
}

static void does_not_read(void **state)
{
	uint8_t *big = calloc(DISPL_SIZE_MAX + 1, 1), bytes[4096];
	FILE *f;
	size_t n;

	(void)state;
	write_png(PNG_FORMAT_GRAY, DISPL_SIZE_MAX + 1, 1, big);
	fails(-EFBIG, "larger than 8192x8192");
	write_png(PNG_FORMAT_GRAY, 1, DISPL_SIZE_MAX + 1, big);
	fails(-EFBIG, "larger than");
	write_png(PNG_FORMAT_GRAY, DISPL_SIZE_MAX, 1, big);
	f = fopen(path, "r");
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	assert_true(n > 60 && n < sizeof(bytes));
	write_file(bytes, n - 20); /* cut off */
	fails(-EINVAL, "no PNG: ");
	write_file(bytes, 20);
	fails(-EINVAL, "no PNG: ");
	bytes[20]++; /* its head's sum is wrong */
	write_file(bytes, n);
	fails(-EINVAL, "no PNG: ");
	write_file("GIF89a", 6);
	fails(-EINVAL, "no PNG: ");
	write_file("", 0);
	fails(-EINVAL, "no PNG: ");
	unlink(path);
	fails(-ENOENT, "No such file");
	free(big);
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd >= 0)
		close(fd);
	return fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes),
		cmocka_unit_test(takes_no_memory),
		cmocka_unit_test(of_another_length),
		cmocka_unit_test(reads),
		cmocka_unit_test(reads_others),
		cmocka_unit_test(does_not_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
