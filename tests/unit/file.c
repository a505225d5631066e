/* SPDX-License-Identifier: MIT */
/* common/file.h: what is there, no more than there is room for, and nothing waits. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/file.h"
#include "tests/front/descriptors.h"

static char dir[] = "/tmp/xdd-file.XXXXXX";

static void reads(void **state)
{
	unsigned before = descriptors();
	char text[8] = "", path[64];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	assert_int_equal(file_read(path, text, sizeof(text)), -ENOENT);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(file_read(path, text, sizeof(text)), 0);
	assert_int_equal(write(fd, "abcdef", 6), 6);
	close(fd);
	assert_int_equal(file_read(path, text, sizeof(text)), 6);
	assert_memory_equal(text, "abcdef\0", 8);
	memset(text, 'x', sizeof(text));
	assert_int_equal(file_read(path, text, 5), 5);
	assert_memory_equal(text, "abcdexxx", 8);
	assert_int_equal(file_read(dir, text, sizeof(text)), -EISDIR);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(file_read(path, text, sizeof(text)), 0);
	unlink(path);
	rmdir(dir);
	assert_int_equal(descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads)};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
