/* SPDX-License-Identifier: MIT */
#include "xenbus/cmd/states.h"

#include "xenbus/store.h"

static const char *const names[] = {
	[STORE_UNKNOWN] = "Unknown",
	[STORE_INITIALISING] = "Initialising",
	[STORE_INIT_WAIT] = "InitWait",
	[STORE_INITIALISED] = "Initialised",
	[STORE_CONNECTED] = "Connected",
	[STORE_CLOSING] = "Closing",
	[STORE_CLOSED] = "Closed",
	[STORE_RECONFIGURING] = "Reconfiguring",
	[STORE_RECONFIGURED] = "Reconfigured",
};

const char *states_of(struct tree *t, const char *dir)
{
	if (!tree_has(t, dir))
		return "gone";
	return names[tree_number(t, dir, "state", STORE_RECONFIGURED, STORE_UNKNOWN)];
}
