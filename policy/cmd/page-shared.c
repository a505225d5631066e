/* SPDX-License-Identifier: MIT */
/* Quotas against the driver domain's limits, and what all instances share: see page.h.
 */
#include <string.h>

#include "policy/cmd/html.h"
#include "policy/cmd/page.h"

/* What the witness has of a share: words, or NULL. */
static void put_witnessed(FILE *out, const struct witness *w, unsigned share)
{
	if (!w->root || share > SET_EVENT_CHANNELS ||
	    (share == SET_MAPTRACK ? w->maptrack : w->interdomain) < 0)
		html(out, "not known");
	else if (share == SET_MAPTRACK)
		html(out, "frames in use: %ju%s", (uintmax_t)w->maptrack,
		     w->maptrack_max < 0 ? "" : ", of ");
	else
		html(out, "%ju between domains", (uintmax_t)w->interdomain);
	if (w->root && share == SET_MAPTRACK && w->maptrack >= 0 &&
	    w->maptrack_max >= 0)
		html(out, "%ju", (uintmax_t)w->maptrack_max);
}

static void put_share(FILE *out, const struct assess *a, json_t *o, unsigned share)
{
	const char *name = json_string_value(json_object_get(o, "share"));
	const char *option = json_string_value(json_object_get(o, "option"));
	json_t *limit = json_object_get(o, "limit");

	html(out, "<tr><td>%s</td><td class=n>%ju</td>", name,
	     (uintmax_t)json_integer_value(json_object_get(o, "need")));
	if (json_is_integer(limit))
		html(out, "<td class=n>%ju</td><td>",
		     (uintmax_t)json_integer_value(limit));
	else
		html(out, "<td class=n>not given</td><td>");
	if (a->limits_given[share])
		html(out, "--%s, as it was called", option);
	else if (json_is_integer(limit))
		html(out, "default of xdd-policy(8), SHARES: not measured here");
	else
		html(out, "say --%s", option);
	html(out, "</td><td>");
	put_witnessed(out, &a->witness, share);
	html(out, "</td></tr>\n");
}

static void put_quotas(FILE *out, const struct assess *a)
{
	json_t *shares = set_shares(a->set, &a->limits), *o;
	size_t i;

	page_head(out, ASSESS_QUOTAS, "6. Quotas against the driver domain's limits");
	html(out,
	     "<p>What all instances together need if each uses all that its policy "
	     "allows.%s</p>\n<table class=keep><thead><tr><th>Share</th><th "
	     "class=n>Needed at most</th><th class=n>Limit</th><th>The limit is"
	     "</th><th>Seen by the witness</th></tr></thead><tbody>\n",
	     a->limits.pv ? " Each map is tracked twice (--pv)." : "");
	json_array_foreach(shares, i, o) put_share(out, a, o, (unsigned)i);
	html(out, "</tbody></table>\n");
	json_decref(shares);
}

/* -- What is shared --------------------------------------------------------- */

static void put_groups(FILE *out, const struct assess *a)
{
	json_t *group, *name;
	size_t i, n;

	html(out, "<h3>Isolation groups</h3>\n");
	if (!json_array_size(a->groups)) {
		html(out, "<p>None: by its policy no instance has memory that another "
			  "one&#39;s back end writes.</p>\n");
		return;
	}
	html(out, "<table class=keep><thead><tr><th class=n>Group</th><th>Joined by"
		  "</th><th>Back ends</th><th>What that gives up</th></tr></thead>"
		  "<tbody>\n");
	json_array_foreach(a->groups, i, group)
	{
		html(out,
		     "<tr><td class=n>%u</td><td>%s <code>%s</code></td><td "
		     "class=mono>",
		     (unsigned)i + 1, json_string_value(json_object_get(group, "kind")),
		     json_string_value(json_object_get(group, "name")));
		json_array_foreach(json_object_get(group, "instances"), n, name)
			html(out, "%s<br>", json_string_value(name));
		html(out, "</td><td>%s</td></tr>\n",
		     json_string_value(json_object_get(group, "meaning")));
	}
	html(out, "</tbody></table>\n");
}

static const char *resource_of(const struct assess *a, unsigned i)
{
	return a->instance[i].entry->policy.resource;
}

/* Which instance of this resource is entry @n: the first is 0. */
static unsigned place_of(const struct assess *a, unsigned n)
{
	unsigned place = 0;

	for (unsigned i = 0; i < n; i++)
		place += !strcmp(resource_of(a, i), resource_of(a, n));
	return place;
}

/* Of entry @first, if it is the first that names its resource, and not the last. */
static bool put_resource(FILE *out, const struct assess *a, unsigned first, bool any)
{
	unsigned users = 0;

	for (unsigned i = first; i < a->set->n; i++)
		users += !strcmp(resource_of(a, i), resource_of(a, first));
	if (users < 2 || place_of(a, first))
		return any;
	if (!any)
		html(out,
		     "<h3>Resources that more than one names</h3><table class=keep>"
		     "<tbody>\n");
	html(out, "<tr><td class=mono>%s</td><td>", resource_of(a, first));
	for (unsigned i = first; i < a->set->n; i++) {
		if (strcmp(resource_of(a, i), resource_of(a, first)))
			continue;
		html(out, "<span class=mono>%s</span> ",
		     a->instance[i].entry->policy.name);
		page_line(out, &a->instance[i], POLICY_KEY_RESOURCE);
		html(out, "<br>");
	}
	html(out, "</td></tr>\n");
	return true;
}

static void put_resources(FILE *out, const struct assess *a)
{
	bool any = false;

	for (unsigned i = 0; i < a->set->n; i++)
		any = put_resource(out, a, i, any);
	if (any)
		html(out, "</tbody></table>\n");
}

void page_shared(FILE *out, const struct assess *a)
{
	put_quotas(out, a);
	page_head(out, ASSESS_SHARED, "7. What is shared");
	put_groups(out, a);
	put_resources(out, a);
	html(out, "<h3>By all instances of a driver domain</h3>\n");
	page_shared_by_all(out);
}
