/* SPDX-License-Identifier: MIT */
/*
 * What stands in xenstore where a device is to be: nothing, the very same, the
 * remains of ours, or somebody else's.
 */
#ifndef XDD_COLLIDE_H
#define XDD_COLLIDE_H

#include "xenbus/cmd/check.h"

/* CHECK_NEW, CHECK_SAME, CHECK_STALE, or CHECK_REFUSED and a line. */
enum check collide_device(struct control *c, const struct plan_input *in,
			  const struct plan_paths *paths);
/* False, and a line: the driver domain has the tag for another living client. */
bool collide_tag(struct control *c, const struct plan_input *in);

#endif
