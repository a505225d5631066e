/* SPDX-License-Identifier: MIT */
/*
 * T-RES: memory that is not there, a kernel that takes no more I/O, answers that
 * nobody fetches, and lines that a client would like to write into our log.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backends/blk/blk-store.h"
#include "common/clock.h"
#include "tests/hostile/hostile.h"
#include "tests/hostile/memory.h"
#include "tests/unit/needs.h"

static const enum policy_mode modes[] = {POLICY_MAP, POLICY_COPY};

/* -- In place of the C library's and liburing's ------------------------------ */

static struct {
	unsigned calls, fail_at;
	int error;
} submits;

static uint64_t clock_ns; /* 0: the machine's own */

int __real_io_uring_submit_and_wait(struct io_uring *ring, unsigned n);
int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned n);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);

int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned n)
{
	submits.calls++;
	if (submits.fail_at && !--submits.fail_at)
		return -submits.error;
	return __real_io_uring_submit_and_wait(ring, n);
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	if (!clock_ns)
		return __real_clock_gettime(id, ts);
	ts->tv_sec = (time_t)(clock_ns / SECOND);
	ts->tv_nsec = (long)(clock_ns % SECOND);
	return 0;
}

/* -- T-RES-1 ----------------------------------------------------------------- */

/* A disk does not open without memory, says so, and leaves nothing behind; the
 * first allocation is the bed's own. */
static void t_res_1_the_nth_allocation_fails(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned m = 0; m < 2; m++) {
		struct bed_conf conf = {.mode = modes[m]};
		int r = -ENOMEM;

		bed_init(&bed, &conf);
		for (unsigned n = 2; r; n++, done++) {
			memory.counts = true;
			memory.fail_at = n;
			r = bed_start(&bed);
			memory.counts = false;
			assert_true(r == -ENOMEM || !r);
			assert_true(n < 50);
		}
		assert_true(memory.fail_at > 0);
		memory.fail_at = 0;
		assert_int_equal(bed_connect(&bed, false), 0);
		hostile_serves();
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-RES-1", done - 2, "allocations failed");
}

static void work(unsigned rounds)
{
	static struct front_buf buf[40], table;
	struct front_rsp rsp[8];

	table = front_buf(&bed.front, false);
	for (unsigned i = 0; i < 40; i++)
		buf[i] = front_buf(&bed.front, false);
	for (unsigned i = 0; i < rounds; i++) {
		front_rw(&bed.front, BLKIF_WRITE, 1, 8, buf, 1 + i % 11);
		front_rw(&bed.front, BLKIF_READ, 2, 800, buf + i % 20, 1 + i % 11);
		front_indirect(&bed.front, BLKIF_WRITE, 3, 8, buf, 12 + i % 28, &table);
		front_simple(&bed.front, BLKIF_FLUSH, 4, 0, 0);
		front_simple(&bed.front, BLKIF_DISCARD, 5, 8, 8);
		front_rw(&bed.front, BLKIF_WRITE, 6, BED_SECTORS, buf, 1);
		front_simple(&bed.front, 99, 7, 0, 0);
		front_push(&bed.front);
		assert_int_equal(bed_run(&bed), 0);
		assert_int_equal(hostile_answers(rsp, 8), 7);
	}
}

/* Once connected, and over new connections, nothing is allocated or freed.
 * [utest->req~serving-allocates-nothing~1] */
static void t_res_1_no_allocation_while_serving(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < 6; c++) {
		struct bed_conf conf = {.mode = modes[c % 2],
					.discard = true,
					.front.persistent = c / 2 == 1,
					.front.order = c / 2};

		bed_init(&bed, &conf);
		assert_int_equal(bed_start(&bed), 0);
		memory.calls = 0;
		memory.counts = true;
		for (unsigned i = 0; i < 5; i++, done += 100 * 7) {
			assert_int_equal(bed_connect(&bed, false), 0);
			work(100);
			front_header(&bed.front)[0] += i % 2 ? 1000 : 0;
			front_kick(&bed.front);
			assert_int_equal(bed_run(&bed), 0);
			blk_pv_detach(&bed.pv);
			assert_true(front_disconnect(&bed.front));
			assert_int_equal(blk_pv_offer(&bed.pv), 0);
		}
		memory.counts = false;
		assert_int_equal(memory.calls, 0);
		assert_int_equal(bed_connect(&bed, false), 0);
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-RES-1", done, "requests without an allocation");
}

