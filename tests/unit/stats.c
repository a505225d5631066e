/* SPDX-License-Identifier: MIT */
/* backends/stats.c: the file of numbers, as a reader finds it. */
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

#include "backends/stats.h"

static char directory[32], path[48];
static struct stats stats;
static char text[STATS_BYTES + 1];

static int make(void **state)
{
	(void)state;
	stats = (struct stats){0};
	snprintf(directory, sizeof(directory), "stats-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/stats", directory);
	return setenv("RUNTIME_DIRECTORY", directory, 1);
}

static int unmake(void **state)
{
	(void)state;
	stats_close(&stats);
	unlink(path);
	return rmdir(directory);
}

/* The file as text, without what pads it. */
static const char *look(void)
{
	int fd = open(path, O_RDONLY);
	size_t len = STATS_BYTES - 1;

	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text)), STATS_BYTES);
	close(fd);
	assert_int_equal(text[len], '\n');
	while (text[len - 1] == ' ')
		len--;
	text[len] = '\0';
	return text;
}

static void numbers(void **state)
{
	static uint64_t reads = 7, most = UINT64_MAX;
	static uint32_t busy = 3;
	static struct histogram none, read;
	char want[512];

	(void)state;
	assert_int_equal(stats_open(&stats), 0);
	stats_counter(&stats, "reads", &reads);
	stats_gauge(&stats, "busy", &busy);
	stats_counter(&stats, "most", &most);
	stats_latency(&stats, "none", &none);
	stats_latency(&stats, "read", &read);
	histogram_add(&read, 999);
	histogram_add(&read, 5000);
	stats_write(&stats, "ivi_disk d3 xvda", "connected");
	snprintf(want, sizeof(want),
		 "{\"seq\":1,\"who\":\"ivi_disk d3 xvda\",\"pid\":%d,"
		 "\"state\":\"connected\",\"reads\":7,\"busy\":3,"
		 "\"most\":18446744073709551615,\"none_us\":[],"
		 "\"read_us\":[1,0,0,1],\"end\":1}",
		 getpid());
	assert_string_equal(look(), want);
	reads = 8;
	stats_write(&stats, "a", "b");
	assert_non_null(strstr(look(), "{\"seq\":2,\"who\":\"a\""));
	assert_non_null(strstr(text, "\"reads\":8,"));
	assert_non_null(strstr(text, "\"end\":2}"));
}

static void histogram(void **state)
{
	static const struct {
		uint64_t ns;
		unsigned bucket;
	} rows[] = {
		{0, 0},
		{999, 0},
		{1000, 1},
		{1999, 1},
		{2000, 2},
		{3999, 2},
		{4000, 3},
		{1000000, 10},
		{33554431999, 25},
		{33554432000, 26},
		{UINT64_MAX, 26},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct histogram h = {0};

		histogram_add(&h, rows[i].ns);
		assert_int_equal(h.bucket[rows[i].bucket], 1);
	}
}

/* All the fields there can be, all as long as they can be. */
static void everything_fits(void **state)
{
	static struct histogram full;
	static uint64_t most = UINT64_MAX;
	char who[96], state_name[32];

	(void)state;
	assert_int_equal(stats_open(&stats), 0);
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		full.bucket[i] = UINT64_MAX;
	for (unsigned i = 0; i < 8; i++)
		stats_latency(&stats, "a_name_of_a_latency", &full);
	while (stats.fields < STATS_FIELDS)
		stats_counter(&stats, "a_name_of_a_counter", &most);
	memset(who, 'w', sizeof(who));
	memset(state_name, 's', sizeof(state_name));
	who[sizeof(who) - 1] = state_name[sizeof(state_name) - 1] = '\0';
	stats_write(&stats, who, state_name);
	assert_non_null(strstr(look(), "\"end\":1}"));
}

static void brief(void **state)
{
	static uint64_t requests = 12, errors, others;
	char out[64], little[8];

	(void)state;
	assert_string_equal(stats_brief(&stats, out, sizeof(out)), "");
	stats_counter(&stats, "requests", &requests);
	stats_counter(&stats, "errors", &errors);
	stats_counter(&stats, "others", &others);
	assert_string_equal(stats_brief(&stats, out, sizeof(out)),
			    "12 requests, 0 errors");
	assert_string_equal(stats_brief(&stats, little, sizeof(little)), "12 requ");
}

/* A reader of the file of the process before keeps its own; nothing is followed. */
static void begins_anew(void **state)
{
	struct stats next = {0};
	struct stat st;
	int fd;

	(void)state;
	assert_int_equal(stats_open(&stats), 0);
	stats_write(&stats, "first", "x");
	fd = open(path, O_RDONLY);
	assert_int_equal(stats_open(&next), 0);
	stats_write(&next, "second", "x");
	assert_int_equal(pread(fd, text, 30, 0), 30);
	assert_non_null(strstr(text, "first"));
	close(fd);
	assert_non_null(strstr(look(), "second"));
	stats_close(&next);
	unlink(path);
	assert_int_equal(symlink("/nonexistent/x", path), 0);
	assert_int_equal(stats_open(&next), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	stats_close(&next);
}

static void nobody_asked(void **state)
{
	char far[200];

	(void)state;
	unsetenv("RUNTIME_DIRECTORY");
	assert_int_equal(stats_open(&stats), 0);
	assert_null(stats.page);
	stats_write(&stats, "a", "b");
	setenv("RUNTIME_DIRECTORY", "/nonexistent", 1);
	assert_int_equal(stats_open(&stats), -ENOENT);
	stats_write(&stats, "a", "b");
	memset(far, 'f', sizeof(far));
	far[sizeof(far) - 1] = '\0';
	setenv("RUNTIME_DIRECTORY", far, 1);
	assert_int_equal(stats_open(&stats), -ENAMETOOLONG);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers), TEST(histogram),	  TEST(everything_fits),
		TEST(brief),   TEST(begins_anew), TEST(nobody_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
