/* SPDX-License-Identifier: MIT */
/*
 * One policy file, read and judged whole: the generic sections by the policy
 * library, the class's own by the class. Each error is reported.
 */
#ifndef XDD_LOAD_H
#define XDD_LOAD_H

#include "policy/cmd/report.h"
#include "policy/policy.h"

struct loaded {
	const char *path; /* the caller's */
	struct policy policy;
	size_t len;
	char text[POLICY_TEXT_MAX + 1]; /* one more, to see what is too long */
};

/* True if @path holds a policy with nothing wrong. */
bool load(const char *path, struct loaded *loaded, struct report *report);
/* The same of the @len bytes in @loaded's text, for the instance @name; what is wrong
 * goes to @errors, and how much of it is returned. */
unsigned load_text(const char *name, struct loaded *loaded,
		   struct policy_errors *errors);

#endif
