/* SPDX-License-Identifier: MIT */
/* backends/blk/blk-store-file.c through a sealed loop, on a real file. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "backends/blk/blk-store.h"
#include "tests/unit/needs.h"

#define SIZE (64 * 4096)

static char path[64];
static struct loop loop;
static union blk_store_any any;
static struct blk blk;
static _Alignas(4096) uint8_t memory[4 * 4096];
static struct iovec iov[4];
static enum blk_status status;
static bool home;

static void done(struct blk_request *rq, enum blk_status s)
{
	(void)rq;
	status = s;
	home = true;
}

static enum blk_status run(enum blk_op op, uint64_t sector, uint64_t sectors)
{
	struct blk_request rq = {
		.op = op,
		.sector = sector,
		.sectors = sectors,
		.iov = iov,
		.niov = 1,
		.done = done,
	};

	iov[0] = (struct iovec){memory, (size_t)sectors * 512};
	home = false;
	blk_submit(&blk, &rq);
	while (!home)
		assert_int_equal(loop_turn(&loop, true), 0);
	return status;
}

static int open_store(bool read_only, bool direct, uint32_t sector_bytes)
{
	struct blk_store_conf conf = {
		.read_only = read_only,
		.direct = direct,
		.discard = true,
		.sector_bytes = sector_bytes,
	};
	int r;

	assert_int_equal(loop_init(&loop, 16), 0);
	r = blk_store_open(&any, path, &conf, &loop);
	if (r) {
		loop_fini(&loop);
		return r;
	}
	assert_int_equal(loop_seal(&loop), 0);
	blk_init(&blk, &any.store);
	return 0;
}

static void close_store(void)
{
	any.store.ops->close(&any.store);
	loop_fini(&loop);
}

static int make(void **state)
{
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "blk-store-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || ftruncate(fd, SIZE + 100))
		return -1;
	close(fd);
	{
		char *full = realpath(path, NULL);

		snprintf(path, sizeof(path), "%.60s", full ? full : path);
		free(full);
	}
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	return unlink(path);
}

static void moves_bytes(bool direct)
{
	struct stat st;
	unsigned unit;

	assert_int_equal(open_store(false, direct, 0), 0);
	unit = blk.geometry.logical_bytes / 512;
	assert_true(blk.geometry.sectors <= SIZE / 512);
	assert_true(blk.geometry.flush && blk.geometry.discard);
	memset(memory, 0x77, 16384);
	assert_int_equal(run(BLK_WRITE, 8, 32), BLK_OK);
	memset(memory, 0, 16384);
	assert_int_equal(run(BLK_READ, 8 - unit, 16), BLK_OK);
	assert_int_equal(memory[unit * 512 - 1], 0);
	assert_int_equal(memory[unit * 512], 0x77);
	assert_int_equal(run(BLK_FLUSH, 0, 0), BLK_OK);
	assert_int_equal(run(BLK_READ, blk.geometry.sectors, unit), BLK_OUT_OF_RANGE);
	assert_int_equal(stat(path, &st), 0);
	if (run(BLK_DISCARD, 8, 32) == BLK_OK) {
		assert_int_equal(run(BLK_READ, 8, 8), BLK_OK);
		assert_int_equal(memory[0], 0);
	} else {
		assert_int_equal(status, BLK_UNSUPPORTED);
		assert_false(blk.geometry.discard);
	}
	close_store();
}

static void direct(void **state)
{
	(void)state;
	moves_bytes(true);
}

static void buffered(void **state)
{
	(void)state;
	moves_bytes(false);
	assert_false(any.file.direct);
}

static void read_only(void **state)
{
	(void)state;
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(open_store(true, true, 4096), 0);
	assert_int_equal(blk.geometry.logical_bytes, 4096);
	assert_int_equal(run(BLK_READ, 0, 8), BLK_OK);
	assert_int_equal(run(BLK_WRITE, 0, 8), BLK_READ_ONLY);
	assert_int_equal(run(BLK_DISCARD, 0, 8), BLK_READ_ONLY);
	close_store();
}

/* A file that shrinks under us is an I/O error, not a loop. */
static void shrinks(void **state)
{
	(void)state;
	assert_int_equal(open_store(false, false, 0), 0);
	assert_int_equal(truncate(path, 4096), 0);
	assert_int_equal(run(BLK_READ, 0, 16), BLK_IOERR);
	close_store();
}

