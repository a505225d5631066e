/* SPDX-License-Identifier: MIT */
/*
 * The skeleton of every back-end program: adopt what xdd-enter left, read the
 * policy, open the class's resource, shut the second door, then serve one
 * device through as many lives of its client as there are.
 *
 * Not a device and not a door: a class gives it a struct host_class, with a struct
 * host_door for each of its doors. Order is
 * the point, and fixed: all that opens, allocates or parses a file happens
 * before host_seal(); no byte that a client wrote is read before it.
 *
 * Invariants:
 *  1. one thread, one wait (loop_turn) a turn; before it, and only then, the client
 *     is asked for events, and is sent none while there is work;
 *  2. an event channel's port stays masked while its rings are looked at, and
 *     as long after as the policy's event rate wants (XSA-332);
 *  3. the keeper gone means the process goes, at once, with status 1;
 *     with Isolation = domain, so does what the keeper would kill it for;
 *  4. SIGTERM is a planned stop: drain, detach, leave every state as it is.
 */
#ifndef XDD_HOST_H
#define XDD_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/host-doors.h"
#include "backends/host-events.h"
#include "backends/stats.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/notify.h"
#include "grant-mem/grants.h"
#include "policy/class.h"
#include "policy/policy.h"
#include "policy/spin.h"
#include "xenbus/evtchn.h"
#include "xenbus/life.h"
#include "xenbus/store.h"

struct host;
struct virtio_door;

/* One front door of a class. All but open() and count() run after sealing. */
struct host_door {
	/* The resource is open: make the door. A negative errno ends the program, and
	 * was logged. */
	int (*open)(struct host *host);
	/* Name what it counts in host->stats. */
	void (*count)(struct host *host);
	/* Write the keys that stand before InitWait. */
	int (*offer)(struct host *host);
	/* As life_ops.connect; on success host->port[] are bound. */
	int (*connect)(struct host *host, bool attach);
	/* Once a turn of the loop while connected or draining, whatever woke it:
	 * answer what is done, take what is new. A negative errno ends us. */
	int (*turn)(struct host *host, uint64_t now);
	/* Monotonic time at which a turn is due without an event, or UINT64_MAX. */
	uint64_t (*due)(struct host *host);
	/* The loop is about to wait: have the client wake us for what it asks from now
	 * on. True if it has asked meanwhile. */
	bool (*arm)(struct host *host);
	/* A look, without that: may a turn find something new? */
	bool (*pending)(const struct host *host);
	/* Finish; host_detached() follows, now or in a later turn. */
	void (*detach)(struct host *host);
	/* About once a second, whatever the life's state: what nobody wakes us for. A
	 * negative errno ends us. */
	int (*tick)(struct host *host, uint64_t now);
	/* The policy's limits changed (host->policy holds the new ones). */
	void (*limits)(struct host *host);
};

/* What a class adds. All but open() run after sealing. */
struct host_class {
	const char *name;				 /* "blk" */
	enum policy_class class;			 /* must be the policy's */
	const struct host_door *door[POLICY_VIRTIO + 1]; /* by the policy's Door */
	/* Read the class's section of the policy, open the resource, name what it
	 * counts in host->stats, behind what host->door does. Says what is wrong in
	 * the log; a negative errno ends the program. */
	int (*open)(struct host *host);
	/* Before the door's: as it, or NULL. */
	int (*tick)(struct host *host, uint64_t now);
	/* Behind the door's: policy.receive may have changed. Or NULL. */
	void (*limits)(struct host *host);
};

struct host {
	const struct host_class *class;
	const struct host_door *door;
	void *device;		    /* the class's own */
	struct virtio_door *virtio; /* of host-virtio.h, or NULL */
	struct policy policy;
	char text[POLICY_TEXT_MAX]; /* the policy's text, for its class section */
	size_t text_len;

	struct doors doors;
	struct loop loop;
	struct log log;
	struct notify notify;
	struct stats stats;
	struct life life;
	struct grants *grants;
	struct evtchn *evtchn;
	struct store *store;
	struct evport port[EVENTS_PORTS]; /* of the device, while connected */
	unsigned ports;

	struct events events;
	struct spin spin; /* the class's open() may set it; else never */
	bool mixes;	  /* likewise: the resource needs seal_last_mixed() */
	struct loop_op store_op, rest_op, tick_op, due_op;
	uint64_t due_at; /* what due_op was set for */
	uint32_t calls;	 /* to the keeper, when its socket was ready last */
	int result;
	bool stopping;
	char shown[200]; /* the STATUS= that was sent last */
	enum life_state shown_state;
};

/* The whole of main(). */
int host_main(int argc, char **argv, const struct host_class *class, void *device);
/* The second door: the loop's ring is restricted, then the last filter shut. */
int host_seal(struct host *host);
/* From the class: all slots are home, nothing is mapped, the port is unbound. */
void host_detached(struct host *host);
/* From the class: keys have changed that the front end reads when we are Connected:
 * be it once more. */
void host_repeat(struct host *host);
/* From the class, before sealing: read its section of the policy into @out, which has
 * its defaults. 0; or -EINVAL, and what is wrong was said. */
struct host_section {
	const char *name; /* "Block" */
	const struct policy_section_key *keys;
	/* What does not go together, or not with the generic sections. */
	void (*fit)(const struct policy *policy, const void *out,
		    struct policy_errors *errors);
};
int host_read_section(struct host *host, const struct host_section *section, void *out);
/* From the class: the client broke the protocol; @why goes to the log. */
void host_broken(struct host *host, const char *why);

#endif
