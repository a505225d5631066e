/* SPDX-License-Identifier: MIT */
/*
 * The versions of Xen: see dt-version.h. Read in the releases x.y.0:
 *  - docs/misc/arm/device-tree/booting.txt, docs/misc/xen-command-line.pandoc;
 *  - create_domUs(), in xen/arch/arm/domain_build.c (4.17, 4.18),
 *    xen/arch/arm/dom0less-build.c (4.19, 4.20) and
 *    xen/common/device-tree/dom0less-build.c (from 4.21);
 *  - grant_table_init() in xen/common/grant_table.c: 4.17 takes the command
 *    line's numbers as a maximum too, later ones as defaults alone.
 */
#include "policy/cmd/dt-version.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* clang-format off */
static const struct dt_version versions[] = {
	{ .name = "4.17", .needs_dom0 = true },
	{ .name = "4.18", .node_limits = true, .needs_dom0 = true },
	{ .name = "4.19", .node_limits = true, .needs_dom0 = true },
	{ .name = "4.20", .node_limits = true, .needs_dom0 = true },
	{ .name = "4.21", .node_limits = true, .capabilities = true },
	{ .name = "4.22", .node_limits = true, .capabilities = true },
};
/* clang-format on */

const struct dt_version *dt_version(const char *name)
{
	for (unsigned i = 0; i < COUNT(versions); i++) {
		size_t len = strlen(versions[i].name);

		if (!strncmp(name, versions[i].name, len) &&
		    (!name[len] || name[len] == '.'))
			return &versions[i];
	}
	return NULL;
}

const char *dt_version_names(void)
{
	static char names[COUNT(versions) * 8];
	size_t used = 0;

	for (unsigned i = 0; i < COUNT(versions); i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 i ? ", " : "", versions[i].name);
	return names;
}
