/* SPDX-License-Identifier: MIT */
/* backends/displ/displ-scan-soft.c, in virtual time: blanks, and files of what is
 * shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/displ/displ-png.h"
#include "backends/displ/displ-scan.h"
#include "common/clock.h"

#define START  (77 * CLOCK_SECOND) /* a blank */
#define BLANK  16666667ull	   /* the next one after a whole second; and a bit */
#define BLANK2 33333334ull
#define RED    0xffff0000u
#define GREEN  0xff00ff00u

static struct displ_policy policy;
static struct log log_of_scan;
static char dir[] = "/tmp/xdd-scan.XXXXXX";
static char resource[64];

static void add_head(const char *name, uint32_t width, uint32_t height)
{
	struct displ_policy_head *head = &policy.head[policy.heads++];

	*head = (struct displ_policy_head){.named = true, .size = {width, height}};
	strcpy(head->name, name);
}

static int begin(void **state)
{
	(void)state;
	displ_policy_init(&policy);
	add_head("left", 128, 64);
	add_head("right", 64, 96);
	log_init(&log_of_scan, "test");
	return 0;
}

static int open_as(struct displ_scan **out, const char *as)
{
	const struct displ_scan_conf conf = {as, &policy, 6, &log_of_scan, NULL};

	return displ_scan_open(out, &conf);
}

static struct displ_scan *opened(const char *as)
{
	struct displ_scan *scan = NULL;

	assert_int_equal(open_as(&scan, as), 0);
	return scan;
}

static uint32_t look(struct displ_scan *scan, uint64_t now)
{
	uint32_t shown = 77;

	assert_int_equal(displ_scan_look(scan, now, &shown), 0);
	return shown;
}

static void show(struct displ_scan *scan, uint32_t head, uint32_t canvas, uint64_t now)
{
	assert_int_equal(displ_scan_show(scan, head, canvas, now), 0);
}

static void fill(const struct displ_scan *scan, uint32_t canvas, uint32_t pixel)
{
	uint32_t *at = (uint32_t *)(void *)scan->canvas[canvas];

	for (uint32_t i = 0; i < scan->stride / 4 * scan->size.height; i++)
		at[i] = pixel;
}

static void canvases(void **state)
{
	struct displ_scan *scan = opened("null:");

	(void)state;
	assert_int_equal(scan->heads, 2);
	assert_int_equal(scan->head[0].width, 128);
	assert_int_equal(scan->head[1].height, 96);
	assert_int_equal(scan->size.width, 128);
	assert_int_equal(scan->size.height, 96);
	assert_int_equal(scan->stride, 512);
	assert_int_equal(scan->canvases, 6);
	assert_int_equal(scan->fd, -1);
	assert_true(scan->due == UINT64_MAX);
	assert_false(scan->alpha);
	for (uint32_t i = 0; i < 6; i++) {
		for (uint32_t at = 0; at < 512 * 96; at++)
			assert_int_equal(scan->canvas[i][at], 0);
		memset(scan->canvas[i], (int)i + 1, 512 * 96);
	}
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(scan->canvas[i][512 * 96 - 1], i + 1);
	displ_scan_close(scan);
	policy.alpha = true;
	scan = opened("null:");
	assert_true(scan->alpha);
	displ_scan_close(scan);
}

/* At the first blank after the show, and one that is shown at a blank at the next. */
static void blanks(void **state)
{
	static const struct {
		uint64_t shown, lands;
	} cases[] = {
		{0, BLANK},
		{1, BLANK},
		{BLANK - 1, BLANK},
		{BLANK, BLANK2},
		{BLANK2 - 1, BLANK2},
		{BLANK2, 50 * CLOCK_MS},
		{50 * CLOCK_MS - 1, 50 * CLOCK_MS},
		{CLOCK_SECOND - 1, CLOCK_SECOND},
		{CLOCK_SECOND, CLOCK_SECOND + BLANK},
	};
	struct displ_scan *scan = opened("null:");

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		show(scan, 0, 0, START + cases[i].shown);
		assert_true(scan->due == START + cases[i].lands);
		assert_int_equal(displ_scan_show(scan, 0, 1, START + cases[i].shown),
				 -EBUSY);
		assert_int_equal(look(scan, START + cases[i].lands - 1), 0);
		assert_int_equal(look(scan, START + cases[i].lands), 1);
		assert_int_equal(look(scan, START + cases[i].lands), 0);
		assert_true(scan->due == UINT64_MAX);
	}
	displ_scan_close(scan);
}

