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
#include "policy/cmd/load.h"
#include "policy/cmd/value.h"
#include "policy/key.h"
#include "policy/text.h"

static void show_line(unsigned line, const char *name)
{
	char number[16] = "-";

	if (line)
		snprintf(number, sizeof(number), "%u", line);
	printf("%5s  %-20s  ", number, name);
}

static void show_key(const struct policy *policy, enum policy_key key)
{
	char text[VALUE_TEXT];

	show_line(policy->line[key], key_rows[key].name);
	puts(value_text(policy, key, text));
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

static void show_section(const struct loaded *loaded)
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
		show_line(line.number, name);
		printf("%s\n", line.value);
	}
}

/* With whom it shares memory that more than one back end writes. */
static void show_group(const struct loaded *loaded)
{
	const char *link = class_link(&loaded->policy);
	struct snd_policy sound;

	if (link)
		printf("%5s  %-20s  with whoever else names link:%s\n", "-",
		       "(isolation group)", link);
	if (snd_policy_read(&loaded->policy, loaded->text, loaded->len, &sound) &&
	    sound.mixed)
		printf("%5s  %-20s  with whoever else has Sound.Mixed = yes\n", "-",
		       "(isolation group)");
}

int show_main(int argc, char **argv)
{
	static struct loaded loaded;
	struct report report = {0};
	enum policy_key other; /* of the two, the one that does not belong to Mode */

	if (argc != 2) {
		fprintf(stderr, "xdd-policy: show takes one file, such as "
				"/etc/xdd/ivi_disk.policy\n");
		return 2;
	}
	if (!load(argv[1], &loaded, &report))
		return 2;
	other = policy_data_key(&loaded.policy) == POLICY_KEY_DATA_PAGES
			? POLICY_KEY_POOL_PAGES
			: POLICY_KEY_DATA_PAGES;
	printf("%5s  %-20s  %s\n", "LINE", "KEY", "VALUE");
	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		if (key != other)
			show_key(&loaded.policy, key);
	}
	show_section(&loaded);
	show_group(&loaded);
	return 0;
}
