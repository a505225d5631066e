/* SPDX-License-Identifier: MIT */
/* html(): what is no literal comes out escaped; html_marked(): marks that nest, and
 * those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/cmd/html.h"

static char *said;
static size_t len;

static FILE *begin(void)
{
	FILE *out = open_memstream(&said, &len);

	assert_non_null(out);
	return out;
}

static void ends(FILE *out, const char *expected)
{
	fclose(out);
	assert_string_equal(said, expected);
	free(said);
}

static void escapes(void **state)
{
	FILE *out = begin();

	(void)state;
	html(out, "<a title=\"%s\">%s</a>", "\" onload='x'", "<script>&amp;</script>");
	ends(out, "<a title=\"&quot; onload=&#39;x&#39;\">&lt;script&gt;&amp;amp;&lt;/"
		  "script&gt;</a>");
}

/* Invariant 2: each byte that is not printable ASCII, one by one. */
static void all_bytes(void **state)
{
	(void)state;
	for (unsigned byte = 1; byte < 256; byte++) {
		char text[] = {(char)byte, '\0'};
		FILE *out = begin();

		html(out, "%s", text);
		fclose(out);
		for (const char *c = said; *c; c++) {
			if (*c < ' ' || *c > '~' || strchr("<>\"'", *c))
				fail_msg("byte %u came out as %s", byte, said);
		}
		if (byte == '&')
			assert_string_equal(said, "&amp;");
		free(said);
	}
}

static void numbers(void **state)
{
	FILE *out = begin();

	(void)state;
	html(out, "%u %d %ju 100%%", 4294967295u, -5, UINTMAX_MAX);
	ends(out, "4294967295 -5 18446744073709551615 100%");
}

static void marks(void **state)
{
	static const struct {
		const char *text, *html;
	} rows[] = {
		{"a `b<c` **d** *e*",
		 "a <code>b&lt;c</code> <strong>d</strong> <em>e</em>"},
		{"see [the page](x.md), [1]", "see the page, [1]"},
		{"`a * b ** c`", "<code>a * b ** c</code>"},
		{"2 * 3, `open", "2 * 3, `open"},
		{"**a `b** c` d", "<strong>a <code>b** c</code> d</strong>"},
		{"*a **b* c**", "<em>a <strong>b* c</strong></em>"},
		{"</td>", "&lt;/td&gt;"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		FILE *out = begin();

		html_marked(out, rows[i].text);
		ends(out, rows[i].html);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(all_bytes),
		cmocka_unit_test(numbers),
		cmocka_unit_test(marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
