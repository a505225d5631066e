/* SPDX-License-Identifier: MIT */
/*
 * A file or a block device of the host, through the loop.
 *
 * What is opened: O_DIRECT when asked for and the file takes it, else through
 * the page cache; a flush is an fdatasync either way. A probe reads the first
 * sector before the process is sealed, so that a disk that cannot be read
 * fails the start and not the client.
 *
 * What O_DIRECT asks for is divided into what the disk takes at once: the kernel
 * refuses to divide what may not block, and a thread of its own would do all of it
 * again. The pieces are under way together.
 *
 * The lock is also a fence. It belongs to the open file, and each request in
 * flight holds that; so it is not free before the last I/O of a process that
 * was killed has ended, and what its successor runs again (blk-pv.h, invariant
 * 1) cannot be overtaken by a write of the dead.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "backends/blk/blk-store.h"
#include "common/number.h"

#define FILE_PAGE 4096u
/* The longest single discard: a longer one is done in pieces, so that other
 * requests get their turn at the host's file system. */
#define FILE_DISCARD_BYTES (1ull << 30)
/* Pages of one piece under O_DIRECT: segments that common disks take (virtio's 126,
 * NVMe's 127). What a disk takes cannot be asked; less than this is divided in the
 * kernel, as said above. */
#define FILE_PIECE_PAGES 126
/* How long to wait for the lock of one that was just killed. */
#define FILE_LOCK_TRIES 20
#define FILE_LOCK_NS	100000000

/* What has moved up to the first piece that fell short, or its error if that is
 * nothing; the core asks again for the rest. */
static int64_t file_moved(const struct blk_request *rq)
{
	int64_t moved = 0;

	for (uint32_t i = 0; i < rq->pieces; i++) {
		const struct blk_piece *piece = &rq->piece[i];

		if (piece->res < 0)
			return moved ? moved : piece->res;
		moved += piece->res;
		if ((uint32_t)piece->res < piece->bytes)
			break;
	}
	return moved;
}

static void file_done(struct loop_op *op, int res)
{
	struct blk_piece *piece =
		(struct blk_piece *)((char *)op - offsetof(struct blk_piece, op));
	struct blk_request *rq = piece->rq;

	if ((rq->step == BLK_DISCARD || rq->step == BLK_WRITE_ZEROES) && res == 0)
		res = (int)piece->bytes;
	piece->res = res;
	if (!--rq->out)
		blk_finish(rq, file_moved(rq));
}

static struct loop_op *file_piece(struct blk_request *rq, uint32_t bytes)
{
	struct blk_piece *piece = &rq->piece[rq->pieces++];

	rq->out++;
	piece->op.done = file_done;
	piece->rq = rq;
	piece->bytes = bytes;
	return &piece->op;
}

static uint64_t file_pages(const struct iovec *v)
{
	return ((uintptr_t)v->iov_base % FILE_PAGE + v->iov_len + FILE_PAGE - 1) /
	       FILE_PAGE;
}

/* How many parts of @rq, from @first on, the disk takes at once; at least one. */
static uint32_t file_parts(const struct blk_store_file *file,
			   const struct blk_request *rq, uint32_t first,
			   uint32_t *bytes)
{
	uint64_t sum = 0, pages = 0;
	uint32_t n = first;

	for (; n < rq->niov; n++) {
		sum += rq->iov[n].iov_len;
		pages += file_pages(&rq->iov[n]);
		if (n > first &&
		    (sum > file->piece_bytes || pages > file->piece_pages)) {
			sum -= rq->iov[n].iov_len;
			break;
		}
	}
	*bytes = (uint32_t)sum;
	return n - first;
}

static void file_move(struct blk_store_file *file, struct blk_request *rq)
{
	uint64_t at = blk_position(rq);
	uint32_t first = 0, n, bytes;

	for (; first < rq->niov && rq->pieces < BLK_PIECES; first += n, at += bytes) {
		n = file_parts(file, rq, first, &bytes);
		if (rq->step == BLK_READ)
			loop_readv(file->loop, file_piece(rq, bytes),
				   LOOP_FILE_RESOURCE, rq->iov + first, n, at);
		else
			loop_writev(file->loop, file_piece(rq, bytes),
				    LOOP_FILE_RESOURCE, rq->iov + first, n, at);
	}
}

static void file_punch(struct blk_store_file *file, struct blk_request *rq)
{
	uint64_t bytes = rq->left < FILE_DISCARD_BYTES ? rq->left : FILE_DISCARD_BYTES;
	int how = rq->step == BLK_DISCARD ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;

	loop_fallocate(file->loop, file_piece(rq, (uint32_t)bytes), LOOP_FILE_RESOURCE,
		       how | FALLOC_FL_KEEP_SIZE, blk_position(rq), bytes);
}

