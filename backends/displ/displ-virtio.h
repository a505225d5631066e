/* SPDX-License-Identifier: MIT */
/*
 * The virtio door of a display: virtio-gpu, 2D (virtio 1.3, 5.7, "GPU Device") on one
 * side, the display's heads on the other.
 *
 * Not the transport and not the queues: those are any class's (virtio-door.h). Not the
 * display's turn either: the owner calls displ_turn(), then displ_virtio_turn(), once a
 * turn of its loop. Here is what a command means, and what it costs.
 *
 * Mode = pool alone: by grant, pixels would be copied twice. There are no blobs, no
 * contexts and no 3D. Heads do not come and go; what is plugged into them does, and the
 * driver is told so by an event. What it shows meanwhile is shown all the same: a card
 * shows on, whether somebody sees it or not.
 *
 * A scan-out that is a whole resource is that resource's canvas, shown as it is; of
 * part of one a copy is shown. A FLUSH has the card show it (again): by that a client
 * knows, by the fence, when what it transferred is seen.
 *
 * Invariants:
 *  1. commands work one after another, in the order of their queue; one that must wait
 *     (a rate, a show that has not landed, xenstore) holds back the others of it.
 * Pointers wait for no picture;
 *  2. each pays one operation before it works, and what it copies or clears in bytes;
 * whatever the answer;
 *  3. the pool's pixels are read by TRANSFER_TO_HOST_2D, and by a successor before it
 *     shows what its predecessor did, and never else;
 *  4. a FLUSH with a fence is answered when what it shows has landed, or its head was
 *     let go of; all else at once;
 *  5. what creates, backs, scans out and points is kept (displ-kept.h) before it is
 *     answered; where to it points, a second later at most.
 *     What a predecessor did and had not answered is done again by its successor;
 *  6. a chain without room for its answer needs a reset; what is in it does not;
 *  7. as long as a driver was told something else than what is plugged in, an event is
 *     pending: one that it clears before it has asked is raised anew;
 *  8. nothing allocates after displ_virtio_init().
 */
#ifndef XDD_DISPL_VIRTIO_H
#define XDD_DISPL_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/displ/displ-virtio-cursor.h"
#include "backends/displ/displ-virtio-resource.h"
#include "backends/displ/displ-virtio-wire.h"
#include "backends/displ/displ-edid.h"
#include "backends/displ/displ.h"
#include "backends/door/virtio-door.h"
#include "common/histogram.h"
#include "policy/toll.h"

/* Entries of a queue: a chain in an indirect table may be as long. */
#define DISPL_VIRTIO_QUEUE_SIZE 128
#define DISPL_VIRTIO_RUNS_KEPT	96 /* of a backing, for a successor */

enum displ_virtio_queue {
	DISPL_VIRTIO_CONTROL,
	DISPL_VIRTIO_CURSOR,
	DISPL_VIRTIO_QUEUES,
};

struct displ_virtio;

/* All of it outlives the door; @policy may change in place (displ_virtio_limits). */
struct displ_virtio_conf {
	const struct policy *policy;
	const struct displ_policy *displ_policy;
	struct displ
		*displ; /* its scan has policy->buffers canvases beyond the heads' */
	struct displ_edid edid[DISPL_HEADS_MAX];
	struct keys keys;
	void *owner;
	/* Nothing is mapped, the port is unbound, nothing is in flight. */
	void (*detached)(struct displ_virtio *v);
};

struct displ_virtio_stats {
	uint64_t commands;
	uint64_t malformed; /* of them: there are none such */
	uint64_t errors;    /* answered so */
	uint64_t flips;	    /* shows */
	uint64_t configs;   /* scan-outs that were set */
	uint64_t resources; /* that were created */
	uint64_t transfers;
	uint64_t cursors;	  /* images */
	uint64_t plugs;		  /* events that said so */
	struct histogram latency; /* of a FLUSH with a fence, from being taken */
};

/* What slot->request is. */
struct displ_virtio_request {
	struct virtio_slot *slot;
	struct displ_virtio_command command;
	struct toll_paid paid;
	enum displ_virtio_answer answer; /* or 0: not known yet */
	uint32_t behind;		 /* bytes of its answer behind the header */
	uint32_t flown;			 /* FLUSH: heads, bits, that show it */
	uint64_t until[DISPL_HEADS_MAX]; /* then: landings that it waits for */
};

struct displ_virtio_scanout {
	uint32_t place; /* of the resource; or NONE, it is dark */
	struct displ_rect rect;
	bool again; /* a predecessor's, not shown yet */
	bool kept;
	uint64_t landings; /* of what it showed, or was let go of */
};

struct displ_virtio {
	struct virtio_door door;
	struct displ_virtio_conf conf;
	struct toll toll;
	struct displ_virtio_resources resources;
	struct displ_virtio_scanout scanout[DISPL_HEADS_MAX];
	uint32_t heads;
	struct displ_virtio_cursors cursors;
	struct virtio_posted fenced; /* FLUSHes that worked and have not landed */
	uint32_t used_kept;	     /* resources.used, as a successor knows it */
	/* Heads, bits: that nothing is plugged into; that the driver takes for such;
	 * that a successor takes it to. */
	uint32_t unplugged, told, told_kept;
	uint64_t now; /* of the last turn */
	bool ending;  /* the door is detached, something flies */
	struct displ_virtio_stats stats;
};

