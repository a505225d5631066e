/* SPDX-License-Identifier: MIT */
/*
 * What is known of one driver domain, for an assessor: from its policies, and, as far
 * as they were given, its audit logs, what xdd-witness saw and what xdd-probe tried.
 * Pure.
 *
 * It decides nothing: what a policy allows is what its keys say, what was used is what
 * the log says, and where two of them do not agree that is a point.
 *
 * Invariants:
 *  1. no number is here that is not in an input, or the sum of such;
 *  2. what was not given is not known: NULL, ASSESS_NOBODY or a point that says so;
 *  3. the same inputs make the same, in the same order: no clock, no place is in it.
 */
#ifndef XDD_ASSESS_H
#define XDD_ASSESS_H

#include "policy/cmd/assess-log.h"
#include "policy/cmd/assess-proof.h"
#include "policy/cmd/set.h"

/* How a back end comes to its client's data pages. */
enum assess_way {
	ASSESS_MAPS,   /* it has them mapped: no more than so many at once */
	ASSESS_POOL,   /* the same, of a set that the client grants when it connects */
	ASSESS_COPIES, /* it has them copied: any in its range, so many in a batch */
	ASSESS_RINGS,  /* it has none: all is in the rings */
};

struct assess_instance {
	const struct set_entry *entry;
	char digest[ENTRY_HASH]; /* SHA-256 of its policy's text */
	enum assess_way way;
	bool reads, writes; /* the data pages */
	uint64_t at_once;   /* pages that may be mapped at once, the rings' too */
	unsigned client;    /* in assess.client */
	unsigned group;	    /* its isolation group, from 1; 0: none */
	const struct assess_log *log;	     /* or NULL */
	const struct witness_instance *seen; /* or NULL */
};

/* A client, as far as it is known which instances are of one. */
struct assess_client {
	uint32_t domain;	     /* or ASSESS_NOBODY */
	const struct assess_log *by; /* whose log says so; NULL: the policy */
	const char *tag;	     /* of its first instance, or "" */
	unsigned instances, copying;
	/* Pages that its back ends may have mapped at once, all together. */
	uint64_t readable, writable;
};

enum assess_weight {
	ASSESS_ALARM,  /* two sources do not agree, or a wall is not there */
	ASSESS_NOTE,   /* what an assessor has to know */
	ASSESS_ABSENT, /* not given, so not known */
	ASSESS_WEIGHTS,
};

struct assess_point {
	enum assess_weight weight;
	const char *section; /* of the page */
	char *text;
};

/* A file that was read. */
struct assess_file {
	const char *path, *what;
	char digest[ENTRY_HASH];
};

struct assess_probe {
	const char *path;
	const char *instance; /* in whose place, or NULL: not said */
	struct probe probe;
};

struct assess {
	/* Inputs. */
	const char *place; /* what was named for the policies */
	const struct set *set;
	struct set_limits limits;
	bool limits_given[SET_SHARES];
	struct assess_log *log;
	unsigned logs;
	const char *witness_path;
	struct witness witness;
	struct assess_probe *probe;
	unsigned probes;
	struct assess_file *file;
	unsigned files;

	/* Made of them by assess_make(), in the order of clients, then of names. */
	struct assess_instance *instance;
	struct assess_client *client;
	unsigned clients;
	json_t *groups; /* as set_groups() */
	struct assess_point *point;
	unsigned points;
};

/* SHA-256, in hex. */
void assess_digest(const char *text, size_t len, char out[ENTRY_HASH]);
/* Makes what is made of the inputs. Points that were added before stay. */
void assess_make(struct assess *a);
void assess_point(struct assess *a, enum assess_weight weight, const char *section,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
unsigned assess_count(const struct assess *a, enum assess_weight weight);
/* Frees all but the set. */
void assess_free(struct assess *a);

/* Sections of the page, which a point may refer to. */
#define ASSESS_REACH	"reach"
#define ASSESS_USED	"used"
#define ASSESS_REFUSED	"refused"
#define ASSESS_WITNESS	"witness"
#define ASSESS_QUOTAS	"quotas"
#define ASSESS_SHARED	"shared"
#define ASSESS_VERSIONS "versions"

#endif
