/* SPDX-License-Identifier: MIT */
/*
 * What xdd-policy says about files: to standard error, one line a finding,
 * in the form editors jump to ("file:line: what; allowed: ..."). Or to who takes it.
 */
#ifndef XDD_REPORT_H
#define XDD_REPORT_H

struct report {
	unsigned errors;
	unsigned warnings;
	/* NULL: standard error. @path NULL: of the command line; @line 0: of the whole.
	 */
	void (*take)(struct report *report, const char *path, unsigned line,
		     const char *severity, const char *text);
};

/* @line 0: of the file as a whole. @fmt says what is wrong, what to do. */
void report_error(struct report *report, const char *path, unsigned line,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void report_warning(struct report *report, const char *path, unsigned line,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* An error of the command line itself, which is of no file. */
void report_usage(struct report *report, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
