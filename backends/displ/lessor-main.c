/* SPDX-License-Identifier: MIT */
/*
 * xdd-lease: the process, from its arguments to its loop. See lessor.h and
 * xdd-lease(8).
 *
 * It handles no signal: whatever ends it, the kernel takes its leases back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "backends/displ/displ-lease.h"
#include "backends/displ/lessor.h"
#include "common/notify.h"
#include "grant-mem/seal.h"

#define EXIT_CONFIG 2
#define TURN_MS	    5000 /* a quarter of what the unit's watchdog waits */
#define POLICIES    "/etc/xdd"
#define OWNERS	    "/run/xdd-stats" /* each back end's folder there is its user's */

static int usage(void)
{
	fputs("usage: xdd-lease [--policy-dir DIR] CARD NAME...\n"
	      "Lends the connectors of CARD, such as /dev/dri/card0, to the instances "
	      "NAME; started by its unit (see xdd-lease(8)).\n",
	      stderr);
	return EXIT_CONFIG;
}

static int open_all(struct lessor *l)
{
	int r = lessor_open(l);

	if (!r)
		r = lessor_listen(l, DISPL_LEASE_FOLDER);
	return r;
}

static int serve(struct lessor *l, const struct notify *notify)
{
	unsigned lent = UINT32_MAX;
	char line[128];
	int r = 0;

	while (!r) {
		if (lent != lessor_lent(l)) {
			lent = lessor_lent(l);
			snprintf(line, sizeof(line),
				 "STATUS=%s: lent to %u of %u instances", l->card, lent,
				 l->instances);
			notify_send(notify, line);
		}
		notify_send(notify, "WATCHDOG=1");
		r = lessor_turn(l, TURN_MS);
	}
	log_line(&l->log, LOG_LEVEL_ERROR, "poll: %s", strerror(-r));
	return 1;
}

int main(int argc, char **argv)
{
	static struct lessor l;
	const char *policies = POLICIES;
	struct notify notify;
	int at = 1, r;

	if (argc > 2 && !strcmp(argv[1], "--policy-dir")) {
		policies = argv[2];
		at = 3;
	}
	if (argc - at < 2 || argv[at][0] != '/')
		return usage();
	lessor_init(&l, argv[at++], OWNERS);
	for (; at < argc; at++) {
		if (!policy_name_ok(argv[at]))
			return usage();
		if (!lessor_add(&l, policies, argv[at])) {
			log_line(&l.log, LOG_LEVEL_ERROR,
				 "%d instances are too many for one card: at most %d",
				 argc - at + LESSOR_INSTANCES_MAX,
				 LESSOR_INSTANCES_MAX);
			return EXIT_CONFIG;
		}
	}
	prctl(PR_SET_DUMPABLE, 0);
	if (open_all(&l))
		return 1;
	notify_open(&notify);
	r = seal_lessor();
	if (r) {
		log_line(&l.log, LOG_LEVEL_ERROR, "sealing: %s", strerror(-r));
		return 1;
	}
	notify_send(&notify, "READY=1");
	return serve(&l, &notify);
}
