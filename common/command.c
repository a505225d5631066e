/* SPDX-License-Identifier: MIT */
#include "common/command.h"

#include <stdio.h>
#include <string.h>

int command_main(int argc, char **argv, const struct command *commands,
		 const char *help, const char *which)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") && strcmp(argv[i], "-h"))
			continue;
		fputs(help, stdout);
		return 0;
	}
	for (; argc > 1 && commands->name; commands++) {
		if (!strcmp(argv[1], commands->name))
			return commands->main(argc - 1, argv + 1);
	}
	fprintf(stderr, "%s\n", which);
	return COMMAND_USAGE;
}
