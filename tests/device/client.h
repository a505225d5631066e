/* SPDX-License-Identifier: MIT */
/*
 * A client's disk on a bed, whichever door it has: the verbs that a block layer needs,
 * over front.h or vfront.h. What only one door can do is done with those.
 */
#ifndef XDD_TEST_CLIENT_H
#define XDD_TEST_CLIENT_H

#include "tests/device/bed.h"

#define CLIENT_IDS   64	   /* requests at once */
#define CLIENT_BYTES 32768 /* of one */

enum client_op { CLIENT_READ, CLIENT_WRITE, CLIENT_FLUSH, CLIENT_DISCARD };
enum client_result { CLIENT_OK, CLIENT_ERROR, CLIENT_UNSUPPORTED };

struct client {
	struct bed *bed;
	struct front_buf buf[CLIENT_IDS][CLIENT_BYTES / 4096]; /* PV: granted once */
	uint32_t bytes[CLIENT_IDS];
	bool reads[CLIENT_IDS];
	uint8_t data[CLIENT_IDS][CLIENT_BYTES]; /* what was read */
};

struct client_answer {
	uint64_t id;
	enum client_result result;
	const uint8_t *data; /* of a READ */
};

/* The bed is up. */
void client_init(struct client *c, struct bed *bed);
/* Each request has an id that is not out. WRITE: @data; DISCARD: @bytes of the disk.
 * It is published by the next push. */
void client_add(struct client *c, unsigned queue, uint64_t id, enum client_op op,
		uint64_t sector, uint32_t bytes, const uint8_t *data);
void client_push(struct client *c);
/* The next answer, if there is one. */
bool client_answer(struct client *c, struct client_answer *out);
/* One request, alone, until it is answered. */
enum client_result client_ask(struct client *c, enum client_op op, uint64_t sector,
			      uint32_t bytes, uint8_t *data);

#endif
