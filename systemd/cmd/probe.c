/* SPDX-License-Identifier: MIT */
/*
 * xddctl probe: xdd-probe in a back end's place, in that one's own unit and under its
 * own policy; see xddctl(8).
 *
 * A drop-in, there until the probe has ended, changes what the unit starts, and none of
 * its walls.
 *
 * Invariants:
 *  1. whatever happens but SIGKILL, the drop-in goes and the back end that ran is
 *     started again; signals to end wait until then;
 *  2. that all was refused is said of a probe that came to its end, and says so itself;
 *  3. nobody is probed whose client is connected: the probe writes the device's state.
 *     That is looked at once more when no back end runs that a client could connect to.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "grant-mem/cmd/audit-print.h"
#include "policy/class.h"
#include "systemd/cmd/act.h"
#include "systemd/cmd/place.h"
#include "systemd/cmd/run.h"

#define SAID_BYTES     131072
#define RELOAD_SECONDS 60

struct probe {
	const struct instance *of;
	char role[UNIT_ROLE];
	char folder[PLACE_MAX + 16], file[PLACE_MAX + 48]; /* the drop-in */
	char said[PLACE_MAX];				   /* what the probe prints */
	bool json;
	/* Its last line. */
	bool ended, lost;
	uint64_t refused, allowed, skipped;
};

static bool set_paths(struct probe *p)
{
	char unit[UNIT_ROLE + UNIT_INSTANCE + 32], said[UNIT_INSTANCE + 16];

	snprintf(unit, sizeof(unit), "xdd-%s@%s.service.d", p->role, p->of->name);
	snprintf(said, sizeof(said), "xdd-probe.%s", p->of->name);
	if (!place(p->folder, PLACE_UNITS, unit) || !place(p->said, PLACE_RUN, said))
		return false;
	snprintf(p->file, sizeof(p->file), "%s/99-xddctl-probe.conf", p->folder);
	return true;
}

/* A start that takes too long has to end: a oneshot's may take for ever. */
static int write_drop_in(const struct probe *p)
{
	FILE *file;
	int err = 0;

	if (mkdir(p->folder, 0755) && errno != EEXIST)
		return -errno;
	file = fopen(p->file, "we");
	if (!file)
		return -errno;
	fprintf(file,
		"# xddctl probe: goes when it has ended.\n[Service]\nType=oneshot\n"
		"Restart=no\nTimeoutStartSec=120\nStandardOutput=truncate:%"
		"s\nExecStart=\n"
		"ExecStart=" XDD_LIBEXEC "/xdd-enter --class %s %s -- " XDD_LIBEXEC
		"/xdd-probe --sealed --json\n",
		p->said, class_info(p->of->policy.class, p->of->policy.door)->name,
		p->of->name);
	if (ferror(file))
		err = -EIO;
	if (fclose(file) && !err)
		err = -errno;
	return err;
}

static int manager_reload(void)
{
	static const char *const argv[] = {"systemctl", "daemon-reload", NULL};

	return run(argv, RELOAD_SECONDS, NULL, 0);
}

/* Invariant 1. A folder that others have drop-ins in stays. */
static void take_away(const struct probe *p)
{
	if (unlink(p->file) && errno != ENOENT)
		ctl_say(0,
			"%s cannot be removed: %s. Remove it, and systemctl "
			"daemon-reload",
			p->file, strerror(errno));
	rmdir(p->folder);
	if (manager_reload())
		ctl_say(0,
			"systemctl daemon-reload failed: do it, before the back end is "
			"started");
}

/* One object a line; the last has the sums. */
static void take_line(struct probe *p, const char *line)
{
	json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(object, "name"));
	const char *result = json_string_value(json_object_get(object, "result"));
	const char *detail = json_string_value(json_object_get(object, "detail"));
	json_t *allowed = json_object_get(object, "allowed");

	if (object && p->json)
		print_json(object);
	if (name && result && detail && !p->json) {
		print_text(strcmp(result, "allowed") ? result : "ALLOWED");
		printf("  ");
		print_text(name);
		printf("  (");
		print_text(detail);
		printf(")\n");
	}
	p->lost |= json_object_get(object, "lost") != NULL;
	if (json_is_integer(allowed)) {
		p->ended = true;
		p->refused = (uint64_t)json_integer_value(
			json_object_get(object, "refused"));
		p->allowed = (uint64_t)json_integer_value(allowed);
		p->skipped = (uint64_t)json_integer_value(
			json_object_get(object, "skipped"));
	}
	json_decref(object);
}

