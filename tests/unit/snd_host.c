/* SPDX-License-Identifier: MIT */
/* backends/snd/snd-host-soft.c, in virtual time: files and none on an exact clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#include "backends/snd/snd-host.h"
#include "common/clock.h"

#define START (77 * CLOCK_SECOND + 123)

static struct log log_of_host;
static char dir[] = "/tmp/xdd-snd.XXXXXX";
static char resource[64], path[96];

static struct snd_host *open_host(const char *of, bool capture)
{
	const struct snd_host_conf conf = {of, "x.raw", capture, &log_of_host};
	struct snd_host *host = NULL;

	assert_int_equal(snd_host_open(&host, &conf), 0);
	assert_int_equal(host->capture, capture);
	return host;
}

static int open_fails(const char *of, const char *name, bool capture)
{
	const struct snd_host_conf conf = {of, name, capture, &log_of_host};
	struct snd_host *host;

	return snd_host_open(&host, &conf);
}

static const struct snd_params s16 = {SND_FORMAT_S16_LE, 2, 44100, 1024, 64};

static uint32_t room(struct snd_host *host, uint64_t now)
{
	uint32_t n = UINT32_MAX;

	assert_int_equal(snd_host_room(host, now, &n), 0);
	return n;
}

static int room_error(struct snd_host *host, uint64_t now)
{
	uint32_t n;

	return snd_host_room(host, now, &n);
}

/* Samples that say which they are. */
static void counting(uint8_t *data, uint32_t first, uint32_t frames)
{
	for (uint32_t i = 0; i < frames; i++) {
		uint32_t v = first + i;

		memcpy(data + 4 * i, &v, 4);
	}
}

static void write_file(const void *data, size_t bytes)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, bytes, f), bytes);
	fclose(f);
}

/* The file has @frames, counted from 0. */
static void file_counts(uint32_t frames)
{
	FILE *f = fopen(path, "r");
	uint32_t v;

	assert_non_null(f);
	for (uint32_t i = 0; i < frames; i++) {
		assert_int_equal(fread(&v, 4, 1, f), 1);
		assert_int_equal(v, i);
	}
	assert_int_equal(fread(&v, 1, 1, f), 0);
	fclose(f);
}

static void room_before_start(void **state)
{
	static uint8_t data[1024 * 4];
	struct snd_host *host = open_host("null:", false);

	(void)state;
	assert_int_equal(room_error(host, START), -EBADFD);
	assert_int_equal(snd_host_set(host, &s16), 0);
	assert_int_equal(host->params.buffer, 1024);
	assert_int_equal(room(host, START), 1024);
	assert_int_equal(snd_host_move(host, data, 1000), 1000);
	assert_int_equal(room(host, START + CLOCK_SECOND), 24); /* no clock yet */
	assert_int_equal(snd_host_start(host, START), 0);
	assert_int_equal(snd_host_start(host, START), -EBADFD);
	assert_int_equal(room(host, START), 24);
	snd_host_stop(host);
	assert_int_equal(room(host, START), 1024);
	snd_host_close(host);
}

/* Ten seconds, looked at whenever: not a frame too many, not one too few. */
static void exact_rate(struct snd_host *host)
{
	static uint8_t data[1024 * 4];
	uint64_t moved = 1024, now = START, last = START + 10 * CLOCK_SECOND;

	assert_int_equal(snd_host_set(host, &s16), 0);
	assert_int_equal(snd_host_move(host, data, 1024), 1024);
	assert_int_equal(snd_host_start(host, START), 0);
	while (now < last) {
		uint32_t n;

		now += 7654321;
		if (now > last)
			now = last;
		n = room(host, now);
		assert_int_equal(moved - 1024 + n,
				 (now - START) * 441 / (10 * CLOCK_MS));
		assert_int_equal(snd_host_move(host, data, n), n);
		moved += n;
	}
	assert_int_equal(moved, 441000 + 1024);
}

static void exact_rate_of_none(void **state)
{
	struct snd_host *host = open_host("null:", false);

	(void)state;
	exact_rate(host);
	snd_host_close(host);
}

/* A day later it is still right: nothing overflows, nothing adds up. */
static void exact_rate_of_a_day(void **state)
{
	const struct snd_params fast = {SND_FORMAT_U8, 1, SND_RATE_MAX, 1 << 20, 64};
	uint64_t day = 86400 * CLOCK_SECOND, moved = 0;
	struct snd_host *host = open_host("null:", true);
	static uint8_t data[1 << 20];

	(void)state;
	assert_int_equal(snd_host_set(host, &fast), 0);
	assert_int_equal(snd_host_start(host, START), 0);
	for (uint64_t t = CLOCK_SECOND / 2; t <= day; t += CLOCK_SECOND / 2) {
		uint32_t n = room(host, START + t);

		moved += (uint64_t)snd_host_move(host, data, n);
	}
	assert_true(moved == 86400ull * SND_RATE_MAX);
	snd_host_close(host);
}

