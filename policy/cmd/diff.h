/* SPDX-License-Identifier: MIT */
#ifndef XDD_DIFF_H
#define XDD_DIFF_H

/* xdd-policy diff; see xdd-policy(8). Returns the exit status: 0 nothing more becomes
 * possible, 1 something may, 2 an operand holds no policy. */
int diff_main(int argc, char **argv);

#endif
