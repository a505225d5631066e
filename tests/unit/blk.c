/* SPDX-License-Identifier: MIT */
/* backends/blk/blk.c: what reaches a store, what does not, and how a request
 * that the store does in parts comes home. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backends/blk/blk.h"
#include "backends/blk/blk-store.h"

/* A store that answers when it is told to, and counts. */
struct toy {
	struct blk_store store;
	struct blk_request *last;
	unsigned submits;
};

static struct toy toy;
static struct blk blk;
static _Alignas(4096) uint8_t memory[16 * 4096];
static struct iovec iov[BLK_IOV_MAX];
static unsigned home;
static enum blk_status status;

static void toy_submit(struct blk_store *store, struct blk_request *rq)
{
	(void)store;
	toy.last = rq;
	toy.submits++;
}

static const struct blk_store_ops toy_ops = {.submit = toy_submit};

static void done(struct blk_request *rq, enum blk_status s)
{
	(void)rq;
	home++;
	status = s;
}

static int fresh(void **state)
{
	(void)state;
	toy = (struct toy){
		.store.ops = &toy_ops,
		.store.geometry =
			{
				.sectors = 1000,
				.logical_bytes = 512,
				.memory_bytes = 512,
				.flush = true,
				.discard = true,
			},
	};
	blk_init(&blk, &toy.store);
	home = 0;
	return 0;
}

static struct blk_request request(enum blk_op op, uint64_t sector, uint64_t sectors)
{
	iov[0] = (struct iovec){memory, (size_t)sectors * 512};
	return (struct blk_request){
		.op = op,
		.sector = sector,
		.sectors = sectors,
		.iov = iov,
		.niov = 1,
		.done = done,
	};
}

/* The status of a request that must not reach the store. */
static enum blk_status refused(struct blk_request rq)
{
	unsigned before = toy.submits;

	home = 0;
	blk_submit(&blk, &rq);
	assert_int_equal(toy.submits, before);
	assert_int_equal(home, 1);
	assert_int_equal(blk.busy, 0);
	return status;
}

/* [utest->req~disk-has-an-end~1] */
static void range(void **state)
{
	struct blk_request rq = request(BLK_READ, 992, 8);

	(void)state;
	blk_submit(&blk, &rq);
	assert_int_equal(toy.submits, 1);
	assert_int_equal(blk.busy, 1);
	blk_finish(&rq, 4096);
	assert_int_equal(status, BLK_OK);
	assert_int_equal(refused(request(BLK_READ, 993, 8)), BLK_OUT_OF_RANGE);
	assert_int_equal(refused(request(BLK_READ, 1000, 1)), BLK_OUT_OF_RANGE);
	assert_int_equal(refused(request(BLK_WRITE, UINT64_MAX, 1)), BLK_OUT_OF_RANGE);
	assert_int_equal(refused(request(BLK_WRITE, UINT64_MAX - 3, 8)),
			 BLK_OUT_OF_RANGE);
	assert_int_equal(refused(request(BLK_DISCARD, 0, UINT64_MAX)),
			 BLK_OUT_OF_RANGE);
	assert_int_equal(refused(request(BLK_DISCARD, 1, UINT64_MAX)),
			 BLK_OUT_OF_RANGE);
	assert_int_equal(refused(request(BLK_DISCARD, 0, 0)), BLK_OUT_OF_RANGE);
	assert_int_equal(refused(request(BLK_DISCARD, 0, 1001)), BLK_OUT_OF_RANGE);
	assert_int_equal(blk.stats.reads, 1);
	assert_int_equal(blk.stats.read_bytes, 4096);
	assert_int_equal(blk.stats.errors, 8);
}

/* T-BLK-2. [utest->req~read-only-is-read-only~1] */
static void read_only(void **state)
{
	struct blk_request rq = request(BLK_FLUSH, 0, 0);

	(void)state;
	blk_restrict(&blk, true, true);
	assert_int_equal(refused(request(BLK_WRITE, 0, 1)), BLK_READ_ONLY);
	assert_int_equal(refused(request(BLK_DISCARD, 0, 1)), BLK_READ_ONLY);
	blk_submit(&blk, &rq);
	assert_int_equal(toy.submits, 1);
	blk_finish(&rq, 0);
	assert_false(blk.geometry.discard);
	/* Rights come back, but none that the store does not give. */
	blk_restrict(&blk, false, true);
	assert_false(blk.geometry.read_only);
	toy.store.geometry.read_only = true;
	blk_restrict(&blk, false, true);
	assert_true(blk.geometry.read_only);
}

