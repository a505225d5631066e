/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets of both CAN doors share: the input, the read of shared memory
 * that is rewritten, and what a bus may do at any time.
 */
#ifndef XDD_FUZZ_CAN_INPUT_H
#define XDD_FUZZ_CAN_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/device/can-bed.h"

struct can_input {
	const uint8_t *at, *end; /* what is left of it */
	struct can_bed *bed;
	/* What the next read number @left sees, or (@after) what a second look would.
	 */
	struct {
		bool set, after, flip;
		uint8_t left, with;
	} rewrite;
};

extern struct can_input can_input;

/* 0 where there is nothing left. */
uint8_t can_input_byte(void);
uint16_t can_input_word(void);

/* Reads are watched from now on, and none is rewritten yet. */
void can_input_watch(struct can_bed *bed);
/* The next but so many is rewritten. */
void can_input_rewrite(void);

/* A frame of ours is written, heard again; another's is; an error; the end. */
void can_input_written(void);
void can_input_echo(void);
void can_input_hear(void);
void can_input_error(void);
void can_input_down(void);

/* What reached the bus is what the policy lets pass. */
void can_input_check_bus(void);

#endif
