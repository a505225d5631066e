/* SPDX-License-Identifier: MIT */
/*
 * What every door does with a device's two directories when it offers and connects:
 * reads keys, writes keys, maps and binds what keys name, and says what is wrong with
 * them.
 *
 * Not the store (xenbus/store.h), and no word of a protocol. Return values of all:
 * 0 (or what is said); KEYS_FAILED, the client's doing, which was logged; -EAGAIN, ask
 * again; another negative errno, our environment.
 */
#ifndef XDD_KEYS_H
#define XDD_KEYS_H

#include <stdint.h>

#include "common/clock.h"
#include "common/log.h"
#include "grant-mem/grants.h"
#include "xenbus/evtchn.h"
#include "xenbus/store.h"

#define KEYS_FAILED 1
/* ns: what said -EAGAIN while a device is served is worth asking for again. */
#define KEYS_AGAIN CLOCK_MS

struct keys {
	struct store *store;
	struct grants *grants;
	struct evtchn *evtchn;
	struct log *log;
};

/* 1: @key is there, and in @value (STORE_VALUE_MAX + 1 bytes); 0: it is not. A value
 * too long to be read is none that is known: it reads as "?". */
int keys_read(const struct keys *k, enum store_side side, const char *key, char *value);
/* 0: the front end's @key is not there, and *@out as it was, or a number from @min to
 * @max that is in *@out now; else KEYS_FAILED. */
int keys_read_number(const struct keys *k, const char *key, uint64_t min, uint64_t max,
		     uint64_t *out);
/* In our own directory. */
int keys_write(const struct keys *k, const char *key, const char *value);
int keys_write_number(const struct keys *k, const char *key, uint64_t value);

/* The key @name of queue @q: "queue-Q/NAME", but for a device of one queue, whose keys
 * stand in its own directory (xen/io/blkif.h, netif.h). */
#define KEYS_QUEUE 40
void keys_of_queue(char key[KEYS_QUEUE], unsigned queues, unsigned q, const char *name);
/* Say what is wrong with the front end's @key. KEYS_FAILED. */
int keys_fail(const struct keys *k, const char *key, const char *why);
/* What grants_map_ring() or grants_map_pool() said of @key. */
int keys_granted(const struct keys *k, const char *key, int status);
int keys_map_ring(const struct keys *k, const char *const *names, uint32_t n,
		  struct grants_map *out);
int keys_bind(const struct keys *k, const char *key, struct evport *out);

#endif
