/* SPDX-License-Identifier: MIT */
/*
 * An sndif front end in a loopxen domain. Written from Xen's header alone: it shares no
 * line with what it is set against.
 */
#ifndef XDD_TEST_SND_FRONT_PV_H
#define XDD_TEST_SND_FRONT_PV_H

#include <stdint.h>
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/io/ring.h>
#include <xen/io/sndif.h>

#include "tests/loopxen/loopxen.h"

#define SND_FRONT_STREAMS 8
#define SND_FRONT_PAGES	  260 /* of a buffer */

struct snd_front_stream {
	const char *at; /* "0/1" */
	const char *type;
	uint8_t *ring, *events; /* pages */
	struct gref ring_ref, events_ref;
	struct evport port, events_port;
	uint32_t req_prod, rsp_cons; /* private */
	uint8_t *directory, *buffer; /* pages, of as many as are had */
	struct gref directory_ref, refs[SND_FRONT_PAGES];
	uint32_t pages;
	uint16_t id; /* of the next request */
};

struct snd_front_pv {
	struct loopxen *x;
	const struct loopxen_device *dev;
	struct snd_front_stream stream[SND_FRONT_STREAMS];
	uint32_t streams;
	uint64_t kicks;
};

/* Rings, ports and keys of all streams; what a toolstack writes with them. */
void snd_front_connect(struct snd_front_pv *f);
/* Takes all back; false: something of it is mapped. */
bool snd_front_disconnect(struct snd_front_pv *f);
/* A front-end key; NULL: it is removed. */
void snd_front_key(struct snd_front_pv *f, const char *key, const char *value);

/* A buffer of @pages pages for OPEN, each granted (@read_only as they say), and its
 * directory. */
void snd_front_buffer(struct snd_front_pv *f, struct snd_front_stream *s,
		      uint32_t pages, bool read_only);
/* Grants it no longer; false: it is mapped. */
bool snd_front_unbuffer(struct snd_front_pv *f, struct snd_front_stream *s);

/* The next request as it is, published, and an event if one is wanted. */
void snd_front_send(struct snd_front_pv *f, struct snd_front_stream *s,
		    const struct xensnd_req *req);
/* The next answer; false: there is none, and an event is asked for. */
bool snd_front_answer(struct snd_front_stream *s, struct xensnd_resp *out);
/* The next event; its id must be the count of those before. */
bool snd_front_event(struct snd_front_stream *s, struct xensnd_evt *out);
/* Words of a ring's header: req_prod, req_event, rsp_prod, rsp_event. */
uint32_t *snd_front_header(struct snd_front_stream *s);

#endif
