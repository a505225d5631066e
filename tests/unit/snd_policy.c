/* SPDX-License-Identifier: MIT */
/* backends/snd/snd-policy.c: section [Sound]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/snd/snd-policy.h"

#define PLAYS "Stream0 = 0/0 playback hw:0\n"
/* A name of 64. */
#define TOO_LONG                                                                       \
	"Stream0 = 0/0 capture "                                                       \
	"0123456789012345678901234567890123456789012345678901234567890123"
#define RECORDS "Stream0 = 0/0 capture hw:0\nCapture = yes\n"

static struct snd_policy policy;
static struct policy_errors errors;
static struct policy generic;

static unsigned parse(const char *lines)
{
	char text[2048];

	snprintf(text, sizeof(text), "[Sound]\n%s", lines);
	snd_policy_init(&policy);
	errors.count = 0;
	return policy_parse_section(text, strlen(text), "Sound", snd_policy_keys,
				    &policy, &errors);
}

static unsigned fit(const char *lines)
{
	assert_int_equal(parse(lines), 0);
	snd_policy_fit(&generic, &policy, &errors);
	return errors.count;
}

/* That which does not fit is one thing, and @what says so. */
static void misfit(const char *lines, const char *what)
{
	if (fit(lines) != 1 || !strstr(errors.error[0].what, what))
		fail_msg("%s: %u errors, %s", lines, errors.count,
			 errors.error[0].what);
}

static int fresh(void **state)
{
	(void)state;
	generic = (struct policy){
		.class = POLICY_SND,
		.resource = "alsa:",
		.mode = POLICY_MAP,
		.client_pages = POLICY_BOTH,
		.ring_pages = 16,
		.data_pages = 65,
		.line = {[POLICY_KEY_RESOURCE] = 3,
			 [POLICY_KEY_MODE] = 4,
			 [POLICY_KEY_CLIENT_PAGES] = 5,
			 [POLICY_KEY_RING_PAGES] = 6},
	};
	return 0;
}

/* [utest->req~policy-narrow-defaults~1] */
static void defaults(void **state)
{
	(void)state;
	assert_int_equal(fit(PLAYS), 0);
	assert_false(policy.capture);
	assert_false(policy.mixed);
	assert_int_equal(policy.formats, SND_FORMATS_ALL);
	assert_int_equal(policy.rate.min, 5512);
	assert_int_equal(policy.rate.max, 192000);
	assert_int_equal(policy.channels.min, 1);
	assert_int_equal(policy.channels.max, 8);
	assert_int_equal(policy.buffer, 262144);
	assert_int_equal(policy.period, 64);
	assert_int_equal(policy.volume, 0);
	assert_int_equal(policy.latency, 20);
}

static void all_keys(void **state)
{
	(void)state;
	assert_int_equal(
		fit("Capture = yes\nFormats = s16_le, u8 gsm\nRates = 44100-48000\n"
		    "Channels = 2\nBuffer = 1048576\nPeriod = 65536\nVolume = -6.5\n"
		    "Latency = 500\nMixed = no\n" PLAYS
		    "Stream1 = 0/1 capture plughw:CARD=PCH,DEV=0\n"
		    "Stream2 = 255/255 playback x\n"),
		0);
	assert_int_equal(policy.streams, 3);
	assert_true(policy.stream[1].named && policy.stream[1].capture);
	assert_int_equal(policy.stream[1].pcm, 0);
	assert_int_equal(policy.stream[1].index, 1);
	assert_string_equal(policy.stream[1].name, "plughw:CARD=PCH,DEV=0");
	assert_false(policy.stream[2].capture);
	assert_int_equal(policy.stream[2].pcm, 255);
	assert_int_equal(policy.stream[2].index, 255);
	assert_false(policy.stream[3].named);
	assert_true(policy.capture);
	assert_false(policy.mixed);
	assert_int_equal(policy.formats, 1u << SND_FORMAT_S16_LE | 1u << SND_FORMAT_U8 |
						 1u << SND_FORMAT_GSM);
	assert_int_equal(policy.rate.min, 44100);
	assert_int_equal(policy.rate.max, 48000);
	assert_int_equal(policy.channels.min, 2);
	assert_int_equal(policy.channels.max, 2);
	assert_int_equal(policy.buffer, 1048576);
	assert_int_equal(policy.period, 65536);
	assert_int_equal(policy.volume, -6500);
	assert_int_equal(policy.latency, 500);
}

