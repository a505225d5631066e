/* SPDX-License-Identifier: MIT */
/*
 * A driver domain in a folder, as xddctl finds one: policies, audit logs that the
 * keeper's code writes, files of numbers, and a systemctl that says what a test says.
 * For tests of the program: XDDCTL names it. The test's own program is also who writes
 * a log when that systemctl is told to do something: scene_main().
 */
#ifndef XDD_CTL_SCENE_H
#define XDD_CTL_SCENE_H

#include "program.h"

#include "backends/stats.h"
#include "grant-mem/audit.h"

static char scene_dir[] = "/tmp/xdd-ctl.XXXXXX";

static inline int ctl(const char *args)
{
	return shell(
		"XDD_ROOT=. PATH=\"$PWD/bin:$PATH\" $MESON_EXE_WRAPPER \"$XDDCTL\" %s "
		"2>&1",
		args);
}

/* Writes @text into the file @name of the scene. */
static inline void scene_file(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", scene_dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* A line of the log of @name. */
static inline void scene_log(const char *name, const char *event, const char *members)
{
	struct audit audit;
	char path[256];

	snprintf(path, sizeof(path), "%s/var/log/xdd/%s", scene_dir, name);
	assert_int_equal(audit_open(&audit, path, AUDIT_FILE_BYTES, false), 0);
	audit_line(&audit, event, "%s", members);
	close(audit.fd);
	close(audit.dir);
}

/* Exactly @text, and spaces behind it up to the size of such a file. */
static inline void scene_numbers(const char *name, const char *text)
{
	char path[64], all[STATS_BYTES + 1];

	snprintf(all, sizeof(all), "%-*s\n", STATS_BYTES - 1, text);
	snprintf(path, sizeof(path), "run/xdd-stats/%s/stats", name);
	scene_file(path, all);
}

/* A unit as "systemctl show" has it; @more: further lines. */
static inline const char *scene_unit(const char *id, const char *active,
				     const char *more)
{
	static char text[8][1024];
	static unsigned next;
	char *at = text[next++ % 8];

	snprintf(at, sizeof(text[0]),
		 "MainPID=%d\nNRestarts=0\nResult=success\nNeedDaemonReload=no\n"
		 "ActiveEnterTimestampMonotonic=1000000\nId=xdd-%s.service\n"
		 "ActiveState=%s\nSubState=running\n%s\n",
		 strcmp(active, "active") ? 0 : 4711, id, active, more);
	return at;
}

/* What systemctl shows from now on. */
static inline void scene_show(const char *a, const char *b)
{
	char text[4096];

	snprintf(text, sizeof(text), "%s%s%s", a, b && *a ? "\n" : "", b ? b : "");
	scene_file("show", text);
}

static inline void scene_policy(const char *name, const char *in_flight)
{
	char path[64], text[1024];

	snprintf(path, sizeof(path), "etc/xdd/%s.policy", name);
	snprintf(text, sizeof(text),
		 "Format = 1\n[Backend]\nClass = blk\nResource = null:64M\n[Client]\n"
		 "Domain = any\nTag = ivi\nDevice = xvda\n[Limits]\nInFlight = %s\n"
		 "Operations = 1000/s\nBytes = 10M/s\nEvents = 1000/s\n",
		 in_flight);
	scene_file(path, text);
}

/* What systemctl does may add a line to a log: SCENE_LOG "NAME EVENT MEMBERS". */
#define SCENE_LOG "$MESON_EXE_WRAPPER \"$SCENE_LOG\" --log "

static inline int scene_make(void **state)
{
	char self[256];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)state;
	if (len < 0)
		return -1;
	self[len] = '\0';
	setenv("SCENE_LOG", self, 1);
	if (!mkdtemp(scene_dir))
		return -1;
	shell_dir = scene_dir;
	if (shell("mkdir -p etc/xdd var/log/xdd/disk run/xdd-stats/disk bin "
		  "run/systemd/system"))
		return -1;
	scene_file("bin/systemctl",
		   "#!/bin/sh\n"
		   "[ \"$1\" = show ] && exec cat \"$XDD_ROOT/show\"\n"
		   "echo \"$*\" >>\"$XDD_ROOT/calls\"\n"
		   "[ ! -e \"$XDD_ROOT/do\" ] || . \"$XDD_ROOT/do\"\n");
	scene_show("", NULL);
	return shell("chmod +x bin/systemctl");
}

static inline int scene_unmake(void **state)
{
	(void)state;
	return shell("cd / && rm -rf '%s'", scene_dir);
}

/* As the test's program: "--log NAME EVENT MEMBERS" in the scene's own directory. */
static inline int scene_main(int argc, char **argv)
{
	if (argc != 5 || strcmp(argv[1], "--log"))
		return 1;
	strcpy(scene_dir, ".");
	scene_log(argv[2], argv[3], argv[4]);
	return 0;
}

#endif
