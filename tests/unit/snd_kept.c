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
	for (unsigned s = 0; s < SND_STATES; s++) {
		for (unsigned f = 0; f < SND_FORMATS; f++) {
			const struct snd_kept kept = {(enum snd_state)s,
						      {(enum snd_format)f, 8,
						       4294967295, 4294967295,
						       4294967294},
						      {4294967293}};
			struct snd_kept back;

			snd_kept_text(&kept, text);
			assert_true(strlen(text) < SND_KEPT_MAX - 1);
			assert_true(snd_kept_parse(text, &back));
			assert_int_equal(back.state, s);
			if (s == SND_STATE_CLOSED)
				continue;
			assert_int_equal(back.config.format, f);
			assert_int_equal(back.config.channels, 8);
			assert_int_equal(back.config.rate, 4294967295);
			assert_int_equal(back.config.size, 4294967295);
			assert_int_equal(back.config.period, 4294967294);
			assert_int_equal(back.directory.v, 4294967293);
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
		struct snd_kept kept = {.directory = {77}};

		assert_false(snd_kept_parse(texts[i], &kept));
		assert_int_equal(kept.directory.v, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(what_is_none),
	};

	return cmocka_run_group_tests_name("snd_kept", tests, NULL, NULL);
}
