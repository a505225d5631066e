/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>

#include "backends/blk/blk.h"

void blk_init(struct blk *blk, struct blk_store *store)
{
	assert(store->geometry.logical_bytes >= BLK_SECTOR);
	*blk = (struct blk){.store = store, .geometry = store->geometry};
}

/* [impl->req~read-only-is-read-only~1] */
void blk_restrict(struct blk *blk, bool read_only, bool discard)
{
	assert(!blk->busy);
	blk->geometry.read_only = blk->store->geometry.read_only || read_only;
	blk->geometry.discard =
		blk->store->geometry.discard && discard && !blk->geometry.read_only;
}

bool blk_resize(struct blk *blk)
{
	struct blk_store *store = blk->store;
	int64_t bytes = store->ops->size ? store->ops->size(store) : -ENOSYS;
	uint64_t sectors;

	if (bytes < 0)
		return false;
	sectors = (uint64_t)(bytes - bytes % blk->geometry.logical_bytes) / BLK_SECTOR;
	if (sectors == blk->geometry.sectors)
		return false;
	blk->geometry.sectors = store->geometry.sectors = sectors;
	return true;
}

uint64_t blk_position(const struct blk_request *rq)
{
	return (rq->sector + rq->sectors) * BLK_SECTOR - rq->left;
}

/* [impl->req~disk-has-an-end~1] */
static bool blk_in_range(const struct blk *blk, const struct blk_request *rq)
{
	return rq->sectors && rq->sectors <= blk->geometry.sectors &&
	       rq->sector <= blk->geometry.sectors - rq->sectors;
}

/* [impl->req~disk-has-an-end~1] */
static bool blk_aligned(const struct blk *blk, const struct blk_request *rq)
{
	uint32_t unit = blk->geometry.logical_bytes / BLK_SECTOR;

	return rq->sector % unit == 0 && rq->sectors % unit == 0;
}

/* Each part of the memory too: O_DIRECT takes no less. The parts must add up
 * to the sectors, or the door is wrong. */
static bool blk_memory_aligned(const struct blk *blk, const struct blk_request *rq)
{
	uint64_t bytes = 0;

	assert(rq->niov <= BLK_IOV_MAX);
	for (uint32_t i = 0; i < rq->niov; i++) {
		if (rq->iov[i].iov_len % blk->geometry.logical_bytes)
			return false;
		if ((uintptr_t)rq->iov[i].iov_base % blk->geometry.memory_bytes)
			return false;
		bytes += rq->iov[i].iov_len;
	}
	assert(bytes == rq->sectors * BLK_SECTOR);
	return true;
}

/* Invariant 2: what does not pass here does not reach the store.
 * [impl->req~read-only-is-read-only~1] */
static enum blk_status blk_check(const struct blk *blk, const struct blk_request *rq)
{
	const struct blk_geometry *g = &blk->geometry;

	if ((rq->op == BLK_FLUSH || rq->op == BLK_BARRIER || rq->through) && !g->flush)
		return BLK_UNSUPPORTED;
	if (rq->op == BLK_FLUSH || (rq->op == BLK_BARRIER && !rq->sectors))
		return BLK_OK;
	if (rq->op != BLK_READ && g->read_only)
		return BLK_READ_ONLY;
	if ((rq->op == BLK_DISCARD && !g->discard) ||
	    (rq->op == BLK_WRITE_ZEROES && !g->write_zeroes))
		return BLK_UNSUPPORTED;
	if (!blk_in_range(blk, rq))
		return BLK_OUT_OF_RANGE;
	if (!blk_aligned(blk, rq))
		return BLK_MISALIGNED;
	if (rq->op != BLK_DISCARD && rq->op != BLK_WRITE_ZEROES &&
	    !blk_memory_aligned(blk, rq))
		return BLK_MISALIGNED;
	return BLK_OK;
}

static void blk_count(struct blk *blk, const struct blk_request *rq)
{
	struct blk_stats *stats = &blk->stats;

	switch (rq->op) {
	case BLK_READ:
		stats->reads++;
		stats->read_bytes += rq->sectors * BLK_SECTOR;
		return;
	case BLK_WRITE:
		stats->writes++;
		stats->write_bytes += rq->sectors * BLK_SECTOR;
		return;
	case BLK_FLUSH:
		stats->flushes++;
		return;
	case BLK_DISCARD:
		stats->discards++;
		stats->discard_bytes += rq->sectors * BLK_SECTOR;
		return;
	case BLK_WRITE_ZEROES:
		stats->zeroes++;
		stats->zero_bytes += rq->sectors * BLK_SECTOR;
		return;
	case BLK_BARRIER:
		stats->barriers++;
		stats->write_bytes += rq->sectors * BLK_SECTOR;
		return;
	case BLK_OPS:
		break;
	}
	assert(!"an op");
}