static void empty_once_and_again(struct snd_host *host)
{
	static uint8_t data[1024 * 4];
	uint64_t later = START + 100 * CLOCK_MS;

	assert_int_equal(snd_host_set(host, &s16), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(snd_host_move(host, data, 441), 441);
		assert_int_equal(snd_host_start(host, START), 0);
		assert_int_equal(room(host, START + 10 * CLOCK_MS - 1), 1023);
		assert_int_equal(room_error(host, START + 10 * CLOCK_MS), -EPIPE);
		assert_int_equal(room(host, later), 1024);
	}
}

static void runs_empty(void **state)
{
	struct snd_host *host = open_host("null:", false);

	(void)state;
	empty_once_and_again(host);
	snd_host_close(host);
	host = open_host(resource, false);
	empty_once_and_again(host);
	snd_host_close(host);
}

static void runs_over(void **state)
{
	static uint8_t data[1024 * 4];
	struct snd_host *host = open_host("null:", true);

	(void)state;
	assert_int_equal(snd_host_set(host, &s16), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(room(host, START + CLOCK_SECOND), 0);
		assert_int_equal(snd_host_start(host, START), 0);
		assert_int_equal(room(host, START + 23 * CLOCK_MS), 1014);
		assert_int_equal(snd_host_move(host, data, 1000), 1000);
		assert_int_equal(room(host, START + 45 * CLOCK_MS), 984);
		assert_int_equal(room_error(host, START + 46 * CLOCK_MS), -EPIPE);
	}
	snd_host_close(host);
}

/* What was played, stream after stream, and of what was not nothing. */
static void a_file_has_what_was_played(void **state)
{
	static uint8_t data[1024 * 4];
	struct snd_host *host;
	uint32_t next = 0;

	(void)state;
	write_file("old", 3);
	host = open_host(resource, false);
	file_counts(0);
	assert_int_equal(snd_host_set(host, &s16), 0);
	counting(data, 0, 1000);
	assert_int_equal(snd_host_move(host, data, 1000), 1000);
	file_counts(0);
	assert_int_equal(snd_host_start(host, START), 0);
	for (next = 1000; next < 10000;) {
		uint32_t n = room(host, START + (next - 900) * CLOCK_SECOND / 44100);

		counting(data, next, n);
		assert_int_equal(snd_host_move(host, data, n), n);
		next += n;
	}
	snd_host_stop(host);
	next -= 1024; /* lay there still: it was full */
	file_counts(next);
	assert_int_equal(snd_host_set(host, &s16), 0);
	counting(data, next, 500);
	assert_int_equal(snd_host_move(host, data, 500), 500);
	assert_int_equal(snd_host_start(host, START), 0);
	assert_int_equal(room_error(host, START + CLOCK_SECOND), -EPIPE);
	file_counts(next + 500);
	snd_host_close(host);
}

/* Its last frame is half there: silence too. */
static void a_file_then_silence(void **state)
{
	const struct snd_params mu = {SND_FORMAT_MU_LAW, 2, 44100, 1024, 64};
	uint8_t data[882 * 2], silence[2 * 882];
	struct snd_host *host;

	(void)state;
	memset(silence, 0x7f, sizeof(silence));
	write_file("abcdefghi", 9);
	host = open_host(resource, true);
	for (int i = 0; i < 2; i++) { /* from its beginning each time */
		assert_int_equal(snd_host_set(host, &mu), 0);
		assert_int_equal(snd_host_start(host, START), 0);
		assert_int_equal(room(host, START + 20 * CLOCK_MS), 882);
		assert_int_equal(snd_host_move(host, data, 2), 2);
		assert_memory_equal(data, "abcd", 4);
		assert_int_equal(snd_host_move(host, data, 880), 880);
		assert_memory_equal(data, "efgh", 4);
		assert_memory_equal(data + 4, silence, 1756);
		assert_int_equal(room(host, START + 20 * CLOCK_MS), 0);
	}
	snd_host_close(host);
}

