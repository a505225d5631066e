/* SPDX-License-Identifier: MIT */
/*
 * xddctl drain and resume: the back end of one instance stopped, and started again; see
 * xddctl(8). systemd acts; what came of it is read afterwards.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "systemd/cmd/act.h"

#define LOG_SECONDS   5
#define SERVE_SECONDS 20

static bool runs(const struct instance *instance)
{
	return unit_is(&instance->back_end, "active");
}

static bool let_go(const struct instance *before, const struct instance *now)
{
	(void)before;
	return now->account.let_go || instance_is_alone(now);
}

int drain_main(int argc, char **argv)
{
	static struct instance before, now;
	int status = look_first(argc, argv, &before);
	const struct unit *unit = &now.back_end;

	if (status)
		return status;
	if (!runs(&before)) {
		printf("%s: its back end does not run: %s\n", before.name,
		       state_name(before.state));
		return before.state == STATE_DRAINED || before.state == STATE_STOPPED
			       ? CTL_DONE
			       : CTL_NOT;
	}
	if (unit_do("stop", before.back_end.role, before.name))
		return ctl_say(CTL_NOT, "%s: systemctl stop xdd-%s@%s failed",
			       before.name, before.back_end.role, before.name);
	if (!look_until(&before, &now, let_go, LOG_SECONDS))
		ctl_say(0, "%s: its keeper has not said that all was given back",
			before.name);
	if (!unit_is(unit, "inactive") || strcmp(unit->result, "success"))
		return ctl_say(
			CTL_NOT,
			"%s: stopped, but not drained (%s, %s): what was in flight "
			"may be done or not, and is done again by the next back end",
			before.name, unit->active, unit->result);
	printf("%s: drained: what was in flight is finished%s; %s\n"
	       "  xddctl resume %s starts its back end again; so does a restart of its "
	       "keeper, and a boot\n",
	       before.name, now.account.let_go ? ", what was mapped is given back" : "",
	       before.account.connected ? "its client stays connected, and waits"
					: "no client was connected",
	       before.name);
	return let_go(&before, &now) ? CTL_DONE : CTL_NOT;
}

/* It serves whom it served; where nobody was there, it is up. */
static bool back(const struct instance *before, const struct instance *now)
{
	if (before->account.connected)
		return now->state == STATE_SERVING;
	return now->state == STATE_WAITING || now->state == STATE_SERVING;
}

int act_resume(const struct instance *before)
{
	static struct instance now;
	char role[UNIT_ROLE];

	instance_role(before, role);
	if (!*role)
		return ctl_say(CTL_NOT,
			       "%s: without a good policy nobody knows what its "
			       "back end is: xddctl list %s",
			       before->name, before->name);
	if (unit_do("start", role, before->name))
		return ctl_say(CTL_NOT,
			       "%s: it did not start: journalctl -u xdd-%s@%s says why",
			       before->name, role, before->name);
	if (!look_until(before, &now, back, SERVE_SECONDS))
		return ctl_say(CTL_NOT, "%s: %s after %d s%s; xddctl list %s says more",
			       before->name, state_name(now.state), SERVE_SECONDS,
			       before->account.connected
				       ? ", and its client was connected"
				       : "",
			       before->name);
	return CTL_DONE;
}

int resume_main(int argc, char **argv)
{
	static struct instance before, now;
	int status = look_first(argc, argv, &before);

	if (!status)
		status = act_resume(&before);
	if (!status)
		status = look(before.name, 0, &now);
	if (!status)
		printf("%s: %s%s%s\n", before.name, state_name(now.state),
		       now.state == STATE_WAITING ? ": " : "",
		       now.state == STATE_WAITING ? now.keeper.status : "");
	return status;
}
