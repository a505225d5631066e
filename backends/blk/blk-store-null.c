/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "backends/blk/blk-store.h"

static void null_submit(struct blk_store *store, struct blk_request *rq)
{
	(void)store;
	blk_finish(rq, (int64_t)rq->left);
}

static void null_close(struct blk_store *store)
{
	(void)store;
}

static const struct blk_store_ops null_ops = {
	.submit = null_submit,
	.close = null_close,
};

int blk_store_null_open(struct blk_store_null *null, uint64_t size,
			const struct blk_store_conf *conf)
{
	uint32_t logical = conf->sector_bytes ? conf->sector_bytes : BLK_SECTOR;

	size -= size % logical;
	if (!size)
		return -EINVAL;
	*null = (struct blk_store_null){
		.store.ops = &null_ops,
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
	};
	return 0;
}
