/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: usage_parse() on any bytes, as Xen's console ring may have them.
 *
 * Whatever comes in: what is accepted is ordered, within its own bounds, and of one
 * whole dump; what is refused has a reason and leaves nothing behind.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "xenbus/cmd/witness-usage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_rows(const struct usage *usage, const struct usage_table *table)
{
	must(table->first <= usage->rows && table->rows <= usage->rows - table->first);
	for (size_t i = 0; i < table->rows; i++) {
		const struct usage_row *row = &usage->row[table->first + i];

		must(!i || row[-1].ref.v < row->ref.v);
		must(row->writable || row->readable);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char begin[] = "gnttab_usage_print_all [ key 'g' pressed",
			  end[] = "gnttab_usage_print_all ] done";
	struct usage usage;
	const char *why = usage_parse((const char *)data, size, &usage);
	size_t rows = 0;

	if (why) {
		must(*why && !usage.table && !usage.row && !usage.tables &&
		     !usage.rows);
		return 0;
	}
	must(memmem(data, size, begin, strlen(begin)) &&
	     memmem(data, size, end, strlen(end)));
	for (size_t i = 0; i < usage.tables; i++) {
		must(!i || usage.table[i - 1].id.v < usage.table[i].id.v);
		must(usage.table[i].first == rows);
		must(usage_of(&usage, usage.table[i].id) == &usage.table[i]);
		check_rows(&usage, &usage.table[i]);
		rows += usage.table[i].rows;
	}
	must(rows == usage.rows);
	usage_free(&usage);
	return 0;
}
