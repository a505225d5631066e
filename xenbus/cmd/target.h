/* SPDX-License-Identifier: MIT */
/*
 * One device that is to be attached or detached: what its two files say, and
 * what the command line says instead. Reads files; asks neither Xen nor
 * xenstore.
 */
#ifndef XDD_TARGET_H
#define XDD_TARGET_H

#include "policy/cmd/load.h"
#include "xenbus/cmd/conf.h"

#define TARGET_DIRECTORY "/etc/xdd"

/* What the command line says; NULL: nothing. */
struct target_options {
	const char *directory; /* of NAME's files; NULL: TARGET_DIRECTORY */
	const char *backend, *client;
};

struct target {
	char path[PATH_MAX];   /* of NAME.attach; "": there is none */
	char policy[PATH_MAX]; /* of its policy */
	struct conf conf;
	struct loaded loaded;
};

/*
 * Read what @what names: NAME, or the path of a NAME.attach or a NAME.policy. Of a
 * policy, the NAME.attach beside it is read if a domain is not in @options.
 * False: all that is wrong has been reported, as xdd-policy reports it.
 */
bool target_read(const char *what, const struct target_options *options,
		 struct target *out, struct report *report);

#endif
