/* SPDX-License-Identifier: MIT */
/* Which back end may touch how much of which client's memory, by which line: see
 * page.h. */
#include "policy/class.h"
#include "policy/cmd/html.h"
#include "policy/cmd/page.h"
#include "policy/key.h"

/* An instance's first two cells: who, and for whom. */
static void put_who(FILE *out, const struct assess *a, const struct assess_instance *i)
{
	const struct policy *p = &i->entry->policy;

	html(out, "<tr%s><td><b class=mono>%s</b><br>%s, %s<br><small>%s</small>",
	     p->isolation == POLICY_DOMAIN ? " class=open" : "", p->name,
	     class_info(p->class, p->door)->name,
	     key_rows[POLICY_KEY_DOOR].words[p->door], i->entry->path);
	if (p->isolation == POLICY_DOMAIN) {
		html(out,
		     "<br><span class=alarm>no keeper: Isolation = domain</span> ");
		page_line(out, i, POLICY_KEY_ISOLATION);
	}
	if (i->group)
		html(out, "<br>isolation group %u", i->group);
	html(out, "</td><td>");
	page_client(out, &a->client[i->client]);
	page_setting(out, i, POLICY_KEY_DOMAIN);
	if (*p->tag)
		page_setting(out, i, POLICY_KEY_TAG);
	page_setting(out, i, POLICY_KEY_DEVICE);
	html(out, "</td>");
}

static void put_direction(FILE *out, const struct assess_instance *i)
{
	bool copies = i->way == ASSESS_COPIES;

	if (i->reads && i->writes)
		html(out, "<b>reads and writes</b>");
	else if (i->reads)
		html(out, "<b>reads</b>, never writes");
	else
		html(out, copies ? "<b>writes</b>, never reads"
				 : "<b>writes</b>; what is mapped writable can be read "
				   "too");
	page_setting(out, i, POLICY_KEY_CLIENT_PAGES);
}

static void put_amount(FILE *out, const struct assess_instance *i)
{
	static const char *const words[] = {
		[ASSESS_MAPS] = "pages mapped at once",
		[ASSESS_POOL] = "pages, the same ones while it is connected",
		[ASSESS_COPIES] =
			"pages copied in one batch, and as many batches as it "
			"likes",
	};

	html(out, "<b>%u</b> %s", i->entry->policy.data_pages, words[i->way]);
	page_setting(out, i, policy_data_key(&i->entry->policy));
	page_setting(out, i, POLICY_KEY_MODE);
}

static void put_row(FILE *out, const struct assess *a, const struct assess_instance *i)
{
	put_who(out, a, i);
	if (i->way == ASSESS_RINGS) {
		html(out, "<td colspan=3>no data pages: what it carries lies in the "
			  "rings</td><td>");
	} else {
		html(out, "<td>");
		put_direction(out, i);
		html(out, "</td><td>");
		put_amount(out, i);
		html(out, "</td><td>");
		html(out, "<b>%u</b> to <b>%u</b>", i->entry->policy.first_ref.v,
		     i->entry->policy.last_ref.v);
		page_setting(out, i, POLICY_KEY_GRANT_REFS);
		page_setting(out, i, POLICY_KEY_EXCLUSIVE);
		html(out, "</td><td>");
	}
	html(out, "<b>%u</b> pages", i->entry->policy.ring_pages);
	page_setting(out, i, POLICY_KEY_RING_PAGES);
	html(out, "</td><td>");
	page_key(out, i, POLICY_KEY_RESOURCE);
	if (i->entry->policy.class == POLICY_BLK)
		page_setting(out, i, POLICY_KEY_READ_ONLY);
	html(out, "</td></tr>\n");
}

static void put_table(FILE *out, const struct assess *a)
{
	html(out,
	     "<table class=fixed><colgroup><col style=\"width:17%%\"><col "
	     "style=\"width:15%%\"><col style=\"width:17%%\"><col "
	     "style=\"width:15%%\"><col style=\"width:14%%\"><col "
	     "style=\"width:10%%\"><col></colgroup><thead><tr><th>Back end</th>"
	     "<th>Of client</th><th>Data pages: direction</th><th>At most</th>"
	     "<th>Which references</th><th>Rings</th><th>Resource</th></tr></thead>"
	     "<tbody>\n");
	for (unsigned i = 0; i < a->set->n; i++)
		put_row(out, a, &a->instance[i]);
	html(out, "</tbody></table>\n");
	html(out, "<ul><li>A page is one that the client itself granted to the driver "
		  "domain: a "
		  "policy bounds what is used of what was granted, and cannot add to "
		  "it.</li>"
		  "<li>Rings are mapped to be read and written. The keeper reads their "
		  "references from the client&#39;s own directory; with Mode = grant a "
		  "back end "
		  "may name those of its queues, within these references.</li>"
		  "<li>Keeper and kernel hold a back end to all of this, even one that "
		  "was taken "
		  "over; where it says &quot;no keeper&quot;, they do not.</li>"
		  "<li>&quot;line&quot; is that of the policy file named in the first "
		  "column, "
		  "printed in annex A; &quot;default&quot; is what xdd.policy(5) says "
		  "where a "
		  "file says nothing.</li></ul>\n");
}

