/* SPDX-License-Identifier: MIT */
/* The commands of xddctl, and what they exit with; see xddctl(8). */
#ifndef XDD_CTL_COMMANDS_H
#define XDD_CTL_COMMANDS_H

#include "systemd/cmd/set.h"

enum {
	CTL_DONE,
	CTL_NOT,   /* what was asked for did not happen, or something is wrong */
	CTL_USAGE, /* the command is not understood, or nothing could be looked at */
};

int list_main(int argc, char **argv);
int prometheus_main(int argc, char **argv);
int reload_main(int argc, char **argv);
int drain_main(int argc, char **argv);
int resume_main(int argc, char **argv);
int top_main(int argc, char **argv);
int probe_main(int argc, char **argv);

/* "xddctl: TEXT", on standard error. Returns @status. */
int ctl_say(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* set_read(); says why if it cannot. CTL_DONE, or CTL_USAGE with nothing to free. */
int ctl_read(struct set *set, const struct set_wish *wish);

#endif
