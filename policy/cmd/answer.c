/* SPDX-License-Identifier: MIT */
/* The object that --json prints: see answer.h. */
#include "policy/cmd/answer.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *answer_text(const char *text)
{
	static const char hex[] = "0123456789abcdef";
	char *plain = malloc(4 * strlen(text) + 1), *at = plain;
	json_t *value;

	if (!plain)
		abort();
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= ' ' && c <= '~') {
			*at++ = *text;
			continue;
		}
		*at++ = '\\';
		*at++ = 'x';
		*at++ = hex[c >> 4];
		*at++ = hex[c & 15];
	}
	*at = '\0';
	value = json_string(plain);
	free(plain);
	return value;
}

json_t *answer_line(unsigned line)
{
	return line ? json_integer(line) : json_null();
}

static void take(struct report *report, const char *path, unsigned line,
		 const char *severity, const char *text)
{
	struct answer *answer =
		(struct answer *)((char *)report - offsetof(struct answer, report));

	json_array_append_new(answer->findings,
			      json_pack("{s:s, s:o, s:o, s:o}", "severity", severity,
					"file", path ? answer_text(path) : json_null(),
					"line", answer_line(line), "text",
					answer_text(text)));
}

void answer_begin(struct answer *answer, int *argc, char **argv)
{
	int n = 0;

	*answer = (struct answer){.command = argv[0]};
	for (int i = 0; i < *argc; i++) {
		if (!i || strcmp(argv[i], "--json"))
			argv[n++] = argv[i];
		else if (!answer->findings)
			answer->findings = json_array();
	}
	argv[n] = NULL;
	*argc = n;
	if (answer->findings)
		answer->report.take = take;
}

bool answer_json(const struct answer *answer)
{
	return answer->findings;
}

int answer_end(struct answer *answer, int status, json_t *result)
{
	json_t *object;

	if (!answer->findings) {
		json_decref(result);
		return status;
	}
	object = json_pack("{s:s, s:i, s:o, s:o}", "command", answer->command, "status",
			   status, "findings", answer->findings, "result",
			   result ? result : json_null());
	answer->findings = NULL;
	json_dumpf(object, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(object);
	return status;
}
