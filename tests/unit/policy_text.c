/* SPDX-License-Identifier: MIT */
/* policy/text.c through policy_parse(): sizes, ends and odd bytes of a text. */
#include "tests/unit/policy_fixture.h"

static void more_errors_than_fit(void **state)
{
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		len += (size_t)sprintf(text + len, "x%u\n", i);
	assert_int_equal(parse(text, len), 109); /* and the 9 required keys */
	assert_int_equal(errors.error[POLICY_ERRORS_MAX - 1].line, POLICY_ERRORS_MAX);
}

/* [utest->req~policy-refused-by-line~1] */
static void line_length(void **state)
{
	size_t len;

	(void)state;
	memset(text, '#', POLICY_LINE_MAX);
	len = POLICY_LINE_MAX +
	      (size_t)sprintf(text + POLICY_LINE_MAX, "\n%s", minimal);
	assert_int_equal(parse(text, len), 0);
	memset(text, '#', POLICY_LINE_MAX + 1);
	len = POLICY_LINE_MAX + 1 +
	      (size_t)sprintf(text + POLICY_LINE_MAX + 1, "\n%s", minimal);
	assert_int_equal(parse(text, len), 1);
	expect(0, 1, "too long", "1023");
	/* A long line is no key and no continuation: what follows still counts. */
	len = (size_t)sprintf(text, "%s", minimal);
	memset(text + len, 'x', 2000);
	len += 2000;
	assert_int_equal(parse(text, len), 1);
	expect(0, 13, "too long", "1023");
}

static void text_length(void **state)
{
	size_t len = sizeof(minimal) - 1;

	(void)state;
	memset(text, '\n', sizeof(text));
	memcpy(text + POLICY_TEXT_MAX - len, minimal, len);
	assert_int_equal(parse(text, POLICY_TEXT_MAX), 0);
	/* The line number of a key near the end is whole. */
	assert_int_equal(policy.line[POLICY_KEY_EVENTS], POLICY_TEXT_MAX - len + 12);
	assert_int_equal(parse(text, POLICY_TEXT_MAX + 1), 1);
	expect(0, 0, "too long", "65536");
}

static void a_nul_byte(void **state)
{
	char bytes[] = MINIMAL;

	(void)state;
	*strchr(strstr(bytes, "null"), ':') = '\0';
	assert_int_equal(parse(bytes, sizeof(bytes) - 1), 2);
	expect(0, 4, "a byte that does not belong", "printable");
	expect(1, 0, "Backend.Resource is missing", "");
}

static void no_final_newline(void **state)
{
	(void)state;
	assert_int_equal(parse(minimal, sizeof(minimal) - 2), 0);
	assert_int_equal(policy.events.per_second, 99);
	/* Nothing past the end is read: the value ends where the text does. */
	assert_int_equal(parse(minimal, sizeof(minimal) - 4), 1);
	expect(0, 12, "\"99\" is not a value of Events", "RATE/s");
}

static void empty_text(void **state)
{
	(void)state;
	assert_int_equal(parse("", 0), 9);
	assert_int_equal(parse(NULL, 0), 9);
	expect(0, 0, "Format is missing", "1");
}

static void names(void **state)
{
	(void)state;
	assert_true(policy_name_ok("a"));
	assert_true(policy_name_ok("ivi_disk0"));
	assert_true(policy_name_ok("abcdefghijklmnopqrstuvwxyz01234"));
	assert_false(policy_name_ok("abcdefghijklmnopqrstuvwxyz012345"));
	assert_false(policy_name_ok(""));
	assert_false(policy_name_ok("ivi-disk"));
	assert_false(policy_name_ok("Ivi"));
	assert_false(policy_name_ok("ivi/../x"));
	assert_false(policy_name_ok("ivi.disk"));
	assert_int_equal(policy_parse("ivi-disk", minimal, sizeof(minimal) - 1, &policy,
				      &errors),
			 1);
	expect(0, 0, "\"ivi-disk\" is no name", "a-z, 0-9 and _");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_errors_than_fit),
		cmocka_unit_test(line_length),
		cmocka_unit_test(text_length),
		cmocka_unit_test(a_nul_byte),
		cmocka_unit_test(no_final_newline),
		cmocka_unit_test(empty_text),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
