/* SPDX-License-Identifier: MIT */
#ifndef XDD_EXPLAIN_H
#define XDD_EXPLAIN_H

/* xdd-policy explain; see xdd-policy(8). Returns the exit status: 0 it may, 1 it may
 * not, 2 the question is not understood. */
int explain_main(int argc, char **argv);

#endif
