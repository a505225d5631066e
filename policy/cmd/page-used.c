/* SPDX-License-Identifier: MIT */
/* What was used against what was allowed, by the audit logs, and what Xen itself showed
 * the witness: see page.h. */
#include <string.h>

#include "policy/cmd/html.h"
#include "policy/cmd/page.h"

/* "2025-03-01 10:00:00", of a line's time. */
static void put_time(FILE *out, const char *time)
{
	char text[] = "0000-00-00 00:00:00";

	if (strlen(time) < sizeof(text)) {
		html(out, "no line");
		return;
	}
	memcpy(text, time, sizeof(text) - 1);
	text[10] = ' ';
	html(out, "%s", text);
}

/* How much of @most: a bar, and no number. */
static void put_bar(FILE *out, uint64_t used, uint64_t most)
{
	bool over = used > most;
	unsigned percent = over || !most ? 100 : (unsigned)(used * 100 / most);

	html(out, "<span class=bar><i%s style=\"width:%u%%\"></i></span>",
	     over ? " class=over" : "", percent);
}

static void put_used(FILE *out, const struct assess_instance *i)
{
	const struct sum *sum = &i->log->sum;
	bool told = i->entry->policy.audit_level == POLICY_AUDIT_DECISIONS;

	if (told) {
		html(out, "<td><b>%ju</b> of %ju", (uintmax_t)sum->most,
		     (uintmax_t)i->at_once);
		put_bar(out, sum->most, i->at_once);
		html(out, "</td><td class=n>%ju</td>", (uintmax_t)sum->maps);
	} else {
		html(out,
		     "<td>not in the log (Level = changes), of %ju allowed</td>"
		     "<td class=n>?</td>",
		     (uintmax_t)i->at_once);
	}
	if (sum->segments || i->way == ASSESS_COPIES)
		html(out, "<td class=n>%ju<br><small>%ju bytes</small></td>",
		     (uintmax_t)sum->segments, (uintmax_t)sum->copied);
	else
		html(out, "<td class=n>none</td>");
	html(out, "<td class=n>%ju</td><td class=n>%ju</td><td class=n>%ju</td>",
	     (uintmax_t)sum->binds, (uintmax_t)sum->starts, (uintmax_t)sum->connects);
	html(out, "<td><code>%s</code><br>", i->log->path);
	put_time(out, sum->from);
	html(out, " to<br>");
	put_time(out, sum->to);
	html(out, "<br>%ju lines, %ju counted, %ju lost<br>", (uintmax_t)sum->lines,
	     (uintmax_t)sum->counted, (uintmax_t)sum->lost);
	if (i->log->findings)
		html(out, "<span class=alarm>chain broken: do not rely on this</span>");
	else
		html(out, "one chain");
	html(out, "</td>");
}

void page_used(FILE *out, const struct assess *a)
{
	page_head(out, ASSESS_USED, "3. What was used of it");
	html(out,
	     "<p>By the audit logs, which the keepers wrote. Pages are those that were "
	     "mapped at once, at most, rings and data, against the sum of Rings and "
	     "mapped "
	     "data pages of table 2.</p>\n<table class=fixed><colgroup><col "
	     "style=\"width:14%%\"><col style=\"width:16%%\"><col "
	     "style=\"width:7%%\"><col style=\"width:11%%\"><col "
	     "style=\"width:9%%\"><col style=\"width:8%%\"><col "
	     "style=\"width:8%%\"><col></colgroup><thead><tr><th>Back "
	     "end</th><th>Pages "
	     "at once</th><th class=n>Maps</th><th class=n>Copied segments</th><th "
	     "class=n>Event channels bound</th><th class=n>Keeper started</th><th "
	     "class=n>Back end came</th><th>Log</th></tr></thead><tbody>\n");
	for (unsigned n = 0; n < a->set->n; n++) {
		const struct assess_instance *i = &a->instance[n];

		html(out, "<tr><td class=mono>%s</td>", i->entry->policy.name);
		if (i->log)
			put_used(out, i);
		else
			html(out,
			     "<td>not known, of %ju allowed</td><td colspan=6>no audit "
			     "log of it was given</td>",
			     (uintmax_t)i->at_once);
		html(out, "</tr>\n");
	}
	html(out,
	     "</tbody></table>\n<p><small>&quot;One chain&quot; shows that no line was "
	     "changed, taken out or put in. It does not show that none was cut off the "
	     "end, nor that the log was not written anew: for that, a head that was "
	     "noted "
	     "elsewhere (section 8 has the heads of these logs, xdd-audit(8) what to "
	     "do "
	     "with them).</small></p>\n");
}

