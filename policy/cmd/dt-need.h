/* SPDX-License-Identifier: MIT */
/*
 * What the policies need, in Xen's units: references and grant frames of a
 * client, maptrack frames and event channels of the driver domain. Sums of
 * the worst case that the policies allow, as in xdd-policy check.
 */
#ifndef XDD_DT_NEED_H
#define XDD_DT_NEED_H

#include "policy/cmd/dt.h"

/* Ports of a dom0less domain: max_evtchn_port, in every version. */
#define DT_PORTS 1023u

struct dt_grants {
	unsigned policies;
	uint64_t refs;	/* given at once, with those the toolstack reserves */
	uint64_t least; /* grant frames for them */
	uint64_t reach; /* grant frames that the highest GrantRefs reaches into */
	uint64_t fit;	/* frames to give: the default, less if GrantRefs reaches
			   less far, more if the least is more */
};

/* Of the entries of @dt that serve @client (0: those whose client is unknown). */
struct dt_grants dt_need_grants(const struct dt *dt, struct domid client);

uint64_t dt_need_maps(const struct dt *dt);
/* With one frame to spare: Xen keeps an entry back for each virtual CPU that
 * maps (_get_maptrack_handle()), and a frame is for 256 of them. */
uint64_t dt_need_maptrack_frames(const struct dt *dt);
uint64_t dt_need_ports(const struct dt *dt);

#endif
