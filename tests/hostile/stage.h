/* SPDX-License-Identifier: MIT */
/*
 * The bed's disk with its life (xenbus/life.h), turned as backends/host.c turns
 * them: what the store says, the device's turn, and a tick now and then.
 */
#ifndef XDD_TEST_STAGE_H
#define XDD_TEST_STAGE_H

#include "tests/hostile/hostile.h"
#include "xenbus/life.h"

struct stage {
	struct life life;
	bool draws;	/* detached() was called, and life_detached() not yet */
	unsigned fails; /* of the ring */
	int error;	/* our environment's: the process ends */
};

extern struct stage stage;

/* A world in which the device is attached; a process; nothing has been turned. */
void stage_init(const struct bed_conf *conf);
/* Removes the device, turns, ends the process; what leaked. */
unsigned stage_fini(void);
/* Another process in place of one that was killed or failed. */
void stage_restart(void);
/* Until nothing moves any more; time stands still. */
void stage_turn(void);
/* @n ticks, a second each, and turns. */
void stage_ticks(unsigned n);
/* The toolstack removes the device, and makes it again. */
void stage_remove(void);
void stage_attach(void);
/* A fresh front end connects; the life must become connected, and serve. */
void stage_connects(void);

#endif
