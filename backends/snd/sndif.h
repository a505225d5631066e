/* SPDX-License-Identifier: MIT */
/*
 * The wire of Xen's PV sound protocol, versions 1 and 2 (xen/io/sndif.h), decoded.
 *
 * Pure: bytes that were copied off a ring go in, a request that is what it says comes
 * out. It knows no stream: whether an offset lies in its buffer, or a rate can be had,
 * are others' questions. Reserved bytes are not looked at.
 *
 * Invariants:
 *  1. what decodes as GOOD is of an operation that is served; of a TRIGGER, of a kind
 *     that there is;
 *  2. whatever the verdict, id and operation are those to echo in the answer;
 *  3. numbers are in this machine's order, which is that of both sides of the ring.
 *
 * A unit test holds layout and numbers against Xen's own header.
 */
#ifndef XDD_SNDIF_H
#define XDD_SNDIF_H

#include <stdint.h>

#include "backends/snd/snd.h"
#include "policy/ids.h"

#define SNDIF_ENTRY	   64 /* bytes of a request, an answer, an event */
#define SNDIF_ANSWER	   8 /* bytes of an answer that are not zero; but of a query: */
#define SNDIF_ANSWER_QUERY 48
#define SNDIF_POSITION	   8 /* where it stands in an event */
#define SNDIF_CHANNEL	   4 /* bytes of a channel's volume, or of whether it is mute */

enum sndif_op {
	SNDIF_OPEN,
	SNDIF_CLOSE,
	SNDIF_READ,
	SNDIF_WRITE,
	SNDIF_SET_VOLUME,
	SNDIF_GET_VOLUME,
	SNDIF_MUTE,
	SNDIF_UNMUTE,
	SNDIF_TRIGGER,
	SNDIF_QUERY,
	SNDIF_OPS,
};

enum sndif_trigger {
	SNDIF_START,
	SNDIF_PAUSE,
	SNDIF_STOP,
	SNDIF_RESUME,
};

enum sndif_verdict {
	SNDIF_GOOD,
	SNDIF_BAD_OPERATION, /* there is none of this number */
	SNDIF_BAD_TRIGGER,
};

struct sndif_request {
	uint16_t id;
	uint8_t operation;
	enum sndif_op op;
	union {
		struct {
			struct snd_config config; /* its format may be any number */
			struct gref directory;
		} open;
		struct {
			uint32_t offset, len;
		} rw; /* READ to UNMUTE */
		enum sndif_trigger trigger;
		struct snd_query query;
	};
};

/* @entry: SNDIF_ENTRY private bytes. */
enum sndif_verdict sndif_decode(const uint8_t *entry, struct sndif_request *rq);
/* The answer, SNDIF_ANSWER_QUERY bytes to @out; how many of them are not zero. Of a
 * QUERY that is SND_OK, what stands in @rq->query. */
uint32_t sndif_encode(const struct sndif_request *rq, enum snd_status status,
		      uint8_t *out);
/* XENSND_EVT_CUR_POS, SNDIF_ENTRY bytes to @out. */
void sndif_encode_position(uint16_t id, uint64_t position, uint8_t *out);

#endif
