/* SPDX-License-Identifier: MIT */
/*
 * The ways through a card of DRM/KMS: for each connector of a policy its mode, and the
 * CRTC and the primary plane that feed it. Found before the process is sealed, by
 * libdrm; nothing is shown here (displ-scan-drm.c).
 *
 * Terms are the kernel's (Documentation/gpu/drm-kms.rst). Which CRTC and which plane it
 * is: displ-route.h.
 */
#ifndef XDD_DISPL_DRM_H
#define XDD_DISPL_DRM_H

#include <stdint.h>

#include "backends/displ/displ-scan.h"

/* Of what has a number on the card. FB_ID comes first. */
enum displ_drm_prop {
	DISPL_DRM_FB_ID, /* of the plane, from here on */
	DISPL_DRM_PLANE_CRTC_ID,
	DISPL_DRM_SRC_X, /* 16.16, as the other three */
	DISPL_DRM_SRC_Y,
	DISPL_DRM_SRC_W,
	DISPL_DRM_SRC_H,
	DISPL_DRM_CRTC_X,
	DISPL_DRM_CRTC_Y,
	DISPL_DRM_CRTC_W,
	DISPL_DRM_CRTC_H,
	DISPL_DRM_CONNECTOR_CRTC_ID, /* of the connector */
	DISPL_DRM_MODE_ID,	     /* of the CRTC */
	DISPL_DRM_ACTIVE,
	DISPL_DRM_PROPS,
};

struct displ_drm_way {
	uint32_t connector, crtc, plane;
	uint32_t mode; /* a blob, the caller's */
	uint32_t prop[DISPL_DRM_PROPS];
};

/* What a canvas is to the card. */
uint32_t displ_drm_fourcc(const struct displ_policy *policy);

/* The card's node, nonblocking; it is its master, and has what is needed here. A
 * descriptor, or a negative errno; -EBUSY and -EACCES (somebody else is its master) and
 * -EOPNOTSUPP were logged. */
int displ_drm_open(const char *path, struct log *log);

/* The same of what xdd-lease lends of that card, by the socket @at (displ-lease.h). */
int displ_drm_borrow(const char *at, const char *path, struct log *log);

/* A way for each connector of the policy. What else was shown by one of their CRTCs is
 * off then. 0; -EINVAL, which was logged: they are not to be had so; or another
 * negative errno. */
int displ_drm_find(int fd, const struct displ_scan_conf *conf,
		   struct displ_drm_way way[DISPL_HEADS_MAX]);

#endif
