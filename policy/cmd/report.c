/* SPDX-License-Identifier: MIT */
/* Findings: see report.h. */
#include "policy/cmd/report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static void print(const char *path, unsigned line, const char *kind, const char *text)
{
	fprintf(stderr, "%s:", path ? path : "xdd-policy");
	if (line)
		fprintf(stderr, "%u:", line);
	fprintf(stderr, " %s%s\n", kind, text);
}

static void say(struct report *report, const char *path, unsigned line, bool warning,
		const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		abort();
	if (report->take)
		report->take(report, path, line, warning ? "warning" : "error", text);
	else
		print(path, line, warning ? "warning: " : "", text);
	free(text);
}

void report_error(struct report *report, const char *path, unsigned line,
		  const char *fmt, ...)
{
	va_list args;

	report->errors++;
	va_start(args, fmt);
	say(report, path, line, false, fmt, args);
	va_end(args);
}

void report_warning(struct report *report, const char *path, unsigned line,
		    const char *fmt, ...)
{
	va_list args;

	report->warnings++;
	va_start(args, fmt);
	say(report, path, line, true, fmt, args);
	va_end(args);
}

void report_usage(struct report *report, const char *fmt, ...)
{
	va_list args;

	report->errors++;
	va_start(args, fmt);
	say(report, NULL, 0, false, fmt, args);
	va_end(args);
}
