/* SPDX-License-Identifier: MIT */
/* What the tests of the parser share: a small good policy, and expect(). */
#ifndef XDD_POLICY_FIXTURE_H
#define XDD_POLICY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/class.h"
#include "policy/policy.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* The least that is a policy: 12 lines. */
#define MINIMAL                                                                        \
	"Format=1\n[Backend]\nClass=blk\nResource=null:1G\n"                           \
	"[Client]\nDomain=1\nDevice=xvda\n"                                            \
	"[Limits]\nInFlight=1\nOperations=1/s\nBytes=5k/s\nEvents=99/s\n"

static const char minimal[] = MINIMAL;
static struct policy policy;
static struct policy_errors errors;
static char text[POLICY_TEXT_MAX + 1024];

static inline void expect(unsigned i, unsigned line, const char *what,
			  const char *allowed)
{
	const struct policy_error *error = &errors.error[i];

	assert_true(i < errors.count);
	if (error->line == line && strstr(error->what, what) &&
	    strstr(error->allowed, allowed))
		return;
	fail_msg("error %u is %u: \"%s\"; \"%s\"\nnot %u: \"%s\"; \"%s\"", i,
		 error->line, error->what, error->allowed, line, what, allowed);
}

static inline unsigned parse(const char *bytes, size_t len)
{
	return policy_parse("ivi_disk", bytes, len, &policy, &errors);
}

#endif