static void large_sectors(void **state)
{
	struct blk_request rq;

	(void)state;
	toy.store.geometry.logical_bytes = 4096;
	blk_init(&blk, &toy.store);
	assert_int_equal(refused(request(BLK_READ, 1, 8)), BLK_MISALIGNED);
	assert_int_equal(refused(request(BLK_READ, 8, 4)), BLK_MISALIGNED);
	assert_int_equal(refused(request(BLK_DISCARD, 8, 9)), BLK_MISALIGNED);
	rq = request(BLK_READ, 8, 8);
	iov[0].iov_len = 2048;
	iov[1] = (struct iovec){memory + 4096, 2048};
	rq.niov = 2;
	assert_int_equal(refused(rq), BLK_MISALIGNED);
	rq = request(BLK_READ, 8, 8);
	iov[0].iov_base = memory + 64;
	assert_int_equal(refused(rq), BLK_MISALIGNED);
}

static void unsupported(void **state)
{
	struct blk_request rq = request(BLK_DISCARD, 0, 8);

	(void)state;
	blk_submit(&blk, &rq);
	blk_finish(&rq, -EOPNOTSUPP);
	assert_int_equal(status, BLK_UNSUPPORTED);
	assert_int_equal(refused(request(BLK_DISCARD, 0, 8)), BLK_UNSUPPORTED);
	toy.store.geometry.flush = false;
	blk_init(&blk, &toy.store);
	assert_int_equal(refused(request(BLK_FLUSH, 0, 0)), BLK_UNSUPPORTED);
}

static void errors(void **state)
{
	static const struct {
		int res;
		enum blk_status want;
	} rows[] = {
		{-EIO, BLK_IOERR},	  {-ENOSPC, BLK_NOSPACE},
		{-EDQUOT, BLK_NOSPACE},	  {-EFAULT, BLK_FAULT},
		{-EOPNOTSUPP, BLK_IOERR}, {0, BLK_IOERR}, /* end of file: it shrank */
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct blk_request rq = request(BLK_WRITE, 0, 8);

		home = 0;
		blk_submit(&blk, &rq);
		blk_finish(&rq, rows[i].res);
		assert_int_equal(home, 1);
		assert_int_equal(status, rows[i].want);
	}
	assert_int_equal(blk.stats.writes, 0);
}

static void short_transfers(void **state)
{
	struct blk_request rq = request(BLK_READ, 10, 24);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		iov[i] = (struct iovec){memory + i * 8192, 4096};
	rq.niov = 3;
	blk_submit(&blk, &rq);
	assert_int_equal(blk_position(&rq), 5120);
	blk_finish(&rq, 512);
	assert_int_equal(toy.submits, 2);
	assert_int_equal(blk_position(&rq), 5632);
	assert_ptr_equal(rq.iov[0].iov_base, memory + 512);
	assert_int_equal(rq.iov[0].iov_len, 3584);
	blk_finish(&rq, -EINTR); /* once more the same */
	assert_int_equal(toy.submits, 3);
	blk_finish(&rq, 3584 + 4096);
	assert_int_equal(rq.niov, 1);
	assert_ptr_equal(rq.iov[0].iov_base, memory + 16384);
	assert_int_equal(home, 0);
	blk_finish(&rq, 4096);
	assert_int_equal(home, 1);
	assert_int_equal(status, BLK_OK);
	assert_int_equal(blk.stats.read_bytes, 12288);
}

static void discards_in_pieces(void **state)
{
	struct blk_request rq = request(BLK_DISCARD, 0, 1000);

	(void)state;
	blk_submit(&blk, &rq);
	blk_finish(&rq, 1024);
	assert_int_equal(blk_position(&rq), 1024);
	assert_int_equal(home, 0);
	blk_finish(&rq, 512000 - 1024);
	assert_int_equal(status, BLK_OK);
}

/* Flush, write, flush; each step may come in parts, or fail. */
static void barriers(void **state)
{
	struct blk_request rq = request(BLK_BARRIER, 8, 16);

	(void)state;
	blk_submit(&blk, &rq);
	assert_int_equal(rq.step, BLK_FLUSH);
	blk_finish(&rq, -EAGAIN);
	assert_int_equal(rq.step, BLK_FLUSH);
	blk_finish(&rq, 0);
	assert_int_equal(rq.step, BLK_WRITE);
	assert_int_equal(blk_position(&rq), 4096);
	blk_finish(&rq, 4096);
	assert_int_equal(rq.step, BLK_WRITE);
	assert_int_equal(blk_position(&rq), 8192);
	blk_finish(&rq, 4096);
	assert_int_equal(rq.step, BLK_FLUSH);
	assert_int_equal(home, 0);
	blk_finish(&rq, 0);
	assert_int_equal(home, 1);
	assert_int_equal(status, BLK_OK);
	assert_int_equal(toy.submits, 5);
	assert_int_equal(blk.stats.barriers, 1);
	assert_int_equal(blk.stats.write_bytes, 8192);
	for (unsigned fails = 0; fails < 3; fails++) {
		rq = request(BLK_BARRIER, 8, 16);
		home = 0;
		blk_submit(&blk, &rq);
		for (unsigned step = 0; step < fails; step++)
			blk_finish(&rq, rq.step == BLK_WRITE ? 8192 : 0);
		blk_finish(&rq, -EIO);
		assert_int_equal(home, 1);
		assert_int_equal(status, BLK_IOERR);
	}
	/* Without data it is one flush, of a read-only disk, too. */
	blk_restrict(&blk, true, true);
	assert_int_equal(refused(request(BLK_BARRIER, 8, 16)), BLK_READ_ONLY);
	rq = request(BLK_BARRIER, 0, 0);
	home = 0;
	blk_submit(&blk, &rq);
	blk_finish(&rq, 0);
	assert_int_equal(home, 1);
	blk_restrict(&blk, false, true);
	assert_int_equal(refused(request(BLK_BARRIER, 993, 8)), BLK_OUT_OF_RANGE);
	toy.store.geometry.flush = false;
	blk_init(&blk, &toy.store);
	assert_int_equal(refused(request(BLK_BARRIER, 0, 0)), BLK_UNSUPPORTED);
}

