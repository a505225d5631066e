/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/loop.h"

/* What a sealed ring may do (invariant 4). Nothing here opens, connects,
 * sends a message or touches a descriptor outside the table. */
static const uint8_t loop_ops[] = {
	IORING_OP_READV,    IORING_OP_WRITEV,  IORING_OP_READ,
	IORING_OP_WRITE,    IORING_OP_FSYNC,   IORING_OP_FALLOCATE,
	IORING_OP_POLL_ADD, IORING_OP_TIMEOUT, IORING_OP_ASYNC_CANCEL,
};

#define LOOP_OPS (sizeof(loop_ops) / sizeof(loop_ops[0]))

int loop_init(struct loop *loop, unsigned entries)
{
	int none[LOOP_FILE_COUNT];
	int r;

	*loop = (struct loop){0};
	for (unsigned i = 0; i < LOOP_FILE_COUNT; i++)
		none[i] = -1;
	r = io_uring_queue_init(entries, &loop->ring,
				IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER |
					IORING_SETUP_DEFER_TASKRUN |
					IORING_SETUP_TASKRUN_FLAG |
					IORING_SETUP_SUBMIT_ALL);
	if (r < 0)
		return r;
	r = io_uring_register_files(&loop->ring, none, LOOP_FILE_COUNT);
	if (r < 0)
		io_uring_queue_exit(&loop->ring);
	return r;
}

void loop_fini(struct loop *loop)
{
	io_uring_queue_exit(&loop->ring);
}

int loop_set_file(struct loop *loop, enum loop_file slot, int fd)
{
	int r = io_uring_register_files_update(&loop->ring, slot, &fd, 1);

	return r < 0 ? r : 0;
}

/* liburing 2.3 as packaged declares these two calls and does not export them. */
static int loop_register(struct loop *loop, unsigned opcode, const void *arg,
			 unsigned n)
{
	long r = syscall(__NR_io_uring_register, loop->ring.ring_fd, opcode, arg, n);

	return r < 0 ? -errno : 0;
}

/* [impl->req~ring-of-operations-is-sealed~1] */
int loop_seal(struct loop *loop)
{
	struct io_uring_restriction res[LOOP_OPS + 2] = {0};
	unsigned n = 0;
	int r;

	for (; n < LOOP_OPS; n++) {
		res[n].opcode = IORING_RESTRICTION_SQE_OP;
		res[n].sqe_op = loop_ops[n];
	}
	res[n].opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
	res[n++].sqe_flags = IOSQE_FIXED_FILE;
	res[n].opcode = IORING_RESTRICTION_REGISTER_OP;
	res[n++].register_op = IORING_REGISTER_FILES_UPDATE;
	r = loop_register(loop, IORING_REGISTER_RESTRICTIONS, res, n);
	return r ? r : loop_register(loop, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

static struct io_uring_sqe *loop_entry(struct loop *loop)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&loop->ring);

	if (!sqe) {
		io_uring_submit(&loop->ring);
		sqe = io_uring_get_sqe(&loop->ring);
	}
	assert(sqe);
	return sqe;
}

static struct io_uring_sqe *loop_sqe(struct loop *loop, struct loop_op *op)
{
	struct io_uring_sqe *sqe = loop_entry(loop);

	assert(!op->busy);
	op->busy = true;
	return sqe;
}

/* After the prepare call, which clears the entry. */
static void loop_own(struct io_uring_sqe *sqe, struct loop_op *op)
{
	io_uring_sqe_set_data(sqe, op);
}

void loop_readv(struct loop *loop, struct loop_op *op, enum loop_file file,
		const struct iovec *iov, unsigned n, uint64_t offset)
{
	struct io_uring_sqe *sqe = loop_sqe(loop, op);

	if (n == 1) /* the kernel need not fetch the vector */
		io_uring_prep_read(sqe, file, iov->iov_base, (unsigned)iov->iov_len,
				   offset);
	else
		io_uring_prep_readv(sqe, file, iov, n, offset);
	sqe->flags |= IOSQE_FIXED_FILE;
	loop_own(sqe, op);
}

void loop_writev(struct loop *loop, struct loop_op *op, enum loop_file file,
		 const struct iovec *iov, unsigned n, uint64_t offset)
{
	struct io_uring_sqe *sqe = loop_sqe(loop, op);

	if (n == 1)
		io_uring_prep_write(sqe, file, iov->iov_base, (unsigned)iov->iov_len,
				    offset);
	else
		io_uring_prep_writev(sqe, file, iov, n, offset);
	sqe->flags |= IOSQE_FIXED_FILE;
	loop_own(sqe, op);
}

