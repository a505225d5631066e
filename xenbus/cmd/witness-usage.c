/* SPDX-License-Identifier: MIT */
/* The console ring after the debug key 'g', parsed: see witness-usage.h. The form is
 * that of Xen 4.17 to 4.21 (gnttab_usage_print, xen/common/grant_table.c). */
#include "xenbus/cmd/witness-usage.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX "(XEN) "
#define BEGIN  "gnttab_usage_print_all [ key 'g' pressed"
#define END    "gnttab_usage_print_all ] done"
#define BANNER "      -------- active --------       -------- shared --------"
#define HEADS  "[ref] localdom mfn      pin          localdom gmfn     flags"
#define TABLE  "grant-table for remote d"
#define NONE   "no active grant table entries"

static const char no_memory[] = "there is no memory for it";
static const char torn[] =
	"a line of the dump is torn, or of a form that this xdd-witness does not know";
static const char cut[] = "the dump was cut in its middle";
static const char two[] = "two dumps were made at once";

/* What is left of a line. */
struct rest {
	const char *at, *end;
};

/* What may come next inside a dump. */
enum want {
	OUTSIDE,
	WANT_BANNER, /* or the end */
	WANT_HEADS,
	WANT_TABLE,
	WANT_FRAMES,
	WANT_ROWS, /* at least one, or the word that there is none */
	WANT_MORE, /* rows, the next banner, or the end */
};

struct parse {
	struct usage *out;
	enum want want;
	size_t table_room, row_room;
	bool whole;    /* *out has a dump */
	bool headless; /* there was an end without a beginning */
};

static bool word(struct rest *rest, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(rest->end - rest->at) < len || memcmp(rest->at, text, len))
		return false;
	rest->at += len;
	return true;
}

static bool line_is(struct rest rest, const char *text)
{
	return word(&rest, text) && rest.at == rest.end;
}

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

static bool number(struct rest *rest, unsigned base, uint64_t max, uint64_t *out)
{
	const char *first = rest->at;
	uint64_t n = 0;
	unsigned digit;

	for (; rest->at < rest->end; rest->at++) {
		digit = digit_of(*rest->at);
		if (digit >= base)
			break;
		if (n > (max - digit) / base || digit > max)
			return false;
		n = n * base + digit;
	}
	*out = n;
	return rest->at > first;
}

static void spaces(struct rest *rest)
{
	while (rest->at < rest->end && *rest->at == ' ')
		rest->at++;
}

/* "[2026-03-01 10:00:00.123] " or "[    1.234567] ", with console_timestamps. */
static void skip_timestamp(struct rest *rest)
{
	struct rest at = *rest;

	if (!word(&at, "["))
		return;
	while (at.at < at.end && memchr("0123456789abcdef-:. ", *at.at, 20))
		at.at++;
	if (word(&at, "] "))
		*rest = at;
}

/* "  1 frames (64 max), 18 maptrack frames (1024 max)" */
static bool read_frames(struct rest rest, struct usage_table *table)
{
	uint64_t n[4];
	static const char *const words[] = {" frames (", " max), ",
					    " maptrack frames (", " max)"};

	if (!word(&rest, "  "))
		return false;
	for (unsigned i = 0; i < 4; i++) {
		if (!number(&rest, 10, UINT32_MAX, &n[i]) || !word(&rest, words[i]))
			return false;
	}
	table->frames = (uint32_t)n[0];
	table->frames_max = (uint32_t)n[1];
	table->maptrack = (uint32_t)n[2];
	table->maptrack_max = (uint32_t)n[3];
	return rest.at == rest.end;
}

/* "grant-table for remote d3 (v1)" */
static bool read_table(struct rest rest, struct usage_table *table)
{
	uint64_t id, version;

	if (!word(&rest, TABLE) || !number(&rest, 10, UINT16_MAX, &id) ||
	    !word(&rest, " (v") || !number(&rest, 10, 2, &version) ||
	    !word(&rest, ")") || rest.at != rest.end)
		return false;
	*table = (struct usage_table){.id = {(uint16_t)id},
				      .version = (unsigned)version};
	return true;
}

