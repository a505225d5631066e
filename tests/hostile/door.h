/* SPDX-License-Identifier: MIT */
/*
 * What the programs about the virtio door share: a disk behind it on a bed
 * (tests/device/bed.h), its client's own memory, messages and chains of any bytes, and
 * what must follow on anything wrong: the device needs a reset, says so once, leaves
 * everything else alone, and serves after the reset.
 */
#ifndef XDD_TEST_DOOR_H
#define XDD_TEST_DOOR_H

#include "tests/front/virtio-le.h"
#include "tests/hostile/hostile.h"

#define DOOR_BYTES 16384 /* of data */

/* Pool and grant, each with all features and without. */
#define DOORS 4
extern const struct bed_conf door_confs[DOORS];

/* A request's blocks, of the client's own memory; whole again after each reset. */
struct door_blocks {
	struct driver_block header, data, status;
};
extern struct door_blocks door;

/* One queue of @conf's, DRIVER_OK; the disk is 0x99, what the client never names
 * 0xa5. */
void door_up(struct bed_conf conf);
/* The same, up to FEATURES_OK. */
void door_features(struct bed_conf conf);
struct virtio_driver *door_driver(void);
uint32_t door_status(void);

/* Put a request of message @id, without looking at what follows. */
void door_put(uint8_t id, const void *payload, unsigned n);
void door_put_words(uint8_t id, const uint32_t *words, unsigned n);
void door_put_queue(uint32_t index, uint32_t size, const uint64_t area[3]);
/* Message @i of the way from a reset to DRIVER_OK, and of a queue's reset behind it. */
#define DOOR_STEPS 10
void door_step(unsigned i);
/* The next answer to a request of @id, events left out; false: there is none. */
bool door_answered(uint8_t id, uint8_t payload[DRIVER_PAYLOAD]);
void door_run(void);

/* door.header is that of a request; nothing is offered. */
void door_header(uint32_t type, uint64_t sector);
/* One chain, direct, published; its head. */
int door_chain(const struct driver_sg *sg, unsigned readable, unsigned writable);
/* What is sound: @bytes of door.data to or from @sector. */
int door_ask(bool writes, uint64_t sector, uint32_t bytes);
/* The next used element. */
bool door_done(struct driver_done *done);

/* From now on count what is said. */
void door_listen(void);
/* Since then: it needs a reset, said it once, told the driver, and rests. */
void door_is_wrong(const char *what);
/* Nothing of that. */
void door_is_sound(const char *what);
/* Reset and set up anew, as a driver would: it serves, and nothing else was touched. */
void door_recovers(void);
/* It serves: one write, one read. */
void door_serves(void);

#endif
