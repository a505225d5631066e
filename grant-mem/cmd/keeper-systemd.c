/* SPDX-License-Identifier: MIT */
/* What a keeper's process tells and gives to systemd: see keeper.h. */
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "grant-mem/cmd/keeper.h"

void keeper_status(struct keeper *k)
{
	const struct device *d = &k->device;
	bool serves = k->peer.stage == PEER_SERVING;
	const char *what = serves ? "serving" : "waiting for the back end of";

	if (!d->answered)
		sd_notify(0, "STATUS=waiting for xenstore");
	else if (!d->seen.present)
		sd_notifyf(0, "STATUS=waiting for the device in %s", d->root);
	else
		sd_notifyf(0, "STATUS=%s d%u %s, generation %u", what,
			   d->seen.frontend.v, k->policy.device, d->generation);
}

void keeper_store(const char *name, unsigned number, int fd)
{
	char line[96];

	snprintf(line, sizeof(line), "%s\nFDNAME=%s-%u%s",
		 fd < 0 ? "FDSTOREREMOVE=1" : "FDSTORE=1", name, number,
		 fd < 0 ? "" : "\nFDPOLL=0");
	sd_pid_notify_with_fds(0, 0, line, &fd, fd >= 0);
}
