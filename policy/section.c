/* SPDX-License-Identifier: MIT */
/*
 * The section of a class: policy_parse_section(), and what its values alone need.
 * A file of its own, since the keeper parses no class section and so does not link it.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "policy/text.h"

/* The row of the key that @line names, or -1 and an error. */
static int find_key(const struct policy_section_key *keys, const struct text_line *line,
		    uint64_t seen, struct policy_errors *errors)
{
	char list[160] = "";
	size_t used;
	int i = 0;

	for (; keys[i].key && strcmp(keys[i].key, line->name); i++) {
		used = strlen(list);
		snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "",
			 keys[i].key);
	}
	assert(i < 64);
	if (!keys[i].key)
		text_error(errors, line->number, list, "unknown key \"%.40s\"",
			   line->name);
	else if (seen >> i & 1)
		text_error(errors, line->number, "each key once", "%s is given twice",
			   line->name);
	else
		return i;
	return -1;
}

unsigned policy_parse_section(const char *text, size_t len, const char *section,
			      const struct policy_section_key *keys, void *out,
			      struct policy_errors *errors)
{
	unsigned before = errors->count;
	struct text lines;
	struct text_line line;
	enum text_kind kind;
	uint64_t seen = 0;
	bool inside = false;

	text_init(&lines, text, len);
	while ((kind = text_next(&lines, &line)) != TEXT_END) {
		const char *allowed;
		int i;

		if (kind == TEXT_SECTION)
			inside = !strcmp(line.name, section);
		if (kind != TEXT_KEY || !inside)
			continue;
		i = find_key(keys, &line, seen, errors);
		if (i < 0)
			continue;
		seen |= 1ULL << i;
		allowed = keys[i].set(out, line.value);
		if (allowed)
			text_error_value(errors, &line, allowed);
	}
	for (unsigned i = 0; keys[i].key; i++) {
		if (keys[i].required && !(seen >> i & 1))
			text_error(errors, 0, "Key = value in its section",
				   "the required key %s.%s is missing", section,
				   keys[i].key);
	}
	return errors->count - before;
}

bool policy_value_uint32(const char *value, uint32_t min, uint32_t max, uint32_t *out)
{
	uint64_t number;

	if (!policy_value_number(value, min, max, &number))
		return false;
	*out = (uint32_t)number;
	return true;
}

const char *policy_set_read(void *out, const char *value)
{
	(void)out;
	(void)value;
	return NULL;
}

const char *policy_set_bool(const char *value, bool *out)
{
	return policy_value_bool(value, out) ? NULL : "yes, no";
}

bool policy_value_list(const char *value, bool (*entry)(void *out, const char *text),
		       void *out)
{
	char text[POLICY_ENTRY_MAX + 1];

	for (;;) {
		size_t len = strcspn(value, ", ");

		if (!len || len > POLICY_ENTRY_MAX)
			return false;
		memcpy(text, value, len);
		text[len] = 0;
		if (!entry(out, text))
			return false;
		value += len;
		if (!*value)
			return true;
		value += strspn(value, " ");
		if (*value == ',')
			value += 1 + strspn(value + 1, " ");
	}
}
