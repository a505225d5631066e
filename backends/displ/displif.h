/* SPDX-License-Identifier: MIT */
/*
 * The wire of Xen's PV display protocol, versions 1 and 2 (xen/io/displif.h), decoded.
 *
 * Pure: bytes that were copied off a ring go in, a request that is what it says comes
 * out. It knows no buffer: whether a cookie names one, or a picture lies in it, are
 * others' questions. Reserved bytes are not looked at.
 *
 * Invariants:
 *  1. what decodes as GOOD is of an operation that is served;
 *  2. whatever the verdict, id and operation are those to echo in the answer;
 *  3. numbers are in this machine's order, which is that of both sides of the ring.
 *
 * A unit test holds layout and numbers against Xen's own header.
 */
#ifndef XDD_DISPLIF_H
#define XDD_DISPLIF_H

#include <stdint.h>

#include "backends/displ/displ.h"
#include "policy/ids.h"

#define DISPLIF_ENTRY	 64 /* bytes of a request, an answer, an event */
#define DISPLIF_ANSWER	 12 /* bytes of an answer that are not zero */
#define DISPLIF_COOKIE	 8  /* where it stands in an event */
#define DISPLIF_ALLOC	 1u /* of flags: the back end is to allocate */
#define DISPLIF_EDID_MAX 32768

enum displif_op {
	DISPLIF_DBUF_CREATE = 0x10,
	DISPLIF_DBUF_DESTROY,
	DISPLIF_FB_ATTACH,
	DISPLIF_FB_DETACH,
	DISPLIF_SET_CONFIG,
	DISPLIF_PG_FLIP,
	DISPLIF_GET_EDID,
	DISPLIF_OP_END,
};

enum displif_verdict {
	DISPLIF_GOOD,
	DISPLIF_BAD_OPERATION, /* there is none of this number */
};

struct displif_request {
	uint16_t id;
	uint8_t operation;
	enum displif_op op;
	/* Of display buffer and frame buffer: as far as @op has them. */
	uint64_t buffer, frame;
	union {
		struct displif_create {
			struct displ_size size;
			uint32_t bpp;	 /* bits of a pixel */
			uint32_t bytes;	 /* of the buffer */
			uint32_t offset; /* in it, of the first pixel */
			uint32_t flags;
			struct gref directory;
		} create;
		struct {
			struct displ_size size;
			uint32_t fourcc;
		} attach;
		struct {
			struct displ_rect rect;
			uint32_t bpp;
		} config;
		struct {
			uint32_t bytes; /* of the client's room; then of the EDID */
			struct gref directory;
		} edid;
	};
};

/* @entry: DISPLIF_ENTRY private bytes. */
enum displif_verdict displif_decode(const uint8_t *entry, struct displif_request *rq);
/* The answer, DISPLIF_ANSWER bytes to @out. Of GET_EDID that is DISPL_OK, with
 * @rq->edid.bytes. */
void displif_encode(const struct displif_request *rq, enum displ_status status,
		    uint8_t *out);
/* XENDISPL_EVT_PG_FLIP, DISPLIF_ENTRY bytes to @out. */
void displif_encode_flip(uint16_t id, uint64_t frame, uint8_t *out);

#endif
