/* SPDX-License-Identifier: MIT */
/*
 * xddctl and the real keeper, without Xen: what reload says is what that keeper did
 * with its policy, and its log is what list reads. A systemctl of the tests passes the
 * signal.
 */
#include "../unit/ctl_scene.h"

#include <signal.h>

static pid_t keeper;

/* Until the keeper has written its first line, for ten seconds. */
static int start_keeper(void **state)
{
	if (scene_make(state) || shell("mkdir -p run/xdd/disk"))
		return -1;
	scene_policy("disk", "16");
	scene_file("do", "kill -HUP $(cat \"$XDD_ROOT/pid\")\n");
	scene_file("bin/journalctl", "#!/bin/sh\ncat \"$XDD_ROOT/said\"\n");
	if (shell("chmod +x bin/journalctl; LOGS_DIRECTORY=$PWD/var/log/xdd/disk "
		  "RUNTIME_DIRECTORY=$PWD/run/xdd/disk \"$XDD_KEEPER\" disk "
		  "--policy-dir "
		  "$PWD/etc/xdd >said 2>&1 </dev/null & echo $! >pid; "
		  "for i in $(seq 100); do grep -qs start var/log/xdd/disk/audit.log "
		  "&& "
		  "break; sleep 0.1; done; cat pid"))
		return -1;
	keeper = (pid_t)atoi(output);
	return keeper > 1 ? 0 : -1;
}

static int stop_keeper(void **state)
{
	if (keeper > 1)
		kill(keeper, SIGTERM);
	return scene_unmake(state);
}

static void takes(void **state)
{
	(void)state;
	scene_show(
		scene_unit("keeper@disk", "active", "StatusText=waiting for xenstore"),
		scene_unit("blk@disk", "active", ""));
	assert_int_equal(ctl("list"), 0);
	says("waiting for xenstore");
	assert_int_equal(ctl("reload disk"), 0);
	says("in force already");
	scene_policy("disk", "32");
	assert_int_equal(ctl("list"), 1);
	says("disk.policy is not what is in force");
	assert_int_equal(ctl("reload disk"), 0);
	says("disk: the new policy is in force, ");
	says("the device was not dropped: waiting");
	assert_int_equal(ctl("list --json"), 0);
	says("\"reloads\":1,");
}

static void refuses(void **state)
{
	(void)state;
	assert_int_equal(shell("sed -i s/xvda/xvdb/ etc/xdd/disk.policy"), 0);
	assert_int_equal(ctl("reload disk"), 1);
	says("the keeper refuses it: the old policy stays in force");
	says("this change needs a restart of both units");
	assert_int_equal(ctl("list"), 1);
	says("disk.policy is not what is in force");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, start_keeper, stop_keeper);
}
