/* SPDX-License-Identifier: MIT */
/*
 * The PV door of a display: a ring of requests and a page of events for each connector
 * on one side (displif.h), the display's heads on the other. One device of one client.
 *
 * Not the device's life (xenbus/life.h), not the event loop, and not the display's
 * turn: the owner calls displ_turn(), then displ_pv_turn(), once a turn of its loop.
 *
 * Invariants:
 *  1. a connector's requests are served one after another, and answered in that order;
 *     one that must wait (a rate, a show that has not landed, xenstore) holds back
 * those of its own connector alone;
 *  2. each pays one operation before it works, and what it copies in bytes; whatever
 * the answer;
 *  3. a client's pages are read while one of its requests is served, and never else;
 *     they are mapped readable, but those that GET_EDID has for its answer, which are
 *     mapped for as long as that takes, if ClientPages lets them be written;
 *  4. pixels lie in their buffer, as it was mapped, and a frame's in its buffer:
 * checked when they are made, and neither changes afterwards;
 *  5. a flip that was answered with success is followed by one event, when it has
 *     landed. Room for it is had before, and it stands in the page, unpublished, before
 *     the answer does: a successor finds it there, and has it land;
 *  6. what creates, attaches, destroys and configures is kept (displ-kept.h) before it
 *     is answered;
 *  7. a turn takes no more of a connector than its ring holds; one push of each ring;
 *  8. nothing allocates after displ_pv_init(). The back end allocates no buffers for a
 *     client, and grants it nothing (XSA-363).
 */
#ifndef XDD_DISPL_PV_H
#define XDD_DISPL_PV_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/displ/displ-edid.h"
#include "backends/displ/displ.h"
#include "backends/displ/displif.h"
#include "backends/door/pv-channel.h"
#include "common/histogram.h"
#include "policy/toll.h"

struct displ_pv;

/* All of it outlives the door; @policy may change in place (displ_pv_limits). */
struct displ_pv_conf {
	const struct policy *policy;
	const struct displ_policy *displ_policy;
	struct displ *displ;
	struct displ_edid edid[DISPL_HEADS_MAX];
	struct keys keys;
	void *owner;
	/* The client broke a ring: its device fails. Once a connection, as the last act
	 * of a turn; displ_pv_detach() may be called from within. */
	void (*broken)(struct displ_pv *pv, const char *why);
	/* Nothing is mapped, the ports are unbound, nothing is in flight. */
	void (*detached)(struct displ_pv *pv);
};

/* Memory of the client, by its pages. */
struct displ_pv_buffer {
	uint64_t cookie;	    /* 0: there is none */
	struct displif_create made; /* as it was asked for */
	uint32_t stride;	    /* bytes from row to row */
	struct grants_map *map;	    /* of GRANTS_BATCH_MAX pages, but the last */
	uint32_t maps;
	bool kept;
};

/* Pixels in a buffer. */
struct displ_pv_frame {
	uint64_t cookie; /* 0: there is none */
	uint32_t buffer;
	struct displ_size size;
	enum displ_format format;
	bool kept;
};

/* What a request may become. */
enum displ_pv_step {
	DISPL_PV_IDLE,	 /* there is none */
	DISPL_PV_TAKEN,	 /* off the ring, decoded; to pay, then to work */
	DISPL_PV_WORKED, /* its status is known; what it changed is to be kept */
};

struct displ_pv_head {
	struct displ_pv *pv;
	uint32_t number;
	struct pv_channel channel; /* open: the client has it */

	enum displ_pv_step step;
	struct displif_request rq;
	struct toll_paid paid;
	enum displ_status status;

	bool lit;		/* it was configured: */
	struct displ_rect rect; /* of each frame that it shows */
	uint64_t shows;		/* the frame's cookie */
	bool kept;
	bool flipping;	   /* an event is in the page that is to be published */
	uint64_t flown_at; /* then: since when */
	/* Of an attach: what was shown is to be shown again. */
	bool again;
};

struct displ_pv_stats {
	uint64_t requests, answers;
	uint64_t malformed; /* of them: no operation that there is */
	uint64_t errors;    /* answers that were not DISPL_OK */
	uint64_t flips, configs, buffers, frames;
	uint64_t events;
	uint64_t pushes, notifies;
	struct histogram latency; /* of a flip, from being shown to its event */
};

enum displ_pv_state { DISPL_PV_DOWN, DISPL_PV_UP, DISPL_PV_STOPPING };

