/* SPDX-License-Identifier: MIT */
/* What does not ask Xen of a look: see witness-look.h. */
#include "xenbus/cmd/witness-look.h"

#include <stdlib.h>
#include <string.h>

#include "common/file.h"

const char *look_file(const char *path, struct scene *scene)
{
	char *text = malloc(LOOK_TEXT + 1);
	ssize_t len = text ? file_read(path, text, LOOK_TEXT + 1) : 0;
	const char *why;

	if (!text)
		return "there is no memory for it";
	if (len < 0)
		why = strerror((int)-len);
	else if (len > LOOK_TEXT)
		why = "it is larger than any console ring";
	else
		why = usage_parse(text, (size_t)len, &scene->usage);
	scene->saw_ports = false;
	scene->ports = 0;
	free(text);
	return why;
}

static const struct usage_row *same_row(const struct usage *usage, struct domid owner,
					const struct usage_row *row)
{
	const struct usage_table *table = usage_of(usage, owner);
	size_t low = table ? table->first : 0, high = table ? low + table->rows : 0;

	while (low < high) {
		size_t at = low + (high - low) / 2;

		if (usage->row[at].ref.v < row->ref.v)
			low = at + 1;
		else
			high = at;
	}
	if (!table || low == table->first + table->rows)
		return NULL;
	row = usage->row[low].ref.v == row->ref.v &&
			      usage->row[low].user.v == row->user.v
		      ? &usage->row[low]
		      : NULL;
	return row;
}

static uint8_t least(uint8_t a, uint8_t b)
{
	return a < b ? a : b;
}

/* Invariant of usage: the tables' rows stand one behind the other. */
static void both_usages(struct usage *usage, const struct usage *now)
{
	size_t n = 0;

	for (size_t t = 0; t < usage->tables; t++) {
		struct usage_table *table = &usage->table[t];
		size_t first = n;

		for (size_t i = table->first; i < table->first + table->rows; i++) {
			struct usage_row row = usage->row[i];
			const struct usage_row *same = same_row(now, table->id, &row);

			if (!same)
				continue;
			row.writable = least(row.writable, same->writable);
			row.readable = least(row.readable, same->readable);
			usage->row[n++] = row;
		}
		table->first = first;
		table->rows = n - first;
	}
	usage->rows = n;
}

static bool has_port(const struct scene *scene, const struct scene_port *port)
{
	for (unsigned i = 0; i < scene->ports; i++) {
		const struct scene_port *at = &scene->port[i];

		if (at->port.v == port->port.v && at->state == port->state &&
		    at->remote.v == port->remote.v &&
		    at->remote_port.v == port->remote_port.v)
			return true;
	}
	return false;
}

void look_both(struct scene *scene, const struct scene *now)
{
	unsigned n = 0;

	both_usages(&scene->usage, &now->usage);
	for (unsigned i = 0; i < scene->ports; i++) {
		if (has_port(now, &scene->port[i]))
			scene->port[n++] = scene->port[i];
	}
	scene->ports = n;
}

void look_forget(struct scene *scene)
{
	usage_free(&scene->usage);
	free(scene->port);
	scene->port = NULL;
	scene->ports = 0;
}