static void file_submit(struct blk_store *store, struct blk_request *rq)
{
	struct blk_store_file *file = (struct blk_store_file *)store;

	rq->pieces = rq->out = 0;
	switch (rq->step) {
	case BLK_READ:
	case BLK_WRITE:
		file_move(file, rq);
		return;
	case BLK_FLUSH:
		loop_fsync(file->loop, file_piece(rq, 0), LOOP_FILE_RESOURCE);
		return;
	case BLK_DISCARD:
	case BLK_WRITE_ZEROES:
		file_punch(file, rq);
		return;
	case BLK_BARRIER:
	case BLK_OPS:
		break;
	}
	assert(!"a step");
}

/* Sealed, it has no other call that tells; the position is nobody's. */
static int64_t file_size_now(struct blk_store *store)
{
	struct blk_store_file *file = (struct blk_store_file *)store;
	off_t end = lseek(file->fd, 0, SEEK_END);

	return end < 0 ? -errno : end;
}

static void file_close(struct blk_store *store)
{
	struct blk_store_file *file = (struct blk_store_file *)store;

	close(file->fd);
	loop_set_file(file->loop, LOOP_FILE_RESOURCE, -1);
}

static const struct blk_store_ops file_ops = {
	.submit = file_submit,
	.size = file_size_now,
	.close = file_close,
};

/* O_EXCL on a block device claims it: not while it is mounted or claimed. */
static int file_flags(const struct stat *st, const struct blk_store_conf *conf)
{
	int flags = O_CLOEXEC | O_NOCTTY | (conf->read_only ? O_RDONLY : O_RDWR);

	if (S_ISBLK(st->st_mode) && !conf->read_only)
		flags |= O_EXCL;
	return flags;
}

/* The lock belongs to the open file, which the loop's table keeps. */
static int file_lock(int fd, bool read_only)
{
	struct flock lock = {
		.l_type = read_only ? F_RDLCK : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	return fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
}

static int file_open(const char *path, const struct blk_store_conf *conf,
		     struct stat *st, bool *direct)
{
	int fd, flags;

	if (stat(path, st))
		return -errno;
	if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))
		return -EINVAL;
	flags = file_flags(st, conf);
	*direct = conf->direct;
	fd = open(path, flags | (conf->direct ? O_DIRECT : 0));
	if (fd < 0 && errno == EINVAL && conf->direct) {
		*direct = false;
		fd = open(path, flags);
	}
	if (fd < 0)
		return -errno;
	/* What was looked at is what was opened. */
	if (fstat(fd, st) || (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

/* What the kernel says about O_DIRECT on this file; 0 where it says nothing. */
static void file_dio_align(int fd, uint32_t *offset, uint32_t *memory)
{
	struct statx sx;

	*offset = *memory = 0;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &sx))
		return;
	if (!(sx.stx_mask & STATX_DIOALIGN))
		return;
	*offset = sx.stx_dio_offset_align;
	*memory = sx.stx_dio_mem_align;
}

/* True if @bytes at the start of the disk can be read by one call. */
static bool file_reads(int fd, uint32_t bytes)
{
	void *page = aligned_alloc(FILE_PAGE, FILE_PAGE);
	bool good;

	assert(page); /* at start, before any client */
	good = pread(fd, page, bytes, 0) == (ssize_t)bytes;
	free(page);
	return good;
}

static int file_size(int fd, const struct stat *st, uint64_t *out)
{
	*out = (uint64_t)st->st_size;
	if (S_ISBLK(st->st_mode) && ioctl(fd, BLKGETSIZE64, out))
		return -errno;
	return 0;
}

static int file_sectors(int fd, const struct stat *st, bool direct,
			struct blk_geometry *g)
{
	uint32_t offset, memory;
	int logical = BLK_SECTOR;
	unsigned physical = FILE_PAGE;

	if (S_ISBLK(st->st_mode) &&
	    (ioctl(fd, BLKSSZGET, &logical) || ioctl(fd, BLKPBSZGET, &physical)))
		return -errno;
	g->logical_bytes = (uint32_t)logical;
	g->memory_bytes = 1;
	if (direct) {
		file_dio_align(fd, &offset, &memory);
		if (offset > g->logical_bytes)
			g->logical_bytes = offset;
		g->memory_bytes = memory && memory <= FILE_PAGE ? memory : BLK_SECTOR;
	}
	if (g->logical_bytes < FILE_PAGE && !file_reads(fd, g->logical_bytes))
		g->logical_bytes = FILE_PAGE;
	if (g->logical_bytes != BLK_SECTOR && g->logical_bytes != FILE_PAGE)
		return -EDOM;
	g->physical_bytes = physical < g->logical_bytes ? g->logical_bytes : physical;
	return file_reads(fd, g->logical_bytes) ? 0 : -EIO;
}

/* A number of the device's directory in sysfs; 0 if it is not there, or where
 * sysfs is out of sight, as in our unit. */