struct displ_pv {
	struct displ_pv_conf conf;
	struct displ_pv_head head[DISPL_HEADS_MAX];
	uint32_t heads;
	struct displ_pv_buffer *buffer;
	struct displ_pv_frame *frame;
	uint32_t buffers, frames; /* of those, that were ever used */
	bool counts_kept;	  /* both are known to a successor */
	struct gref *refs;	  /* scratch: as many as DataPages */
	uint32_t refs_max;

	enum displ_pv_state state;
	const char *why; /* a ring is broken, or NULL */
	bool told;	 /* conf.broken() was called */
	int error;	 /* our environment failed */

	struct toll toll;
	uint64_t now, due; /* of the last turn, of the next */
	struct displ_pv_stats stats;
};

/* Before sealing; the display is made, and its landed() calls displ_pv_landed(). 0 or
 * -ENOMEM. */
int displ_pv_init(struct displ_pv *pv, const struct displ_pv_conf *conf);
/* Detached. */
void displ_pv_fini(struct displ_pv *pv);

/* As life_ops.offer: "versions". 0, -EAGAIN or another negative errno. */
int displ_pv_offer(struct displ_pv *pv);
/* As life_ops.connect: map the rings, bind the ports of each connector that policy and
 * client both have. @attach: the rings are live, go on where they stand, with what was
 * kept. 0; positive: the client's doing, logged; -EAGAIN: ask again; another negative
 * errno: our environment. Afterwards the owner unmasks the ports and turns once. */
int displ_pv_connect(struct displ_pv *pv, bool attach, uint64_t now);
/* All is given back, and all heads go dark; conf.detached() follows, now or when they
 * are. */
void displ_pv_detach(struct displ_pv *pv);

/* Once a turn of the loop, after displ_turn(), whatever woke it. 0, or the negative
 * errno with which our environment failed: the process ends then, and leaves the
 * client's device as it is. */
int displ_pv_turn(struct displ_pv *pv, uint64_t now);
/* Monotonic time at which a turn is due though nothing happened; UINT64_MAX: none. */
uint64_t displ_pv_due(const struct displ_pv *pv);
/* Before a wait, after a turn: have the client wake us by its next request. True if
 * there is one already. */
bool displ_pv_arm(struct displ_pv *pv);
/* A look without that. */
bool displ_pv_pending(const struct displ_pv *pv);
/* The policy's Operations or Bytes changed. */
void displ_pv_limits(struct displ_pv *pv, uint64_t now);
/* From the display: what was in flight on @head is shown. */
void displ_pv_landed(struct displ_pv *pv, uint32_t head, uint64_t now);

/* For displ-pv-connect.c. */
void displ_pv_start(struct displ_pv *pv, uint64_t now);
/* Let go of all. 0 or a negative errno. */
int displ_pv_close(struct displ_pv *pv);

/* displ-pv-request.c: what a request does. Its status; DISPL_LATER: it is to be asked
 * again. pv->error is set if our environment failed. */
enum displ_status displ_pv_work(struct displ_pv_head *head);
/* Bytes that it copies, as far as they are known. */
uint64_t displ_pv_bytes(const struct displ_pv_head *head);
/* Of an attach: what the predecessor showed. */
enum displ_status displ_pv_again(struct displ_pv_head *head);

/* displ-pv-buffer.c: the tables. All of them answer as a request is answered. */
enum displ_status displ_pv_create(struct displ_pv *pv, uint64_t cookie,
				  const struct displif_create *create);
enum displ_status displ_pv_destroy(struct displ_pv *pv, uint64_t cookie);
enum displ_status displ_pv_attach(struct displ_pv *pv, uint64_t cookie, uint64_t buffer,
				  struct displ_size size, uint32_t fourcc);
enum displ_status displ_pv_unattach(struct displ_pv *pv, uint64_t cookie);
/* Or NULL. */
const struct displ_pv_frame *displ_pv_frame(const struct displ_pv *pv, uint64_t cookie);
struct displ_picture displ_pv_picture(const struct displ_pv *pv,
				      const struct displ_pv_frame *frame);
/* What became of a map, or of the list of pages, of @what; logged. */
enum displ_status displ_pv_mapped(struct displ_pv *pv, const char *what, int status);
/* All of them are gone. 0 or the first negative errno. */
int displ_pv_forget(struct displ_pv *pv);
/* Invariant 6. 0, -EAGAIN or another negative errno. */
int displ_pv_keep(struct displ_pv *pv);
/* Of an attach: what the predecessor kept, mapped again; what cannot be had is not
 * there. 0, -EAGAIN (nothing is mapped) or another negative errno. */
int displ_pv_recall(struct displ_pv *pv);

#endif