/* Each errno that a host's disk may answer, to each operation. */
static void t_res_1_every_errno_of_the_disk(void **state)
{
	static const uint8_t ops[] = {BLKIF_READ, BLKIF_WRITE, BLKIF_FLUSH,
				      BLKIF_DISCARD};
	struct front_buf buf;
	uint64_t done = 0;

	(void)state;
	for (unsigned o = 0; o < COUNT(ops); o++) {
		hostile_up((struct bed_conf){.slow = true, .discard = true});
		buf = front_buf(&bed.front, false);
		for (int e = 1; e < 134; e++, done++) {
			struct front_rsp rsp;

			bed.blk.geometry.discard = bed.slow.geometry.discard = true;
			if (o < 2)
				front_rw(&bed.front, ops[o], 1, 0, &buf, 1);
			else
				front_simple(&bed.front, ops[o], 1, 0, 8);
			front_push(&bed.front);
			assert_int_equal(bed_run(&bed), 0);
			assert_int_equal(bed.nwaiting, 1);
			bed_fail(&bed, 0, e);
			if (e == EAGAIN || e == EINTR) { /* tried again */
				assert_int_equal(bed.nwaiting, 1);
				bed_fail(&bed, 0, EIO);
			}
			assert_int_equal(bed_run(&bed), 0);
			assert_true(front_answer(&bed.front, &rsp));
			assert_true(
				rsp.status == BLKIF_ERROR ||
				(e == EOPNOTSUPP && rsp.status == BLKIF_EOPNOTSUPP));
		}
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-RES-1", done, "errnos of a disk");
}

static unsigned homes;

static void home(struct blk_request *rq, enum blk_status status)
{
	(void)rq;
	assert_int_equal(status, BLK_OK);
	homes++;
}

/* A real loop over a real file, whose n-th submission fails. */
static void submit_fails(const char *path, unsigned n, int error, bool *hit)
{
	static uint8_t data[4096] __attribute__((aligned(4096)));
	struct blk_store_conf conf = {0};
	struct blk_store_file file = {0};
	struct blk_request rq[8] = {0};
	struct iovec iov[8];
	struct loop loop;
	struct blk blk;
	int r = 0;

	assert_int_equal(loop_init(&loop, 64), 0);
	assert_int_equal(blk_store_file_open(&file, path, &conf, &loop), 0);
	assert_int_equal(loop_seal(&loop), 0);
	blk_init(&blk, &file.store);
	homes = 0;
	submits.fail_at = n;
	submits.error = error;
	for (unsigned i = 0; i < 8; i++) {
		iov[i] = (struct iovec){data, sizeof(data)};
		rq[i] = (struct blk_request){.op = i % 2 ? BLK_READ : BLK_WRITE,
					     .sector = i * 8,
					     .sectors = 8,
					     .iov = &iov[i],
					     .niov = 1,
					     .done = home};
		blk_submit(&blk, &rq[i]);
		r = loop_turn(&loop, true);
		if (r)
			break;
	}
	while (!r && homes < 8)
		r = loop_turn(&loop, true);
	*hit = !submits.fail_at;
	submits.fail_at = 0;
	/* It is told, and whoever is told ends; an interrupted one goes on. */
	assert_int_equal(r, *hit && error != EINTR ? -error : 0);
	while (blk.busy)
		assert_int_equal(loop_turn(&loop, true), 0);
	file.store.ops->close(&file.store);
	loop_fini(&loop);
}

static void t_res_1_the_nth_submission_fails(void **state)
{
	static const int errors[] = {EAGAIN, EBUSY, ENOMEM, EINTR, EBADR, EFAULT};
	char path[] = "/tmp/xdd-hostile-XXXXXX";
	uint64_t done = 0;
	int fd;

	(void)state;
	if (!needs_io_uring())
		needs_skip("no io_uring here");
	fd = mkstemp(path);
	assert_true(fd >= 0 && !ftruncate(fd, 1 << 20));
	close(fd);
	for (unsigned e = 0; e < COUNT(errors); e++) {
		bool hit = true;

		for (unsigned n = 1; hit; n++, done += hit)
			submit_fails(path, n, errors[e], &hit);
	}
	unlink(path);
	tally("T-RES-1", done, "submissions failed");
}

/* -- T-RES-2 ----------------------------------------------------------------- */

/* It asks and never looks at an answer; it asks a disk that never answers. What
 * is held for it is bounded by the ring, the policy and nothing it does. */
static void t_res_2_nobody_fetches_the_answers(void **state)
{
	static struct front_buf buf[11];
	uint64_t done = 0;

	(void)state;
	for (unsigned c = 0; c < 4; c++) {
		struct bed_conf conf = {.mode = modes[c % 2],
					.slow = c / 2,
					.data_pages = 100,
					.in_flight = 20};

		hostile_up(conf);
		for (unsigned i = 0; i < 11; i++)
			buf[i] = front_buf(&bed.front, false);
		memory.calls = 0;
		memory.counts = true;
		for (unsigned round = 0; round < 2000; round++) {
			/* A whole ring, as far as the back end can know. */
			while (bed.front.req_prod - front_header(&bed.front)[2] <
			       bed.front.entries) {
				front_rw(&bed.front, BLKIF_READ, round, 0, buf,
					 round % 2 ? 11 : 1);
				done++;
			}
			front_push(&bed.front);
			front_kick(&bed.front);
			assert_int_equal(bed_run(&bed), 0);
			assert_true(bed.nwaiting <= 20);
			assert_true(bed.pv.busy <= 20);
			assert_true(loopxen_back_pages(bed.back) <= 100);
			assert_int_equal(bed.broken, 0);
		}
		memory.counts = false;
		assert_int_equal(memory.calls, 0);
		/* One that never fetches gets one event, then no more. */
		assert_true(loopxen_calls(bed.x, LOOPXEN_NOTIFY) <= 2);
		assert_int_equal(bed_down(&bed), 0);
	}
	tally("T-RES-2", done, "requests whose answers nobody fetched");
}

/* -- T-RES-3 ----------------------------------------------------------------- */

/* Ten minutes of malformed requests, ten thousand a second of virtual time: the
 * first ten lines, then ten a minute, and what was kept back is counted. */
static void t_res_3_a_flood_of_malformed_requests(void **state)
{
	int saved = dup(STDERR_FILENO), log = memfd_create("log", MFD_CLOEXEC);
	unsigned minutes = 10, lines = 0;
	uint64_t done = 0, kept = 0, number;
	char *text, *line;
	off_t size;

	(void)state;
	hostile_up((struct bed_conf){0});
	clock_ns = 5000 * SECOND;
	log_init(&bed.log, "test");
	dup2(log, STDERR_FILENO);
	for (uint64_t end = clock_ns + minutes * 60 * SECOND; clock_ns < end;) {
		for (unsigned i = 0; i < 16; i++, done++)
			front_simple(&bed.front, (uint8_t)(100 + i), i, 0, 0);
		front_push(&bed.front);
		if (bed_run(&bed) || bed.broken)
			break;
		bed.front.rsp_cons = bed.front.req_prod;
		clock_ns += 16 * (SECOND / 10000);
	}
	clock_ns = 0;
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_int_equal(bed.broken, 0);
	size = lseek(log, 0, SEEK_END);
	text = mmap(NULL, (size_t)size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE, log,
		    0);
	assert_true(text != MAP_FAILED);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
		assert_true(strlen(line) < 200);
		if (sscanf(line, "<%*d>test: (after %" SCNu64, &number) == 1)
			kept += number;
	}
	assert_true(lines >= minutes * 10);
	assert_true(lines <= 10 + minutes * 10 + 1);
	assert_true(kept + lines + bed.log.suppressed == done);
	munmap(text, (size_t)size + 1);
	close(log);
	assert_int_equal(bed_down(&bed), 0);
	tally("T-RES-3", done, "malformed requests");
	tally("T-RES-3", lines, "lines of them");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOSTILE(t_res_1_the_nth_allocation_fails),
		HOSTILE(t_res_1_no_allocation_while_serving),
		HOSTILE(t_res_1_every_errno_of_the_disk),
		HOSTILE(t_res_1_the_nth_submission_fails),
		HOSTILE(t_res_2_nobody_fetches_the_answers),
		HOSTILE(t_res_3_a_flood_of_malformed_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
