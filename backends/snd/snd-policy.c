/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/snd/snd-policy.h"
#include "backends/snd/snd-resource.h"
#include "common/number.h"
#include "policy/text.h"

#define RINGS 2 /* of a stream of sndif */

#define STREAM_ALLOWED                                                                 \
	"PCM/INDEX playback NAME, or capture: numbers to 255, and 1 to 63 "            \
	"characters without a space"
#define FORMATS_ALLOWED                                                                \
	"s8 u8 mu_law a_law ima_adpcm mpeg gsm; with _le or _be s16 u16 s24 u24 s32 "  \
	"u32 float float64 iec958_subframe"

/* [impl->req~policy-narrow-defaults~1] */
void snd_policy_init(struct snd_policy *policy)
{
	*policy = (struct snd_policy){
		.formats = SND_FORMATS_ALL,
		.rate = {5512, 192000},
		.channels = {1, SND_CHANNELS_MAX},
		.buffer = 262144,
		.period = 64,
		.latency = 20,
	};
}

/* -- Streams ------------------------------------------------------------------------
 */

/* The number of @len digits, to SND_ADDRESS_MAX. */
static bool set_address(const char *text, size_t len, uint8_t *out)
{
	uint64_t v;

	if (!number_parse(text, len, SND_ADDRESS_MAX, &v))
		return false;
	*out = (uint8_t)v;
	return true;
}

/* If @value starts with @word and a space: what comes behind it. */
static const char *behind(const char *value, const char *word)
{
	size_t len = strlen(word);

	return strncmp(value, word, len) || value[len] != ' ' ? NULL : value + len + 1;
}

static bool stream_parse(const char *value, struct snd_policy_stream *out)
{
	size_t pcm = strcspn(value, "/ ");
	const char *index = value + pcm + 1, *way, *name;
	size_t len;

	if (value[pcm] != '/' || !set_address(value, pcm, &out->pcm))
		return false;
	len = strcspn(index, " ");
	if (!index[len] || !set_address(index, len, &out->index))
		return false;
	way = index + len + 1;
	name = behind(way, "playback");
	out->capture = !name;
	if (!name)
		name = behind(way, "capture");
	if (!name || !*name || strlen(name) > SND_NAME_MAX || strchr(name, ' '))
		return false;
	strcpy(out->name, name);
	out->named = true;
	return true;
}

static const char *set_stream(struct snd_policy *policy, unsigned i, const char *value)
{
	struct snd_policy_stream stream = {0};

	if (!stream_parse(value, &stream))
		return STREAM_ALLOWED;
	policy->stream[i] = stream;
	policy->streams++;
	return NULL;
}

#define SET_STREAM(i)                                                                  \
	static const char *set_stream##i(void *out, const char *value)                 \
	{                                                                              \
		return set_stream(out, i, value);                                      \
	}

SET_STREAM(0)
SET_STREAM(1)
SET_STREAM(2)
SET_STREAM(3)
SET_STREAM(4)
SET_STREAM(5)
SET_STREAM(6)
SET_STREAM(7)

/* -- What they may be set to --------------------------------------------------------
 */

static bool add_format(void *out, const char *name)
{
	enum snd_format format;

	if (!snd_format_parse(name, &format))
		return false;
	*(uint64_t *)out |= 1ull << format;
	return true;
}

static const char *set_formats(void *out, const char *value)
{
	uint64_t formats = 0;

	if (!policy_value_list(value, add_format, &formats))
		return FORMATS_ALLOWED;
	((struct snd_policy *)out)->formats = formats;
	return NULL;
}

/* MIN-MAX, or one number for both. */
static bool range_parse(const char *value, struct snd_range within,
			struct snd_range *out)
{
	size_t len = strcspn(value, "-");
	const char *last = value[len] ? value + len + 1 : value;
	uint64_t min, max;

	if (!number_parse(value, len, within.max, &min) || min < within.min ||
	    !policy_value_number(last, min, within.max, &max))
		return false;
	*out = (struct snd_range){(uint32_t)min, (uint32_t)max};
	return true;
}

static const char *set_rates(void *out, const char *value)
{
	const struct snd_range within = {SND_RATE_MIN, SND_RATE_MAX};

	return range_parse(value, within, &((struct snd_policy *)out)->rate)
		       ? NULL
		       : "MIN-MAX or one rate, 4000-384000 Hz";
}

static const char *set_channels(void *out, const char *value)
{
	const struct snd_range within = {1, SND_CHANNELS_MAX};

	return range_parse(value, within, &((struct snd_policy *)out)->channels)
		       ? NULL
		       : "MIN-MAX or one number, 1-8";
}

static const char *set_buffer(void *out, const char *value)
{
	struct snd_policy *policy = out;

	return policy_value_uint32(value, SND_BUFFER_MIN, SND_BUFFER_MAX,
				   &policy->buffer)
		       ? NULL
		       : "4096-1048576 bytes";
}

