/* SPDX-License-Identifier: MIT */
/*
 * What a card of DRM/KMS is made of, by libdrm, for who looks for the ways through it:
 * which of its connectors have the names that were asked for, which CRTCs and primary
 * planes there are, and what feeds what now (displ-route.h).
 *
 * Not who is the card's master, and no mode; nothing is allocated but what libdrm
 * answers with.
 */
#ifndef XDD_DISPL_PARTS_H
#define XDD_DISPL_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/displ/displ-route.h"
#include "common/log.h"

#define DISPL_PARTS_NAME 32  /* of a connector */
#define DISPL_PARTS_TEXT 256 /* of what there is, in a line of the log */

struct _drmModeRes; /* libdrm's */
struct _drmModeObjectProperties;

struct displ_parts {
	int fd;		  /* the caller's */
	const char *path; /* of its node, as messages have it */
	struct log *log;
	struct _drmModeRes *res;
	struct displ_parts_head {
		const char *name;      /* the kernel's: "HDMI-A-1" */
		uint32_t fourcc;       /* of what it will show */
		uint32_t connector;    /* 0: there is none of that name */
	} head[DISPL_ROUTE_HEADS_MAX]; /* as many as the route has */
	uint32_t plane[DISPL_PLANES_MAX];
	struct displ_route route;
};

/* Words in a row, for a line of the log; what does not fit is left out. */
struct displ_parts_list {
	char text[DISPL_PARTS_TEXT];
	size_t len;
};

void displ_parts_list_add(struct displ_parts_list *list, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* What libdrm says nothing of but that it failed. */
int displ_parts_failed(void);

/* Of @fd, without a head. 0 or a negative errno. */
int displ_parts_open(struct displ_parts *parts, int fd, const char *path,
		     struct log *log);
void displ_parts_close(struct displ_parts *parts);

/* One more head: @name is the caller's. There is room: DISPL_ROUTE_HEADS_MAX. */
void displ_parts_add(struct displ_parts *parts, const char *name, uint32_t fourcc);
/* Looks for the connectors of all heads. False: one is not there, which was logged, or
 * libdrm did not say. */
bool displ_parts_connectors(struct displ_parts *parts);
/* Looks for primary planes that know what at least one head shows. 0 or a negative
 * errno. */
int displ_parts_planes(struct displ_parts *parts);
/* A CRTC feeds no connector but its head's: what that of @head shows on others is off.
 * Of a route that was found. */
int displ_parts_free_crtc(const struct displ_parts *parts, uint32_t head);

/* The number of @name, and what it has, of an object's properties. 0: there is none. */
uint32_t displ_parts_prop(int fd, const struct _drmModeObjectProperties *of,
			  const char *name, uint64_t *value);

#endif