/* Grown and shrunk under a disk that is served; the end is found while sealed. */
static void resizes(void **state)
{
	(void)state;
	assert_int_equal(open_store(false, false, 0), 0);
	assert_int_equal(truncate(path, SIZE + 8192 + 7), 0);
	assert_int_equal(run(BLK_READ, SIZE / 512 + 8, 8), BLK_OUT_OF_RANGE);
	assert_true(blk_resize(&blk));
	assert_int_equal(blk.geometry.sectors, SIZE / 512 + 16);
	memset(memory, 0x5b, 4096);
	assert_int_equal(run(BLK_WRITE, SIZE / 512 + 8, 8), BLK_OK);
	memset(memory, 0, 4096);
	assert_int_equal(run(BLK_READ, SIZE / 512 + 8, 8), BLK_OK);
	assert_int_equal(memory[4095], 0x5b);
	assert_int_equal(truncate(path, 4096), 0);
	assert_true(blk_resize(&blk));
	assert_int_equal(blk.geometry.sectors, 8);
	assert_int_equal(run(BLK_WRITE, 8, 8), BLK_OUT_OF_RANGE);
	assert_int_equal(run(BLK_BARRIER, 0, 8), BLK_OK);
	close_store();
}

/* A hole is made of the file system's blocks. */
static void discard_limits(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(open_store(false, false, 0), 0);
	assert_true(blk.geometry.discard);
	assert_int_equal(blk.geometry.discard_granularity, st.st_blksize);
	assert_int_equal(blk.geometry.discard_alignment, 0);
	close_store();
}

/* A block device of @path; -1 where there can be none. It goes with its last user. */
static int loop_device(char device[32])
{
	struct loop_config config = {.info.lo_flags = LO_FLAGS_AUTOCLEAR};
	int control = open("/dev/loop-control", O_RDWR), fd, n;

	if (control < 0)
		return -1;
	n = ioctl(control, LOOP_CTL_GET_FREE);
	close(control);
	snprintf(device, 32, "/dev/loop%d", n);
	fd = n < 0 ? -1 : open(device, O_RDWR);
	config.fd = (uint32_t)open(path, O_RDWR);
	if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config)) {
		close(fd);
		fd = -1;
	}
	close((int)config.fd);
	return fd;
}

/* What files do, block devices do: limits are asked of the device, and its size. */
static void block_device(void **state)
{
	char file[64], device[32];
	int fd = loop_device(device);

	(void)state;
	if (fd < 0)
		needs_skip("no loop devices here");
	memcpy(file, path, sizeof(file));
	snprintf(path, sizeof(path), "%s", device);
	assert_int_equal(open_store(false, false, 0), 0);
	assert_true(any.file.block);
	assert_int_equal(blk.geometry.sectors, SIZE / 512);
	assert_int_equal(blk.geometry.discard_granularity % blk.geometry.logical_bytes,
			 0);
	memset(memory, 0x66, 8192);
	assert_int_equal(run(BLK_BARRIER, 0, 16), BLK_OK);
	if (blk.geometry.discard && run(BLK_DISCARD, 0, 8) == BLK_OK) {
		assert_int_equal(run(BLK_READ, 0, 16), BLK_OK);
		assert_int_equal(memory[4095], 0);
		assert_int_equal(memory[4096], 0x66);
	}
	assert_int_equal(truncate(file, SIZE + 65536), 0);
	assert_false(blk_resize(&blk));
	assert_int_equal(ioctl(fd, LOOP_SET_CAPACITY, 0), 0);
	assert_true(blk_resize(&blk));
	assert_int_equal(blk.geometry.sectors, (SIZE + 65536) / 512);
	assert_int_equal(run(BLK_READ, SIZE / 512, 8), BLK_OK);
	close_store();
	close(fd);
	memcpy(path, file, sizeof(file));
}