void loop_read(struct loop *loop, struct loop_op *op, enum loop_file file, void *buf,
	       unsigned len)
{
	struct io_uring_sqe *sqe = loop_sqe(loop, op);

	io_uring_prep_read(sqe, file, buf, len, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	loop_own(sqe, op);
}

void loop_write(struct loop *loop, struct loop_op *op, enum loop_file file,
		const void *buf, unsigned len)
{
	struct io_uring_sqe *sqe = loop_sqe(loop, op);

	io_uring_prep_write(sqe, file, buf, len, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	loop_own(sqe, op);
	loop->promises++;
}

void loop_fsync(struct loop *loop, struct loop_op *op, enum loop_file file)
{
	struct io_uring_sqe *sqe = loop_sqe(loop, op);

	io_uring_prep_fsync(sqe, file, IORING_FSYNC_DATASYNC);
	sqe->flags |= IOSQE_FIXED_FILE;
	loop_own(sqe, op);
}

void loop_fallocate(struct loop *loop, struct loop_op *op, enum loop_file file,
		    int mode, uint64_t offset, uint64_t len)
{
	struct io_uring_sqe *sqe = loop_sqe(loop, op);

	io_uring_prep_rw(IORING_OP_FALLOCATE, sqe, file, (void *)(uintptr_t)len,
			 (unsigned)mode, offset);
	sqe->flags |= IOSQE_FIXED_FILE;
	loop_own(sqe, op);
}

void loop_poll(struct loop *loop, struct loop_op *op, enum loop_file file)
{
	struct io_uring_sqe *sqe = loop_sqe(loop, op);

	io_uring_prep_poll_add(sqe, file, POLLIN);
	sqe->flags |= IOSQE_FIXED_FILE;
	loop_own(sqe, op);
}

void loop_timer(struct loop *loop, struct loop_op *op, uint64_t ns)
{
	struct io_uring_sqe *sqe = loop_sqe(loop, op);

	op->ts.tv_sec = (long long)(ns / 1000000000);
	op->ts.tv_nsec = (long long)(ns % 1000000000);
	io_uring_prep_timeout(sqe, &op->ts, 0, 0);
	sqe->flags |= IOSQE_FIXED_FILE; /* it has none; the sealed ring asks */
	loop_own(sqe, op);
}

void loop_cancel(struct loop *loop, struct loop_op *op)
{
	struct io_uring_sqe *sqe = loop_entry(loop);

	io_uring_prep_cancel(sqe, op, 0);
	sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data(sqe, NULL);
}

void loop_cancel_file(struct loop *loop, enum loop_file file)
{
	struct io_uring_sqe *sqe = loop_entry(loop);

	io_uring_prep_cancel_fd(sqe, file,
				IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_FD_FIXED);
	sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data(sqe, NULL);
}

bool loop_queued(const struct loop *loop)
{
	return io_uring_sq_ready(&loop->ring);
}

/* The kernel runs what completes an operation only when it is called; that there is
 * some is a flag. */
bool loop_ready(const struct loop *loop)
{
	return io_uring_cq_ready(&loop->ring) ||
	       (IO_URING_READ_ONCE(*loop->ring.sq.kflags) &
		(IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW));
}

static int loop_enter(struct loop *loop, bool wait)
{
	unsigned more = loop->promises;

	loop->promises = 0;
	if (wait)
		return io_uring_submit_and_wait(&loop->ring, 1 + more);
	if (!loop_queued(loop) && !loop_ready(loop))
		return 0;
	return io_uring_submit_and_get_events(&loop->ring);
}

int loop_turn(struct loop *loop, bool wait)
{
	struct io_uring_cqe *cqe;
	unsigned head, n = 0;
	int r = loop_enter(loop, wait);

	if (r < 0 && r != -EINTR)
		return r;
	io_uring_for_each_cqe(&loop->ring, head, cqe)
	{
		struct loop_op *op = io_uring_cqe_get_data(cqe);

		n++;
		if (!op)
			continue;
		op->busy = false;
		op->done(op, cqe->res);
	}
	io_uring_cq_advance(&loop->ring, n);
	loop->called = n;
	return 0;
}

int loop_run(struct loop *loop)
{
	while (!loop->stop) {
		int r = loop_turn(loop, true);

		if (r < 0)
			return r;
	}
	return 0;
}