static int64_t toy_bytes;

static int64_t toy_size(struct blk_store *store)
{
	(void)store;
	return toy_bytes;
}

/* The size follows the store's; what is past the end is refused from then on. */
static void resizes(void **state)
{
	static const struct blk_store_ops ops = {.submit = toy_submit,
						 .size = toy_size};
	struct blk_request rq = request(BLK_READ, 1000, 8);

	(void)state;
	assert_false(blk_resize(&blk)); /* of one size */
	toy.store.ops = &ops;
	toy_bytes = 1000 * 512;
	assert_false(blk_resize(&blk));
	toy_bytes = 1008 * 512 + 511;
	assert_true(blk_resize(&blk));
	assert_false(blk_resize(&blk));
	assert_int_equal(blk.geometry.sectors, 1008);
	blk_submit(&blk, &rq);
	assert_int_equal(toy.submits, 1);
	toy_bytes = 1000 * 512;
	assert_true(blk_resize(&blk)); /* with a request out */
	blk_finish(&rq, 0);
	assert_int_equal(status, BLK_IOERR);
	assert_int_equal(refused(request(BLK_READ, 1000, 8)), BLK_OUT_OF_RANGE);
	toy_bytes = -EIO; /* not known: as it was */
	assert_false(blk_resize(&blk));
	toy_bytes = 0;
	assert_true(blk_resize(&blk));
	assert_int_equal(refused(request(BLK_READ, 0, 1)), BLK_OUT_OF_RANGE);
	blk.geometry.logical_bytes = 4096;
	toy_bytes = 4 * 4096 - 1;
	assert_true(blk_resize(&blk));
	assert_int_equal(blk.geometry.sectors, 24);
}

static void memory_store(void **state)
{
	struct blk_store_conf conf = {.discard = true};
	union blk_store_any any;
	struct blk_request rq;

	(void)state;
	assert_int_equal(blk_store_open(&any, "memory:1M", &conf, NULL), 0);
	blk_init(&blk, &any.store);
	assert_int_equal(blk.geometry.sectors, 1953);
	memset(memory, 0x5a, 8192);
	rq = request(BLK_WRITE, 3, 16);
	blk_submit(&blk, &rq);
	assert_int_equal(status, BLK_OK);
	memset(memory, 0, 8192);
	rq = request(BLK_READ, 2, 18);
	blk_submit(&blk, &rq);
	assert_int_equal(memory[511], 0);
	assert_int_equal(memory[512], 0x5a);
	assert_int_equal(memory[512 + 8191], 0x5a);
	assert_int_equal(memory[512 + 8192], 0);
	rq = request(BLK_DISCARD, 4, 1);
	blk_submit(&blk, &rq);
	assert_int_equal(any.memory.bytes[3 * 512], 0x5a);
	assert_int_equal(any.memory.bytes[4 * 512], 0);
	any.store.ops->close(&any.store);
}

static void resources(void **state)
{
	struct blk_store_conf conf = {.read_only = true, .discard = true};
	union blk_store_any any;

	(void)state;
	assert_int_equal(blk_store_open(&any, "null:9000G", &conf, NULL), 0);
	assert_true(any.store.geometry.sectors == 9000ull * 1000 * 1000 * 1000 / 512);
	assert_true(any.store.geometry.read_only && !any.store.geometry.discard);
	assert_int_equal(blk_store_open(&any, "null:", &conf, NULL), -EINVAL);
	assert_int_equal(blk_store_open(&any, "null:511", &conf, NULL), -EINVAL);
	assert_int_equal(blk_store_open(&any, "null:-1", &conf, NULL), -EINVAL);
	assert_int_equal(blk_store_open(&any, "null:99999999999G", &conf, NULL),
			 -EINVAL);
	assert_int_equal(blk_store_open(&any, "memory:x", &conf, NULL), -EINVAL);
	assert_int_equal(blk_store_open(&any, "disk", &conf, NULL), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(range),	    TEST(read_only), TEST(large_sectors),
		TEST(unsupported),  TEST(errors),    TEST(short_transfers),
		TEST(memory_store), TEST(resources), TEST(discards_in_pieces),
		TEST(barriers),	    TEST(resizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
