/* SPDX-License-Identifier: MIT */
/*
 * PCMs of the host: who may record from which, and which two instances both name what
 * has one user: see set.h.
 */
#include <stdio.h>
#include <string.h>

#include "backends/snd/snd-policy.h"
#include "backends/snd/snd-resource.h"
#include "policy/cmd/answer.h"
#include "policy/cmd/set.h"

static bool read_sound(const struct set_entry *entry, struct snd_policy *out)
{
	return snd_policy_read(&entry->policy, entry->text, entry->len, out);
}

/* ALSA's PCM that is none, for any number of users. */
static bool is_null(const struct snd_policy_stream *stream)
{
	return !strcmp(stream->name, "null");
}

static bool is_alsa(const struct set_entry *entry)
{
	return snd_resource_of(entry->policy.resource) == SND_RESOURCE_ALSA;
}

/* Which PCM, without how it is had: "0,0" of "hw:0,0" and "plughw:0,0". */
static const char *which_pcm(const struct snd_policy_stream *stream)
{
	return snd_policy_hardware(stream) ? strchr(stream->name, ':') + 1
					   : stream->name;
}

/* One PCM, the same way: of what is no hardware, by its whole name. */
static bool same_pcm(const struct snd_policy_stream *a,
		     const struct snd_policy_stream *b)
{
	return a->capture == b->capture && !is_null(a) &&
	       snd_policy_hardware(a) == snd_policy_hardware(b) &&
	       !strcmp(which_pcm(a), which_pcm(b));
}

/* Of two policies that name one PCM. */
static void report_same(const struct set_entry *entry, uint32_t i,
			const struct set_entry *other, uint32_t k,
			const struct snd_policy_stream *stream, struct report *report)
{
	bool hardware = snd_policy_hardware(stream);

	report_warning(
		report, other->path, set_line(other, "Stream", k),
		"Sound.Stream%u is %s, as is Stream%u of %s: %s has one user, and "
		"the second will not start%s; name another in one of them",
		k, stream->name, i, entry->policy.name, hardware ? "hardware" : "a PCM",
		hardware ? "" : ", but of one that mixes, with Mixed = yes in both");
}

/* What plays to one file writes over the other. */
static void check_files(const struct set_entry *entry, const struct snd_policy *sound,
			const struct set_entry *other, const struct snd_policy *more,
			struct report *report)
{
	for (uint32_t i = 0; i < sound->streams; i++) {
		for (uint32_t k = 0; k < more->streams; k++) {
			if (sound->stream[i].capture || more->stream[k].capture ||
			    strcmp(sound->stream[i].name, more->stream[k].name))
				continue;
			report_warning(report, other->path,
				       set_line(other, "Stream", k),
				       "Sound.Stream%u is %s, as is Stream%u of %s: "
				       "both write one file; name another in one of "
				       "them",
				       k, more->stream[k].name, i, entry->policy.name);
		}
	}
}

static void check_two(const struct set_entry *entry, const struct snd_policy *sound,
		      const struct set_entry *other, struct report *report)
{
	struct snd_policy more;

	if (!read_sound(other, &more))
		return;
	if (snd_resource_of(entry->policy.resource) == SND_RESOURCE_FILE &&
	    !strcmp(entry->policy.resource, other->policy.resource))
		check_files(entry, sound, other, &more, report);
	if (!is_alsa(entry) || !is_alsa(other))
		return;
	for (uint32_t i = 0; i < sound->streams; i++) {
		const struct snd_policy_stream *a = &sound->stream[i];
		bool mixed = sound->mixed && more.mixed && !snd_policy_hardware(a);

		for (uint32_t k = 0; !mixed && k < more.streams; k++) {
			if (same_pcm(a, &more.stream[k]))
				report_same(entry, i, other, k, &more.stream[k],
					    report);
		}
	}
}

void set_check_sounds(const struct set *set, struct report *report)
{
	struct snd_policy sound;

	for (unsigned i = 0; i < set->n; i++) {
		if (!read_sound(&set->entry[i], &sound))
			continue;
		for (unsigned k = i + 1; k < set->n; k++)
			check_two(&set->entry[i], &sound, &set->entry[k], report);
	}
}

/* Each PCM that an instance may record from. */
static void each_capture(const struct set *set,
			 void (*each)(void *owner, const struct set_entry *entry,
				      const char *pcm),
			 void *owner)
{
	struct snd_policy sound;

	for (unsigned i = 0; i < set->n; i++) {
		if (!read_sound(&set->entry[i], &sound))
			continue;
		for (uint32_t k = 0; k < sound.streams; k++) {
			if (sound.stream[k].capture)
				each(owner, &set->entry[i], sound.stream[k].name);
		}
	}
}

static void print_capture(void *owner, const struct set_entry *entry, const char *pcm)
{
	bool *any = owner;

	if (!*any)
		printf("\n%-20s %s\n", "RECORDED FROM", "BY");
	*any = true;
	printf("%-20s ", pcm);
	set_print_client(&entry->policy);
	putchar('\n');
}

static void add_capture(void *owner, const struct set_entry *entry, const char *pcm)
{
	json_array_append_new(owner, json_pack("{s:o, s:s}", "pcm", answer_text(pcm),
					       "instance", entry->policy.name));
}

void set_print_sounds(const struct set *set)
{
	bool any = false;

	each_capture(set, print_capture, &any);
}

json_t *set_sounds(const struct set *set)
{
	json_t *array = json_array();

	each_capture(set, add_capture, array);
	return array;
}
