/* SPDX-License-Identifier: MIT */
/* XenbusState by name, for people. */
#ifndef XDD_STATES_H
#define XDD_STATES_H

#include "xenbus/cmd/tree.h"

/* The state of directory @dir: "Connected"; "Unknown" too if it has none, or is
 * one that nobody knows; "gone" if there is no such directory. */
const char *states_of(struct tree *t, const char *dir);

#endif