static void put_clients(FILE *out, const struct assess *a)
{
	html(out,
	     "<h3>By client</h3><table class=keep><thead><tr><th>Client</th><th>Known "
	     "by</th><th class=n>Back ends</th><th class=n>Pages that can be read"
	     "</th><th class=n>written</th><th>Beyond these</th></tr></thead>"
	     "<tbody>\n");
	for (unsigned i = 0; i < a->clients; i++) {
		const struct assess_client *c = &a->client[i];

		html(out, "<tr><td>");
		page_client(out, c);
		html(out, "</td><td>");
		if (c->by)
			html(out, "its last device line: <code>%s</code>", c->by->path);
		else
			html(out, "%s",
			     c->domain == ASSESS_NOBODY
				     ? "its tag; no sound log says its number"
				     : "the policies");
		html(out,
		     "</td><td class=n>%u</td><td class=n>%ju</td><td "
		     "class=n>%ju</td><td>",
		     c->instances, (uintmax_t)c->readable, (uintmax_t)c->writable);
		if (c->copying)
			html(out, "%u that copy, any page in their references",
			     c->copying);
		html(out, "</td></tr>\n");
	}
	html(out,
	     "</tbody></table>\n<p><small>Mapped at once, by all of its back ends "
	     "together: the sum of Rings and, where they are mapped, of the data pages "
	     "above.</small></p>\n");
}

static void put_rates(FILE *out, const struct assess *a)
{
	static const enum policy_key keys[] = {POLICY_KEY_IN_FLIGHT,
					       POLICY_KEY_OPERATIONS, POLICY_KEY_BYTES,
					       POLICY_KEY_EVENTS};

	html(out,
	     "<h3>How much in a second</h3>\n<p>Held by the back end itself: these "
	     "bind its client, not a back end that was taken over.</p>\n"
	     "<table><thead><tr><th>Back end</th><th>In flight</th><th>Operations</th>"
	     "<th>Bytes</th><th>Events</th></tr></thead><tbody>\n");
	for (unsigned i = 0; i < a->set->n; i++) {
		html(out, "<tr><td class=mono>%s</td>",
		     a->instance[i].entry->policy.name);
		for (unsigned k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
			html(out, "<td>");
			page_key(out, &a->instance[i], keys[k]);
			html(out, "</td>");
		}
		html(out, "</tr>\n");
	}
	html(out, "</tbody></table>\n");
}

/* Of objects that have an instance, and what is its. */
static void put_named(FILE *out, json_t *list, const char *title, const char *first,
		      const char *second)
{
	json_t *o;
	size_t i;

	if (!json_array_size(list))
		return;
	html(out, "<h3>%s</h3><table class=keep><tbody>\n", title);
	json_array_foreach(list, i, o)
	{
		const char *more =
			second ? json_string_value(json_object_get(o, second)) : NULL;

		html(out, "<tr><td class=mono>%s</td><td class=mono>%s%s%s</td></tr>\n",
		     json_string_value(json_object_get(o, "instance")),
		     json_string_value(json_object_get(o, first)), more ? " of " : "",
		     more ? more : "");
	}
	html(out, "</tbody></table>\n");
}

void page_reach(FILE *out, const struct assess *a)
{
	json_t *sounds = set_sounds(a->set), *displays = set_displays(a->set);
	json_t *buses = set_buses(a->set);

	page_head(out, ASSESS_REACH, "2. Which back end may touch what");
	put_table(out, a);
	put_clients(out, a);
	put_rates(out, a);
	put_named(out, sounds, "Who may record, from which PCM", "pcm", NULL);
	put_named(out, displays, "Who shows on which connector", "connector",
		  "resource");
	put_named(out, buses, "Who may send what, on which bus", "identifiers", "bus");
	json_decref(buses);
	json_decref(sounds);
	json_decref(displays);
}
