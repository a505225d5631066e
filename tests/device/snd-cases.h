/* SPDX-License-Identifier: MIT */
/*
 * What the tests of a sound device's door have in common: a client that plays or
 * records as Linux's does, period by period, and knows what it must hear.
 */
#ifndef XDD_TEST_SND_CASES_H
#define XDD_TEST_SND_CASES_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "common/clock.h"
#include "tests/device/snd-bed.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* 5 ms of 48 kHz stereo, four of them. */
#define PERIOD 960u
#define SIZE   (4 * PERIOD)
#define PAGES  1u

extern struct snd_bed bed;
extern const struct snd_config plain; /* s16_le, 2, 48000, SIZE, PERIOD */

/* An application on sound/xen/xen_snd_front_alsa.c (Linux 6.1). */
struct snd_client {
	uint32_t stream;
	struct snd_config config;
	uint64_t position; /* bytes, of the last event */
	uint64_t hw, appl; /* bytes since its prepare, modulo nothing */
	uint64_t gathered; /* what it has not told its application of yet */
	uint64_t elapsed;  /* periods that it has told it of */
	uint64_t sent;	   /* bytes of its pattern, or recorded */
	uint64_t xruns;
};

/* The @n-th byte that a client plays; never 0 for long. */
uint8_t snd_client_byte(uint64_t n);
/* Buffer and OPEN, with success. */
void snd_client_open(struct snd_client *client, uint32_t stream,
		     const struct snd_config *config);
/* CLOSE, and the buffer is its own again. */
void snd_client_close(struct snd_client *client);
/* One WRITE of the next @len bytes of its pattern, where its application is. */
void snd_client_write(struct snd_client *client, uint32_t len);
/* START, with the ring as full as whole periods go. */
void snd_client_start(struct snd_client *client);
/* What came of events; then as many WRITEs of a period as there is room for. */
void snd_client_turn(struct snd_client *client);
/* @ns of time, in which it plays on. */
void snd_client_play(struct snd_client *client, uint64_t ns);
/* A plain bed, and a client that plays on its first stream. */
void snd_playing(struct snd_client *client);
/* The client closes; nothing of the bed may leak. */
void snd_done(struct snd_client *client);
/* STOP, and what Linux's prepare makes of it. */
void snd_client_stop(struct snd_client *client);

/* The host's PCM of @stream heard @n bytes of the pattern from @from on, and they begin
 * at its byte @at. */
void assert_heard(uint32_t stream, uint64_t at, uint64_t from, uint64_t n);
/* Nothing but zeros, from its byte @at to the last. */
void assert_silent(uint32_t stream, uint64_t at);

#endif
