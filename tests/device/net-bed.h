/* SPDX-License-Identifier: MIT */
/*
 * One network device on a bed: loopxen, one of the two doors, the core, a link that
 * does what it is told, and a front end to drive them; and the part of the host's loop
 * that a device sees.
 *
 * The bed is as strict about wake-ups as the disk's (bed.h): core and door are turned
 * when an event is pending, when the link did something or when one of them said it is
 * due, never else.
 */
#ifndef XDD_TEST_NET_BED_H
#define XDD_TEST_NET_BED_H

#include "backends/net/net-pv.h"
#include "backends/net/net-virtio.h"
#include "tests/device/net-frames.h"
#include "tests/device/net-front-pv.h"
#include "tests/device/net-front-virtio.h"
#include "tests/device/net-link-test.h"
#include "tests/loopxen/loopxen.h"

struct net_bed;

struct net_bed_conf {
	enum policy_door door;
	enum policy_mode mode;	       /* PV: copy, but for POLICY_GRANT */
	uint32_t ring_pages;	       /* 0: 64 */
	uint32_t data_pages;	       /* 0: 1024 */
	uint32_t in_flight;	       /* 0: 512 */
	struct policy_rate operations; /* 0: no limit to speak of */
	struct policy_rate bytes;
	uint32_t first_ref, last_ref; /* 0: all that are not reserved */
	/* [Net]: lists, NULL for the client's own MAC, "untagged" and "any". */
	const char *sources, *vlans, *addresses;
	bool no_multicast, no_broadcast, no_offloads;
	uint32_t queues, mtu, backlog; /* 0: 1, 1500, 1 MiB */
	struct policy_rate receive_packets, receive_bytes;
	uint32_t speed;
	/* The link. */
	unsigned link_queues;  /* 0: as many as queues */
	unsigned link_without; /* offloads that it does not have */
	bool holds;
	unsigned ahead;
	struct netfront_conf front; /* PV */
};

/* A door in its process, as net-pv.h has the verbs, and the front end of its
 * kind. */
struct net_bed_door {
	int (*init)(struct net_bed *bed, const struct keys *keys);
	void (*fini)(struct net_bed *bed);
	int (*offer)(struct net_bed *bed);
	int (*connect)(struct net_bed *bed, bool attach, uint64_t now);
	void (*detach)(struct net_bed *bed);
	int (*turn)(struct net_bed *bed, uint64_t now);
	uint64_t (*due)(const struct net_bed *bed);
	bool (*arm)(struct net_bed *bed);
	bool (*pending)(const struct net_bed *bed);
	void (*limits)(struct net_bed *bed, uint64_t now);
	bool (*is_down)(const struct net_bed *bed);
	/* Its process is killed: let fini() be called as it is. */
	void (*died)(struct net_bed *bed);
	/* The front end: keys and grants; after the back end's connect, what is left.
	 */
	void (*front_connect)(struct net_bed *bed);
	bool (*front_ready)(struct net_bed *bed);
	/* Nothing of it is mapped any more. */
	bool (*front_disconnect)(struct net_bed *bed);
};

extern const struct net_bed_door net_bed_pv;	 /* net-bed-pv.c */
extern const struct net_bed_door net_bed_virtio; /* net-bed-virtio.c */

struct net_bed {
	struct net_bed_conf conf;
	const struct net_bed_door *door;
	struct loopxen *x;
	struct loopxen_device dev;
	struct policy policy;
	struct net_policy net_policy;
	struct net_link_test link;
	struct net net;
	struct loopxen_back *back;
	struct log log;
	struct net_pv pv;
	struct netfront front;
	struct netfront_heard heard; /* for who asks for frames */
	struct net_virtio virtio;
	struct net_front_virtio vfront; /* net_bed_init() leaves its conf and pairs */
	bool again; /* the door was armed, and there was something */
	unsigned broken, detached;
	const char *why;
};

/* The world, without a back end. */
void net_bed_init(struct net_bed *bed, const struct net_bed_conf *conf);
/* Returns what leaked. */
unsigned net_bed_fini(struct net_bed *bed);

/* A back-end process: opens, offers. 0 or a negative errno. */
int net_bed_start(struct net_bed *bed);
/* As net_bed_start(), of one that finds the device connected: it does not offer. */
int net_bed_start_quiet(struct net_bed *bed);
/* It dies, with all it held. */
void net_bed_kill(struct net_bed *bed);
/* Another one attaches in its place. */
int net_bed_follow(struct net_bed *bed);
/* The front end connects (but for @attach); the back end does. The door's result. */
int net_bed_connect(struct net_bed *bed, bool attach);
/* init, start and connect, all of which must work. */
void net_bed_up(struct net_bed *bed, const struct net_bed_conf *conf);
/* The end of a planned one: it is down, and gives back what it had. */
void net_bed_end(struct net_bed *bed);
/* Detached: the client reboots, a new front end connects to the same process. */
void net_bed_reconnect(struct net_bed *bed);
/* Detach, free; all must come home. Returns leaks. */
unsigned net_bed_down(struct net_bed *bed);

/* One turn, as the host makes it: the core, the door. The first's error. */
int net_bed_turn(struct net_bed *bed);
/* Run until nothing is left to do, in virtual time if need be. */
int net_bed_run(struct net_bed *bed);
/* As net_bed_run(), but time stands still. */
int net_bed_run_now(struct net_bed *bed);

const char *net_bed_back_key(struct net_bed *bed, const char *key);

#endif
