/* SPDX-License-Identifier: MIT */
/*
 * The event loop on real files: results come back as the system call's, once
 * each; a sealed ring refuses what its list does not hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/loop.h"
#include "tests/unit/needs.h"

struct call {
	struct loop_op op;
	int res;
	int calls;
};

static struct loop loop;
static char path[] = "/tmp/xdd-loop-XXXXXX";
static int disk;

static void on_done(struct loop_op *op, int res)
{
	struct call *call = (struct call *)op;

	call->res = res;
	call->calls++;
}

static struct call fresh(void)
{
	return (struct call){.op = {.done = on_done}};
}

static void turn_until_done(struct call *call)
{
	for (int i = 0; i < 100 && !call->calls; i++)
		assert_int_equal(loop_turn(&loop, true), 0);
	assert_int_equal(call->calls, 1);
	assert_false(call->op.busy);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(path + strlen(path) - 6, "XXXXXX");
	disk = mkstemp(path);
	assert_true(disk >= 0);
	assert_int_equal(ftruncate(disk, 65536), 0);
	assert_int_equal(loop_init(&loop, 8), 0);
	assert_int_equal(loop_set_file(&loop, LOOP_FILE_RESOURCE, disk), 0);
	assert_int_equal(loop_seal(&loop), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	loop_fini(&loop);
	close(disk);
	unlink(path);
	return 0;
}

static void writes_read_back(void **state)
{
	struct call w = fresh(), r = fresh(), f = fresh();
	char out[512], in[512] = {0};
	struct iovec ov = {out, sizeof(out)}, iv = {in, sizeof(in)};

	(void)state;
	memset(out, 0x5a, sizeof(out));
	loop_writev(&loop, &w.op, LOOP_FILE_RESOURCE, &ov, 1, 4096);
	turn_until_done(&w);
	assert_int_equal(w.res, 512);
	loop_fsync(&loop, &f.op, LOOP_FILE_RESOURCE);
	turn_until_done(&f);
	assert_int_equal(f.res, 0);
	loop_readv(&loop, &r.op, LOOP_FILE_RESOURCE, &iv, 1, 4096);
	turn_until_done(&r);
	assert_int_equal(r.res, 512);
	assert_memory_equal(in, out, 512);
}

static void hole_reads_as_zero(void **state)
{
	struct call p = fresh();
	char buf[16];

	(void)state;
	assert_int_equal(pwrite(disk, "xxxxxxxx", 8, 8192), 8);
	loop_fallocate(&loop, &p.op, LOOP_FILE_RESOURCE,
		       FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8192, 4096);
	turn_until_done(&p);
	assert_int_equal(p.res, 0);
	assert_int_equal(pread(disk, buf, 8, 8192), 8);
	assert_memory_equal(buf, "\0\0\0\0\0\0\0\0", 8);
}

static void errors_are_negative_errnos(void **state)
{
	struct call r = fresh();
	char buf[8];

	(void)state;
	loop_read(&loop, &r.op, LOOP_FILE_EVTCHN, buf, sizeof(buf));
	turn_until_done(&r);
	assert_int_equal(r.res, -EBADF);
}

/* A wait ends with what it is for, and the write comes back beside it. */
static void a_write_ends_no_wait(void **state)
{
	struct call w = fresh(), t = fresh();

	(void)state;
	loop_write(&loop, &w.op, LOOP_FILE_RESOURCE, "abc", 3);
	loop_timer(&loop, &t.op, 20000000);
	assert_int_equal(loop_turn(&loop, true), 0);
	assert_int_equal(w.res, 3);
	assert_int_equal(t.res, -ETIME);
	/* One that was submitted before is not waited for again. */
	w = fresh();
	t = fresh();
	loop_write(&loop, &w.op, LOOP_FILE_RESOURCE, "abc", 3);
	assert_int_equal(loop_turn(&loop, false), 0);
	loop_timer(&loop, &t.op, 1000000);
	turn_until_done(&t);
	turn_until_done(&w); /* of a disk, by a thread of the kernel */
}

static void files_change_after_sealing(void **state)
{
	struct call r = fresh();
	char buf[8];
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(loop_set_file(&loop, LOOP_FILE_EVTCHN, fd[0]), 0);
	loop_read(&loop, &r.op, LOOP_FILE_EVTCHN, buf, sizeof(buf));
	assert_int_equal(write(fd[1], "abc", 3), 3);
	turn_until_done(&r);
	assert_int_equal(r.res, 3);
	close(fd[0]);
	close(fd[1]);
}

/* A descriptor opened O_NONBLOCK waits for its data inside the ring: that is
 * how an event channel's read rides in the one call a turn makes. */
static void nonblocking_read_waits(void **state)
{
	struct call r = fresh(), t = fresh();
	char buf[8];
	int fd[2];

	(void)state;
	assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
	assert_int_equal(loop_set_file(&loop, LOOP_FILE_EVTCHN, fd[0]), 0);
	loop_read(&loop, &r.op, LOOP_FILE_EVTCHN, buf, sizeof(buf));
	loop_timer(&loop, &t.op, 1000000);
	turn_until_done(&t);
	assert_int_equal(t.res, -ETIME);
	assert_int_equal(r.calls, 0);
	assert_int_equal(write(fd[1], "abcd", 4), 4);
	turn_until_done(&r);
	assert_int_equal(r.res, 4);
	close(fd[0]);
	close(fd[1]);
}

