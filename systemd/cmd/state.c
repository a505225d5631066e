/* SPDX-License-Identifier: MIT */
#include "systemd/cmd/state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/class.h"
#include "systemd/cmd/plain.h"

static void problem(struct instance *instance, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void problem(struct instance *instance, const char *fmt, ...)
{
	char text[SET_PROBLEM];
	va_list ap;

	if (instance->problems == SET_PROBLEMS)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	PLAIN(instance->problem[instance->problems++], text);
}

const char *state_name(enum state state)
{
	static const char *const names[] = {
		[STATE_WRONG] = "wrong",     [STATE_FAILED] = "failed",
		[STATE_STOPPED] = "stopped", [STATE_STARTING] = "starting",
		[STATE_DRAINED] = "drained", [STATE_WAITING] = "waiting",
		[STATE_SERVING] = "serving",
	};

	return names[state];
}

bool instance_is_alone(const struct instance *instance)
{
	const char *domain = strchr(instance->back_end.role, '-');

	return instance->good ? instance->policy.isolation == POLICY_DOMAIN
			      : domain != NULL;
}

void instance_role(const struct instance *instance, char role[UNIT_ROLE])
{
	const struct policy *policy = &instance->policy;

	if (instance->good)
		snprintf(role, UNIT_ROLE, "%s%s",
			 class_info(policy->class, policy->door)->name,
			 policy->isolation == POLICY_DOMAIN ? "-domain" : "");
	else
		strcpy(role, instance->back_end.role);
}

void instance_client(const struct instance *instance, char *out, size_t size)
{
	const struct policy *policy = &instance->policy;
	const struct account *account = &instance->account;
	uint64_t domid = account->present ? account->domid : ENTRY_NO_CLIENT;
	char number[24] = "";

	if (domid == ENTRY_NO_CLIENT && instance->good && !policy->any_domain)
		domid = policy->domain.v;
	if (domid != ENTRY_NO_CLIENT)
		snprintf(number, sizeof(number), "d%" PRIu64, domid);
	if (instance->good && policy->any_domain)
		snprintf(out, size, *number ? "%s (tag %s)" : "%stag %s", number,
			 policy->tag);
	else
		snprintf(out, size, "%s", *number ? number : "?");
}

static bool moves(const struct unit *unit)
{
	return unit_is(unit, "activating") || unit_is(unit, "deactivating");
}

/* The keeper's own word; where there is none, the log alone. */
static bool serves(const struct instance *instance)
{
	const struct account *account = &instance->account;
	static const char word[] = "serving d";

	if (!account->there || !account->connected)
		return false;
	return instance_is_alone(instance) ||
	       !strncmp(instance->keeper.status, word, sizeof(word) - 1);
}

static enum state state_of(const struct instance *instance)
{
	const struct unit *keeper = &instance->keeper, *back_end = &instance->back_end;
	bool alone = instance_is_alone(instance);

	if (unit_is(keeper, "failed") || unit_is(back_end, "failed"))
		return instance->file && !instance->good ? STATE_WRONG : STATE_FAILED;
	if (moves(keeper) || moves(back_end))
		return STATE_STARTING;
	if (!alone && !unit_runs(keeper))
		return instance->file && !instance->good ? STATE_WRONG : STATE_STOPPED;
	if (!unit_runs(back_end))
		return alone ? STATE_STOPPED : STATE_DRAINED;
	return serves(instance) ? STATE_SERVING : STATE_WAITING;
}

static void judge_unit(struct instance *instance, const struct unit *unit)
{
	if (unit_is(unit, "failed"))
		problem(instance,
			"xdd-%s@%s failed (%s): journalctl -u xdd-%s@%s says why; then "
			"systemctl restart xdd@%s.target",
			unit->role, instance->unit, unit->result, unit->role,
			instance->unit, instance->unit);
	if (unit->stale)
		problem(instance,
			"the files of xdd-%s@%s have changed: systemctl daemon-reload",
			unit->role, instance->unit);
}

/* The policies: that on the disk, and that in force. */
static void judge_policy(struct instance *instance)
{
	bool up = unit_runs(&instance->keeper) || unit_runs(&instance->back_end);
	const struct policy_error *error = &instance->error;
	const struct account *account = &instance->account;
	char role[UNIT_ROLE];

	if (!instance->file)
		problem(instance,
			"it has no policy file, and runs on under the one it "
			"read: systemctl stop 'xdd-*@%s.service'",
			instance->unit);
	else if (!instance->good)
		problem(instance, "%s.policy:%u: %s%s%s%s", instance->name, error->line,
			error->what, *error->allowed ? "; allowed: " : "",
			error->allowed, up ? ": the one before stays in force" : "");
	else if (up && account->there && *account->policy &&
		 strcmp(account->policy, instance->digest))
		problem(instance, "%s.policy is not what is in force: xddctl reload %s",
			instance->name, instance->name);
	instance_role(instance, role);
	if (instance->good && unit_runs(&instance->back_end) &&
	    strcmp(role, instance->back_end.role))
		problem(instance, "xdd-%s@%s runs, and the policy is for xdd-%s@%s",
			instance->back_end.role, instance->unit, role, instance->unit);
}

static void judge_account(struct instance *instance)
{
	const struct account *account = &instance->account;

	if (account->there && !account->sound)
		problem(instance,
			"its audit log's chain is broken, do not rely on what it says: "
			"xdd-audit verify /var/log/xdd/%s",
			instance->name);
	if (account->err == -EACCES)
		problem(instance, "its audit log is not readable: become root");
	else if (account->err && account->err != -ENOENT)
		problem(instance, "its audit log cannot be read: %s",
			strerror(-account->err));
	if (account->lost)
		problem(instance, "%" PRIu64 " lines of its audit log were lost",
			account->lost);
}

static void judge_numbers(struct instance *instance)
{
	const struct numbers *numbers = &instance->numbers;

	if (numbers->why)
		problem(instance, "the numbers of its back end are not shown: %s",
			numbers->why);
	if (numbers->there && unit_runs(&instance->back_end) &&
	    numbers->pid != instance->back_end.pid)
		problem(instance,
			"the numbers of its back end are of process %" PRIu64
			", and that is %" PRIu64,
			numbers->pid, instance->back_end.pid);
}

/* A keeper that was killed has not said that its client is no longer there. */
static void forget_the_dead(struct instance *instance)
{
	struct account *account = &instance->account;

	if (unit_runs(instance_is_alone(instance) ? &instance->back_end
						  : &instance->keeper))
		return;
	account->present = account->connected = account->back_end = false;
	*account->since = '\0';
}

void state_judge(struct instance *instance, bool units)
{
	instance->problems = 0;
	forget_the_dead(instance);
	instance->state = state_of(instance);
	judge_policy(instance);
	judge_unit(instance, &instance->keeper);
	judge_unit(instance, &instance->back_end);
	if (!units)
		problem(instance, "systemd could not be asked: its state is not known");
	judge_account(instance);
	judge_numbers(instance);
}
