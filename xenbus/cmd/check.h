/* SPDX-License-Identifier: MIT */
/*
 * May this device be attached, and is it already? All questions are asked before
 * anything is written; each refusal is one line that says what to do.
 */
#ifndef XDD_CHECK_H
#define XDD_CHECK_H

#include "xenbus/cmd/domains.h"
#include "xenbus/cmd/plan.h"
#include "xenbus/cmd/target.h"

enum check {
	CHECK_NEW,     /* nothing is there: attach it */
	CHECK_SAME,    /* it is attached, exactly so */
	CHECK_STALE,   /* ours is there, and the other half of it is gone */
	CHECK_ABSENT,  /* a domain is not there (yet) */
	CHECK_REFUSED, /* somebody must act first */
};

struct check_options {
	bool privileged_backend; /* the control domain may be the back end */
	bool waits; /* an absent domain is no error: it is said as a notice */
};

/* What was found, complete from CHECK_STALE down. */
struct checked {
	struct machine_domain back, front;
	struct plan_input input;
	struct plan_paths paths;
};

/* @target stays where it is while *@out is used. */
enum check check_target(struct control *c, const struct target *target,
			const struct check_options *options, struct checked *out);

#endif
