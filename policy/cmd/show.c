/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy show: each key with the value that holds and the line that set
 * it ("-": the default), then the class's section as written.
 */
#include "policy/cmd/show.h"

#include <stdio.h>
#include <string.h>

#include "backends/snd/snd-policy.h"
#include "policy/class.h"
#include "policy/cmd/answer.h"
#include "policy/cmd/load.h"
#include "policy/cmd/value.h"
#include "policy/key.h"
#include "policy/text.h"

/* Where the rows go: to standard output, or to the object of an answer. */
struct rows {
	void (*each)(struct rows *rows, unsigned line, const char *name,
		     const char *value);
	json_t *keys;
};

static void print_row(struct rows *rows, unsigned line, const char *name,
		      const char *value)
{
	char number[16] = "-";

	(void)rows;
	if (line)
		snprintf(number, sizeof(number), "%u", line);
	printf("%5s  %-20s  %s\n", number, name, value);
}

static void add_row(struct rows *rows, unsigned line, const char *name,
		    const char *value)
{
	json_array_append_new(rows->keys,
			      json_pack("{s:o, s:o, s:o}", "line", answer_line(line),
					"key", answer_text(name), "value",
					answer_text(value)));
}

static void show_key(struct rows *rows, const struct policy *policy,
		     enum policy_key key)
{
	char text[VALUE_TEXT];

	rows->each(rows, policy->line[key], key_rows[key].name,
		   value_text(policy, key, text));
}

/* The head and the generic sections alone have rows; all others are the class's. */
static bool is_generic(const char *section)
{
	if (!section[0])
		return true;
	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		const char *name = key_rows[key].name, *dot = strchr(name, '.');

		if (dot && strlen(section) == (size_t)(dot - name) &&
		    !strncmp(name, section, strlen(section)))
			return true;
	}
	return false;
}

static void show_section(struct rows *rows, const struct loaded *loaded)
{
	struct text text;
	struct text_line line;
	enum text_kind kind;
	char section[32] = "", name[64];

	text_init(&text, loaded->text, loaded->len);
	while ((kind = text_next(&text, &line)) != TEXT_END) {
		if (kind == TEXT_SECTION)
			snprintf(section, sizeof(section), "%s", line.name);
		if (kind != TEXT_KEY || is_generic(section))
			continue;
		snprintf(name, sizeof(name), "%s.%s", section, line.name);
		rows->each(rows, line.number, name, line.value);
	}
}

/* With whom it shares memory that more than one back end writes: others of this kind,
 * and name. */
static bool in_group(const struct loaded *loaded, const char **kind, const char **name)
{
	struct snd_policy sound;

	*kind = "link";
	*name = class_link(&loaded->policy);
	if (*name)
		return true;
	*kind = "mixed";
	*name = loaded->policy.resource;
	return snd_policy_read(&loaded->policy, loaded->text, loaded->len, &sound) &&
	       sound.mixed;
}

static void show_keys(struct rows *rows, const struct loaded *loaded)
{
	/* Of the two, the one that does not belong to Mode. */
	const enum policy_key other =
		policy_data_key(&loaded->policy) == POLICY_KEY_DATA_PAGES
			? POLICY_KEY_POOL_PAGES
			: POLICY_KEY_DATA_PAGES;

	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		if (key != other)
			show_key(rows, &loaded->policy, key);
	}
	show_section(rows, loaded);
}

static void print(const struct loaded *loaded)
{
	struct rows rows = {.each = print_row};
	const char *kind, *name;
	char with[POLICY_RESOURCE_MAX + 64];

	printf("%5s  %-20s  %s\n", "LINE", "KEY", "VALUE");
	show_keys(&rows, loaded);
	if (!in_group(loaded, &kind, &name))
		return;
	snprintf(with, sizeof(with), "with whoever else %s%s",
		 strcmp(kind, "link") ? "has Sound.Mixed = yes" : "names link:",
		 strcmp(kind, "link") ? "" : name);
	print_row(&rows, 0, "(isolation group)", with);
}

static json_t *result_of(const struct loaded *loaded)
{
	struct rows rows = {.each = add_row, .keys = json_array()};
	const char *kind, *name;
	json_t *group = in_group(loaded, &kind, &name)
				? json_pack("{s:s, s:o}", "kind", kind, "name",
					    answer_text(name))
				: json_null();

	show_keys(&rows, loaded);
	return json_pack("{s:s, s:o, s:o, s:o}", "instance", loaded->policy.name,
			 "file", answer_text(loaded->path), "keys", rows.keys, "group",
			 group);
}

int show_main(int argc, char **argv)
{
	static struct loaded loaded;
	struct answer answer;

	answer_begin(&answer, &argc, argv);
	if (argc != 2)
		report_usage(&answer.report,
			     "show takes one file, such as /etc/xdd/ivi_disk.policy");
	if (argc != 2 || !load(argv[1], &loaded, &answer.report))
		return answer_end(&answer, 2, NULL);
	if (answer_json(&answer))
		return answer_end(&answer, 0, result_of(&loaded));
	print(&loaded);
	return 0;
}
