/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy learn: the tightest policy under which an audit log would have been the
 * same, as a proposal. See xdd-policy(8).
 *
 * A log may have been written by anyone: what it says can only take away. Invariants:
 *  1. what is proposed is a policy, and allows nothing that the present one does not;
 *  2. what the log does not say is left as it is, and that is said.
 */
#ifndef XDD_LEARN_H
#define XDD_LEARN_H

#include "grant-mem/cmd/audit-sum.h"
#include "policy/cmd/load.h"

#define LESSONS	    8
#define LESSON_TEXT 200

/* A key that may say less. */
struct lesson {
	enum policy_key key;
	char value[64];
	char why[LESSON_TEXT];	/* what the log has of it */
	char kept[LESSON_TEXT]; /* why it stays as it is; "": it does not */
};

struct lessons {
	struct lesson lesson[LESSONS];
	unsigned n;
	char note[LESSONS][LESSON_TEXT]; /* what the log cannot know, and such */
	unsigned notes;
};

/* @argv[0] is "learn". Returns the exit status. */
int learn_main(int argc, char **argv);

/* What @sum says of @policy's keys, with @spare percent more pages than were mapped;
 * only what would be less. */
void learn_keys(const struct policy *policy, const struct sum *sum, unsigned spare,
		struct lessons *lessons);
/* @loaded's text with all lessons that are not kept, each behind a comment. To be
 * freed;
 * *@len is its length. */
char *learn_text(const struct loaded *loaded, const struct lessons *lessons,
		 size_t *len);

#endif
