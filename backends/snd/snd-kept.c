/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "backends/snd/snd-kept.h"
#include "common/number.h"

#define WORDS 7
#define WORD  24 /* bytes, NUL included: "iec958_subframe_le" */

static const char *const states[SND_KEPT_STATES] = {
	[SND_KEPT_CLOSED] = "closed",	[SND_KEPT_OPEN] = "open",
	[SND_KEPT_RUNNING] = "running", [SND_KEPT_PAUSED] = "paused",
	[SND_KEPT_SET] = "set",
};

_Static_assert(SND_KEPT_OPEN == (int)SND_STATE_OPEN &&
		       SND_KEPT_RUNNING == (int)SND_STATE_RUNNING &&
		       SND_KEPT_PAUSED == (int)SND_STATE_PAUSED,
	       "a door that has no more may convert");

void snd_kept_text(const struct snd_kept *kept, char out[SND_KEPT_MAX])
{
	const struct snd_config *config = &kept->config;

	if (kept->state == SND_KEPT_CLOSED)
		snprintf(out, SND_KEPT_MAX, "%s", states[SND_KEPT_CLOSED]);
	else
		snprintf(out, SND_KEPT_MAX, "%s %s %u %u %u %u %u", states[kept->state],
			 snd_format_info(config->format)->name, config->channels,
			 config->rate, config->size, config->period, kept->own);
}

/* Words with one space between them; WORDS + 1: more than that, or one too long. */
static unsigned split(const char *text, char words[WORDS][WORD])
{
	unsigned n = 0;

	for (;; n++) {
		size_t len = strcspn(text, " ");

		if (n == WORDS || !len || len >= WORD)
			return WORDS + 1;
		memcpy(words[n], text, len);
		words[n][len] = '\0';
		if (!text[len])
			return n + 1;
		text += len + 1;
	}
}

static bool parse_state(const char *word, enum snd_kept_state *out)
{
	for (unsigned i = 0; i < SND_KEPT_STATES; i++) {
		if (!strcmp(word, states[i])) {
			*out = (enum snd_kept_state)i;
			return true;
		}
	}
	return false;
}

bool snd_kept_parse(const char *text, struct snd_kept *out)
{
	char words[WORDS][WORD];
	unsigned n = split(text, words);
	uint64_t number[WORDS];
	struct snd_kept kept = {0};

	if (n > WORDS || !parse_state(words[0], &kept.state) ||
	    n != (kept.state == SND_KEPT_CLOSED ? 1 : WORDS))
		return false;
	if (n == WORDS && !snd_format_parse(words[1], &kept.config.format))
		return false;
	for (unsigned i = 2; i < n; i++) {
		if (!number_parse(words[i], strlen(words[i]), UINT32_MAX, &number[i]))
			return false;
	}
	if (n == WORDS) {
		kept.config.channels = (uint32_t)number[2];
		kept.config.rate = (uint32_t)number[3];
		kept.config.size = (uint32_t)number[4];
		kept.config.period = (uint32_t)number[5];
		kept.own = (uint32_t)number[6];
	}
	*out = kept;
	return true;
}

/* -- Levels -------------------------------------------------------------------- */

void snd_levels_text(const struct snd_levels *levels, char out[SND_LEVELS_MAX])
{
	size_t at = 0;

	/* "-144000m " eight times, at most. */
	_Static_assert(SND_LEVELS_MAX > SND_CHANNELS_MAX * 9, "all of them fit");
	for (unsigned i = 0; i < SND_CHANNELS_MAX; i++)
		at += (size_t)snprintf(out + at, SND_LEVELS_MAX - at, "%s%d%s",
				       i ? " " : "", levels->volume[i],
				       levels->muted[i] ? "m" : "");
}

static bool parse_level(const char *text, size_t len, int32_t *volume, bool *muted)
{
	uint64_t number;

	*muted = len && text[len - 1] == 'm';
	len -= *muted;
	if (len == 1 && text[0] == '0') {
		*volume = 0;
		return true;
	}
	if (len < 2 || text[0] != '-' ||
	    !number_parse(text + 1, len - 1, -SND_VOLUME_MIN, &number))
		return false;
	*volume = -(int32_t)number;
	return true;
}

bool snd_levels_parse(const char *text, struct snd_levels *out)
{
	struct snd_levels levels;

	for (unsigned i = 0; i < SND_CHANNELS_MAX; i++) {
		size_t len = strcspn(text, " ");
		bool last = i == SND_CHANNELS_MAX - 1;

		if (last != !text[len] ||
		    !parse_level(text, len, &levels.volume[i], &levels.muted[i]))
			return false;
		text += len + !last;
	}
	*out = levels;
	return true;
}

/* -- Where it is kept ---------------------------------------------------------- */

static void key_of(char key[KEYS_QUEUE], const char *name, uint32_t number)
{
	snprintf(key, KEYS_QUEUE, "%s-%u", name, number);
}

static int keep_text(const struct keys *keys, const char *name, uint32_t number,
		     const char *text, char *kept)
{
	char key[KEYS_QUEUE];
	int r;

	if (!strcmp(text, kept))
		return 0;
	key_of(key, name, number);
	r = keys_write(keys, key, text);
	if (!r)
		memcpy(kept, text, strlen(text) + 1);
	return r;
}

int snd_keep(struct snd_keeping *keeping, const struct keys *keys, uint32_t number,
	     const struct snd_kept *kept, const struct snd_levels *levels)
{
	char text[SND_KEPT_MAX], level[SND_LEVELS_MAX];
	int r;

	snd_kept_text(kept, text);
	snd_levels_text(levels, level);
	/* Levels first: what runs is never louder than it was. */
	r = keep_text(keys, "levels", number, level, keeping->levels);
	return r ? r : keep_text(keys, "stream", number, text, keeping->stream);
}

int snd_kept_read(const struct keys *keys, uint32_t number, struct snd_kept *kept,
		  struct snd_levels *levels)
{
	char value[STORE_VALUE_MAX + 1], key[KEYS_QUEUE];
	int r;

	*kept = (struct snd_kept){.state = SND_KEPT_CLOSED};
	*levels = (struct snd_levels){0};
	key_of(key, "levels", number);
	r = keys_read(keys, STORE_BACK, key, value);
	if (r > 0)
		snd_levels_parse(value, levels);
	if (r < 0)
		return r;
	key_of(key, "stream", number);
	r = keys_read(keys, STORE_BACK, key, value);
	if (r > 0)
		snd_kept_parse(value, kept);
	return r < 0 ? r : 0;
}
