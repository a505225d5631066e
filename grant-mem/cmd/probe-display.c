/* SPDX-License-Identifier: MIT */
/*
 * What xdd-probe tries with a card of DRM/KMS: the node that it holds, as the back end
 * of a display has one and is its master.
 *
 * Behind the last door a card that is held takes commits: other pictures, modes, none,
 * as xdd-displ(8) says: this is not tried. All else that a card can be asked is refused
 * by its number, whoever holds what.
 */
#include <drm.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "grant-mem/cmd/probe.h"

#define DISPLAY_NODE "/dev/dri/card0"

static int display_open(void)
{
	int fd = open(DISPLAY_NODE, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

void probe_display_open(struct probe *p)
{
	p->card = -1;
	if (p->policy_known && p->policy.class == POLICY_DISPL)
		p->card = display_open();
	if (p->card < 0)
		p->card = -1;
}

/* The filter looks at the number before the kernel looks at the descriptor: without a
 * card, any socket serves as well. Nothing lies where the argument points. */
static int probe_card(struct probe *p, const struct probe_try *try)
{
	int fd = p->card >= 0 ? p->card : p->pair[0];

	return ioctl(fd, (unsigned long)try->arg, 0) < 0 ? -errno : 0;
}

static int probe_display_node(struct probe *p, const struct probe_try *try)
{
	int fd;

	(void)try;
	if (!p->sealed && p->policy_known && p->policy.class == POLICY_DISPL)
		return probe_skip(p, "the class opens its card here");
	fd = display_open();
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

#define HELD(name, proves, arg)                                                        \
	{                                                                              \
		"display-" name, proves, probe_card, (long)(arg), PROBE_DOOR,          \
			PROBE_EPERM, PROBE_SEALED, false                               \
	}

const struct probe_try probe_display[] = {
	{"display-node", "no card, or no other", probe_display_node, 0, PROBE_UNIT,
	 PROBE_FILE, PROBE_ALWAYS, false},
	HELD("buffer", "makes no buffer of a card's memory",
	     DRM_IOCTL_MODE_CREATE_DUMB),
	HELD("map", "maps no buffer of another", DRM_IOCTL_MODE_MAP_DUMB),
	HELD("frame", "looks into no frame buffer", DRM_IOCTL_MODE_GETFB2),
	HELD("frame-add", "makes no frame buffer", DRM_IOCTL_MODE_ADDFB2),
	HELD("frame-remove", "takes no frame buffer away", DRM_IOCTL_MODE_RMFB),
	HELD("name", "opens no buffer by its name", DRM_IOCTL_GEM_OPEN),
	HELD("flink", "gives no buffer a name", DRM_IOCTL_GEM_FLINK),
	HELD("export", "makes no descriptor of a buffer", DRM_IOCTL_PRIME_HANDLE_TO_FD),
	HELD("import", "takes no buffer in", DRM_IOCTL_PRIME_FD_TO_HANDLE),
	HELD("lease", "lets nobody else be master", DRM_IOCTL_MODE_CREATE_LEASE),
	HELD("master", "is no master again", DRM_IOCTL_SET_MASTER),
	HELD("cursor", "moves no cursor", DRM_IOCTL_MODE_CURSOR),
	HELD("crtc", "shows by commits alone", DRM_IOCTL_MODE_SETCRTC),
	{0},
};
