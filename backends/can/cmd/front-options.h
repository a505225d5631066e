/* SPDX-License-Identifier: MIT */
/*
 * The command line of xdd-canfront, see xdd-canfront(8).
 *
 * Pure: what is wrong comes back as a text.
 */
#ifndef XDD_FRONT_OPTIONS_H
#define XDD_FRONT_OPTIONS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRONT_BACKENDS_MAX 32
#define FRONT_PAGES_AUTO   0

struct front_options {
	unsigned device;
	char interface[IFNAMSIZ];
	/* Ranges of domains that may be our back end; none: any. */
	unsigned backends;
	struct {
		uint16_t first, last;
	} backend[FRONT_BACKENDS_MAX];
	uint32_t ring_pages; /* of each ring: 1, 2, 4, 8; or as many as there may be */
	uint32_t restart_ms; /* 0: never */
	bool late_ack, verbose, help;
};

/* False: @why says what is wrong, in one line. */
bool front_options_read(int argc, char **argv, struct front_options *out, char *why,
			size_t size);
bool front_options_allow(const struct front_options *options, uint16_t domain);
extern const char front_options_help[];

#endif
