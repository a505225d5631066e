/* SPDX-License-Identifier: MIT */
/*
 * xdd-enter: the way into a back end. Takes the descriptors from the keeper,
 * shuts the first door, becomes the program. See xdd-enter(8).
 *
 * It reads nothing that a client wrote, and it is gone before anything does.
 * [impl->req~no-grant-call-is-left~1]
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "grant-mem/client.h"
#include "grant-mem/seal.h"
#include "policy/policy.h"

#define ENTER_WAIT_S   10 /* for a keeper that is still starting */
#define ENTER_RETRY_MS 100
#define ENTER_NO_EXEC  126 /* as the shells say it */

struct enter {
	const char *instance;
	const char *class; /* "blk" */
	const char *path;  /* of the keeper's socket */
	char **argv;	   /* of the program */
	struct log log;
	struct client client;
};

static const struct option enter_options[] = {
	{"class", required_argument, NULL, 'c'},
	{"socket", required_argument, NULL, 's'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static void enter_usage(FILE *out)
{
	fputs("usage: xdd-enter [--class CLASS] [--socket PATH] NAME -- PROGRAM "
	      "[ARG...]\n"
	      "Take NAME's descriptors from its keeper, shut the first door, run "
	      "PROGRAM.\n"
	      "Started by xdd-CLASS@NAME.service; see xdd-enter(8).\n",
	      out);
}

/* "/usr/libexec/xdd/xdd-blk" serves class "blk". */
static const char *enter_class_of(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *base = slash ? slash + 1 : program;

	return strncmp(base, "xdd-", 4) ? NULL : base + 4;
}

/* 0: go on; otherwise the exit status, plus one. */
static int enter_arguments(struct enter *e, int argc, char **argv)
{
	int o;

	while ((o = getopt_long(argc, argv, "+c:s:h", enter_options, NULL)) != -1) {
		if (o == 'c') {
			e->class = optarg;
		} else if (o == 's') {
			e->path = optarg;
		} else {
			enter_usage(o == 'h' ? stdout : stderr);
			return o == 'h' ? 1 : 1 + EXIT_FAILURE;
		}
	}
	if (argc - optind < 3 || strcmp(argv[optind + 1], "--")) {
		enter_usage(stderr);
		return 1 + EXIT_FAILURE;
	}
	e->instance = argv[optind];
	e->argv = argv + optind + 2;
	if (!e->class)
		e->class = enter_class_of(e->argv[0]);
	return 0;
}

static int enter_check(struct enter *e)
{
	if (!policy_name_ok(e->instance)) {
		log_line(&e->log, LOG_LEVEL_ERROR,
			 "not a name of an instance: at most %d of a-z, 0-9 and _",
			 POLICY_NAME_MAX);
		return -EINVAL;
	}
	if (!e->class || !*e->class ||
	    strlen(e->class) > sizeof(((struct wire_hello *)0)->class)) {
		log_line(&e->log, LOG_LEVEL_ERROR,
			 "%s is not called xdd-CLASS: say its class with --class",
			 e->argv[0]);
		return -EINVAL;
	}
	if (access(e->argv[0], X_OK) < 0) {
		log_line(&e->log, LOG_LEVEL_ERROR,
			 "cannot run %s: %s; give the whole path of an installed "
			 "program",
			 e->argv[0], strerror(errno));
		return -errno;
	}
	return 0;
}

/* Numbers 0 to 2 must be taken, or a socket would become standard input. */
static int enter_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* Not there yet, or still at burying the process before us: worth a wait. */
static bool enter_may_wait(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED || r == -EAGAIN || r == -EPIPE ||
	       r == -ECONNRESET;
}

static int enter_try(struct enter *e)
{
	int r = client_connect(&e->client, e->path);

	if (!r)
		r = client_hello(&e->client, e->class);
	if (enter_may_wait(r))
		client_fini(&e->client);
	return r;
}

/* Units start the keeper first, so this is for what they cannot order. */
static int enter_connect(struct enter *e)
{
	uint64_t start = clock_now();
	unsigned said = 0;
	int r;

	while (enter_may_wait(r = enter_try(e))) {
		unsigned waited = (unsigned)((clock_now() - start) / CLOCK_SECOND);

		if (waited >= ENTER_WAIT_S) {
			log_line(&e->log, LOG_LEVEL_ERROR,
				 "no keeper serves us on %s (%s): see systemctl status "
				 "xdd-keeper@%s",
				 e->path, strerror(-r), e->instance);
			return r;
		}
		if (waited > said)
			log_line(&e->log, LOG_LEVEL_NOTICE,
				 "waiting for the keeper on %s", e->path);
		said = waited;
		usleep(ENTER_RETRY_MS * 1000);
	}
	return r;
}

static int enter_hello(struct enter *e)
{
	int r = enter_connect(e);

	if (r == WIRE_VERSION)
		log_line(&e->log, LOG_LEVEL_ERROR,
			 "the keeper is of another release and speaks no version up "
			 "to %d: install both from one, restart xdd-keeper@%s",
			 WIRE_VERSION_MAX, e->instance);
	else if (r == WIRE_REFUSED)
		log_line(&e->log, LOG_LEVEL_ERROR,
			 "the keeper refused class %s: does Class in "
			 "/etc/xdd/%s.policy say so?",
			 e->class, e->instance);
	else if (r > 0)
		log_line(
			&e->log, LOG_LEVEL_ERROR,
			"the keeper could not let us in (result %d): see journalctl -u "
			"xdd-keeper@%s",
			r, e->instance);
	else if (r < 0 && !enter_may_wait(r))
		log_line(&e->log, LOG_LEVEL_ERROR,
			 "%s on %s (%s): see journalctl -u xdd-keeper@%s",
			 e->client.why ? e->client.why : "cannot talk to the keeper",
			 e->path, strerror(-r), e->instance);
	return r;
}

static int enter_leave(struct enter *e)
{
	int r = client_leave(&e->client, e->instance);

	if (r) {
		log_line(&e->log, LOG_LEVEL_ERROR,
			 "cannot hand the descriptors over: %s", strerror(-r));
		return r;
	}
	r = seal_first();
	if (r)
		log_line(&e->log, LOG_LEVEL_ERROR,
			 "cannot shut the first door: %s; the kernel must have "
			 "CONFIG_SECCOMP_FILTER, and the unit must not refuse seccomp",
			 strerror(-r));
	return r;
}

int main(int argc, char **argv)
{
	static struct enter e;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int r = enter_arguments(&e, argc, argv);

	if (r)
		return r - 1;
	log_init(&e.log, e.instance);
	e.log.burst = 0;
	if (enter_check(&e) || enter_standard())
		return EXIT_FAILURE;
	if (!e.path) {
		snprintf(path, sizeof(path), "/run/xdd/%s/keeper", e.instance);
		e.path = path;
	}
	if (enter_hello(&e) || enter_leave(&e))
		return EXIT_FAILURE;
	execv(e.argv[0], e.argv);
	log_line(&e.log, LOG_LEVEL_ERROR, "cannot run %s: %s", e.argv[0],
		 strerror(errno));
	return ENTER_NO_EXEC;
}
