/* SPDX-License-Identifier: MIT */
/*
 * Says of PNG files what xdd-drm-show says of what it shows: "SUM WIDTHxHEIGHT".
 *
 *	xdd-png-sum FILE...
 */
#include <inttypes.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/front/pixel-sum.h"

static int sum_of(const char *path)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	uint64_t sum = PIXEL_SUM;
	uint8_t *pixels;
	int good;

	if (!png_image_begin_read_from_file(&image, path)) {
		fprintf(stderr, "%s: %s\n", path, image.message);
		return 1;
	}
	image.format = PNG_FORMAT_RGB;
	pixels = malloc(PNG_IMAGE_SIZE(image));
	good = pixels && png_image_finish_read(&image, NULL, pixels, 0, NULL);
	for (size_t i = 0; good && i < (size_t)image.width * image.height; i++)
		pixel_sum(&sum, (uint32_t)pixels[3 * i] << 16 |
					(uint32_t)pixels[3 * i + 1] << 8 |
					pixels[3 * i + 2]);
	free(pixels);
	if (!good) {
		fprintf(stderr, "%s: %s\n", path, image.message);
		return 1;
	}
	printf("%016" PRIx64 " %ux%u\n", sum, image.width, image.height);
	return 0;
}

int main(int argc, char **argv)
{
	int r = 0;

	for (int i = 1; i < argc; i++)
		r |= sum_of(argv[i]);
	return argc < 2 ? 2 : r;
}
