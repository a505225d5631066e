/* SPDX-License-Identifier: MIT */
/* backends/snd/snd-kept.c: there and back, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "backends/snd/snd-kept.h"

static void there_and_back(void **state)
{
	char text[SND_KEPT_MAX];

	(void)state;
	for (unsigned s = 0; s < SND_KEPT_STATES; s++) {
		for (unsigned f = 0; f < SND_FORMATS; f++) {
			const struct snd_kept kept = {(enum snd_kept_state)s,
						      {(enum snd_format)f, 8,
						       4294967295, 4294967295,
						       4294967294},
						      4294967293};
			struct snd_kept back;

			snd_kept_text(&kept, text);
			assert_true(strlen(text) < SND_KEPT_MAX - 1);
			assert_true(snd_kept_parse(text, &back));
			assert_int_equal(back.state, s);
			if (s == SND_KEPT_CLOSED)
				continue;
			assert_int_equal(back.config.format, f);
			assert_int_equal(back.config.channels, 8);
			assert_int_equal(back.config.rate, 4294967295);
			assert_int_equal(back.config.size, 4294967295);
			assert_int_equal(back.config.period, 4294967294);
			assert_int_equal(back.own, 4294967293);
		}
	}
}

static void what_is_none(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"closed ",
		" closed",
		"closed s16_le 2 48000 19200 960 12",
		"open",
		"open s16_le 2 48000 19200 960",
		"open s16_le 2 48000 19200 960 12 ",
		"open s16_le 2 48000 19200 960 12 13",
		"open  s16_le 2 48000 19200 960 12",
		"open s17_le 2 48000 19200 960 12",
		"open s16_le -2 48000 19200 960 12",
		"open s16_le 2 048000 19200 960 12",
		"open s16_le 2 48000 4294967296 960 12",
		"opened s16_le 2 48000 19200 960 12",
		"open iec958_subframe_le_and_more_than_that 2 48000 19200 960 12",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct snd_kept kept = {.own = 77};

		assert_false(snd_kept_parse(texts[i], &kept));
		assert_int_equal(kept.own, 77);
	}
}

static void levels_there_and_back(void **state)
{
	const struct snd_levels levels = {
		{0, -1, SND_VOLUME_MIN, SND_VOLUME_MIN, SND_VOLUME_MIN, SND_VOLUME_MIN,
		 SND_VOLUME_MIN, SND_VOLUME_MIN},
		{true, false, true, true, true, true, true, true},
	};
	char text[SND_LEVELS_MAX];
	struct snd_levels back;

	(void)state;
	snd_levels_text(&levels, text);
	assert_memory_equal(text, "0m -1 -144000m ", 15);
	assert_true(strlen(text) < SND_LEVELS_MAX - 1);
	assert_true(snd_levels_parse(text, &back));
	for (unsigned i = 0; i < SND_CHANNELS_MAX; i++) {
		assert_int_equal(back.volume[i], levels.volume[i]);
		assert_int_equal(back.muted[i], levels.muted[i]);
	}
}

static void what_are_no_levels(void **state)
{
	static const char *const texts[] = {
		"",
		"0 0 0 0 0 0 0",
		"0 0 0 0 0 0 0 ",
		"0 0 0 0 0 0 0 0 0",
		"0 0 0 0 0 0 0 1",
		"0 0 0 0 0 0 0 m",
		"0 0 0 0 0 0 0 -",
		"0 0 0 0 0 0 0 -0144",
		"0 0 0 0 0 0 0 -144001",
		"0 0 0 0 0 0 0 -4294967296",
		"0  0 0 0 0 0 0",
		"0 0 0 0 0 0 0 0x",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct snd_levels levels = {.volume = {77}};

		assert_false(snd_levels_parse(texts[i], &levels));
		assert_int_equal(levels.volume[0], 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(levels_there_and_back),
		cmocka_unit_test(what_are_no_levels),
	};

	return cmocka_run_group_tests_name("snd_kept", tests, NULL, NULL);
}
