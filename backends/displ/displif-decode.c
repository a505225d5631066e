/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/displ/displif.h"
#include "common/bytes.h"

/* Offsets in bytes. Of each request and answer: */
#define AT_ID	     0
#define AT_OPERATION 2
#define AT_STATUS    4
#define AT_COOKIE    8 /* the first one */
/* DBUF_CREATE */
#define AT_WIDTH     16
#define AT_HEIGHT    20
#define AT_BPP	     24
#define AT_BYTES     28
#define AT_FLAGS     32
#define AT_DIRECTORY 36
#define AT_OFFSET    40
/* FB_ATTACH: two cookies */
#define AT_FRAME	16
#define AT_FRAME_WIDTH	24
#define AT_FRAME_HEIGHT 28
#define AT_FRAME_FOURCC 32
/* SET_CONFIG */
#define AT_X		 16
#define AT_Y		 20
#define AT_CONFIG_WIDTH	 24
#define AT_CONFIG_HEIGHT 28
#define AT_CONFIG_BPP	 32
/* GET_EDID, its request and its answer */
#define AT_EDID_BYTES	  8
#define AT_EDID_DIRECTORY 12

/* Numbers that both wire and Linux have (xen/errno.h). */
enum {
	WIRE_EIO = 5,
	WIRE_ENOMEM = 12,
	WIRE_EACCES = 13,
	WIRE_EINVAL = 22,
	WIRE_EOPNOTSUPP = 95,
};

static struct displ_size get_size(const uint8_t *entry, unsigned at)
{
	return (struct displ_size){bytes_get32(entry + at),
				   bytes_get32(entry + at + 4)};
}

static void decode_create(const uint8_t *entry, struct displif_request *rq)
{
	rq->buffer = bytes_get64(entry + AT_COOKIE);
	rq->create = (struct displif_create){
		.size = get_size(entry, AT_WIDTH),
		.bpp = bytes_get32(entry + AT_BPP),
		.bytes = bytes_get32(entry + AT_BYTES),
		.flags = bytes_get32(entry + AT_FLAGS),
		.directory = {bytes_get32(entry + AT_DIRECTORY)},
		.offset = bytes_get32(entry + AT_OFFSET),
	};
}

static void decode_attach(const uint8_t *entry, struct displif_request *rq)
{
	rq->buffer = bytes_get64(entry + AT_COOKIE);
	rq->frame = bytes_get64(entry + AT_FRAME);
	rq->attach.size = get_size(entry, AT_FRAME_WIDTH);
	rq->attach.fourcc = bytes_get32(entry + AT_FRAME_FOURCC);
}

static void decode_config(const uint8_t *entry, struct displif_request *rq)
{
	rq->frame = bytes_get64(entry + AT_COOKIE);
	rq->config.rect = (struct displ_rect){
		bytes_get32(entry + AT_X),
		bytes_get32(entry + AT_Y),
		bytes_get32(entry + AT_CONFIG_WIDTH),
		bytes_get32(entry + AT_CONFIG_HEIGHT),
	};
	rq->config.bpp = bytes_get32(entry + AT_CONFIG_BPP);
}

static void decode_edid(const uint8_t *entry, struct displif_request *rq)
{
	rq->edid.bytes = bytes_get32(entry + AT_EDID_BYTES);
	rq->edid.directory = (struct gref){bytes_get32(entry + AT_EDID_DIRECTORY)};
}

enum displif_verdict displif_decode(const uint8_t *entry, struct displif_request *rq)
{
	memset(rq, 0, sizeof(*rq));
	rq->id = bytes_get16(entry + AT_ID);
	rq->operation = entry[AT_OPERATION];
	if (rq->operation < DISPLIF_DBUF_CREATE || rq->operation >= DISPLIF_OP_END)
		return DISPLIF_BAD_OPERATION;
	rq->op = (enum displif_op)rq->operation;
	switch (rq->op) {
	case DISPLIF_DBUF_CREATE:
		decode_create(entry, rq);
		break;
	case DISPLIF_DBUF_DESTROY:
		rq->buffer = bytes_get64(entry + AT_COOKIE);
		break;
	case DISPLIF_FB_ATTACH:
		decode_attach(entry, rq);
		break;
	case DISPLIF_FB_DETACH:
	case DISPLIF_PG_FLIP:
		rq->frame = bytes_get64(entry + AT_COOKIE);
		break;
	case DISPLIF_SET_CONFIG:
		decode_config(entry, rq);
		break;
	case DISPLIF_GET_EDID:
		decode_edid(entry, rq);
		break;
	case DISPLIF_OP_END:
		break;
	}
	return DISPLIF_GOOD;
}

static int32_t encode_status(enum displ_status status)
{
	switch (status) {
	case DISPL_OK:
		return 0;
	case DISPL_INVALID:
		return -WIRE_EINVAL;
	case DISPL_UNSUPPORTED:
		return -WIRE_EOPNOTSUPP;
	case DISPL_DENIED:
		return -WIRE_EACCES;
	case DISPL_FULL:
		return -WIRE_ENOMEM;
	case DISPL_FAILED:
	case DISPL_LATER:
	case DISPL_STATUSES:
		break;
	}
	return -WIRE_EIO;
}

void displif_encode(const struct displif_request *rq, enum displ_status status,
		    uint8_t *out)
{
	memset(out, 0, DISPLIF_ANSWER);
	bytes_put16(out + AT_ID, rq->id);
	out[AT_OPERATION] = rq->operation;
	bytes_put32(out + AT_STATUS, (uint32_t)encode_status(status));
	if (rq->operation == DISPLIF_GET_EDID && status == DISPL_OK)
		bytes_put32(out + AT_EDID_BYTES, rq->edid.bytes);
}

void displif_encode_flip(uint16_t id, uint64_t frame, uint8_t *out)
{
	memset(out, 0, DISPLIF_ENTRY);
	bytes_put16(out + AT_ID, id); /* its type is 0 */
	bytes_put64(out + DISPLIF_COOKIE, frame);
}
