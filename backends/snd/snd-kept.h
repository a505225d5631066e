/* SPDX-License-Identifier: MIT */
/*
 * What is kept of an open stream in the back-end directory (key "stream-N"), for
 * whoever follows a back end that died, and for people: a line of words. Pure.
 *
 * "closed", or "STATE FORMAT CHANNELS RATE SIZE PERIOD DIRECTORY", such as
 * "running s16_le 2 48000 19200 960 1032".
 */
#ifndef XDD_SND_KEPT_H
#define XDD_SND_KEPT_H

#include "backends/snd/snd.h"
#include "policy/ids.h"

#define SND_KEPT_MAX 96 /* bytes, NUL included */

struct snd_kept {
	enum snd_state state;
	struct snd_config config; /* but of CLOSED */
	struct gref directory;
};

void snd_kept_text(const struct snd_kept *kept, char out[SND_KEPT_MAX]);
/* False: it is none of ours. Whether its config can be had is for snd_open() to say. */
bool snd_kept_parse(const char *text, struct snd_kept *out);

#endif
