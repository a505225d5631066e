/* SPDX-License-Identifier: MIT */
/*
 * The front end of a fuzz target on a bed (tests/device/bed.h): its pages,
 * references and ports are the same in each run, so that the same bytes do the
 * same, and a world serves many runs.
 *
 * Not a judge of what it gets: the targets are. References: 8 to 11 are the
 * rings', two a queue; 16 to 31 are CLIENT_PAGES data pages, of which the last
 * two are readable only; 40 is a page that was granted to another domain.
 */
#ifndef XDD_TEST_FUZZ_CLIENT_H
#define XDD_TEST_FUZZ_CLIENT_H

#include "tests/device/bed.h"

#define CLIENT_QUEUES 2
#define CLIENT_PAGES  16

struct client {
	struct bed *bed;
	uint8_t *ring[CLIENT_QUEUES];
	struct front_buf page[CLIENT_PAGES];
	bool granted[CLIENT_PAGES];
	struct front queue[CLIENT_QUEUES];
	unsigned queues; /* as bed->conf.front says */
};

/* Once a world, after bed_init(). */
void client_init(struct client *c, struct bed *bed);
/* Grants and ports; all pages and rings are as at the very start. */
void client_open(struct client *c);
/* The keys that belong to it. */
void client_keys(struct client *c);
/* Takes all back; aborts if the back end still maps a page. */
void client_close(struct client *c);
/* A data page's grant comes and goes; nothing happens while it is mapped. */
void client_toggle(struct client *c, unsigned page);

#endif
