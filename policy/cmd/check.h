/* SPDX-License-Identifier: MIT */
/* xdd-policy check [OPTION...] FILE|DIR...: see xdd-policy(8). */
#ifndef XDD_CHECK_H
#define XDD_CHECK_H

/* @argv[0] is "check". Returns the exit status. */
int check_main(int argc, char **argv);

#endif
