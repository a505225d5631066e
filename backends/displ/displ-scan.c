/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "backends/displ/displ-resource.h"
#include "backends/displ/displ-scan.h"

int displ_scan_open(struct displ_scan **out, const struct displ_scan_conf *conf)
{
	switch (displ_resource_of(conf->resource)) {
	case DISPL_RESOURCE_DRM:
	case DISPL_RESOURCE_LEASE:
		return displ_scan_drm_open(out, conf);
	case DISPL_RESOURCE_PNG:
		return displ_scan_png_open(out, conf);
	case DISPL_RESOURCE_NULL:
		return displ_scan_null_open(out, conf);
	case DISPL_RESOURCE_NONE:
		break;
	}
	return -EINVAL;
}

void displ_scan_close(struct displ_scan *scan)
{
	scan->ops->close(scan);
}
