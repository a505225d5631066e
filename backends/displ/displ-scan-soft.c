/* SPDX-License-Identifier: MIT */
/*
 * "null:" and "png:": canvases in memory, a vertical blank 60 times a second, and
 * behind it a file for each head, or nothing.
 *
 * Blanks are at multiples of 1/60 s of the time, for all heads alike: nothing adds up.
 * Invariants:
 *  1. of a head's file the process has a descriptor from before it is sealed; all that
 *     it does to it later is to write it in place, as many bytes each time
 *     (displ-png.h). Only a regular file will do, which blocks for no longer than it
 *     takes to reach the page cache. Who reads it meanwhile may see parts of two
 *     pictures: their checksum, a PNG's own, says so;
 *  2. a file has what its head shows 100 ms after something new was shown, and is
 *     written every 200 ms at most. What is shown is not painted on, so it is whole.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/displ/displ-format.h"
#include "backends/displ/displ-png.h"
#include "backends/displ/displ-resource.h"
#include "backends/displ/displ-scan.h"
#include "common/clock.h"

#define NONE	    UINT32_MAX
#define NEVER	    UINT64_MAX
#define RATE	    60
#define SETTLES	    (100 * CLOCK_MS)
#define WRITE_EVERY (200 * CLOCK_MS)

struct soft_head {
	uint32_t flying, shown; /* canvases; or NONE */
	uint64_t lands;		/* the blank at which what is flying is shown */
	int fd;			/* -1: there is no file */
	struct displ_png png;
	uint64_t write;	  /* when its file is due; or NEVER */
	uint64_t written; /* no sooner may it be again */
};

struct soft {
	struct displ_scan scan;
	struct soft_head head[DISPL_HEADS_MAX];
};

static struct soft *soft_of(struct displ_scan *scan)
{
	return (struct soft *)scan;
}

/* -- The clock ------------------------------------------------------------- */

/* The first blank after @now. */
static uint64_t next_blank(uint64_t now)
{
	uint64_t second = now / CLOCK_SECOND * CLOCK_SECOND;
	uint64_t k = now % CLOCK_SECOND * RATE / CLOCK_SECOND + 1;

	return second + (k * CLOCK_SECOND + RATE - 1) / RATE;
}

static void set_due(struct soft *soft)
{
	uint64_t due = NEVER;

	for (uint32_t i = 0; i < soft->scan.heads; i++) {
		const struct soft_head *h = &soft->head[i];

		if (h->flying != NONE && h->lands < due)
			due = h->lands;
		if (h->write < due)
			due = h->write;
	}
	soft->scan.due = due;
}

/* -- The file -------------------------------------------------------------- */

