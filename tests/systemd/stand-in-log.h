/* SPDX-License-Identifier: MIT */
/*
 * The audit log of a keeper that is a stand-in: what a keeper writes, by the code that
 * a keeper writes it with, so that there is something to be read of it.
 */
#ifndef XDD_TEST_STAND_IN_LOG_H
#define XDD_TEST_STAND_IN_LOG_H

#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>

#include "grant-mem/audit.h"

static struct audit audit;

static inline void audit_text(const char *event, const char *text)
{
	audit_line(&audit, event, "\"text\":\"%s\"", text);
}

static inline void audit_start(const char *instance)
{
	char path[512], digest[65] = "";

	snprintf(path, sizeof(path), "/etc/xdd/%s.policy", instance);
	SHA256File(path, digest);
	audit_line(&audit, "start",
		   "\"instance\":\"%s\",\"class\":\"blk\",\"policy\":\"%s\"", instance,
		   digest);
}

/* What a keeper logs until its client is connected. */
static inline void audit_begin(const char *instance)
{
	audit_open(&audit, getenv("LOGS_DIRECTORY"), AUDIT_FILE_BYTES, false);
	audit_start(instance);
	audit_text("device", "backend/vbd/3/51712, generation 1");
	audit_line(&audit, "state", "\"present\":%u,\"back\":4,\"front\":4", 1);
}

#endif
