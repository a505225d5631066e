/* SPDX-License-Identifier: MIT */
/* xdd-attach: gives clients their devices where no toolstack does; see
 * xdd-attach(8). For the control domain alone. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xenbus/cmd/commands.h"

#define ANSWER_S 10

static const char help[] =
	"usage: xdd-attach attach [OPTION...] NAME|FILE...\n"
	"       xdd-attach detach [OPTION...] NAME|FILE...\n"
	"       xdd-attach list [--backend DOMAIN] [--json]\n"
	"       xdd-attach watch [OPTION...] [DIRECTORY]   (or --watch)\n"
	"\n"
	"attach  write the xenstore nodes of a device, as a toolstack would\n"
	"detach  have its back end let go of it, then remove them\n"
	"list    the devices of driver domains, and what state they are in\n"
	"watch   attach all of a directory (/etc/xdd) as their domains come, and\n"
	"        again when they come back\n"
	"\n"
	"NAME: /etc/xdd/NAME.attach says which domains, /etc/xdd/NAME.policy what the\n"
	"device is; FILE: the path of either.\n"
	"\n"
	"  --backend DOMAIN      the driver domain, in place of the file's\n"
	"  --client DOMAIN       the client, in place of the file's\n"
	"  --force               detach: remove it at once, whoever uses it\n"
	"  --json                list: for programs\n"
	"  --privileged-backend  accept the control domain as the driver domain\n"
	"\n"
	"Exit status: 0 done, 1 it could not be done, 2 the command or a file is "
	"wrong.\n";

enum { ATTACH = 1, DETACH = 2, LIST = 4, WATCH = 8 };

static const struct {
	const char *name;
	unsigned bit;
	int least, most;
	int (*main)(const struct command *command);
} commands[] = {
	{"attach", ATTACH, 1, 4096, attach_main},
	{"detach", DETACH, 1, 4096, detach_main},
	{"list", LIST, 0, 0, list_main},
	{"watch", WATCH, 0, 1, watch_main},
	{"--watch", WATCH, 0, 1, watch_main},
};

static struct command_options options;

/* Each option: whose it is, and where it goes. */
static const struct {
	const char *name;
	unsigned of;
	const char **text;
	bool *flag;
} option_rows[] = {
	{"backend", ATTACH | DETACH | LIST, &options.target.backend, NULL},
	{"client", ATTACH | DETACH, &options.target.client, NULL},
	{"force", DETACH, NULL, &options.force},
	{"json", LIST, NULL, &options.json},
	{"privileged-backend", ATTACH | WATCH, NULL, &options.check.privileged_backend},
};
#define OPTIONS (sizeof(option_rows) / sizeof(*option_rows))

static bool read_options(int argc, char **argv, unsigned of)
{
	struct option list[OPTIONS + 1] = {{0}};
	int at, c, n = 0;

	for (unsigned i = 0; i < OPTIONS; i++) {
		if (option_rows[i].of & of)
			list[n++] = (struct option){option_rows[i].name,
						    !!option_rows[i].text, NULL,
						    (int)i + 1};
	}
	while ((c = getopt_long(argc, argv, "", list, &at)) != -1) {
		if (c < 1 || c > (int)OPTIONS)
			return false;
		if (option_rows[c - 1].text)
			*option_rows[c - 1].text = optarg;
		else
			*option_rows[c - 1].flag = true;
	}
	return true;
}

/* libxenstore waits for ever, where no xenstored is behind the kernel's device. */
static void no_answer(int signal)
{
	static const char text[] =
		"xdd-attach: xenstored does not answer; is it running?\n";

	(void)signal;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(EXIT_FAILED);
}

static bool open_tree(struct control *c)
{
	signal(SIGALRM, no_answer);
	alarm(ANSWER_S);
	c->tree = tree_open();
	if (!c->tree || !tree_has(c->tree, "/local/domain")) {
		say_error(
			c->say,
			"xenstored cannot be reached: %s; is this the control domain, "
			"and does it run?",
			strerror(errno));
		if (c->tree)
			c->tree->ops->close(c->tree);
		return false;
	}
	alarm(0);
	return true;
}

static int run(unsigned i, int argc, char **argv)
{
	struct control control = {.say = &say_terminal};
	const struct command command = {&control, &options, argc, argv};
	int status = EXIT_FAILED;

	control.machine = machine_open();
	if (!control.machine) {
		say_error(control.say,
			  "Xen cannot be asked: %s; run this as root in the control "
			  "domain",
			  strerror(errno));
		return EXIT_FAILED;
	}
	if (commands[i].bit == WATCH || open_tree(&control)) {
		status = commands[i].main(&command);
		if (control.tree)
			control.tree->ops->close(control.tree);
	}
	control.machine->ops->close(control.machine);
	return status;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	if (wants_help(argc, argv)) {
		fputs(help, stdout);
		return 0;
	}
	for (unsigned i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands);
	     i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		if (!read_options(argc - 1, argv + 1, commands[i].bit))
			return EXIT_COMMAND;
		argc -= 1 + optind;
		argv += 1 + optind;
		if (argc < commands[i].least || argc > commands[i].most) {
			fprintf(stderr,
				"xdd-attach: %s takes %s; see xdd-attach --help\n",
				commands[i].name,
				commands[i].least  ? "a NAME or a FILE"
				: commands[i].most ? "one directory"
						   : "nothing but options");
			return EXIT_COMMAND;
		}
		return run(i, argc, argv);
	}
	fputs("xdd-attach: attach, detach, list or watch? See xdd-attach --help\n",
	      stderr);
	return EXIT_COMMAND;
}
