/* SPDX-License-Identifier: MIT */
/* What an assessor looks up: hashes of all that was read and ran, the policies line by
 * line, and each try of the probe. See page.h. */
#include <string.h>

#include "policy/cmd/html.h"
#include "policy/cmd/page.h"
#include "policy/text.h"

/* -- Versions and hashes ---------------------------------------------------- */

static void put_hash(FILE *out, const char *hash)
{
	html(out, "<span class=\"mono hash\">%s</span>", *hash ? hash : "not said");
}

static void put_policy(FILE *out, const struct assess_instance *i)
{
	const struct assess_log *log = i->log;

	html(out, "<tr><td class=mono>%s<br><small>%s</small></td><td>",
	     i->entry->policy.name, i->entry->path);
	put_hash(out, i->digest);
	html(out, "</td><td>");
	if (!log)
		html(out, "not known: no log");
	else if (!strcmp(log->policy, i->digest))
		html(out, "the same, by its log");
	else
		html(out, "<span class=alarm>another</span><br>");
	if (log && strcmp(log->policy, i->digest))
		put_hash(out, log->policy);
	html(out, "</td><td>");
	if (log && *log->head) {
		html(out, "%ju:<br>", (uintmax_t)log->last);
		put_hash(out, log->head);
	} else {
		html(out, "not known");
	}
	html(out, "</td></tr>\n");
}

/* A hash that a log's last start names, and the boot. */
static const char *keeper_of(const struct assess_log *log)
{
	return log->keeper;
}

static const char *program_of(const struct assess_log *log)
{
	return log->program;
}

static const char *boot_of(const struct assess_log *log)
{
	return log->sum.boot;
}

static bool is_known(const struct assess *a, unsigned n,
		     const char *(*of)(const struct assess_log *), const char *value)
{
	return a->instance[n].log && *value && !strcmp(of(a->instance[n].log), value);
}

/* One row for each value that differs, with all whose log has it. */
static void put_same(FILE *out, const struct assess *a, const char *what,
		     const char *(*of)(const struct assess_log *))
{
	for (unsigned n = 0; n < a->set->n; n++) {
		const char *value = a->instance[n].log ? of(a->instance[n].log) : "";
		bool before = false;

		for (unsigned k = 0; k < n; k++)
			before |= is_known(a, k, of, value);
		if (!*value || before)
			continue;
		html(out, "<tr><td>%s</td><td>", what);
		put_hash(out, value);
		html(out, "</td><td class=mono>");
		for (unsigned k = n; k < a->set->n; k++) {
			if (is_known(a, k, of, value))
				html(out, "%s ", a->instance[k].entry->policy.name);
		}
		html(out, "</td></tr>\n");
	}
}

static void put_files(FILE *out, const struct assess *a)
{
	if (!a->files)
		return;
	html(out, "<h3>Other files that were read</h3><table class=keep><tbody>\n");
	for (unsigned i = 0; i < a->files; i++) {
		html(out, "<tr><td>%s</td><td class=mono>%s</td><td>", a->file[i].what,
		     a->file[i].path);
		put_hash(out, a->file[i].digest);
		html(out, "</td></tr>\n");
	}
	html(out, "</tbody></table>\n");
}

void page_versions(FILE *out, const struct assess *a)
{
	page_head(out, ASSESS_VERSIONS, "8. Versions and hashes");
	html(out,
	     "<p>SHA-256. This page was made by xdd-policy of xdd " XDD_VERSION
	     ".</p>\n<table><thead><tr><th style=\"width:20%%\">Policy</th><th>of the "
	     "file that was read</th><th>in force when it last started</th><th>Head of "
	     "its log: seq, and hash of its last line</th></tr></thead><tbody>\n");
	for (unsigned n = 0; n < a->set->n; n++)
		put_policy(out, &a->instance[n]);
	html(out,
	     "</tbody></table>\n<h3>What ran, by the last start in each log</h3>\n");
	if (a->logs) {
		html(out,
		     "<table><thead><tr><th style=\"width:12%%\">What</th><th>Hash, or "
		     "boot id</th><th>Of</th></tr></thead><tbody>\n");
		put_same(out, a, "keeper", keeper_of);
		put_same(out, a, "back end", program_of);
		put_same(out, a, "boot", boot_of);
		html(out, "</tbody></table>\n");
	} else {
		html(out, "<p>Not known: no audit log was given.</p>\n");
	}
	put_files(out, a);
}

/* -- Annexes ---------------------------------------------------------------- */

/* One line, without its newline. */
static void put_line(FILE *out, const char *name, unsigned number, const char *line,
		     size_t len)
{
	char text[POLICY_LINE_MAX + 1];

	len = len < sizeof(text) ? len : sizeof(text) - 1;
	memcpy(text, line, len);
	text[len] = '\0';
	html(out, "<span id=\"%s-%u\"><i>%u</i> %s</span>", name, number, number, text);
}

static void put_text(FILE *out, const struct set_entry *entry)
{
	const char *at = entry->text, *end = at + entry->len;

	html(out, "<h3>%s</h3>\n<pre>", entry->path);
	for (unsigned number = 1; at < end; number++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *stop = newline ? newline : end;

		put_line(out, entry->policy.name, number, at, (size_t)(stop - at));
		at = stop + 1;
	}
	html(out, "</pre>\n");
}

static void put_refusals(FILE *out, const struct assess_probe *p)
{
	html(out,
	     "<h3>%s</h3>\n<table><thead><tr><th>Refused</th><th>How</th><th>What that "
	     "proves</th></tr></thead><tbody>\n",
	     p->path);
	for (size_t i = 0; i < p->probe.rows; i++) {
		const struct probe_row *row = &p->probe.row[i];

		if (row->result == PROBE_REFUSED)
			html(out,
			     "<tr><td class=mono>%s</td><td>%s</td><td>%s</td></tr>\n",
			     row->name, row->detail, row->proves ? row->proves : "");
	}
	html(out, "</tbody></table>\n");
}

void page_annex(FILE *out, const struct assess *a)
{
	page_head(out, "policies", "Annex A. The policies, line by line");
	for (unsigned n = 0; n < a->set->n; n++)
		put_text(out, a->instance[n].entry);
	if (!a->probes)
		return;
	page_head(out, "tries", "Annex B. What xdd-probe was refused");
	for (unsigned i = 0; i < a->probes; i++)
		put_refusals(out, &a->probe[i]);
}