static void volumes(void **state)
{
	static const struct {
		const char *line;
		int32_t millidb;
	} cases[] = {
		{"Volume = 0", 0},	    {"Volume = -0.0", 0},
		{"Volume = -0.05", -50},    {"Volume = -12", -12000},
		{"Volume = -6.543", -6543}, {"Volume = -144.000", -144000},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].line), 0);
		assert_int_equal(policy.volume, cases[i].millidb);
	}
}

static const char *const bad_lines[] = {
	"Stream0 = playback hw:0",
	"Stream0 = 0 playback hw:0",
	"Stream0 = 0/256 playback hw:0",
	"Stream0 = 256/0 playback hw:0",
	"Stream0 = 0/0/0 playback hw:0",
	"Stream0 = /0 playback hw:0",
	"Stream0 = 0/ playback hw:0",
	"Stream0 = 0/0 both hw:0",
	"Stream0 = 0/0 playbacks hw:0",
	"Stream0 = 0/0 playback",
	"Stream0 = 0/0",
	"Stream0 = 0/0 capture hw:0 plug",
	"Stream0 = 0/0  capture hw:0",
	TOO_LONG,
	"Stream8 = 0/0 playback hw:0",
	"Capture = 1",
	"Formats = s16",
	"Formats = all",
	"Formats = s16_le,",
	"Rates = 3999-48000",
	"Rates = 44100-384001",
	"Rates = 48000-44100",
	"Rates = 48000-",
	"Rates = -48000",
	"Rates = 48k",
	"Channels = 0-2",
	"Channels = 9",
	"Channels = 1-2-3",
	"Buffer = 4095",
	"Buffer = 1048577",
	"Buffer = 64k",
	"Period = 15",
	"Period = 65537",
	"Volume = 1",
	"Volume = +0",
	"Volume = 0.5",
	"Volume = -144.001",
	"Volume = -6.",
	"Volume = -.5",
	"Volume = -6.0005",
	"Volume = -6.x",
	"Volume = --6",
	"Volume = -",
	"Latency = 1",
	"Latency = 501",
	"Mixed = maybe",
	"unique-id = x",
};

static void bad_values(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
		if (parse(bad_lines[i]) != 1)
			fail_msg("%s", bad_lines[i]);
		assert_int_equal(errors.error[0].line, 2);
		assert_int_equal(policy.streams, 0);
	}
	/* Room for all that is allowed: none of it is cut off. */
	assert_int_equal(parse("Formats = s16"), 1);
	assert_non_null(strstr(errors.error[0].allowed, "iec958_subframe"));
	assert_int_equal(parse("Stream0 = 0"), 1);
	assert_non_null(strstr(errors.error[0].allowed, "without a space"));
}

static void a_bad_list_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(parse("Formats = u8 s8 s9"), 1);
	assert_int_equal(policy.formats, SND_FORMATS_ALL);
	assert_int_equal(parse("Rates = 8000-9"), 1);
	assert_int_equal(policy.rate.min, 5512);
}

static void streams_that_do_not_fit(void **state)
{
	(void)state;
	misfit("", "Stream0 is missing");
	misfit("Stream1 = 0/0 playback x\n", "Stream0 is missing");
	misfit(PLAYS "Stream2 = 0/1 playback x\n", "Stream1 is missing");
	misfit(PLAYS "Stream1 = 0/0 playback x\n", "Stream0 and Stream1 are both 0/0");
	assert_int_equal(fit(PLAYS "Stream1 = 1/0 playback x\n"), 0);
	misfit(PLAYS "Stream1 = 0/0 capture x\nCapture = yes\n", "both 0/0");
	misfit("Stream0 = 0/0 capture x\n", "Stream0 records without");
	assert_int_equal(fit(RECORDS), 0);
}

static void what_does_not_fit_the_rest(void **state)
{
	(void)state;
	generic.client_pages = POLICY_READABLE;
	assert_int_equal(fit(PLAYS), 0);
	misfit(RECORDS, "has it write no page");
	assert_int_equal(errors.error[0].line, 5);
	generic.client_pages = POLICY_BOTH;

	generic.ring_pages = 3;
	assert_int_equal(fit(PLAYS), 0);
	misfit(PLAYS "Stream1 = 0/1 playback x\n", "RingPages = 3 is too few for 2");
	assert_int_equal(errors.error[0].line, 6);
	generic.ring_pages = 4;
	assert_int_equal(fit(PLAYS "Stream1 = 0/1 playback x\n"), 0);
	generic.data_pages = 1;
	misfit(PLAYS, "DataPages = 1 has no room");
	generic.data_pages = 2;
	assert_int_equal(fit(PLAYS), 0);
	/* Of virtio the rings are others. */
	generic.door = POLICY_VIRTIO;
	generic.mode = POLICY_POOL;
	generic.ring_pages = 1;
	assert_int_equal(fit(PLAYS), 0);
	assert_int_equal(fit(PLAYS "Stream1 = 0/1 capture x\nCapture = yes\n"), 0);
	/* One that plays, one that records. */
	misfit(PLAYS "Stream1 = 0/1 playback x\n",
	       "Stream0 and Stream1 are both playback");
	misfit(RECORDS "Stream1 = 0/1 capture x\n",
	       "Stream0 and Stream1 are both capture");
	generic.door = POLICY_PV;
	generic.ring_pages = 4;

	generic.mode = POLICY_COPY;
	misfit(PLAYS, "Mode = copy");
	assert_int_equal(errors.error[0].line, 4);
}

