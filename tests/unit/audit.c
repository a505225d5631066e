/* SPDX-License-Identifier: MIT */
/*
 * The audit log: the chain holds, over rotation and restarts; floods become
 * counts; what cannot be written is told later.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <sha2.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "grant-mem/audit.h"

static char dir[64];
static struct audit audit;

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/xdd-audit-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(audit_open(&audit, dir, 8192, false), 0);
	return 0;
}

static int teardown(void **state)
{
	char command[96];

	(void)state;
	close(audit.fd);
	close(audit.dir);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* Walks a file's chain from @prev ("": any); its lines. @prev: the last hash. */
static unsigned verify(const char *name, char prev[65], uint64_t *seq)
{
	char path[96], line[AUDIT_LINE_MAX + 2], text[65];
	unsigned lines = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	assert_non_null(f);
	for (; fgets(line, sizeof(line), f); lines++) {
		uint64_t n;

		assert_int_equal(sscanf(line, "{\"seq\":%" SCNu64, &n), 1);
		assert_int_equal(n, (*seq)++);
		assert_int_equal(sscanf(strstr(line, "\"prev\":"),
					"\"prev\":\"%64[0-9a-f]", text),
				 1);
		if (prev[0])
			assert_string_equal(text, prev);
		assert_int_equal(line[strlen(line) - 1], '\n');
		assert_int_equal(line[strlen(line) - 2], '}');
		SHA256Data((const uint8_t *)line, strlen(line) - 1, prev);
	}
	fclose(f);
	return lines;
}

/* [utest->req~record-is-chained~1] */
static void test_chain(void **state)
{
	char prev[65] = "";
	uint64_t seq = 0;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		audit_line(&audit, "map", "\"id\":%u", i);
	assert_int_equal(verify("audit.log", prev, &seq), 20);
	assert_string_equal(prev, audit.prev);
}

static void test_restart(void **state)
{
	char prev[65] = "";
	uint64_t seq = 0;

	(void)state;
	audit_line(&audit, "map", "\"id\":%u", 1);
	close(audit.fd);
	close(audit.dir);
	assert_int_equal(audit_open(&audit, dir, 8192, false), 0);
	audit_line(&audit, "map", "\"id\":%u", 2);
	assert_int_equal(verify("audit.log", prev, &seq), 2);
}

/* A loss of power in the middle of a line, wherever: the chain goes on from the last
 * whole one, and the next says that one is lost. [utest->req~record-is-chained~1] */
static void test_torn(void **state)
{
	char first[65], prev[65] = "", path[96], line[AUDIT_LINE_MAX];
	uint64_t seq = 0;
	off_t end, all;
	FILE *f;

	(void)state;
	for (unsigned i = 0; i < 10; i++) /* seq is of two digits then */
		audit_line(&audit, "map", "\"id\":%u", i);
	memcpy(first, audit.prev, sizeof(first));
	end = audit.size;
	audit_line(&audit, "map", "\"id\":%u", 1);
	all = audit.size;
	snprintf(path, sizeof(path), "%s/audit.log", dir);
	for (off_t at = end; at < all; at++) {
		assert_int_equal(ftruncate(audit.fd, at), 0);
		close(audit.fd);
		close(audit.dir);
		assert_int_equal(audit_open(&audit, dir, 8192, false), 0);
		assert_int_equal(audit.seq, 10);
		assert_int_equal(audit.size, end);
		assert_int_equal(audit.lost, at > end);
		assert_string_equal(audit.prev, first);
		audit_line(&audit, "start", "\"id\":%u", 2);
	}
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		;
	fclose(f);
	assert_non_null(strstr(line, "{\"seq\":10,"));
	assert_non_null(strstr(line, "\"lost\":1"));
	assert_int_equal(verify("audit.log", prev, &seq), 11);
	assert_string_equal(prev, audit.prev);
}

/* [utest->req~record-is-chained~1] */
static void test_rotation(void **state)
{
	char prev[65] = "";
	uint64_t seq;
	char path[96];
	FILE *f;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		audit_line(&audit, "map", "\"id\":%u", i);
	snprintf(path, sizeof(path), "%s/audit.log.1", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "{\"seq\":%" SCNu64, &seq), 1);
	fclose(f);
	/* audit.log.1 ends where audit.log begins. */
	assert_true(verify("audit.log.1", prev, &seq) > 20);
	assert_true(verify("audit.log", prev, &seq) > 0);
	assert_int_equal(seq, 100);
	assert_string_equal(prev, audit.prev);
	/* and on, after a restart right behind a rotation */
	close(audit.fd);
	unlinkat(audit.dir, "audit.log", 0);
	close(audit.dir);
	assert_int_equal(audit_open(&audit, dir, 8192, false), 0);
	assert_true(audit.seq > 50);
}

static void test_stop(void **state)
{
	(void)state;
	close(audit.fd);
	close(audit.dir);
	assert_int_equal(audit_open(&audit, dir, AUDIT_RESERVE + 4096, true), 0);
	assert_false(audit_full(&audit));
	for (unsigned i = 0; i < 100; i++)
		audit_line(&audit, "map", "\"id\":%u", i);
	assert_true(audit_full(&audit));
	assert_int_equal(audit.lost, 0); /* there is room for the rest */
	for (unsigned i = 0; i < 2000; i++)
		audit_line(&audit, "refused", "\"id\":%u", i);
	assert_true(audit.lost > 0);
}

