/* SPDX-License-Identifier: MIT */
/*
 * Between the bytes of canif.h and what the core speaks. Pure.
 *
 * Not a judge: what a frame may be, and whether it may be sent, says can_judge(). Bad
 * is here what a struct canfd_frame cannot even say, so that it is never read as
 * another frame. Invariants of a GOOD one:
 *  1. can_id is an identifier of 29 bits with CAN_EFF_FLAG and CAN_RTR_FLAG as the
 *     client said, never with CAN_ERR_FLAG; flags are CANFD_FDF, BRS and ESI as it
 * said;
 *  2. len is at most 64, and what it said; bytes of data behind it are 0.
 */
#ifndef XDD_CANIF_DECODE_H
#define XDD_CANIF_DECODE_H

#include <linux/can.h>
#include <stdint.h>

#include "backends/can/can.h"
#include "backends/can/canif.h"

enum canif_operation { CANIF_FRAME, CANIF_START, CANIF_STOP };

enum canif_verdict {
	CANIF_GOOD,
	CANIF_BAD_OPERATION, /* there is none of this number */
	CANIF_BAD_FRAME,
};

struct canif_request {
	uint16_t id;		  /* as said, whatever the verdict */
	uint8_t operation;	  /* the same */
	enum canif_operation op;  /* of what is bad, CANIF_FRAME */
	struct canfd_frame frame; /* of CANIF_FRAME */
};

#define CANIF_ANSWER 16 /* bytes of an answer that are not zero, at most */

/* @entry: XENCAN_ENTRY private bytes of the transmit ring. */
enum canif_verdict canif_decode(const uint8_t *entry, struct canif_request *rq);
/* What became of it; CANIF_ANSWER bytes to @out. */
void canif_encode(const struct canif_request *rq, enum can_status status, uint64_t time,
		  uint8_t *out);
/* An answer of the receive ring, XENCAN_ENTRY bytes, to @out. Its id is 0: that is the
 * slot's own (CANIF_SLOT_ID bytes, first of all). */
#define CANIF_SLOT_ID 2
void canif_encode_event(const struct can_event *event, uint8_t *out);

#endif
