/* SPDX-License-Identifier: MIT */
/*
 * "png:" behind both doors: what libpng and zlib need, and the file, it has by then. Of
 * what is shown there the file has the last, whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/displ/displ-png.h"
#include "backends/displ/displ-scan.h"
#include "common/clock.h"
#include "grant-mem/seal.h"

#define WIDTH  640
#define HEIGHT 480
#define SHOWS  8

static char dir[] = "/tmp/xdd-displ.XXXXXX";

static int failed(const char *what, int r)
{
	fprintf(stderr, "%s: %d\n", what, r);
	return 1;
}

static uint32_t pixel_at(uint32_t show, uint32_t at)
{
	return 0xff000000u | ((show + 1) * 0x123457u ^ at * 0x31u);
}

static int serve(struct displ_scan *scan)
{
	uint64_t now = 0;

	for (uint32_t i = 0; i < SHOWS; i++) {
		uint32_t *at = (uint32_t *)(void *)scan->canvas[i & 1], shown;
		int r;

		for (uint32_t k = 0; k < WIDTH * HEIGHT; k++)
			at[k] = pixel_at(i, k);
		r = displ_scan_show(scan, 0, i & 1, now);
		while (!r && scan->due != UINT64_MAX) {
			now = scan->due;
			r = displ_scan_look(scan, now, &shown);
		}
		if (r)
			return r;
	}
	return 0;
}

static int sealed(void)
{
	struct displ_policy policy = {.head = {{true, "x", {WIDTH, HEIGHT}}},
				      .heads = 1};
	char resource[64];
	struct log log;
	const struct displ_scan_conf conf = {resource, &policy, 2, &log, NULL};
	struct displ_scan *scan;
	int r;

	log_init(&log, "test");
	snprintf(resource, sizeof(resource), "png:%s", dir);
	r = displ_scan_open(&scan, &conf);
	if (r)
		return failed("it does not open", r);
	r = seal_first();
	if (!r)
		r = seal_last();
	if (r)
		return failed("it cannot be sealed", r);
	r = serve(scan);
	return r ? failed("it does not show", r) : 0;
}

static int compare(const char *path)
{
	struct displ_pixels pixels;
	char why[DISPL_PNG_WHY];
	int r = displ_png_read(path, false, &pixels, why);

	if (r)
		return failed(why, r);
	for (uint32_t k = 0; !r && k < WIDTH * HEIGHT; k++) {
		if (pixels.pixel[k] != (pixel_at(SHOWS - 1, k) | 0xff000000u))
			r = failed("another picture, from", (int)k);
	}
	displ_pixels_free(&pixels);
	return r;
}

int main(void)
{
	char path[64];
	int status;
	pid_t pid;

	if (!mkdtemp(dir))
		return failed("no folder", 0);
	snprintf(path, sizeof(path), "%s/x.png", dir);
	pid = fork();
	if (!pid)
		_exit(sealed());
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return failed("no child", 0);
	status = status ? failed("sealed", status) : compare(path);
	unlink(path);
	rmdir(dir);
	return status;
}