/* -- The witness ------------------------------------------------------------- */

static void put_number(FILE *out, int64_t n)
{
	if (n >= 0)
		html(out, "%ju", (uintmax_t)n);
	else
		html(out, "not said");
}

static void put_seen(FILE *out, const struct assess_instance *i)
{
	const struct witness_instance *seen = i->seen;
	const struct policy *p = &i->entry->policy;
	bool mapped = i->way == ASSESS_MAPS || i->way == ASSESS_POOL;

	html(out, "<tr><td class=mono>%s</td>", p->name);
	if (!seen) {
		html(out,
		     "<td colspan=5>the witness knows of no such instance</td></tr>\n");
		return;
	}
	html(out, "<td>");
	if (seen->client >= 0)
		html(out, "domain&nbsp;%ju", (uintmax_t)seen->client);
	else
		html(out, "none");
	html(out, "</td><td class=n>");
	put_number(out, seen->ring_pages);
	html(out, " of %u</td><td class=n>", p->ring_pages);
	put_number(out, seen->data_pages);
	html(out, " of %u</td><td class=n>", mapped ? p->data_pages : 0);
	put_number(out, seen->channels);
	html(out, " of %u</td><td>%s</td></tr>\n", p->ring_pages,
	     seen->log ? seen->log : "not said");
}

static void put_findings(FILE *out, const struct witness *w)
{
	if (!w->findings) {
		html(out, "<p>%s</p>\n",
		     w->explained ? "All that it saw is explained by policies and logs."
				  : "It says that not all is explained, and not what.");
		return;
	}
	html(out,
	     "<h3 class=alarm>Not explained</h3><table><thead><tr><th>Instance</th>"
	     "<th>What</th><th>To do</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < w->findings; i++) {
		const struct witness_finding *f = &w->finding[i];

		html(out, "<tr><td class=mono>%s</td><td>%s</td><td>%s</td></tr>\n",
		     f->instance ? f->instance : "", f->why,
		     f->remedy ? f->remedy : "");
	}
	html(out, "</tbody></table>\n");
	if (w->further > 0)
		html(out, "<p>And %ju more.</p>\n", (uintmax_t)w->further);
}

static void put_maps(FILE *out, const struct witness *w)
{
	html(out,
	     "<h3>What the driver domain has mapped, by Xen</h3><table class=keep>"
	     "<thead><tr><th>Client</th><th class=n>Pages</th><th class=n>of these "
	     "writable</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < w->mapped; i++) {
		html(out, "<tr><td>domain&nbsp;");
		put_number(out, w->maps[i].client);
		html(out, "</td><td class=n>");
		put_number(out, w->maps[i].pages);
		html(out, "</td><td class=n>");
		put_number(out, w->maps[i].writable);
		html(out, "</td></tr>\n");
	}
	if (!w->mapped)
		html(out, "<tr><td colspan=3>nothing</td></tr>\n");
	html(out, "</tbody></table>\n");
}

void page_witness(FILE *out, const struct assess *a)
{
	const struct witness *w = &a->witness;

	page_head(out, ASSESS_WITNESS, "5. What Xen itself had in use");
	if (!w->root) {
		html(out,
		     "<p>Not given: xdd-witness(8), run in the control domain with "
		     "--json, says it.</p>\n");
		return;
	}
	html(out,
	     "<p>At one moment, seen by <code>xdd-witness</code> from the control "
	     "domain: "
	     "<code>%s</code>, of domain&nbsp;%ju%s%s.</p>\n",
	     a->witness_path, (uintmax_t)w->domain, w->name ? ", called " : "",
	     w->name ? w->name : "");
	html(out, "<table><thead><tr><th>Back end</th><th>Client</th><th class=n>Ring "
		  "pages</th><th class=n>Data pages</th><th class=n>Event channels</th>"
		  "<th>Its log, to the witness</th></tr></thead><tbody>\n");
	for (unsigned n = 0; n < a->set->n; n++)
		put_seen(out, &a->instance[n]);
	html(out, "</tbody></table>\n<p><small>The witness&#39;s number, of what the "
		  "policies read here allow.</small></p>\n");
	put_findings(out, w);
	put_maps(out, w);
}
