/* SPDX-License-Identifier: MIT */
/*
 * A netif front end in a loopxen domain. Written from xen/io/netif.h alone: it shares
 * no line with what it is set against. It does what it is told, right or wrong, and
 * checks what came back: each entry is answered once, in order, and what it was told of
 * a frame fits together.
 */
#ifndef XDD_TEST_NET_FRONT_PV_H
#define XDD_TEST_NET_FRONT_PV_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/loopxen/loopxen.h"

#define NETFRONT_QUEUES	 4
#define NETFRONT_RING	 256
#define NETFRONT_CONTROL 128
#define NETFRONT_FRAME	 65536

/* xen/io/netif.h */
struct netfront_tx_req {
	uint32_t gref;
	uint16_t offset, flags, id, size;
};
struct netfront_extra {
	uint8_t type, flags;
	union {
		struct {
			uint16_t size;
			uint8_t type, pad;
			uint16_t features;
		} gso;
		uint8_t mac[6];
		struct {
			uint8_t type, algorithm, value[4];
		} hash;
		uint8_t bytes[6];
	} u;
	uint32_t pad; /* to an entry's size */
};
struct netfront_tx_rsp {
	uint16_t id;
	int16_t status;
};
struct netfront_rx_req {
	uint16_t id, pad;
	uint32_t gref;
};
struct netfront_rx_rsp {
	uint16_t id, offset, flags;
	int16_t status;
};

enum {
	NETTXF_BLANK = 1,
	NETTXF_VALIDATED = 2,
	NETTXF_MORE = 4,
	NETTXF_EXTRA = 8,
	NETRXF_VALIDATED = 1,
	NETRXF_BLANK = 2,
	NETRXF_MORE = 4,
	NETRXF_EXTRA = 8,
};

enum { RSP_DROPPED = -2, RSP_ERROR = -1, RSP_OKAY = 0, RSP_NULL = 1 };

struct netfront_control_req {
	uint16_t id, type;
	uint32_t data[3];
};
struct netfront_control_rsp {
	uint16_t id, type;
	uint32_t status, data, pad;
};
struct netfront_gref {
	uint32_t gref;
	uint16_t flags, status;
};

struct netfront_conf {
	unsigned queues; /* 0: 1, and it does not say so */
	bool split;
	bool control; /* it has a control ring */
	bool no_sg, no_gso, no_csum, no_csum6, groups;
};

struct netfront_ring {
	uint8_t *page;
	uint32_t entry, entries; /* bytes; how many */
	struct gref ref;
	uint32_t req_prod, rsp_cons; /* private */
};

/* An entry of the transmit ring that is out. */
struct netfront_out {
	uint16_t id;
	bool extra, last; /* last: its packet ends */
};

struct netfront_queue {
	struct netfront_ring tx, rx;
	struct evport tx_port, rx_port;
	/* A page for each slot of a ring, granted once. */
	uint8_t *tx_page[NETFRONT_RING], *rx_page[NETFRONT_RING];
	struct gref tx_ref[NETFRONT_RING], rx_ref[NETFRONT_RING];
	struct netfront_out out[NETFRONT_RING]; /* of the same slot */
	struct netfront_rx_req posted[NETFRONT_RING];
	bool begun; /* a packet of which not all was answered */
	int status; /* of what was answered of it */
	uint64_t kicks;
};

struct netfront_control {
	struct netfront_ring ring;
	struct evport port;
	struct netfront_control_req out[NETFRONT_CONTROL]; /* of the same slot */
};

struct netfront {
	struct loopxen *x;
	const struct loopxen_device *dev;
	struct netfront_conf conf;
	unsigned queues;
	/* A packet may be answered in part by a process that died, and its rest as lost
	 * by the next one; of a frame the rest may be lost so. */
	bool halves;
	struct netfront_queue queue[NETFRONT_QUEUES];
	struct netfront_control control;
};

/* A packet, and how it is cut. */
struct netfront_packet {
	const uint8_t *bytes;
	uint32_t size;
	/* Bytes of each piece, which sum up to @size, 4096 at most each; NULL: as few
	 * as it can be. */
	const uint32_t *piece;
	unsigned pieces;
	uint16_t offset; /* in each page, if there is room behind it */
	uint16_t flags;	 /* of its first: NETTXF_BLANK, NETTXF_VALIDATED */
	uint8_t gso;	 /* its extra's type, or 0 */
	uint16_t gso_size;
	bool hash; /* an extra that says nothing to us */
};

/* A frame that came, or (status < 0) a slot that came back without. */
struct netfront_heard {
	int status;
	uint32_t size;
	unsigned slots;
	uint16_t flags; /* of its first */
	uint8_t gso;
	uint16_t gso_size;
	bool hashed;
	uint8_t hash_type, hash_algorithm;
	uint32_t hash;
	uint8_t bytes[NETFRONT_FRAME + 4096];
};

/* Grants, ports and keys, up to Initialised. */
void netfront_connect(struct netfront *f);
void netfront_ready(struct netfront *f);
/* Takes its grants back; false if the back end still maps one. */
bool netfront_disconnect(struct netfront *f);
void netfront_key(struct netfront *f, const char *key, const char *value);
void netfront_number(struct netfront *f, const char *key, unsigned value);

/* Words of a ring's header: req_prod, req_event, rsp_prod, rsp_event. */
uint32_t *netfront_header(struct netfront_ring *ring);
uint8_t *netfront_slot(struct netfront_ring *ring, uint32_t i);
/* Any bytes as the next entry of @q's transmit ring, answered as @extra, and a packet's
 * @last. Not published. */
void netfront_raw(struct netfront_queue *q, const void *entry, bool extra, bool last);
/* The page of the next entry of the transmit ring. */
uint8_t *netfront_page(struct netfront *f, struct netfront_queue *q, struct gref *ref);
/* So many entries have room. */
uint32_t netfront_room(const struct netfront_queue *q);

/* Not published. False: no room. */
bool netfront_send(struct netfront *f, unsigned queue,
		   const struct netfront_packet *packet);
/* Joins a group, or leaves it. */
void netfront_group(struct netfront *f, unsigned queue, const uint8_t mac[6],
		    bool join);
/* @n buffers; not published. */
void netfront_post(struct netfront *f, unsigned queue, unsigned n);
/* Publish, with events where the back end asked for them. */
void netfront_push(struct netfront *f);

/* A request of the control ring; not published. False: there is no room. */
bool netfront_ask(struct netfront *f, uint16_t type, uint32_t d0, uint32_t d1,
		  uint32_t d2);
/* The next answer, to the oldest request; arms the event when there is none. */
bool netfront_asked(struct netfront *f, uint32_t *status, uint32_t *data);

/* The oldest packet that was sent is answered in all its entries: *@status. Arms the
 * event when it is not. */
bool netfront_done(struct netfront *f, unsigned queue, int *status);
/* The next frame, whole. Arms the event when there is none. */
bool netfront_heard(struct netfront *f, unsigned queue, struct netfront_heard *out);

#endif