static void served_once(void **state)
{
	struct blk_store_conf conf = {0};
	union blk_store_any second;

	(void)state;
	assert_int_equal(open_store(false, false, 0), 0);
	assert_int_equal(blk_store_open(&second, path, &conf, &loop), -EAGAIN);
	conf.read_only = true;
	assert_int_equal(blk_store_open(&second, path, &conf, &loop), -EAGAIN);
	close_store();
}

static void what_is_no_disk(void **state)
{
	struct blk_store_conf conf = {0};
	char good[64];

	(void)state;
	memcpy(good, path, sizeof(good));
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(open_store(false, false, 0), -EINVAL);
	snprintf(path, sizeof(path), "/dev/null");
	assert_int_equal(open_store(false, false, 0), -EINVAL);
	snprintf(path, sizeof(path), "/nonexistent");
	assert_int_equal(open_store(false, false, 0), -ENOENT);
	(void)conf;
	memcpy(path, good, sizeof(good));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, unmake)

/* What the disk does not take at once goes to it in pieces, and comes home as one
 * request; more pieces than fit follow the first. */
static void in_pieces(void **state)
{
	struct iovec part[16];
	struct blk_request rq = {.sector = 8, .sectors = 32, .iov = part, .done = done};

	(void)state;
	assert_int_equal(open_store(false, false, 0), 0);
	for (unsigned pages = 1; pages <= 4; pages++) {
		any.file.piece_bytes = pages * 1024;
		any.file.piece_pages = pages == 4 ? 2 : UINT32_MAX;
		for (unsigned op = BLK_WRITE + 1; op-- > BLK_READ;) {
			for (unsigned i = 0; i < sizeof(memory); i++)
				memory[i] =
					(uint8_t)(op == BLK_WRITE ? i / 7 + pages : 0);
			for (unsigned i = 0; i < 16; i++)
				part[i] = (struct iovec){memory + i * 1024, 1024};
			rq.op = (enum blk_op)op;
			rq.iov = part;
			rq.niov = 16;
			home = false;
			blk_submit(&blk, &rq);
			assert_true(rq.pieces > 1 && rq.pieces == rq.out);
			while (!home)
				assert_int_equal(loop_turn(&loop, true), 0);
			assert_int_equal(status, BLK_OK);
		}
		for (unsigned i = 0; i < sizeof(memory); i++)
			assert_int_equal(memory[i], (uint8_t)(i / 7 + pages));
	}
	close_store();
}

/* The file ends in the middle: what the pieces before the end moved counts, the rest
 * is an error, whatever the later ones say. */
static void pieces_fall_short(void **state)
{
	struct iovec part[4];
	struct blk_request rq = {
		.op = BLK_READ, .sectors = 32, .iov = part, .niov = 4, .done = done};

	(void)state;
	assert_int_equal(open_store(false, false, 0), 0);
	any.file.piece_bytes = 4096;
	assert_int_equal(truncate(path, 6000), 0);
	for (unsigned i = 0; i < 4; i++)
		part[i] = (struct iovec){memory + i * 4096, 4096};
	home = false;
	blk_submit(&blk, &rq);
	while (!home)
		assert_int_equal(loop_turn(&loop, true), 0);
	assert_int_equal(status, BLK_IOERR);
	assert_int_equal(rq.left, sizeof(memory) - 6000);
	close_store();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(direct),	 TEST(buffered),	  TEST(read_only),
		TEST(shrinks),	 TEST(served_once),	  TEST(what_is_no_disk),
		TEST(resizes),	 TEST(discard_limits),	  TEST(block_device),
		TEST(in_pieces), TEST(pieces_fall_short),
	};

	if (!needs_io_uring())
		return needs_skip_all(tests, sizeof(tests) / sizeof(tests[0]),
				      "no io_uring here");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
