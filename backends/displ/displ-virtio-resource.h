/* SPDX-License-Identifier: MIT */
/*
 * Resources of a virtio-gpu driver (virtio 1.3, 5.7.6.8): pictures, and where in its
 * pool their pixels come from.
 *
 * A resource has a canvas of the card for its own, so that what is transferred is
 * copied once, straight into what is shown. Small ones, which are what cursors are made
 * of, have memory instead, as the driver's bytes are: whether the alpha of a cursor
 * counts is not for its format to say. Which heads show one is not known here.
 *
 * Invariants:
 *  1. a resource stands in the middle of its canvas (displ-scan.h, invariant 2), and
 * around it is black;
 *  2. each entry of a backing was found in the pool (virtio_memory_at()) when it was
 *     attached, and the pool does not change while there is one;
 *  3. a transfer lies in the resource and in its backing, in 64 bits; each byte of it
 * is read once;
 *  4. a place is known by its number, which a successor finds again;
 *  5. nothing allocates after displ_virtio_resources_init().
 */
#ifndef XDD_DISPL_VIRTIO_RESOURCE_H
#define XDD_DISPL_VIRTIO_RESOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/displ/displ-virtio-wire.h"
#include "backends/displ/displ.h"
#include "backends/door/virtio-memory.h"

#define DISPL_VIRTIO_SMALL	16 /* places, beside those of policy->buffers */
#define DISPL_VIRTIO_SMALL_SIDE 64 /* pixels, each way */
#define DISPL_VIRTIO_PLACES_MAX (DISPL_BUFFERS_MAX + DISPL_VIRTIO_SMALL)
#define DISPL_VIRTIO_NONE	UINT32_MAX

/* Neighbours in the pool. */
struct displ_virtio_run {
	uint64_t addr; /* the driver's */
	uint64_t at;   /* in the backing */
	uint64_t bytes;
};

struct displ_virtio_resource {
	uint32_t id;   /* 0: there is none in this place */
	uint32_t wire; /* its format, as it was asked for */
	enum displ_format format;
	struct displ_size size;
	uint32_t canvas; /* or NONE: it is small, and here: */
	uint8_t *pixels;
	struct displ_virtio_run *run;
	uint32_t runs, runs_max; /* 0: it has no backing */
	uint64_t bytes;		 /* of it */
	bool recalled;		 /* a predecessor's: what made it may be said again */
	bool kept;
};

struct displ_virtio_resources {
	struct displ *displ;
	const struct virtio_memory *memory;
	struct displ_virtio_resource *place;
	uint32_t places, canvases; /* the first of them have one */
	uint32_t used;		   /* of them, that were ever used */
};

/* Before sealing. 0 or -ENOMEM. */
int displ_virtio_resources_init(struct displ_virtio_resources *rs, struct displ *displ,
				const struct virtio_memory *memory);
void displ_virtio_resources_fini(struct displ_virtio_resources *rs);

/* Or NULL. */
struct displ_virtio_resource *displ_virtio_resource(
	const struct displ_virtio_resources *rs, uint32_t id);
static inline bool displ_virtio_is_small(struct displ_size size)
{
	return size.width <= DISPL_VIRTIO_SMALL_SIDE &&
	       size.height <= DISPL_VIRTIO_SMALL_SIDE;
}

/* Black. DISPL_VIRTIO_OK: it is *@out. */
enum displ_virtio_answer displ_virtio_create(struct displ_virtio_resources *rs,
					     const struct displ_virtio_command *create,
					     struct displ_virtio_resource **out);
/* The same in the place that it had. False: it does not fit there. */
bool displ_virtio_create_again(struct displ_virtio_resources *rs, uint32_t place,
			       const struct displ_virtio_command *create);
void displ_virtio_drop(struct displ_virtio_resource *r);
/* Its backing: @n entries of @parts, from @at on. */
enum displ_virtio_answer displ_virtio_attach(const struct displ_virtio_resources *rs,
					     struct displ_virtio_resource *r,
					     const struct virtio_parts *parts,
					     uint64_t at, uint32_t n);
/* One more entry of it. */
enum displ_virtio_answer displ_virtio_attach_entry(
	const struct displ_virtio_resources *rs, struct displ_virtio_resource *r,
	const struct displ_virtio_entry *entry);
void displ_virtio_unback(struct displ_virtio_resource *r);
enum displ_virtio_answer displ_virtio_transfer(const struct displ_virtio_resources *rs,
					       struct displ_virtio_resource *r,
					       const struct displ_rect *rect,
					       uint64_t offset);
/* What stands in it, for displ_show(). */
struct displ_picture displ_virtio_picture(const struct displ_virtio_resources *rs,
					  const struct displ_virtio_resource *r);

#endif
