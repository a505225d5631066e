/* SPDX-License-Identifier: MIT */
/* What xdd-probe tries through io_uring, whose operations pass no filter: the
 * sealed ring itself must refuse them. And a ring without seal: none. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "grant-mem/cmd/probe.h"

/* Submit what is prepared, wait for its completion. */
static int ring_result(struct io_uring *ring)
{
	struct io_uring_cqe *cqe = NULL;
	int r = io_uring_submit_and_wait(ring, 1);

	if (r < 0)
		return r;
	r = io_uring_peek_cqe(ring, &cqe);
	if (r < 0)
		return r;
	r = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return r;
}

static int probe_operation(struct probe *p, const struct probe_try *try)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&p->loop.ring);

	if (!sqe)
		return probe_skip(p, "the ring is full");
	io_uring_prep_rw((int)try->arg, sqe, -1, NULL, 0, 0);
	return ring_result(&p->loop.ring);
}

/* By a descriptor's number, past the table of files. */
static int probe_unfixed(struct probe *p, const struct probe_try *try)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&p->loop.ring);
	char byte;

	(void)try;
	if (!sqe)
		return probe_skip(p, "the ring is full");
	io_uring_prep_read(sqe, p->pair[0], &byte, 1, 0);
	return ring_result(&p->loop.ring);
}

static int probe_flagged(struct probe *p, const struct probe_try *try)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&p->loop.ring);

	if (!sqe)
		return probe_skip(p, "the ring is full");
	io_uring_prep_rw(IORING_OP_FSYNC, sqe, LOOP_FILE_RESOURCE, NULL, 0, 0);
	sqe->flags |= IOSQE_FIXED_FILE | (unsigned char)try->arg;
	return ring_result(&p->loop.ring);
}

static int probe_register(struct probe *p, const struct probe_try *try)
{
	static uint64_t arg[32];

	return syscall(SYS_io_uring_register, p->loop.ring.ring_fd, try->arg, arg, 1) <
			       0
		       ? -errno
		       : 0;
}

static int probe_setup(struct probe *p, const struct probe_try *try)
{
	struct io_uring_params params = {0};

	(void)p;
	(void)try;
	return syscall(SYS_io_uring_setup, 4, &params) < 0 ? -errno : 0;
}

#define ROW(name, proves, fn, arg)                                                     \
	{                                                                              \
		"ring-" name, proves, fn, arg, PROBE_KERNEL, PROBE_RING, PROBE_SEALED, \
			false                                                          \
	}

const struct probe_try probe_rings[] = {
	ROW("setup", "makes no unsealed ring", probe_setup, 0),
	ROW("openat", "opens nothing", probe_operation, IORING_OP_OPENAT),
	ROW("openat2", "opens nothing", probe_operation, IORING_OP_OPENAT2),
	ROW("close", "closes nothing by it", probe_operation, IORING_OP_CLOSE),
	ROW("statx", "looks at no name", probe_operation, IORING_OP_STATX),
	ROW("unlink", "removes nothing", probe_operation, IORING_OP_UNLINKAT),
	ROW("rename", "renames nothing", probe_operation, IORING_OP_RENAMEAT),
	ROW("socket", "makes no socket", probe_operation, IORING_OP_SOCKET),
	ROW("connect", "connects to no one", probe_operation, IORING_OP_CONNECT),
	ROW("accept", "accepts no one", probe_operation, IORING_OP_ACCEPT),
	ROW("send", "sends past no filter", probe_operation, IORING_OP_SEND),
	ROW("sendmsg", "sends no descriptor", probe_operation, IORING_OP_SENDMSG),
	ROW("recvmsg", "receives no descriptor", probe_operation, IORING_OP_RECVMSG),
	ROW("splice", "moves no bytes unseen", probe_operation, IORING_OP_SPLICE),
	ROW("madvise", "advises no memory", probe_operation, IORING_OP_MADVISE),
	ROW("provide-buffers", "keeps no buffers in the kernel", probe_operation,
	    IORING_OP_PROVIDE_BUFFERS),
	ROW("files-update", "fills no table by an operation", probe_operation,
	    IORING_OP_FILES_UPDATE),
	ROW("msg-ring", "passes nothing to another ring", probe_operation,
	    IORING_OP_MSG_RING),
	ROW("uring-cmd", "gives no device a command", probe_operation,
	    IORING_OP_URING_CMD),
	ROW("unfixed-file", "reaches no file outside the table", probe_unfixed, 0),
	ROW("async-flag", "makes no kernel thread at will", probe_flagged, IOSQE_ASYNC),
	ROW("link-flag", "chains no operations", probe_flagged, IOSQE_IO_LINK),
	ROW("register-buffers", "pins no memory", probe_register,
	    IORING_REGISTER_BUFFERS),
	ROW("register-files", "makes no other table", probe_register,
	    IORING_REGISTER_FILES),
	ROW("register-eventfd", "signals no eventfd", probe_register,
	    IORING_REGISTER_EVENTFD),
	ROW("register-personality", "borrows no rights", probe_register,
	    IORING_REGISTER_PERSONALITY),
	ROW("register-restrictions", "changes no restriction", probe_register,
	    IORING_REGISTER_RESTRICTIONS),
	{0},
};
