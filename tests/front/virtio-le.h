/* SPDX-License-Identifier: MIT */
/*
 * Little-endian fields in memory that is shared: bytes for what an index covers,
 * single accesses for the indices themselves.
 */
#ifndef XDD_TEST_VIRTIO_LE_H
#define XDD_TEST_VIRTIO_LE_H

#include <endian.h>
#include <stdint.h>

static inline void le_put(uint8_t *at, unsigned bytes, uint64_t v)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

static inline uint64_t le_get(const uint8_t *at, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)at[i] << 8 * i;
	return v;
}

/* After all that came before it; pairs with the other side's acquire. */
static inline void le16_release(uint8_t *at, uint16_t v)
{
	__atomic_store_n((uint16_t *)(void *)at, htole16(v), __ATOMIC_RELEASE);
}

static inline void le32_release(uint8_t *at, uint32_t v)
{
	__atomic_store_n((uint32_t *)(void *)at, htole32(v), __ATOMIC_RELEASE);
}

/* Before all that comes after it; pairs with the other side's release. */
static inline uint16_t le16_acquire(const uint8_t *at)
{
	return le16toh(
		__atomic_load_n((const uint16_t *)(const void *)at, __ATOMIC_ACQUIRE));
}

static inline uint32_t le32_acquire(const uint8_t *at)
{
	return le32toh(
		__atomic_load_n((const uint32_t *)(const void *)at, __ATOMIC_ACQUIRE));
}

#endif
