/* SPDX-License-Identifier: MIT */
/* What a log says, on a terminal: see audit-print.h. */
#include "grant-mem/cmd/audit-print.h"

#include <stdlib.h>

static int is_plain(char c)
{
	return c >= ' ' && c <= '~';
}

int print_text_to(FILE *out, const char *text)
{
	int columns = 0;

	for (; *text; text++) {
		if (is_plain(*text)) {
			fputc(*text, out);
			columns++;
		} else {
			columns += fprintf(out, "\\x%02x", (unsigned char)*text);
		}
	}
	return columns;
}

int print_text(const char *text)
{
	return print_text_to(stdout, text);
}

void print_column(const char *text, int width)
{
	int columns = print_text(text);

	printf("%*s", columns < width ? width - columns : 0, "");
}

void print_time(const char *time)
{
	for (; *time && *time != 'Z'; time++)
		putchar(*time == 'T' || !is_plain(*time) ? ' ' : *time);
}

void print_json(const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);

	/* What is left of what is not plain is DEL, in a string. */
	for (const char *c = text; c && *c; c++) {
		if (is_plain(*c))
			putchar(*c);
		else
			printf("\\u%04x", (unsigned char)*c);
	}
	putchar('\n');
	free(text);
}
