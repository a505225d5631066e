/* SPDX-License-Identifier: MIT */
/*
 * Many keepers and one xenstored, in virtual time: real keepers, from the policy
 * file to the socket of a back end, and a model of the daemon that serves one
 * request after another, fires watches, fails the n-th request, and goes away
 * and comes back. Of grants and event channels it says yes to all.
 *
 * A client plays along as blkfront would: InitWait is answered with Initialised,
 * Connected with Connected.
 */
#ifndef XDD_TEST_HERD_H
#define XDD_TEST_HERD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "grant-mem/cmd/keeper.h"

#define HERD_MAX	40
#define HERD_SERVICE_NS (50 * CLOCK_US) /* xenstored's, for one request */
#define CLOCK_US	1000ULL

enum herd_fault {
	HERD_ERROR,	/* answers herd.error */
	HERD_SILENT,	/* never answers it */
	HERD_LOST,	/* the connection ends */
	HERD_OVERSIZED, /* answers with a length that the protocol forbids */
	HERD_STRANGE,	/* answers something else, to nobody, and then what is due */
};

struct herd {
	unsigned n;
	struct keeper *keeper[HERD_MAX];
	int peer[HERD_MAX]; /* the back end's end of the socket, or -1 */
	uint64_t now;
	bool away; /* xenstored, and the connections to it */

	/* The @fault_at-th request from now on (1: the next) meets @fault; 0: none. */
	unsigned fault_at;
	enum herd_fault fault;
	const char *error;
	uint32_t fault_type; /* of the request that met it */

	uint64_t requests, opens, registered;
	uint32_t last_ref, last_port;
	uint64_t stray;	      /* requests about paths that are no keeper's business */
	uint32_t in_ms[1000]; /* requests in each of 1000 buckets of @bucket_ns */
	uint64_t bucket_ns, since;
};

extern struct herd herd;

/* @n keepers, client domains 3 and up with ten disks each; not connected. */
void herd_init(unsigned n);
void herd_fini(void);
/* The toolstack makes (or removes) the devices of keeper @i. */
void herd_attach(unsigned i);
void herd_detach(unsigned i);
/* Its policy, into @path. */
void herd_policy(unsigned i, const char *path);
/* Virtual time passes: all that is due in it happens. */
void herd_run(uint64_t ns);
/* Until @done() or @ns have passed; the time it took. */
uint64_t herd_until(bool (*done)(void), uint64_t ns);
bool herd_all_connected(void);
/* xenstored dies, and is back when herd.away is false again. */
void herd_lose(void);
/* A fresh count of requests, in buckets of @ns. */
void herd_count(uint64_t ns);
uint32_t herd_busiest(void);

/* Nodes, by whole path; watches fire. NULL removes. */
void herd_set(const char *path, const char *value, size_t len);
const char *herd_get(const char *path);
/* "/local/domain/3/device/vbd/51712/KEY" of keeper @i's client. */
const char *herd_front(unsigned i, const char *key);
const char *herd_back(unsigned i, const char *key);
/* A back end of keeper @i, at PEER_SERVING, in place of any before. */
void herd_serve(unsigned i);
/* Send @m as @type of @body bytes, run until the reply: its result, or -1. */
int herd_call(unsigned i, struct wire_message *m, unsigned type, size_t body);

#endif
