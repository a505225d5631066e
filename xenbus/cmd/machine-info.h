/* SPDX-License-Identifier: MIT */
/* How libxenctrl tells of one domain changed with 4.18: a file for each way,
 * and meson picks. */
#ifndef XDD_MACHINE_INFO_H
#define XDD_MACHINE_INFO_H

#include <xenctrl.h>

#include "xenbus/cmd/machine.h"

/* Fills @out->dying, shutdown and hvm. -ESRCH: no such domain. */
int machine_info(xc_interface *xc, struct domid id, struct machine_domain *out);

#endif
