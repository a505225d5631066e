/* SPDX-License-Identifier: MIT */
/*
 * The Resource of a display: "drm:/dev/dri/cardN", a card of DRM/KMS;
 * "lease:/dev/dri/cardN", what xdd-lease lends of one; "png:/FOLDER", where what a
 * person would see is a file for each connector; or "null:".
 */
#ifndef XDD_DISPL_RESOURCE_H
#define XDD_DISPL_RESOURCE_H

#include <stdbool.h>

/* Where the unit of an instance has what says of its connectors whether something is
 * plugged in: a file of sysfs for each, by its name. */
#define DISPL_PLUGS "/run/xdd-connectors"

enum displ_resource {
	DISPL_RESOURCE_DRM,
	DISPL_RESOURCE_LEASE,
	DISPL_RESOURCE_PNG,
	DISPL_RESOURCE_NULL,
	DISPL_RESOURCE_NONE, /* it is no display's */
};

enum displ_resource displ_resource_of(const char *resource);
/* Of one that is not null: or none, the path in it. */
const char *displ_resource_path(const char *resource);
/* A card, or what is lent of one: there are connectors of DRM. */
bool displ_resource_is_card(const char *resource);
/* Letters, digits and dashes, as the kernel calls cards and connectors. */
bool displ_resource_plain(const char *name);
/* Of "png:", may a connector be called so? Its file is NAME.png. */
bool displ_resource_file_ok(const char *name);

#endif
