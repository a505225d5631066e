/* SPDX-License-Identifier: MIT */
/* What xdd-witness --json printed: see assess-proof.h, and xdd-witness(8) for its form.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/cmd/assess-proof.h"

/* A number that may be null, and is of no use below 0. */
static int64_t number(json_t *value)
{
	json_int_t n = json_is_integer(value) ? json_integer_value(value) : -1;

	return n >= 0 ? n : -1;
}

/* A member that is not there, null, or of another type is not said. */
static int64_t number_in(json_t *object, const char *name)
{
	return number(json_object_get(object, name));
}

static const char *text_in(json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* The array @name of @root, whose every entry has texts and numbers of these names:
 * "instance:text" or "count:number". */
static bool is_list(json_t *root, const char *name, const char *text, const char *count)
{
	json_t *list = json_object_get(root, name), *entry;
	size_t i;

	if (!json_is_array(list))
		return false;
	json_array_foreach(list, i, entry)
	{
		if (!json_is_object(entry) || (text && !text_in(entry, text)) ||
		    number_in(entry, count) < 0)
			return false;
	}
	return true;
}

static void *rows_of(json_t *root, const char *name, size_t size, size_t *n)
{
	void *rows;

	*n = json_array_size(json_object_get(root, name));
	rows = calloc(*n + 1, size);
	if (!rows)
		abort();
	return rows;
}

static void read_instances(struct witness *w)
{
	json_t *o;
	size_t i;

	w->instance =
		rows_of(w->root, "instances", sizeof(*w->instance), &w->instances);
	json_array_foreach(json_object_get(w->root, "instances"), i, o)
	{
		json_t *log = json_object_get(o, "log");

		w->instance[i] = (struct witness_instance){
			.name = text_in(o, "instance"),
			.policy = text_in(o, "policy_sha256"),
			.client = number_in(o, "client"),
			.ring_pages = number_in(o, "ring_pages"),
			.data_pages = number_in(o, "data_pages"),
			.channels = number_in(o, "event_channels"),
			.registered = number_in(log, "registered_pages"),
			.log = text_in(log, "state"),
		};
	}
}

static void read_findings(struct witness *w)
{
	json_t *o;
	size_t i;

	w->finding = rows_of(w->root, "unexplained", sizeof(*w->finding), &w->findings);
	json_array_foreach(json_object_get(w->root, "unexplained"), i, o)
	{
		w->finding[i] = (struct witness_finding){
			.kind = text_in(o, "kind"),
			.instance = text_in(o, "instance"),
			.which = text_in(o, "which"),
			.why = text_in(o, "why"),
			.remedy = text_in(o, "remedy"),
			.client = number_in(o, "client"),
			.count = number_in(o, "count"),
		};
	}
}

static void read_maps(struct witness *w)
{
	json_t *o;
	size_t i;

	w->maps = rows_of(w->root, "maps", sizeof(*w->maps), &w->mapped);
	json_array_foreach(json_object_get(w->root, "maps"), i, o)
	{
		w->maps[i] = (struct witness_maps){number_in(o, "client"),
						   number_in(o, "pages"),
						   number_in(o, "writable")};
	}
}

static const char *wrong_form(json_t *root)
{
	if (!json_is_object(root) || number_in(root, "format") != 1)
		return "not what xdd-witness --json prints, \"format\": 1";
	if (number_in(root, "domain") < 0 ||
	    !json_is_boolean(json_object_get(root, "explained")))
		return "it does not say its domain, and whether all is explained";
	if (!is_list(root, "instances", "instance", "ring_pages") ||
	    !is_list(root, "maps", NULL, "pages") ||
	    !is_list(root, "unexplained", "why", "count"))
		return "its instances, maps or unexplained are not in their form";
	return NULL;
}

const char *witness_read(struct witness *w, const char *text, size_t len,
			 json_error_t *error)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, error), *part;
	const char *why;

	*w = (struct witness){.root = NULL};
	if (!root)
		return error->text;
	error->line = 0;
	why = wrong_form(root);
	if (why) {
		json_decref(root);
		return why;
	}
	w->root = root;
	w->domain = number_in(root, "domain");
	w->name = text_in(root, "name");
	w->explained = json_is_true(json_object_get(root, "explained"));
	part = json_object_get(root, "grant_table");
	w->grant_frames = number_in(part, "frames");
	w->grant_frames_max = number_in(part, "frames_max");
	part = json_object_get(root, "maptrack");
	w->maptrack = number_in(part, "frames");
	w->maptrack_max = number_in(part, "frames_max");
	part = json_object_get(root, "event_channels");
	w->unbound = number_in(part, "unbound");
	w->interdomain = number_in(part, "interdomain");
	w->other = number_in(part, "other");
	w->further = number_in(root, "further");
	read_instances(w);
	read_findings(w);
	read_maps(w);
	return NULL;
}

void witness_fini(struct witness *w)
{
	free(w->instance);
	free(w->finding);
	free(w->maps);
	json_decref(w->root);
	*w = (struct witness){.root = NULL};
}
