/* SPDX-License-Identifier: MIT */
#include "xenbus/cmd/plan-sound.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "backends/snd/snd-policy.h"

struct adder {
	void (*add)(void *owner, const char *key, const char *value);
	void *owner;
};

static void add(const struct adder *to, const char *key, const char *value)
{
	to->add(to->owner, key, value);
}

static void add_number(const struct adder *to, const char *key, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	add(to, key, text);
}

/* "," and @word behind @list; what has no room is not in it. */
static void append(char list[PLAN_VALUE_MAX + 1], const char *word)
{
	size_t n = strlen(list);

	if (n + strlen(word) + 2 <= PLAN_VALUE_MAX)
		snprintf(list + n, PLAN_VALUE_MAX + 1 - n, "%s%s", n ? "," : "", word);
}

static void add_rates(const struct adder *to, struct snd_range rate)
{
	char list[PLAN_VALUE_MAX + 1] = "", word[16];

	for (unsigned i = 0; snd_rate(i); i++) {
		if (snd_rate(i) < rate.min || snd_rate(i) > rate.max)
			continue;
		snprintf(word, sizeof(word), "%u", snd_rate(i));
		append(list, word);
	}
	if (list[0])
		add(to, "sample-rates", list);
}

static void add_formats(const struct adder *to, uint64_t formats)
{
	char list[PLAN_VALUE_MAX + 1] = "";

	for (unsigned i = 0; i < SND_FORMATS; i++) {
		if (formats & (1ull << i))
			append(list, snd_format_info((enum snd_format)i)->name);
	}
	add(to, "sample-formats", list);
}

static bool is_first_of_pcm(const struct snd_policy *snd, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (snd->stream[i].pcm == snd->stream[n].pcm)
			return false;
	}
	return true;
}

static void add_stream(const struct adder *to, const struct snd_policy *snd, uint32_t n)
{
	const struct snd_policy_stream *stream = &snd->stream[n];
	char key[32], value[32];

	snprintf(key, sizeof(key), "%u", stream->pcm);
	if (is_first_of_pcm(snd, n)) {
		add(to, key, "");
		snprintf(key, sizeof(key), "%u/name", stream->pcm);
		snprintf(value, sizeof(value), "PCM %u", stream->pcm);
		add(to, key, value);
	}
	snprintf(key, sizeof(key), "%u/%u", stream->pcm, stream->index);
	add(to, key, "");
	snprintf(key, sizeof(key), "%u/%u/type", stream->pcm, stream->index);
	add(to, key, stream->capture ? "c" : "p");
	snprintf(key, sizeof(key), "%u/%u/unique-id", stream->pcm, stream->index);
	snprintf(value, sizeof(value), "%u", n);
	add(to, key, value);
}

void plan_sound(const struct plan_input *in,
		void (*each)(void *owner, const char *key, const char *value),
		void *owner)
{
	struct policy_errors errors = {0};
	const struct adder to = {each, owner};
	struct snd_policy snd;

	snd_policy_init(&snd);
	if (policy_parse_section(in->text, in->text_len, "Sound", snd_policy_keys, &snd,
				 &errors))
		return; /* it was checked: not reached */
	add(&to, "short-name", in->policy->name);
	add_number(&to, "channels-min", snd.channels.min);
	add_number(&to, "channels-max", snd.channels.max);
	add_rates(&to, snd.rate);
	add_formats(&to, snd.formats);
	add_number(&to, "buffer-size", snd.buffer);
	for (uint32_t i = 0; i < snd.streams; i++)
		add_stream(&to, &snd, i);
}
