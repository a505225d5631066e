/* SPDX-License-Identifier: MIT */
/* What was tried and refused: in earnest, by the audit logs, and on purpose, by
 * xdd-probe. See page.h. */
#include "policy/cmd/html.h"
#include "policy/cmd/page.h"

static void put_log(FILE *out, const struct assess_instance *i)
{
	const struct sum *sum = &i->log->sum;

	html(out, "<tr><td class=mono>%s</td><td class=n>%ju</td><td>",
	     i->entry->policy.name, (uintmax_t)sum->refused);
	for (unsigned r = 0; r < sum->reasons; r++)
		html(out, "%ju &times; %s<br>", (uintmax_t)sum->reason[r].times,
		     sum->reason[r].text);
	if (sum->others)
		html(out, "%ju &times; for further reasons<br>",
		     (uintmax_t)sum->others);
	if (!sum->refused)
		html(out, "nothing");
	html(out, "</td><td class=n>%ju</td></tr>\n", (uintmax_t)sum->reported);
}

static void put_logs(FILE *out, const struct assess *a)
{
	html(out, "<h3>In earnest, by the audit logs</h3>\n");
	if (!a->logs) {
		html(out, "<p>Not known: no audit log was given.</p>\n");
		return;
	}
	html(out,
	     "<table><thead><tr><th>Back end</th><th class=n>Refused</th><th>What, and "
	     "the key that decided</th><th class=n>Reported by the back end</th>"
	     "</tr></thead><tbody>\n");
	for (unsigned n = 0; n < a->set->n; n++) {
		if (a->instance[n].log)
			put_log(out, &a->instance[n]);
		else
			html(out,
			     "<tr><td class=mono>%s</td><td colspan=3>not known: no "
			     "audit log of it was given</td></tr>\n",
			     a->instance[n].entry->policy.name);
	}
	html(out, "</tbody></table>\n");
}

/* Those that have this end; of a skipped one the reason. */
static void put_tries(FILE *out, const struct probe *probe, enum probe_result result)
{
	for (size_t i = 0; i < probe->rows; i++) {
		const struct probe_row *row = &probe->row[i];

		if (row->result == result)
			html(out,
			     "<tr><td%s>%s</td><td class=mono>%s</td><td>%s</td><td>%s"
			     "</td></tr>\n",
			     result == PROBE_ALLOWED ? " class=alarm" : "",
			     probe_words[result], row->name, row->detail,
			     row->proves ? row->proves : "");
	}
}

static void put_probe(FILE *out, const struct assess_probe *p)
{
	const uint64_t *count = p->probe.count;

	html(out,
	     "<p>In the place of <b class=mono>%s</b> (<code>%s</code>): "
	     "<b>%ju</b> refused, <b%s>%ju</b> allowed, <b>%ju</b> skipped, in %u "
	     "runs. Each "
	     "refusal is in annex B.</p>\n",
	     p->instance ? p->instance : "an instance that was not said", p->path,
	     (uintmax_t)count[PROBE_REFUSED],
	     count[PROBE_ALLOWED] ? " class=alarm" : "",
	     (uintmax_t)count[PROBE_ALLOWED], (uintmax_t)count[PROBE_SKIPPED],
	     p->probe.runs);
	if (!count[PROBE_ALLOWED] && !count[PROBE_SKIPPED])
		return;
	html(out,
	     "<table><thead><tr><th>End</th><th>Try</th><th>Detail</th><th>What its "
	     "refusal would prove</th></tr></thead><tbody>\n");
	put_tries(out, &p->probe, PROBE_ALLOWED);
	put_tries(out, &p->probe, PROBE_SKIPPED);
	html(out, "</tbody></table>\n");
}

void page_refused(FILE *out, const struct assess *a)
{
	page_head(out, ASSESS_REFUSED, "4. What was tried and refused");
	put_logs(out, a);
	html(out, "<h3>On purpose, by xdd-probe</h3>\n");
	for (unsigned i = 0; i < a->probes; i++)
		put_probe(out, &a->probe[i]);
	if (!a->probes)
		html(out,
		     "<p>Not given: xdd-probe(8), run in a back end&#39;s place, says "
		     "what is refused there.</p>\n");
}
