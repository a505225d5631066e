/* SPDX-License-Identifier: MIT */
/* NAME.attach: see conf.h. The section's keys are policy/'s to read, by the table
 * below; the rest of the file is checked here. */
#include "xenbus/cmd/conf.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "policy/text.h"

#define SECTION "Attach"

static const char *set_domain(char out[CONF_DOMAIN_MAX + 1], const char *value)
{
	if (strlen(value) > CONF_DOMAIN_MAX || strpbrk(value, " /"))
		return "a domain's name or number, 1 to 63 characters without a space";
	strcpy(out, value);
	return NULL;
}

static const char *set_backend(void *out, const char *value)
{
	return set_domain(((struct conf *)out)->backend, value);
}

static const char *set_client(void *out, const char *value)
{
	return set_domain(((struct conf *)out)->client, value);
}

static const char *set_policy(void *out, const char *value)
{
	struct conf *conf = out;

	if (value[0] != '/')
		return "an absolute path";
	snprintf(conf->policy, sizeof(conf->policy), "%s", value);
	return NULL;
}

static const struct policy_section_key keys[] = {
	{"Backend", true, set_backend},
	{"Client", true, set_client},
	{"Policy", false, set_policy},
	{NULL, false, NULL},
};

struct frame {
	unsigned section; /* its line; 0: still the head */
	unsigned format;
	bool inside; /* [Attach], whose keys are not read here */
};

static void read_section(struct frame *frame, const struct text_line *line,
			 struct policy_errors *errors)
{
	bool known = !strcmp(line->name, SECTION);

	if (!known)
		text_error(errors, line->number, SECTION, "unknown section \"%.40s\"",
			   line->name);
	else if (frame->section)
		text_error(errors, line->number, "each section once",
			   "[%s] is given twice, first in line %u", line->name,
			   frame->section);
	frame->section = frame->section ? frame->section : line->number;
	frame->inside = known;
}

static void read_head(struct frame *frame, const struct text_line *line,
		      struct policy_errors *errors)
{
	if (frame->section)
		return; /* of an unknown section: that has been said */
	if (strcmp(line->name, "Format"))
		text_error(errors, line->number, "Format", "unknown key \"%.40s\"",
			   line->name);
	else if (frame->format)
		text_error(errors, line->number, "each key once",
			   "Format is given twice, first in line %u", frame->format);
	else if (strcmp(line->value, "1"))
		text_error_value(errors, line, "1");
	if (!strcmp(line->name, "Format"))
		frame->format = line->number;
}

unsigned conf_parse(const char *text, size_t len, struct conf *out,
		    struct policy_errors *errors)
{
	struct conf conf = {.policy = ""};
	struct frame frame = {0};
	struct text lines;
	struct text_line line;
	enum text_kind kind;

	errors->count = 0;
	if (len > POLICY_TEXT_MAX) {
		text_error(errors, 0, "65536 bytes", "the file is too long");
		return errors->count;
	}
	text_init(&lines, text, len);
	while ((kind = text_next(&lines, &line)) != TEXT_END) {
		if (kind == TEXT_BAD)
			text_error(errors, line.number, line.value, "%s", line.name);
		else if (kind == TEXT_SECTION)
			read_section(&frame, &line, errors);
		else if (kind == TEXT_KEY && !frame.inside)
			read_head(&frame, &line, errors);
	}
	if (!frame.format)
		text_error(errors, 0, "1", "the required key Format is missing");
	policy_parse_section(text, len, SECTION, keys, &conf, errors);
	if (!errors->count)
		*out = conf;
	return errors->count;
}
