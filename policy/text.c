/* SPDX-License-Identifier: MIT */
/* The lines of a policy text: see text.h. */
#include "policy/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_FORM                                                                      \
	"\"Key = value\", \"[Section]\", \"# comment\" or nothing, from column one"

void text_init(struct text *text, const char *bytes, size_t len)
{
	*text = (struct text){.at = bytes, .end = len ? bytes + len : bytes};
}

static enum text_kind bad(struct text_line *line, const char *what, const char *allowed)
{
	line->name = what;
	line->value = allowed;
	return TEXT_BAD;
}

static bool printable(const char *bytes, size_t len)
{
	bool comment = len && bytes[0] == '#';

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c < ' ' || c == 0x7f || (c > 0x7f && !comment))
			return false;
	}
	return true;
}

static void trim(char *bytes)
{
	size_t len = strlen(bytes);

	while (len && bytes[len - 1] == ' ')
		bytes[--len] = '\0';
}

/* What lacks its closing bracket keeps the other one: no section is so named. */
static enum text_kind read_section(struct text_line *line)
{
	char *last = line->bytes + strlen(line->bytes) - 1;

	line->name = line->bytes;
	if (*last == ']') {
		*last = '\0';
		line->name++;
	}
	return TEXT_SECTION;
}

static enum text_kind read_key(struct text_line *line)
{
	char *equals = strchr(line->bytes, '=');

	if (!equals || equals == line->bytes || line->bytes[0] == ' ')
		return bad(line, "a line of no known form", LINE_FORM);
	line->value = equals + 1 + strspn(equals + 1, " ");
	if (!line->value[0])
		return bad(line, "a key without a value",
			   "Key = value, or no such line");
	*equals = '\0';
	trim(line->bytes);
	line->name = line->bytes;
	return TEXT_KEY;
}

/* [impl->req~policy-refused-by-line~1] */
enum text_kind text_next(struct text *text, struct text_line *line)
{
	const char *start = text->at, *newline;
	size_t len;

	if (start == text->end)
		return TEXT_END;
	newline = memchr(start, '\n', (size_t)(text->end - start));
	len = (size_t)((newline ? newline : text->end) - start);
	text->at = newline ? newline + 1 : text->end;
	line->number = ++text->number;

	if (len > POLICY_LINE_MAX)
		return bad(line, "a line that is too long", "1023 bytes");
	if (!printable(start, len))
		return bad(line, "a byte that does not belong in a policy",
			   "printable ASCII without tabs and DOS line ends; UTF-8 in "
			   "comments");
	memcpy(line->bytes, start, len);
	line->bytes[len] = '\0';
	trim(line->bytes);
	if (!line->bytes[0] || line->bytes[0] == '#')
		return TEXT_BLANK;
	return line->bytes[0] == '[' ? read_section(line) : read_key(line);
}

void text_error(struct policy_errors *errors, unsigned line, const char *allowed,
		const char *fmt, ...)
{
	unsigned at = errors->count++;
	struct policy_error *error;
	va_list args;

	if (at >= POLICY_ERRORS_MAX)
		return;
	error = &errors->error[at];
	error->line = line;
	snprintf(error->allowed, sizeof(error->allowed), "%s", allowed);
	va_start(args, fmt);
	vsnprintf(error->what, sizeof(error->what), fmt, args);
	va_end(args);
}

void text_error_value(struct policy_errors *errors, const struct text_line *line,
		      const char *allowed)
{
	bool comment = strchr(line->value, '#');

	text_error(errors, line->number, allowed, "\"%.40s\" is not a value of %s%s",
		   line->value, line->name,
		   comment ? " (a comment needs a line of its own)" : "");
}
