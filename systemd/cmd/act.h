/* SPDX-License-Identifier: MIT */
/* What a back end that was stopped needs, to be as it was. */
#ifndef XDD_ACT_H
#define XDD_ACT_H

#include "systemd/cmd/look.h"

/* Starts the back end of @before, and waits until it serves whom it served, or waits
 * for its client as it did. CTL_DONE; or CTL_NOT, and why was said. */
int act_resume(const struct instance *before);

#endif
