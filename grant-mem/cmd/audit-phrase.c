/* SPDX-License-Identifier: MIT */
/* What a line of an audit log says, as a person would: see audit-phrase.h. */
#include "grant-mem/cmd/audit-phrase.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "grant-mem/cmd/audit-print.h"

#define DIGEST 12 /* hex digits of a hash that are shown */

#define STATES                                                                         \
	"unknown|Initialising|InitWait|Initialised|Connected|Closing|Closed|"          \
	"Reconfiguring|Reconfigured"

/* {name}: a member. {name:A|B|...}: one of these words, by its number. {name#}: the
 * beginning of a hash. */
static const struct phrase {
	const char *event, *member, *form;
} phrases[] = {
	{"start", "isolation",
	 "{instance}, class {class}, no keeper (Isolation = {isolation}): policy "
	 "{policy#}, "
	 "program {program#}, boot {boot}"},
	{"start", "instance",
	 "{instance}, class {class}: policy {policy#}, keeper {keeper#}, program "
	 "{program#}, boot {boot}"},
	{"xenstore", "domid", "this is domain {domid}"},
	{"state", "back",
	 "{present:no device|device}, {online:to go|to stay}, back end {back:" STATES
	 "}, front end {front:" STATES "}"},
	{"map", "refs",
	 "{pages} pages, {purpose}, {writable:read-only|writable}: {refs} (id {id}, "
	 "policy line {line})"},
	{"unmap", "id", "id {id}"},
	{"copies", "bytes", "{segments} segments, {bytes} bytes"},
	{"counted", "lines", "{lines} more lines in one second: counted, not written"},
	{"stop", "connected",
	 "{connected:no back end is connected|a back end is connected}"},
};

static void print_member(const struct entry *entry, const char *name, int digits)
{
	json_t *value = json_object_get(entry->object, name);
	const char *text = json_string_value(value);

	if (json_is_integer(value))
		printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (!text || !*text)
		putchar('?');
	else if (digits && entry_is_hash(text))
		printf("%.*s", digits, text);
	else
		print_text(text);
}

/* The @n-th of "A|B|...", which ends at @end. */
static void print_choice(const char *words, const char *end, uint64_t n)
{
	const char *bar;

	for (; n; n--) {
		bar = memchr(words, '|', (size_t)(end - words));
		if (!bar) {
			putchar('?');
			return;
		}
		words = bar + 1;
	}
	bar = memchr(words, '|', (size_t)(end - words));
	printf("%.*s", (int)((bar ? bar : end) - words), words);
}

/* @form: behind a brace. Returns what is behind the brace that ends it. */
static const char *print_field(const struct entry *entry, const char *form)
{
	const char *end = strchr(form, '}');
	size_t len = strcspn(form, ":#}");
	char name[16];

	snprintf(name, sizeof(name), "%.*s", (int)len, form);
	if (form[len] == ':')
		print_choice(form + len + 1, end, entry_number(entry, name));
	else
		print_member(entry, name, form[len] == '#' ? DIGEST : 0);
	return end + 1;
}

static void print_form(const struct entry *entry, const char *form)
{
	while (*form) {
		if (*form == '{')
			form = print_field(entry, form + 1);
		else
			putchar(*form++);
	}
}

static int is_common(const char *name)
{
	static const char *const names[] = {"seq", "time", "prev", "event", "lost"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(name, names[i]))
			return 1;
	}
	return 0;
}

static void print_members(const struct entry *entry)
{
	const char *name, *space = "";
	json_t *value;

	json_object_foreach(entry->object, name, value)
	{
		if (is_common(name))
			continue;
		fputs(space, stdout);
		space = " ";
		if (strcmp(name, "text")) {
			print_text(name);
			putchar('=');
		}
		print_member(entry, name, 0);
	}
}

void phrase_print(const struct entry *entry)
{
	const struct phrase *phrase = NULL;

	for (size_t i = 0; !phrase && i < sizeof(phrases) / sizeof(*phrases); i++) {
		if (!strcmp(entry->event, phrases[i].event) &&
		    json_object_get(entry->object, phrases[i].member))
			phrase = &phrases[i];
	}
	if (phrase)
		print_form(entry, phrase->form);
	else
		print_members(entry);
	if (entry->lost)
		printf(" [%" PRIu64 " lines before this one were lost]", entry->lost);
}
