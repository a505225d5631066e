/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "tests/device/vchain.h"

#define SEGMENTS 512

/* A part of a block, in descriptors that are as long as they may be. */
static unsigned cut(uint64_t addr, uint32_t bytes, uint32_t piece, struct driver_sg *sg,
		    unsigned n)
{
	while (bytes) {
		uint32_t len = piece && piece < bytes ? piece : bytes;

		assert(n < SEGMENTS);
		sg[n++] = (struct driver_sg){addr, len};
		addr += len;
		bytes -= len;
	}
	return n;
}

bool vchain_put(struct vchains *chains, struct vfront *f, unsigned queue, uint16_t id,
		const void *bytes, uint32_t readable, uint32_t room, uint32_t piece)
{
	struct driver_sg sg[SEGMENTS];
	struct vchain *c;
	unsigned i = 0, reads, n;

	while (i < VCHAIN_BLOCKS && chains->chain[i].out)
		i++;
	if (i == VCHAIN_BLOCKS)
		return false;
	c = &chains->chain[i];
	c->block = driver_pool_get(&f->pool, readable + room, 1);
	if (!c->block.at)
		return false;
	c->readable = readable;
	memcpy(c->block.at, bytes, readable);
	memset(c->block.at + readable, 0xee, room);
	reads = cut(c->block.addr, readable, piece, sg, 0);
	n = cut(c->block.addr + readable, room, piece, sg, reads);
	c->out = driver_queue_add(&f->queue[queue], sg, reads, n - reads,
				  f->features & DRIVER_F_INDIRECT_DESC ? 0 : n,
				  (uint64_t)i << 16 | id) >= 0;
	if (!c->out)
		driver_pool_put(&f->pool, &c->block);
	return c->out;
}

bool vchain_back(struct vchains *chains, struct vfront *f, unsigned queue, uint16_t *id,
		 uint8_t *out, uint32_t room, uint32_t *len)
{
	struct driver_queue *q = &f->queue[queue];
	struct vchain *c;
	struct driver_done done;
	enum driver_got got = driver_queue_get(q, &done);
	uint32_t most;

	if (got == DRIVER_NOTHING) {
		driver_queue_arm(q);
		return false;
	}
	assert(got == DRIVER_GOT);
	c = &chains->chain[done.cookie >> 16];
	most = c->block.bytes - c->readable;
	assert(c->out && done.len <= most);
	*len = done.len;
	*id = (uint16_t)done.cookie;
	/* Who wants nothing has no place for it. */
	if (room)
		memcpy(out, c->block.at + c->readable, most < room ? most : room);
	c->out = false;
	driver_pool_put(&f->pool, &c->block);
	return true;
}
