/* SPDX-License-Identifier: MIT */
/*
 * Another program, run to its end, and what it printed. Bounded in bytes and in time;
 * what it says on standard error is for the user, and passes.
 */
#ifndef XDD_RUN_H
#define XDD_RUN_H

#include <stddef.h>

/* Runs @argv, which a NULL ends and PATH finds. @out: @size - 1 bytes of what it prints
 * at most, and a NUL; NULL: it is for the user. Returns its exit status, 128 and the
 * signal that ended it, or a negative errno: -ETIME if it took more than @seconds,
 * -E2BIG if it printed more; it is killed for either. */
int run(const char *const *argv, unsigned seconds, char *out, size_t size);

#endif
