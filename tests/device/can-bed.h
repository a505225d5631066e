/* SPDX-License-Identifier: MIT */
/*
 * One CAN controller on a bed: loopxen, one of the two doors, the core, a bus, and a
 * front end to drive them; and the part of the host's loop that a device sees.
 *
 * The bed is as strict about wake-ups as the disk's (bed.h): core and door are turned
 * when an event is pending, when the bus did something or when one of them said it is
 * due, never else.
 */
#ifndef XDD_TEST_CAN_BED_H
#define XDD_TEST_CAN_BED_H

#include "backends/can/can-pv.h"
#include "backends/can/can-virtio.h"
#include "tests/device/can-bus-test.h"
#include "tests/device/can-front-pv.h"
#include "tests/device/can-front-virtio.h"
#include "tests/device/can-front.h"
#include "tests/loopxen/loopxen.h"

struct can_bed;

enum can_bed_bus { CAN_BED_TEST, CAN_BED_LOOPBACK, CAN_BED_NULL };

struct can_bed_conf {
	enum policy_door door;
	enum policy_mode mode;	       /* virtio */
	uint32_t ring_pages;	       /* 0: 16 */
	uint32_t data_pages;	       /* 0: 1024 */
	uint32_t in_flight;	       /* 0: 512 */
	struct policy_rate operations; /* 0: no limit to speak of */
	struct policy_rate bytes;
	/* [Can]: lists, NULL for "all"; the rest as its name says. */
	const char *transmit, *receive;
	bool listen_only, no_fd, errors;
	struct policy_rate receive_rate;
	uint32_t receive_queue; /* 0: 64 */
	enum can_overflow overflow;
	enum can_bed_bus bus;
	bool holds, mute; /* of the test bus */
	bool no_echo;
	struct can_front_conf front;
};

/* A door in its process, as can-pv.h has the verbs. */
struct can_bed_door {
	int (*init)(struct can_bed *bed, const struct keys *keys);
	void (*fini)(struct can_bed *bed);
	int (*offer)(struct can_bed *bed);
	int (*connect)(struct can_bed *bed, bool attach, uint64_t now);
	void (*detach)(struct can_bed *bed);
	int (*turn)(struct can_bed *bed, uint64_t now);
	uint64_t (*due)(const struct can_bed *bed);
	bool (*arm)(struct can_bed *bed);
	void (*limits)(struct can_bed *bed, uint64_t now);
	bool (*is_down)(const struct can_bed *bed);
	/* Its process is killed: let fini() be called as it is. */
	void (*died)(struct can_bed *bed);
	/* Makes bed->front one of this door's. */
	struct can_front *(*front)(struct can_bed *bed);
};

extern const struct can_bed_door can_bed_pv;	 /* can-bed-pv.c */
extern const struct can_bed_door can_bed_virtio; /* can-bed-virtio.c */

struct can_bed {
	struct can_bed_conf conf;
	const struct can_bed_door *door;
	struct loopxen *x;
	struct loopxen_device dev;
	struct policy policy;
	struct can_policy can_policy;
	struct can_bus_test test;
	struct can_bus *bus; /* that, or what can_bus_open() opened */
	struct can can;
	struct loopxen_back *back;
	struct log log;
	struct can_pv pv;
	struct can_front_pv pv_front;
	struct can_virtio virtio;
	struct can_front_virtio virtio_front;
	struct can_front *front;
	bool again; /* the door was armed, and there was something */
	unsigned broken, detached;
	const char *why;
};

/* The world, without a back end. */
void can_bed_init(struct can_bed *bed, const struct can_bed_conf *conf);
/* Returns what leaked. */
unsigned can_bed_fini(struct can_bed *bed);

/* A back-end process: opens, offers. 0 or a negative errno. */
int can_bed_start(struct can_bed *bed);
/* As can_bed_start(), of one that finds the device connected: it does not offer. */
int can_bed_start_quiet(struct can_bed *bed);
/* It dies, with all it held. */
void can_bed_kill(struct can_bed *bed);
/* Another one attaches in its place. */
int can_bed_follow(struct can_bed *bed);
/* The front end connects (but for @attach); the back end does. The door's result. */
int can_bed_connect(struct can_bed *bed, bool attach);
/* init, start and connect, all of which must work. */
void can_bed_up(struct can_bed *bed, const struct can_bed_conf *conf);
/* As the door's: a planned end begins. */
void can_bed_detach(struct can_bed *bed);
/* The end of a planned one: it is down, and gives back what it had. */
void can_bed_end(struct can_bed *bed);
/* Detached: the client reboots, a new front end connects to the same process. */
void can_bed_reconnect(struct can_bed *bed);
/* Detach, free; all must come home. Returns leaks. */
unsigned can_bed_down(struct can_bed *bed);

/* One turn, as the host makes it: the core, the door. The first's error. */
int can_bed_turn(struct can_bed *bed);
/* Run until nothing is left to do, in virtual time if need be. */
int can_bed_run(struct can_bed *bed);
/* As can_bed_run(), but time stands still. */
int can_bed_run_now(struct can_bed *bed);

/* The verbs of the front end; each must find room. send, control and post publish. */
void can_bed_send(struct can_bed *bed, uint16_t id, const struct canfd_frame *frame);
void can_bed_post(struct can_bed *bed, unsigned n);
/* Start or stop, alone, until it is answered. */
enum can_status can_bed_control(struct can_bed *bed, bool start);
/* A frame, until it is answered: the only answer. */
enum can_status can_bed_ask(struct can_bed *bed, const struct canfd_frame *frame);
bool can_bed_answer(struct can_bed *bed, struct can_front_answer *out);
bool can_bed_event(struct can_bed *bed, struct can_event *out);
/* @status as the front end's wire says it. */
enum can_status can_bed_says(const struct can_bed *bed, enum can_status status);
const char *can_bed_back_key(struct can_bed *bed, const char *key);

#endif
