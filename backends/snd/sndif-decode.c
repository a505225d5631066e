/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/snd/sndif.h"
#include "common/bytes.h"

/* Offsets in bytes. Of each request and answer: */
#define AT_ID	     0
#define AT_OPERATION 2
#define AT_STATUS    4
/* OPEN */
#define AT_RATE	     8
#define AT_FORMAT    12
#define AT_CHANNELS  13
#define AT_SIZE	     16
#define AT_DIRECTORY 20
#define AT_PERIOD    24
/* READ to UNMUTE */
#define AT_OFFSET 8
#define AT_LEN	  12
/* TRIGGER */
#define AT_TRIGGER 8
/* QUERY: a mask, and ranges */
#define AT_FORMATS 8
#define AT_RANGES  16
#define RANGE	   8

/* Numbers that both wire and Linux have (xen/errno.h). */
enum { WIRE_EIO = 5, WIRE_EACCES = 13, WIRE_EINVAL = 22, WIRE_EOPNOTSUPP = 95 };

static void decode_open(const uint8_t *entry, struct sndif_request *rq)
{
	rq->open.config = (struct snd_config){
		.format = (enum snd_format)entry[AT_FORMAT],
		.channels = entry[AT_CHANNELS],
		.rate = bytes_get32(entry + AT_RATE),
		.size = bytes_get32(entry + AT_SIZE),
		.period = bytes_get32(entry + AT_PERIOD),
	};
	rq->open.directory = (struct gref){bytes_get32(entry + AT_DIRECTORY)};
}

static struct snd_range get_range(const uint8_t *entry, unsigned nth)
{
	const uint8_t *at = entry + AT_RANGES + nth * RANGE;

	return (struct snd_range){bytes_get32(at), bytes_get32(at + 4)};
}

static void put_range(uint8_t *out, unsigned nth, struct snd_range range)
{
	uint8_t *at = out + AT_RANGES + nth * RANGE;

	bytes_put32(at, range.min);
	bytes_put32(at + 4, range.max);
}

static void decode_query(const uint8_t *entry, struct sndif_request *rq)
{
	rq->query = (struct snd_query){
		.formats = bytes_get64(entry + AT_FORMATS),
		.rate = get_range(entry, 0),
		.channels = get_range(entry, 1),
		.buffer = get_range(entry, 2),
		.period = get_range(entry, 3),
	};
}

enum sndif_verdict sndif_decode(const uint8_t *entry, struct sndif_request *rq)
{
	memset(rq, 0, sizeof(*rq));
	rq->id = bytes_get16(entry + AT_ID);
	rq->operation = entry[AT_OPERATION];
	if (rq->operation >= SNDIF_OPS)
		return SNDIF_BAD_OPERATION;
	rq->op = (enum sndif_op)rq->operation;
	switch (rq->op) {
	case SNDIF_OPEN:
		decode_open(entry, rq);
		break;
	case SNDIF_READ:
	case SNDIF_WRITE:
	case SNDIF_SET_VOLUME:
	case SNDIF_GET_VOLUME:
	case SNDIF_MUTE:
	case SNDIF_UNMUTE:
		rq->rw.offset = bytes_get32(entry + AT_OFFSET);
		rq->rw.len = bytes_get32(entry + AT_LEN);
		break;
	case SNDIF_TRIGGER:
		if (entry[AT_TRIGGER] > SNDIF_RESUME)
			return SNDIF_BAD_TRIGGER;
		rq->trigger = (enum sndif_trigger)entry[AT_TRIGGER];
		break;
	case SNDIF_QUERY:
		decode_query(entry, rq);
		break;
	case SNDIF_CLOSE:
	case SNDIF_OPS:
		break;
	}
	return SNDIF_GOOD;
}

static int32_t encode_status(enum snd_status status)
{
	switch (status) {
	case SND_OK:
		return 0;
	case SND_INVALID:
		return -WIRE_EINVAL;
	case SND_UNSUPPORTED:
		return -WIRE_EOPNOTSUPP;
	case SND_DENIED:
		return -WIRE_EACCES;
	case SND_FAILED:
	case SND_LATER:
	case SND_STATUSES:
		break;
	}
	return -WIRE_EIO;
}

uint32_t sndif_encode(const struct sndif_request *rq, enum snd_status status,
		      uint8_t *out)
{
	const struct snd_query *q = &rq->query;

	memset(out, 0, SNDIF_ANSWER_QUERY);
	bytes_put16(out + AT_ID, rq->id);
	out[AT_OPERATION] = rq->operation;
	bytes_put32(out + AT_STATUS, (uint32_t)encode_status(status));
	if (rq->operation != SNDIF_QUERY || status != SND_OK)
		return SNDIF_ANSWER;
	bytes_put64(out + AT_FORMATS, q->formats);
	put_range(out, 0, q->rate);
	put_range(out, 1, q->channels);
	put_range(out, 2, q->buffer);
	put_range(out, 3, q->period);
	return SNDIF_ANSWER_QUERY;
}

void sndif_encode_position(uint16_t id, uint64_t position, uint8_t *out)
{
	memset(out, 0, SNDIF_ENTRY);
	bytes_put16(out + AT_ID, id); /* its type is 0 */
	bytes_put64(out + SNDIF_POSITION, position);
}
