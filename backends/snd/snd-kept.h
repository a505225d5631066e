/* SPDX-License-Identifier: MIT */
/*
 * What is kept of a stream in the back-end directory, for whoever follows a back end
 * that died, and for people: two lines of words.
 *
 * Key "stream-N": "closed", or "STATE FORMAT CHANNELS RATE SIZE PERIOD OWN", such as
 * "running s16_le 2 48000 19200 960 1032". Key "levels-N": a volume for each channel
 * that there may be, in thousandths of a dB, with an "m" behind it if it is muted:
 * "-6000 -6000m 0 0 0 0 0 0". A successor that forgot them would be loud.
 */
#ifndef XDD_SND_KEPT_H
#define XDD_SND_KEPT_H

#include "backends/door/keys.h"
#include "backends/snd/snd.h"

#define SND_KEPT_MAX   96 /* bytes, NUL included */
#define SND_LEVELS_MAX 80

/* As enum snd_state, and one that only virtio has. */
enum snd_kept_state {
	SND_KEPT_CLOSED,
	SND_KEPT_OPEN,
	SND_KEPT_RUNNING,
	SND_KEPT_PAUSED,
	SND_KEPT_SET, /* closed, and how it is to be opened */
	SND_KEPT_STATES,
};

struct snd_kept {
	enum snd_kept_state state;
	struct snd_config config; /* but of CLOSED */
	uint32_t own; /* the door's: PV's directory, virtio's features of a stream */
};

void snd_kept_text(const struct snd_kept *kept, char out[SND_KEPT_MAX]);
/* False: it is none of ours. Whether its config can be had is for snd_open() to say. */
bool snd_kept_parse(const char *text, struct snd_kept *out);
void snd_levels_text(const struct snd_levels *levels, char out[SND_LEVELS_MAX]);
/* False: it is none of ours. */
bool snd_levels_parse(const char *text, struct snd_levels *out);

/* What is known to be kept of one stream; begins as zeros. */
struct snd_keeping {
	char stream[SND_KEPT_MAX], levels[SND_LEVELS_MAX];
};

/* Keep both, of stream @number, if they are not. 0, -EAGAIN or another negative errno.
 */
int snd_keep(struct snd_keeping *keeping, const struct keys *keys, uint32_t number,
	     const struct snd_kept *kept, const struct snd_levels *levels);
/* What a predecessor kept; of what is none of ours, that it is closed, and no volume.
 * 0, -EAGAIN or another negative errno. */
int snd_kept_read(const struct keys *keys, uint32_t number, struct snd_kept *kept,
		  struct snd_levels *levels);

#endif
