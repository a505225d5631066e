/* SPDX-License-Identifier: MIT */
/* A keeper's connection to xenstored: opened, used, opened anew. See keeper.h. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "grant-mem/cmd/keeper.h"

#define RETRY_NS CLOCK_SECOND
#define LATE_NS	 (CLOCK_SECOND / 5) /* for a xenstore that comes late */

static void xenbus_close(struct keeper *k, const char *why)
{
	if (why)
		keeper_event(k, LOG_LEVEL_WARNING, "xenstore", "%s: connecting anew",
			     why);
	close(k->xenbus);
	k->xenbus = -1;
	k->xenbus_at = why ? keeper_later(k, RETRY_NS) : k->now;
	k->device.answered = false;
	xs_reset(&k->xs);
	keeper_status(k);
}

short keeper_xenbus(struct keeper *k)
{
	int err;

	if (k->xenbus >= 0 && k->device.astray)
		xenbus_close(k, NULL);
	if (k->xenbus < 0 && k->now >= k->xenbus_at) {
		k->xenbus = xs_open();
		k->xenbus_at = k->now + (k->xenbus == -EAGAIN ? LATE_NS : RETRY_NS);
		device_reconnect(k);
	}
	if (k->xenbus < 0)
		return POLLIN;
	err = xs_turn(&k->xs, k->xenbus, k->now);
	if (err < 0 || xs_stuck(&k->xs, k->now))
		xenbus_close(k, err < 0 ? strerror(-err) : "no answer for 30 s");
	return err == 1 ? POLLIN | POLLOUT : POLLIN;
}