static const char *set_period(void *out, const char *value)
{
	struct snd_policy *policy = out;

	return policy_value_uint32(value, SND_PERIOD_MIN, SND_PERIOD_MAX,
				   &policy->period)
		       ? NULL
		       : "16-65536 frames";
}

/* -- How they sound -----------------------------------------------------------------
 */

/* "6", "6.5" or "6.543", in thousandths. */
static bool thousandths_parse(const char *value, uint64_t *out)
{
	size_t len = strcspn(value, ".");
	const char *places = value[len] ? value + len + 1 : "0";
	uint64_t v;

	if (!number_parse(value, len, UINT32_MAX, &v) || !*places || strlen(places) > 3)
		return false;
	for (unsigned i = 0; i < 3; i++) {
		char digit = *places ? *places++ : '0';

		if (digit < '0' || digit > '9')
			return false;
		v = 10 * v + (uint64_t)(digit - '0');
	}
	*out = v;
	return true;
}

static const char *set_volume(void *out, const char *value)
{
	bool negative = value[0] == '-';
	uint64_t v;

	if (!thousandths_parse(value + negative, &v) || v > -SND_VOLUME_MIN ||
	    (v && !negative))
		return "-144 to 0 dB, to three places, as -6.5";
	((struct snd_policy *)out)->volume = -(int32_t)v;
	return NULL;
}

static const char *set_latency(void *out, const char *value)
{
	struct snd_policy *policy = out;

	return policy_value_uint32(value, SND_LATENCY_MIN, SND_LATENCY_MAX,
				   &policy->latency)
		       ? NULL
		       : "2-500 ms";
}

static const char *set_capture(void *out, const char *value)
{
	return policy_set_bool(value, &((struct snd_policy *)out)->capture);
}

static const char *set_mixed(void *out, const char *value)
{
	return policy_set_bool(value, &((struct snd_policy *)out)->mixed);
}

const struct policy_section_key snd_policy_keys[] = {
	{"Stream0", false, set_stream0}, {"Stream1", false, set_stream1},
	{"Stream2", false, set_stream2}, {"Stream3", false, set_stream3},
	{"Stream4", false, set_stream4}, {"Stream5", false, set_stream5},
	{"Stream6", false, set_stream6}, {"Stream7", false, set_stream7},
	{"Capture", false, set_capture}, {"Formats", false, set_formats},
	{"Rates", false, set_rates},	 {"Channels", false, set_channels},
	{"Buffer", false, set_buffer},	 {"Period", false, set_period},
	{"Volume", false, set_volume},	 {"Latency", false, set_latency},
	{"Mixed", false, set_mixed},	 {NULL, false, NULL},
};

/* -- What does not go together ------------------------------------------------------
 */

static bool fit_gaps(const struct snd_policy *snd, struct policy_errors *errors)
{
	for (uint32_t i = 0; i < snd->streams || !i; i++) {
		if (snd->stream[i].named)
			continue;
		text_error(errors, 0, "Stream0, and on from there without a gap",
			   "Sound.Stream%u is missing", i);
		return false;
	}
	return true;
}

static void fit_addresses(const struct snd_policy *snd, struct policy_errors *errors)
{
	for (uint32_t i = 1; i < snd->streams; i++) {
		for (uint32_t j = 0; j < i; j++) {
			const struct snd_policy_stream *a = &snd->stream[j];
			const struct snd_policy_stream *b = &snd->stream[i];

			if (a->pcm == b->pcm && a->index == b->index)
				text_error(errors, 0, "a PCM/INDEX of its own for each",
					   "Sound.Stream%u and Stream%u are both %u/%u",
					   j, i, a->pcm, a->index);
		}
	}
}

static void fit_capture(const struct policy *policy, const struct snd_policy *snd,
			struct policy_errors *errors)
{
	for (uint32_t i = 0; i < snd->streams; i++) {
		if (!snd->stream[i].capture)
			continue;
		if (!snd->capture)
			text_error(errors, 0, "Capture = yes, or playback alone",
				   "Sound.Stream%u records without Sound.Capture = yes",
				   i);
		if (!(policy->client_pages & POLICY_WRITABLE))
			text_error(errors, policy->line[POLICY_KEY_CLIENT_PAGES],
				   "ClientPages = both",
				   "Sound.Stream%u records, and Memory.ClientPages "
				   "has it write no page",
				   i);
	}
}

