/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

#include "backends/blk/blk-store.h"
#include "common/shared.h"

/* The iovec may point into a client's pages: shared.h alone touches it. */
static void memory_move(uint8_t *at, const struct blk_request *rq)
{
	for (uint32_t i = 0; i < rq->niov; i++) {
		const struct iovec *v = &rq->iov[i];

		if (rq->step == BLK_READ)
			shared_copy_out(v->iov_base, at, v->iov_len);
		else
			shared_copy_in(at, v->iov_base, v->iov_len);
		at += v->iov_len;
	}
}

static void memory_submit(struct blk_store *store, struct blk_request *rq)
{
	struct blk_store_memory *memory = (struct blk_store_memory *)store;
	uint64_t len = rq->left;

	switch (rq->step) {
	case BLK_READ:
	case BLK_WRITE:
		memory_move(memory->bytes + blk_position(rq), rq);
		blk_finish(rq, (int64_t)len);
		return;
	case BLK_FLUSH:
		blk_finish(rq, 0);
		return;
	case BLK_DISCARD:
	case BLK_WRITE_ZEROES:
		memset(memory->bytes + blk_position(rq), 0, len);
		blk_finish(rq, (int64_t)len);
		return;
	case BLK_BARRIER:
	case BLK_OPS:
		break;
	}
	assert(!"a step");
}

static void memory_close(struct blk_store *store)
{
	struct blk_store_memory *memory = (struct blk_store_memory *)store;

	munmap(memory->bytes, memory->size);
}

static const struct blk_store_ops memory_ops = {
	.submit = memory_submit,
	.close = memory_close,
};

int blk_store_memory_open(struct blk_store_memory *memory, uint64_t size,
			  const struct blk_store_conf *conf)
{
	uint32_t logical = conf->sector_bytes ? conf->sector_bytes : BLK_SECTOR;
	void *bytes;

	size -= size % logical;
	if (!size)
		return -EINVAL;
	bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	*memory = (struct blk_store_memory){
		.store.ops = &memory_ops,
		.store.geometry =
			{
				.sectors = size / BLK_SECTOR,
				.logical_bytes = logical,
				.physical_bytes = 4096,
				.memory_bytes = 1,
				.read_only = conf->read_only,
				.flush = true,
				.write_zeroes = !conf->read_only,
				.discard = conf->discard && !conf->read_only,
				.discard_granularity = logical,
			},
		.bytes = bytes,
		.size = size,
	};
	return 0;
}
