/* SPDX-License-Identifier: MIT */
/*
 * One display on a bed: loopxen, one of the two doors, a card of the tests, and a front
 * end to drive it; and the part of the host's loop that a device sees.
 *
 * The bed is as strict about wake-ups as the disk's (bed.h): display and door are
 * turned when an event is pending or when one of them said it is due, never else.
 */
#ifndef XDD_TEST_DISPL_BED_H
#define XDD_TEST_DISPL_BED_H

#include "backends/displ/displ-pv.h"
#include "backends/displ/displ-virtio.h"
#include "tests/device/displ-front-pv.h"
#include "tests/device/displ-scan-test.h"
#include "tests/device/vchain.h"
#include "tests/loopxen/loopxen.h"

#define DISPL_BED_GONE 0x123456 /* a pixel of the picture of a client that is gone */

struct displ_bed_conf {
	enum policy_door door;
	uint32_t heads;			      /* 0: 1 */
	struct displ_size size;		      /* of each; 0: 64x64 */
	uint32_t ring_pages;		      /* 0: 16 */
	uint32_t data_pages;		      /* 0: 4096 */
	bool both;			      /* ClientPages = both; else readable */
	struct policy_rate operations, bytes; /* 0: no limit to speak of */
	uint32_t formats;		      /* 0: all */
	uint32_t buffers;		      /* 0: 8 */
	struct policy_rate flips;
	bool black; /* there is no picture of a client that is gone */
	/* virtio: */
	uint32_t pages;	    /* of the pool; 0: 512 */
	uint32_t in_flight; /* 0: 64 */
	uint64_t refuses;   /* features */
	bool alpha;	    /* that of pixels counts */
};

struct displ_bed;

/* A door in its process, as displ-pv.h has the verbs. */
struct displ_bed_door {
	int (*init)(struct displ_bed *bed, const struct keys *keys);
	void (*fini)(struct displ_bed *bed);
	int (*offer)(struct displ_bed *bed);
	int (*connect)(struct displ_bed *bed, bool attach, uint64_t now);
	void (*detach)(struct displ_bed *bed);
	int (*turn)(struct displ_bed *bed, uint64_t now);
	uint64_t (*due)(const struct displ_bed *bed);
	bool (*arm)(struct displ_bed *bed);
	bool (*is_down)(const struct displ_bed *bed);
	/* It is up: its ports are bound. */
	bool (*takes)(const struct displ_bed *bed);
	void (*landed)(struct displ_bed *bed, uint32_t head, uint64_t now);
	/* Its process is killed: let fini() be called as it is. */
	void (*died)(struct displ_bed *bed);
	/* The client connects, and takes all back: false, something is mapped. */
	void (*front_connect)(struct displ_bed *bed);
	bool (*front_ready)(struct displ_bed *bed);
	bool (*front_disconnect)(struct displ_bed *bed);
};

extern const struct displ_bed_door displ_bed_pv, displ_bed_virtio;

struct displ_bed {
	struct displ_bed_conf conf;
	const struct displ_bed_door *door;
	struct loopxen *x;
	struct loopxen_device dev;
	struct policy policy;
	struct displ_policy displ_policy;
	struct displ_scan_test scan;
	struct displ displ;
	struct loopxen_back *back;
	struct log log;
	union {
		struct displ_pv pv;
		struct displ_virtio virtio;
	};
	struct displ_front_pv front;
	struct vfront vfront;
	struct vchains chains;
	uint8_t edid[256];
	uint32_t unplugged; /* heads, bits; virtio's owner looks before each turn */
	uint16_t asked;	    /* the message that is waited for */
	unsigned waited;
	bool again; /* the door was armed, and there was something */
	unsigned broken, detached, turns;
	const char *why;
};

/* The world, without a back end. */
void displ_bed_init(struct displ_bed *bed, const struct displ_bed_conf *conf);
/* Returns what leaked. */
unsigned displ_bed_fini(struct displ_bed *bed);

/* A back-end process: opens, offers. */
void displ_bed_start(struct displ_bed *bed);
/* It dies, with all it held. */
void displ_bed_kill(struct displ_bed *bed);
/* Another one attaches in its place. The door's result. */
int displ_bed_follow(struct displ_bed *bed);
/* The front end connects; the back end does. The door's result. */
int displ_bed_connect(struct displ_bed *bed);
/* init, start and connect, all of which must work. */
void displ_bed_up(struct displ_bed *bed, const struct displ_bed_conf *conf);
/* Detach, free; all must come home. Returns leaks. */
unsigned displ_bed_down(struct displ_bed *bed);

/* Until nothing is left to do, while time stands still. */
int displ_bed_run(struct displ_bed *bed);
/* The same for @ns of time, which pass as turns are due. */
int displ_bed_pass(struct displ_bed *bed, uint64_t ns);

/* All that is seen on @head is @pixel. */
bool displ_bed_sees(const struct displ_bed *bed, uint32_t head, uint32_t pixel);
const char *displ_bed_back_key(struct displ_bed *bed, const char *key);

/* -- With PV ----------------------------------------------------------------------- */

/* A request, until it is answered: its answer, which must be the only one; time passes
 * if it must. Id and operation must be echoed. */
struct xendispl_resp displ_bed_ask(struct displ_bed *bed, uint32_t head,
				   struct xendispl_req *req);
/* The same by verb: the status. Buffer @i of the front end, whose cookie is 100 + @i,
 * as
 * @width x @height pixels of @bpp bits; it is granted if it is not. */
int32_t displ_bed_create(struct displ_bed *bed, uint32_t i, uint32_t width,
			 uint32_t height, uint32_t bpp);
int32_t displ_bed_destroy(struct displ_bed *bed, uint32_t i);
/* Frame buffer @cookie in buffer @i. */
int32_t displ_bed_attach(struct displ_bed *bed, uint64_t cookie, uint32_t i,
			 uint32_t width, uint32_t height, uint32_t fourcc);
int32_t displ_bed_unattach(struct displ_bed *bed, uint64_t cookie);
int32_t displ_bed_config(struct displ_bed *bed, uint32_t head, uint64_t cookie,
			 const struct displ_rect *rect, uint32_t bpp);
int32_t displ_bed_flip(struct displ_bed *bed, uint32_t head, uint64_t cookie);
/* All of that: frame 1 in buffer 0 and frame 2 in buffer 1, as large as the head, of
 * XRGB8888, and frame 1 is configured and shown. */
void displ_bed_show(struct displ_bed *bed);
/* Each pixel of buffer @i, of 32 bits. */
void displ_bed_fill(struct displ_bed *bed, uint32_t i, uint32_t pixel);
/* The next event's cookie, or 0: there is none. */
uint64_t displ_bed_event(struct displ_bed *bed, uint32_t head);

#endif
