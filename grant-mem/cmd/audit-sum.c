/* SPDX-License-Identifier: MIT */
/* What the lines of one instance's audit log add up to: see audit-sum.h. */
#include "grant-mem/cmd/audit-sum.h"

#include <stdio.h>
#include <string.h>

#include "common/number.h"

/* Invariant 2. */
static void add(uint64_t *sum, uint64_t n)
{
	*sum = n < UINT64_MAX - *sum ? *sum + n : UINT64_MAX;
}

static void let_go(struct sum *sum, uint32_t id)
{
	struct sum_held *held = &sum->held[id % MAPS_SLOTS];

	sum->now -= held->pages;
	if (held->purpose < SUM_PURPOSES)
		sum->use[held->purpose].now -= held->pages;
	held->pages = 0;
}

static void let_all_go(struct sum *sum)
{
	memset(sum->held, 0, sizeof(sum->held));
	sum->now = 0;
	for (unsigned i = 0; i < SUM_PURPOSES; i++)
		sum->use[i].now = 0;
}

static enum sum_purpose purpose_of(const struct entry *entry)
{
	static const char *const names[] = {"ring", "data", "pool"};
	const char *text = entry_text(entry, "purpose");
	unsigned i = 0;

	while (i < SUM_PURPOSES && strcmp(text, names[i]))
		i++;
	return i;
}

/* "8-11,17", and "+5" behind it if there was no room for all. */
static void add_refs(struct sum_use *use, const char *refs)
{
	while (*refs && *refs != '+') {
		size_t first = strcspn(refs, "-,+"), last = first;
		const char *end = refs;
		uint64_t from, to;

		if (refs[first] == '-') {
			end = refs + first + 1;
			last = strcspn(end, ",+");
		}
		if (!number_parse(refs, first, UINT32_MAX, &from) ||
		    !number_parse(end, last, UINT32_MAX, &to) || from > to)
			break;
		use->first = from < use->first ? (uint32_t)from : use->first;
		use->last = to > use->last ? (uint32_t)to : use->last;
		refs = end + last;
		if (*refs == ',')
			refs++;
	}
	use->cut |= *refs;
}

static void add_use(struct sum_use *use, const struct entry *entry, uint64_t pages)
{
	const char *refs = entry_text(entry, "refs");

	if (!use->maps++)
		use->first = UINT32_MAX;
	use->now += pages;
	if (use->now > use->most) {
		use->most = use->now;
		use->at = entry->seq;
	}
	use->cut |= !*refs;
	add_refs(use, refs);
	if (entry_number(entry, "writable"))
		use->writable = true;
	else
		use->readable = true;
}

static void on_map(struct sum *sum, const struct entry *entry)
{
	uint32_t id = (uint32_t)entry_number(entry, "id");
	uint64_t pages = entry_number(entry, "pages");
	const enum sum_purpose purpose = purpose_of(entry);
	struct sum_held *held = &sum->held[id % MAPS_SLOTS];

	pages = pages < MAPS_SLOTS ? pages : MAPS_SLOTS;
	let_go(sum, id);
	*held = (struct sum_held){id, (uint32_t)pages, purpose};
	if (purpose < SUM_PURPOSES)
		add_use(&sum->use[purpose], entry, pages);
	sum->now += pages;
	sum->most = sum->now > sum->most ? sum->now : sum->most;
	sum->maps++;
	add(&sum->mapped, pages);
}

static void on_unmap(struct sum *sum, const struct entry *entry)
{
	uint32_t id = (uint32_t)entry_number(entry, "id");

	if (sum->held[id % MAPS_SLOTS].id == id)
		let_go(sum, id);
}

static void on_disconnect(struct sum *sum, const struct entry *entry)
{
	(void)entry;
	let_all_go(sum);
}

/* "map: Memory.GrantRefs, line 12": the line may move, the reason is the same. */
static void on_refused(struct sum *sum, const struct entry *entry)
{
	const char *text = entry_text(entry, "text"), *line = strstr(text, ", line ");
	size_t len = line ? (size_t)(line - text) : strlen(text);
	struct sum_reason *reason = sum->reason;
	char why[SUM_TEXT];

	snprintf(why, sizeof(why), "%.*s", len < SUM_TEXT ? (int)len : SUM_TEXT - 1,
		 text);
	sum->refused++;
	while (reason < sum->reason + sum->reasons && strcmp(reason->text, why))
		reason++;
	if (reason == sum->reason + SUM_REASONS) {
		sum->others++;
		return;
	}
	if (reason == sum->reason + sum->reasons) {
		strcpy(reason->text, why);
		sum->reasons++;
	}
	reason->times++;
}

/* A policy that was loaded anew starts a log anew, but no keeper. */
static void on_start(struct sum *sum, const struct entry *entry)
{
	const char *boot = entry_text(entry, "boot");

	snprintf(sum->class, sizeof(sum->class), "%.*s", (int)sizeof(sum->class) - 1,
		 entry_text(entry, "class"));
	if (sum->reloaded)
		return;
	let_all_go(sum);
	sum->starts++;
	if (!sum->boots || strncmp(sum->boot, boot, sizeof(sum->boot) - 1))
		sum->boots++;
	snprintf(sum->boot, sizeof(sum->boot), "%.*s", (int)sizeof(sum->boot) - 1,
		 boot);
}

static void on_reload(struct sum *sum, const struct entry *entry)
{
	if (!strcmp(entry_text(entry, "text"), "the new policy is in force")) {
		sum->reloads++;
		sum->reloaded = true;
	}
}

static void on_copies(struct sum *sum, const struct entry *entry)
{
	add(&sum->segments, entry_number(entry, "segments"));
	add(&sum->copied, entry_number(entry, "bytes"));
}

static void on_counted(struct sum *sum, const struct entry *entry)
{
	add(&sum->counted, entry_number(entry, "lines"));
}

static void on_reported(struct sum *sum, const struct entry *entry)
{
	(void)entry;
	sum->reported++;
}

static void on_connect(struct sum *sum, const struct entry *entry)
{
	(void)entry;
	sum->connects++;
}

static void on_bind(struct sum *sum, const struct entry *entry)
{
	(void)entry;
	sum->binds++;
}

void sum_add(struct sum *sum, const struct entry *entry)
{
	static const struct {
		const char *event;
		void (*on)(struct sum *sum, const struct entry *entry);
	} rows[] = {
		{"bind", on_bind},
		{"connect", on_connect},
		{"copies", on_copies},
		{"counted", on_counted},
		{"disconnect", on_disconnect},
		{"map", on_map},
		{"refused", on_refused},
		{"reload", on_reload},
		{"reported", on_reported},
		{"start", on_start},
		{"unmap", on_unmap},
	};
	bool reloaded = sum->reloaded;

	if (!*sum->from)
		strcpy(sum->from, entry->time);
	strcpy(sum->to, entry->time);
	sum->lines++;
	add(&sum->lost, entry->lost);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!strcmp(entry->event, rows[i].event))
			rows[i].on(sum, entry);
	}
	if (reloaded)
		sum->reloaded = false;
}
