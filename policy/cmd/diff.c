/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy diff: what another policy makes possible, and what it takes away, key by
 * key, and how it comes to hold. Two files, or two directories, whose policies are
 * matched by name.
 *
 * Not a judge of a class's section: what changed there is told, and taken for something
 * that may become possible.
 */
#include "policy/cmd/diff.h"

#include <stdio.h>
#include <string.h>

#include "policy/class.h"
#include "policy/cmd/answer.h"
#include "policy/cmd/set.h"
#include "policy/cmd/value.h"
#include "policy/decide.h"
#include "policy/key.h"
#include "policy/text.h"

enum way { SAME, NARROWER, WIDER, OTHER };

struct row {
	enum way (*compare)(const void *before, const void *now);
	const char *what; /* the key allows, as far as it goes */
};

/* -- What a change of a value means ---------------------------------------- */

static enum way way_of(bool less, bool more)
{
	if (less && more)
		return OTHER;
	return more ? WIDER : less ? NARROWER : SAME;
}

static enum way by_number(const void *before, const void *now)
{
	const uint32_t b = *(const uint32_t *)before, n = *(const uint32_t *)now;

	return way_of(n<b, n> b);
}

static enum way by_rate(const void *before, const void *now)
{
	const struct policy_rate *b = before, *n = now;

	return way_of(n->per_second < b->per_second ||
		      n->burst<b->burst, n->per_second> b->per_second ||
		      n->burst > b->burst);
}

/* "yes" is the narrow one, as of ReadOnly. */
static enum way by_yes(const void *before, const void *now)
{
	const bool b = *(const bool *)before, n = *(const bool *)now;

	return way_of(n && !b, b && !n);
}

/* The higher the word stands in key.c's lists, the more it denies. */
static enum way by_word(const void *before, const void *now)
{
	const unsigned b = *(const unsigned *)before, n = *(const unsigned *)now;

	return way_of(n > b, n < b);
}

static enum way by_isolation(const void *before, const void *now)
{
	return by_word(now, before);
}

static enum way by_pages(const void *before, const void *now)
{
	const unsigned b = *(const unsigned *)before, n = *(const unsigned *)now;

	return way_of(b & ~n, n & ~b);
}

static enum way by_choice(const void *before, const void *now)
{
	return *(const unsigned *)before == *(const unsigned *)now ? SAME : OTHER;
}

static enum way by_text(const void *before, const void *now)
{
	return strcmp(before, now) ? OTHER : SAME;
}

static enum way by_domid(const void *before, const void *now)
{
	const struct domid *b = before, *n = now;

	return b->v == n->v ? SAME : OTHER;
}

/* GrantRefs' two ends, of which the row has the first. */
static enum way by_refs(const void *before, const void *now)
{
	const struct gref *b = before, *n = now;

	return way_of(n[0].v > b[0].v || n[1].v < b[1].v,
		      n[0].v < b[0].v || n[1].v > b[1].v);
}

_Static_assert(offsetof(struct policy, last_ref) ==
		       offsetof(struct policy, first_ref) + sizeof(struct gref),
	       "by_refs() reads both");

static const struct row rows[POLICY_KEY_COUNT] = {
	[POLICY_KEY_FORMAT] = {by_number, "the grammar"},
	[POLICY_KEY_CLASS] = {by_choice, "which devices it serves"},
	[POLICY_KEY_DOOR] = {by_choice, "by which protocol"},
	[POLICY_KEY_RESOURCE] = {by_text, "what of this domain the client gets"},
	[POLICY_KEY_READ_ONLY] = {by_yes, "writing the Resource"},
	[POLICY_KEY_ISOLATION] = {by_isolation,
				  "doing without a keeper: nobody checks the process"},
	[POLICY_KEY_DOMAIN] = {by_domid, "which client it serves"},
	[POLICY_KEY_TAG] = {by_text, "which client it serves"},
	[POLICY_KEY_DEVICE] = {by_text, "which of the client's devices it is"},
	[POLICY_KEY_MODE] = {by_choice, "how the client's memory is reached"},
	[POLICY_KEY_CLIENT_PAGES] = {by_pages,
				     "reading or writing the client's data pages"},
	[POLICY_KEY_EXCLUSIVE] = {by_yes, "mapping what another instance has mapped"},
	[POLICY_KEY_RING_PAGES] = {by_number, "pages mapped as rings, at once"},
	[POLICY_KEY_DATA_PAGES] = {by_number, "pages of data, at once"},
	[POLICY_KEY_POOL_PAGES] = {by_number, "pages of the pool"},
	[POLICY_KEY_GRANT_REFS] = {by_refs, "references that may be used"},
	[POLICY_KEY_IN_FLIGHT] = {by_number, "requests at once"},
	[POLICY_KEY_OPERATIONS] = {by_rate, "requests a second"},
	[POLICY_KEY_BYTES] = {by_rate, "bytes a second"},
	[POLICY_KEY_EVENTS] = {by_rate, "events a second"},
	[POLICY_KEY_AUDIT_LEVEL] = {by_word, "leaving decisions out of the log"},
	[POLICY_KEY_AUDIT_FULL] = {by_word, "losing the oldest of the log"},
};

