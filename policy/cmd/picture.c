/* SPDX-License-Identifier: MIT */
/* A picture of who reaches whom, laid out: see picture.h. */
#include "policy/cmd/picture.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define HEAD	 52 /* above the first row */
#define ROW	 70
#define GAP	 10
#define MARGIN	 8 /* of a text from its box */
#define LINE_ONE 17
#define LINE	 16
#define NORMAL	 12
#define LARGE	 13

/* Columns: where they begin, and their widths. */
static const struct column {
	int x, w;
	const char *head;
} clients = {0, 186, "CLIENTS"}, instances = {262, 352, "BACK ENDS"},
  resources = {666, 246, "RESOURCES"};

#define FRAME_X 236

/* How wide a letter is, in tenths: rounded up, so that no font is wider. */
static int width_of(size_t letters, unsigned size)
{
	return (int)(letters * size * 61 + 99) / 100;
}

static int row_y(unsigned row)
{
	return HEAD + (int)row * (ROW + GAP);
}

static void add_box(struct picture *p, struct picture_box box)
{
	assert(p->boxes < sizeof(p->box) / sizeof(*p->box));
	p->box[p->boxes++] = box;
}

/* Invariant 1. Letters that are none of ASCII count as the four that stand for them. */
static void cut(char out[PICTURE_TEXT], const char *text, int room, unsigned size)
{
	size_t max = 0, n = 0;

	while (max < PICTURE_TEXT - 1 && width_of(max + 1, size) <= room)
		max++;
	for (; *text && n <= max; text++) {
		bool plain = *text >= ' ' && *text <= '~';
		char letter[5];

		snprintf(letter, sizeof(letter), plain ? "%c" : "\\x%02x",
			 (unsigned char)*text);
		for (const char *c = letter; *c && n <= max; c++) {
			if (n < max)
				out[n] = *c;
			n++;
		}
	}
	if (n > max) {
		n = max;
		memset(out + max - 3, '.', 3);
	}
	out[n] = '\0';
}

static struct picture_label *add_label(struct picture *p, int x, int y, int room,
				       unsigned size, const char *text)
{
	struct picture_label *label = &p->label[p->labels++];

	assert(p->labels <= sizeof(p->label) / sizeof(*p->label));
	*label = (struct picture_label){.x = x, .y = y, .size = size};
	cut(label->text, text, room, size);
	return label;
}

struct picture_box picture_room(const struct picture_label *label)
{
	return (struct picture_box){
		.x = label->x,
		.y = label->y - (int)label->size,
		.w = width_of(strlen(label->text), label->size),
		.h = (int)label->size * 5 / 4,
	};
}

static void add_heads(struct picture *p, int bottom)
{
	const struct column *const columns[] = {&clients, &instances, &resources};

	add_box(p, (struct picture_box){FRAME_X, 22, PICTURE_WIDTH - FRAME_X,
					bottom - 22, PICTURE_FRAME});
	for (unsigned i = 0; i < 3; i++)
		add_label(p, columns[i]->x, 42, columns[i]->w, NORMAL, columns[i]->head)
			->bold = true;
	add_label(p, FRAME_X, 14, PICTURE_WIDTH - FRAME_X, NORMAL,
		  "the driver domain: its kernel is shared by all of these");
}

/* Rows @first to @end are of one client. */
static void add_client(struct picture *p, const struct picture_row *row, unsigned first,
		       unsigned end)
{
	int y = row_y(first), room = clients.w - 2 * MARGIN;

	add_box(p, (struct picture_box){clients.x, y, clients.w, row_y(end) - GAP - y,
					PICTURE_CLIENT});
	for (unsigned i = 0; i < 3 && row->client_is[i]; i++) {
		struct picture_label *label =
			add_label(p, clients.x + MARGIN, y + LINE_ONE + (int)i * LINE,
				  room, i ? NORMAL : LARGE, row->client_is[i]);

		label->bold = !i;
		label->faint = i;
	}
}