static int write_bytes(int fd, const uint8_t *data, size_t n)
{
	off_t at = 0;

	while (n) {
		ssize_t done = pwrite(fd, data, n, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -EIO;
		data += done;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

/* One that cannot be written is tried again when something else is shown. */
static int write_file(struct soft *soft, uint32_t head, uint64_t now)
{
	struct soft_head *h = &soft->head[head];
	int r = displ_png_encode(
		&h->png,
		displ_scan_middle(&soft->scan, h->shown, soft->scan.head[head]),
		soft->scan.stride);

	h->write = NEVER;
	h->written = now + WRITE_EVERY;
	return r ? r : write_bytes(h->fd, h->png.bytes, h->png.n);
}

/* -- Showing --------------------------------------------------------------- */

static int soft_show(struct displ_scan *scan, uint32_t head, uint32_t canvas,
		     uint64_t now)
{
	struct soft *soft = soft_of(scan);
	struct soft_head *h = &soft->head[head];

	assert(head < scan->heads && canvas < scan->canvases);
	if (h->flying != NONE)
		return -EBUSY;
	h->flying = canvas;
	h->lands = next_blank(now);
	set_due(soft);
	return 0;
}

static bool land(struct soft_head *h, uint64_t now)
{
	if (h->flying == NONE || now < h->lands)
		return false;
	h->shown = h->flying;
	h->flying = NONE;
	if (h->fd >= 0 && h->write == NEVER)
		h->write = h->lands + SETTLES > h->written ? h->lands + SETTLES
							   : h->written;
	return true;
}

static int write_files(struct soft *soft, uint64_t now)
{
	int r = 0;

	for (uint32_t i = 0; !r && i < soft->scan.heads; i++) {
		if (now >= soft->head[i].write)
			r = write_file(soft, i, now);
	}
	return r;
}

/* After a file that failed, what has landed is for the next look, which is due. */
static int soft_look(struct displ_scan *scan, uint64_t now, uint32_t *shown)
{
	struct soft *soft = soft_of(scan);
	uint32_t landed = 0;
	int r = write_files(soft, now);

	for (uint32_t i = 0; !r && i < scan->heads; i++) {
		if (land(&soft->head[i], now))
			landed |= 1u << i;
	}
	set_due(soft);
	if (!r)
		*shown = landed;
	return r;
}

/* -- Opening --------------------------------------------------------------- */

static void soft_close(struct displ_scan *scan)
{
	struct soft *soft = soft_of(scan);

	for (uint32_t i = 0; i < scan->canvases; i++)
		munmap(scan->canvas[i], (size_t)scan->stride * scan->size.height);
	for (uint32_t i = 0; i < scan->heads; i++) {
		if (soft->head[i].fd >= 0)
			close(soft->head[i].fd);
		displ_png_fini(&soft->head[i].png);
	}
	free(soft);
}

static const struct displ_scan_ops soft_ops = {
	.show = soft_show,
	.look = soft_look,
	.close = soft_close,
};

static int map_canvases(struct displ_scan *scan, uint32_t canvases)
{
	size_t bytes = (size_t)scan->stride * scan->size.height;

	assert(canvases <= DISPL_CANVASES_MAX);
	while (scan->canvases < canvases) {
		void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (at == MAP_FAILED)
			return -errno;
		scan->canvas[scan->canvases++] = at;
	}
	return 0;
}

static int soft_new(struct soft **out, const struct displ_scan_conf *conf)
{
	const struct displ_size size = displ_policy_most(conf->policy);
	struct soft *soft = malloc(sizeof(*soft));
	int r;

	if (!soft)
		return -ENOMEM;
	*soft = (struct soft){.scan = {.ops = &soft_ops,
				       .heads = conf->policy->heads,
				       .alpha = conf->policy->alpha,
				       .size = size,
				       .stride = size.width * DISPL_PIXEL,
				       .fd = -1,
				       .due = NEVER}};
	for (uint32_t i = 0; i < soft->scan.heads; i++) {
		soft->scan.head[i] = conf->policy->head[i].size;
		soft->head[i] = (struct soft_head){
			.flying = NONE, .shown = NONE, .fd = -1, .write = NEVER};
	}
	r = map_canvases(&soft->scan, conf->canvases);
	if (r)
		soft_close(&soft->scan);
	else
		*out = soft;
	return r;
}

int displ_scan_null_open(struct displ_scan **out, const struct displ_scan_conf *conf)
{
	struct soft *soft;
	int r = soft_new(&soft, conf);

	if (!r)
		*out = &soft->scan;
	return r;
}

/* It is looked at before anything in it is lost. Black, as the head is. */
static int prepare_file(struct soft_head *h)
{
	struct stat st;

	if (fstat(h->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size != (off_t)h->png.n && ftruncate(h->fd, 0))
		return -errno;
	return write_bytes(h->fd, h->png.bytes, h->png.n);
}

static int open_file(struct soft_head *h, int folder,
		     const struct displ_policy_head *policy, bool alpha)
{
	char name[DISPL_NAME_MAX + 5];
	int r;

	if (!displ_resource_file_ok(policy->name))
		return -EINVAL;
	r = displ_png_init(&h->png, policy->size, alpha);
	if (r)
		return r;
	snprintf(name, sizeof(name), "%s.png", policy->name);
	h->fd = openat(folder, name,
		       O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK |
			       O_NOCTTY,
		       0644);
	return h->fd < 0 ? -errno : prepare_file(h);
}

static int open_files(struct soft *soft, const struct displ_scan_conf *conf)
{
	const struct displ_policy *policy = conf->policy;
	int folder = open(displ_resource_path(conf->resource),
			  O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	if (folder < 0)
		return -errno;
	for (uint32_t i = 0; !r && i < policy->heads; i++) {
		r = open_file(&soft->head[i], folder, &policy->head[i], policy->alpha);
		if (r)
			log_line(conf->log, LOG_LEVEL_ERROR, "%s/%s.png: %s",
				 displ_resource_path(conf->resource),
				 policy->head[i].name, strerror(-r));
	}
	close(folder);
	return r;
}

int displ_scan_png_open(struct displ_scan **out, const struct displ_scan_conf *conf)
{
	struct soft *soft;
	int r = soft_new(&soft, conf);

	if (r)
		return r;
	r = open_files(soft, conf);
	if (r)
		displ_scan_close(&soft->scan);
	else
		*out = &soft->scan;
	return r;
}
