/* SPDX-License-Identifier: MIT */
/* What the tests of xdd-attach share: files of devices, in a folder of their own,
 * a driver domain and a client, and a look at what became of them. */
#ifndef XDD_ATTACH_SCENE_H
#define XDD_ATTACH_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach_world.h"

#define FRONT "/local/domain/5/device/vbd/51712"
#define BACK  "/local/domain/2/backend/vbd/5/51712"
#define COPY  "/libxl/5/device/vbd/51712"

#define FILES_HEAD "Format = 1\n[Backend]\nClass = blk\nResource = /dev/null\n"
#define FILES_TAIL                                                                     \
	"[Limits]\nInFlight = 1\nOperations = 1/s\nBytes = 1/s\nEvents = 1/s\n"

static char files_dir[] = "/tmp/xdd-attach.XXXXXX";

static inline const char *files_path(const char *name)
{
	static char path[2][256];
	static unsigned at;

	at = !at;
	snprintf(path[at], sizeof(path[at]), "%s/%s", files_dir, name);
	return path[at];
}

static inline void files_write(const char *name, const char *text)
{
	FILE *file = fopen(files_path(name), "we");

	if (!file || fputs(text, file) < 0 || fclose(file))
		abort();
}

/* NAME.policy with @client in its section, NAME.attach between @back and @front. */
static inline void files_device(const char *name, const char *client, const char *back,
				const char *front)
{
	char file[64], text[1024];

	snprintf(file, sizeof(file), "%s.policy", name);
	snprintf(text, sizeof(text), FILES_HEAD "[Client]\n%s\n" FILES_TAIL, client);
	files_write(file, text);
	snprintf(file, sizeof(file), "%s.attach", name);
	snprintf(text, sizeof(text),
		 "Format = 1\n[Attach]\nBackend = %s\nClient = %s\n", back, front);
	files_write(file, text);
}

static inline int files_clean(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s/*", files_dir);
	return system(command);
}

static struct command_options options;

/* drv (2), ivi (5), and root, the first disk of ivi. */
static inline int fresh(void **state)
{
	(void)state;
	files_clean();
	world_reset();
	options = (struct command_options){.target.directory = files_dir};
	world_xl_domain(2, "drv");
	world_xl_domain(5, "ivi");
	files_device("root", "Domain = any\nTag = ivi_root\nDevice = xvda", "drv",
		     "ivi");
	return 0;
}

static inline int run(int (*main)(const struct command *), char *name)
{
	const struct command command = {&world.control, &options, 1, &name};

	return main(&command);
}

static inline int attach(char *name)
{
	return run(attach_main, name);
}

static inline int detach(char *name)
{
	return run(detach_main, name);
}

static inline void says(const char *text)
{
	if (!world_said(text))
		fail_msg("no \"%s\" in:\n%s", text, world.said);
}

static inline void is(const char *path, const char *value)
{
	const char *got = world_read(path);

	if (!got)
		fail_msg("no %s", path);
	assert_string_equal(got, value);
}

/* The folder: for a group of tests, its first and its last. */
static inline int scene_begin(void **state)
{
	(void)state;
	return !mkdtemp(files_dir);
}

static inline int scene_end(void **state)
{
	(void)state;
	return files_clean() || rmdir(files_dir);
}

#endif
