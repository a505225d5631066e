/* SPDX-License-Identifier: MIT */
/*
 * What differs between versions of Xen, as far as dom0less and grants go.
 * Data, a row a version. Xen's own names; the sources are in dt-version.c.
 */
#ifndef XDD_DT_VERSION_H
#define XDD_DT_VERSION_H

#include <stdbool.h>
#include <stdint.h>

struct dt_version {
	const char *name; /* "4.17" */
	/* A node may say max_grant_version, max_grant_frames and
	 * max_maptrack_frames; else the command line's hold for all domains. */
	bool node_limits;
	/* xen,enhanced = "enabled" without dom0 stops the boot. */
	bool needs_dom0;
	/* A node may say capabilities, and xen,enhanced = "legacy". */
	bool capabilities;
};

/* Defaults of every version: gnttab_max_frames, gnttab_max_maptrack_frames,
 * and gnttab=max-ver on Arm. */
#define DT_GRANT_FRAMES	   64u
#define DT_MAPTRACK_FRAMES 1024u
#define DT_GRANT_VERSION   1u

#define DT_FRAME_REFS 512u /* references of version 1 in a grant frame */
#define DT_FRAME_MAPS 256u /* entries in a maptrack frame */

/* "4.17" or "4.17.3"; NULL: not one we know. */
const struct dt_version *dt_version(const char *name);
/* All names, for messages: "4.17, 4.18". */
const char *dt_version_names(void);

#endif