static uint64_t file_limit(const struct stat *st, const char *name)
{
	static const char *const forms[] = {
		"/sys/dev/block/%u:%u/%s",
		"/sys/dev/block/%u:%u/../%s", /* of a partition */
	};
	char path[128], text[32];
	uint64_t v = 0;

	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		ssize_t n;
		int fd;

		snprintf(path, sizeof(path), i ? forms[1] : forms[0],
			 major(st->st_rdev), minor(st->st_rdev), name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		n = read(fd, text, sizeof(text));
		close(fd);
		if (n > 1 && number_parse(text, (size_t)n - 1, INT64_MAX, &v))
			return v;
	}
	return 0;
}

/* Asked to discard at an odd byte, a device that can says EINVAL; one that cannot
 * says EOPNOTSUPP first. Nothing is discarded either way. */
static bool file_discards(int fd)
{
	uint64_t range[2] = {1, BLK_SECTOR};

	return ioctl(fd, BLKDISCARD, range) && errno == EINVAL;
}

/* What a hole is made of: blocks of the file system, or what the device says. */
static void file_discard(int fd, const struct stat *st,
			 const struct blk_store_conf *conf, struct blk_geometry *g)
{
	uint64_t granularity = (uint64_t)st->st_blksize, alignment = 0;

	g->discard = conf->discard && !conf->read_only;
	if (S_ISBLK(st->st_mode)) {
		g->discard = g->discard && file_discards(fd);
		granularity = file_limit(st, "queue/discard_granularity");
		alignment = file_limit(st, "discard_alignment");
		if (!granularity)
			granularity = g->physical_bytes;
	}
	if (granularity < g->logical_bytes || granularity > UINT32_MAX ||
	    granularity % g->logical_bytes)
		granularity = g->logical_bytes;
	g->discard_granularity = (uint32_t)granularity;
	g->discard_alignment = (uint32_t)(alignment % granularity);
}

/* The most bytes of one piece; BLKSECTGET counts sectors of 512 in 16 bits. */
static uint32_t file_piece_bytes(int fd, const struct stat *st)
{
	unsigned short sectors = 0;

	if (!S_ISBLK(st->st_mode) || ioctl(fd, BLKSECTGET, &sectors) || !sectors)
		return UINT32_MAX;
	return sectors * BLK_SECTOR;
}

static int file_probe(int fd, const struct stat *st, bool direct,
		      const struct blk_store_conf *conf, struct blk_geometry *g)
{
	uint64_t size;
	int r;

	*g = (struct blk_geometry){.read_only = conf->read_only, .flush = true};
	r = file_size(fd, st, &size);
	if (r)
		return r;
	if (size < BLK_SECTOR)
		return -EINVAL;
	r = file_sectors(fd, st, direct, g);
	if (r)
		return r;
	if (conf->sector_bytes && conf->sector_bytes < g->logical_bytes)
		return -EDOM;
	if (conf->sector_bytes)
		g->logical_bytes = conf->sector_bytes;
	if (g->physical_bytes < g->logical_bytes)
		g->physical_bytes = g->logical_bytes;
	g->sectors = (size - size % g->logical_bytes) / BLK_SECTOR;
	if (!g->sectors)
		return -EINVAL;
	file_discard(fd, st, conf, g);
	g->write_zeroes = !conf->read_only;
	return 0;
}

/* Open and lock; a file that is locked or claimed is asked for some more. */
static int file_claim(const char *path, const struct blk_store_conf *conf,
		      struct stat *st, bool *direct)
{
	const struct timespec pause = {0, FILE_LOCK_NS};
	int fd = -EAGAIN, r;

	for (int i = 0; i < FILE_LOCK_TRIES; i++) {
		fd = file_open(path, conf, st, direct);
		if (fd < 0 && fd != -EBUSY)
			return fd;
		r = fd < 0 ? fd : file_lock(fd, conf->read_only);
		if (!r)
			return fd;
		if (fd >= 0)
			close(fd);
		if (r != -EAGAIN && r != -EBUSY)
			return r;
		fd = r;
		nanosleep(&pause, NULL);
	}
	return fd;
}

int blk_store_file_open(struct blk_store_file *file, const char *path,
			const struct blk_store_conf *conf, struct loop *loop)
{
	struct blk_geometry geometry;
	struct stat st;
	bool direct = false;
	int fd, r;

	fd = file_claim(path, conf, &st, &direct);
	if (fd < 0)
		return fd;
	r = file_probe(fd, &st, direct, conf, &geometry);
	if (!r)
		r = loop_set_file(loop, LOOP_FILE_RESOURCE, fd);
	if (r) {
		close(fd);
		return r;
	}
	*file = (struct blk_store_file){
		.store.ops = &file_ops,
		.store.geometry = geometry,
		.loop = loop,
		.fd = fd,
		.block = S_ISBLK(st.st_mode),
		.direct = direct,
		.piece_bytes = direct ? file_piece_bytes(fd, &st) : UINT32_MAX,
		.piece_pages = direct ? FILE_PIECE_PAGES : UINT32_MAX,
	};
	return 0;
}
