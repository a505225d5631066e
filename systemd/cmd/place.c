/* SPDX-License-Identifier: MIT */
#include "systemd/cmd/place.h"

#include <stdio.h>
#include <stdlib.h>

bool place(char path[PLACE_MAX], enum place where, const char *name)
{
	static const char *const at[] = {
		[PLACE_POLICIES] = "/etc/xdd",
		[PLACE_LOGS] = "/var/log/xdd",
		[PLACE_RUN] = "/run",
		[PLACE_STATS] = "/run/xdd-stats",
		[PLACE_UNITS] = "/run/systemd/system",
	};
	const char *root = getenv("XDD_ROOT");

	return snprintf(path, PLACE_MAX, "%s%s/%s", root ? root : "", at[where], name) <
	       PLACE_MAX;
}
