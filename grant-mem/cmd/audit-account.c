/* SPDX-License-Identifier: MIT */
/* xdd-audit account: what each instance was allowed and refused; see xdd-audit(8). */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "grant-mem/cmd/audit-commands.h"
#include "grant-mem/cmd/audit-print.h"
#include "grant-mem/cmd/audit-sum.h"

static void take(struct trail *trail, const struct entry *entry)
{
	sum_add(trail->reader, entry);
}

static void print_reasons(const struct sum *sum)
{
	for (unsigned i = 0; i < sum->reasons; i++) {
		printf("  %12s%9" PRIu64 " x ", "", sum->reason[i].times);
		print_text(sum->reason[i].text);
		putchar('\n');
	}
	if (sum->others)
		printf("  %12s%9" PRIu64 " x for further reasons\n", "", sum->others);
}

static void print_sum(const char *name, const struct sum *sum, int status)
{
	print_text(name);
	if (*sum->class) {
		printf(" (");
		print_text(sum->class);
		putchar(')');
	}
	printf("%s\n  time        ", status ? ": the chain is BROKEN" : "");
	print_time(*sum->from ? sum->from : "no line");
	printf(" to ");
	print_time(*sum->to ? sum->to : "no line");
	printf(", %" PRIu64 " lines\n", sum->lines);
	printf("  started     %" PRIu64 " times in %" PRIu64 " boots, %" PRIu64
	       " reloads, %" PRIu64 " back ends\n",
	       sum->starts, sum->boots, sum->reloads, sum->connects);
	printf("  mapped      %" PRIu64 " maps of %" PRIu64 " pages, at most %" PRIu64
	       " pages at once\n",
	       sum->maps, sum->mapped, sum->most);
	printf("  copied      %" PRIu64 " segments, %" PRIu64 " bytes\n", sum->segments,
	       sum->copied);
	printf("  bound       %" PRIu64 " event channels\n", sum->binds);
	printf("  refused     %" PRIu64 "\n", sum->refused);
	print_reasons(sum);
	printf("  reported    %" PRIu64 " by the back end\n", sum->reported);
	printf("  no lines    %" PRIu64 " counted, %" PRIu64 " lost\n", sum->counted,
	       sum->lost);
}

static json_t *number(uint64_t n)
{
	return json_integer(n < INT64_MAX ? (json_int_t)n : INT64_MAX);
}

/* What a hostile log says may be no text that JSON has; then it is null. */
static json_t *words(const char *text)
{
	json_t *value = json_string(text);

	return value ? value : json_null();
}

/* Those that JSON has no text for are among @*others. */
static json_t *reasons_object(const struct sum *sum, uint64_t *others)
{
	json_t *object = json_object();

	*others = sum->others;
	for (unsigned i = 0; i < sum->reasons; i++) {
		if (json_object_set_new(object, sum->reason[i].text,
					number(sum->reason[i].times)))
			*others += sum->reason[i].times;
	}
	return object;
}

static void print_object(const char *name, const struct sum *sum, int status)
{
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {
		{"lines", sum->lines},
		{"starts", sum->starts},
		{"boots", sum->boots},
		{"reloads", sum->reloads},
		{"back_ends", sum->connects},
		{"maps", sum->maps},
		{"mapped_pages", sum->mapped},
		{"pages_at_most", sum->most},
		{"copied_segments", sum->segments},
		{"copied_bytes", sum->copied},
		{"binds", sum->binds},
		{"refused", sum->refused},
		{"reported", sum->reported},
		{"counted", sum->counted},
		{"lost", sum->lost},
	};
	json_t *object = json_object();
	uint64_t others;

	json_object_set_new(object, "instance", words(name));
	json_object_set_new(object, "class", words(sum->class));
	json_object_set_new(object, "sound", json_boolean(!status));
	json_object_set_new(object, "first", words(sum->from));
	json_object_set_new(object, "last", words(sum->to));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		json_object_set_new(object, rows[i].name, number(rows[i].n));
	json_object_set_new(object, "reasons", reasons_object(sum, &others));
	json_object_set_new(object, "further_reasons", number(others));
	print_json(object);
	json_decref(object);
}

int account_main(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	static struct trail trail;
	static struct sum sum;
	int status = AUDIT_SOUND, r, c;
	bool json = false;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j')
			return AUDIT_UNREADABLE;
		json = true;
	}
	if (optind == argc) {
		fprintf(stderr, "xdd-audit: account: which log? Such as "
				"/var/log/xdd/ivi_disk\n");
		return AUDIT_UNREADABLE;
	}
	for (int i = optind; i < argc; i++) {
		sum = (struct sum){.lines = 0};
		trail = (struct trail){.entry = take, .reader = &sum};
		r = audit_read(&trail, argv[i]);
		status = audit_worse(status, r);
		if (r == AUDIT_UNREADABLE)
			continue;
		(json ? print_object : print_sum)(trail.name, &sum, r);
	}
	return status;
}
