/* SPDX-License-Identifier: MIT */
/*
 * xddctl reload, drain and resume: what they say came of it is what the log and the
 * units show afterwards, not that a command was given. A systemctl of the tests does
 * what each test's file "do" says.
 */
#include "ctl_scene.h"

#include <sha2.h>

#define SERVING "StatusText=serving d3 xvda, generation 1"
#define WAITS	"StatusText=waiting for the back end of d3 xvda, generation 1"
#define LOG	SCENE_LOG "disk "

static char digest[65];

static const char *start_members(void)
{
	static char members[256];
	char path[256];

	snprintf(path, sizeof(path), "%s/etc/xdd/disk.policy", scene_dir);
	assert_non_null(SHA256File(path, digest));
	snprintf(members, sizeof(members),
		 "\"instance\":\"disk\",\"class\":\"blk\",\"policy\":\"%s\",\"boot\":"
		 "\"b\"",
		 digest);
	return members;
}

static void show_running(void)
{
	scene_show(scene_unit("keeper@disk", "active", SERVING),
		   scene_unit("blk@disk", "active", ""));
}

static int fresh(void **state)
{
	(void)state;
	if (shell("rm -rf etc/xdd/* var/log/xdd/disk/* calls do next said && touch "
		  "calls"))
		return -1;
	scene_policy("disk", "16");
	scene_log("disk", "start", start_members());
	scene_log("disk", "device", "\"text\":\"backend/vbd/3/51712, generation 1\"");
	scene_log("disk", "connect", "\"text\":\"back end, pid 4711\"");
	scene_log("disk", "state", "\"present\":1,\"online\":1,\"back\":4,\"front\":4");
	show_running();
	scene_file("bin/journalctl", "#!/bin/sh\ncat \"$XDD_ROOT/said\" 2>/dev/null\n");
	return shell("chmod +x bin/journalctl");
}

/* What the keeper writes when it has taken a new policy. */
static void keeper_takes(const char *before)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "%s" LOG "reload '\"text\":\"the new policy is in force\"'\n" LOG
		 "start '%s'\n",
		 before, start_members());
	scene_file("do", text);
}

static void calls(const char *want)
{
	assert_int_equal(shell("cat calls"), 0);
	assert_string_equal(output, want);
}

static void reloads(void **state)
{
	(void)state;
	assert_int_equal(ctl("reload disk"), 0);
	says("disk: what is on the disk is in force already");
	calls("");
	scene_policy("disk", "17");
	keeper_takes("");
	assert_int_equal(ctl("reload disk"), 0);
	says("disk: the new policy is in force, ");
	says("the device was not dropped: the same back end goes on, its client is "
	     "connected");
	calls("reload -- xdd-keeper@disk.service\n");
}

/* The back end has to let go: another process, and the same client. */
static void narrows(void **state)
{
	(void)state;
	scene_policy("disk", "8");
	keeper_takes(LOG "revoke '\"text\":\"the policy was narrowed\"'\n");
	assert_int_equal(shell("cat >>do <<'END'\n" LOG
			       "disconnect '\"text\":\"all\"'\n" LOG
			       "connect '\"text\":\"back end, pid 4712\"'\n"
			       "sed -i s/4711/4712/ \"$XDD_ROOT/show\"\nEND"),
			 0);
	assert_int_equal(ctl("reload disk"), 0);
	says("it takes away what was mapped: the back end had to let go of all");
	says("  serving, as before; the device was not dropped");
}

/* It lets go, and does not come back. */
static void stays_away(void **state)
{
	(void)state;
	scene_policy("disk", "9");
	keeper_takes(LOG "revoke '\"text\":\"the policy was narrowed\"'\n" LOG
			 "disconnect '\"text\":\"all\"'\n");
	assert_int_equal(shell("echo 'cp \"$XDD_ROOT/next\" \"$XDD_ROOT/show\"' >>do"),
			 0);
	scene_show(scene_unit("keeper@disk", "active", WAITS),
		   scene_unit("blk@disk", "failed", ""));
	assert_int_equal(shell("mv show next"), 0);
	show_running();
	assert_int_equal(ctl("reload disk"), 1);
	says("disk: failed, and was serving");
	says_not("was not dropped");
}

static void refused(void **state)
{
	(void)state;
	scene_policy("disk", "18");
	scene_file("do", LOG
		   "reload '\"text\":\"the old policy stays in force\"'\n"
		   "printf 'disk.policy:0: needs a restart\\033[2J\\n' >\"$XDD_ROOT/"
		   "said\"\n");
	assert_int_equal(ctl("reload disk"), 1);
	says("the keeper refuses it: the old policy stays in force");
	says("  disk.policy:0: needs a restart\\x1b[2J\n");
	scene_policy("disk", "none");
	assert_int_equal(shell(": >calls"), 0);
	assert_int_equal(ctl("reload disk"), 1);
	says("disk.policy:10: ");
	says("nothing was reloaded");
	calls("");
	scene_policy("disk", "19");
	scene_show(scene_unit("keeper@disk", "failed", ""), NULL);
	assert_int_equal(ctl("reload disk"), 1);
	says("its keeper does not run");
	calls("");
	assert_int_equal(ctl("reload nobody"), 2);
	assert_int_equal(ctl("reload ../disk"), 2);
	assert_int_equal(ctl("reload disk disk"), 2);
	assert_int_equal(ctl("reload"), 2);
}

