/* SPDX-License-Identifier: MIT */
/* The operands of xdd-policy dt: policies by file, by directory or by name. */
#ifndef XDD_DT_LOAD_H
#define XDD_DT_LOAD_H

#include "policy/cmd/report.h"
#include "policy/cmd/set.h"

/* Adds the policy @operand: a file, each *.policy of a directory, or a bare
 * NAME for /etc/xdd/NAME.policy. Reports what is wrong. */
void dt_load(struct set *set, const char *operand, struct report *report);
void dt_unload(struct set *set);

#endif
