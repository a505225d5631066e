/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a chain of one of vfront.h's queues, with room behind them, and what
 * came back of it: of the fronts of all classes.
 */
#ifndef XDD_TEST_VCHAIN_H
#define XDD_TEST_VCHAIN_H

#include "tests/device/vfront.h"

#define VCHAIN_BLOCKS 1024

/* One chain that is out: what is to be read, and room behind it. */
struct vchain {
	bool out;
	uint32_t readable;
	struct driver_block block;
};

/* Those of one front; begin as zeros, and are forgotten so when it is reset. */
struct vchains {
	struct vchain chain[VCHAIN_BLOCKS];
};

/* A chain of @queue in descriptors of @piece bytes at most (0: as long as may be), the
 * room filled with 0xee; not published. False: no room. */
bool vchain_put(struct vchains *chains, struct vfront *f, unsigned queue, uint16_t id,
		const void *bytes, uint32_t readable, uint32_t room, uint32_t piece);
/* What was taken back of @queue: how many bytes were written, and the first @room of
 * what may have been. False: nothing, and an event is asked for. */
bool vchain_back(struct vchains *chains, struct vfront *f, unsigned queue, uint16_t *id,
		 uint8_t *out, uint32_t room, uint32_t *len);

#endif
