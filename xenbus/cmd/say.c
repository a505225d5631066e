/* SPDX-License-Identifier: MIT */
/* Lines for a person or a journal: see say.h. */
#include "xenbus/cmd/say.h"

#include <stdarg.h>
#include <stdio.h>

static void to_terminal(struct say *to, enum log_level level, const char *text)
{
	(void)to;
	if (level >= LOG_LEVEL_NOTICE) {
		printf("%s\n", text);
		fflush(stdout);
		return;
	}
	fprintf(stderr, "xdd-attach: %s%s\n",
		level == LOG_LEVEL_WARNING ? "warning: " : "", text);
}

struct say say_terminal = {to_terminal};

static void say_args(struct say *to, enum log_level level, const char *fmt,
		     va_list args)
{
	char text[SAY_MAX];

	vsnprintf(text, sizeof(text), fmt, args);
	to->line(to, level, text);
}

void say(struct say *to, enum log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_args(to, level, fmt, args);
	va_end(args);
}

bool say_error(struct say *to, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_args(to, LOG_LEVEL_ERROR, fmt, args);
	va_end(args);
	return false;
}
