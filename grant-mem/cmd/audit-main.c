/* SPDX-License-Identifier: MIT */
/* xdd-audit: verifies audit logs, shows them, adds them up; see xdd-audit(8). */
#include <stdio.h>

#include "common/command.h"
#include "grant-mem/cmd/audit-commands.h"
#include "grant-mem/cmd/audit-print.h"

static const char help[] =
	"usage: xdd-audit verify [--head SEQ:HASH] LOG...\n"
	"       xdd-audit show [OPTION...] LOG...\n"
	"       xdd-audit account [--json] LOG...\n"
	"       xdd-audit head LOG...\n"
	"\n"
	"LOG is the directory of an instance's audit log, such as\n"
	"/var/log/xdd/ivi_disk, or its audit.log; audit.log.1 is read with it.\n"
	"\n"
	"verify   whether each line is tied to the one before, and where not; with\n"
	"         the head that was noted earlier, also whether the end was cut off\n"
	"         or the log written anew\n"
	"show     the lines, in words\n"
	"account  for each instance what was allowed, refused, mapped and copied\n"
	"head     the last line's number and hash, to be recorded elsewhere\n"
	"\n"
	"show: only lines that are\n"
	"  --instance NAME    of this instance\n"
	"  --domid N          of when the client was this domain\n"
	"  --event KIND       of this kind, such as map, refused or state\n"
	"  --refused          refusals, and lines that stand for more of them\n"
	"  --since TIME       not before TIME (UTC): 2025-03-01, or 2025-03-01T10:30\n"
	"  --until TIME       not after TIME; a day is meant to its end\n"
	"show, account:\n"
	"  --json             as JSON, an object a line\n"
	"\n"
	"Exit 0: sound, 1: a chain is broken, 2: a log cannot be read, or the command\n"
	"is not understood.\n";

static const struct command commands[] = {
	{"verify", verify_main}, {"show", show_main}, {"account", account_main},
	{"head", head_main},	 {NULL, NULL},
};

/* What names a log may be a name that a log's domain has chosen. */
static void complain(const char *log, const char *what)
{
	fflush(stdout);
	fputs("xdd-audit: ", stderr);
	print_text_to(stderr, log);
	fprintf(stderr, ": %s\n", what);
}

void audit_cannot_read(const char *log, int err)
{
	complain(log, trail_why(err));
}

int audit_worse(int a, int b)
{
	return a > b ? a : b;
}

int audit_read(struct trail *trail, const char *log)
{
	int err = trail_read(trail, log);

	if (err) {
		audit_cannot_read(log, err);
		return AUDIT_UNREADABLE;
	}
	if (!trail->findings)
		return AUDIT_SOUND;
	complain(log, "its chain is broken, do not rely on what it says; "
		      "\"xdd-audit verify\" says where");
	return AUDIT_BROKEN;
}

int main(int argc, char **argv)
{
	return command_main(
		argc, argv, commands, help,
		"xdd-audit: verify, show, account or head? See xdd-audit --help");
}
