/* SPDX-License-Identifier: MIT */
/* policy/section.c and the readers of values that a class's table uses. */
#include "tests/unit/policy_fixture.h"

static void numbers_and_bools(void **state)
{
	uint64_t number = 77;
	bool yes = true;

	(void)state;
	assert_false(policy_value_number("", 0, 9, &number));
	assert_false(policy_value_number("10", 0, 9, &number));
	assert_false(policy_value_number("1", 2, 9, &number));
	assert_false(policy_value_number("1x", 0, 9, &number));
	assert_false(
		policy_value_number("18446744073709551616", 0, UINT64_MAX, &number));
	assert_int_equal(number, 77);
	assert_true(
		policy_value_number("18446744073709551615", 0, UINT64_MAX, &number));
	assert_true(number == UINT64_MAX);
	assert_true(policy_value_number("2", 2, 2, &number));
	assert_int_equal(number, 2);
	assert_false(policy_value_bool("Yes", &yes));
	assert_true(yes);
	assert_true(policy_value_bool("no", &yes));
	assert_false(yes);
	assert_true(policy_value_bool("yes", &yes));
	assert_true(yes);
}

/* Entries joined by bars; "stop" is not one. */
static bool join(void *out, const char *entry)
{
	strcat(out, entry);
	strcat(out, "|");
	return strcmp(entry, "stop") != 0;
}

static void lists(void **state)
{
	static const struct {
		const char *value, *entries;
		bool good;
	} rows[] = {
		{"a", "a|", true},
		{"a,b", "a|b|", true},
		{"a b", "a|b|", true},
		{"a , b  c", "a|b|c|", true},
		{"a,stop,b", "a|stop|", false},
		{"", "", false},
		{" a", "", false},
		{",a", "", false},
		{"a ", "a|", false},
		{"a,", "a|", false},
		{"a,,b", "a|", false},
		{"a, ,b", "a|", false},
	};
	char value[POLICY_ENTRY_MAX + 2], out[2 * POLICY_ENTRY_MAX];

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*out = 0;
		assert_int_equal(policy_value_list(rows[i].value, join, out),
				 rows[i].good);
		assert_string_equal(out, rows[i].entries);
	}
	memset(value, 'x', sizeof(value));
	value[POLICY_ENTRY_MAX + 1] = 0;
	*out = 0;
	assert_false(policy_value_list(value, join, out));
	assert_string_equal(out, "");
	value[POLICY_ENTRY_MAX] = 0;
	assert_true(policy_value_list(value, join, out));
}

static const struct {
	const char *value;
	uint64_t per_second, burst; /* 0: refused */
} rate_cases[] = {
	{"1/s", 1, 1},
	{"9/s", 9, 1},
	{"10/s", 10, 1},
	{"19/s", 19, 1},
	{"20/s", 20, 2},
	{"50000/s burst 1000", 50000, 1000},
	{"1k/s burst 1", 1000, 1},
	{"200M/s burst 4M", 200000000, 4000000},
	{"2G/s burst 3k", 2000000000, 3000},
	{"18446744073709551615/s", UINT64_MAX, UINT64_MAX / 10},
	{"18446744073709551615/s burst 18446744073709551615", UINT64_MAX, UINT64_MAX},
	{"18446744073G/s", 18446744073000000000u, 1844674407300000000u},
	{"18446744074G/s", 0, 0},
	{"18446744073709551616/s", 0, 0},
	{"18446744073709551615k/s", 0, 0},
	{"0/s", 0, 0},
	{"0k/s", 0, 0},
	{"1/s burst 0", 0, 0},
	{"1/s burst", 0, 0},
	{"1/s burst ", 0, 0},
	{"1/s  burst 1", 0, 0},
	{"1/s burst  1", 0, 0},
	{"1/s burst 1x", 0, 0},
	{"1/s burst 1/s", 0, 0},
	{"1/sburst 1", 0, 0},
	{"1/sec", 0, 0},
	{"1 /s", 0, 0},
	{"/s", 0, 0},
	{"k/s", 0, 0},
	{"", 0, 0},
	{"1", 0, 0},
	{"1K/s", 0, 0},
	{"1m/s", 0, 0},
	{"1T/s", 0, 0},
	{"1kM/s", 0, 0},
	{"1e3/s", 0, 0},
	{"-1/s", 0, 0},
};

