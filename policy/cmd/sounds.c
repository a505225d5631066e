/* SPDX-License-Identifier: MIT */
/*
 * PCMs of the host: who may record from which, and which two instances both name what
 * has one user: see set.h.
 */
#include <stdio.h>
#include <string.h>

#include "backends/snd/snd-policy.h"
#include "backends/snd/snd-resource.h"
#include "policy/cmd/set.h"

/* False: it is no policy of sound. */
static bool read_sound(const struct set_entry *entry, struct snd_policy *out)
{
	struct policy_errors errors = {0};

	if (entry->policy.class != POLICY_SND)
		return false;
	snd_policy_init(out);
	return !policy_parse_section(entry->text, entry->len, "Sound", snd_policy_keys,
				     out, &errors);
}

/* A PCM of ALSA that is hardware: of each way it has one user. */
static bool is_hardware(const struct set_entry *entry,
			const struct snd_policy_stream *stream)
{
	return snd_resource_of(entry->policy.resource) == SND_RESOURCE_ALSA &&
	       (!strncmp(stream->name, "hw:", 3) ||
		!strncmp(stream->name, "plughw:", 7));
}

/* Which PCM, without how it is had: "hw:0,0" of "plughw:0,0". */
static const char *hardware(const struct snd_policy_stream *stream)
{
	return strchr(stream->name, ':') + 1;
}

static void check_two(const struct set_entry *entry, const struct snd_policy *sound,
		      const struct set_entry *other, struct report *report)
{
	struct snd_policy more;

	if (!read_sound(other, &more))
		return;
	for (uint32_t i = 0; i < sound->streams; i++) {
		const struct snd_policy_stream *a = &sound->stream[i];

		for (uint32_t k = 0; k < more.streams; k++) {
			const struct snd_policy_stream *b = &more.stream[k];

			if (is_hardware(entry, a) && is_hardware(other, b) &&
			    a->capture == b->capture &&
			    !strcmp(hardware(a), hardware(b)))
				report_warning(
					report, other->path, 0,
					"Sound.Stream%u is %s, as is Stream%u of %s: "
					"hardware has one user, and the second "
					"will not start",
					k, b->name, i, entry->policy.name);
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

void set_print_sounds(const struct set *set)
{
	struct snd_policy sound;
	bool any = false;

	for (unsigned i = 0; i < set->n; i++) {
		if (!read_sound(&set->entry[i], &sound))
			continue;
		for (uint32_t k = 0; k < sound.streams; k++) {
			if (!sound.stream[k].capture)
				continue;
			if (!any)
				printf("\n%-20s %s\n", "RECORDED FROM", "BY");
			any = true;
			printf("%-20s ", sound.stream[k].name);
			set_print_client(&set->entry[i].policy);
			putchar('\n');
		}
	}
}
