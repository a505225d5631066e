/* SPDX-License-Identifier: MIT */
/*
 * xdd-witness: what Xen itself shows a driver domain has in use of others, against its
 * policies and its audit logs; see xdd-witness(8).
 *
 * Not a part of what it judges: it runs in the control domain, asks Xen and the
 * toolstack's own records, and decides by rules of its own. What it shares with the
 * rest of xdd, and why that is sound:
 *  - the reader of policies (policy/parse.c, class.c): what it takes for a policy's
 * meaning is what xdd.policy(5) says of the text, and its tests are of the text alone;
 *  - the reader of audit logs (grant-mem/cmd/audit-trail.c and below): it finds broken
 *    chains, tested against every kind of edit, and was not written by who writes logs;
 *  - how the control domain asks xenstore (tree-xen.c), which judges nothing.
 * No line of what registers, decides, counts or serves is linked.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/number.h"
#include "grant-mem/cmd/audit-print.h"
#include "xenbus/cmd/witness-look.h"
#include "xenbus/cmd/witness-report.h"
#include "xenbus/cmd/witness-store.h"

#define ANSWER_S 10
#define AGAIN	 ((struct timespec){.tv_sec = 1}) /* before what is seen is seen again */
#define CLIENTS	 64

enum { EXPLAINED, UNEXPLAINED, NOT_SEEN };

static const char help[] =
	"usage: xdd-witness [OPTION...] --policies DIR --audit DIR DOMAIN\n"
	"\n"
	"Says what Xen shows that the driver domain DOMAIN has in use of others, pages "
	"and\n"
	"event channels, and that its policies and audit logs do not explain: a line "
	"each.\n"
	"\n"
	"  --policies DIR      its policies, NAME.policy, as in its /etc/xdd\n"
	"  --audit DIR         its audit logs, NAME/audit.log, as in its /var/log/xdd\n"
	"  --fetch COMMAND     a command of the shell that brings both, run between "
	"two\n"
	"                      looks at Xen\n"
	"  --heads FILE        lines NAME SEQ:HASH: the heads of logs, noted "
	"elsewhere\n"
	"  --boot ID           the driver domain's boot id; else that of its newest "
	"log\n"
	"  --accept-dropped    where a log has dropped its oldest lines, what the "
	"policy\n"
	"                      allows is enough\n"
	"  --console FILE      the output of \"xl dmesg\" after \"xl debug-keys g\": "
	"Xen and\n"
	"                      xenstore are not asked, DOMAIN is a number\n"
	"  --client NAME=N     with --console: the client of instance NAME is domain "
	"N\n"
	"  --json              all that was seen and judged, as JSON\n"
	"\n"
	"Exit 0: all is explained; 1: not all is; 2: it could not be seen, or the "
	"command\n"
	"is not understood.\n";

static struct options {
	const char *policies, *audit, *fetch, *heads, *boot, *console;
	const char *client[CLIENTS];
	unsigned clients;
	bool accept_dropped, json;
	const char *domain;
} options;

static int fail(const char *what, const char *why)
{
	fputs("xdd-witness: ", stderr);
	print_text_to(stderr, what);
	if (why) {
		fputs(": ", stderr);
		print_text_to(stderr, why);
	}
	fputc('\n', stderr);
	return NOT_SEEN;
}

/* -- What is said of whom -------------------------------------------------------------
 */

/* libxenstore waits for ever, where no xenstored is behind the kernel's device. */
static void no_answer(int signal)
{
	static const char text[] =
		"xdd-witness: xenstored does not answer; is it running?\n";

	(void)signal;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(NOT_SEEN);
}

static struct tree *open_tree(void)
{
	struct tree *t;

	signal(SIGALRM, no_answer);
	alarm(ANSWER_S);
	t = tree_open();
	if (t && !tree_has(t, "/local/domain")) {
		t->ops->close(t);
		t = NULL;
	}
	alarm(0);
	return t;
}

/* "c1_disk=3", for a look at a file. */
static bool set_client(struct scene *scene, const char *text)
{
	size_t len = strcspn(text, "=");
	uint64_t client;

	if (!text[len] || !number_parse(text + len + 1, strlen(text + len + 1),
					DOMID_LIMIT - 1, &client))
		return false;
	for (unsigned n = 0; n < scene->instances.n; n++) {
		struct instance *i = scene->instances.at[n];

		if (strlen(i->name) == len && !memcmp(i->name, text, len)) {
			i->client = (uint32_t)client;
			return true;
		}
	}
	return false;
}

static int set_clients(struct scene *scene)
{
	store_numbers(scene);
	for (unsigned i = 0; i < options.clients; i++) {
		if (!set_client(scene, options.client[i]))
			return fail(options.client[i],
				    "no NAME=N of an instance and its client");
	}
	return EXPLAINED;
}

/* -- Looking and judging
 * ---------------------------------------------------------------- */

static int read_instances(struct scene *scene)
{
	const char *why;

	if (options.fetch && system(options.fetch))
		return fail(options.fetch, "it failed: nothing is judged");
	why = instances_read(&scene->instances, options.policies, options.audit,
			     options.heads);
	return why ? fail(why, NULL) : EXPLAINED;
}

