/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <xen/xen.h>
#include <xen/evtchn.h>

#include "grant-mem/seal.h"
#include "xenbus/evtchn-notify.h"

_Static_assert(IOCTL_EVTCHN_NOTIFY == SEAL_EVTCHN_NOTIFY, "the doors let it pass");

int evtchn_notify_fd(int fd, struct evport port)
{
	struct ioctl_evtchn_notify arg = {.port = port.v};

	return ioctl(fd, IOCTL_EVTCHN_NOTIFY, &arg) < 0 ? -errno : 0;
}
