/* SPDX-License-Identifier: MIT */
/* One line of an audit log, read: see audit-entry.h. */
#include "grant-mem/cmd/audit-entry.h"

#include <sha2.h>
#include <string.h>

#include "common/number.h"

static const char time_form[] = "dddd-dd-ddTdd:dd:dd.dddZ";

int entry_is_hash(const char *text)
{
	return strspn(text, "0123456789abcdef") == ENTRY_HASH - 1 &&
	       !text[ENTRY_HASH - 1];
}

int entry_is_time(const char *text)
{
	size_t n = strlen(text);

	if (n >= ENTRY_TIME || n < 4)
		return 0;
	for (size_t i = 0; i < n; i++) {
		int digit = text[i] >= '0' && text[i] <= '9';

		if (time_form[i] == 'd' ? !digit : text[i] != time_form[i])
			return 0;
	}
	return time_form[n - 1] != '.' && strchr("-T:.Z", time_form[n]);
}

const char *entry_text(const struct entry *entry, const char *name)
{
	const char *text = json_string_value(json_object_get(entry->object, name));

	return text ? text : "";
}

uint64_t entry_number(const struct entry *entry, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(entry->object, name));

	return n > 0 ? (uint64_t)n : 0;
}

/* "backend/KIND/DOMID/DEVICE, generation N" */
uint64_t entry_client(const struct entry *entry)
{
	static const char begin[] = "backend/";
	const char *text = entry_text(entry, "text");
	const char *at = strncmp(text, begin, strlen(begin)) ? NULL : text;
	uint64_t domid;

	at = at ? strchr(at + strlen(begin), '/') : NULL;
	if (!at || !number_parse(at + 1, strcspn(at + 1, "/"), 32767, &domid))
		return ENTRY_NO_CLIENT;
	return domid;
}

static int is_count(const struct entry *entry, const char *name)
{
	json_t *value = json_object_get(entry->object, name);

	return json_is_integer(value) && json_integer_value(value) >= 0;
}

/* Invariant 1. */
static const char *misfit(const struct entry *entry)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz-";
	const char *name;
	json_t *value;

	json_object_foreach(entry->object, name, value)
	{
		if (!json_is_integer(value) && !json_is_string(value))
			return "it has a member that is neither text nor a whole "
			       "number";
	}
	if (!is_count(entry, "seq"))
		return "it has no seq";
	if (!is_count(entry, "lost"))
		return "it does not say what was lost";
	if (!entry_is_hash(entry->prev))
		return "its prev is no hash";
	if (strlen(entry->time) != ENTRY_TIME - 1 || !entry_is_time(entry->time))
		return "its time is none";
	if (!*entry->event || entry->event[strspn(entry->event, letters)])
		return "its event is none";
	return NULL;
}

const char *entry_read(struct entry *entry, const char *line, size_t len)
{
	const char *why = "it is no JSON object";
	json_error_t error;

	*entry = (struct entry){
		.object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error)};
	if (json_is_object(entry->object)) {
		entry->event = entry_text(entry, "event");
		entry->time = entry_text(entry, "time");
		entry->prev = entry_text(entry, "prev");
		entry->seq = entry_number(entry, "seq");
		entry->lost = entry_number(entry, "lost");
		SHA256Data((const uint8_t *)line, len, entry->hash);
		why = misfit(entry);
	}
	if (why)
		entry_fini(entry);
	return why;
}

void entry_fini(struct entry *entry)
{
	json_decref(entry->object);
	entry->object = NULL;
}