static void cancelled_completes_once(void **state)
{
	struct call r = fresh();
	char buf[8];
	int fd[2];

	(void)state;
	assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
	assert_int_equal(loop_set_file(&loop, LOOP_FILE_EVTCHN, fd[0]), 0);
	loop_read(&loop, &r.op, LOOP_FILE_EVTCHN, buf, sizeof(buf));
	loop_cancel(&loop, &r.op);
	turn_until_done(&r);
	assert_int_equal(r.res, -ECANCELED);
	close(fd[0]);
	close(fd[1]);
}

/* What waits at one file, all of it, and nothing that waits elsewhere or is queued
 * later. */
static void a_files_waits_end(void **state)
{
	const enum loop_file last = LOOP_FILE_QUEUE + LOOP_QUEUES - 1;
	struct call r[4] = {fresh(), fresh(), fresh(), fresh()};
	char buf[8];
	int fd[2], other[2];

	(void)state;
	assert_int_equal(pipe2(fd, O_NONBLOCK), 0);
	assert_int_equal(pipe2(other, O_NONBLOCK), 0);
	assert_int_equal(loop_set_file(&loop, LOOP_FILE_QUEUE, other[0]), 0);
	assert_int_equal(loop_set_file(&loop, last, fd[0]), 0);
	loop_read(&loop, &r[0].op, last, buf, sizeof(buf));
	loop_read(&loop, &r[1].op, LOOP_FILE_QUEUE, buf, sizeof(buf));
	loop_read(&loop, &r[2].op, last, buf, sizeof(buf));
	loop_cancel_file(&loop, last);
	loop_read(&loop, &r[3].op, last, buf, sizeof(buf));
	turn_until_done(&r[0]);
	turn_until_done(&r[2]);
	assert_int_equal(r[0].res, -ECANCELED);
	assert_int_equal(r[2].res, -ECANCELED);
	assert_int_equal(r[1].calls + r[3].calls, 0);
	assert_int_equal(write(fd[1], "abc", 3), 3);
	assert_int_equal(write(other[1], "ab", 2), 2);
	turn_until_done(&r[1]);
	turn_until_done(&r[3]);
	assert_int_equal(r[1].res, 2);
	assert_int_equal(r[3].res, 3);
	for (int i = 0; i < 2; i++) {
		close(fd[i]);
		close(other[i]);
	}
}

/* Each operation that serving does not need, asked as what serving needs must be: of
 * the table of files. [utest->req~ring-of-operations-is-sealed~1] */
static void sealed_ring_knows_nine_operations(void **state)
{
	static const uint8_t needed[] = {
		IORING_OP_READV,    IORING_OP_WRITEV,  IORING_OP_READ,
		IORING_OP_WRITE,    IORING_OP_FSYNC,   IORING_OP_FALLOCATE,
		IORING_OP_POLL_ADD, IORING_OP_TIMEOUT, IORING_OP_ASYNC_CANCEL,
	};

	(void)state;
	for (int op = 0; op < IORING_OP_LAST; op++) {
		struct io_uring_sqe *sqe;
		struct call c = fresh();

		if (memchr(needed, op, sizeof(needed)))
			continue;
		sqe = io_uring_get_sqe(&loop.ring);
		io_uring_prep_rw(op, sqe, LOOP_FILE_RESOURCE, NULL, 0, 0);
		sqe->flags |= IOSQE_FIXED_FILE;
		io_uring_sqe_set_data(sqe, &c.op);
		turn_until_done(&c);
		assert_int_equal(c.res, -EACCES);
	}
}

/* [utest->req~ring-of-operations-is-sealed~1] */
static void sealed_ring_refuses_the_rest(void **state)
{
	struct call c = fresh();
	struct io_uring_sqe *sqe;
	char buf[8];
	int fd = disk;

	(void)state;
	sqe = io_uring_get_sqe(&loop.ring);
	io_uring_prep_openat(sqe, AT_FDCWD, "/etc/passwd", O_RDONLY, 0);
	io_uring_sqe_set_data(sqe, &c.op);
	turn_until_done(&c);
	assert_int_equal(c.res, -EACCES);

	c = fresh();
	sqe = io_uring_get_sqe(&loop.ring);
	io_uring_prep_read(sqe, disk, buf, sizeof(buf), 0);
	sqe->flags |= IOSQE_ASYNC;
	io_uring_sqe_set_data(sqe, &c.op);
	turn_until_done(&c);
	assert_int_equal(c.res, -EACCES);

	assert_int_equal(io_uring_register_eventfd(&loop.ring, fd), -EACCES);
}

/* More than the queue holds: a full queue goes out early, nothing is lost. */
static void more_than_the_queue_holds(void **state)
{
	static struct call calls[64];
	char buf[16];
	struct iovec iv = {buf, sizeof(buf)};
	int done = 0;

	(void)state;
	for (int i = 0; i < 64; i++) {
		calls[i] = fresh();
		loop_readv(&loop, &calls[i].op, LOOP_FILE_RESOURCE, &iv, 1, 0);
	}
	for (int i = 0; i < 1000 && done < 64; i++) {
		assert_int_equal(loop_turn(&loop, true), 0);
		done = 0;
		for (int k = 0; k < 64; k++)
			done += calls[k].calls;
	}
	assert_int_equal(done, 64);
	for (int i = 0; i < 64; i++)
		assert_int_equal(calls[i].calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_read_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hole_reads_as_zero, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errors_are_negative_errnos, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_write_ends_no_wait, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(files_change_after_sealing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(nonblocking_read_waits, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(cancelled_completes_once, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_files_waits_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sealed_ring_knows_nine_operations,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(sealed_ring_refuses_the_rest, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(more_than_the_queue_holds, set_up,
						tear_down),
	};

	if (!needs_io_uring())
		return needs_skip_all(tests, sizeof(tests) / sizeof(tests[0]),
				      "no io_uring here");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
