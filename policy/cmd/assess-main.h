/* SPDX-License-Identifier: MIT */
/* xdd-policy report DIR -o PAGE: see xdd-policy(8). */
#ifndef XDD_ASSESS_MAIN_H
#define XDD_ASSESS_MAIN_H

/* @argv[0] is "report". Returns the exit status. */
int assess_main(int argc, char **argv);

#endif
