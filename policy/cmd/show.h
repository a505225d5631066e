/* SPDX-License-Identifier: MIT */
/* xdd-policy show FILE: the policy with its defaults filled in. */
#ifndef XDD_SHOW_H
#define XDD_SHOW_H

/* @argv[0] is "show". Returns the exit status. */
int show_main(int argc, char **argv);

#endif
