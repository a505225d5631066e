/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy show: each key with the value that holds and the line that set
 * it ("-": the default), then the class's section as written.
 */
#include "policy/cmd/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backends/snd/snd-policy.h"
#include "policy/class.h"
#include "policy/cmd/load.h"
#include "policy/key.h"
#include "policy/text.h"

/* How a field is written; what has words or is a text needs none of these. */
static void show_bool(const struct policy *policy, const void *field)
{
	(void)policy;
	printf("%s", *(const bool *)field ? "yes" : "no");
}

static void show_number(const struct policy *policy, const void *field)
{
	(void)policy;
	printf("%" PRIu32, *(const uint32_t *)field);
}

static void show_rate(const struct policy *policy, const void *field)
{
	const struct policy_rate *rate = field;

	(void)policy;
	printf("%" PRIu64 "/s burst %" PRIu64, rate->per_second, rate->burst);
}

static void show_domain(const struct policy *policy, const void *field)
{
	(void)field;
	if (policy->any_domain)
		printf("any");
	else
		printf("%u", policy->domain.v);
}

static void show_text(const struct policy *policy, const void *field)
{
	const char *text = field;

	(void)policy;
	printf("%s", text[0] ? text : "(none)");
}

static void show_refs(const struct policy *policy, const void *field)
{
	(void)field;
	printf("%" PRIu32 "-%" PRIu32, policy->first_ref.v, policy->last_ref.v);
}

static void (*const show[POLICY_KEY_COUNT])(const struct policy *, const void *) = {
	[POLICY_KEY_FORMAT] = show_number,     [POLICY_KEY_RESOURCE] = show_text,
	[POLICY_KEY_READ_ONLY] = show_bool,    [POLICY_KEY_DOMAIN] = show_domain,
	[POLICY_KEY_TAG] = show_text,	       [POLICY_KEY_DEVICE] = show_text,
	[POLICY_KEY_EXCLUSIVE] = show_bool,    [POLICY_KEY_RING_PAGES] = show_number,
	[POLICY_KEY_DATA_PAGES] = show_number, [POLICY_KEY_POOL_PAGES] = show_number,
	[POLICY_KEY_GRANT_REFS] = show_refs,   [POLICY_KEY_IN_FLIGHT] = show_number,
	[POLICY_KEY_OPERATIONS] = show_rate,   [POLICY_KEY_BYTES] = show_rate,
	[POLICY_KEY_EVENTS] = show_rate,
};

static void show_line(unsigned line, const char *name)
{
	char number[16] = "-";

	if (line)
		snprintf(number, sizeof(number), "%u", line);
	printf("%5s  %-20s  ", number, name);
}

static void show_key(const struct policy *policy, enum policy_key key)
{
	const struct key_row *row = &key_rows[key];
	const void *field = (const char *)policy + row->offset;

	show_line(policy->line[key], row->name);
	if (row->words)
		printf("%s", row->words[*(const unsigned *)field]);
	else
		show[key](policy, field);
	putchar('\n');
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
