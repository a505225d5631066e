/* SPDX-License-Identifier: MIT */
/* Xen's command line: what of it decides over grants between domains. */
#ifndef XDD_DT_CMDLINE_H
#define XDD_DT_CMDLINE_H

#include <stdint.h>

enum dt_xsm {
	DT_XSM_DEFAULT, /* not said: the build's default holds */
	DT_XSM_DUMMY,
	DT_XSM_SILO,
	DT_XSM_FLASK,
};

struct dt_cmdline {
	enum dt_xsm xsm;
	uint32_t grant_frames, maptrack_frames, grant_version;
};

/* @text NULL: all defaults. As in Xen the last word of a kind holds, and one
 * that Xen does not understand changes nothing. */
struct dt_cmdline dt_cmdline_read(const char *text);

#endif