/* An earlier verdict is none, nor is another policy's, nor that of no log. */
static void no_verdict(void **state)
{
	(void)state;
	scene_log("disk", "reload", "\"text\":\"the new policy is in force\"");
	scene_log("disk", "start", "\"instance\":\"disk\",\"policy\":\"00\"");
	scene_log("disk", "reload", "\"text\":\"the old policy stays in force\"");
	assert_int_equal(ctl("reload disk"), 1);
	says("its audit log does not say within 10 s what became of it");
	scene_file("do", LOG "reload '\"text\":\"the new policy is in force\"'\n" LOG
			     "start '\"instance\":\"disk\",\"policy\":\"00\"'\n");
	assert_int_equal(ctl("reload disk"), 1);
	says("its audit log does not say within 10 s what became of it");
	scene_file("do", "exit 1\n");
	assert_int_equal(ctl("reload disk"), 1);
	says("its keeper could not be told");
}

static void drains(void **state)
{
	char text[512];

	(void)state;
	scene_show(scene_unit("keeper@disk", "active", WAITS),
		   scene_unit("blk@disk", "inactive", ""));
	assert_int_equal(shell("mv show next"), 0);
	show_running();
	snprintf(text, sizeof(text),
		 LOG "disconnect '\"text\":\"all it held is given back\"'\n"
		     "cp \"$XDD_ROOT/next\" \"$XDD_ROOT/show\"\n");
	scene_file("do", text);
	assert_int_equal(ctl("drain disk"), 0);
	says("disk: drained: what was in flight is finished, what was mapped is given "
	     "back; its client stays connected, and waits");
	calls("stop -- xdd-blk@disk.service\n");
	assert_int_equal(ctl("drain disk"), 0);
	says("disk: its back end does not run: drained");

	show_running();
	assert_int_equal(shell("mv show next && : >calls"), 0);
	scene_show(scene_unit("keeper@disk", "active", WAITS),
		   scene_unit("blk@disk", "inactive", ""));
	/* it is up, and serves a moment later */
	scene_file("do",
		   LOG "connect '\"text\":\"back end, pid 4711\"'\n"
		       "sed '/^Id=xdd-blk/,$ s/^ActiveState=.*/ActiveState=active/' "
		       "\"$XDD_ROOT/show\" >\"$XDD_ROOT/up\"\n"
		       "cp \"$XDD_ROOT/up\" \"$XDD_ROOT/show\"\n"
		       "(sleep 1; cp \"$XDD_ROOT/next\" \"$XDD_ROOT/show\") "
		       ">/dev/null 2>&1 &\n");
	assert_int_equal(ctl("resume disk"), 0);
	says("disk: serving\n");
	calls("start -- xdd-blk@disk.service\n");
}

/* systemd's patience was over. */
static void killed(void **state)
{
	(void)state;
	scene_show(scene_unit("keeper@disk", "active", WAITS),
		   scene_unit("blk@disk", "failed", "Result=timeout"));
	assert_int_equal(shell("mv show next"), 0);
	show_running();
	scene_file("do", LOG "disconnect '\"text\":\"all it held is given back\"'\n"
			     "cp \"$XDD_ROOT/next\" \"$XDD_ROOT/show\"\n");
	assert_int_equal(ctl("drain disk"), 1);
	says("stopped, but not drained (failed, timeout)");
	scene_show(scene_unit("keeper@disk", "active", WAITS),
		   scene_unit("blk@disk", "inactive", "Result=signal"));
	assert_int_equal(shell("mv show next"), 0);
	show_running();
	assert_int_equal(ctl("drain disk"), 1);
	says("stopped, but not drained (inactive, signal)");
	scene_file("do", "exit 1\n");
	assert_int_equal(ctl("resume disk"), 1);
	says("disk: it did not start: journalctl -u xdd-blk@disk says why");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reloads, fresh),
		cmocka_unit_test_setup(narrows, fresh),
		cmocka_unit_test_setup(stays_away, fresh),
		cmocka_unit_test_setup(refused, fresh),
		cmocka_unit_test_setup(no_verdict, fresh),
		cmocka_unit_test_setup(drains, fresh),
		cmocka_unit_test_setup(killed, fresh),
	};

	if (argc > 1)
		return scene_main(argc, argv);
	return cmocka_run_group_tests(tests, scene_make, scene_unmake);
}