/* 60 a second for a day, not one more or less, by who shows at each. */
static void exact_rate(void **state)
{
	struct displ_scan *scan = opened("null:");
	uint64_t now = START;

	(void)state;
	for (unsigned i = 0; i < 86400 * 60; i++) {
		show(scan, 1, i & 1, now);
		now = scan->due;
		assert_int_equal(look(scan, now), 2);
	}
	assert_true(now == START + 86400 * CLOCK_SECOND);
	displ_scan_close(scan);
}

static void heads_apart(void **state)
{
	struct displ_scan *scan = opened("null:");

	(void)state;
	show(scan, 1, 3, START);
	show(scan, 0, 0, START + BLANK);
	assert_true(scan->due == START + BLANK);
	assert_int_equal(look(scan, START + BLANK), 2);
	assert_true(scan->due == START + BLANK2);
	show(scan, 1, 4, START + BLANK);
	assert_int_equal(look(scan, START + CLOCK_SECOND), 3);
	displ_scan_close(scan);
}

/* -- Files ----------------------------------------------------------------- */

static void path_of(const char *name, char path[96])
{
	snprintf(path, 96, "%s/%s.png", dir, name);
}

/* All of it is @pixel; as a reader has it. */
static bool file_is(const char *name, struct displ_size size, uint32_t pixel)
{
	struct displ_pixels pixels;
	char why[DISPL_PNG_WHY] = "", path[96];
	bool same = true;

	path_of(name, path);
	if (displ_png_read(path, true, &pixels, why))
		fail_msg("%s: %s", path, why);
	assert_int_equal(pixels.size.width, size.width);
	assert_int_equal(pixels.size.height, size.height);
	for (uint32_t i = 0; i < size.width * size.height; i++)
		same &= pixels.pixel[i] == pixel;
	displ_pixels_free(&pixels);
	return same;
}

static bool left_is(uint32_t pixel)
{
	return file_is("left", (struct displ_size){128, 64}, pixel);
}

static bool right_is(uint32_t pixel)
{
	return file_is("right", (struct displ_size){64, 96}, pixel);
}

/* Around a head's middle another colour, which its file must not have. */
static void paint(const struct displ_scan *scan, uint32_t canvas,
		  struct displ_size size, uint32_t pixel)
{
	uint32_t left = (scan->size.width - size.width) / 2;
	uint32_t top = (scan->size.height - size.height) / 2;

	fill(scan, canvas, 0xff0000ff);
	for (uint32_t y = 0; y < size.height; y++) {
		uint32_t *row = (uint32_t *)(void *)(scan->canvas[canvas] +
						     (top + y) * scan->stride);

		for (uint32_t x = 0; x < size.width; x++)
			row[left + x] = pixel;
	}
}

static void files(void **state)
{
	const uint64_t write = START + BLANK + 100 * CLOCK_MS;
	struct displ_scan *scan = opened(resource);
	struct stat before, after;
	char path[96];

	(void)state;
	path_of("left", path);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0644);
	assert_true(left_is(0xff000000) && right_is(0xff000000));
	assert_true(scan->due == UINT64_MAX);
	paint(scan, 0, scan->head[0], RED);
	paint(scan, 3, scan->head[1], GREEN);
	show(scan, 0, 0, START);
	show(scan, 1, 3, START + BLANK);
	assert_int_equal(look(scan, START + BLANK), 1);
	assert_int_equal(look(scan, START + BLANK2), 2);
	assert_true(scan->due == write);
	look(scan, write - 1);
	assert_true(left_is(0xff000000));
	look(scan, write);
	assert_true(left_is(RED) && right_is(0xff000000));
	look(scan, scan->due);
	assert_true(right_is(GREEN));
	assert_true(scan->due == UINT64_MAX);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_size, before.st_size);
	displ_scan_close(scan);
	assert_true(left_is(RED)); /* what was shown last */
}

/* Whatever single colour it is. */
static uint32_t left_has(void)
{
	struct displ_pixels pixels;
	char why[DISPL_PNG_WHY], path[96];
	uint32_t pixel;

	path_of("left", path);
	assert_int_equal(displ_png_read(path, true, &pixels, why), 0);
	pixel = pixels.pixel[0];
	displ_pixels_free(&pixels);
	assert_true(left_is(pixel));
	return pixel;
}

