/* SPDX-License-Identifier: MIT */
/*
 * A card of four connectors behind libdrm's calls (drm_fake.h), and policies in a
 * folder of their own, for tests of who lends it.
 */
#ifndef XDD_TEST_LESSOR_SCENE_H
#define XDD_TEST_LESSOR_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/displ/lessor.h"
#include "tests/unit/drm_fake.h"

static char scene_dir[] = "/tmp/xdd-lessor.XXXXXX";
static char scene_card[64], scene_owners[64], scene_said[8192];
static struct lessor lessor;

static inline void scene_begin(void)
{
	drm_fake_init_four();
	lessor_init(&lessor, scene_card, scene_owners);
	lessor.log.burst = 0;
}

/* A policy @name of @resource, with a section [Display]. */
static inline void scene_policy(const char *name, const char *resource,
				const char *section)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.policy", scene_dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
		"Format = 1\n[Backend]\nClass = displ\nResource = %s\n"
		"[Client]\nDomain = 3\nDevice = 0\n[Memory]\nRingPages = 8\n"
		"DataPages = 8192\n[Limits]\nInFlight = 1\nOperations = 1000/s\n"
		"Bytes = 100M/s\nEvents = 1000/s\n[Display]\n%s",
		resource, section);
	assert_int_equal(fclose(f), 0);
}

static inline void scene_lease(const char *name, const char *section)
{
	char resource[96];

	snprintf(resource, sizeof(resource), "lease:%s", scene_card);
	scene_policy(name, resource, section);
}

/* As its unit has it: the policies, and a folder that the instance owns. */
static inline void scene_add(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", scene_owners, name);
	mkdir(path, 0700);
	assert_true(lessor_add(&lessor, scene_dir, name));
	lessor.instance[lessor.instances - 1].log.burst = 0;
}

static int scene_err = -1, scene_file = -1;

/* What is said from here on is in @scene_said after scene_heard(). */
static inline void scene_listen(void)
{
	scene_file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	scene_err = dup(2);
	assert_true(scene_file >= 0 && scene_err >= 0);
	dup2(scene_file, 2);
}

static inline const char *scene_heard(void)
{
	ssize_t n;

	dup2(scene_err, 2);
	n = pread(scene_file, scene_said, sizeof(scene_said) - 1, 0);
	scene_said[n > 0 ? n : 0] = '\0';
	close(scene_file);
	close(scene_err);
	return scene_said;
}

static inline void scene_heard_of(const char *what)
{
	if (!strstr(scene_heard(), what))
		fail_msg("\"%s\" is not in: %s", what, scene_said);
}

static inline int scene_make(void **state)
{
	int fd;

	(void)state;
	if (!mkdtemp(scene_dir))
		return -1;
	snprintf(scene_card, sizeof(scene_card), "%s/card0", scene_dir);
	snprintf(scene_owners, sizeof(scene_owners), "%s/owners", scene_dir);
	fd = open(scene_card, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	close(fd);
	return fd < 0 ? -1 : mkdir(scene_owners, 0755);
}

static inline int scene_remove(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", scene_dir);
	return system(command);
}

#endif
