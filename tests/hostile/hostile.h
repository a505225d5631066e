/* SPDX-License-Identifier: MIT */
/*
 * What the hostile suite's programs share: a disk on a bed (tests/device/bed.h),
 * the questions "does it still serve?" and "is anything left?", and the count of
 * what was tried.
 */
#ifndef XDD_TEST_HOSTILE_H
#define XDD_TEST_HOSTILE_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/device/bed.h"
#include "tests/hook/shared-hook.h"
#include "tests/hostile/tally.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SECOND	 1000000000ull

extern struct bed bed;

/* A cmocka set-up: no hook of the test before is left. */
int hostile_reset(void **state);
/* bed_up() of @conf, and each sector of the disk is 0x99. */
void hostile_up(struct bed_conf conf);
/* Detached, by the client's doing or by ours: a new connection of the same
 * front end to the same process. */
void hostile_reconnect(void);
/* The process was killed: another one attaches, or (@attach false) the front end
 * starts afresh with it. */
void hostile_restart(bool attach);
/* One write is served, to sector 8000. */
void hostile_serves(void);
/* The disk is as it was filled, but for those eight sectors. */
void hostile_untouched(void);
/* The next answers, @max of them at most; how many there were. */
unsigned hostile_answers(struct front_rsp *rsp, unsigned max);

#define HOSTILE(f) cmocka_unit_test_setup(f, hostile_reset)

#endif
