/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <net/if.h>
#include <string.h>
#include <sys/stat.h>

#include "backends/displ/displ-resource.h"
#include "backends/snd/snd-resource.h"
#include "policy/class.h"
#include "systemd/resource.h"
#include "systemd/unit-name.h"

/*
 * The Resource's own group, if it may read it and is not root's. At boot a
 * node has not got its group yet, and a file may not be mounted: nodes then
 * have the class's group, files none until the next daemon-reload.
 */
static void group_line(const char *path, const char *usual, struct resource *out)
{
	struct stat st;
	size_t n = strlen(out->service);
	bool known = !stat(path, &st) && st.st_gid && st.st_mode & S_IRGRP;

	if (known)
		snprintf(out->service + n, sizeof(out->service) - n,
			 "SupplementaryGroups=%u\n", st.st_gid);
	else if (usual)
		snprintf(out->service + n, sizeof(out->service) - n,
			 "SupplementaryGroups=%s\n", usual);
}

/* Starts when udev has set the node up; one that never comes is its to report. */
static void node_lines(const char *node, bool read_only, const char *group,
		       struct resource *out)
{
	char path[UNIT_NAME_MAX], unit[UNIT_NAME_MAX];

	unit_quote(node, path);
	unit_escape(node, unit);
	snprintf(out->unit, sizeof(out->unit), "Wants=%s.device\nAfter=%s.device\n",
		 unit, unit);
	snprintf(out->service, sizeof(out->service),
		 "BindPaths=-%s\nDeviceAllow=%s %s\n", path, path,
		 read_only ? "r" : "rw");
	group_line(node, group, out);
}

static void file_lines(const struct policy *policy, struct resource *out)
{
	char path[UNIT_NAME_MAX];

	unit_quote(policy->resource, path);
	snprintf(out->unit, sizeof(out->unit), "RequiresMountsFor=%s\n", path);
	snprintf(out->service, sizeof(out->service), "%s=-%s\n",
		 policy->read_only ? "BindReadOnlyPaths" : "BindPaths", path);
	group_line(policy->resource, NULL, out);
}

static void blk_lines(const struct policy *policy, const char *group,
		      struct resource *out)
{
	if (!strncmp(policy->resource, "/dev/", 5))
		node_lines(policy->resource, policy->read_only, group, out);
	else if (policy->resource[0] == '/')
		file_lines(policy, out);
	else
		out->in_memory = !strncmp(policy->resource, "memory:", 7);
}

/* What Linux takes for an interface's name; "loopback:" and "null:" are none. */
static bool is_interface(const char *name)
{
	if (!strcmp(name, ".") || !strcmp(name, "..") || strlen(name) >= IF_NAMESIZE)
		return false;
	while (isgraph((unsigned char)*name) && *name != '/' && *name != ':')
		name++;
	return !*name;
}

/* Starts when udev knows the interface. False: it is none. */
static bool interface_lines(const struct policy *policy, struct resource *out)
{
	char path[POLICY_RESOURCE_MAX + 32], unit[UNIT_NAME_MAX];

	if (!is_interface(policy->resource))
		return false;
	snprintf(path, sizeof(path), "/sys/subsystem/net/devices/%s", policy->resource);
	unit_escape(path, unit);
	snprintf(out->unit, sizeof(out->unit), "Wants=%s.device\nAfter=%s.device\n",
		 unit, unit);
	return true;
}

/*
 * An interface is in reach of who shares its network namespace, and has no node: no
 * device to allow, no group to join. That of sockets is another wall to open; and who
 * sends there stays on one processor (can-bus-socket.c).
 */
static void can_lines(const struct policy *policy, const char *group,
		      struct resource *out)
{
	(void)group;
	if (interface_lines(policy, out))
		snprintf(out->service, sizeof(out->service),
			 "PrivateNetwork=no\nRestrictAddressFamilies=AF_CAN\n"
			 "SystemCallFilter=sched_setaffinity getcpu\n");
}

/* The folder of the link alone, which a unit of its own makes; no network. */
static void link_lines(const char *name, struct resource *out)
{
	snprintf(out->unit, sizeof(out->unit),
		 "Requires=xdd-link@%s.service\nAfter=xdd-link@%s.service\n", name,
		 name);
	snprintf(out->service, sizeof(out->service), "BindPaths=/run/xdd-link/%s\n",
		 name);
}

/*
 * A tap is opened through the node that is all taps', in the network namespace that it
 * is in; which of them may be had is said by their owner's name. No family of sockets
 * beside those that all have.
 */
static void net_lines(const struct policy *policy, const char *group,
		      struct resource *out)
{
	(void)group;
	if (class_link(policy))
		link_lines(class_link(policy), out);
	else if (interface_lines(policy, out))
		snprintf(out->service, sizeof(out->service),
			 "PrivateNetwork=no\nBindPaths=-/dev/net/tun\n"
			 "DeviceAllow=/dev/net/tun rw\n");
}

/*
 * ALSA's devices, all of them: which of these a PCM's name means, its configuration
 * says. So no card can be waited for by name: sound.target is udev's first one, and for
 * a later one the unit is started again until it is there.
 */
static void alsa_lines(const char *group, struct resource *out)
{
	snprintf(out->unit, sizeof(out->unit), "After=sound.target\n");
	snprintf(out->service, sizeof(out->service),
		 "BindPaths=-/dev/snd\nDeviceAllow=char-alsa rw\n"
		 "SupplementaryGroups=%s\n"
		 "BindReadOnlyPaths=-/etc/asound.conf -/etc/alsa\n",
		 group);
}

