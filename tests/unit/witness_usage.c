/* SPDX-License-Identifier: MIT */
/* The console ring after Xen's debug key 'g': witness-usage.h, on what Xen 4.17
 * printed, and on what is cut, torn, mixed and made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/witness_dump.h"
#include "xenbus/cmd/witness-usage.h"

static struct usage usage;

static const char *parse(const char *text)
{
	/* Memory of its own size: what is read behind it is seen. */
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);
	const char *why;

	assert_non_null(copy);
	memcpy(copy, text, len);
	usage_free(&usage);
	why = usage_parse(copy, len, &usage);
	free(copy);
	if (why)
		assert_true(!usage.table && !usage.row && !usage.tables && !usage.rows);
	return why;
}

static void accepts(const char *text)
{
	const char *why = parse(text);

	if (why)
		fail_msg("%s:\n%s", why, text);
}

static void refuses(const char *text, const char *because)
{
	const char *why = parse(text);

	if (!why || !strstr(why, because))
		fail_msg("\"%s\", not \"%s\":\n%s", why ? why : "accepted", because,
			 text);
}

/* @lines of the dump, but for those from @from to @to, with @with in their place. */
static const char *without(unsigned from, unsigned to, const char *with)
{
	static char text[16384];
	char *at = text;

	for (unsigned i = 0; i < DUMP_LINES; i++) {
		if (i == from)
			at = stpcpy(at, with);
		if (i < from || i >= to)
			at = stpcpy(stpcpy(at, dump_lines[i]), "\n");
	}
	if (from >= DUMP_LINES)
		strcpy(at, with);
	return text;
}

static const char *whole(void)
{
	return without(DUMP_LINES, DUMP_LINES, "");
}

static void test_recorded(void **state)
{
	const struct usage_table *c1;
	const struct usage_row *row;

	(void)state;
	accepts(whole());
	assert_int_equal(usage.tables, 4);
	assert_int_equal(usage.foreign, 0);
	assert_null(usage_of(&usage, (struct domid){7}));
	c1 = usage_of(&usage, (struct domid){2});
	assert_non_null(c1);
	assert_int_equal(c1->version, 1);
	assert_int_equal(c1->frames, 2);
	assert_int_equal(c1->frames_max, 64);
	assert_int_equal(usage_of(&usage, (struct domid){1})->maptrack, 18);
	assert_int_equal(c1->rows, 5);
	row = &usage.row[c1->first + 2];
	assert_int_equal(row->ref.v, 0x2a);
	assert_int_equal(row->user.v, 1);
	assert_int_equal(row->writable, 2);
	assert_int_equal(row->readable, 0);
	assert_int_equal(row[1].writable, 0);
	assert_int_equal(row[1].readable, 2);
	/* more than 0xfff, and a device's pins */
	assert_int_equal(row[2].ref.v, 0x1234);
	assert_int_equal(row[2].writable, 2);
	assert_int_equal(row[2].readable, 3);
	assert_int_equal(usage_of(&usage, (struct domid){0})->rows, 0);
}

/* Whoever presses the key again: the last counts. */
static void test_last(void **state)
{
	char text[32768];

	(void)state;
	strcpy(text, whole());
	strcat(text, without(8, 10, ""));
	refuses(text, "cut in its middle");
	strcpy(text, without(0, 9, ""));
	strcat(text, whole());
	accepts(text);
	assert_int_equal(usage.tables, 4);
	strcpy(text, whole());
	strcat(text, whole());
	accepts(text);
	assert_int_equal(usage.tables, 4);
	strcpy(text, whole());
	refuses(without(12, 12, text), "two dumps");
}

/* However much the ring has lost, and wherever reading ended. */
static void test_truncated(void **state)
{
	const char *text = whole();
	size_t len = strlen(text);
	char part[16384];

	(void)state;
	for (size_t n = 1; n < len; n++) {
		if (!parse(text + n))
			fail_msg("accepted without its first %zu bytes", n);
	}
	for (size_t n = 0; n < len - 1; n++) {
		memcpy(part, text, n);
		part[n] = '\0';
		if (!parse(part))
			fail_msg("accepted with its first %zu of %zu bytes", n, len);
	}
	refuses(without(0, 1, ""), "lost its beginning");
	refuses(without(0, 20, ""), "conring_size");
	refuses(without(DUMP_LINES - 1, DUMP_LINES, ""), "no end");
	refuses("", "no dump");
}

/* A line is missing that is no row: none can be. */
static void test_missing(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DUMP_LINES; i++) {
		if (!strstr(dump_lines[i], "[0x") && !parse(without(i, i + 1, "")))
			fail_msg("accepted without \"%s\"", dump_lines[i]);
	}
	/* nor may a table be without a row, and without the word that there is none */
	refuses(without(10, 12, ""), "cut in its middle");
}

static const char *const strangers[] = {
	"(d3) (XEN) [0x009]      1 0x1bc8f6 0x00000002          1 0x1bc8f6 0x19\n",
	"(XEN) DOM3: (XEN) [0x009]      1 0x1bc8f6 0x00000002          1 0x1bc8f6 "
	"0x19\n",
	"(XEN) d1v0 Unhandled read of MSR\n",
	"(XEN)   indented, and nobody's\n",
	"[   12.345678] br0: port 2(tap_c1) entered forwarding state\n",
	"\n",
	"(XEN)\n",
};

