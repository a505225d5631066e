/* SPDX-License-Identifier: MIT */
/*
 * xdd-audit head: a line for each log, to be recorded where the log's domain cannot
 * take it back; see xdd-audit(8).
 */
#include <inttypes.h>
#include <stdio.h>

#include "grant-mem/cmd/audit-commands.h"
#include "grant-mem/cmd/audit-print.h"

/* What is not sound has no head: what is recorded of it is that. */
static void print_head(const struct trail *trail)
{
	printf("xdd-audit-head ");
	print_text(trail->name);
	if (trail->findings)
		printf(" BROKEN\n");
	else
		printf(" %" PRIu64 ":%s\n", trail->chain.last.seq, trail->chain.hash);
}

int head_main(int argc, char **argv)
{
	static struct trail trail;
	int status = AUDIT_SOUND;

	if (argc < 2 || argv[1][0] == '-') {
		fprintf(stderr,
			"xdd-audit: head: which log? Such as /var/log/xdd/ivi_disk\n");
		return AUDIT_UNREADABLE;
	}
	for (int i = 1; i < argc; i++) {
		int r;

		trail = (struct trail){.entry = NULL};
		r = audit_read(&trail, argv[i]);
		status = audit_worse(status, r);
		if (r != AUDIT_UNREADABLE)
			print_head(&trail);
	}
	return status;
}
