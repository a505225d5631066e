/* SPDX-License-Identifier: MIT */
/*
 * FNV-1a of pixels, 24 bits each: what two programs say of one picture.
 */
#ifndef XDD_TEST_PIXEL_SUM_H
#define XDD_TEST_PIXEL_SUM_H

#include <stdint.h>

#define PIXEL_SUM UINT64_C(14695981039346656037) /* of none */

static inline void pixel_sum(uint64_t *sum, uint32_t pixel)
{
	*sum = (*sum ^ (pixel & 0xffffff)) * UINT64_C(1099511628211);
}

#endif
