/* SPDX-License-Identifier: MIT */
/*
 * A PCM of the driver domain, one way: what a client's stream plays to, or records
 * from. ALSA's (alsa-lib), a file, or none.
 *
 * Not a stream: it knows no position, no period, no client, and it never waits.
 * Invariants:
 *  1. all of it is opened and probed before the process is sealed: what fails then
 * fails with a negative errno, and nothing is left open;
 *  2. no verb blocks, but on the lock of a PCM that mixes, which others hold while they
 *     add their samples. Frames lie in its buffer until it has played them (or it has
 *     recorded them); what a PCM's clock says is asked of the PCM (room()), and no
 *     other clock stands in for it;
 *  3. a PCM that ran empty (or over) says so once, by -EPIPE, and is then as set() had
 *     left it: stopped and empty, to be filled and started again;
 *  4. the number of frames is bounded by what set() was told, whatever the host says.
 *
 * That of "file:" and "null:" is a clock of exactly the rate, by the time that room()
 * is told: tests run it in virtual time.
 */
#ifndef XDD_SND_HOST_H
#define XDD_SND_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/snd/snd-format.h"
#include "common/log.h"

#define SND_CHANNELS_MAX 8
#define SND_RATE_MIN	 4000 /* Hz */
#define SND_RATE_MAX	 384000

struct snd_range {
	uint32_t min, max;
};

/* What a PCM can be set to, each taken by itself. */
struct snd_caps {
	uint64_t formats;	   /* bits, 1 << enum snd_format */
	struct snd_range rate;	   /* Hz */
	struct snd_range channels; /* 1 to SND_CHANNELS_MAX */
};

struct snd_params {
	enum snd_format format;
	uint32_t channels;
	uint32_t rate;	 /* Hz */
	uint32_t buffer; /* frames that it is to hold, about; no less than 2 * step */
	uint32_t step;	 /* frames at which it is looked at, at most; from 1 */
};

struct snd_host;

struct snd_host_ops {
	int (*set)(struct snd_host *host, const struct snd_params *params);
	int (*start)(struct snd_host *host, uint64_t now);
	int (*room)(struct snd_host *host, uint64_t now, uint32_t *out);
	int (*move)(struct snd_host *host, uint8_t *data, uint32_t frames);
	void (*stop)(struct snd_host *host);
	void (*close)(struct snd_host *host);
};

struct snd_host {
	const struct snd_host_ops *ops;
	bool capture;
	struct snd_caps caps;
	struct snd_params params; /* of set(): @buffer as it came out */
};

struct snd_host_conf {
	const char *resource; /* snd-resource.h */
	const char *name;     /* ALSA's name of the PCM; the file's, without a slash */
	bool capture;
	struct log *log; /* what alsa-lib says of itself goes there */
};

/* Opens and probes it. *@out is the caller's, to be closed. -EINVAL: Resource is none
 * of these; else the negative errno with which the PCM did not open. */
int snd_host_open(struct snd_host **out, const struct snd_host_conf *conf);
void snd_host_close(struct snd_host *host);

/* The same by kind (snd-host-alsa.c, snd-host-soft.c).
 *
 * Of a file, which is a regular one, playback creates or truncates it: samples alone,
 * and of these the ones that were played, stream after stream. Capture reads it, from
 * its beginning after each set(), and then silence. One that cannot be written or read
 * is -EIO, of room() or move().
 *
 * Of ALSA, a PCM that makes threads is refused by -EOPNOTSUPP (one thread a process),
 * and one that can be set to nothing by -EINVAL. */
int snd_host_alsa_open(struct snd_host **out, const struct snd_host_conf *conf);
int snd_host_file_open(struct snd_host **out, const struct snd_host_conf *conf);
int snd_host_null_open(struct snd_host **out, const struct snd_host_conf *conf);

/* Stopped. 0: it is empty, prepared, and host->params.buffer says how many frames it
 * holds; -EINVAL: it cannot be had so together, and is not set; another negative errno:
 * the PCM is broken or gone. */
static inline int snd_host_set(struct snd_host *host, const struct snd_params *params)
{
	return host->ops->set(host, params);
}

/* Set and not started; of playback there are frames in it. 0 or a negative errno. */
static inline int snd_host_start(struct snd_host *host, uint64_t now)
{
	return host->ops->start(host, now);
}

/* Frames that it takes now (0 to params.buffer), or has recorded. 0, -EPIPE (invariant
 * 3), or another negative errno. Of playback it may be asked before start(). */
static inline int snd_host_room(struct snd_host *host, uint64_t now, uint32_t *out)
{
	return host->ops->room(host, now, out);
}

/* Whole units, no more than room() said, to play from @data or recorded to it. How many
 * frames were moved, -EPIPE, or another negative errno. */
static inline int snd_host_move(struct snd_host *host, uint8_t *data, uint32_t frames)
{
	return host->ops->move(host, data, frames);
}

/* At once; what it had not played is lost. It is as set() left it, or not set. */
static inline void snd_host_stop(struct snd_host *host)
{
	host->ops->stop(host);
}

#endif
