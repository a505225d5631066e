/* SPDX-License-Identifier: MIT */
/*
 * backends/displ/displ-plugs.c: what the kernel says of connectors, by files of a
 * folder that are written here as sysfs has them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "backends/displ/displ-plugs.h"
#include "common/clock.h"

static const struct displ_policy policy = {
	.heads = 2,
	.head = {{.named = true, .name = "HDMI-A-1"}, {.named = true, .name = "DP-1"}},
};
static char folder[] = "/tmp/xdd-plugs.XXXXXX";
static struct displ_plugs plugs;
static struct log lines;

static void path_of(unsigned head, char out[64])
{
	snprintf(out, 64, "%s/%s", folder, policy.head[head].name);
}

static void says(unsigned head, const char *word)
{
	char path[64];
	FILE *f;

	path_of(head, path);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(word, f);
	assert_int_equal(fclose(f), 0);
}

static void open_all(void)
{
	says(0, "connected\n");
	says(1, "connected\n");
	displ_plugs_open(&plugs, folder, &policy, &lines);
}

static void by_what_it_says(void **state)
{
	static const struct {
		const char *word;
		uint32_t out;
	} words[] = {
		{"disconnected\n", 2}, {"connected\n", 0},	{"disconnected", 0},
		{"unknown\n", 0},      {"disconnected\n\n", 0}, {"", 0},
		{"disconnecteD\n", 0}, {"disconnected\n", 2},
	};

	(void)state;
	open_all();
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		says(1, words[i].word);
		displ_plugs_look(&plugs, plugs.due);
		assert_int_equal(plugs.out, words[i].out);
	}
	says(0, "disconnected\n");
	displ_plugs_look(&plugs, plugs.due);
	assert_int_equal(plugs.out, 3);
	displ_plugs_close(&plugs);
}

static void once_a_second(void **state)
{
	(void)state;
	open_all();
	displ_plugs_look(&plugs, 5 * CLOCK_SECOND);
	assert_true(plugs.due == 6 * CLOCK_SECOND);
	says(0, "disconnected\n");
	displ_plugs_look(&plugs, 6 * CLOCK_SECOND - 1);
	assert_int_equal(plugs.out, 0);
	displ_plugs_look(&plugs, 6 * CLOCK_SECOND);
	assert_int_equal(plugs.out, 1);
	displ_plugs_close(&plugs);
}

/* Of which there is no file, nothing is known; of none, nobody looks. */
static void what_is_not_there(void **state)
{
	char path[64];

	(void)state;
	says(1, "disconnected\n");
	path_of(0, path);
	unlink(path);
	displ_plugs_open(&plugs, folder, &policy, &lines);
	displ_plugs_look(&plugs, plugs.due);
	assert_int_equal(plugs.out, 2);
	displ_plugs_close(&plugs);
	displ_plugs_open(&plugs, "/nowhere", &policy, &lines);
	assert_true(plugs.due == UINT64_MAX);
	displ_plugs_look(&plugs, CLOCK_SECOND);
	assert_int_equal(plugs.out, 0);
	displ_plugs_close(&plugs);
	displ_plugs_none(&plugs, &policy);
	assert_true(plugs.due == UINT64_MAX);
	displ_plugs_close(&plugs);
}

static int tidy(void **state)
{
	char path[64];

	(void)state;
	for (unsigned i = 0; i < policy.heads; i++) {
		path_of(i, path);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_what_it_says),
		cmocka_unit_test(once_a_second),
		cmocka_unit_test(what_is_not_there),
	};

	log_init(&lines, "displ_plugs");
	if (!mkdtemp(folder))
		return 1;
	return cmocka_run_group_tests(tests, NULL, tidy);
}