/* [utest->req~floods-are-counted~1] */
static void test_flood(void **state)
{
	uint64_t now = 5 * CLOCK_SECOND;
	unsigned passed = 0;

	(void)state;
	audit_tick(&audit, now);
	for (unsigned i = 0; i < 1000; i++)
		passed += audit_may(&audit);
	assert_int_equal(passed, AUDIT_A_SECOND);
	audit_tick(&audit, now + CLOCK_SECOND / 2);
	assert_int_equal(audit.seq, 0);
	audit_tick(&audit, now + CLOCK_SECOND);
	assert_int_equal(audit.seq, 1); /* one line says how many */
	assert_true(audit_may(&audit));
}

static void test_copies(void **state)
{
	uint64_t now = 100 * CLOCK_SECOND;

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		audit_copied(&audit, 4, 4096);
		audit_tick(&audit, now + i * CLOCK_SECOND);
	}
	assert_int_equal(audit.seq, 3);
	assert_int_not_equal(audit.copies, 0);
	audit_tick(&audit, UINT64_MAX); /* the end: due or not */
	assert_int_equal(audit.seq, 4);
	assert_int_equal(audit.copies, 0);
}

static void test_lost(void **state)
{
	char line[AUDIT_LINE_MAX] = "", path[96];
	int fd, full;

	(void)state;
	fd = audit.fd;
	full = open("/dev/full", O_WRONLY);
	audit.fd = full;
	audit_line(&audit, "map", "\"id\":%u", 1);
	assert_int_equal(audit.lost, 1);
	close(full);
	audit.fd = fd;
	audit_line(&audit, "map", "\"id\":%u", 2);
	assert_int_equal(audit.lost, 0);
	snprintf(path, sizeof(path), "%s/audit.log", dir);
	fd = open(path, O_RDONLY);
	assert_true(read(fd, line, sizeof(line) - 1) > 0);
	close(fd);
	assert_non_null(strstr(line, "\"lost\":1,"));
}

/* Opens it as a power loss leaves it, with @tail of @len bytes behind the last line,
 * and goes on: the chain holds, and the next line says that one is lost. */
static void after_power_loss(const char *tail, size_t len, unsigned lost)
{
	char prev[65] = "", path[96];
	uint64_t seq = 0;
	int fd;

	audit_line(&audit, "map", "\"id\":%u", 1);
	audit_line(&audit, "map", "\"id\":%u", 2);
	close(audit.fd);
	close(audit.dir);
	snprintf(path, sizeof(path), "%s/audit.log", dir);
	fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, tail, len), len);
	close(fd);
	assert_int_equal(audit_open(&audit, dir, 8192, false), 0);
	assert_int_equal(audit.lost, lost);
	assert_int_equal(audit.seq, 2);
	audit_line(&audit, "start", "\"id\":%u", 3);
	audit_line(&audit, "map", "\"id\":%u", 4);
	assert_int_equal(verify("audit.log", prev, &seq), 4);
	assert_string_equal(prev, audit.prev);
}

/* Blocks that the file had, and whose bytes never reached the disk: many lines. */
static void test_unwritten(void **state)
{
	static const char zeros[4 * AUDIT_LINE_MAX];

	(void)state;
	after_power_loss(zeros, sizeof(zeros), 1);
}

static void test_whole(void **state)
{
	(void)state;
	after_power_loss("", 0, 0);
}

/* All that is there is torn: it goes on with what was rotated. */
static void test_torn_first(void **state)
{
	char path[96];
	uint64_t seq;
	int fd;

	(void)state;
	for (unsigned i = 0; i < 30; i++)
		audit_line(&audit, "map", "\"id\":%u", i);
	seq = audit.seq;
	close(audit.fd);
	assert_int_equal(renameat(audit.dir, "audit.log", audit.dir, "audit.log.1"), 0);
	close(audit.dir);
	snprintf(path, sizeof(path), "%s/audit.log", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, "{\"se", 4), 4);
	close(fd);
	assert_int_equal(audit_open(&audit, dir, 8192, false), 0);
	assert_int_equal(audit.seq, seq);
	assert_int_equal(audit.size, 0);
	assert_int_equal(audit.lost, 1);
}

/* A file system that takes a part of a line: that part does not stay. */
static void test_short_write(void **state)
{
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	char prev[65] = "";
	struct rlimit some;
	uint64_t seq = 0;

	(void)state;
	audit_line(&audit, "map", "\"id\":%u", 1);
	some = (struct rlimit){audit.size + 20, RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &some), 0);
	audit_line(&audit, "map", "\"id\":%u", 2);
	assert_int_equal(audit.lost, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	audit_line(&audit, "map", "\"id\":%u", 3);
	assert_int_equal(audit.lost, 0);
	assert_int_equal(verify("audit.log", prev, &seq), 2);
	assert_string_equal(prev, audit.prev);
}

static void test_no_directory(void **state)
{
	struct audit other;

	(void)state;
	assert_true(audit_open(&other, "/nonexistent", 8192, false) < 0);
	audit_line(&other, "map", "\"id\":%u", 1);
	assert_int_equal(other.lost, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unwritten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_directory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
