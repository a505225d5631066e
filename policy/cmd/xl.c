/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy xl: the lines of a client's xl.cfg for the instances named, and for those
 * that xl cannot give it the command that does: see xl.h.
 */
#include "policy/cmd/xl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/class.h"
#include "policy/cmd/answer.h"

#define DEFAULT_CLIENT "CLIENT"

static const char *const words[XL_NONE] = {"disk", "vif", "vsnd", "vdispl"};

struct xl {
	struct set set;
	const char *backend, *client;
	struct xl_device *device; /* of each entry; then by word and number */
	struct answer answer;
};

/* False: not understood, and that has been said. */
static bool read_options(int argc, char **argv, struct xl *xl)
{
	static const struct option options[] = {
		{"backend", required_argument, NULL, 'b'},
		{"client", required_argument, NULL, 'c'},
		{NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?') {
			report_usage(&xl->answer.report, "see xdd-policy --help");
			return false;
		}
		if (!xl_plain(optarg)) {
			report_usage(&xl->answer.report,
				     "\"%s\" is no domain; allowed: letters, digits "
				     "and ._+-/@",
				     optarg);
			return false;
		}
		*(c == 'b' ? &xl->backend : &xl->client) = optarg;
	}
	if (optind < argc)
		return true;
	report_usage(&xl->answer.report,
		     "xl for what? Name the instances of one client, such "
		     "as ivi_disk, or their files");
	return false;
}

/* -- One client -------------------------------------------------------------- */

static bool same_device(const struct xl_device *a, const struct xl_device *b)
{
	const struct policy *p = &a->entry->policy, *q = &b->entry->policy;

	return p->class == q->class && p->door == q->door && a->id == b->id;
}

static void check_two(struct xl *xl, const struct xl_device *a,
		      const struct xl_device *b)
{
	const struct policy *p = &a->entry->policy, *q = &b->entry->policy;

	if (!p->any_domain && !q->any_domain && p->domain.v != q->domain.v)
		report_error(&xl->answer.report, b->entry->path,
			     q->line[POLICY_KEY_DOMAIN],
			     "its client is domain %u, and that of %s domain %u; an "
			     "xl.cfg is one client's: name its instances alone",
			     q->domain.v, p->name, p->domain.v);
	if (same_device(a, b))
		report_error(&xl->answer.report, b->entry->path,
			     q->line[POLICY_KEY_DEVICE],
			     "device %s is %s's already; name one of the two",
			     q->device, p->name);
}

/* A number that xl gives is another one when the client is started again. */
static void check_number(struct xl *xl, const struct set_entry *entry)
{
	const struct policy *policy = &entry->policy;

	if (!policy->any_domain)
		report_warning(&xl->answer.report, entry->path,
			       policy->line[POLICY_KEY_DOMAIN],
			       "Domain = %u, and xl gives a client another number each "
			       "time it starts; Domain = any and a Tag hold for all of "
			       "them",
			       policy->domain.v);
}

static void check(struct xl *xl)
{
	for (unsigned i = 0; i < xl->set.n; i++) {
		check_number(xl, &xl->set.entry[i]);
		for (unsigned j = 0; j < i; j++)
			check_two(xl, &xl->device[j], &xl->device[i]);
	}
}

static int by_place(const void *a, const void *b)
{
	const struct xl_device *x = a, *y = b;

	if (x->word != y->word)
		return x->word < y->word ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return strcmp(x->entry->policy.name, y->entry->policy.name);
}

/* xl counts cards and displays in the order of its file: a number that comes out
 * otherwise is not to be had. The devices are in order. */
static void check_places(struct xl *xl)
{
	uint32_t place[XL_NONE + 1] = {0};

	for (unsigned i = 0; i < xl->set.n; i++) {
		struct xl_device *device = &xl->device[i];

		if (device->word != XL_VSND && device->word != XL_VDISPL)
			continue;
		if (device->id == place[device->word]) {
			place[device->word]++;
			continue;
		}
		device->word = XL_NONE;
		device->why = "xl numbers such devices from 0, and none here has the "
			      "number before it";
	}
	qsort(xl->device, xl->set.n, sizeof(*xl->device), by_place);
}

/* -- What is printed --------------------------------------------------------- */

