/* SPDX-License-Identifier: MIT */
/*
 * A display's description in the client's directory, from its policy, as libxl has it
 * for vdispl (libxl_vdispl.c): keys that the client may read and not write.
 *
 * Not what binds the client: that is the policy, in the back end.
 */
#ifndef XDD_PLAN_DISPLAY_H
#define XDD_PLAN_DISPLAY_H

#include <stdbool.h>

#include "xenbus/cmd/plan.h"

/* @add each key, parents first; @ours: the client may not write it. */
void plan_display(const struct plan_input *in,
		  void (*add)(void *owner, const char *key, const char *value,
			      bool ours),
		  void *owner);

#endif
