/* SPDX-License-Identifier: MIT */
/* The one ioctl that the doors leave open (grant-mem/seal.h): NOTIFY. */
#ifndef XDD_EVTCHN_NOTIFY_H
#define XDD_EVTCHN_NOTIFY_H

#include "policy/ids.h"

/* Signal @port, bound on the event-channel descriptor @fd. 0 or -errno. */
int evtchn_notify_fd(int fd, struct evport port);

#endif
