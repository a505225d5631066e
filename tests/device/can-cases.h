/* SPDX-License-Identifier: MIT */
/*
 * What the programs about a controller's doors share: the table of doors that each of
 * their cases is run through, and the words that the cases are written in.
 */
#ifndef XDD_TEST_CAN_CASES_H
#define XDD_TEST_CAN_CASES_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/device/can-bed.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SECOND	 1000000000ull

#define CAN_CASES_MAX 32

struct can_case {
	const char *name;
	void (*run)(void);
};

#define CASE(name)                                                                     \
	{                                                                              \
#name, name                                                            \
	}

/* Each of @n @cases through each door: cmocka's result. */
int can_cases_run(const char *name, const struct can_case *cases, unsigned n);

extern struct can_bed bed;
extern struct can_bed_conf variant; /* the door's, before the case adds its own */

const struct can_front_words *words(void);
void up_as(const struct can_bed_conf *conf);
/* Up and started. */
void on_as(const struct can_bed_conf *conf);
void on(void);
/* Nothing leaked, and nothing was broken. */
void down(void);
void run(void);
void run_now(void);

/* The next answer to a frame is this; a wire that knows no more says that it failed. */
void assert_answer(uint16_t id, enum can_status status);
void assert_no_answer(void);
/* The next to a START or STOP. */
void assert_controlled(uint16_t id);
/* It is answered so, and nothing was on the bus. */
void assert_refused(const struct canfd_frame *frame, enum can_status status);
/* The next that came; what a wire cannot say is not waited for. */
void assert_came(const struct canfd_frame *frame, bool own);
void assert_state(enum can_state state);
void assert_lost(uint32_t frames);
void assert_nothing_came(void);
/* A frame of a form that follows from @i, as the wire can say it. */
struct canfd_frame some_frame(unsigned i);

#endif
