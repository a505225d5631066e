/* SPDX-License-Identifier: MIT */
/*
 * FNV-1a of pixels, 24 bits each: what two programs say of one picture.
 */
#ifndef XDD_TEST_PIXEL_SUM_H
#define XDD_TEST_PIXEL_SUM_H

#include <stdint.h>

#define PIXEL_SUM UINT64_C(14695981039346656037) /* of none */

static inline void pixel_crc_word(uint32_t *crc, uint32_t word)
{
	*crc ^= word;
	for (unsigned i = 0; i < 32; i++)
		*crc = *crc >> 1 ^ (*crc & 1 ? 0xedb88320u : 0);
}

/* And as vkms sums it up: CRC-32, begun at 0 and not inverted, of alpha, red, green and
 * blue, 16 bits each. */
static inline void pixel_crc(uint32_t *crc, uint32_t pixel)
{
	pixel_crc_word(crc, 0xffff | (pixel >> 16 & 0xff) * 0x101 << 16);
	pixel_crc_word(crc, (pixel >> 8 & 0xff) * 0x101 | (pixel & 0xff) * 0x101 << 16);
}

static inline void pixel_sum(uint64_t *sum, uint32_t pixel)
{
	*sum = (*sum ^ (pixel & 0xffffff)) * UINT64_C(1099511628211);
}

#endif
