/* SPDX-License-Identifier: MIT */
/*
 * What the Resource of a policy says of sound, as text: "alsa:", "file:/FOLDER" or
 * "null:". Apart from snd-host.h, so that who only reads policies links no alsa-lib.
 */
#ifndef XDD_SND_RESOURCE_H
#define XDD_SND_RESOURCE_H

#include <stdbool.h>

enum snd_resource {
	SND_RESOURCE_NONE, /* it is no sound's */
	SND_RESOURCE_ALSA,
	SND_RESOURCE_FILE,
	SND_RESOURCE_NULL,
};

enum snd_resource snd_resource_of(const char *resource);
/* The folder of a SND_RESOURCE_FILE. */
const char *snd_resource_folder(const char *resource);
/* @name can be that of a file in it. */
bool snd_resource_file_ok(const char *name);

#endif
