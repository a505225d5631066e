/* SPDX-License-Identifier: MIT */
/*
 * "Resource = lease:CARD": connectors of a card that xdd-lease is the master of
 * (lessor.h). How they come from there to a back end: one socket an instance, one
 * message, one descriptor.
 *
 * The back end connects and says nothing. It is told how that went, and if it went
 * well, has a DRM lease with the message: a descriptor of the card by which it reaches
 * its connectors, a CRTC and a primary plane for each, and nothing else of the card.
 * Whose socket it is, is who it is: it lies in a folder that is bound into that
 * instance's name space and no other's.
 */
#ifndef XDD_DISPL_LEASE_H
#define XDD_DISPL_LEASE_H

#include <stddef.h>
#include <stdint.h>

#include "common/log.h"

#define DISPL_LEASE_FOLDER  "/run/xdd-lease" /* in it a folder an instance */
#define DISPL_LEASE_SOCKET  "lease"
#define DISPL_LEASE_MAGIC   0x6c646478u /* "xddl" */
#define DISPL_LEASE_VERSION 1
#define DISPL_LEASE_PATH    108 /* of a socket, with its end */
#define DISPL_LEASE_WAIT_S  10

enum displ_lease_status {
	DISPL_LEASE_MADE,
	DISPL_LEASE_STRANGER, /* it is not the instance's user who asks */
	DISPL_LEASE_NOT_HAD,  /* a connector is not there, or not to be had */
	DISPL_LEASE_FAILED,   /* the card says so, by its error */
};

struct displ_lease_answer {
	uint32_t magic, version;
	uint32_t status; /* enum displ_lease_status */
	uint32_t error;	 /* an errno, if it failed */
};

/* The socket of @instance below @folder. 0 or -ENAMETOOLONG. */
int displ_lease_path(const char *folder, const char *instance,
		     char path[DISPL_LEASE_PATH]);

/* The lease of @card that waits at @path, nonblocking. Waits for DISPL_LEASE_WAIT_S at
 * most. A descriptor; or a negative errno, and what to do was logged. */
int displ_lease_take(const char *path, const char *card, struct log *log);

#endif
