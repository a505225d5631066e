/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy report: reads policies, audit logs, and what xdd-witness and xdd-probe
 * printed, and writes one page for an assessor. See assess.h and page.h.
 *
 * Invariants:
 *  1. what is wrong with any input is told before the end, all of it, and then there is
 *     no page;
 *  2. the page is there whole or not at all: what stood there before stays until then,
 *     and nothing but a regular file is put another in the place of.
 */
#include "policy/cmd/assess-main.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "policy/cmd/answer.h"
#include "policy/cmd/page.h"

struct making {
	struct answer answer;
	struct report report; /* to the answer, and warnings to the page */
	struct set set;
	struct assess a;
	const char *out;
	char **text; /* of witness and probes */
	unsigned texts;
};

/* What xdd-policy check warns of is for the assessor too. */
static void take(struct report *report, const char *path, unsigned line,
		 const char *severity, const char *text)
{
	struct making *m =
		(struct making *)((char *)report - offsetof(struct making, report));

	if (strcmp(severity, "warning")) {
		if (path)
			report_error(&m->answer.report, path, line, "%s", text);
		else
			report_usage(&m->answer.report, "%s", text);
		return;
	}
	report_warning(&m->answer.report, path, line, "%s", text);
	if (line)
		assess_point(&m->a, ASSESS_NOTE, ASSESS_REACH, "%s:%u: %s", path, line,
			     text);
	else
		assess_point(&m->a, ASSESS_NOTE, ASSESS_REACH, "%s: %s", path, text);
}

/* -- Inputs ----------------------------------------------------------------- */

static void *more(void *rows, unsigned n, size_t size)
{
	rows = reallocarray(rows, n + 1, size);
	if (!rows)
		abort();
	return rows;
}

static void read_log(struct making *m, const char *path)
{
	struct assess *a = &m->a;
	struct assess_log *log;
	int err;

	a->log = more(a->log, a->logs, sizeof(*a->log));
	log = &a->log[a->logs];
	err = assess_log_read(log, path);
	if (err) {
		report_error(&m->report, path, 0, "%s", trail_why(err));
		return;
	}
	for (unsigned i = 0; i < a->logs; i++) {
		if (!strcmp(a->log[i].name, log->name))
			report_error(&m->report, path, 0,
				     "a log of %s, as is %s; give one of each instance",
				     log->name, a->log[i].path);
	}
	a->logs++;
}

/* The text of @path, which is kept, or NULL, and that was reported. */
static const char *read_text(struct making *m, const char *path, const char *what,
			     size_t *len)
{
	char *text = malloc(PROOF_BYTES + 1);
	ssize_t n = text ? file_read(path, text, PROOF_BYTES + 1) : -ENOMEM;
	struct assess_file *file;

	if (n < 0 || n > (ssize_t)PROOF_BYTES) {
		report_error(&m->report, path, 0, "cannot be read: %s",
			     n < 0 ? strerror((int)-n) : "larger than 16 MiB");
		free(text);
		return NULL;
	}
	m->text = more(m->text, m->texts, sizeof(*m->text));
	m->text[m->texts++] = text;
	m->a.file = more(m->a.file, m->a.files, sizeof(*m->a.file));
	file = &m->a.file[m->a.files++];
	*file = (struct assess_file){.path = path, .what = what};
	*len = (size_t)n;
	assess_digest(text, *len, file->digest);
	return text;
}

static void read_witness(struct making *m, const char *path)
{
	json_error_t error = {.line = 0};
	const char *text, *why;
	size_t len;

	if (m->a.witness_path) {
		report_error(
			&m->report, path, 0,
			"a second witness, after %s; give one of this driver domain",
			m->a.witness_path);
		return;
	}
	m->a.witness_path = path;
	text = read_text(m, path, "xdd-witness", &len);
	why = text ? witness_read(&m->a.witness, text, len, &error) : NULL;
	if (why)
		report_error(&m->report, path,
			     error.line > 0 ? (unsigned)error.line : 0,
			     "%s; allowed: what xdd-witness --json prints", why);
}

static bool is_instance(const struct making *m, const char *name)
{
	for (unsigned i = 0; i < m->set.n; i++) {
		if (!strcmp(m->set.entry[i].policy.name, name))
			return true;
	}
	return false;
}

/* "FILE", or "NAME=FILE" with the name of an instance. @arg is cut in two. */
static void read_probe(struct making *m, char *arg)
{
	struct assess_probe probe = {.path = arg};
	char *equals = arg + strcspn(arg, "=/"); /* a slash before it: of a path */
	const char *text, *why;
	unsigned line;
	size_t len;

	if (*equals == '=') {
		*equals = '\0';
		probe.instance = arg;
		probe.path = equals + 1;
		if (!is_instance(m, arg))
			report_error(&m->report, probe.path, 0,
				     "--probe %s=: no policy here is of that instance",
				     arg);
	}
	text = read_text(m, probe.path, "xdd-probe", &len);
	why = text ? probe_read(&probe.probe, text, len, &line) : NULL;
	if (why)
		report_error(&m->report, probe.path, line, "%s", why);
	if (!text || why)
		return;
	m->a.probe = more(m->a.probe, m->a.probes, sizeof(probe));
	m->a.probe[m->a.probes++] = probe;
}

static void read_policies(struct making *m, const char *place)
{
	m->a.place = place;
	m->a.set = &m->set;
	set_add(&m->set, place, &m->report);
	set_check(&m->set, &m->report);
	if (!m->report.errors)
		set_check_shares(&m->set, &m->a.limits, place, &m->report);
}

