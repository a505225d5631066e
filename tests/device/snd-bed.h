/* SPDX-License-Identifier: MIT */
/*
 * One sound device on a bed: loopxen, one of the two doors, the card's streams on PCMs
 * of the tests, and a front end to drive them; and the part of the host's loop that a
 * device sees.
 *
 * The bed is as strict about wake-ups as the disk's (bed.h): card and door are turned
 * when an event is pending or when one of them said it is due, never else.
 */
#ifndef XDD_TEST_SND_BED_H
#define XDD_TEST_SND_BED_H

#include "backends/snd/snd-pv.h"
#include "backends/snd/snd-virtio.h"
#include "tests/device/snd-front-pv.h"
#include "tests/device/snd-front-virtio.h"
#include "tests/device/snd-host-test.h"
#include "tests/loopxen/loopxen.h"

struct snd_bed_conf {
	enum policy_door door;
	bool grant;	     /* virtio: Mode = grant, else pool */
	uint32_t streams;    /* 0: 2; even ones play, odd ones record */
	uint32_t ring_pages; /* 0: 16 */
	uint32_t data_pages; /* 0: 600 */
	bool readable;	     /* ClientPages = readable */
	struct policy_rate operations, bytes; /* 0: no limit to speak of */
	/* [Sound], the rest as its name says. */
	uint64_t formats; /* 0: all */
	uint32_t buffer;  /* 0: SND_BUFFER_MAX */
	uint32_t period;  /* 0: SND_PERIOD_MIN */
	uint32_t latency; /* 0: 20 */
	int32_t volume;
};

struct snd_bed;

/* A door in its process, as snd-pv.h has the verbs. */
struct snd_bed_door {
	int (*init)(struct snd_bed *bed, const struct keys *keys);
	void (*fini)(struct snd_bed *bed);
	int (*offer)(struct snd_bed *bed);
	int (*connect)(struct snd_bed *bed, bool attach, uint64_t now);
	void (*detach)(struct snd_bed *bed);
	int (*turn)(struct snd_bed *bed, uint64_t now);
	uint64_t (*due)(const struct snd_bed *bed);
	bool (*arm)(struct snd_bed *bed);
	bool (*is_down)(const struct snd_bed *bed);
	/* Its process is killed: let fini() be called as it is. */
	void (*died)(struct snd_bed *bed);
	/* The client connects, and takes all back: false, something is mapped. */
	void (*front_connect)(struct snd_bed *bed);
	bool (*front_ready)(struct snd_bed *bed);
	bool (*front_disconnect)(struct snd_bed *bed);
};

extern const struct snd_bed_door snd_bed_pv, snd_bed_virtio;

struct snd_bed {
	struct snd_bed_conf conf;
	const struct snd_bed_door *door;
	struct loopxen *x;
	struct loopxen_device dev;
	struct policy policy;
	struct snd_policy snd_policy;
	struct snd_host_test host[SND_STREAMS_MAX];
	struct snd_card card;
	struct loopxen_back *back;
	struct log log;
	union {
		struct snd_pv pv;
		struct snd_virtio virtio;
	};
	struct snd_front_pv front;
	struct snd_front_virtio vfront;
	bool again; /* the door was armed, and there was something */
	unsigned broken, detached, turns;
	const char *why;
};

/* The world, without a back end. */
void snd_bed_init(struct snd_bed *bed, const struct snd_bed_conf *conf);
/* Returns what leaked. */
unsigned snd_bed_fini(struct snd_bed *bed);

/* A back-end process: opens, offers. */
void snd_bed_start(struct snd_bed *bed);
/* It dies, with all it held. */
void snd_bed_kill(struct snd_bed *bed);
/* Another one attaches in its place. The door's result. */
int snd_bed_follow(struct snd_bed *bed);
/* The front end connects; the back end does. The door's result. */
int snd_bed_connect(struct snd_bed *bed);
/* init, start and connect, all of which must work. */
void snd_bed_up(struct snd_bed *bed, const struct snd_bed_conf *conf);
/* Detach, free; all must come home. Returns leaks. */
unsigned snd_bed_down(struct snd_bed *bed);

/* One turn, as the host makes it. */
int snd_bed_turn(struct snd_bed *bed);
/* Until nothing is left to do, while time stands still. */
int snd_bed_run(struct snd_bed *bed);
/* The same for @ns of time, which pass as turns are due. */
int snd_bed_pass(struct snd_bed *bed, uint64_t ns);

static inline struct snd_front_stream *snd_bed_stream(struct snd_bed *bed, uint32_t i)
{
	return &bed->front.stream[i];
}

/* -- With PV ----------------------------------------------------------------------- */

/* A request, until it is answered: its answer, which must be the only one; time passes
 * if it must. Id and operation must be echoed. */
struct xensnd_resp snd_bed_ask(struct snd_bed *bed, uint32_t stream,
			       struct xensnd_req *req);
/* The same by verb: the status. */
int32_t snd_bed_open(struct snd_bed *bed, uint32_t stream,
		     const struct snd_config *config);
int32_t snd_bed_simple(struct snd_bed *bed, uint32_t stream, uint8_t operation);
int32_t snd_bed_trigger(struct snd_bed *bed, uint32_t stream, uint8_t type);
int32_t snd_bed_rw(struct snd_bed *bed, uint32_t stream, uint8_t operation,
		   uint32_t offset, uint32_t len);
const char *snd_bed_back_key(struct snd_bed *bed, const char *key);

#endif