/* A folder, in which files are made and read. */
static void folder_lines(const char *folder, struct resource *out)
{
	char path[UNIT_NAME_MAX];

	unit_quote(folder, path);
	snprintf(out->unit, sizeof(out->unit), "RequiresMountsFor=%s\n", path);
	snprintf(out->service, sizeof(out->service), "BindPaths=-%s\n", path);
	group_line(folder, NULL, out);
}

/*
 * What alsa-lib mixes in is found by a number in an IPC name space, and made by whoever
 * comes first: one name space for all whose sound is mixed, and for nobody else. A unit
 * that only has it keeps it for them (PrivateIPC= stays on: JoinsNamespaceOf= wants
 * that of both).
 */
static void mixed_lines(struct resource *out)
{
	size_t n = strlen(out->unit), k = strlen(out->service);

	snprintf(out->unit + n, sizeof(out->unit) - n,
		 "Requires=xdd-mix.service\nAfter=xdd-mix.service\n"
		 "JoinsNamespaceOf=xdd-mix.service\n");
	snprintf(out->service + k, sizeof(out->service) - k,
		 "SystemCallFilter=shmget shmat shmdt shmctl\n"
		 "SystemCallFilter=semget semctl semop semtimedop\n");
}

static void snd_lines(const struct policy *policy, const char *group,
		      struct resource *out)
{
	switch (snd_resource_of(policy->resource)) {
	case SND_RESOURCE_ALSA:
		alsa_lines(group, out);
		break;
	case SND_RESOURCE_FILE:
		folder_lines(snd_resource_folder(policy->resource), out);
		break;
	case SND_RESOURCE_NULL:
	case SND_RESOURCE_NONE:
		break;
	}
}

void resource_card(const char *path, struct resource *out)
{
	out->unit[0] = out->service[0] = '\0';
	node_lines(path, false, "video", out);
}

/* The card's lessor, and its socket for this one; not the card. */
static void lease_lines(const struct policy *policy, struct resource *out)
{
	char unit[UNIT_NAME_MAX];

	unit_escape(displ_resource_path(policy->resource), unit);
	snprintf(out->unit, sizeof(out->unit),
		 "BindsTo=xdd-lease@%s.service\nAfter=xdd-lease@%s.service\n", unit,
		 unit);
	snprintf(out->service, sizeof(out->service),
		 "BindReadOnlyPaths=-/run/xdd-lease/%s\n", policy->name);
}

static void displ_lines(const struct policy *policy, const char *group,
			struct resource *out)
{
	switch (displ_resource_of(policy->resource)) {
	case DISPL_RESOURCE_DRM:
		node_lines(displ_resource_path(policy->resource), false, group, out);
		break;
	case DISPL_RESOURCE_LEASE:
		lease_lines(policy, out);
		break;
	case DISPL_RESOURCE_PNG:
		folder_lines(displ_resource_path(policy->resource), out);
		break;
	case DISPL_RESOURCE_NULL:
	case DISPL_RESOURCE_NONE:
		break;
	}
}

/* What says whether something is plugged into a connector: to be had where the card and
 * the connector are called as the kernel calls them. displif has no word for it. */
static void plug_lines(const struct policy *policy, const char *connector,
		       struct resource *out)
{
	static const char cards[] = "/dev/dri/";
	const char *card = displ_resource_path(policy->resource);
	size_t n = strlen(out->service);

	if (policy->door != POLICY_VIRTIO || strncmp(card, cards, strlen(cards)) ||
	    !displ_resource_plain(card + strlen(cards)) ||
	    !displ_resource_plain(connector))
		return;
	snprintf(out->service + n, sizeof(out->service) - n,
		 "BindReadOnlyPaths=-/sys/class/drm/%s-%s/status:" DISPL_PLUGS "/%s\n",
		 card + strlen(cards), connector, connector);
}

/* A file that the section names. */
static void read_lines(const char *file, struct resource *out)
{
	size_t n = strlen(out->service);
	char path[UNIT_NAME_MAX];

	if (!file || !file[0])
		return;
	unit_quote(file, path);
	snprintf(out->service + n, sizeof(out->service) - n, "BindReadOnlyPaths=-%s\n",
		 path);
}

struct row {
	void (*lines)(const struct policy *policy, const char *group,
		      struct resource *out);
	const char *group; /* of its device nodes, once udev has seen them */
};

static const struct row rows[POLICY_CAN + 1] = {
	[POLICY_BLK] = {blk_lines, "disk"},  [POLICY_NET] = {net_lines, NULL},
	[POLICY_SND] = {snd_lines, "audio"}, [POLICY_DISPL] = {displ_lines, "video"},
	[POLICY_CAN] = {can_lines, NULL},
};

void resource_lines(const struct policy *policy, const struct resource_more *more,
		    struct resource *out)
{
	const struct row *row = &rows[policy->class];

	out->unit[0] = out->service[0] = '\0';
	out->in_memory = false;
	out->bytes = more->bytes;
	row->lines(policy, row->group, out);
	for (unsigned i = 0; i < sizeof(more->read) / sizeof(more->read[0]); i++)
		read_lines(more->read[i], out);
	for (unsigned i = 0; i < sizeof(more->plug) / sizeof(more->plug[0]); i++) {
		if (more->plug[i] && displ_resource_is_card(policy->resource))
			plug_lines(policy, more->plug[i], out);
	}
	if (more->mixed && snd_resource_of(policy->resource) == SND_RESOURCE_ALSA)
		mixed_lines(out);
}