/* Which client it is, "any" says, and a number only without it. */
static enum way compare(enum policy_key key, const struct policy *before,
			const struct policy *now)
{
	const size_t at = key_rows[key].offset;
	enum way way =
		rows[key].compare((const char *)before + at, (const char *)now + at);

	if (key != POLICY_KEY_DOMAIN)
		return way;
	if (before->any_domain != now->any_domain)
		return now->any_domain ? WIDER : NARROWER;
	return now->any_domain ? SAME : way;
}

/* -- The class's section --------------------------------------------------- */

/* What there is to tell of one instance: its name comes with the first of it. */
struct telling {
	const char *name;
	bool begun, more; /* something may become possible */
	json_t *keys;	  /* NULL: it is printed */
};

static const char *const signs[] = {
	[SAME] = "=", [NARROWER] = "-", [WIDER] = "+", [OTHER] = "?"};

static void tell(struct telling *t, enum way way, const char *key, const char *before,
		 const char *now, const char *what)
{
	if (t->keys) {
		json_array_append_new(t->keys,
				      json_pack("{s:s, s:o, s:o, s:o, s:s}", "way",
						signs[way], "key", answer_text(key),
						"before", answer_text(before), "now",
						answer_text(now), "what", what));
	} else {
		if (!t->begun)
			printf("%s:\n", t->name);
		printf("  %s %-20s %s -> %s", signs[way], key, before, now);
		if (what[0])
			printf("  (%s)", what);
		putchar('\n');
	}
	t->begun = true;
	t->more |= way != NARROWER;
}

/* Every key that @of has and whose value @other does not have; @old: @other is before
 * @of, and what both have is told. */
static void tell_section(struct telling *t, const struct set_entry *of,
			 const struct set_entry *other, bool old)
{
	const char *section = class_info(of->policy.class, of->policy.door)->section;
	char value[POLICY_LINE_MAX + 1], name[64];
	bool inside = false;
	struct text text;
	struct text_line line;
	enum text_kind kind;

	text_init(&text, of->text, of->len);
	while ((kind = text_next(&text, &line)) != TEXT_END) {
		if (kind == TEXT_SECTION)
			inside = !strcmp(line.name, section);
		if (kind != TEXT_KEY || !inside)
			continue;
		set_find(other, section, line.name, value);
		if (!strcmp(value, line.value) || (!old && value[0]))
			continue;
		snprintf(name, sizeof(name), "%s.%s", section, line.name);
		tell(t, OTHER, name,
		     old ? value[0] ? value : "(a default)" : line.value,
		     old ? line.value : "(a default)", "");
	}
}

/* -- One instance ---------------------------------------------------------- */

/* How a change comes to hold: for programs, and for people. */
static const struct how {
	const char *word, *text;
} restarts = {"restart", "when its units restart: systemctl restart xdd@"},
  drains = {"reload-drains", "on a reload, which drains, and takes back what is not "
			     "allowed any more"},
  at_once = {"reload", "on a reload, at once"};

static const struct how *how_of(const struct policy *before, const struct policy *now)
{
	if (policy_needs_restart(before, now))
		return &restarts;
	return policy_narrows(before, now) ? &drains : &at_once;
}

