/* SPDX-License-Identifier: MIT */
/* xddctl: what is served, and to whom; reload, drain, resume. See xddctl(8). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/command.h"
#include "systemd/cmd/commands.h"

static const char help[] =
	"usage: xddctl list [--json] [NAME...]\n"
	"       xddctl top [--interval SECONDS] [--count N] [NAME...]\n"
	"       xddctl prometheus FILE\n"
	"       xddctl reload NAME\n"
	"       xddctl drain NAME\n"
	"       xddctl resume NAME\n"
	"       xddctl probe [--json] NAME\n"
	"\n"
	"list        each instance: what it is, whom it serves, since when, in which\n"
	"            state, and what is wrong; with --json an object a line\n"
	"top         what each instance does now: rates and latencies; q ends it\n"
	"prometheus  all numbers as a text file for node_exporter, replaced at once;\n"
	"            - is standard output\n"
	"reload      has the keeper read its policy again, and says what became of it\n"
	"drain       stops the back end when it has finished what is in flight; its\n"
	"            keeper and its client stay\n"
	"resume      starts it again\n"
	"probe       has xdd-probe stand in the back end's place, in its own unit, and "
	"try\n"
	"            what it must not be able to do; not while its client is "
	"connected\n"
	"\n"
	"Exit 0: done, 1: not done, or an instance has a problem, 2: the command is "
	"not\n"
	"understood, or nothing could be looked at. To be run by root, in the driver\n"
	"domain.\n";

static const struct command commands[] = {
	{"drain", drain_main},	 {"list", list_main},
	{"probe", probe_main},	 {"prometheus", prometheus_main},
	{"reload", reload_main}, {"resume", resume_main},
	{"top", top_main},	 {NULL, NULL},
};

int ctl_say(int status, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("xddctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

int ctl_read(struct set *set, const struct set_wish *wish)
{
	int err = set_read(set, wish);

	if (err == -ENOENT)
		return ctl_say(CTL_USAGE, "there is no /etc/xdd, and nothing of xdd "
					  "runs: this is to be run in a driver domain");
	if (err)
		return ctl_say(CTL_USAGE, "the policies cannot be read: %s",
			       strerror(-err));
	if (set->units)
		ctl_say(0, "systemd could not be asked (systemctl show: %s)",
			strerror(-set->units));
	return CTL_DONE;
}

int main(int argc, char **argv)
{
	/* What systemctl prints is read here. */
	setenv("LC_ALL", "C", 1);
	setenv("SYSTEMD_COLORS", "0", 1);
	return command_main(
		argc, argv, commands, help,
		"xddctl: list, top, prometheus, reload, drain, resume or probe? "
		"See xddctl --help");
}