static void blk_home(struct blk_request *rq, enum blk_status status)
{
	struct blk *blk = rq->blk;

	assert(blk->busy);
	blk->busy--;
	if (status == BLK_OK)
		blk_count(blk, rq);
	else
		blk->stats.errors++;
	rq->done(rq, status);
}

static void blk_step(struct blk_request *rq, enum blk_op step)
{
	rq->step = step;
	rq->left = step == BLK_FLUSH ? 0 : rq->sectors * BLK_SECTOR;
	rq->blk->store->ops->submit(rq->blk->store, rq);
}

void blk_submit(struct blk *blk, struct blk_request *rq)
{
	enum blk_status status = blk_check(blk, rq);

	blk->busy++;
	rq->blk = blk;
	rq->written = false;
	if (status != BLK_OK)
		blk_home(rq, status);
	else
		blk_step(rq, rq->op == BLK_BARRIER ? BLK_FLUSH : rq->op);
}

/* A step is done: a barrier goes on, if it has data, and so does what must be on
 * stable storage; all else is home. */
static void blk_next(struct blk_request *rq)
{
	bool flushes = rq->op == BLK_BARRIER || (rq->through && rq->op != BLK_READ);

	if (!flushes || !rq->sectors || (rq->step == BLK_FLUSH && rq->written)) {
		blk_home(rq, BLK_OK);
		return;
	}
	rq->written = rq->step != BLK_FLUSH;
	blk_step(rq, rq->written ? BLK_FLUSH : BLK_WRITE);
}

static enum blk_status blk_error(struct blk_request *rq, int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
		return BLK_NOSPACE;
	case EFAULT:
		return BLK_FAULT;
	case EOPNOTSUPP:
		/* What the host refuses once is not tried again. */
		if (rq->step == BLK_DISCARD)
			rq->blk->store->geometry.discard = rq->blk->geometry.discard =
				false;
		else if (rq->step == BLK_WRITE_ZEROES)
			rq->blk->store->geometry.write_zeroes =
				rq->blk->geometry.write_zeroes = false;
		else
			return BLK_IOERR;
		return BLK_UNSUPPORTED;
	default:
		return BLK_IOERR;
	}
}

static void blk_advance(struct blk_request *rq, uint64_t bytes)
{
	while (bytes && bytes >= rq->iov->iov_len) {
		bytes -= rq->iov->iov_len;
		rq->iov++;
		rq->niov--;
	}
	if (!bytes)
		return;
	rq->iov->iov_base = (uint8_t *)rq->iov->iov_base + bytes;
	rq->iov->iov_len -= bytes;
}

void blk_finish(struct blk_request *rq, int64_t res)
{
	uint64_t moved = (uint64_t)res;

	if (res == -EINTR || res == -EAGAIN) {
		rq->blk->store->ops->submit(rq->blk->store, rq);
		return;
	}
	if (res < 0) {
		blk_home(rq, blk_error(rq, (int)-res));
		return;
	}
	assert(moved <= rq->left);
	if (!moved && rq->left) {
		blk_home(rq, BLK_IOERR); /* the file shrank under us */
		return;
	}
	rq->left -= moved;
	if (!rq->left) {
		blk_next(rq);
		return;
	}
	if (rq->op != BLK_DISCARD && rq->op != BLK_WRITE_ZEROES)
		blk_advance(rq, moved);
	rq->blk->store->ops->submit(rq->blk->store, rq);
}

const char *blk_op_name(enum blk_op op)
{
	static const char *const names[BLK_OPS] = {
		[BLK_READ] = "read",	   [BLK_WRITE] = "write",
		[BLK_FLUSH] = "flush",	   [BLK_DISCARD] = "discard",
		[BLK_BARRIER] = "barrier", [BLK_WRITE_ZEROES] = "write_zeroes",
	};

	return names[op];
}

const char *blk_status_name(enum blk_status status)
{
	static const char *const names[] = {
		[BLK_OK] = "ok",
		[BLK_IOERR] = "the host's disk failed",
		[BLK_UNSUPPORTED] = "not supported",
		[BLK_NOSPACE] = "the host's file system is full",
		[BLK_FAULT] = "no access to the client's pages: try Cache = buffered",
		[BLK_OUT_OF_RANGE] = "past the end of the disk",
		[BLK_MISALIGNED] = "not aligned to the logical sector",
		[BLK_READ_ONLY] = "the disk is read-only",
	};

	return names[status];
}
