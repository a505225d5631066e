/* SPDX-License-Identifier: MIT */
/*
 * xddctl reload: the keeper reads its policy again; see xddctl(8).
 *
 * That the signal was sent says nothing. What became of it stands in the keeper's audit
 * log, and whether the device went on is seen at its back end, before and after.
 */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "systemd/cmd/look.h"

#define VERDICT_SECONDS 10
#define SERVE_SECONDS	20

/* The line after the verdict has the policy's hash, and is another write. */
static bool decided(const struct instance *before, const struct instance *now)
{
	(void)before;
	return now->account.reload == RELOAD_REFUSED ||
	       (now->account.reload == RELOAD_TAKEN &&
		!strcmp(now->account.policy, now->digest));
}

static bool as_before(const struct instance *before, const struct instance *now)
{
	return (now->account.let_go || !now->account.revoked) &&
	       now->state == before->state;
}

static bool settled(const struct instance *before, const struct instance *now)
{
	return now->state == STATE_FAILED || as_before(before, now);
}

/* Why there is nothing to ask the keeper for; or CTL_DONE. */
static int refuse(const struct instance *i)
{
	const struct policy_error *error = &i->error;

	if (instance_is_alone(i))
		return ctl_say(
			CTL_NOT,
			"%s: Isolation = domain: there is no keeper, and a policy "
			"is read at the start: systemctl restart xdd@%s.target",
			i->name, i->name);
	if (!i->file)
		return ctl_say(CTL_NOT, "%s: there is no %s.policy", i->name, i->name);
	if (!i->good)
		return ctl_say(
			CTL_NOT,
			"%s.policy:%u: %s%s%s; nothing was reloaded, and what is in "
			"force stays. xdd-policy check names every error",
			i->name, error->line, error->what,
			*error->allowed ? "; allowed: " : "", error->allowed);
	if (!unit_is(&i->keeper, "active"))
		return ctl_say(
			CTL_NOT,
			"%s: its keeper does not run, and will read the policy when "
			"it does: systemctl start xdd@%s.target",
			i->name, i->name);
	return CTL_DONE;
}

static int say_taken(const struct instance *before, struct instance *now)
{
	bool served = before->state == STATE_SERVING;

	printf("%s: the new policy is in force, %.12s\n", now->name,
	       now->account.policy);
	if (!now->account.revoked && now->back_end.pid == before->back_end.pid) {
		printf("  the device was not dropped: %s\n",
		       served ? "the same back end goes on, its client is connected"
			      : state_name(now->state));
		return CTL_DONE;
	}
	printf("  %s: the back end had to let go of all, and begins anew\n",
	       now->account.revoked ? "it takes away what was mapped"
				    : "there is another back end");
	fflush(stdout);
	if (!look_until(before, now, settled, SERVE_SECONDS) || !as_before(before, now))
		return ctl_say(CTL_NOT, "%s: %s, and was %s; xddctl list %s says more",
			       now->name, state_name(now->state),
			       state_name(before->state), now->name);
	printf("  %s, as before; the device was not dropped\n", state_name(now->state));
	return CTL_DONE;
}

int reload_main(int argc, char **argv)
{
	static struct instance before, now;
	uint64_t since = clock_read(CLOCK_REALTIME) / CLOCK_SECOND;
	int status = look_first(argc, argv, &before);

	if (!status)
		status = refuse(&before);
	if (status)
		return status;
	if (before.account.there && !strcmp(before.account.policy, before.digest)) {
		printf("%s: what is on the disk is in force already, %.12s\n",
		       before.name, before.digest);
		return CTL_DONE;
	}
	if (unit_do("reload", "keeper", before.name))
		return ctl_say(CTL_NOT,
			       "%s: its keeper could not be told (systemctl "
			       "reload xdd-keeper@%s)",
			       before.name, before.name);
	look_until(&before, &now, decided, VERDICT_SECONDS);
	if (now.account.reload == RELOAD_TAKEN && decided(&before, &now))
		return say_taken(&before, &now);
	if (now.account.reload == RELOAD_REFUSED) {
		ctl_say(0, "%s: the keeper refuses it: the old policy stays in force",
			before.name);
		look_journal("keeper", before.name, since);
		return CTL_NOT;
	}
	return ctl_say(CTL_NOT,
		       "%s: its audit log does not say within %d s what became of it: "
		       "journalctl -u xdd-keeper@%s, and xddctl list %s",
		       before.name, VERDICT_SECONDS, before.name, before.name);
}
