/* SPDX-License-Identifier: MIT */
/* xdd-audit show: the lines of logs that pass the filters, in words or as they are; see
 * xdd-audit(8). */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"
#include "grant-mem/cmd/audit-commands.h"
#include "grant-mem/cmd/audit-phrase.h"
#include "grant-mem/cmd/audit-print.h"

struct show {
	const char *instance, *event, *since, *until; /* or NULL */
	uint64_t domid;				      /* or ENTRY_NO_CLIENT */
	bool refused; /* and what was counted, which stands for such lines */
	bool json;
	int width; /* of the instances' column */

	uint64_t client; /* as the last line about a device said */
};

static bool wanted(const struct show *show, const char *name, const struct entry *entry)
{
	if (show->instance && strcmp(show->instance, name))
		return false;
	if (show->event && strcmp(show->event, entry->event))
		return false;
	if (show->refused && strcmp(entry->event, "refused") &&
	    strcmp(entry->event, "counted"))
		return false;
	if (show->domid != ENTRY_NO_CLIENT && show->domid != show->client)
		return false;
	/* All times have one form, so that their order is that of the text. */
	if (show->since && strcmp(entry->time, show->since) < 0)
		return false;
	return !show->until ||
	       strncmp(entry->time, show->until, strlen(show->until)) <= 0;
}

static void take(struct trail *trail, const struct entry *entry)
{
	struct show *show = trail->reader;

	if (!strcmp(entry->event, "device"))
		show->client = entry_client(entry);
	if (!wanted(show, trail->name, entry))
		return;
	if (show->json) {
		print_json(entry->object);
		return;
	}
	print_time(entry->time);
	printf("  ");
	print_column(trail->name, show->width);
	printf("  %6" PRIu64 "  ", entry->seq);
	print_column(entry->event, 10);
	printf("  ");
	phrase_print(entry);
	putchar('\n');
}

/* What is wrong with an option, or NULL. */
static const char *set_option(struct show *show, int option, const char *value)
{
	switch (option) {
	case 'i':
		show->instance = value;
		return NULL;
	case 'd':
		return number_parse(value, strlen(value), 32767, &show->domid)
			       ? NULL
			       : "--domid: a domain's number, 0 to 32767";
	case 'e':
		show->event = value;
		return NULL;
	case 'r':
		show->refused = true;
		return NULL;
	case 's':
		show->since = value;
		break;
	case 'u':
		show->until = value;
		break;
	case 'j':
		show->json = true;
		return NULL;
	default:
		return "see xdd-audit --help";
	}
	return entry_is_time(value) ? NULL
				    : "a time is UTC, such as 2025-03-01 or "
				      "2025-03-01T10:30";
}

int show_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"instance", required_argument, NULL, 'i'},
		{"domid", required_argument, NULL, 'd'},
		{"event", required_argument, NULL, 'e'},
		{"refused", no_argument, NULL, 'r'},
		{"since", required_argument, NULL, 's'},
		{"until", required_argument, NULL, 'u'},
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0}};
	struct show show = {.domid = ENTRY_NO_CLIENT, .width = 12};
	static struct trail trail;
	int status = AUDIT_SOUND, c;
	const char *wrong = NULL;

	while (!wrong && (c = getopt_long(argc, argv, "", options, NULL)) != -1)
		wrong = set_option(&show, c, optarg);
	if (!wrong && optind == argc)
		wrong = "which log? Such as /var/log/xdd/ivi_disk";
	if (wrong) {
		fprintf(stderr, "xdd-audit: show: %s\n", wrong);
		return AUDIT_UNREADABLE;
	}
	for (int i = optind; i < argc; i++) {
		show.client = ENTRY_NO_CLIENT;
		trail = (struct trail){.entry = take, .reader = &show};
		status = audit_worse(status, audit_read(&trail, argv[i]));
	}
	return status;
}
