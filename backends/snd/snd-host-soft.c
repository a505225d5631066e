/* SPDX-License-Identifier: MIT */
/*
 * "file:" and "null:": a clock of exactly the rate, and behind it a file or nothing.
 *
 * Frames are counted from start() on, from whole seconds and the rest of one, so that
 * nothing adds up. What is to be played lies here until the clock has passed it, and is
 * only then written: a file holds what was played. Only a regular file will do, which
 * blocks for no longer than it takes to reach the page cache.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/snd/snd-host.h"
#include "backends/snd/snd-resource.h"
#include "common/clock.h"

#define FRAMES_MAX (1u << 20)

struct soft {
	struct snd_host host;
	int fd; /* -1: there is no file */
	off_t at;

	uint8_t *data; /* a ring of params.buffer frames; NULL: not set, or no file */
	bool set, running;
	struct snd_unit unit;
	uint64_t started; /* ns */
	uint64_t clock;	  /* frames that it has passed, of which room() was told */
	uint64_t moved;	  /* frames */
};

static struct soft *soft_of(struct snd_host *host)
{
	return (struct soft *)host;
}

static uint64_t soft_bytes(const struct soft *soft, uint64_t frames)
{
	return frames / soft->unit.frames * soft->unit.bytes;
}

static void soft_stop(struct snd_host *host)
{
	struct soft *soft = soft_of(host);

	soft->running = false;
	soft->clock = soft->moved = 0;
}

static int soft_start(struct snd_host *host, uint64_t now)
{
	struct soft *soft = soft_of(host);

	if (!soft->set || soft->running)
		return -EBADFD;
	soft->running = true;
	soft->started = now;
	return 0;
}

/* -- Setting ------------------------------------------------------------------------
 */

static bool soft_can(const struct snd_caps *caps, const struct snd_params *params)
{
	return params->format < SND_FORMATS && params->rate >= caps->rate.min &&
	       params->rate <= caps->rate.max &&
	       params->channels >= caps->channels.min &&
	       params->channels <= caps->channels.max && params->step &&
	       params->step <= FRAMES_MAX / 2 && params->buffer <= FRAMES_MAX;
}

static void soft_unset(struct soft *soft)
{
	soft_stop(&soft->host);
	soft->set = false;
	free(soft->data);
	soft->data = NULL;
}

static int soft_set(struct snd_host *host, const struct snd_params *params)
{
	struct soft *soft = soft_of(host);
	uint32_t buffer = params->buffer;

	soft_unset(soft);
	if (!soft_can(&host->caps, params))
		return -EINVAL;
	if (buffer < 2 * params->step)
		buffer = 2 * params->step;
	soft->unit = snd_format_unit(params->format, params->channels);
	buffer += buffer % soft->unit.frames;
	if (soft->fd >= 0 && !host->capture) {
		soft->data = malloc(soft_bytes(soft, buffer));
		if (!soft->data)
			return -ENOMEM;
	}
	host->params = *params;
	host->params.buffer = buffer;
	if (host->capture)
		soft->at = 0;
	soft->set = true;
	return 0;
}

/* -- The file -----------------------------------------------------------------------
 */

