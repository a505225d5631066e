/* SPDX-License-Identifier: MIT */
/* libxenctrl up to 4.17: asked for one, it answers with the next there is. */
#include <errno.h>

#include "xenbus/cmd/machine-info.h"

int machine_info(xc_interface *xc, struct domid id, struct machine_domain *out)
{
	xc_dominfo_t info;
	int n = xc_domain_getinfo(xc, id.v, 1, &info);

	if (n < 0)
		return errno ? -errno : -EIO;
	if (n != 1 || info.domid != id.v)
		return -ESRCH;
	out->dying = info.dying;
	out->shutdown = info.shutdown;
	out->hvm = info.hvm;
	return 0;
}
