/* SPDX-License-Identifier: MIT */
/*
 * The ledger with real locks: between two processes, through the death of
 * one, and kept by a copy of the descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "grant-mem/ledger.h"

static char dir[] = "/tmp/xdd-ledger-XXXXXX";

static const struct gref some[] = {{8}, {9}, {10}, {4000000000u}};

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/dom3", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/dom4", dir);
	unlink(path);
	return rmdir(dir);
}

static int open_as(uint16_t client)
{
	int fd = ledger_open(dir, (struct domid){client});

	assert_true(fd >= 0);
	return fd;
}

/* Another process holds some of them until it is killed. */
static pid_t holder(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		int fd = ledger_open(dir, (struct domid){3});

		if (fd < 0 || ledger_lock(fd, some, 4) || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* [utest->req~references-are-exclusive~1] */
static void test_two_processes(void **state)
{
	static const struct gref mine[] = {{6}, {7}, {8}}, free[] = {{6}, {7}, {11}};
	pid_t pid = holder();
	int fd = open_as(3), other = open_as(4);

	(void)state;
	assert_int_equal(ledger_lock(fd, mine, 3), -EAGAIN);
	assert_int_equal(ledger_lock(fd, &some[3], 1), -EAGAIN);
	assert_int_equal(ledger_lock(fd, free, 3), 0);
	assert_int_equal(ledger_lock(other, some, 4), 0); /* another client's */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(ledger_lock(fd, mine, 3), 0);
	close(fd);
	close(other);
}

static void test_again(void **state)
{
	int fd = open_as(3), other = open_as(3);

	(void)state;
	assert_int_equal(ledger_lock(fd, some, 4), 0);
	assert_int_equal(ledger_lock(fd, some, 4), 0);
	ledger_unlock(fd, &some[1], 1);
	assert_int_equal(ledger_lock(other, &some[1], 1), 0);
	assert_int_equal(ledger_lock(other, &some[0], 1), -EAGAIN);
	assert_int_equal(ledger_lock(other, &some[2], 1), -EAGAIN);
	ledger_unlock_all(fd);
	assert_int_equal(ledger_lock(other, some, 4), 0);
	close(fd);
	close(other);
}

/* As systemd's store does: a copy keeps the locks when the keeper is gone. */
static void test_kept(void **state)
{
	int fd = open_as(3), kept = dup(fd), other = open_as(3);

	(void)state;
	assert_int_equal(ledger_lock(fd, some, 4), 0);
	close(fd);
	assert_int_equal(ledger_lock(other, some, 1), -EAGAIN);
	ledger_unlock_all(kept);
	assert_int_equal(ledger_lock(other, some, 4), 0);
	close(kept);
	close(other);
}

static void test_no_directory(void **state)
{
	(void)state;
	assert_int_equal(ledger_open("/nonexistent", (struct domid){3}), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_processes),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_no_directory),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
