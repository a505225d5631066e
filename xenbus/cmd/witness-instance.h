/* SPDX-License-Identifier: MIT */
/*
 * The instances of one driver domain, as two folders have them that were brought from
 * it: each policy, and what its audit log says is held.
 *
 * Invariant: a policy that cannot be read, or a log that has no policy, is an instance
 * too: what is wrong with it is for the judge to say.
 */
#ifndef XDD_WITNESS_INSTANCE_H
#define XDD_WITNESS_INSTANCE_H

#include "policy/class.h"
#include "xenbus/cmd/witness-record.h"

#define INSTANCES_MAX 1024

struct instance {
	char name[256];		 /* of the file or the folder: no instance's, maybe */
	char path[PATH_MAX];	 /* of its policy; "": there is none */
	char why[512];		 /* its policy cannot be used; "": it can */
	char digest[ENTRY_HASH]; /* SHA-256 of its text */
	struct policy policy;
	const struct class_info *class;
	struct record log;
	char head[96];	 /* that was given for its log, or "" */
	uint32_t client; /* by its policy and the toolstack, or RECORD_NONE */

	/* The judge's: what Xen shows, and this instance explains. */
	uint32_t ring, data, ports;
};

struct instances {
	struct instance *at[INSTANCES_MAX];
	unsigned n;
};

/* @heads: a file of "NAME SEQ:HASH" lines, or NULL. NULL, or what could not be read,
 * for a person. */
const char *instances_read(struct instances *out, const char *policies,
			   const char *audit, const char *heads);
void instances_free(struct instances *instances);
/* True if @instance has a policy, and a log that can be relied on. */
bool instance_is_sound(const struct instance *instance);

#endif