/* -- The command line ------------------------------------------------------- */

enum { LIMIT = 256, AUDIT, WITNESS, PROBE, PV };

/* Once for what the policies are judged by, and when these are read for all else. */
static bool take_option(struct making *m, int c, int share, bool policies)
{
	switch (c) {
	case AUDIT:
		if (!policies)
			read_log(m, optarg);
		return true;
	case WITNESS:
		if (!policies)
			read_witness(m, optarg);
		return true;
	case PROBE:
		if (!policies)
			read_probe(m, optarg);
		return true;
	case PV:
		return m->a.limits.pv = true;
	case LIMIT:
		m->a.limits_given[share] = true;
		return !policies || set_limit_read(&m->a.limits, (enum set_share)share,
						   optarg, &m->report);
	case 'o':
		m->out = optarg;
		return true;
	default:
		report_usage(&m->report, "see xdd-policy --help");
		return false;
	}
}

static bool read_options(struct making *m, int argc, char **argv, bool policies)
{
	struct option options[SET_SHARES + 6] = {
		[SET_SHARES] = {"pv", 0, NULL, PV}, {"audit", 1, NULL, AUDIT},
		{"witness", 1, NULL, WITNESS},	    {"probe", 1, NULL, PROBE},
		{"output", 1, NULL, 'o'},
	};
	int c, share = 0;

	for (unsigned i = 0; i < SET_SHARES; i++)
		options[i] = (struct option){set_share_option(i), 1, NULL, LIMIT};
	optind = 1;
	while ((c = getopt_long(argc, argv, "o:", options, &share)) != -1) {
		if (!take_option(m, c, share, policies))
			return false;
	}
	if (optind + 1 == argc && m->out)
		return true;
	report_usage(&m->report,
		     m->out ? "report takes one directory of policies, such as /etc/xdd"
			    : "report where to? Say -o report.html");
	return false;
}

/* -- The page --------------------------------------------------------------- */

static int write_to(int fd, const struct assess *a)
{
	FILE *out = fdopen(fd, "w");
	mode_t mask = umask(0);
	int err = 0;

	umask(mask);
	if (!out) {
		err = -errno;
		close(fd);
		return err;
	}
	page_write(out, a);
	if (fflush(out) || ferror(out) || fchmod(fd, 0666 & ~mask) || fsync(fd))
		err = errno ? -errno : -EIO;
	if (fclose(out) && !err)
		err = -errno;
	return err;
}

/* Invariant 2. */
static int write_page(const char *path, const struct assess *a)
{
	struct stat st;
	char *temporary;
	int fd, err;

	if (!lstat(path, &st) && !S_ISREG(st.st_mode))
		return -EEXIST;
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		abort();
	fd = mkostemp(temporary, O_CLOEXEC);
	err = fd < 0 ? -errno : write_to(fd, a);
	if (!err && rename(temporary, path))
		err = -errno;
	if (err && fd >= 0)
		unlink(temporary);
	free(temporary);
	return err;
}

static json_t *points_of(const struct assess *a, enum assess_weight weight)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < a->points; i++) {
		if (a->point[i].weight == weight)
			json_array_append_new(list,
					      json_pack("{s:s, s:o}", "section",
							a->point[i].section, "text",
							answer_text(a->point[i].text)));
	}
	return list;
}

static json_t *result_of(const struct making *m)
{
	return json_pack("{s:o, s:i, s:i, s:o, s:o, s:o}", "output",
			 answer_text(m->out), "instances", (int)m->set.n, "clients",
			 (int)m->a.clients, "alarms", points_of(&m->a, ASSESS_ALARM),
			 "notes", points_of(&m->a, ASSESS_NOTE), "not_given",
			 points_of(&m->a, ASSESS_ABSENT));
}

static int finish(struct making *m)
{
	int err;

	assess_make(&m->a);
	err = write_page(m->out, &m->a);
	if (err) {
		report_error(&m->report, m->out, 0, "the page cannot be written: %s",
			     err == -EEXIST ? "what is there is no regular file; name "
					      "another place"
					    : strerror(-err));
		return 2;
	}
	if (!answer_json(&m->answer))
		printf("%s: %u instances, %u alarms, %u notes, %u not given\n", m->out,
		       m->set.n, assess_count(&m->a, ASSESS_ALARM),
		       assess_count(&m->a, ASSESS_NOTE),
		       assess_count(&m->a, ASSESS_ABSENT));
	return assess_count(&m->a, ASSESS_ALARM) ? 1 : 0;
}

static void free_all(struct making *m)
{
	assess_free(&m->a);
	for (unsigned i = 0; i < m->texts; i++)
		free(m->text[i]);
	free(m->text);
	set_free(&m->set);
}

int assess_main(int argc, char **argv)
{
	static struct making m;
	json_t *result = NULL;
	int status = 2;

	m = (struct making){.report.take = take};
	set_limits_init(&m.a.limits);
	answer_begin(&m.answer, &argc, argv);
	if (read_options(&m, argc, argv, true)) {
		read_policies(&m, argv[optind]);
		read_options(&m, argc, argv, false);
	}
	if (!m.report.errors)
		status = finish(&m);
	if (status != 2 && answer_json(&m.answer))
		result = result_of(&m);
	free_all(&m);
	return answer_end(&m.answer, status, result);
}
