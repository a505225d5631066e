/* SPDX-License-Identifier: MIT */
/*
 * A PCM of the tests: a clock of exactly the rate, in the test's time; what it played
 * is kept, what it records is known. As strict as hardware, never laxer: it runs empty,
 * and frames beyond its buffer abort the test.
 */
#ifndef XDD_TEST_SND_HOST_TEST_H
#define XDD_TEST_SND_HOST_TEST_H

#include "backends/snd/snd-host.h"

#define SND_HOST_HEARD (4u << 20) /* bytes that are kept */

struct snd_host_test {
	struct snd_host host;
	bool set, running;
	uint64_t began;	   /* when it was started */
	uint64_t moved;	   /* frames since then, and before, of playback */
	uint8_t *heard;	   /* bytes that were played, in order */
	uint64_t nheard;   /* all of them; those past the end are only counted */
	uint64_t recorded; /* bytes that were given, since the beginning of time */
	unsigned sets, starts, stops, empty;		/* times */
	int fail_set, fail_start, fail_room, fail_move; /* the next one, once */
	bool deaf;					/* it never plays a frame */
	uint64_t tick; /* frames that its clock moves by, or 0 */
};

void snd_host_test_open(struct snd_host_test *test, bool capture);
void snd_host_test_free(struct snd_host_test *test);
/* For fuzzing: @verb and @how, any bytes, are what fails next, or whether it is deaf.
 */
void snd_host_test_fail(struct snd_host_test *test, uint8_t verb, uint8_t how);
/* Nothing fails any more. */
void snd_host_test_mend(struct snd_host_test *test);
/* The @n-th byte that it records. */
uint8_t snd_host_test_byte(uint64_t n);

#endif
