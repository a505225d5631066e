/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "backends/snd/snd-kept.h"
#include "common/number.h"

#define WORDS 7
#define WORD  24 /* bytes, NUL included: "iec958_subframe_le" */

static const char *const states[SND_STATES] = {
	[SND_STATE_CLOSED] = "closed",
	[SND_STATE_OPEN] = "open",
	[SND_STATE_RUNNING] = "running",
	[SND_STATE_PAUSED] = "paused",
};

void snd_kept_text(const struct snd_kept *kept, char out[SND_KEPT_MAX])
{
	const struct snd_config *config = &kept->config;

	if (kept->state == SND_STATE_CLOSED)
		snprintf(out, SND_KEPT_MAX, "%s", states[SND_STATE_CLOSED]);
	else
		snprintf(out, SND_KEPT_MAX, "%s %s %u %u %u %u %u", states[kept->state],
			 snd_format_info(config->format)->name, config->channels,
			 config->rate, config->size, config->period, kept->directory.v);
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

static bool parse_state(const char *word, enum snd_state *out)
{
	for (unsigned i = 0; i < SND_STATES; i++) {
		if (!strcmp(word, states[i])) {
			*out = (enum snd_state)i;
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
	    n != (kept.state == SND_STATE_CLOSED ? 1 : WORDS))
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
		kept.directory.v = (uint32_t)number[6];
	}
	*out = kept;
	return true;
}