static bool hex(struct rest *rest, uint64_t max, uint64_t *out)
{
	spaces(rest);
	return word(rest, "0x") && number(rest, 16, max, out);
}

static bool domain(struct rest *rest, uint64_t *out)
{
	spaces(rest);
	return number(rest, 10, UINT16_MAX, out);
}

static uint8_t times(uint64_t pin, unsigned host, unsigned device)
{
	uint64_t n = (pin >> host & 0xff) + (pin >> device & 0xff);

	return n < UINT8_MAX ? (uint8_t)n : UINT8_MAX;
}

/* "[0x00b]      1 0x1bc8f6 0x00000002          1 0x1bc8f6 0x19": four counters of eight
 * bits are the pin, from the lowest: the processor's writable and readable ones, and a
 * device's. */
static bool read_row(struct rest rest, struct usage_row *row)
{
	uint64_t ref, user, frame, pin, granted, status;

	if (!word(&rest, "[0x") || !number(&rest, 16, UINT32_MAX, &ref) ||
	    !word(&rest, "]") || !domain(&rest, &user) ||
	    !hex(&rest, UINT64_MAX, &frame) || !hex(&rest, UINT32_MAX, &pin) ||
	    !domain(&rest, &granted) || !hex(&rest, UINT64_MAX, &frame) ||
	    !hex(&rest, UINT16_MAX, &status) || rest.at != rest.end || !pin)
		return false;
	*row = (struct usage_row){{(uint32_t)ref},
				  {(uint16_t)user},
				  times(pin, 0, 16),
				  times(pin, 8, 24)};
	return true;
}

/* Room for one more of @size bytes behind @n. */
static void *room(void *list, size_t n, size_t *has, size_t size)
{
	size_t want = *has ? *has * 2 : 64;
	void *more;

	if (n < *has)
		return list;
	more = reallocarray(list, want, size);
	if (more)
		*has = want;
	return more;
}

static const char *add_table(struct parse *p, struct rest rest)
{
	struct usage *u = p->out;
	struct usage_table table, *list;

	if (!read_table(rest, &table))
		return torn;
	if (u->tables && u->table[u->tables - 1].id.v >= table.id.v)
		return two;
	list = room(u->table, u->tables, &p->table_room, sizeof(*list));
	if (!list)
		return no_memory;
	u->table = list;
	table.first = u->rows;
	u->table[u->tables++] = table;
	p->want = WANT_FRAMES;
	return NULL;
}

static const char *add_row(struct parse *p, struct rest rest)
{
	struct usage *u = p->out;
	struct usage_table *table = &u->table[u->tables - 1];
	struct usage_row row, *list;

	if (!read_row(rest, &row))
		return torn;
	if (table->rows && u->row[u->rows - 1].ref.v >= row.ref.v)
		return two;
	list = room(u->row, u->rows, &p->row_room, sizeof(*list));
	if (!list)
		return no_memory;
	u->row = list;
	u->row[u->rows++] = row;
	table->rows++;
	p->want = WANT_MORE;
	return NULL;
}

static const char *take_frames(struct parse *p, struct rest rest)
{
	p->want = WANT_ROWS;
	return read_frames(rest, &p->out->table[p->out->tables - 1]) ? NULL : torn;
}

static const char *take_banner(struct parse *p, struct rest rest)
{
	p->want = WANT_HEADS;
	return line_is(rest, BANNER) ? NULL : torn;
}

static const char *take_heads(struct parse *p, struct rest rest)
{
	p->want = WANT_TABLE;
	return line_is(rest, HEADS) ? NULL : torn;
}

static const char *take_none(struct parse *p, struct rest rest)
{
	p->want = WANT_MORE;
	return line_is(rest, NONE) ? NULL : torn;
}

static const char *take_begin(struct parse *p, struct rest rest)
{
	if (p->want != OUTSIDE)
		return two;
	p->want = WANT_BANNER;
	p->whole = p->headless = false;
	p->out->tables = p->out->rows = p->out->foreign = 0;
	return line_is(rest, BEGIN) ? NULL : torn;
}

static const char *take_end(struct parse *p, struct rest rest)
{
	if (!line_is(rest, END))
		return torn;
	p->headless = p->want == OUTSIDE;
	p->whole = !p->headless;
	p->want = OUTSIDE;
	return NULL;
}