static void read_said(struct probe *p)
{
	static char text[SAID_BYTES + 1];
	ssize_t len = file_read(p->said, text, SAID_BYTES);
	char *line, *rest = text;

	if (len < 0)
		return;
	text[len] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		if (*line)
			take_line(p, line);
	}
	unlink(p->said);
}

/* Returns what systemd said of the start. */
static int try(struct probe *p)
{
	int err = write_drop_in(p);

	if (err) {
		ctl_say(0, "%s cannot be written: %s", p->file, strerror(-err));
	} else {
		unlink(p->said);
		err = manager_reload();
		if (!err)
			err = unit_do("start", p->role, p->of->name);
	}
	take_away(p);
	unit_do("reset-failed", p->role, p->of->name);
	return err;
}

static int judge(const struct probe *p, int started)
{
	const char *name = p->of->name;

	if (!p->ended)
		return ctl_say(CTL_NOT,
			       "%s: the probe did not come to its end: journalctl -u "
			       "xdd-%s@%s says why",
			       name, p->role, name);
	if (!p->json)
		printf("%s: %" PRIu64 " refused, %" PRIu64 " allowed, %" PRIu64
		       " skipped\n",
		       name, p->refused, p->allowed, p->skipped);
	if (p->allowed)
		return ctl_say(CTL_NOT,
			       "%s: %" PRIu64
			       " things that a back end must not be able to "
			       "do: see xdd-probe(8), and the files of xdd-%s@%s",
			       name, p->allowed, p->role, name);
	if (p->lost || started)
		return ctl_say(CTL_NOT,
			       "%s: its keeper hung up on the way, or the probe "
			       "failed: what came after proves nothing",
			       name);
	return CTL_DONE;
}

static int refuse_client(const struct instance *i)
{
	if (!i->account.connected)
		return CTL_DONE;
	return ctl_say(CTL_NOT,
		       "%s: its client is connected, and the probe would take its "
		       "device: probe it before its client runs, or an instance made "
		       "for it",
		       i->name);
}

static int refuse(const struct instance *i)
{
	if (!i->good)
		return ctl_say(CTL_NOT, "%s: it has no good policy: xddctl list %s",
			       i->name, i->name);
	if (instance_is_alone(i))
		return ctl_say(CTL_NOT,
			       "%s: Isolation = domain: no wall of ours is there to "
			       "be probed",
			       i->name);
	if (!unit_is(&i->keeper, "active"))
		return ctl_say(CTL_NOT,
			       "%s: its keeper does not run: systemctl start "
			       "xdd@%s.target",
			       i->name, i->name);
	return refuse_client(i);
}

static void hold_signals(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(how, &set, NULL);
}

/* Invariant 3. */
static int refuse_late(const struct probe *p)
{
	static struct instance now;
	int status = look(p->of->name, 0, &now);

	return status ? status : refuse_client(&now);
}

static int probe(struct probe *p)
{
	bool ran = unit_is(&p->of->back_end, "active");
	int started, status;

	if (!set_paths(p))
		return ctl_say(CTL_USAGE, "$XDD_ROOT is too long");
	hold_signals(SIG_BLOCK);
	if (ran)
		unit_do("stop", p->of->back_end.role, p->of->name);
	status = refuse_late(p);
	if (!status) {
		started = try(p);
		read_said(p);
		status = judge(p, started);
	}
	fflush(stdout);
	if (ran && act_resume(p->of))
		status = CTL_NOT;
	hold_signals(SIG_UNBLOCK);
	return status;
}

int probe_main(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	static struct instance instance;
	struct probe p = {.of = &instance};
	int status, c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'j')
			return CTL_USAGE;
		p.json = true;
	}
	if (argc - optind != 1)
		return ctl_say(CTL_USAGE,
			       "probe: which instance? One; xddctl list has all");
	status = look(argv[optind], 0, &instance);
	if (!status)
		status = refuse(&instance);
	if (status)
		return status;
	instance_role(&instance, p.role);
	return probe(&p);
}
