/* SPDX-License-Identifier: MIT */
/*
 * A display of one client: what its connectors show, whoever asks.
 *
 * Pure: it knows no grant, no ring, no xenstore and no domain. A picture is bytes that
 * someone reads for it; it is painted on a canvas that is not shown, and then the
 * canvas is. So a client's memory is read while it asks for something, and never else,
 * and what it does to it afterwards is not seen.
 *
 * Invariants:
 *  1. one show of a head is in flight at most; until it has landed, the next one is
 *     DISPL_LATER. Whoever asked is told of each landing, once, unless it let go of the
 *     head meanwhile;
 *  2. a head is dark (it shows what the policy has for a client that is gone) until its
 *     client shows something, and again from the next vertical blank on after
 *     displ_dark(), or after the one of what is in flight then;
 *  3. a picture is no larger than its head, and is shown in its middle; around it is
 *     black, whatever was there before;
 *  4. nothing is painted here on a canvas of a head that is shown or in flight, unless
 *     the card is late (5): what it still shows may be painted on then. What it has
 *     beyond those (displ_canvas_*()) is its owner's, who may paint on what is shown
 *     and is seen doing so, as with any card;
 *  5. a show that does not land within a second is taken for one that did: the card has
 *     lost it, and the client is not to wait for ever. One that then says that it is
 *     busy is late: it is asked again, for a second more;
 *  6. nothing allocates after displ_init().
 */
#ifndef XDD_DISPL_H
#define XDD_DISPL_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/displ/displ-scan.h"
#include "policy/rate.h"

enum displ_status {
	DISPL_OK,
	DISPL_INVALID,	   /* it contradicts itself, or what there is */
	DISPL_UNSUPPORTED, /* nobody has that */
	DISPL_DENIED,	   /* the policy does not allow it */
	DISPL_FULL,	   /* no more of these */
	DISPL_FAILED,	   /* the card */
	DISPL_LATER,	   /* ask again when something has landed, or at displ_due() */
	DISPL_STATUSES,
};

/* Pixels of a client, wherever they lie. */
struct displ_picture {
	enum displ_format format;
	struct displ_size size;
	uint32_t stride; /* bytes from row to row */
	/* @n bytes of them, from @at on; they are there. */
	void (*read)(const void *of, uint64_t at, void *dst, uint32_t n);
	const void *of;
};

/* @read of those that lie in private memory, at @of. */
void displ_read_private(const void *of, uint64_t at, void *dst, uint32_t n);

/* Part of one. */
struct displ_rect {
	uint32_t x, y, width, height;
};

struct displ_stats {
	uint64_t frames; /* that have landed */
	uint64_t copied; /* bytes */
	uint64_t lost;	 /* that the card did not tell of */
	uint64_t failures;
	uint64_t darkened;
};

struct displ_conf {
	const struct displ_policy *policy; /* outlives it */
	struct displ_scan *scan;	   /* with DISPL_OWN_CANVASES for each head */
	void *owner;
	/* What was shown on @head is: invariant 1. */
	void (*landed)(void *owner, uint32_t head, uint64_t now);
};

struct displ_head {
	bool lit;		/* its client shows something, or will */
	bool telling;		/* the flight is the client's */
	bool darkening;		/* to be dark once it has landed */
	uint32_t shown, flying; /* canvases; or NONE */
	uint64_t flown_at;	/* or was tried to */
	bool busy;		/* the card is not done, as it says; since when */
	uint64_t busy_since;
	struct displ_size painted[2]; /* of a canvas: what stands in its middle */
	struct rate flips;
};

struct displ {
	struct displ_conf conf;
	struct displ_head head[DISPL_HEADS_MAX];
	uint32_t heads;
	uint8_t *row; /* bytes of a picture's */
	uint64_t due;
	int error; /* of the card, the last one */
	struct displ_stats stats;
};

/* Before sealing. @gone: what a dark head shows, or NULL, black. 0 or -ENOMEM. */
int displ_init(struct displ *d, const struct displ_conf *conf,
	       const struct displ_picture *gone, uint64_t now);
void displ_fini(struct displ *d);

/* Can it be shown at all? @picture alone: its format and size, by the policy. */
enum displ_status displ_judge(const struct displ *d,
			      const struct displ_picture *picture);
/* Is @rect in @size, and not empty? */
bool displ_rect_in(const struct displ_rect *rect, struct displ_size size);

/* Show @rect of @picture, both judged, on @head. @flip: it is one of Flips. DISPL_OK:
 * it was read, and will land. */
enum displ_status displ_show(struct displ *d, uint32_t head,
			     const struct displ_picture *picture,
			     const struct displ_rect *rect, bool flip, uint64_t now);
/* Show the middle of a canvas that is no head's, as it is. */
enum displ_status displ_show_canvas(struct displ *d, uint32_t head, uint32_t canvas,
				    bool flip, uint64_t now);
/* Invariant 2. Nobody is told. */
void displ_dark(struct displ *d, uint32_t head, uint64_t now);
/* Something of @d is in flight. */
bool displ_flies(const struct displ *d);

/* The first canvas that is no head's. */
static inline uint32_t displ_canvas_first(const struct displ *d)
{
	return d->heads * DISPL_OWN_CANVASES;
}

/* It is shown, or in flight. */
bool displ_canvas_seen(const struct displ *d, uint32_t canvas);
/* The first pixel of what is @size and stands in its middle; rows are
 * conf.scan->stride bytes apart. */
uint8_t *displ_canvas_at(const struct displ *d, uint32_t canvas,
			 struct displ_size size);
/* All of it is black. */
void displ_canvas_clear(const struct displ *d, uint32_t canvas);
/* @from of @picture to @x, @y of what is @size and stands in its middle; it fits. */
void displ_canvas_paint(struct displ *d, uint32_t canvas, struct displ_size size,
			const struct displ_picture *picture,
			const struct displ_rect *from, uint32_t x, uint32_t y);

/* Once a turn of the loop. 0: a card that fails is its client's affair. */
int displ_turn(struct displ *d, uint64_t now);
/* Monotonic time at which a turn is due, or UINT64_MAX. */
static inline uint64_t displ_due(const struct displ *d)
{
	return d->due;
}

#endif
