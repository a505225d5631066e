/* SPDX-License-Identifier: MIT */
/*
 * A virtio-blk client in a loopxen domain: tests/front's driver over pages that the
 * domain grants, and the keys that say which (backends/door/virtio-msg-xen.md).
 *
 * Not a judge: it does what it is told, and says what came back.
 */
#ifndef XDD_TEST_VFRONT_H
#define XDD_TEST_VFRONT_H

#include "tests/front/virtio-driver.h"
#include "tests/loopxen/loopxen.h"

#define VFRONT_QUEUES	16
#define VFRONT_REQUESTS 256

struct vfront_conf {
	bool grant;	  /* else a pool */
	unsigned pages;	  /* of it; 0: 512 */
	uint16_t size;	  /* of each queue; 0: 128 */
	unsigned queues;  /* 0: 1 */
	bool plain;	  /* neither indirect descriptors nor event index */
	uint64_t refuses; /* features that it does not accept */
	bool again;	  /* the same pages as when it was connected last */
};

/* A request, from being added to being answered. */
struct vfront_request {
	bool out;
	unsigned queue;
	struct driver_block header, data, status;
};

struct vfront {
	struct loopxen *x;
	const struct loopxen_device *dev;
	struct vfront_conf conf;
	uint8_t *page;
	struct gref control, first; /* of the pool */
	struct evport port;
	struct driver_pool pool;
	struct virtio_driver driver;
	uint64_t features;
	struct driver_queue queue[VFRONT_QUEUES];
	struct vfront_request request[VFRONT_REQUESTS]; /* by cookie */
	/* Let the device run. False: what was asked will not be answered. */
	bool (*run)(void *owner);
	void *owner;
};

struct vfront_answer {
	uint64_t cookie;
	uint8_t status;
	uint32_t len; /* written, says the device */
	const uint8_t *data;
};

/* Grants, keys, state Initialised. */
void vfront_connect(struct vfront *f, struct loopxen *x,
		    const struct loopxen_device *dev, const struct vfront_conf *conf);
/* As a driver's probe: to DRIVER_OK. False if the device does not come along. */
bool vfront_ready(struct vfront *f);
/* Takes its grants back; false if the back end still maps one. */
bool vfront_disconnect(struct vfront *f);
void vfront_key(struct vfront *f, const char *key, const char *value);
void vfront_state(struct vfront *f, enum store_state state);

/* Add a request of @type with @bytes of data, which the caller fills in (the pointer)
 * if it is written; not published. NULL: no room. */
uint8_t *vfront_add(struct vfront *f, unsigned queue, uint64_t cookie, uint32_t type,
		    uint64_t sector, uint32_t bytes);
/* Publish, with an event if the device asks for one. */
void vfront_push(struct vfront *f);
/* The next answer, of whichever queue; its data is valid until the next add. */
bool vfront_answer(struct vfront *f, struct vfront_answer *out);

#endif