static int soft_write(struct soft *soft, const uint8_t *data, uint64_t bytes)
{
	while (bytes) {
		ssize_t n = pwrite(soft->fd, data, bytes, soft->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EIO;
		data += n;
		bytes -= (uint64_t)n;
		soft->at += n;
	}
	return 0;
}

/* From @first to @end, of what lies in the ring. */
static int soft_play(struct soft *soft, uint64_t first, uint64_t end)
{
	uint64_t size = soft_bytes(soft, soft->host.params.buffer);
	uint64_t bytes = soft_bytes(soft, end) - soft_bytes(soft, first);
	uint64_t from = soft_bytes(soft, first) % size;
	uint64_t part = bytes < size - from ? bytes : size - from;
	int r;

	if (soft->fd < 0)
		return 0;
	r = soft_write(soft, soft->data + from, part);
	return r ? r : soft_write(soft, soft->data, bytes - part);
}

static void soft_fill(struct soft *soft, const uint8_t *data, uint64_t bytes)
{
	uint64_t size = soft_bytes(soft, soft->host.params.buffer);
	uint64_t to = soft_bytes(soft, soft->moved) % size;
	uint64_t part = bytes < size - to ? bytes : size - to;

	if (soft->fd < 0)
		return;
	memcpy(soft->data + to, data, part);
	memcpy(soft->data, data + part, bytes - part);
}

/* What the file no longer has is silence. */
static int soft_record(struct soft *soft, uint8_t *data, uint64_t bytes)
{
	uint64_t sound = 0, width = soft->unit.bytes;

	while (soft->fd >= 0 && sound < bytes) {
		ssize_t n = pread(soft->fd, data + sound, bytes - sound, soft->at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -EIO;
		if (!n)
			break;
		sound += (uint64_t)n;
		soft->at += n;
	}
	sound -= sound % width;
	snd_format_silence(soft->host.params.format, data + sound,
			   (uint32_t)(bytes - sound));
	return 0;
}

/* -- The clock ----------------------------------------------------------------------
 */

static uint64_t soft_clock(const struct soft *soft, uint64_t now)
{
	uint64_t ns = now > soft->started ? now - soft->started : 0;
	uint64_t rate = soft->host.params.rate;

	return ns / CLOCK_SECOND * rate + ns % CLOCK_SECOND * rate / CLOCK_SECOND;
}

/* Frames that lie here: to be played, or recorded. */
static uint64_t soft_held(const struct soft *soft)
{
	return soft->host.capture ? soft->clock - soft->moved
				  : soft->moved - soft->clock;
}

/* True: it ran empty, or over. */
static bool soft_ran(const struct soft *soft, uint64_t clock)
{
	if (soft->host.capture)
		return clock - soft->moved >= soft->host.params.buffer;
	return clock >= soft->moved;
}

/* As far as @now; -EPIPE: it ran empty, or over, and is stopped. */
static int soft_pass(struct soft *soft, uint64_t now)
{
	uint64_t clock = soft_clock(soft, now);
	bool ran;
	int r = 0;

	if (clock < soft->clock)
		clock = soft->clock;
	ran = soft_ran(soft, clock);
	if (!soft->host.capture) {
		if (ran)
			clock = soft->moved;
		r = soft_play(soft, soft->clock, clock);
	}
	soft->clock = clock;
	if (!ran || r)
		return r;
	soft_stop(&soft->host);
	return -EPIPE;
}

static int soft_room(struct snd_host *host, uint64_t now, uint32_t *out)
{
	struct soft *soft = soft_of(host);
	int r = 0;

	if (!soft->set)
		return -EBADFD;
	if (soft->running)
		r = soft_pass(soft, now);
	if (r)
		return r;
	*out = (uint32_t)(host->capture ? soft_held(soft)
					: host->params.buffer - soft_held(soft));
	return 0;
}

static int soft_move(struct snd_host *host, uint8_t *data, uint32_t frames)
{
	struct soft *soft = soft_of(host);
	uint64_t bytes;
	int r = 0;

	if (!soft->set)
		return -EBADFD;
	assert(!(frames % soft->unit.frames));
	bytes = soft_bytes(soft, frames);
	if (host->capture) {
		assert(frames <= soft_held(soft));
		r = soft_record(soft, data, bytes);
	} else {
		assert(frames <= host->params.buffer - soft_held(soft));
		soft_fill(soft, data, bytes);
	}
	if (r)
		return r;
	soft->moved += frames;
	return (int)frames;
}

/* -- Opening ------------------------------------------------------------------------
 */

static void soft_close(struct snd_host *host)
{
	struct soft *soft = soft_of(host);

	soft_unset(soft);
	if (soft->fd >= 0)
		close(soft->fd);
	free(soft);
}

static const struct snd_host_ops soft_ops = {
	.set = soft_set,
	.start = soft_start,
	.room = soft_room,
	.move = soft_move,
	.stop = soft_stop,
	.close = soft_close,
};

/* @fd is its own from now on, if this does not fail. */
static int soft_new(struct snd_host **out, bool capture, int fd)
{
	struct soft *soft = malloc(sizeof(*soft));

	if (!soft)
		return -ENOMEM;
	*soft = (struct soft){
		.host = {.ops = &soft_ops,
			 .capture = capture,
			 .caps = {SND_FORMATS_ALL,
				  {SND_RATE_MIN, SND_RATE_MAX},
				  {1, SND_CHANNELS_MAX}}},
		.fd = fd,
	};
	*out = &soft->host;
	return 0;
}

int snd_host_null_open(struct snd_host **out, const struct snd_host_conf *conf)
{
	return soft_new(out, conf->capture, -1);
}

/* It is looked at before anything in it is lost. */
static int soft_prepare(int fd, bool capture)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (!capture)
		return ftruncate(fd, 0) ? -errno : 0;
	/* So that it need not come from a disk later; a unit may not allow the hint. */
	posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED);
	return 0;
}

int snd_host_file_open(struct snd_host **out, const struct snd_host_conf *conf)
{
	const int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int folder, fd, r;

	if (!snd_resource_file_ok(conf->name))
		return -EINVAL;
	folder = open(snd_resource_folder(conf->resource),
		      O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	fd = openat(folder, conf->name,
		    flags | (conf->capture ? O_RDONLY : O_WRONLY | O_CREAT), 0640);
	r = fd < 0 ? -errno : soft_prepare(fd, conf->capture);
	close(folder);
	if (!r)
		r = soft_new(out, conf->capture, fd);
	if (r && fd >= 0)
		close(fd);
	return r;
}
