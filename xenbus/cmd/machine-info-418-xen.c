/* SPDX-License-Identifier: MIT */
/* libxenctrl from 4.18 on. */
#include <errno.h>

#include "xenbus/cmd/machine-info.h"

int machine_info(xc_interface *xc, struct domid id, struct machine_domain *out)
{
	xc_domaininfo_t info;

	if (xc_domain_getinfo_single(xc, id.v, &info))
		return errno ? -errno : -EIO;
	out->dying = info.flags & XEN_DOMINF_dying;
	out->shutdown = info.flags & XEN_DOMINF_shutdown;
	out->hvm = info.flags & XEN_DOMINF_hvm_guest;
	return 0;
}