/* Each is one file, in the folder that Resource names. */
static void fit_files(const struct snd_policy *snd, struct policy_errors *errors)
{
	for (uint32_t i = 0; i < snd->streams; i++) {
		const char *name = snd->stream[i].name;

		if (!snd_resource_file_ok(name))
			text_error(errors, 0, "the name of a file in Resource's folder",
				   "Sound.Stream%u: %s is none", i, name);
		for (uint32_t j = 0; j < i; j++) {
			if (!strcmp(name, snd->stream[j].name))
				text_error(errors, 0, "a file of its own for each",
					   "Sound.Stream%u and Stream%u are both %s", j,
					   i, name);
		}
	}
}

static void fit_resource(const struct policy *policy, const struct snd_policy *snd,
			 struct policy_errors *errors)
{
	switch (snd_resource_of(policy->resource)) {
	case SND_RESOURCE_ALSA:
		return;
	case SND_RESOURCE_FILE:
		fit_files(snd, errors);
		break;
	case SND_RESOURCE_NULL:
		break;
	case SND_RESOURCE_NONE:
		text_error(errors, policy->line[POLICY_KEY_RESOURCE],
			   "alsa:, file:/FOLDER, null:",
			   "Backend.Resource = %s is no sound's", policy->resource);
		return;
	}
}

/* All that play share a queue, which is answered in order: one that stands still would
 * hold up the others. */
static void fit_virtio(const struct policy *policy, const struct snd_policy *snd,
		       struct policy_errors *errors)
{
	for (uint32_t i = 1; i < snd->streams; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (snd->stream[i].capture == snd->stream[j].capture)
				text_error(
					errors, policy->line[POLICY_KEY_DOOR],
					"another device for each, or Door = pv",
					"Sound.Stream%u and Stream%u are both %s, and "
					"Backend.Door = virtio has one of each",
					j, i,
					snd->stream[i].capture ? "capture"
							       : "playback");
		}
	}
}

bool snd_policy_hardware(const struct snd_policy_stream *stream)
{
	return !strncmp(stream->name, "hw:", 3) || !strncmp(stream->name, "plughw:", 7);
}

static bool all_hardware(const struct snd_policy *snd)
{
	for (uint32_t i = 0; i < snd->streams; i++) {
		if (!snd_policy_hardware(&snd->stream[i]))
			return false;
	}
	return true;
}

/* Who takes over one of those that are mixed may take over the others by the memory
 * between them: none may have what a back end with Isolation = domain has. */
static void fit_mixed(const struct policy *policy, const struct snd_policy *snd,
		      struct policy_errors *errors)
{
	if (!snd->mixed)
		return;
	if (snd_resource_of(policy->resource) != SND_RESOURCE_ALSA)
		text_error(errors, policy->line[POLICY_KEY_RESOURCE],
			   "Resource = alsa:, or Mixed = no",
			   "Sound.Mixed = yes, and nothing mixes in Backend.Resource = "
			   "%s",
			   policy->resource);
	else if (all_hardware(snd))
		text_error(errors, 0, "the name of a PCM that mixes, or Mixed = no",
			   "Sound.Mixed = yes, and each stream is hardware, which does "
			   "not mix");
	if (policy->isolation == POLICY_DOMAIN)
		text_error(errors, policy->line[POLICY_KEY_ISOLATION],
			   "Isolation = process, or Mixed = no",
			   "Sound.Mixed = yes shares memory with other instances");
}

void snd_policy_fit(const struct policy *policy, const void *snd,
		    struct policy_errors *errors)
{
	const struct snd_policy *p = snd;

	if (fit_gaps(p, errors)) {
		fit_addresses(p, errors);
		fit_capture(policy, p, errors);
		fit_resource(policy, p, errors);
		fit_mixed(policy, p, errors);
	}
	if (policy->door == POLICY_PV && policy->ring_pages < RINGS * p->streams)
		text_error(errors, policy->line[POLICY_KEY_RING_PAGES],
			   "RingPages = 2 for each stream",
			   "Memory.RingPages = %u is too few for %u streams",
			   policy->ring_pages, p->streams);
	if (policy->door == POLICY_PV && policy->data_pages < 2)
		text_error(errors, policy->line[POLICY_KEY_DATA_PAGES],
			   "DataPages = 2 at least",
			   "Memory.DataPages = %u has no room for a buffer beside the "
			   "list of its pages",
			   policy->data_pages);
	if (policy->door == POLICY_VIRTIO)
		fit_virtio(policy, p, errors);
	if (policy->mode == POLICY_COPY)
		text_error(errors, policy->line[POLICY_KEY_MODE], "Mode = map",
			   "Memory.Mode = copy: a stream's buffer is mapped once, and "
			   "then played from");
}

bool snd_policy_read(const struct policy *policy, const char *text, size_t len,
		     struct snd_policy *out)
{
	struct policy_errors errors = {0};

	if (policy->class != POLICY_SND)
		return false;
	snd_policy_init(out);
	return !policy_parse_section(text, len, "Sound", snd_policy_keys, out, &errors);
}
