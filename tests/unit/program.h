/* SPDX-License-Identifier: MIT */
/*
 * What the tests of our programs share: a command of the shell, its status, and
 * what it said. The environment names the program under test; in a cross build
 * meson adds what runs it, MESON_EXE_WRAPPER.
 */
#ifndef XDD_PROGRAM_H
#define XDD_PROGRAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char output[4 << 20]; /* a table of all domids fits */

static const char *shell_dir = ".";

/* Runs a command of the shell in @shell_dir; a signal is a failure. Returns its exit
 * status. */
static inline int shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline int shell(const char *fmt, ...)
{
	char command[1024];
	int at = snprintf(command, sizeof(command), "cd %s && ", shell_dir), status;
	va_list args;
	size_t len;
	FILE *pipe;

	va_start(args, fmt);
	at += vsnprintf(command + at, sizeof(command) - (size_t)at, fmt, args);
	va_end(args);
	assert_in_range(at, 0, sizeof(command) - 1);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	len = fread(output, 1, sizeof(output) - 1, pipe);
	output[len] = '\0';
	status = pclose(pipe);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 128);
	return WEXITSTATUS(status);
}

/* Runs @n tests in @dir, a name for mkdtemp(), which @clean empties. @program: what of
 * the environment names it. An exit status. */
static inline int run_in_directory(char *dir, const char *program,
				   const struct CMUnitTest *tests, size_t n,
				   int (*clean)(void **state))
{
	int failed;

	if (!getenv(program)) {
		fprintf(stderr, "%s does not name the program to test\n", program);
		return 77;
	}
	if (!mkdtemp(dir))
		return 1;
	shell_dir = dir;
	failed = _cmocka_run_group_tests(program, tests, n, NULL, NULL);
	clean(NULL);
	rmdir(dir);
	return failed;
}

static inline void says(const char *text)
{
	if (!strstr(output, text))
		fail_msg("no \"%s\" in:\n%s", text, output);
}

static inline void says_not(const char *text)
{
	if (strstr(output, text))
		fail_msg("\"%s\" in:\n%s", text, output);
}

#endif
