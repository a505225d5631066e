/* SPDX-License-Identifier: MIT */
/*
 * One stream of a sound device: what becomes of a client's samples, whoever asks.
 *
 * Pure: it knows no grant, no ring of requests, no xenstore and no domain. A stream is
 * what hardware has: a ring of bytes and a position in it. The client's samples lie
 * where the client has put them; playing takes them at the position and leaves silence
 * there, recording puts them there.
 *
 * Invariants:
 *  1. the position counts bytes since snd_open(), whole units, and never goes back. It
 *     moves by what the host's PCM took or gave, so at its pace, and by what a stop
 * skips (7);
 *  2. while a stream runs its PCM does: where the client is late, silence is played,
 * and what comes too late for its place in the ring is dropped. Nothing is played
 *     twice, whatever the client does or however it ends;
 *  3. what is in the PCM when a stream stops, pauses or closes is played to its end,
 * and then the PCM is stopped: that is at most Latency. Until then snd_open() is
 *     SND_LATER;
 *  4. no sample is louder than Volume lets it be, and none is heard of a stream that
 *     may not capture: there is none (snd_policy_fit);
 *  5. nothing allocates after snd_init(): the ring holds the policy's Buffer;
 *  6. a PCM that fails is stopped, and its stream answers SND_FAILED until it was
 *     opened anew;
 *  7. a stop moves the position up to the next whole ring: the client's next samples
 *     begin at the ring's beginning, where ALSA's do after its prepare;
 *  8. a running stream is looked at no more than eight times in the policy's Period,
 * but for what its client asks: no ring is shorter than two of these.
 */
#ifndef XDD_SND_H
#define XDD_SND_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/snd/snd-format.h"
#include "backends/snd/snd-host.h"
#include "backends/snd/snd-policy.h"

enum snd_status {
	SND_OK,
	SND_INVALID,	 /* it contradicts itself, or the stream's state */
	SND_UNSUPPORTED, /* nobody has that, or not this PCM */
	SND_DENIED,	 /* the policy does not allow it */
	SND_FAILED,	 /* the host's PCM */
	SND_LATER,	 /* ask again at snd_due() */
	SND_STATUSES,
};

/* What a state may become is snd_moves' in snd.c. */
enum snd_state {
	SND_STATE_CLOSED,
	SND_STATE_OPEN, /* set, not running */
	SND_STATE_RUNNING,
	SND_STATE_PAUSED,
	SND_STATES,
};

struct snd_config {
	enum snd_format format;
	uint32_t channels, rate;
	uint32_t size;	 /* of the ring, bytes */
	uint32_t period; /* bytes at which the client wants to be told, or 0 */
};

/* Ranges, as sndif.h's HW_PARAM_QUERY has them. */
struct snd_query {
	uint64_t formats;
	struct snd_range rate, channels;
	struct snd_range buffer, period; /* frames */
};

struct snd_stats {
	uint64_t frames;    /* that the PCM took or gave */
	uint64_t silence;   /* of these: nobody's samples, while running */
	uint64_t underruns; /* times that the client was late, or what it sent was */
	uint64_t late;	    /* bytes that came too late */
	uint64_t xruns;	   /* times that we were late for the PCM, with something of the
			      client's to play, or to be recorded */
	uint64_t failures; /* of the PCM */
	uint64_t opens, starts, wakes;
};

/* As asked for; those of a stream's channels count. */
struct snd_levels {
	int32_t volume[SND_CHANNELS_MAX]; /* thousandths of a dB */
	bool muted[SND_CHANNELS_MAX];
};

struct snd_conf {
	const struct snd_policy *policy; /* outlives the stream */
	const struct snd_policy_stream *stream;
	struct snd_host *host;
	struct snd_stats *stats; /* counts there; several may */
	uint32_t size_max;	 /* of a ring, bytes: what the door can map */
};

struct snd {
	struct snd_conf conf;
	enum snd_state state;
	struct snd_config config;
	struct snd_unit unit;
	uint8_t *ring, *scratch;
	uint64_t position, written; /* bytes; written: where the client's samples end */
	uint32_t step, low;	    /* frames: looked at so often; silence is near */
	bool on;	 /* the PCM runs; if the stream does not, to its end (3) */
	uint32_t after;	 /* then: frames of silence behind what is to be heard */
	uint64_t cut_at; /* then: when it is stopped in any case */
	bool starved;	 /* and known to be */
	int error;	 /* of the PCM, the last one, or 0 */
	uint64_t due;
	uint32_t queued; /* frames in the PCM to be heard, as of the last turn */
	struct snd_levels levels;
	uint32_t gain[SND_CHANNELS_MAX]; /* what is done */
	bool plain;			 /* all of them are SND_GAIN_UNITY */
};

/* Before sealing. 0 or -ENOMEM. */
int snd_init(struct snd *s, const struct snd_conf *conf);
void snd_fini(struct snd *s);

/* Reduce *@q to what can be had; SND_INVALID if that is nothing. */
enum snd_status snd_query(const struct snd *s, struct snd_query *q);
/* Could it be opened so? What the PCM has together, only snd_open() finds out. */
enum snd_status snd_judge(const struct snd *s, const struct snd_config *config);

/* Closed. Volume is 0 dB, nothing is muted. */
enum snd_status snd_open(struct snd *s, const struct snd_config *config, uint64_t now);
/* Just opened, by who follows a back end that died: go on from @position on. */
void snd_continue(struct snd *s, uint64_t position);
/* Whatever its state; of one that is closed already, nothing. */
void snd_close(struct snd *s, uint64_t now);
/* OPEN or PAUSED; RUNNING. */
enum snd_status snd_start(struct snd *s, uint64_t now);
enum snd_status snd_pause(struct snd *s, uint64_t now);
/* PAUSED. */
enum snd_status snd_resume(struct snd *s, uint64_t now);
/* Not closed. */
enum snd_status snd_stop(struct snd *s, uint64_t now);

/* @len bytes of the ring at @offset, or NULL: they are not all in it, or the stream is
 * closed. */
uint8_t *snd_at(const struct snd *s, uint32_t offset, uint32_t len);
/* Playback: the client's samples were put there. */
void snd_wrote(struct snd *s, uint32_t offset, uint32_t len);

/* Open, @channel < config.channels. SND_UNSUPPORTED: the format is not linear. More
 * than Volume is Volume. */
enum snd_status snd_set_volume(struct snd *s, uint32_t channel, int32_t millidb);
enum snd_status snd_set_mute(struct snd *s, uint32_t channel, bool muted);
int32_t snd_volume(const struct snd *s, uint32_t channel);
/* All at once; of a format that is not linear, nothing. */
void snd_set_levels(struct snd *s, const struct snd_levels *levels);

/* Once a turn of the loop: move samples, if it is time to. */
void snd_turn(struct snd *s, uint64_t now);
/* Monotonic time at which a turn is due, or UINT64_MAX. */
static inline uint64_t snd_due(const struct snd *s)
{
	return s->due;
}
/* At once, and without playing to the end: the process ends, or the door closes. */
void snd_cut(struct snd *s);

#endif
