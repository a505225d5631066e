/* SPDX-License-Identifier: MIT */
/*
 * Numbers within private bytes, wherever they lie, in this machine's order: Xen's rings
 * are in that of both sides. What has an order of its own uses endian.h.
 */
#ifndef XDD_BYTES_H
#define XDD_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t bytes_get16(const uint8_t *at)
{
	uint16_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static inline uint32_t bytes_get32(const uint8_t *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static inline uint64_t bytes_get64(const uint8_t *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static inline void bytes_put16(uint8_t *at, uint16_t v)
{
	memcpy(at, &v, sizeof(v));
}

static inline void bytes_put32(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, sizeof(v));
}

static inline void bytes_put64(uint8_t *at, uint64_t v)
{
	memcpy(at, &v, sizeof(v));
}

#endif
