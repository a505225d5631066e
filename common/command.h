/* SPDX-License-Identifier: MIT */
/*
 * A program of several commands: "xdd-policy check", and --help wherever it stands.
 */
#ifndef XDD_COMMAND_H
#define XDD_COMMAND_H

struct command {
	const char *name;
	/* From its name on; returns the exit status. */
	int (*main)(int argc, char **argv);
};

#define COMMAND_USAGE 2 /* the exit status of who is not understood */

/* Runs the one of @commands, which a NULL name ends, that argv[1] names. --help prints
 * @help; anything else says @which on standard error. Returns the exit status. */
int command_main(int argc, char **argv, const struct command *commands,
		 const char *help, const char *which);

#endif
