/* SPDX-License-Identifier: MIT */
/* What the threat model says that a page for an assessor needs: see page.h, and
 * assumptions.h for where it is from. */
#include <string.h>

#include "policy/cmd/assumptions.h"
#include "policy/cmd/html.h"
#include "policy/cmd/page.h"

void page_shared_by_all(FILE *out)
{
	for (const char *const *text = assumptions_shared; *text; text++) {
		html(out, "<p>");
		html_marked(out, *text);
		html(out, "</p>\n");
	}
	html(out,
	     "<p><small>THREAT-MODEL.md, &quot;Shared by all instances of one driver "
	     "domain&quot;.</small></p>\n");
}

static void put_not_claimed(FILE *out)
{
	html(out, "<h3>What is not claimed</h3>\n<ul>\n");
	for (const char *const *text = assumptions_not_claimed; *text; text++) {
		html(out, "<li>");
		html_marked(out, *text);
		html(out, "</li>\n");
	}
	html(out, "</ul>\n");
}

static void put_row(FILE *out, const struct assumption *row)
{
	html(out, "<tr id=\"%s\"><td class=w><b>%s</b></td><td>", row->number,
	     row->number);
	html_marked(out, row->text);
	html(out, "</td><td>");
	html_marked(out, row->check);
	html(out, "</td></tr>\n");
}

void page_assumptions(FILE *out)
{
	const char *about = "";

	page_head(out, "assumptions",
		  "9. What has to hold outside, and what is not claimed");
	html(out,
	     "<p>Word for word from grant-mem/THREAT-MODEL.md of the release that made "
	     "this page, SHA-256 <span class=\"mono hash\">%s</span>. What is said "
	     "here "
	     "rests on these assumptions; whether they hold is for whoever builds the "
	     "system.</p>\n",
	     assumptions_digest);
	put_not_claimed(out);
	html(out,
	     "<h3>Assumptions of use</h3>\n<table><thead><tr><th style=\"width:9%%\">"
	     "Number</th><th>Assumption</th><th style=\"width:36%%\">How to check it"
	     "</th></tr></thead><tbody>\n");
	for (unsigned i = 0; i < assumptions_n; i++) {
		if (strcmp(assumptions[i].about, about))
			html(out, "<tr><th colspan=3>%s</th></tr>\n",
			     assumptions[i].about);
		about = assumptions[i].about;
		put_row(out, &assumptions[i]);
	}
	html(out, "</tbody></table>\n");
}
