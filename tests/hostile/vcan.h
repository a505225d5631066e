/* SPDX-License-Identifier: MIT */
/*
 * What the programs about a CAN controller's virtio door share: its doors, chains of
 * any bytes, and what must follow on a chain that cannot be answered: the device needs
 * a reset, says so once, sends nothing and tells nothing, and serves after the reset.
 */
#ifndef XDD_TEST_VCAN_H
#define XDD_TEST_VCAN_H

#include "tests/device/can-cases.h"
#include "tests/hook/shared-hook.h"
#include "tests/hostile/tally.h"

#define EXT CAN_FRONT_FLAG_EXTENDED
#define FD  CAN_FRONT_FLAG_FD
#define RTR CAN_FRONT_FLAG_RTR

/* Pool and grant, each with all features, and without; what may be sent is 0x100 to
 * 0x1ff and all extended identifiers. */
#define VCAN_DOORS 4
extern const struct can_bed_conf vcan_confs[VCAN_DOORS];

#define VCAN_NONE (-1) /* no answer */
#define VCAN_OK	  0
#define VCAN_NOT  1

static inline struct can_front_virtio *vcan_front(void)
{
	return &bed.virtio_front;
}

/* A cmocka set-up: no hook of the test before is left. */
int vcan_reset(void **state);
/* Up and started, and listened to. */
void vcan_up(struct can_bed_conf conf);
/* Up, with these features refused, and not started. */
void vcan_up_without(struct can_bed_conf conf, uint64_t features);
/* One chain, answered alone: what was written, or VCAN_NONE. */
int vcan_ask(unsigned queue, const void *bytes, uint32_t readable, uint32_t room);
/* A frame with any header and @data bytes behind it. It is on the bus if it is VCAN_OK,
 * and else nothing is. */
int vcan_frame(uint16_t type, uint32_t length, uint32_t flags, uint32_t id,
	       uint32_t data);
int vcan_order(uint16_t type);

/* From now on count what is said. */
void vcan_listen(void);
/* Since then: it needs a reset, said it once, told the driver, and rests. */
void vcan_is_wrong(const char *what);
void vcan_is_sound(const char *what);
/* Reset and set up as a driver does, whatever was before: it serves. */
void vcan_recovers(void);
/* It sends and hears. */
void vcan_serves(void);

#define VCAN(f) cmocka_unit_test_setup(f, vcan_reset)

#endif