/* Before sealing; the display is made, and its landed() calls displ_virtio_landed(). 0
 * or a negative errno. */
int displ_virtio_init(struct displ_virtio *v, const struct displ_virtio_conf *conf);
/* Detached. */
void displ_virtio_fini(struct displ_virtio *v);

/* As struct host_class has them. */
int displ_virtio_offer(struct displ_virtio *v);
int displ_virtio_connect(struct displ_virtio *v, bool attach, uint64_t now);
/* All heads go dark; conf.detached() follows, now or when they are. */
void displ_virtio_detach(struct displ_virtio *v);
/* Once a turn of the loop, after displ_turn(). */
int displ_virtio_turn(struct displ_virtio *v, uint64_t now);
/* The display has its own (displ_due()). */
uint64_t displ_virtio_due(const struct displ_virtio *v);
bool displ_virtio_arm(struct displ_virtio *v);
bool displ_virtio_pending(const struct displ_virtio *v);
/* The policy's InFlight, Operations or Bytes changed. */
void displ_virtio_limits(struct displ_virtio *v, uint64_t now);
/* From the display: what was in flight on @head is shown. */
void displ_virtio_landed(struct displ_virtio *v, uint32_t head, uint64_t now);
/* From the owner, at any time: these heads, bits, have nothing plugged in. The driver
 * is told in the turn that is due then. */
void displ_virtio_unplugged(struct displ_virtio *v, uint32_t heads);

/* -- Its parts ------------------------------------------------------------------- */

void displ_virtio_lower_due(struct displ_virtio *v, uint64_t due);

/* displ-virtio-command.c: a fresh slot, decoded. */
void displ_virtio_take(struct virtio_slot *slot);
/* Bytes that it has to pay for, as things are. */
uint64_t displ_virtio_cost(const struct displ_virtio *v,
			   const struct displ_virtio_request *r);
/* What it does. False: it is to be asked again. */
bool displ_virtio_work(struct displ_virtio *v, struct displ_virtio_request *r);
/* Its answer goes out. */
void displ_virtio_finish(struct displ_virtio_request *r);

/* displ-virtio-show.c: scan-outs. 0: DISPL_LATER. */
enum displ_virtio_answer displ_virtio_set(struct displ_virtio *v,
					  const struct displ_virtio_command *c);
enum displ_virtio_answer displ_virtio_flush(struct displ_virtio *v,
					    struct displ_virtio_request *r);
/* All that a FLUSH shows is seen. */
bool displ_virtio_is_seen(const struct displ_virtio *v,
			  const struct displ_virtio_request *r);
/* Fenced FLUSHes that need not wait any more are answered; @all: none need. */
void displ_virtio_answer_fenced(struct displ_virtio *v, bool all);
void displ_virtio_darken(struct displ_virtio *v, uint32_t head);
/* What shows the resource of @place goes dark. */
void displ_virtio_unshow(struct displ_virtio *v, uint32_t place);
/* Of an attach: @head showed @rect of @resource (0: nothing). */
void displ_virtio_set_again(struct displ_virtio *v, uint32_t head, uint32_t resource,
			    const struct displ_rect *rect);
/* Then: it is shown. False: not yet. */
bool displ_virtio_again(struct displ_virtio *v);
/* What a show of @head copies, bytes. */
uint64_t displ_virtio_copies(const struct displ_virtio *v,
			     const struct displ_virtio_resource *r,
			     const struct displ_rect *rect);

/* displ-virtio-kept.c: all that changed is kept. 0, -EAGAIN or another negative errno.
 */
int displ_virtio_keep(struct displ_virtio *v);
/* A new connection: a predecessor's is not to be gone on with. As above. */
int displ_virtio_keep_none(struct displ_virtio *v);
/* What a predecessor kept, by its numbers alone: read before anything goes on. As
 * above. */
struct displ_virtio_kept {
	uint32_t used, told;
	struct displ_virtio_kept_resource {
		struct displ_virtio_command create;
		uint32_t runs; /* 0: it had no backing, or it is not kept */
		struct displ_virtio_entry run[DISPL_VIRTIO_RUNS_KEPT];
	} resource[DISPL_VIRTIO_PLACES_MAX];
	struct {
		uint32_t resource; /* 0: dark */
		struct displ_rect rect;
	} scanout[DISPL_HEADS_MAX];
	struct {
		uint32_t resource; /* 0: none, or of one that is gone */
		int32_t x, y;
	} cursor[DISPL_HEADS_MAX];
};
int displ_virtio_kept_read(struct displ_virtio *v, struct displ_virtio_kept *out);
/* The pool is mapped: make it so. What cannot be had is not there. */
void displ_virtio_recall(struct displ_virtio *v, const struct displ_virtio_kept *kept);

#endif