static void tell_keys(struct telling *t, const struct policy *before,
		      const struct policy *now)
{
	/* Pages of the one way to memory are not those of the other. */
	const enum policy_key other = policy_data_key(now) == POLICY_KEY_DATA_PAGES
					      ? POLICY_KEY_POOL_PAGES
					      : POLICY_KEY_DATA_PAGES;
	char old[VALUE_TEXT], new[VALUE_TEXT];

	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		enum way way = compare(key, before, now);

		if (way != SAME && key != other)
			tell(t, way, key_rows[key].name, value_text(before, key, old),
			     value_text(now, key, new), rows[key].what);
	}
}

/* Adds to @instances, or prints; @holds NULL: nothing changed, or all did. */
static void add_instance(json_t *instances, const char *name, const char *change,
			 const char *holds, json_t *keys)
{
	json_array_append_new(instances,
			      json_pack("{s:s, s:s, s:o, s:o}", "instance", name,
					"change", change, "holds",
					holds ? json_string(holds) : json_null(),
					"keys", keys));
}

/* True if something may become possible. */
static bool diff(const struct set_entry *before, const struct set_entry *now,
		 json_t *instances)
{
	struct telling t = {.name = now->policy.name,
			    .keys = instances ? json_array() : NULL};
	const struct how *how = how_of(&before->policy, &now->policy);

	tell_keys(&t, &before->policy, &now->policy);
	tell_section(&t, now, before, true);
	if (before->policy.class == now->policy.class)
		tell_section(&t, before, now, false);
	if (instances) {
		add_instance(instances, t.name, t.begun ? "changed" : "none",
			     t.begun ? how->word : NULL, t.keys);
	} else if (t.begun) {
		printf("  holds %s", how->text);
		if (how == &restarts)
			printf("%s.target", t.name);
		putchar('\n');
	}
	return t.more;
}

/* -- All of them ----------------------------------------------------------- */

static const struct set_entry *find(const struct set *set, const char *name)
{
	for (unsigned i = 0; i < set->n; i++) {
		if (!strcmp(set->entry[i].policy.name, name))
			return &set->entry[i];
	}
	return NULL;
}

/* An instance that only one side has: @entry's. */
static void tell_whole(const struct set_entry *entry, bool is_new, json_t *instances)
{
	const char *name = entry->policy.name;

	if (instances)
		add_instance(instances, name, is_new ? "new" : "gone", NULL,
			     json_array());
	else if (is_new)
		printf("%s:\n  + a new instance: xdd-policy show %s\n", name,
		       entry->path);
	else
		printf("%s:\n  - the instance is gone\n", name);
}

/* @instances NULL: it is printed. */
static bool diff_sets(const struct set *before, const struct set *now,
		      json_t *instances)
{
	bool more = false;

	for (unsigned i = 0; i < now->n; i++) {
		const struct set_entry *entry = &now->entry[i];
		const struct set_entry *old = find(before, entry->policy.name);

		if (old) {
			more |= diff(old, entry, instances);
			continue;
		}
		tell_whole(entry, true, instances);
		more = true;
	}
	for (unsigned i = 0; i < before->n; i++) {
		if (!find(now, before->entry[i].policy.name))
			tell_whole(&before->entry[i], false, instances);
	}
	return more;
}

static void read_sets(char **argv, struct set *before, struct set *now,
		      struct report *report)
{
	bool dirs = set_add(before, argv[1], report);

	if (set_add(now, argv[2], report) != dirs)
		report_error(report, argv[2], 0,
			     "one is a file and the other a directory");
	if (!dirs && before->n && now->n &&
	    strcmp(before->entry[0].policy.name, now->entry[0].policy.name))
		report_error(report, argv[2], 0,
			     "another instance's: its name is not that of %s", argv[1]);
}

int diff_main(int argc, char **argv)
{
	struct set before = {0}, now = {0};
	struct answer answer;
	json_t *instances = NULL, *result = NULL;
	int status = 2;

	answer_begin(&answer, &argc, argv);
	if (argc != 3)
		report_usage(&answer.report,
			     "diff takes two policies, or two directories: "
			     "diff OLD NEW");
	else
		read_sets(argv, &before, &now, &answer.report);
	if (!answer.report.errors) {
		instances = answer_json(&answer) ? json_array() : NULL;
		status = diff_sets(&before, &now, instances);
	}
	if (instances)
		result =
			json_pack("{s:b, s:o}", "more", status, "instances", instances);
	set_free(&before);
	set_free(&now);
	return answer_end(&answer, status, result);
}
