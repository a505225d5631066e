/* SPDX-License-Identifier: MIT */
/*
 * A canif front end in a loopxen domain. Written from canif.h alone: it shares no line
 * with what it is set against.
 */
#ifndef XDD_TEST_CAN_FRONT_PV_H
#define XDD_TEST_CAN_FRONT_PV_H

#include "backends/can/canif.h"
#include "tests/device/can-front.h"

#define CAN_FRONT_PAGES_MAX 8
#define CAN_FRONT_KEPT	    512 /* answers not fetched */

struct can_front_ring {
	uint8_t *page;
	uint32_t entries, pages;
	uint32_t req_prod, rsp_cons; /* private */
	struct gref ref[CAN_FRONT_PAGES_MAX];
};

struct can_front_pv {
	struct can_front front;
	struct can_front_ring tx, rx;
	struct evport port;
	uint16_t slot;	/* the id of the next that is posted */
	uint16_t heard; /* the id of the next that must come back */
	uint64_t kicks;
	/* Taken from the transmit ring, and of the other kind than was asked for. */
	struct xencan_tx_rsp kept[CAN_FRONT_KEPT];
	uint32_t nkept;
};

extern const struct can_front_ops can_front_pv_ops;

/* Words of a ring's header: req_prod, req_event, rsp_prod, rsp_event. */
uint32_t *can_front_header(struct can_front_ring *ring);
/* The entry of index @i. */
uint8_t *can_front_slot(struct can_front_ring *ring, uint32_t i);
/* Any bytes as the next request; not published. */
void can_front_raw(struct can_front_ring *ring, const void *entry);
/* The next answer of the transmit ring as it stands there; NULL: none. */
const struct xencan_tx_rsp *can_front_next(struct can_front_pv *f);

#endif
