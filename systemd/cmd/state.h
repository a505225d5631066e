/* SPDX-License-Identifier: MIT */
/*
 * In which state an instance is, and what is wrong with it, from what its witnesses
 * say. Pure. For set.c alone.
 */
#ifndef XDD_STATE_H
#define XDD_STATE_H

#include "systemd/cmd/set.h"

/* Sets state and problems; all else of @instance is there. @units: systemd was heard.
 */
void state_judge(struct instance *instance, bool units);

#endif
