/* SPDX-License-Identifier: MIT */
/*
 * xdd-attach detach: see commands.h and xdd-attach(8). As libxl does it: ask the
 * back end, wait until it has let go and removed its directory, remove the rest.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "xenbus/cmd/apply.h"
#include "xenbus/cmd/commands.h"
#include "xenbus/cmd/states.h"
#include "xenbus/store.h"

#define STEP_NS	    (200 * CLOCK_MS)
#define CLOSE_STEPS 50 /* 10 s, as libxl */
#define GONE_STEPS  25 /* 5 s from Closed on: a keeper takes two */

/* Which device it is. The client may be gone, and its number be given. */
static bool find(const struct command *command, const struct target *target,
		 struct plan_paths *paths)
{
	struct control *c = command->control;
	struct plan_input in = {.policy = &target->loaded.policy};
	char mark[TREE_VALUE_MAX + 1];
	const char *name = in.policy->name;

	if (domains_find(c, target->conf.client, &in.front))
		return say_error(c->say,
				 "%s: no domain is called \"%s\"; give the client's "
				 "number (xl list shows both)",
				 name, target->conf.client);
	if (domains_find(c, target->conf.backend, &in.back))
		in.back.v = DOMID_LIMIT; /* the trusted copy will say */
	plan_find(&in, paths);
	if (!tree_has(c->tree, paths->copy) && !tree_has(c->tree, paths->front) &&
	    (in.back.v == DOMID_LIMIT || !tree_has(c->tree, paths->back)))
		return say_error(c->say, "%s: device %s of domain %u is not attached",
				 name, in.policy->device, in.front.v);
	if (!attach_was_with(c, paths) && in.back.v == DOMID_LIMIT)
		return say_error(c->say,
				 "%s: no domain is called \"%s\"; give the driver "
				 "domain's number",
				 name, target->conf.backend);
	if (!tree_has(c->tree, paths->copy) || command->options->force)
		return true;
	if (tree_read(c->tree, paths->copy, PLAN_MARK, mark))
		return say_error(c->say,
				 "%s: device %s of domain %u was attached by a "
				 "toolstack; detach it there, or say --force",
				 name, in.policy->device, in.front.v);
	if (strcmp(mark, name))
		return say_error(c->say,
				 "%s: device %s of domain %u was attached as \"%s\"; "
				 "detach that, or say --force",
				 name, in.policy->device, in.front.v, mark);
	return true;
}

/* Waits up to @steps until the back end is at Closed or has no directory; with
 * @gone for the latter alone. */
static bool wait_for(struct tree *t, const char *back, unsigned steps, bool gone)
{
	for (unsigned i = 0; i < steps; i++) {
		if (!tree_has(t, back) ||
		    (!gone && tree_number(t, back, "state", STORE_RECONFIGURED, 0) ==
				      STORE_CLOSED))
			return true;
		wait_ops.pause(STEP_NS);
	}
	return false;
}

static bool let_go(struct control *c, const char *name, const struct plan_paths *paths)
{
	struct tree *t = c->tree;
	int r = apply_offline(t, paths->back);

	if (r)
		return say_error(c->say, "%s: xenstored says: %s", name, strerror(-r));
	say(c->say, LOG_LEVEL_NOTICE, "%s: asked the back end to close, up to 10 s ...",
	    name);
	if (!wait_for(t, paths->back, CLOSE_STEPS, false))
		return say_error(
			c->say,
			"%s: still in use after 10 s: back end %s, front end %s. Close "
			"it in the client (unmount it) and try again, or say --force",
			name, states_of(t, paths->back), states_of(t, paths->front));
	if (!wait_for(t, paths->back, GONE_STEPS, true))
		say(c->say, LOG_LEVEL_WARNING,
		    "%s: the back end closed, but left its directory; removing it",
		    name);
	return true;
}

static bool detach_one(const struct command *command, const struct target *target)
{
	struct control *c = command->control;
	const char *name = target->loaded.policy.name;
	struct plan_paths paths;
	int r;

	if (!find(command, target, &paths))
		return false;
	if (!command->options->force && !let_go(c, name, &paths))
		return false;
	r = apply_remove(c->tree, &paths, APPLY_ALL);
	if (r)
		return say_error(c->say, "%s: xenstored says: %s", name, strerror(-r));
	say(c->say, LOG_LEVEL_NOTICE, "%s: is detached", name);
	return true;
}

int detach_main(const struct command *command)
{
	return command_each(command, detach_one);
}