static void rates(void **state)
{
	(void)state;
	for (unsigned i = 0; i < COUNT(rate_cases); i++) {
		struct policy_rate rate = {7, 7};
		bool ok = policy_value_rate(rate_cases[i].value, &rate);

		if (ok != !!rate_cases[i].per_second)
			fail_msg("\"%s\" was %s", rate_cases[i].value,
				 ok ? "accepted" : "refused");
		assert_true(rate.per_second == (ok ? rate_cases[i].per_second : 7));
		assert_true(rate.burst == (ok ? rate_cases[i].burst : 7));
	}
}

struct block {
	bool discard;
	uint64_t depth;
};

static const char *set_discard(void *out, const char *value)
{
	return policy_value_bool(value, &((struct block *)out)->discard) ? NULL
									 : "yes, no";
}

static const char *set_depth(void *out, const char *value)
{
	return policy_value_number(value, 1, 8, &((struct block *)out)->depth) ? NULL
									       : "1-8";
}

static const struct policy_section_key block_keys[] = {
	{"Discard", false, set_discard},
	{"Depth", false, set_depth},
	{NULL, false, NULL},
};

static const struct policy_section_key required_keys[] = {
	{"Discard", false, set_discard},
	{"Depth", true, set_depth},
	{NULL, false, NULL},
};

static unsigned section(const char *lines, const struct policy_section_key *keys,
			struct block *block)
{
	int len = sprintf(text, "%s%s", minimal, lines);

	assert_int_equal(parse(text, (size_t)len), 0);
	return policy_parse_section(text, (size_t)len, "Block", keys, block, &errors);
}

static void sections(void **state)
{
	struct block block = {0};

	(void)state;
	assert_int_equal(
		section("[Block]\nDiscard = yes\nDepth = 8\n", block_keys, &block), 0);
	assert_true(block.discard);
	assert_int_equal(block.depth, 8);
	assert_int_equal(section("", block_keys, &block), 0);
	assert_int_equal(section("[Block]\n# nothing\n", block_keys, &block), 0);
	/* Keys of the sections around it are none of its own. */
	assert_int_equal(section("[Block]\nDepth = 3\n[Audit]\nLevel = changes\n",
				 block_keys, &block),
			 0);
	assert_int_equal(block.depth, 3);

	assert_int_equal(section("[Block]\nDepth = 9\n", block_keys, &block), 1);
	expect(0, 14, "\"9\" is not a value of Depth", "1-8");
	assert_int_equal(block.depth, 3);
	assert_int_equal(
		section("[Block]\nDept = 9\nDiscard = x\n", block_keys, &block), 2);
	expect(0, 14, "unknown key \"Dept\"", "Discard, Depth");
	expect(1, 15, "\"x\" is not a value of Discard", "yes, no");
	assert_int_equal(section("[Block]\nDepth = 1\nDepth = 2\n", block_keys, &block),
			 1);
	expect(0, 15, "Depth is given twice", "once");
}

static void required_in_section(void **state)
{
	struct block block = {0};

	(void)state;
	assert_int_equal(section("[Block]\nDepth = 1\n", required_keys, &block), 0);
	assert_int_equal(section("[Block]\nDiscard = no\n", required_keys, &block), 1);
	expect(0, 0, "the required key Block.Depth is missing", "Key = value");
	assert_int_equal(section("", required_keys, &block), 1);
	/* It adds to what is there, and counts what it added. */
	assert_int_equal(
		policy_parse_section(text, 0, "Block", required_keys, &block, &errors),
		1);
	assert_int_equal(errors.count, 2);
}

static void names_of_keys(void **state)
{
	(void)state;
	assert_string_equal(policy_key_name(POLICY_KEY_FORMAT), "Format");
	assert_string_equal(policy_key_name(POLICY_KEY_DATA_PAGES), "Memory.DataPages");
	assert_string_equal(policy_key_name(POLICY_KEY_AUDIT_FULL), "Audit.Full");
	for (unsigned i = 0; i <= POLICY_CAN; i++) {
		char line[32];

		/* The word that is read is the word that is shown. */
		sprintf(line, "Class=%s", class_info(i, POLICY_PV)->name);
		sprintf(text,
			"Format=1\n[Backend]\n%s\nResource=x\n[Client]\nDomain="
			"1\nDevice=0\n"
			"[Limits]\nInFlight=1\nOperations=1/s\nBytes=1/s\nEvents=1/"
			"s\n[%s]\n",
			line, class_info(i, POLICY_PV)->section);
		assert_int_equal(parse(text, strlen(text)), 0);
		assert_int_equal(policy.class, i);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_bools),
		cmocka_unit_test(lists),
		cmocka_unit_test(rates),
		cmocka_unit_test(sections),
		cmocka_unit_test(required_in_section),
		cmocka_unit_test(names_of_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
