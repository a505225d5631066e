/* SPDX-License-Identifier: MIT */
/* xdd-attach attach: see commands.h and xdd-attach(8). */
#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "policy/class.h"
#include "xenbus/cmd/apply.h"
#include "xenbus/cmd/commands.h"

static void pause_really(uint64_t ns)
{
	struct timespec ts = {(time_t)(ns / CLOCK_SECOND), (long)(ns % CLOCK_SECOND)};

	nanosleep(&ts, NULL);
}

struct wait_ops wait_ops = {pause_really};

bool attach_write(struct control *c, const struct checked *found)
{
	static struct plan plan;
	const char *name = found->input.policy->name;
	int r;

	plan_make(&found->input, &plan);
	r = apply_write(c->tree, &plan);
	if (!r)
		return true;
	if (r == -EEXIST)
		return say_error(c->say,
				 "%s: somebody attached the device at the same moment; "
				 "look with xdd-attach list",
				 name);
	return say_error(c->say, "%s: nothing written, xenstored says: %s%s", name,
			 strerror(-r),
			 r == -EAGAIN ? " (others write all the time); try again" : "");
}

bool attach_was_with(struct control *c, struct plan_paths *paths)
{
	char back[TREE_VALUE_MAX + 1];

	if (tree_read(c->tree, paths->copy, "backend", back) ||
	    strlen(back) > TREE_PATH_MAX)
		return false;
	strcpy(paths->back, back);
	return true;
}

bool attach_clear(struct control *c, const struct checked *found)
{
	struct plan_paths paths = found->paths;
	int r;

	attach_was_with(c, &paths);
	r = apply_remove(c->tree, &paths, APPLY_ALL);
	return !r || say_error(c->say, "%s: its remains cannot be removed: %s",
			       found->input.policy->name, strerror(-r));
}

void attach_said(struct control *c, const struct checked *found, const char *how)
{
	const struct policy *policy = found->input.policy;
	char back[96], front[96];

	say(c->say, LOG_LEVEL_NOTICE, "%s: %s %s of %s %s attached to %s, tag %s",
	    policy->name, class_info(policy->class, policy->door)->kind, policy->device,
	    domains_name(c, found->front.id, front, sizeof(front)), how,
	    domains_name(c, found->back.id, back, sizeof(back)), class_tag(policy));
}

int command_each(const struct command *command,
		 bool (*one)(const struct command *command,
			     const struct target *target))
{
	static struct target target;
	struct report report = {0};
	int status = 0;

	for (int i = 0; i < command->n; i++) {
		if (!target_read(command->names[i], &command->options->target, &target,
				 &report))
			status = EXIT_COMMAND;
		else if (!one(command, &target) && !status)
			status = EXIT_FAILED;
	}
	return status;
}

static bool attach_one(const struct command *command, const struct target *target)
{
	const struct check_options *options = &command->options->check;
	struct control *c = command->control;
	struct checked found;
	enum check check = check_target(c, target, options, &found);

	if (check == CHECK_STALE) {
		say(c->say, LOG_LEVEL_NOTICE,
		    "%s: one half of the device is gone; taking down the other first",
		    target->loaded.policy.name);
		if (!attach_clear(c, &found))
			return false;
		wait_ops.pause(ATTACH_PAUSE_NS);
		check = check_target(c, target, options, &found);
	}
	if (check == CHECK_SAME)
		attach_said(c, &found, "is already");
	if (check != CHECK_NEW || !attach_write(c, &found))
		return check == CHECK_SAME;
	attach_said(c, &found, "is now");
	return true;
}

int attach_main(const struct command *command)
{
	return command_each(command, attach_one);
}