static void test_interleaved(void **state)
{
	(void)state;
	for (unsigned s = 0; s < sizeof(strangers) / sizeof(*strangers); s++) {
		for (unsigned i = 0; i <= DUMP_LINES; i++) {
			/* between these two Xen prints nothing else */
			if (i < DUMP_LINES && strstr(dump_lines[i], "maptrack"))
				continue;
			accepts(without(i, i, strangers[s]));
			assert_int_equal(usage.rows, 9);
			assert_int_equal(usage.tables, 4);
		}
	}
}

/* What another had begun and Xen went on with: made up, or torn, nobody knows. */
static void test_torn(void **state)
{
	char line[256];

	(void)state;
	for (unsigned i = 1; i < DUMP_LINES; i++) {
		snprintf(line, sizeof(line), "[  1.2] half a li%s\n", dump_lines[i]);
		if (!parse(without(i, i + 1, line)))
			fail_msg("accepted: %s", line);
	}
	refuses(without(12, 13,
			"[  1.2] hal(XEN) [0x00b]      1 0x1 0x2      1 0x1 0x19\n"),
		"torn");
}

static const char *const odd_rows[] = {
	"[0x00b]      1 0x1bc8f6 0x00000002          1 0x1bc8f6",
	"[0x00b]      1 0x1bc8f6 0x00000002          1 0x1bc8f6 0x19 ",
	"[0x00b]      1 0x1bc8f6 0x00000002          1 0x1bc8f6 0x19 7",
	"[0x00b]      1 0x1bc8f6 0x00000000          1 0x1bc8f6 0x19",
	"[0x00b]      1 0x1bc8f6 0x100000002          1 0x1bc8f6 0x19",
	"[0x00b]  65536 0x1bc8f6 0x00000002          1 0x1bc8f6 0x19",
	"[0x00b]     -1 0x1bc8f6 0x00000002          1 0x1bc8f6 0x19",
	"[0x100000000]      1 0x1bc8f6 0x00000002          1 0x1bc8f6 0x19",
	"[0x]      1 0x1bc8f6 0x00000002          1 0x1bc8f6 0x19",
	"[0x00B]      1 0x1bc8f6 0x00000002          1 0x1bc8f6 0x19",
	"[0x00b]      1 1bc8f6 0x00000002          1 0x1bc8f6 0x19",
	"[0x00b]      1 0x1bc8f600000000000 0x00000002          1 0x1bc8f6 0x19",
};

static void test_odd(void **state)
{
	char line[256];

	(void)state;
	for (unsigned i = 0; i < sizeof(odd_rows) / sizeof(*odd_rows); i++) {
		snprintf(line, sizeof(line), "(XEN) %s\n", odd_rows[i]);
		refuses(without(25, 26, line), "torn");
	}
	/* a reference, or a domain, that comes again: of another dump */
	snprintf(line, sizeof(line), "%s\n", dump_lines[26]);
	refuses(without(27, 27, line), "two dumps");
	refuses(without(23, 24, "(XEN) grant-table for remote d1 (v1)\n"), "two dumps");
	refuses(without(23, 24, "(XEN) grant-table for remote d3 (v3)\n"), "torn");
	refuses(without(24, 25, "(XEN)   1 frames (64 max), 0 maptrack frames\n"),
		"torn");
}

static void test_timestamps(void **state)
{
	static const char *const stamps[] = {"[2026-03-01 10:00:00] ",
					     "[2026-03-01 10:00:00.123] ",
					     "[   12.345678] ", "[00000012abcdef00] "};
	char text[16384], *at;

	(void)state;
	for (unsigned s = 0; s < sizeof(stamps) / sizeof(*stamps); s++) {
		at = text;
		for (unsigned i = 0; i < DUMP_LINES; i++)
			at += sprintf(at, "(XEN) %s%s\r\n", stamps[s],
				      dump_lines[i] + strlen("(XEN) "));
		accepts(text);
		assert_int_equal(usage.rows, 9);
	}
}

/* Each byte is another: what is accepted is of the form that it should have. */
static void test_bytes(void **state)
{
	static const char others[] = "\0\n 0a]x(-";
	const char *text = whole();
	size_t len = strlen(text);
	char *copy = malloc(len);

	(void)state;
	assert_non_null(copy);
	for (size_t at = 0; at < len; at++) {
		for (unsigned i = 0; i < sizeof(others) - 1; i++) {
			memcpy(copy, text, len);
			copy[at] = others[i];
			usage_free(&usage);
			if (usage_parse(copy, len, &usage))
				continue;
			assert_int_equal(usage.tables, 4);
			assert_in_range(usage.rows, 8, 9);
		}
	}
	free(copy);
}

static int clean(void **state)
{
	(void)state;
	usage_free(&usage);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),    cmocka_unit_test(test_last),
		cmocka_unit_test(test_truncated),   cmocka_unit_test(test_missing),
		cmocka_unit_test(test_interleaved), cmocka_unit_test(test_torn),
		cmocka_unit_test(test_odd),	    cmocka_unit_test(test_timestamps),
		cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, clean);
}
