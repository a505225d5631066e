/* SPDX-License-Identifier: MIT */
/*
 * A policy's text with other values for some of its generic keys, and all else as it
 * was: see learn.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cmd/learn.h"
#include "policy/key.h"
#include "policy/text.h"

struct writer {
	FILE *out;
	const struct lessons *lessons;
	bool written[LESSONS];
};

static void write_lesson(struct writer *writer, unsigned i)
{
	const struct lesson *lesson = &writer->lessons->lesson[i];

	fprintf(writer->out, "# learned: %s\n%s = %s\n", lesson->why,
		strchr(key_rows[lesson->key].name, '.') + 1, lesson->value);
	writer->written[i] = true;
}

/* The lesson about key @name of @section, or LESSONS. */
static unsigned find(const struct writer *writer, const char *section, const char *name)
{
	for (unsigned i = 0; i < writer->lessons->n; i++) {
		const struct lesson *lesson = &writer->lessons->lesson[i];

		if (!*lesson->kept && key_is(lesson->key, section, name))
			return i;
	}
	return LESSONS;
}

/* Those that no line set, behind the head of their section: "Memory", of all of them.
 */
static void write_others(struct writer *writer, const struct policy *policy)
{
	for (unsigned i = 0; i < writer->lessons->n; i++) {
		const struct lesson *lesson = &writer->lessons->lesson[i];

		if (!*lesson->kept && !policy->line[lesson->key] && !writer->written[i])
			write_lesson(writer, i);
	}
}

static void write_lines(struct writer *writer, const struct loaded *loaded)
{
	char section[POLICY_LINE_MAX + 1] = "";
	struct text text;
	struct text_line line;
	enum text_kind kind;
	const char *begin;
	unsigned i;

	text_init(&text, loaded->text, loaded->len);
	while (begin = text.at, (kind = text_next(&text, &line)) != TEXT_END) {
		i = kind == TEXT_KEY ? find(writer, section, line.name) : LESSONS;
		if (i < LESSONS) {
			write_lesson(writer, i);
			continue;
		}
		fwrite(begin, 1, (size_t)(text.at - begin), writer->out);
		if (text.at[-1] != '\n')
			fputc('\n', writer->out);
		if (kind != TEXT_SECTION)
			continue;
		snprintf(section, sizeof(section), "%s", line.name);
		if (!strcmp(section, "Memory"))
			write_others(writer, &loaded->policy);
	}
}

char *learn_text(const struct loaded *loaded, const struct lessons *lessons,
		 size_t *len)
{
	struct writer writer = {.lessons = lessons};
	char *text = NULL;
	bool missing = false;

	writer.out = open_memstream(&text, len);
	if (!writer.out)
		abort();
	write_lines(&writer, loaded);
	for (unsigned i = 0; i < lessons->n; i++)
		missing |= !writer.written[i] && !*lessons->lesson[i].kept;
	if (missing) {
		fputs("\n[Memory]\n", writer.out);
		write_others(&writer, &loaded->policy);
	}
	if (fclose(writer.out))
		abort();
	return text;
}
