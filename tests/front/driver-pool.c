/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "tests/front/driver-pool.h"

void driver_pool_init(struct driver_pool *p, void *at, uint32_t bytes, uint64_t base)
{
	p->at = at;
	p->base = base;
	p->bytes = bytes;
	p->top = 0;
	p->blocks = 0;
}

static struct driver_block give(const struct driver_pool *p, uint32_t at,
				uint32_t bytes)
{
	memset(p->at + at, 0, bytes);
	return (struct driver_block){p->at + at, p->base + at, bytes};
}

struct driver_block driver_pool_get(struct driver_pool *p, uint32_t bytes,
				    uint32_t align)
{
	static const struct driver_block none;
	uint32_t at;

	assert(bytes && align && align <= 4096 && !(align & (align - 1)));
	for (unsigned i = 0; i < p->blocks; i++) {
		if (!p->block[i].out && p->block[i].bytes >= bytes &&
		    !(p->block[i].at & (align - 1))) {
			p->block[i].out = true;
			return give(p, p->block[i].at, bytes);
		}
	}
	at = (p->top + align - 1) & ~(align - 1);
	if (at % DRIVER_POOL_RUN + (uint64_t)bytes > DRIVER_POOL_RUN)
		at = (at | (DRIVER_POOL_RUN - 1)) + 1;
	if (bytes > DRIVER_POOL_RUN || p->blocks == DRIVER_POOL_BLOCKS ||
	    (uint64_t)at + bytes > p->bytes)
		return none;
	p->block[p->blocks].at = at;
	p->block[p->blocks].bytes = bytes;
	p->block[p->blocks].out = true;
	p->blocks++;
	p->top = at + bytes;
	return give(p, at, bytes);
}

void driver_pool_put(struct driver_pool *p, const struct driver_block *block)
{
	if (!block->at)
		return;
	for (unsigned i = 0; i < p->blocks; i++) {
		if (p->at + p->block[i].at == block->at) {
			assert(p->block[i].out);
			p->block[i].out = false;
			return;
		}
	}
	assert(!"a block of this pool");
}