/* Of half a byte a frame whole units are moved. */
static void half_bytes(void **state)
{
	const struct snd_params ima = {SND_FORMAT_IMA_ADPCM, 1, 8000, 101, 16};
	uint8_t data[51];
	struct snd_host *host = open_host(resource, false);
	struct stat st;

	(void)state;
	memset(data, 0x5a, sizeof(data));
	assert_int_equal(snd_host_set(host, &ima), 0);
	assert_int_equal(host->params.buffer, 102);
	assert_int_equal(snd_host_move(host, data, 102), 102);
	assert_int_equal(snd_host_start(host, START), 0);
	assert_int_equal(room(host, START + CLOCK_SECOND / 8000 * 3), 3);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 1);
	assert_int_equal(room_error(host, START + CLOCK_SECOND), -EPIPE);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 51);
	snd_host_close(host);
}

static void set_refuses(void **state)
{
	static const struct snd_params bad[] = {
		{SND_FORMATS, 2, 44100, 1024, 64},
		{SND_FORMAT_U8, 0, 44100, 1024, 64},
		{SND_FORMAT_U8, SND_CHANNELS_MAX + 1, 44100, 1024, 64},
		{SND_FORMAT_U8, 2, SND_RATE_MIN - 1, 1024, 64},
		{SND_FORMAT_U8, 2, SND_RATE_MAX + 1, 1024, 64},
		{SND_FORMAT_U8, 2, 44100, 1024, 0},
		{SND_FORMAT_U8, 2, 44100, UINT32_MAX, 64},
		{SND_FORMAT_U8, 2, 44100, 1024, UINT32_MAX},
	};
	const struct snd_params step = {SND_FORMAT_U8, 2, 44100, 100, 512};
	struct snd_host *host = open_host("null:", false);

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(snd_host_set(host, &s16), 0);
		assert_int_equal(snd_host_set(host, &bad[i]), -EINVAL);
		assert_int_equal(room_error(host, START), -EBADFD); /* not set */
		assert_int_equal(snd_host_start(host, START), -EBADFD);
	}
	assert_int_equal(snd_host_set(host, &step), 0);
	assert_int_equal(host->params.buffer, 1024);
	snd_host_close(host);
}

/* Told by room(), and not by a signal. */
static void a_full_disk(void **state)
{
	const struct rlimit small = {100, RLIM_INFINITY};
	struct snd_host *host = open_host(resource, false);
	static uint8_t data[1024 * 4];
	struct rlimit usual;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(snd_host_set(host, &s16), 0);
	assert_int_equal(snd_host_move(host, data, 1024), 1024);
	assert_int_equal(snd_host_start(host, START), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(room_error(host, START + 10 * CLOCK_MS), -EIO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
	snd_host_close(host);
}

static void what_does_not_open(void **state)
{
	char name[128];

	(void)state;
	assert_int_equal(open_fails("hw:0", "x", false), -EINVAL);
	assert_int_equal(open_fails("file:x", "x", false), -EINVAL);
	assert_int_equal(open_fails("file:/nowhere/at/all", "x", false), -ENOENT);
	assert_int_equal(open_fails(resource, "none.raw", true), -ENOENT);
	assert_int_equal(open_fails(resource, "../x", false), -EINVAL);
	assert_int_equal(open_fails(resource, "..", false), -EINVAL);
	assert_int_equal(open_fails(resource, "", false), -EINVAL);
	/* Not what blocks, nor what lies elsewhere. */
	snprintf(name, sizeof(name), "%s/fifo", dir);
	assert_int_equal(mkfifo(name, 0600), 0);
	assert_int_equal(open_fails(resource, "fifo", true), -EINVAL);
	assert_int_equal(open_fails(resource, "fifo", false), -ENXIO);
	unlink(name);
	write_file("old", 3);
	snprintf(name, sizeof(name), "%s/link", dir);
	assert_int_equal(symlink(path, name), 0);
	assert_int_equal(open_fails(resource, "link", false), -ELOOP);
	unlink(name);
	assert_int_equal(open_fails("file:/dev", "null", false), -EINVAL);
}

static int setup(void **state)
{
	(void)state;
	log_init(&log_of_host, "test");
	if (!mkdtemp(dir))
		return -1;
	snprintf(resource, sizeof(resource), "file:%s", dir);
	snprintf(path, sizeof(path), "%s/x.raw", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_before_start),
		cmocka_unit_test(exact_rate_of_none),
		cmocka_unit_test(exact_rate_of_a_day),
		cmocka_unit_test(runs_empty),
		cmocka_unit_test(runs_over),
		cmocka_unit_test(a_file_has_what_was_played),
		cmocka_unit_test(a_file_then_silence),
		cmocka_unit_test(half_bytes),
		cmocka_unit_test(set_refuses),
		cmocka_unit_test(a_full_disk),
		cmocka_unit_test(what_does_not_open),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
