/* SPDX-License-Identifier: MIT */
/* Who reaches whom, drawn: picture.h's boxes, texts and lines as SVG; see page.h. */
#include <stdlib.h>
#include <string.h>

#include "policy/class.h"
#include "policy/cmd/html.h"
#include "policy/cmd/page.h"
#include "policy/cmd/picture.h"
#include "policy/key.h"

/* -- What stands in it ------------------------------------------------------ */

struct words {
	char client[3][PICTURE_TEXT + 32], kind[32], data[64], rings[64];
};

static const char *direction(const struct assess_instance *i)
{
	bool copies = i->way == ASSESS_COPIES;

	if (i->reads && i->writes)
		return "reads, writes";
	if (i->reads)
		return "reads";
	return copies ? "writes" : "writes (can read)";
}

static void say_reach(struct words *w, const struct assess_instance *i)
{
	const struct policy *p = &i->entry->policy;

	switch (i->way) {
	case ASSESS_MAPS:
		snprintf(w->data, sizeof(w->data), "%s %u pages, mapped", direction(i),
			 p->data_pages);
		break;
	case ASSESS_POOL:
		snprintf(w->data, sizeof(w->data), "%s a pool of %u pages",
			 direction(i), p->data_pages);
		break;
	case ASSESS_COPIES:
		snprintf(w->data, sizeof(w->data), "%s by copy, %u a batch",
			 direction(i), p->data_pages);
		break;
	case ASSESS_RINGS:
		snprintf(w->data, sizeof(w->data), "no data pages");
		break;
	}
	snprintf(w->rings, sizeof(w->rings), "ring pages: %u, read and written",
		 p->ring_pages);
}

static void say_client(struct words *w, const struct assess_client *client)
{
	if (client->domain == ASSESS_NOBODY) {
		snprintf(w->client[0], sizeof(w->client[0]), "any domain");
		snprintf(w->client[1], sizeof(w->client[1]), "tag %s", client->tag);
	} else {
		snprintf(w->client[0], sizeof(w->client[0]), "domain %u",
			 client->domain);
		snprintf(w->client[1], sizeof(w->client[1]),
			 client->by ? "by its logs" : "by policy");
	}
}

static struct picture_row row_of(const struct assess *a,
				 const struct assess_instance *i, struct words *w)
{
	const struct policy *p = &i->entry->policy;

	snprintf(w->kind, sizeof(w->kind), "%s %s", class_info(p->class, p->door)->name,
		 key_rows[POLICY_KEY_DOOR].words[p->door]);
	say_reach(w, i);
	say_client(w, &a->client[i->client]);
	return (struct picture_row){
		.client = i->client,
		.client_is = {w->client[0], w->client[1]},
		.name = p->name,
		.kind = w->kind,
		.data = w->data,
		.rings = w->rings,
		.resource = p->resource,
		.group = i->group,
		.domain = p->isolation == POLICY_DOMAIN,
		.reads = i->reads,
		.writes = i->writes,
	};
}

/* -- How it is drawn -------------------------------------------------------- */

static const struct look {
	const char *fill, *stroke, *more;
} looks[] = {
	[PICTURE_FRAME] = {"#f3f5f7", "#57606a", "stroke-dasharray=\"7 4\""},
	[PICTURE_CLIENT] = {"#ffffff", "#1b1f24", "stroke-width=\"1.4\""},
	[PICTURE_INSTANCE] = {"#ffffff", "#1b1f24", "stroke-width=\"1.4\""},
	[PICTURE_OPEN] = {"#fdecee", "#b00020", "stroke-width=\"3.4\""},
	[PICTURE_RESOURCE] = {"#ffffff", "#57606a", "rx=\"10\""},
	[PICTURE_GROUP] = {"#e4e8ec", "#1b1f24", "stroke-width=\"2.6\" rx=\"10\""},
};

static void draw_box(FILE *out, const struct picture_box *box)
{
	const struct look *look = &looks[box->kind];

	html(out,
	     "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" "
	     "stroke=\"%s\" ",
	     box->x + 2, box->y + 2, box->w, box->h, look->fill, look->stroke);
	fputs(look->more, out);
	fputs("/>\n", out);
}

static void draw_line(FILE *out, const struct picture_line *line)
{
	html(out,
	     "<path d=\"M%d %dL%d %d\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"",
	     line->x1 + 2, line->y1 + 2, line->x2 + 2, line->y2 + 2,
	     line->alarm ? "#b00020" : "#1b1f24", line->alarm ? "2.6" : "1.4");
	if (line->to_first)
		html(out, " marker-start=\"url(#a)\"");
	if (line->to_second)
		html(out, " marker-end=\"url(#a)\"");
	html(out, "/>\n");
}

static void draw_label(FILE *out, const struct picture_label *label)
{
	html(out,
	     "<text x=\"%d\" y=\"%d\" font-size=\"%u\" font-weight=\"%s\" "
	     "fill=\"%s\">%s</text>\n",
	     label->x + 2, label->y + 2, label->size, label->bold ? "bold" : "normal",
	     label->alarm   ? "#b00020"
	     : label->faint ? "#57606a"
			    : "#1b1f24",
	     label->text);
}

static void draw(FILE *out, const struct picture *p, unsigned part, unsigned parts)
{
	html(out,
	     "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Clients, back ends "
	     "and "
	     "resources, part %u of %u\">\n",
	     PICTURE_WIDTH + 4, p->height + 4, part, parts);
	html(out,
	     "<defs><marker id=\"a\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" "
	     "markerWidth=\"12\" markerHeight=\"12\" markerUnits=\"userSpaceOnUse\" "
	     "orient=\"auto-start-reverse\"><path d=\"M0 1L9 5L0 "
	     "9z\"/></marker></defs>\n");
	for (unsigned i = 0; i < p->boxes; i++)
		draw_box(out, &p->box[i]);
	for (unsigned i = 0; i < p->lines; i++)
		draw_line(out, &p->line[i]);
	for (unsigned i = 0; i < p->labels; i++)
		draw_label(out, &p->label[i]);
	html(out, "</svg>\n");
}

static void draw_part(FILE *out, const struct assess *a, unsigned first, unsigned parts)
{
	static struct words words[PICTURE_ROWS];
	static struct picture picture;
	struct picture_row rows[PICTURE_ROWS];
	unsigned n = 0;

	for (; n < PICTURE_ROWS && first + n < a->set->n; n++)
		rows[n] = row_of(a, &a->instance[first + n], &words[n]);
	picture_lay_out(&picture, rows, n);
	draw(out, &picture, first / PICTURE_ROWS + 1, parts);
}

void page_picture(FILE *out, const struct assess *a)
{
	unsigned parts = (a->set->n + PICTURE_ROWS - 1) / PICTURE_ROWS;

	page_head(out, "picture", "1. Who reaches whom");
	html(out,
	     "<p class=with>An arrow into a back end: it may read pages of this "
	     "client. An arrow "
	     "into "
	     "a client: it may write them. Its rings, which both write, are told "
	     "beside. "
	     "A grey resource joins instances to an isolation group. "
	     "<span class=alarm>A thick red border: no keeper stands between this back "
	     "end "
	     "and its client (Isolation = domain).</span> Numbers are those of table "
	     "2.</p>\n");
	for (unsigned first = 0; first < a->set->n; first += PICTURE_ROWS)
		draw_part(out, a, first, parts);
}
