/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "backends/displ/displ-resource.h"

static const char drm_prefix[] = "drm:", lease_prefix[] = "lease:",
		  png_prefix[] = "png:";

static bool is_path_behind(const char *resource, const char *prefix)
{
	size_t len = strlen(prefix);

	return !strncmp(resource, prefix, len) && resource[len] == '/';
}

enum displ_resource displ_resource_of(const char *resource)
{
	if (!strcmp(resource, "null:"))
		return DISPL_RESOURCE_NULL;
	if (is_path_behind(resource, drm_prefix))
		return DISPL_RESOURCE_DRM;
	if (is_path_behind(resource, lease_prefix))
		return DISPL_RESOURCE_LEASE;
	if (is_path_behind(resource, png_prefix))
		return DISPL_RESOURCE_PNG;
	return DISPL_RESOURCE_NONE;
}

const char *displ_resource_path(const char *resource)
{
	return strchr(resource, ':') + 1;
}

bool displ_resource_is_card(const char *resource)
{
	enum displ_resource kind = displ_resource_of(resource);

	return kind == DISPL_RESOURCE_DRM || kind == DISPL_RESOURCE_LEASE;
}

bool displ_resource_plain(const char *name)
{
	size_t n = 0;

	while (isalnum((unsigned char)name[n]) || name[n] == '-')
		n++;
	return n && !name[n];
}

bool displ_resource_file_ok(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/');
}
