/* SPDX-License-Identifier: MIT */
/*
 * Xen's command line: see dt-cmdline.h. The forms of the values are those of
 * parse_xsm_param(), parse_gnttab() and parse_gnttab_limit().
 */
#include "policy/cmd/dt-cmdline.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cmd/dt-version.h"

struct word {
	const char *text;
	size_t len;
};

/* @word is NAME=VALUE: *@value is what follows. */
static bool value_of(struct word word, const char *name, struct word *value)
{
	size_t len = strlen(name);

	if (word.len <= len || strncmp(word.text, name, len) || word.text[len] != '=')
		return false;
	*value = (struct word){word.text + len + 1, word.len - len - 1};
	return true;
}

static bool is(struct word word, const char *text)
{
	return word.len == strlen(text) && !strncmp(word.text, text, word.len);
}

/* Decimal, 0x and 0 for base 8, at most INT_MAX. */
static void set_limit(struct word value, uint32_t *out)
{
	char *end;
	unsigned long v;

	if (!value.len || !isdigit((unsigned char)*value.text))
		return;
	v = strtoul(value.text, &end, 0);
	if (end == value.text + value.len && v <= INT_MAX)
		*out = (uint32_t)v;
}

static void set_xsm(struct word value, enum dt_xsm *out)
{
	static const char *const names[] = {[DT_XSM_DUMMY] = "dummy",
					    [DT_XSM_SILO] = "silo",
					    [DT_XSM_FLASK] = "flask"};

	for (unsigned i = DT_XSM_DUMMY; i <= DT_XSM_FLASK; i++) {
		if (is(value, names[i]))
			*out = i;
	}
}

/* A list with commas; of it the version alone matters. */
static void set_version(struct word value, uint32_t *out)
{
	const char *rest = value.text, *end = value.text + value.len;

	while (rest < end) {
		const char *comma = memchr(rest, ',', (size_t)(end - rest));
		struct word item = {rest, (size_t)((comma ? comma : end) - rest)};

		if (is(item, "max-ver:1") || is(item, "max_ver:1"))
			*out = 1;
		if (is(item, "max-ver:2") || is(item, "max_ver:2"))
			*out = 2;
		rest += item.len + 1;
	}
}

struct dt_cmdline dt_cmdline_read(const char *text)
{
	struct dt_cmdline line = {
		.grant_frames = DT_GRANT_FRAMES,
		.maptrack_frames = DT_MAPTRACK_FRAMES,
		.grant_version = DT_GRANT_VERSION,
	};
	static const char blank[] = " \t\n";

	for (text = text ? text : ""; *text;) {
		struct word word = {text, strcspn(text, blank)}, value;

		if (value_of(word, "xsm", &value))
			set_xsm(value, &line.xsm);
		else if (value_of(word, "gnttab_max_frames", &value))
			set_limit(value, &line.grant_frames);
		else if (value_of(word, "gnttab_max_maptrack_frames", &value))
			set_limit(value, &line.maptrack_frames);
		else if (value_of(word, "gnttab", &value))
			set_version(value, &line.grant_version);
		text += word.len;
		text += strspn(text, blank);
	}
	return line;
}
