/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/snd/snd-resource.h"

static const char file_prefix[] = "file:";

enum snd_resource snd_resource_of(const char *resource)
{
	size_t len = strlen(file_prefix);

	if (!strcmp(resource, "alsa:"))
		return SND_RESOURCE_ALSA;
	if (!strcmp(resource, "null:"))
		return SND_RESOURCE_NULL;
	if (!strncmp(resource, file_prefix, len) && resource[len] == '/')
		return SND_RESOURCE_FILE;
	return SND_RESOURCE_NONE;
}

const char *snd_resource_folder(const char *resource)
{
	return resource + strlen(file_prefix);
}

bool snd_resource_file_ok(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, "..");
}
