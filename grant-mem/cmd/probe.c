/* SPDX-License-Identifier: MIT */
/*
 * xdd-probe: stands where a back end stands, tries what it must not be able
 * to do, and says what happened. See xdd-probe(8).
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grant-mem/cmd/probe.h"
#include "grant-mem/seal.h"

#define LOOP_ENTRIES 8
#define NO_KEEPER    2 /* exit status: it did not outlive us */
#define APART_SAID   254
#define APART_SKIP   255

enum probe_result { REFUSED, ALLOWED, SKIPPED, RESULTS };

static const struct probe_try *const tables[] = {
	probe_ioctls, probe_memory, probe_files,   probe_processes,
	probe_system, probe_rings,  probe_keeper,  probe_sockets,
	probe_taps,   probe_sound,  probe_display,
};

static const struct option options[] = {
	{"sealed", no_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},
	{"no-unit", no_argument, NULL, 'n'},
	{"list", no_argument, NULL, 'l'},
	{"fatal", required_argument, NULL, 'f'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static bool json;

static void usage(FILE *out)
{
	fputs("usage: xdd-enter --class CLASS NAME -- xdd-probe [--sealed] [--no-unit]"
	      " [--json]\n"
	      "       xdd-enter --class CLASS NAME -- xdd-probe --fatal TRY\n"
	      "       xdd-probe --list\n"
	      "Try what a back end must not be able to do. See xdd-probe(8).\n",
	      out);
}

/* Behind the last door stdio may not even look at its own descriptor. */
static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n > 0)
		(void)!write(STDOUT_FILENO, line,
			     (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

static bool is_refusal(enum probe_errnos errnos, int error)
{
	if (error == EPERM)
		return true;
	switch (errnos) {
	case PROBE_EPERM:
		return false;
	case PROBE_FILE:
		return error == EACCES || error == ENOENT || error == EROFS ||
		       error == ENXIO || error == ECONNREFUSED;
	case PROBE_FAR:
		return error == EACCES || error == ENOENT || error == ESRCH;
	case PROBE_MAP:
		return error == EACCES || error == EINVAL;
	case PROBE_RING:
		return error == EACCES;
	}
	return false;
}

/* The outcome of @try as a result, with p->text to say why. */
static enum probe_result judge(struct probe *p, const struct probe_try *try, int r)
{
	if (r == PROBE_SKIP)
		return SKIPPED;
	if (r == PROBE_SAID)
		return REFUSED;
	if (r >= 0) {
		if (!*p->text)
			p->text = "done";
		return ALLOWED;
	}
	p->text = strerrorname_np(-r);
	if (!p->text)
		p->text = "unknown errno";
	if (r == -ENOSYS) {
		p->text = "this kernel has no such call";
		return SKIPPED;
	}
	return is_refusal(try->errnos, -r) ? REFUSED : ALLOWED;
}

/* In a child, whose errno comes back as its exit status; where the unit makes
 * none, here: what is let through then changes us, and is reported. */
static int run_apart(struct probe *p, const struct probe_try *try)
{
	pid_t pid = fork();
	int r, status;

	if (pid < 0)
		return try->run(p, try);
	if (!pid) {
		r = try->run(p, try);
		_exit(r == PROBE_SKIP	? APART_SKIP
		      : r == PROBE_SAID ? APART_SAID
		      : r < 0		? -r
					: 0);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return probe_said(p, "killed");
	if (WEXITSTATUS(status) == APART_SAID)
		return probe_said(p, "refused");
	if (WEXITSTATUS(status) == APART_SKIP)
		return probe_skip(p, "could not be tried here");
	return -WEXITSTATUS(status);
}

static enum probe_result run(struct probe *p, const struct probe_try *try)
{
	int r;

	p->text = "";
	if (try->by == PROBE_UNIT && !p->unit && !p->sealed)
		r = probe_skip(p, "refused by the unit alone");
	else if (try->child && !p->sealed)
		r = run_apart(p, try);
	else
		r = try->run(p, try);
	return judge(p, try, r);
}

static void report(const struct probe *p, const struct probe_try *try,
		   enum probe_result result)
{
	static const char *const words[] = {"refused", "ALLOWED", "skipped"};

	if (json)
		say("{\"name\":\"%s\",\"result\":\"%s\",\"detail\":\"%s\","
		    "\"proves\":\"%s\"}\n",
		    try->name, result == ALLOWED ? "allowed" : words[result], p->text,
		    try->proves);
	else
		say("%s  %s  (%s)\n", words[result], try->name, p->text);
}

static bool is_due(const struct probe *p, const struct probe_try *try)
{
	if (p->fatal)
		return !strcmp(try->name, p->fatal);
	return try->when == PROBE_ALWAYS || (try->when == PROBE_SEALED && p->sealed);
}

static void run_all(struct probe *p, unsigned count[RESULTS])
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct probe_try *try = tables[i]; try->name; try++) {
			enum probe_result result;

			if (!is_due(p, try))
				continue;
			result = run(p, try);
			count[result]++;
			report(p, try, result);
		}
}

static void list_all(void)
{
	static const char *const when[] = {"always", "sealed", "fatal"};
	static const char *const by[] = {"door", "keeper", "kernel", "unit"};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct probe_try *try = tables[i]; try->name; try++)
			printf("%-28s %-8s %-6s %s\n", try->name, when[try->when],
			       by[try->by], try->proves);
}

/* As the class program does it, in its order. */
static int seal(struct probe *p)
{
	int r = loop_init(&p->loop, LOOP_ENTRIES);

	if (!r)
		r = loop_seal(&p->loop);
	if (!r)
		r = seal_last();
	return r;
}

static int probe(struct probe *p)
{
	unsigned count[RESULTS] = {0};
	int r = probe_scene(p);

	if (r) {
		fprintf(stderr, "xdd-probe: %s (%s)\n", p->text, strerror(-r));
		return EXIT_FAILURE;
	}
	r = p->sealed ? seal(p) : 0;
	if (r) {
		fprintf(stderr, "xdd-probe: cannot shut the last door: %s\n",
			strerror(-r));
		return EXIT_FAILURE;
	}
	run_all(p, count);
	if (p->fatal && !(count[REFUSED] + count[ALLOWED] + count[SKIPPED])) {
		fprintf(stderr, "xdd-probe: there is no try %s; see --list\n",
			p->fatal);
		return EXIT_FAILURE;
	}
	r = client_poll(&p->client);
	if (r < 0)
		say(json ? "{\"lost\":\"%s\"}\n" : "the keeper is lost: %s\n",
		    p->client.why);
	say(json ? "{\"refused\":%u,\"allowed\":%u,\"skipped\":%u}\n"
		 : "%u refused, %u allowed, %u skipped\n",
	    count[REFUSED], count[ALLOWED], count[SKIPPED]);
	if (count[ALLOWED])
		return EXIT_FAILURE;
	return r < 0 ? NO_KEEPER : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct probe p = {.unit = true};
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 's') {
			p.sealed = true;
		} else if (o == 'j') {
			json = true;
		} else if (o == 'n') {
			p.unit = false;
		} else if (o == 'f') {
			p.fatal = optarg;
		} else if (o == 'l') {
			list_all();
			return EXIT_SUCCESS;
		} else {
			usage(o == 'h' ? stdout : stderr);
			return o == 'h' ? EXIT_SUCCESS : EXIT_FAILURE;
		}
	}
	return probe(&p);
}
