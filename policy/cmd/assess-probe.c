/* SPDX-License-Identifier: MIT */
/* What xdd-probe printed: see assess-proof.h, and xdd-probe(8) for its form. */
#include <stdlib.h>
#include <string.h>

#include "common/number.h"
#include "policy/cmd/assess-proof.h"

#define LINE_MAX_BYTES 1024 /* xdd-probe writes half of that */

const char *const probe_words[PROBE_RESULTS] = {"refused", "allowed", "skipped"};

static const char torn[] = "it does not end with how many were refused, allowed and "
			   "skipped: it is torn; run xdd-probe again";

/* What the last line of a run says. */
struct verdict_line {
	uint64_t count[PROBE_RESULTS];
};

/* A text that is being read. */
struct reading {
	struct probe *probe;
	uint64_t count[PROBE_RESULTS]; /* since the last run ended */
	const char *why;	       /* what is wrong, or NULL */
};

static char *copy_of(const char *text, size_t len)
{
	char *copy = strndup(text, len);

	if (!copy)
		abort();
	return copy;
}

static void free_row(struct probe_row *row)
{
	free(row->name);
	free(row->detail);
	free(row->proves);
}

static struct probe_row *row_like(struct probe *probe, enum probe_result result,
				  const char *name, const char *detail)
{
	for (size_t i = 0; i < probe->rows; i++) {
		struct probe_row *row = &probe->row[i];

		if (row->result == result && !strcmp(row->name, name) &&
		    !strcmp(row->detail, detail))
			return row;
	}
	return NULL;
}

/* @row's texts are given away. */
static void add_row(struct reading *r, struct probe_row row)
{
	struct probe *probe = r->probe;
	struct probe_row *like = row_like(probe, row.result, row.name, row.detail);

	r->count[row.result]++;
	if (like || probe->rows == PROBE_ROWS) {
		if (like)
			like->times++;
		else
			r->why = "more tries than any xdd-probe makes";
		free_row(&row);
		return;
	}
	row.times = 1;
	probe->row = reallocarray(probe->row, probe->rows + 1, sizeof(row));
	if (!probe->row)
		abort();
	probe->row[probe->rows++] = row;
}

/* A run has ended: it has to be whole. */
static void end_run(struct reading *r, const struct verdict_line *verdict)
{
	for (unsigned i = 0; i < PROBE_RESULTS; i++) {
		if (verdict->count[i] != r->count[i])
			r->why = "other tries are above than it says that there were: "
				 "it is torn; run xdd-probe again";
		r->probe->count[i] += r->count[i];
		r->count[i] = 0;
	}
	r->probe->runs++;
}

static int result_of(const char *word)
{
	for (int i = 0; i < PROBE_RESULTS; i++) {
		if (!strcasecmp(word, probe_words[i]))
			return i;
	}
	return -1;
}

/* "refused  NAME  (DETAIL)" */
static bool take_words(struct reading *r, const char *line)
{
	char word[8], *name, *end;
	int result;

	if (strlen(line) < 9 || strncmp(line + 7, "  ", 2))
		return false;
	memcpy(word, line, 7);
	word[7] = '\0';
	result = result_of(word);
	name = strstr(line + 9, "  (");
	end = strrchr(line, ')');
	if (result < 0 || !name || !end || end[1] || end < name + 3)
		return false;
	add_row(r, (struct probe_row){
			   .result = (enum probe_result)result,
			   .name = copy_of(line + 9, (size_t)(name - line - 9)),
			   .detail = copy_of(name + 3, (size_t)(end - name - 3))});
	return true;
}

/* "205 refused, 0 allowed, 10 skipped" */
static bool take_verdict(struct verdict_line *verdict, const char *line)
{
	for (unsigned i = 0; i < PROBE_RESULTS; i++) {
		size_t digits = strspn(line, "0123456789"),
		       word = strlen(probe_words[i]);
		const char *behind = i + 1 < PROBE_RESULTS ? ", " : "";

		if (!number_parse(line, digits, UINT32_MAX, &verdict->count[i]) ||
		    line[digits] != ' ' ||
		    strncmp(line + digits + 1, probe_words[i], word))
			return false;
		line += digits + 1 + word;
		if (strncmp(line, behind, 2))
			return false;
		line += strlen(behind);
	}
	return true;
}

static bool take_counts(struct verdict_line *verdict, json_t *o)
{
	for (unsigned i = 0; i < PROBE_RESULTS; i++) {
		json_t *n = json_object_get(o, probe_words[i]);

		if (!json_is_integer(n) || json_integer_value(n) < 0)
			return false;
		verdict->count[i] = (uint64_t)json_integer_value(n);
	}
	return true;
}

static bool take_try(struct reading *r, json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "name"));
	const char *detail = json_string_value(json_object_get(o, "detail"));
	const char *proves = json_string_value(json_object_get(o, "proves"));
	const char *word = json_string_value(json_object_get(o, "result"));
	int result = word ? result_of(word) : -1;

	if (!name || !detail || result < 0)
		return false;
	add_row(r, (struct probe_row){
			   .result = (enum probe_result)result,
			   .name = copy_of(name, strlen(name)),
			   .detail = copy_of(detail, strlen(detail)),
			   .proves = proves ? copy_of(proves, strlen(proves)) : NULL,
		   });
	return true;
}

static bool take_object(struct reading *r, const char *line)
{
	json_t *o = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	struct verdict_line verdict;
	bool good = true;

	if (json_is_string(json_object_get(o, "lost")))
		r->probe->lost = true;
	else if (take_counts(&verdict, o))
		end_run(r, &verdict);
	else
		good = take_try(r, o);
	json_decref(o);
	return good;
}

static void take_line(struct reading *r, const char *line)
{
	struct verdict_line verdict;

	if (*line == '{') {
		if (!take_object(r, line) && !r->why)
			r->why = "not a line that xdd-probe --json prints";
		return;
	}
	if (!strncmp(line, "the keeper is lost: ", 20))
		r->probe->lost = true;
	else if (!take_words(r, line) && take_verdict(&verdict, line))
		end_run(r, &verdict);
}

const char *probe_read(struct probe *probe, const char *text, size_t len,
		       unsigned *line)
{
	struct reading r = {.probe = probe};
	const char *end = text + len;
	char copy[LINE_MAX_BYTES];
	unsigned number = 0;

	*probe = (struct probe){.lost = false};
	while (!r.why && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((newline ? newline : end) - text);

		number++;
		if (n < sizeof(copy) && !memchr(text, '\0', n)) {
			memcpy(copy, text, n);
			copy[n] = '\0';
			take_line(&r, copy);
		} else if (*text == '{') {
			r.why = "longer than a line that xdd-probe prints, or no text";
		}
		text = newline ? newline + 1 : end;
	}
	*line = r.why ? number : 0;
	if (!r.why && (!probe->runs || r.count[0] + r.count[1] + r.count[2]))
		r.why = torn;
	if (r.why)
		probe_fini(probe);
	return r.why;
}

void probe_fini(struct probe *probe)
{
	for (size_t i = 0; i < probe->rows; i++)
		free_row(&probe->row[i]);
	free(probe->row);
	*probe = (struct probe){.lost = false};
}