static void add_instance(struct picture *p, const struct picture_row *row, int y)
{
	int x = instances.x + MARGIN, room = instances.w - 2 * MARGIN;
	int kind = width_of(strlen(row->kind), NORMAL);
	struct picture_label *label;

	add_box(p, (struct picture_box){instances.x, y, instances.w, ROW,
					row->domain ? PICTURE_OPEN : PICTURE_INSTANCE});
	kind = kind < room / 3 ? kind : room / 3;
	add_label(p, x, y + LINE_ONE, room - kind - MARGIN, LARGE, row->name)->bold =
		true;
	add_label(p, x + room - kind, y + LINE_ONE, kind, NORMAL, row->kind)->faint =
		true;
	add_label(p, x, y + LINE_ONE + LINE, room, NORMAL, row->data);
	add_label(p, x, y + LINE_ONE + 2 * LINE, room, NORMAL, row->rings);
	if (!row->domain)
		return;
	label = add_label(p, x, y + LINE_ONE + 3 * LINE, room, NORMAL,
			  "NO KEEPER: Isolation = domain");
	label->bold = label->alarm = true;
}

static void add_reach(struct picture *p, const struct picture_row *row, int y)
{
	p->line[p->lines++] = (struct picture_line){
		.x1 = clients.x + clients.w,
		.y1 = y + ROW / 2,
		.x2 = instances.x,
		.y2 = y + ROW / 2,
		.to_first = row->writes,
		.to_second = row->reads,
		.alarm = row->domain,
	};
}

/* Which row of these names its resource first. */
static unsigned first_with(const struct picture_row *rows, unsigned row)
{
	for (unsigned i = 0; i < row; i++) {
		if (!strcmp(rows[i].resource, rows[row].resource))
			return i;
	}
	return row;
}

static unsigned users_of(const struct picture_row *rows, unsigned n, unsigned row)
{
	unsigned users = 0;

	for (unsigned i = 0; i < n; i++)
		users += !strcmp(rows[i].resource, rows[row].resource);
	return users;
}

static void add_resource(struct picture *p, const struct picture_row *rows, unsigned n,
			 unsigned row)
{
	int y = row_y(row), x = resources.x + MARGIN, room = resources.w - 2 * MARGIN;
	unsigned users = users_of(rows, n, row);
	char text[PICTURE_TEXT];

	add_box(p, (struct picture_box){resources.x, y, resources.w, ROW,
					rows[row].group ? PICTURE_GROUP
							: PICTURE_RESOURCE});
	add_label(p, x, y + LINE_ONE, room, NORMAL, rows[row].resource)->bold = true;
	if (rows[row].group)
		snprintf(text, sizeof(text), "ISOLATION GROUP %u", rows[row].group);
	else if (users > 1)
		snprintf(text, sizeof(text), "named by %u of these", users);
	else
		return;
	add_label(p, x, y + LINE_ONE + LINE, room, NORMAL, text);
}

static void add_use(struct picture *p, unsigned row, unsigned resource)
{
	p->line[p->lines++] = (struct picture_line){
		.x1 = instances.x + instances.w,
		.y1 = row_y(row) + ROW / 2,
		.x2 = resources.x,
		.y2 = row_y(resource) + ROW / 2,
	};
}

void picture_lay_out(struct picture *p, const struct picture_row *rows, unsigned n)
{
	unsigned first = 0;

	assert(n <= PICTURE_ROWS);
	*p = (struct picture){.height = row_y(n) + 4};
	add_heads(p, p->height - 2);
	for (unsigned i = 0; i < n; i++) {
		unsigned resource = first_with(rows, i);

		if (i + 1 == n || rows[i + 1].client != rows[i].client) {
			add_client(p, &rows[first], first, i + 1);
			first = i + 1;
		}
		add_instance(p, &rows[i], row_y(i));
		add_reach(p, &rows[i], row_y(i));
		if (resource == i)
			add_resource(p, rows, n, i);
		add_use(p, i, resource);
	}
}
