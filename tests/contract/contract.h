/* SPDX-License-Identifier: MIT */
/*
 * The contract of seam A, as tests over its verbs alone: what every
 * implementation of struct grants, evtchn and store owes the back ends, be it
 * loopxen, the keeper or Xen itself.
 *
 * The other end, a client that grants, revokes, writes keys and sends events,
 * is a struct granter: a few lines over loopxen (granter-loopxen.c); on real
 * Xen one that tells a program in a client VM what to do.
 *
 * Prints "ok - NAME" or "not ok - NAME" a test, with the line that failed.
 */
#ifndef XDD_CONTRACT_H
#define XDD_CONTRACT_H

#include <stdbool.h>
#include <stdint.h>

#include "grant-mem/grants.h"
#include "policy/class.h"
#include "xenbus/evtchn.h"
#include "xenbus/store.h"

struct granter;

/* All return 0, or a negative errno that ends the run; questions 0 or 1. */
struct granter_ops {
	/* Grant @n fresh, zeroed pages to the back end. */
	int (*grant)(struct granter *g, uint32_t n, bool read_only, struct gref *refs);
	/* 1: revoked, 0: it is still mapped. */
	int (*revoke)(struct granter *g, struct gref ref);
	/* Fill @len bytes of the page of @ref with @byte. */
	int (*fill)(struct granter *g, struct gref ref, uint32_t offset, uint32_t len,
		    uint8_t byte);
	/* 1 if all of them are @byte. */
	int (*holds)(struct granter *g, struct gref ref, uint32_t offset, uint32_t len,
		     uint8_t byte);
	/* A port that the back end may bind to. */
	int (*port)(struct granter *g, uint32_t *out);
	int (*close)(struct granter *g, uint32_t port);
	int (*send)(struct granter *g, uint32_t port);
	/* 1 if @port fired since it was asked last. */
	int (*fired)(struct granter *g, uint32_t port);
	/* A key of the front-end directory; NULL removes it. @len bytes. */
	int (*key)(struct granter *g, const char *key, const char *value, size_t len);
	/* 1 if the back-end directory's @key reads @value. */
	int (*back_key)(struct granter *g, const char *key, const char *value);
};

struct granter {
	const struct granter_ops *ops;
};

struct contract {
	struct grants *grants;
	struct evtchn *evtchn;
	struct store *store;
	const struct policy *policy; /* class blk; 1 ring page or more, 4 with Mode =
					grant; 16 data pages or more */
	struct granter *granter;

	/* The suite's own. */
	const struct class_info *class; /* its keys */
	const char *failed;		/* "file:line: what", of the running test */
	char text[160];
};

/* Runs what holds for the policy's Mode; returns the number that failed. */
unsigned contract_run(struct contract *c);

/* For the suite's files. */
#define MODE(mode) (1u << POLICY_##mode)
#define EVERY_MODE (MODE(MAP) | MODE(COPY) | MODE(POOL) | MODE(GRANT))
struct contract_test {
	const char *name;
	void (*run)(struct contract *c);
	unsigned modes; /* those it holds for */
};

extern const struct contract_test contract_grants[];
extern const struct contract_test contract_pool[];
extern const struct contract_test contract_evtchn[];
extern const struct contract_test contract_store[];

void contract_failed(struct contract *c, const char *file, int line, const char *what);
/* True if the access faults. In this process: a forked one has no maps. */
bool contract_faults(volatile uint8_t *at, bool write);
/* Wait a moment for what takes time on real Xen. */
void contract_wait(struct contract *c);

#define CHECK(c, what)                                                                 \
	do {                                                                           \
		if (!(what)) {                                                         \
			contract_failed((c), __FILE__, __LINE__, #what);               \
			return;                                                        \
		}                                                                      \
	} while (0)

#endif
