/* SPDX-License-Identifier: MIT */
#include "systemd/cmd/look.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "grant-mem/cmd/audit-print.h"
#include "systemd/cmd/run.h"

#define AGAIN_NS	(250 * (long)CLOCK_MS)
#define JOURNAL_BYTES	16384
#define JOURNAL_LINES	"40"
#define JOURNAL_SECONDS 20

int look(const char *name, uint64_t mark, struct instance *out)
{
	const struct set_wish wish = {
		.parts = SET_ACCOUNTS | SET_NUMBERS, .only = name, .mark = mark};
	struct instance *instance;
	struct set set;
	int status;

	if (!policy_name_ok(name))
		return ctl_say(CTL_USAGE,
			       "that is no name of an instance; allowed: 1 to "
			       "31 of a-z, 0-9 and _");
	status = ctl_read(&set, &wish);
	if (status)
		return status;
	instance = set_find(&set, name);
	if (instance)
		*out = *instance;
	else
		status = ctl_say(CTL_USAGE, "%s: no such instance; xddctl list has all",
				 name);
	if (instance && set.units)
		status =
			ctl_say(CTL_USAGE, "%s: nothing is done without systemd", name);
	set_free(&set);
	return status;
}

int look_first(int argc, char **argv, struct instance *out)
{
	if (argc != 2)
		return ctl_say(CTL_USAGE,
			       "%s: which instance? One; xddctl list has all", argv[0]);
	return look(argv[1], 0, out);
}

bool look_until(const struct instance *before, struct instance *now,
		look_enough *enough, unsigned seconds)
{
	static const struct timespec again = {0, AGAIN_NS};
	uint64_t end = clock_now() + seconds * CLOCK_SECOND;
	uint64_t mark = before->account.there ? before->account.seq + 1 : 0;

	*now = *before;
	for (;;) {
		bool late = clock_now() >= end;

		if (look(before->name, mark, now))
			return false;
		if (enough(before, now))
			return true;
		if (late)
			return false;
		nanosleep(&again, NULL);
	}
}

void look_journal(const char *role, const char *name, uint64_t since)
{
	static char text[JOURNAL_BYTES];
	char unit[128], from[48];
	const char *const argv[] = {"journalctl", "-q", "--no-pager",  "-o",
				    "cat",	  "-n", JOURNAL_LINES, unit,
				    from,	  NULL};
	char *line, *rest = text;

	snprintf(unit, sizeof(unit), "--unit=xdd-%s@%s.service", role, name);
	snprintf(from, sizeof(from), "--since=@%" PRIu64, since);
	if (run(argv, JOURNAL_SECONDS, text, sizeof(text)) || !*text) {
		printf("  journalctl -u xdd-%s@%s says why\n", role, name);
		return;
	}
	while ((line = strsep(&rest, "\n"))) {
		if (!*line)
			continue;
		printf("  ");
		print_text(line);
		putchar('\n');
	}
}
