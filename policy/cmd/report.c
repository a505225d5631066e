/* SPDX-License-Identifier: MIT */
/* Findings: see report.h. */
#include "policy/cmd/report.h"

#include <stdarg.h>
#include <stdio.h>

static void say(const char *path, unsigned line, const char *kind, const char *fmt,
		va_list args)
{
	fprintf(stderr, "%s:", path);
	if (line)
		fprintf(stderr, "%u:", line);
	fprintf(stderr, " %s", kind);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void report_error(struct report *report, const char *path, unsigned line,
		  const char *fmt, ...)
{
	va_list args;

	report->errors++;
	va_start(args, fmt);
	say(path, line, "", fmt, args);
	va_end(args);
}

void report_warning(struct report *report, const char *path, unsigned line,
		    const char *fmt, ...)
{
	va_list args;

	report->warnings++;
	va_start(args, fmt);
	say(path, line, "warning: ", fmt, args);
	va_end(args);
}
