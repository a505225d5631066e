/* SPDX-License-Identifier: MIT */
/*
 * The event loop of a back end: one io_uring, one io_uring_enter a turn.
 *
 * Not a dispatcher with registration and priorities: each operation is
 * queued, completes once, and calls back once. Invariants:
 *  1. one thread; no callback runs inside a queueing call;
 *  2. nothing allocates after loop_init(); a struct loop_op is embedded in
 *     what owns it, and is busy from queueing to its callback;
 *  3. queueing never fails for want of space: the submission queue is sized
 *     for all ops that exist (@entries), and a full one is submitted early;
 *  4. after loop_seal() the kernel refuses any operation not in the list.
 */
#ifndef XDD_LOOP_H
#define XDD_LOOP_H

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct loop_op {
	void (*done)(struct loop_op *op, int res); /* res: as the system call's */
	struct __kernel_timespec ts;		   /* timers only */
	bool busy;
};

struct loop {
	struct io_uring ring;
	bool stop;
	unsigned called;   /* back, by the last turn */
	unsigned promises; /* queued since then: ops that complete by themselves */
};

#define LOOP_QUEUES 16

/* Files of the loop's table; data operations name a slot, not a descriptor. */
enum loop_file {
	LOOP_FILE_RESOURCE, /* the class's: what its Resource opened */
	LOOP_FILE_EVTCHN,
	LOOP_FILE_KEEPER,
	LOOP_FILE_QUEUE, /* the first of LOOP_QUEUES: of a Resource that has several */
	LOOP_FILE_COUNT = LOOP_FILE_QUEUE + LOOP_QUEUES,
};

/* The ring starts disabled: nothing runs before loop_seal(). */
int loop_init(struct loop *loop, unsigned entries);
void loop_fini(struct loop *loop);
/* Put @fd (or -1 for none) into @slot. Allowed before and after sealing. */
int loop_set_file(struct loop *loop, enum loop_file slot, int fd);
/* Restrict the ring to read(v), write(v), fsync, fallocate, poll, timeout
 * and cancel, then enable it. */
int loop_seal(struct loop *loop);

/* Of a file that has no places, such as a tap, @offset is 0. */
void loop_readv(struct loop *loop, struct loop_op *op, enum loop_file file,
		const struct iovec *iov, unsigned n, uint64_t offset);
void loop_writev(struct loop *loop, struct loop_op *op, enum loop_file file,
		 const struct iovec *iov, unsigned n, uint64_t offset);
void loop_read(struct loop *loop, struct loop_op *op, enum loop_file file, void *buf,
	       unsigned len);
/* For a file that takes the bytes at once: that it did ends no wait. */
void loop_write(struct loop *loop, struct loop_op *op, enum loop_file file,
		const void *buf, unsigned len);
void loop_fsync(struct loop *loop, struct loop_op *op, enum loop_file file);
void loop_fallocate(struct loop *loop, struct loop_op *op, enum loop_file file,
		    int mode, uint64_t offset, uint64_t len);
/* One shot: completes when the file is readable. */
void loop_poll(struct loop *loop, struct loop_op *op, enum loop_file file);
/* Completes with -ETIME after @ns. */
void loop_timer(struct loop *loop, struct loop_op *op, uint64_t ns);
/* Asks; @op still completes once, with -ECANCELED or its own result. */
void loop_cancel(struct loop *loop, struct loop_op *op);
/* The same of all that was queued before this for @file, and waits there. */
void loop_cancel_file(struct loop *loop, enum loop_file file);

/* Submit what is queued, call back what is complete; @wait: wait until at least one
 * is, beside what loop_write() queued, else it is no system call if there is nothing to
 * do. */
int loop_turn(struct loop *loop, bool wait);
/* Something is queued that the next turn submits. */
bool loop_queued(const struct loop *loop);
/* The next turn has something to call back. */
bool loop_ready(const struct loop *loop);
/* loop_turn() until loop->stop. */
int loop_run(struct loop *loop);

#endif