/* "xdd-attach attach ...": of one line, and ASCII. */
static json_t *command(const struct xl *xl, const struct xl_device *device)
{
	const struct policy *policy = &device->entry->policy;
	json_t *path = answer_text(device->entry->path), *text;
	char number[8];

	snprintf(number, sizeof(number), "%u", policy->domain.v);
	text = json_sprintf("xdd-attach attach --backend %s --client %s %s",
			    xl->backend,
			    xl->client		 ? xl->client
			    : policy->any_domain ? DEFAULT_CLIENT
						 : number,
			    json_string_value(path));
	json_decref(path);
	return text;
}

static void print_spec(const json_t *spec)
{
	const json_t *text;
	size_t i;

	if (json_is_string(spec)) {
		printf("\"%s\"", json_string_value(spec));
		return;
	}
	putchar('[');
	json_array_foreach(spec, i, text)
		printf("%s\n\t\t\"%s\"", i ? "," : "", json_string_value(text));
	printf(" ]");
}

static void print_word(const struct xl *xl, enum xl_word word)
{
	bool any = false;

	for (unsigned i = 0; i < xl->set.n; i++) {
		const struct xl_device *device = &xl->device[i];

		if (device->word != word)
			continue;
		printf("%s\n\t", any ? "," : "");
		any = true;
		print_spec(device->spec);
	}
}

static unsigned count(const struct xl *xl, enum xl_word word)
{
	unsigned n = 0;

	for (unsigned i = 0; i < xl->set.n; i++)
		n += xl->device[i].word == word;
	return n;
}

static void print_attached(const struct xl *xl, const struct xl_device *device)
{
	json_t *text = command(xl, device);

	printf("# %s: %s. When the client runs:\n#   %s\n", device->entry->policy.name,
	       device->why, json_string_value(text));
	json_decref(text);
}

static void print(const struct xl *xl)
{
	printf("# Devices that the domain %s serves one client: xdd-policy(8).\n",
	       xl->backend);
	for (unsigned word = 0; word < XL_NONE; word++) {
		if (!count(xl, word))
			continue;
		printf("%s = [", words[word]);
		print_word(xl, word);
		printf(" ]\n");
	}
	for (unsigned i = 0; i < xl->set.n; i++) {
		const struct xl_device *device = &xl->device[i];

		if (device->word == XL_NONE)
			print_attached(xl, device);
		if (device->leaves)
			printf("# %s: xl leaves out the formats %s, which it calls "
			       "otherwise than clients do; xdd-attach has them.\n",
			       device->entry->policy.name, device->leaves);
	}
}

static json_t *object_of(const struct xl *xl, const struct xl_device *device)
{
	const bool none = device->word == XL_NONE;

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "instance",
			 device->entry->policy.name, "word",
			 none ? json_null() : json_string(words[device->word]), "spec",
			 none ? json_null() : json_incref(device->spec), "leaves_out",
			 device->leaves ? json_string(device->leaves) : json_null(),
			 "why_not", none ? json_string(device->why) : json_null(),
			 "command", none ? command(xl, device) : json_null());
}

static json_t *result_of(const struct xl *xl)
{
	json_t *devices = json_array();

	for (unsigned i = 0; i < xl->set.n; i++)
		json_array_append_new(devices, object_of(xl, &xl->device[i]));
	return json_pack("{s:s, s:o}", "backend", xl->backend, "devices", devices);
}

/* All that are named could be read. NULL: it is printed, or something is wrong. */
static json_t *make(struct xl *xl)
{
	json_t *result = NULL;

	xl->device = calloc(xl->set.n + 1, sizeof(*xl->device));
	if (!xl->device)
		abort();
	for (unsigned i = 0; i < xl->set.n; i++)
		xl->device[i] = xl_device(&xl->set.entry[i], xl->backend);
	check(xl);
	qsort(xl->device, xl->set.n, sizeof(*xl->device), by_place);
	check_places(xl);
	if (!xl->answer.report.errors && answer_json(&xl->answer))
		result = result_of(xl);
	else if (!xl->answer.report.errors)
		print(xl);
	for (unsigned i = 0; i < xl->set.n; i++)
		xl_device_free(&xl->device[i]);
	free(xl->device);
	return result;
}

int xl_main(int argc, char **argv)
{
	struct xl xl = {.backend = "drv"};
	json_t *result = NULL;

	answer_begin(&xl.answer, &argc, argv);
	if (!read_options(argc, argv, &xl))
		return answer_end(&xl.answer, 2, NULL);
	for (int i = optind; i < argc; i++)
		set_add(&xl.set, argv[i], &xl.answer.report);
	if (!xl.answer.report.errors)
		result = make(&xl);
	set_free(&xl.set);
	return answer_end(&xl.answer, xl.answer.report.errors ? 2 : 0, result);
}