#define BIT(want) (1u << (want))

/* The lines of a dump, by how each begins, and when it may come. */
static const struct kind {
	const char *begin;
	unsigned when;
	const char *(*take)(struct parse *p, struct rest rest);
} kinds[] = {
	{"gnttab_usage_print_all [", ~0u, take_begin},
	{"gnttab_usage_print_all ]", BIT(OUTSIDE) | BIT(WANT_MORE), take_end},
	{"      -", BIT(WANT_BANNER) | BIT(WANT_MORE), take_banner},
	{"[ref]", BIT(WANT_HEADS), take_heads},
	{"grant-table for", BIT(WANT_TABLE), add_table},
	{"  ", BIT(WANT_FRAMES), take_frames},
	{"[0x", BIT(WANT_ROWS) | BIT(WANT_MORE), add_row},
	{"no active grant", BIT(WANT_ROWS), take_none},
	{NULL, 0, NULL},
};

static const struct kind *kind_of(struct rest rest)
{
	const struct kind *kind = kinds;

	while (kind->begin && !word(&rest, kind->begin))
		kind++;
	return kind->begin ? kind : NULL;
}

/* "(d3) " stands before what a PV domain prints. */
static bool is_of_domain(struct rest rest)
{
	uint64_t id;

	return word(&rest, "(d") && number(&rest, 10, UINT16_MAX, &id) &&
	       word(&rest, ") ");
}

/* A line that somebody else began and Xen went on with: one of the dump is in it, and
 * cannot be told from one that is made up. */
static bool has_ours(struct rest rest)
{
	const char *at;

	while ((at = memmem(rest.at, (size_t)(rest.end - rest.at), PREFIX,
			    strlen(PREFIX)))) {
		rest.at = at + strlen(PREFIX);
		skip_timestamp(&rest);
		if (kind_of(rest))
			return true;
	}
	return false;
}

static const char *take_line(struct parse *p, struct rest rest)
{
	const struct kind *kind;

	if (!word(&rest, PREFIX)) {
		p->out->foreign++;
		return p->want != OUTSIDE && !is_of_domain(rest) && has_ours(rest)
			       ? torn
			       : NULL;
	}
	skip_timestamp(&rest);
	kind = kind_of(rest);
	/* Others' lines are indented, too. */
	if (!kind || (kind->take == take_frames && p->want != WANT_FRAMES)) {
		p->out->foreign++;
		return NULL;
	}
	if (kind->when & BIT(p->want))
		return kind->take(p, rest);
	return p->want == OUTSIDE ? NULL : cut; /* an earlier one's, without its head */
}

static const char *verdict(const struct parse *p)
{
	if (p->want != OUTSIDE)
		return "the dump has no end";
	if (p->headless)
		return "the dump has lost its beginning: the console ring is too small "
		       "for it; give Xen a larger one, such as conring_size=4M on its "
		       "command line";
	return p->whole ? NULL : "there is no dump of the debug key 'g'";
}

const char *usage_parse(const char *text, size_t len, struct usage *out)
{
	struct parse parse = {.out = out};
	const char *end = text + len, *why = NULL;
	struct rest rest;

	*out = (struct usage){.table = NULL};
	while (text < end && !why) {
		rest.at = text;
		rest.end = memchr(text, '\n', (size_t)(end - text));
		rest.end = rest.end ? rest.end : end;
		text = rest.end + (rest.end < end);
		while (rest.end > rest.at && rest.end[-1] == '\r')
			rest.end--;
		why = take_line(&parse, rest);
	}
	why = why ? why : verdict(&parse);
	if (why)
		usage_free(out);
	return why;
}

void usage_free(struct usage *usage)
{
	free(usage->table);
	free(usage->row);
	*usage = (struct usage){.table = NULL};
}

static int by_id(const void *key, const void *table)
{
	const struct domid *id = key;

	return (int)id->v - ((const struct usage_table *)table)->id.v;
}

const struct usage_table *usage_of(const struct usage *usage, struct domid id)
{
	if (!usage->tables)
		return NULL;
	return bsearch(&id, usage->table, usage->tables, sizeof(*usage->table), by_id);
}