static int tell(const struct scene *scene, const struct findings *findings)
{
	(options.json ? report_json : report_lines)(scene, findings);
	return findings->n ? UNEXPLAINED : EXPLAINED;
}

static int judge_file(struct scene *scene)
{
	static struct findings findings;
	const char *why = look_file(options.console, scene);
	uint64_t id;
	int r;

	if (why)
		return fail(options.console, why);
	if (!number_parse(options.domain, strlen(options.domain), DOMID_LIMIT - 1, &id))
		return fail(options.domain, "with --console a domain is a number");
	scene->domain.v = (uint16_t)id;
	scene->pins = 2; /* at most: it cannot be asked */
	if (!usage_of(&scene->usage, scene->domain))
		return fail(options.console, "the dump has no such domain");
	r = read_instances(scene);
	if (!r)
		r = set_clients(scene);
	if (r)
		return r;
	judge(scene, &findings);
	return tell(scene, &findings);
}

/* What is only for a moment, such as a copy, is not seen twice. */
static int judge_twice(struct look *look, struct scene *scene)
{
	static struct findings findings;
	static struct scene now;
	const char *why;

	judge(scene, &findings);
	if (findings.n) {
		nanosleep(&AGAIN, NULL);
		now.domain = scene->domain;
		why = look_at(look, &now);
		if (why)
			return fail(scene->name, why);
		look_both(scene, &now);
		look_forget(&now);
		findings_free(&findings);
		judge(scene, &findings);
	}
	return tell(scene, &findings);
}

static int judge_domain(struct look *look, struct tree *tree, struct scene *scene)
{
	int r = store_find(tree, options.domain, &scene->domain);
	const char *why;

	if (r)
		return fail(options.domain,
			    r == -EEXIST ? "two domains are called so: give its number"
					 : "no domain has this name; see xl list");
	if (!scene->domain.v)
		return fail(options.domain, "the control domain is not judged");
	why = look_at(look, scene);
	if (why)
		return fail(options.domain, why);
	if (!usage_of(&scene->usage, scene->domain))
		return fail(options.domain, "Xen's dump has no such domain");
	r = read_instances(scene);
	if (r)
		return r;
	why = store_read(tree, scene);
	return why ? fail(why, NULL) : judge_twice(look, scene);
}

static int judge_machine(struct scene *scene)
{
	struct look *look = look_open();
	struct tree *tree;
	int r = NOT_SEEN;

	if (!look)
		return fail("Xen cannot be asked", "run this as root in the control "
						   "domain");
	tree = open_tree();
	if (tree) {
		r = judge_domain(look, tree, scene);
		tree->ops->close(tree);
	} else {
		fail("xenstored cannot be reached", "is this the control domain, and "
						    "does it run?");
	}
	look_close(look);
	return r;
}

/* -- The command line
 * -------------------------------------------------------------------- */

static bool read_options(int argc, char **argv)
{
	static const struct option list[] = {{"accept-dropped", no_argument, NULL, 'd'},
					     {"audit", required_argument, NULL, 'a'},
					     {"boot", required_argument, NULL, 'b'},
					     {"client", required_argument, NULL, 'C'},
					     {"console", required_argument, NULL, 'c'},
					     {"fetch", required_argument, NULL, 'f'},
					     {"heads", required_argument, NULL, 'H'},
					     {"json", no_argument, NULL, 'j'},
					     {"policies", required_argument, NULL, 'p'},
					     {NULL, 0, NULL, 0}};
	static const struct {
		int option;
		const char **text;
		bool *flag;
	} rows[] = {
		{'a', &options.audit, NULL},   {'b', &options.boot, NULL},
		{'c', &options.console, NULL}, {'d', NULL, &options.accept_dropped},
		{'f', &options.fetch, NULL},   {'H', &options.heads, NULL},
		{'j', NULL, &options.json},    {'p', &options.policies, NULL},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", list, NULL)) != -1) {
		if (c == '?' || (c == 'C' && options.clients == CLIENTS))
			return false;
		if (c == 'C')
			options.client[options.clients++] = optarg;
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			if (rows[i].option != c)
				continue;
			if (rows[i].text)
				*rows[i].text = optarg;
			else
				*rows[i].flag = true;
		}
	}
	options.domain = argv[optind];
	return true;
}

static const char *missing(int argc)
{
	if (!options.policies || !options.audit)
		return "--policies and --audit: which folders were brought from the "
		       "driver domain?";
	if (optind + 1 != argc)
		return "which driver domain? One name or number";
	if (options.clients && !options.console)
		return "--client is for --console: else xenstore says it";
	return NULL;
}

int main(int argc, char **argv)
{
	static struct scene scene;
	const char *why;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") && strcmp(argv[i], "-h"))
			continue;
		fputs(help, stdout);
		return 0;
	}
	if (!read_options(argc, argv)) {
		fputs("xdd-witness: see xdd-witness --help\n", stderr);
		return NOT_SEEN;
	}
	why = missing(argc);
	if (why)
		return fail(why, NULL);
	scene.name = options.domain;
	scene.boot = options.boot;
	scene.accept_dropped = options.accept_dropped;
	return options.console ? judge_file(&scene) : judge_machine(&scene);
}
