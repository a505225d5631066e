/* SPDX-License-Identifier: MIT */
/*
 * What tests of xdd-policy share, those of dt first: a directory of their own with
 * four policies in it, the program, and what it says.
 *
 * The environment names the program under test, XDD_POLICY, and dtc, DTC.
 */
#ifndef XDD_POLICY_CMD_DT_H
#define XDD_POLICY_CMD_DT_H

#include "program.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static char dir[] = "/tmp/xdd-dt.XXXXXX";

static inline void write_bytes(const char *name, const void *bytes, size_t len)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

/* A disk of 1 ring page and 352 data pages, unless @memory says else. */
static inline void write_policy(const char *name, const char *client,
				const char *memory)
{
	char text[1024], file[64];

	snprintf(file, sizeof(file), "%s.policy", name);
	snprintf(
		text, sizeof(text),
		"Format = 1\n[Backend]\nClass = blk\nResource = null:1G\n"
		"ReadOnly = no\n[Client]\n%s\nDevice = xvda\n[Memory]\n%s\n"
		"[Limits]\nInFlight = 1\nOperations = 1/s\nBytes = 1/s\nEvents = 1/s\n",
		client, memory);
	write_bytes(file, text, strlen(text));
}

/* Of any class: @class is its name and what else is in [Backend], @client what is in
 * [Client], @rest all other sections. */
static inline void write_class(const char *name, const char *client, const char *class,
			       const char *rest)
{
	char text[2048], file[64];

	snprintf(text, sizeof(text),
		 "Format = 1\n[Backend]\nClass = %s\n[Client]\n%s\n[Limits]\nInFlight "
		 "= 1\n"
		 "Operations = 1/s\nBytes = 1/s\nEvents = 1/s\n%s",
		 class, client, rest);
	snprintf(file, sizeof(file), "%s.policy", name);
	write_bytes(file, text, strlen(text));
}

static inline int xdd_policy(const char *args)
{
	return shell("$MESON_EXE_WRAPPER \"$XDD_POLICY\" %s 2>&1", args);
}

static inline int dt(const char *args)
{
	char all[512];

	snprintf(all, sizeof(all), "dt %s", args);
	return xdd_policy(all);
}

static inline int clean(void **state)
{
	(void)state;
	return shell("rm -f -- *");
}

/* Two disks of one client, one of another, and one of whoever has the tag. */
static inline int four(void **state)
{
	(void)state;
	write_policy("ivi_disk", "Domain = 2", "RingPages = 16\nDataPages = 1056");
	write_policy("maps", "Domain = 2", "");
	write_policy("logs", "Domain = 5", "DataPages = 40000\nGrantRefs = 8-99999");
	write_policy("radio", "Domain = any\nTag = radio", "GrantRefs = 8-1023");
	return 0;
}

#endif
