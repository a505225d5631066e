/* SPDX-License-Identifier: MIT */
/* The commands of xdd-audit, and what they exit with; see xdd-audit(8). */
#ifndef XDD_AUDIT_COMMANDS_H
#define XDD_AUDIT_COMMANDS_H

#include "grant-mem/cmd/audit-trail.h"

enum {
	AUDIT_SOUND,
	AUDIT_BROKEN,
	AUDIT_UNREADABLE, /* or a command that is not understood */
};

int verify_main(int argc, char **argv);
int show_main(int argc, char **argv);
int account_main(int argc, char **argv);
int head_main(int argc, char **argv);

/* Says why a log could not be read. */
void audit_cannot_read(const char *log, int err);
/* Reads @log for what it says. If its chain is broken, says so, and who says more; what
 * stands in it has been handed over even then. Returns what to exit with. */
int audit_read(struct trail *trail, const char *log);
/* The worse of two. */
int audit_worse(int a, int b);

#endif
