/* SPDX-License-Identifier: MIT */
/* The commands of xdd-attach (xdd-attach(8)) and what may be said to them. */
#ifndef XDD_COMMANDS_H
#define XDD_COMMANDS_H

#include <time.h>

#include "xenbus/cmd/check.h"

enum {
	EXIT_FAILED = 1,  /* Xen, xenstore or a domain was not as it must be */
	EXIT_COMMAND = 2, /* the command line or a file is wrong */
};

struct command_options {
	struct target_options target;
	struct check_options check;
	bool force, json;
};

struct command {
	struct control *control;
	const struct command_options *options;
	int n; /* of what is named */
	char **names;
};

/* Each returns the exit status. watch_main() opens its own connections:
 * @control then has a machine alone. */
int attach_main(const struct command *command);
int detach_main(const struct command *command);
int list_main(const struct command *command);
int watch_main(const struct command *command);

/* Reads what is named, one after the other, and does @one with each; the status
 * is the worst. What goes wrong with one does not keep the others from it. */
int command_each(const struct command *command,
		 bool (*one)(const struct command *command,
			     const struct target *target));

/* What a command that waits does so by; tests put theirs in its place. */
struct wait_ops {
	void (*pause)(uint64_t ns);
};
extern struct wait_ops wait_ops;

/* Write what check_target() found to be CHECK_NEW. False: that has been said. */
bool attach_write(struct control *c, const struct checked *found);
/* Say that the device of @found is attached; @how: "is now". */
void attach_said(struct control *c, const struct checked *found, const char *how);
/* Puts the back-end directory that the trusted copy names into @paths: of the driver
 * domain that the device was with, not of the one that it is to be with. */
bool attach_was_with(struct control *c, struct plan_paths *paths);
/* Take down our remains of a device whose other half is gone (CHECK_STALE). The
 * front end must see it go: attach it again after ATTACH_PAUSE_NS. */
bool attach_clear(struct control *c, const struct checked *found);
#define ATTACH_PAUSE_NS 2000000000ULL

#endif