/* 60 pictures a second: in two seconds ten files, each of what was newest then. */
static void newest(void **state)
{
	struct displ_scan *scan = opened(resource);
	uint64_t now = START, written = 0;
	uint32_t has = 0xff000000;
	unsigned writes = 0;

	(void)state;
	for (uint32_t i = 0; i < 120; i++) {
		uint32_t shown = 0;

		fill(scan, i & 1, 0xff000100 + i);
		show(scan, 0, i & 1, now);
		while (!shown) {
			uint32_t before = has;

			now = scan->due;
			shown = look(scan, now);
			has = left_has();
			if (has == before)
				continue;
			assert_int_equal(has, 0xff000100 + i - 1);
			assert_true(now - written >= 200 * CLOCK_MS);
			written = now;
			writes++;
		}
	}
	assert_int_equal(writes, 10);
	displ_scan_close(scan);
}

/* Older files: of another length cut off, of more names untouched. */
static void older_files(void **state)
{
	struct displ_scan *scan;
	char path[96], other[96];
	FILE *f;

	(void)state;
	path_of("left", path);
	path_of("other", other);
	f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < 100000; i++)
		fputc('x', f);
	fclose(f);
	f = fopen(other, "w");
	assert_non_null(f);
	fclose(f);
	scan = opened(resource);
	assert_true(left_is(0xff000000));
	displ_scan_close(scan);
	policy.alpha = true;
	scan = opened(resource);
	assert_true(left_is(0));
	fill(scan, 0, 0x80123456);
	show(scan, 0, 0, START);
	look(scan, scan->due);
	look(scan, scan->due);
	assert_true(left_is(0x80123456));
	displ_scan_close(scan);
	assert_int_equal(unlink(other), 0);
}

/* Told by a look, once; what has landed is told by the next one, and it goes on. */
static void a_full_disk(void **state)
{
	const struct rlimit small = {100, RLIM_INFINITY};
	struct displ_scan *scan = opened(resource);
	struct rlimit usual;
	uint32_t shown = 77;
	uint64_t write;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
	signal(SIGXFSZ, SIG_IGN);
	fill(scan, 0, RED);
	show(scan, 0, 0, START);
	assert_int_equal(look(scan, START + BLANK), 1);
	write = scan->due;
	show(scan, 1, 3, write - 20 * CLOCK_MS);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(displ_scan_look(scan, write, &shown), -EIO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
	assert_int_equal(shown, 77);
	assert_true(scan->due <= write);
	assert_int_equal(look(scan, write), 2);
	fill(scan, 1, GREEN);
	show(scan, 0, 1, write);
	assert_int_equal(look(scan, write + BLANK), 1);
	look(scan, write + CLOCK_SECOND);
	assert_true(left_is(GREEN));
	displ_scan_close(scan);
}

static void what_does_not_open(void **state)
{
	struct displ_scan *scan;
	char path[96];

	(void)state;
	assert_int_equal(open_as(&scan, "hw:0"), -EINVAL);
	assert_int_equal(open_as(&scan, "png:x"), -EINVAL);
	assert_int_equal(open_as(&scan, "png:/nowhere/at/all"), -ENOENT);
	path_of("right", path);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(open_as(&scan, resource), -ENXIO);
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(open_as(&scan, resource), -ELOOP);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(open_as(&scan, resource), -EISDIR);
	rmdir(path);
	strcpy(policy.head[1].name, "../x");
	assert_int_equal(open_as(&scan, resource), -EINVAL);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(resource, sizeof(resource), "png:%s", dir);
	return 0;
}

static int teardown(void **state)
{
	char path[96];

	(void)state;
	path_of("left", path);
	unlink(path);
	path_of("right", path);
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(canvases, begin),
		cmocka_unit_test_setup(blanks, begin),
		cmocka_unit_test_setup(exact_rate, begin),
		cmocka_unit_test_setup(heads_apart, begin),
		cmocka_unit_test_setup(files, begin),
		cmocka_unit_test_setup(newest, begin),
		cmocka_unit_test_setup(older_files, begin),
		cmocka_unit_test_setup(a_full_disk, begin),
		cmocka_unit_test_setup(what_does_not_open, begin),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
