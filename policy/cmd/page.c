/* SPDX-License-Identifier: MIT */
/* The page for an assessor, its head and what all sections share: see page.h. */
#include "policy/cmd/page.h"

#include <string.h>

#include "policy/class.h"
#include "policy/cmd/html.h"
#include "policy/cmd/value.h"
#include "policy/key.h"

void page_head(FILE *out, const char *section, const char *title)
{
	html(out, "<h2 id=\"%s\">%s</h2>\n", section, title);
}

void page_line(FILE *out, const struct assess_instance *i, enum policy_key key)
{
	unsigned line = i->entry->policy.line[key];

	if (line)
		html(out, "<small><a href=\"#%s-%u\">line&nbsp;%u</a></small>",
		     i->entry->policy.name, line, line);
	else
		html(out, "<small>default</small>");
}

void page_key(FILE *out, const struct assess_instance *i, enum policy_key key)
{
	char text[VALUE_TEXT];

	html(out, "%s ", value_text(&i->entry->policy, key, text));
	page_line(out, i, key);
}

void page_setting(FILE *out, const struct assess_instance *i, enum policy_key key)
{
	const char *name = key_rows[key].name, *dot = strchr(name, '.');
	char text[VALUE_TEXT];

	html(out, "<div class=k>%s&nbsp;=&nbsp;%s ", dot ? dot + 1 : name,
	     value_text(&i->entry->policy, key, text));
	page_line(out, i, key);
	html(out, "</div>");
}

void page_client(FILE *out, const struct assess_client *client)
{
	if (client->domain == ASSESS_NOBODY)
		html(out, "any domain with tag <code>%s</code>", client->tag);
	else
		html(out, "domain&nbsp;%u", client->domain);
}

/* -- The summary ------------------------------------------------------------ */

static void put_fact(FILE *out, unsigned n, bool bad, const char *what,
		     const char *from)
{
	html(out, "<div%s><b>%u</b>%s<br><small>%s</small></div>\n",
	     bad ? " class=bad" : "", n, what, from);
}

static void put_facts(FILE *out, const struct assess *a)
{
	unsigned open = 0, alarms = assess_count(a, ASSESS_ALARM);

	for (unsigned i = 0; i < a->set->n; i++)
		open += a->set->entry[i].policy.isolation == POLICY_DOMAIN;
	html(out, "<div class=facts>\n");
	put_fact(out, a->set->n, false, "instances", "policies");
	put_fact(out, a->clients, false, "clients, as far as they are told apart",
		 a->logs ? "policies, audit logs" : "policies");
	put_fact(out, (unsigned)json_array_size(a->groups), false, "isolation groups",
		 "policies");
	put_fact(out, open, open, "without a keeper", "policies");
	put_fact(out, alarms, alarms, "alarms", "all that was given");
	html(out, "</div>\n");
}

static void put_points(FILE *out, const struct assess *a)
{
	static const char *const words[ASSESS_WEIGHTS] = {"ALARM", "NOTE", "NOT GIVEN"};

	if (!a->points)
		return;
	html(out, "<table class=points><thead><tr><th>What</th><th>To be looked at"
		  "</th></tr></thead><tbody>\n");
	for (unsigned w = 0; w < ASSESS_WEIGHTS; w++) {
		for (unsigned i = 0; i < a->points; i++) {
			if (a->point[i].weight != w)
				continue;
			html(out,
			     "<tr><td%s>%s</td><td>%s <small><a href=\"#%s\">see"
			     "</a></small></td></tr>\n",
			     w == ASSESS_ALARM ? " class=alarm" : "", words[w],
			     a->point[i].text, a->point[i].section);
		}
	}
	html(out, "</tbody></table>\n");
}

static void put_sources(FILE *out, const struct assess *a)
{
	html(out, "<p>Made of: the policies of <code>%s</code>", a->place);
	html(out, a->logs ? "; audit logs" : "; no audit log");
	for (unsigned i = 0; i < a->logs; i++)
		html(out, "%s <code>%s</code>", i ? "," : "", a->log[i].path);
	if (a->witness.root)
		html(out, "; what <code>xdd-witness</code> saw, <code>%s</code>",
		     a->witness_path);
	else
		html(out, "; no witness");
	html(out, a->probes ? "; what <code>xdd-probe</code> tried" : "; no probe");
	for (unsigned i = 0; i < a->probes; i++)
		html(out, "%s <code>%s</code>", i ? "," : "", a->probe[i].path);
	html(out,
	     ". The same inputs make the same page, byte for byte; it has no date of "
	     "its own. "
	     "What was not given is not known, and said to be so. Hashes of what was "
	     "read are in section 8.</p>\n");
}

static void put_begin(FILE *out, const struct assess *a)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
	      "'none'; "
	      "style-src 'unsafe-inline'\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n",
	      out);
	html(out, "<title>xdd: what back ends may reach (%s)</title>\n", a->place);
	page_style(out);
	fputs("</head>\n<body>\n", out);
	html(out,
	     "<h1>What the back ends of this driver domain may reach</h1>\n"
	     "<p>Which process may touch how much of which client&#39;s memory, in "
	     "which "
	     "direction, and by which line of which policy file; what was used of it, "
	     "and what was refused. For a safety assessor.</p>\n");
}

void page_write(FILE *out, const struct assess *a)
{
	put_begin(out, a);
	put_facts(out, a);
	put_points(out, a);
	put_sources(out, a);
	page_picture(out, a);
	page_reach(out, a);
	page_used(out, a);
	page_refused(out, a);
	page_witness(out, a);
	page_shared(out, a);
	page_versions(out, a);
	page_assumptions(out);
	page_annex(out, a);
	fputs("</body>\n</html>\n", out);
}
