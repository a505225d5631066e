/* SPDX-License-Identifier: MIT */
/*
 * A blkfront of our own on real Xen, in a client whose kernel has none: one ring
 * page, one port, the keys. It does what it is told, right or wrong.
 */
#ifndef XDD_TEST_FRONT_XEN_H
#define XDD_TEST_FRONT_XEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENTRIES 32 /* of a ring of one page, 64 bit ABI */
#define ENTRY	112
#define WAIT_MS 60000 /* an emulated machine is slow */

enum { READ, WRITE, BARRIER, FLUSH, RESERVED, DISCARD, INDIRECT };

struct page {
	uint8_t *at;
	uint32_t ref;
	uint64_t index;
};

struct evil {
	char front[64];
	char *back;
	unsigned backend; /* domid */
	uint64_t sectors;
	struct page ring;
	unsigned port;
	uint32_t req_prod, rsp_cons;
	bool failed;
};

extern struct evil us;

/* Finds device/vbd/@device, opens what is needed. False, and said: no. */
bool evil_open(const char *device);
/* "ok - @name", or "not ok - @name". */
void evil_check(bool passed, const char *name);

/* A page granted to domain @to; NULL @at: it failed. */
struct page evil_page(unsigned to, bool read_only);

void evil_key(const char *key, const char *value, size_t len);
void evil_number(const char *key, unsigned value);
/* The back end's state, 0: none. */
unsigned evil_back_state(void);
bool evil_back_has(const char *key);
/* Wait until the back end's state is @state. */
bool evil_wait(unsigned state);

/* A fresh ring and port, and their keys; not yet the state. */
bool evil_offer(void);
/* From whatever it is to InitWait: Closed, then Initialising. */
bool evil_heal(void);
/* evil_heal(), evil_offer(), and Connected on both sides. */
bool evil_connect(void);

uint32_t *evil_header(void);
/* An entry of zeros, to be filled; published by evil_push(). */
uint8_t *evil_entry(uint8_t op, uint64_t id);
uint8_t *evil_rw(uint8_t op, uint64_t sector, const struct page *page, unsigned n);
void evil_push(void);
void evil_notify(void);
/* The next answer's status; 99: none came in time. */
int evil_answer(void);
/* One request that is good in all: does it serve? */
bool evil_serves(void);
uint64_t evil_ms(void);

#endif
