/* SPDX-License-Identifier: MIT */
/*
 * SocketCAN's frames and those of xen/io/canif.h, one into the other.
 *
 * Pure. Frames are struct canfd_frame; CANFD_FDF tells an FD frame from a classic
 * one. What comes from the wire is a private copy of hostile bytes: it is a frame, or
 * it is refused whole. Bits and bytes that the protocol reserves are dropped.
 */
#ifndef XDD_FRONT_WIRE_H
#define XDD_FRONT_WIRE_H

#include <linux/can.h>
#include <stdbool.h>

#include "backends/can/canif.h"

/* False: no frame that a controller could send (error frames are none). */
bool front_wire_encode(const struct canfd_frame *frame, struct xencan_frame *out);
/* False: no such frame; *@out is untouched. */
bool front_wire_decode(const struct xencan_frame *wire, struct canfd_frame *out);

/* Error frames, as linux/can/error.h has them; false: there is none to be told.
 * The controller went from state @before to that of @wire, which is one. */
bool front_wire_state(unsigned before, const struct xencan_rx_state *wire,
		      struct canfd_frame *out);
bool front_wire_error(const struct xencan_rx_error *wire, struct canfd_frame *out);
/* Frames were lost here. */
void front_wire_lost(struct canfd_frame *out);

/* "passive", for people; NULL: no state. */
const char *front_wire_state_name(unsigned state);

#endif
