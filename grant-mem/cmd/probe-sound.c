/* SPDX-License-Identifier: MIT */
/*
 * What xdd-probe tries with sound devices: a PCM that it holds, as the back end of a
 * sound card has some, and a card's mixer, which that has not.
 *
 * The unit of ALSA's PCMs has every node of /dev/snd. Which of them the back end opens
 * is settled before the last door, or by no one. Behind it a PCM that is held can be
 * played to and set up anew, as xdd-snd(8) says: this is not tried. All else that
 * ALSA's devices can be asked is refused by its type, whoever holds what.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sound/asequencer.h>
#include <sound/asound.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "grant-mem/cmd/probe.h"

#define SOUND_NODES "/dev/snd"
#define SOUND_TIMER SOUND_NODES "/timer" /* there as soon as ALSA is */

static int sound_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

/* The first node whose name begins and ends so and that can be opened; or -1. @path is
 * the path of the last one that was tried. */
static int sound_first(const char *begin, const char *end, char path[PROBE_PATH])
{
	DIR *dir = opendir(SOUND_NODES);
	const struct dirent *d;
	int fd = -1;

	while (dir && fd < 0 && (d = readdir(dir))) {
		size_t len = strlen(d->d_name), tail = strlen(end);

		if (strncmp(d->d_name, begin, strlen(begin)) || len < tail ||
		    strcmp(d->d_name + len - tail, end))
			continue;
		snprintf(path, PROBE_PATH, SOUND_NODES "/%.64s", d->d_name);
		fd = sound_open(path);
	}
	if (dir)
		closedir(dir);
	return fd < 0 ? -1 : fd;
}

void probe_sound_open(struct probe *p)
{
	char path[PROBE_PATH];
	int fd;

	p->pcm = p->mixer = -1;
	strcpy(p->recorder, SOUND_NODES "/pcmC0D0c");
	if (!p->policy_known || p->policy.class != POLICY_SND)
		return;
	p->pcm = sound_first("pcm", "p", path);
	p->mixer = sound_first("control", "", path);
	/* Only its name is kept: it is tried later. */
	fd = sound_first("pcm", "c", p->recorder);
	if (fd >= 0)
		close(fd);
}

/* The filter looks at the number before the kernel looks at the descriptor: without a
 * mixer, any socket serves as well. Nothing lies where the argument points. */
static int probe_mixer(struct probe *p, const struct probe_try *try)
{
	int fd = p->mixer >= 0 ? p->mixer : p->pair[0];

	return ioctl(fd, (unsigned long)try->arg, 0) < 0 ? -errno : 0;
}

/* With the PCM, which answers to what is a PCM's and to nothing else. */
static int probe_pcm(struct probe *p, const struct probe_try *try)
{
	int fd = p->pcm >= 0 ? p->pcm : p->pair[0];

	return ioctl(fd, (unsigned long)try->arg, 0) < 0 ? -errno : 0;
}

static int probe_sound_node(struct probe *p, const struct probe_try *try)
{
	int fd;

	(void)try;
	if (!p->sealed && p->policy_known && p->policy.class == POLICY_SND)
		return probe_skip(p, "the class opens its PCMs here");
	fd = sound_open(SOUND_TIMER);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* A microphone that the policy does not name. */
static int probe_recorder(struct probe *p, const struct probe_try *try)
{
	int fd = sound_open(p->recorder);

	(void)try;
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

#define HELD(name, proves, fn, arg)                                                    \
	{                                                                              \
		"sound-" name, proves, fn, (long)(arg), PROBE_DOOR, PROBE_EPERM,       \
			PROBE_SEALED, false                                            \
	}

const struct probe_try probe_sound[] = {
	{"sound-node", "no sound device, or no other", probe_sound_node, 0, PROBE_UNIT,
	 PROBE_FILE, PROBE_ALWAYS, false},
	HELD("recorder", "opens no PCM that it was not given", probe_recorder, 0),
	HELD("volume", "makes its card no louder", probe_mixer,
	     SNDRV_CTL_IOCTL_ELEM_WRITE),
	HELD("controls", "reads no control", probe_mixer, SNDRV_CTL_IOCTL_ELEM_READ),
	HELD("control-add", "makes no control", probe_mixer, SNDRV_CTL_IOCTL_ELEM_ADD),
	HELD("control-lock", "keeps no control from others", probe_mixer,
	     SNDRV_CTL_IOCTL_ELEM_LOCK),
	HELD("control-tlv", "writes no control's data", probe_mixer,
	     SNDRV_CTL_IOCTL_TLV_WRITE),
	HELD("subdevice", "chooses no subdevice for others", probe_mixer,
	     SNDRV_CTL_IOCTL_PCM_PREFER_SUBDEVICE),
	HELD("power", "leaves the card's power as it is", probe_mixer,
	     SNDRV_CTL_IOCTL_POWER),
	HELD("timer", "has no timer of a card", probe_pcm, SNDRV_TIMER_IOCTL_SELECT),
	HELD("sequencer", "is no client of the sequencer", probe_pcm,
	     SNDRV_SEQ_IOCTL_CREATE_PORT),
	HELD("midi", "has no MIDI device", probe_pcm, SNDRV_RAWMIDI_IOCTL_PARAMS),
	HELD("firmware", "loads nothing into a card", probe_pcm,
	     SNDRV_HWDEP_IOCTL_DSP_LOAD),
	{0},
};
