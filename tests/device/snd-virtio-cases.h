/* SPDX-License-Identifier: MIT */
/*
 * What the tests of a sound device's virtio door have in common: orders and their
 * answers, and an application on Linux's driver (sound/virtio/, 6.12), period by
 * period.
 */
#ifndef XDD_TEST_SND_VIRTIO_CASES_H
#define XDD_TEST_SND_VIRTIO_CASES_H

#include "tests/device/snd-cases.h"
#include "tests/front/virtio-le.h"

#define VSND_ANSWER_MAX 4096

struct vsnd_answer {
	uint32_t code, len; /* bytes written, the code's with them */
	uint8_t bytes[VSND_ANSWER_MAX];
};

/* A bed of the virtio door, connected. */
void vsnd_up(const struct snd_bed_conf *conf);
/* All must come home. */
void vsnd_down(void);

/* Any @n bytes as an order, with @room for its answer (4 bytes at least), until it is
 * answered; time passes if it must. @out may be NULL. Its code. */
uint32_t vsnd_ask(const void *bytes, uint32_t n, uint32_t room,
		  struct vsnd_answer *out);
/* An order that is a code and a stream's or control's id. */
uint32_t vsnd_order(uint32_t code, uint32_t id);
uint32_t vsnd_info(uint32_t code, uint32_t start, uint32_t count, uint32_t size,
		   uint32_t room, struct vsnd_answer *out);

struct vsnd_params {
	uint32_t buffer, period, features;
	uint8_t channels, format, rate;
};
extern const struct vsnd_params vsnd_plain; /* s16, 2, 48000, SIZE, PERIOD, xruns */
uint32_t vsnd_set(uint32_t stream, const struct vsnd_params *params);

/* Who plays, or records. */
struct vsnd_client {
	uint32_t stream;
	struct vsnd_params params;
	uint32_t out;		  /* buffers with the device */
	uint64_t sent, back;	  /* buffers, since the beginning */
	uint64_t failed;	  /* of those that came back */
	uint64_t recorded, wrong; /* bytes; and those that are not what was recorded */
	uint32_t latency, latency_most;
	uint64_t bytes; /* sent */
};

/* SET_PARAMS and PREPARE, with success. */
void vsnd_open(struct vsnd_client *client, uint32_t stream,
	       const struct vsnd_params *params);
/* As many buffers of a period as there is room for; START, with success. */
void vsnd_start(struct vsnd_client *client);
/* The next buffer: @bytes of the pattern, or room for as many. */
void vsnd_send(struct vsnd_client *client, uint32_t bytes);
/* What came back, which must be in order. */
void vsnd_collect(struct vsnd_client *client);
/* @ns of time, in which it goes on. */
void vsnd_play(struct vsnd_client *client, uint64_t ns);
/* STOP and RELEASE: all buffers come back. */
void vsnd_stop(struct vsnd_client *client);
/* A plain bed, and a client that plays (or records). */
void vsnd_playing(struct vsnd_client *client, uint32_t stream, bool grant);

/* Posts a buffer for an event. */
void vsnd_post_event(void);
/* The next event; false: there is none. */
bool vsnd_event(uint32_t *code, uint32_t *data);

#endif
