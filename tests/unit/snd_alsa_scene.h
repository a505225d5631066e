/* SPDX-License-Identifier: MIT */
/* PCMs of alsa-lib that need no sound card, by a configuration of the tests' own. */
#ifndef XDD_TEST_SND_ALSA_SCENE_H
#define XDD_TEST_SND_ALSA_SCENE_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/snd/snd-host.h"

static char scene_dir[] = "/tmp/xdd-alsa.XXXXXX";
static char scene_path[64], scene_raw[64];
static struct log scene_log;

/* "none" takes all; "linear" only what is linear; "plugged" is converted to one format,
 * rate and number of channels; "raw" goes to a file. */
static inline void scene_init(void)
{
	FILE *f;

	assert(mkdtemp(scene_dir));
	snprintf(scene_path, sizeof(scene_path), "%s/asound.conf", scene_dir);
	snprintf(scene_raw, sizeof(scene_raw), "%s/x.raw", scene_dir);
	f = fopen(scene_path, "w");
	assert(f);
	fprintf(f,
		"pcm.none { type null }\n"
		"pcm.linear { type linear slave { pcm none format S16_LE } }\n"
		"pcm.plugged { type plug slave { pcm none format S16_LE rate 48000 "
		"channels 2 } }\n"
		"pcm.raw { type file slave.pcm none file \"%s\" format raw }\n",
		scene_raw);
	assert(!fclose(f));
	assert(!setenv("ALSA_CONFIG_PATH", scene_path, 1));
	log_init(&scene_log, "test");
}

static inline void scene_fini(void)
{
	unlink(scene_path);
	unlink(scene_raw);
	rmdir(scene_dir);
}

static inline int scene_open(struct snd_host **out, const char *name, bool capture)
{
	const struct snd_host_conf conf = {"alsa:", name, capture, &scene_log};

	return snd_host_open(out, &conf);
}

#endif
