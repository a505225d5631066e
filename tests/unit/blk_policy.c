/* SPDX-License-Identifier: MIT */
/* backends/blk/blk-policy.c: section [Block]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/blk/blk-policy.h"

static struct blk_policy policy;
static struct policy_errors errors;

static unsigned parse(const char *text)
{
	blk_policy_init(&policy);
	errors.count = 0;
	return policy_parse_section(text, strlen(text), "Block", blk_policy_keys,
				    &policy, &errors);
}

/* [utest->req~policy-narrow-defaults~1] */
static void defaults(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_false(policy.discard);
	assert_int_equal(policy.cache, BLK_CACHE_AUTO);
	assert_int_equal(policy.sector_bytes, 0);
	assert_int_equal(policy.persistent_pages, UINT32_MAX);
	assert_int_equal(policy.queues, 1);
}

static void all_keys(void **state)
{
	(void)state;
	assert_int_equal(parse("[Block]\nDiscard = yes\nSectorSize = 4096\n"
			       "PersistentGrants = 0\nCache = buffered\nQueues = 16\n"),
			 0);
	assert_true(policy.discard);
	assert_int_equal(policy.cache, BLK_CACHE_BUFFERED);
	assert_int_equal(policy.sector_bytes, 4096);
	assert_int_equal(policy.persistent_pages, 0);
	assert_int_equal(policy.queues, 16);
}

static void bad_values(void **state)
{
	static const char *const lines[] = {
		"Discard = maybe",   "SectorSize = 1024",
		"SectorSize = 0512", "PersistentGrants = all",
		"Cache = none",	     "Cache = Direct",
		"Trim = yes",	     "Queues = 0",
		"Queues = 17",	     "Queues = all",
	};
	char text[64];

	(void)state;
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		strcpy(text, "[Block]\n");
		strcat(text, lines[i]);
		strcat(text, "\n");
		assert_int_equal(parse(text), 1);
		assert_int_equal(errors.error[0].line, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(all_keys),
		cmocka_unit_test(bad_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
