/* SPDX-License-Identifier: MIT */
/* HTML, written to a stream: see html.h. */
#include "policy/cmd/html.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

static void put_char(FILE *out, char c)
{
	static const char special[] = "&<>\"'";
	static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;",
					       "&#39;"};
	const char *at = c ? strchr(special, c) : NULL;

	if (at)
		fputs(entities[at - special], out);
	else if (c >= ' ' && c <= '~')
		putc(c, out);
	else
		fprintf(out, "\\x%02x", (unsigned char)c);
}

static void put_text(FILE *out, const char *text)
{
	for (; *text; text++)
		put_char(out, *text);
}

void html(FILE *out, const char *form, ...)
{
	va_list args;

	va_start(args, form);
	for (; *form; form++) {
		if (*form != '%') {
			putc(*form, out);
			continue;
		}
		switch (*++form) {
		case 's':
			put_text(out, va_arg(args, const char *));
			break;
		case 'u':
			fprintf(out, "%u", va_arg(args, unsigned));
			break;
		case 'd':
			fprintf(out, "%d", va_arg(args, int));
			break;
		case 'j':
			fprintf(out, "%" PRIuMAX, va_arg(args, uintmax_t));
			form++;
			break;
		default:
			assert(*form == '%');
			putc('%', out);
		}
	}
	va_end(args);
}

/* What stands between two signs of a kind. */
static const struct mark {
	const char *sign, *begin, *end;
} marks[] = {
	{"`", "<code>", "</code>"},
	{"**", "<strong>", "</strong>"},
	{"*", "<em>", "</em>"},
};
#define MARKS (sizeof(marks) / sizeof(*marks))

/* The sign that @text begins with, or MARKS. In code there is no other. */
static size_t sign_at(const char *text, const bool open[MARKS])
{
	for (size_t i = 0; i < MARKS; i++) {
		if ((!i || !open[0]) &&
		    !strncmp(text, marks[i].sign, strlen(marks[i].sign)) &&
		    (open[i] || strstr(text + strlen(marks[i].sign), marks[i].sign)))
			return i;
	}
	return MARKS;
}

/* Of "](y)": what is behind it, or NULL: it is none. */
static const char *link_end(const char *text)
{
	const char *end = text[0] == ']' && text[1] == '(' ? strchr(text, ')') : NULL;

	return end ? end + 1 : NULL;
}

void html_marked(FILE *out, const char *text)
{
	bool open[MARKS] = {false};
	unsigned nested = 0;
	size_t order[MARKS];

	while (*text) {
		size_t i = sign_at(text, open);
		const char *end = open[0] ? NULL : link_end(text);

		/* Only what was begun last can end: elements do not overlap. */
		if (i < MARKS && (!open[i] || order[nested - 1] == i)) {
			fputs(open[i] ? marks[i].end : marks[i].begin, out);
			if (open[i])
				nested--;
			else
				order[nested++] = i;
			open[i] = !open[i];
			text += strlen(marks[i].sign);
		} else if (end) {
			text = end;
		} else if (!open[0] && *text == '[' && strstr(text, "](")) {
			text++;
		} else {
			put_char(out, *text++);
		}
	}
	while (nested)
		fputs(marks[order[--nested]].end, out);
}
