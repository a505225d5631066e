/* SPDX-License-Identifier: MIT */
/*
 * What a driver shares with its device, in blocks: memory, and the address by which
 * the device knows it. One range of each, so it serves for a pool and for grants of
 * consecutive references.
 *
 * First fit; a block that was given back is used again for what fits into it. No
 * block crosses a multiple of 1 MiB of the pool, where a device need not follow.
 */
#ifndef XDD_TEST_DRIVER_POOL_H
#define XDD_TEST_DRIVER_POOL_H

#include <stdbool.h>
#include <stdint.h>

#define DRIVER_POOL_BASE   (UINT64_C(1) << 32)
#define DRIVER_POOL_RUN	   (1u << 20)
#define DRIVER_POOL_BLOCKS 2048

struct driver_block {
	uint8_t *at; /* NULL: there was no room */
	uint64_t addr;
	uint32_t bytes;
};

struct driver_pool {
	uint8_t *at;
	uint64_t base; /* the device's address of its first byte */
	uint32_t bytes;
	uint32_t top; /* all from here on was never given out */
	unsigned blocks;
	struct {
		uint32_t at, bytes;
		bool out;
	} block[DRIVER_POOL_BLOCKS];
};

void driver_pool_init(struct driver_pool *p, void *at, uint32_t bytes, uint64_t base);
/* @bytes of the pool, cleared, at an address that is a multiple of @align (a power
 * of two, to 4096). */
struct driver_block driver_pool_get(struct driver_pool *p, uint32_t bytes,
				    uint32_t align);
/* A block without memory is no block: nothing happens. */
void driver_pool_put(struct driver_pool *p, const struct driver_block *block);

#endif