static void resources(void **state)
{
	static const char *const none[] = {"alsa", "hw:0", "file:", "file:x", "null"};

	(void)state;
	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		strcpy(generic.resource, none[i]);
		misfit(PLAYS, none[i]);
		assert_int_equal(errors.error[0].line, 3);
	}
	strcpy(generic.resource, "null:");
	assert_int_equal(fit(PLAYS), 0);
	strcpy(generic.resource, "file:/srv");
	assert_int_equal(fit(PLAYS "Stream1 = 1/0 playback x.raw\n"), 0);
	misfit(PLAYS "Stream1 = 1/0 playback ..\n", "Stream1: .. is none");
	misfit(PLAYS "Stream1 = 1/0 playback ../x\n", "Stream1: ../x is none");
	misfit(PLAYS "Stream1 = 1/0 playback hw:0\n", "are both hw:0");
	strcpy(generic.resource, "alsa:");
	assert_int_equal(fit(PLAYS "Stream1 = 1/0 playback hw:0\n"), 0);
}

/* Where nothing mixes it is no use, and what it gives up is not given up for all. */
static void mixed(void **state)
{
	const char *mixes = "Stream0 = 0/0 playback speakers\nMixed = yes\n";

	(void)state;
	assert_int_equal(fit(mixes), 0);
	assert_true(policy.mixed);
	misfit("Stream0 = 0/0 playback hw:0\nStream1 = 0/1 playback plughw:1\n"
	       "Mixed = yes\n",
	       "each stream is hardware");
	assert_int_equal(fit("Stream0 = 0/0 playback speakers\nCapture = yes\n"
			     "Stream1 = 0/1 capture hw:0\nMixed = yes\n"),
			 0);
	assert_int_equal(fit("Stream0 = 0/0 capture microphone\nCapture = yes\n"
			     "Mixed = yes\n"),
			 0);
	generic.isolation = POLICY_DOMAIN;
	generic.line[POLICY_KEY_ISOLATION] = 7;
	misfit(mixes, "Mixed = yes shares memory");
	assert_int_equal(errors.error[0].line, 7);
	assert_int_equal(fit(PLAYS), 0);
	generic.isolation = POLICY_PROCESS;
	strcpy(generic.resource, "null:");
	misfit(mixes, "nothing mixes in Backend.Resource = null:");
	assert_int_equal(errors.error[0].line, 3);
	strcpy(generic.resource, "file:/srv");
	misfit(mixes, "nothing mixes");
}

/* For who plays nothing: its own section, or nothing. */
static void read_alone(void **state)
{
	static const char text[] = "[Sound]\nStream0 = 0/0 playback x\nMixed = yes\n";
	static const char bad[] = "[Sound]\nMixed = yes\nLatency = 1\n";
	struct snd_policy read;

	(void)state;
	assert_true(snd_policy_read(&generic, text, strlen(text), &read));
	assert_true(read.mixed);
	assert_int_equal(read.latency, 20);
	assert_false(snd_policy_read(&generic, bad, strlen(bad), &read));
	generic.class = POLICY_NET;
	assert_false(snd_policy_read(&generic, text, strlen(text), &read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(defaults, fresh),
		cmocka_unit_test_setup(all_keys, fresh),
		cmocka_unit_test_setup(volumes, fresh),
		cmocka_unit_test_setup(bad_values, fresh),
		cmocka_unit_test_setup(a_bad_list_changes_nothing, fresh),
		cmocka_unit_test_setup(streams_that_do_not_fit, fresh),
		cmocka_unit_test_setup(what_does_not_fit_the_rest, fresh),
		cmocka_unit_test_setup(resources, fresh),
		cmocka_unit_test_setup(mixed, fresh),
		cmocka_unit_test_setup(read_alone, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
