/* SPDX-License-Identifier: MIT */
/*
 * What xdd-probe tries: rows of things that must be refused, in one table for
 * each room of the house, and the facts that they share.
 *
 * A try does the forbidden thing in its most harmless form. It returns what
 * the call returned: 0 or more if it was let through, -errno if not; whether
 * that errno is a refusal or just a mistake met further in, the row says.
 * Invariants:
 *  1. an errno that is not on the row's list counts as allowed: whoever gave
 *     it, the one who should have refused did not;
 *  2. a try that could not be made is skipped, with a reason, never refused;
 *  3. facts that cannot be had behind the last door are collected before it.
 */
#ifndef XDD_PROBE_H
#define XDD_PROBE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/loop.h"
#include "grant-mem/client.h"
#include "policy/class.h"
#include "policy/policy.h"
#include "xenbus/evtchn-keeper.h"
#include "xenbus/store-keeper.h"

#define PROBE_NAMES 16
#define PROBE_PATH  128

/* Beside the values of a call. */
#define PROBE_SAID INT_MIN	 /* refused, in words: probe.text */
#define PROBE_SKIP (INT_MIN + 1) /* could not be tried: probe.text */

enum probe_when {
	PROBE_ALWAYS,
	PROBE_SEALED,
	PROBE_FATAL, /* refused by death, so alone: --fatal NAME */
};

/* Who refuses, as long as the last door is open. */
enum probe_by {
	PROBE_DOOR,   /* the filter */
	PROBE_KEEPER, /* the keeper, by an answer or by how it opened a file */
	PROBE_KERNEL, /* gntdev and the memory management */
	PROBE_UNIT,   /* the systemd unit: devices, namespaces, user */
};

/* Which errnos are refusals. */
enum probe_errnos {
	PROBE_EPERM, /* as a filter says it */
	PROBE_FILE,  /* not ours, not there, not writable */
	PROBE_FAR,   /* a process that is not ours or not in sight */
	PROBE_MAP,   /* EINVAL too: gntdev says so of what is not registered */
	PROBE_RING,  /* EACCES: a restricted ring */
};

struct probe {
	const char *instance;
	bool sealed;
	const char *fatal; /* the one row to try, or NULL */
	bool unit;	   /* the installed unit is around us */
	const char *text;  /* of PROBE_SAID and PROBE_SKIP */

	struct client client;
	struct evtchn_keeper evtchn;
	struct store_keeper store;
	struct loop loop;
	struct policy policy;
	bool policy_known;
	bool gntdev;  /* the descriptors are what they stand for */
	bool present; /* a client is there */
	pid_t keeper; /* 0: not in sight */
	char socket[PROBE_PATH];
	char others[PROBE_NAMES][PROBE_PATH]; /* sockets of other instances */
	unsigned others_count;
	char ring_key[WIRE_KEY_BYTES], event_key[WIRE_KEY_BYTES];
	void *readable; /* a page mapped for reading alone */
	int pair[2];	/* of sockets; holds one byte to read */
	int bus;	/* of a CAN interface, bound; or -1 */
	int lone;	/* a socket that is connected to nothing */
	int tap;	/* a queue of the Resource that is a tap, or -1 */
	int node;	/* that all taps are had through, no tap yet; or -1 */
	int card;	/* of DRM/KMS; or -1 */
	int pcm, mixer; /* of a sound device; or -1 */
	char recorder[PROBE_PATH]; /* the node of a PCM that records */
};

struct probe_try {
	const char *name;
	const char *proves;
	int (*run)(struct probe *p, const struct probe_try *try);
	long arg;
	enum probe_by by;
	enum probe_errnos errnos;
	enum probe_when when;
	bool child; /* succeeding would change us: try it in a child */
};

/* Each ends with a row without a name. */
extern const struct probe_try probe_ioctls[], probe_memory[], probe_files[];
extern const struct probe_try probe_processes[], probe_system[], probe_rings[];
extern const struct probe_try probe_keeper[], probe_sockets[], probe_taps[];
extern const struct probe_try probe_sound[], probe_display[];

/* Collect the facts (invariant 3). 0, or negative errno with p->text. */
int probe_scene(struct probe *p);
/* Its parts in probe-display.c, probe-sockets.c, probe-sound.c and probe-taps.c, when
 * the policy is known. */
void probe_display_open(struct probe *p);
void probe_sockets_open(struct probe *p);
void probe_sound_open(struct probe *p);
void probe_taps_open(struct probe *p);

static inline int probe_skip(struct probe *p, const char *why)
{
	p->text = why;
	return PROBE_SKIP;
}

static inline int probe_said(struct probe *p, const char *what)
{
	p->text = what;
	return PROBE_SAID;
}

#endif
