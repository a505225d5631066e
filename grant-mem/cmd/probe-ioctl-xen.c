/* SPDX-License-Identifier: MIT */
/* What xdd-probe asks of Xen's devices: every ioctl but NOTIFY. */
#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/evtchn.h>
#include <xen/gntdev.h>

#include "grant-mem/cmd/probe.h"

/* Since Linux 6.6; RESTRICT_DOMID does not cover it. */
#define IOCTL_EVTCHN_BIND_STATIC _IOC(_IOC_NONE, 'E', 7, sizeof(uint32_t))

/* xen/privcmd.h, which as packaged includes what is not. */
#define IOCTL_PRIVCMD_HYPERCALL	   _IOC(_IOC_NONE, 'P', 0, 48)
#define IOCTL_PRIVCMD_MMAPBATCH_V2 _IOC(_IOC_NONE, 'P', 4, 32)
#define IOCTL_PRIVCMD_DM_OP	   _IOC(_IOC_NONE, 'P', 5, 16)

/* An argument of zeros: let through, it asks for as little as can be. */
static uint64_t nothing[512];

/* The kernel takes the lower half of cmd, whatever stands above. */
static const uint64_t upper_halves[] = {0, 1ULL << 32, 0xffffffffULL << 32};

/* -EPERM if each of them was refused so; else what the first other one gave. */
static int probe_ioctl_on(int fd, uint32_t cmd)
{
	for (size_t i = 0; i < sizeof(upper_halves) / sizeof(upper_halves[0]); i++) {
		long r = syscall(SYS_ioctl, fd, upper_halves[i] | cmd, nothing);

		if (r != -1 || errno != EPERM)
			return r == -1 ? -errno : 0;
	}
	return -EPERM;
}

static int probe_gntdev(struct probe *p, const struct probe_try *try)
{
	int r = probe_ioctl_on(p->client.fds[WIRE_FD_GNTDEV_RW], (uint32_t)try->arg);

	if (r != -EPERM)
		return r;
	return probe_ioctl_on(p->client.fds[WIRE_FD_GNTDEV_RO], (uint32_t)try->arg);
}

/* The filter looks at the number before the kernel looks at the descriptor:
 * without a bound one, the read-write gntdev one serves as well. */
static int probe_evtchn(struct probe *p, const struct probe_try *try)
{
	int fd = p->evtchn.evtchn.fd;

	return probe_ioctl_on(fd >= 0 ? fd : p->client.fds[WIRE_FD_GNTDEV_RW],
			      (uint32_t)try->arg);
}

#define GNTDEV(name, proves, cmd)                                                      \
	{                                                                              \
		"gntdev-" name, proves, probe_gntdev, (long)(cmd), PROBE_DOOR,         \
			PROBE_EPERM, PROBE_ALWAYS, false                               \
	}
#define EVTCHN(name, proves, cmd)                                                      \
	{                                                                              \
		"evtchn-" name, proves, probe_evtchn, (long)(cmd), PROBE_DOOR,         \
			PROBE_EPERM, PROBE_ALWAYS, false                               \
	}
#define PRIVCMD(name, proves, cmd)                                                     \
	{                                                                              \
		"privcmd-" name, proves, probe_evtchn, (long)(cmd), PROBE_DOOR,        \
			PROBE_EPERM, PROBE_ALWAYS, false                               \
	}

const struct probe_try probe_ioctls[] = {
	GNTDEV("map", "registers no grant itself", IOCTL_GNTDEV_MAP_GRANT_REF),
	GNTDEV("unmap", "forgets no registration", IOCTL_GNTDEV_UNMAP_GRANT_REF),
	GNTDEV("get-offset", "asks for no registration",
	       IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR),
	GNTDEV("set-max", "changes no limit", IOCTL_GNTDEV_SET_MAX_GRANTS),
	GNTDEV("unmap-notify", "rings no port of another instance",
	       IOCTL_GNTDEV_SET_UNMAP_NOTIFY),
	GNTDEV("grant-copy", "copies no client memory itself", IOCTL_GNTDEV_GRANT_COPY),
	GNTDEV("dmabuf-export", "exports no client memory",
	       IOCTL_GNTDEV_DMABUF_EXP_FROM_REFS),
	GNTDEV("dmabuf-wait", "waits for no export",
	       IOCTL_GNTDEV_DMABUF_EXP_WAIT_RELEASED),
	GNTDEV("dmabuf-import", "grants no memory of its own",
	       IOCTL_GNTDEV_DMABUF_IMP_TO_REFS),
	GNTDEV("dmabuf-release", "takes no import back",
	       IOCTL_GNTDEV_DMABUF_IMP_RELEASE),
	EVTCHN("bind-virq", "binds no interrupt", IOCTL_EVTCHN_BIND_VIRQ),
	EVTCHN("bind-interdomain", "binds no port of any domain",
	       IOCTL_EVTCHN_BIND_INTERDOMAIN),
	EVTCHN("bind-unbound", "offers no port", IOCTL_EVTCHN_BIND_UNBOUND_PORT),
	EVTCHN("bind-static", "takes no static port", IOCTL_EVTCHN_BIND_STATIC),
	EVTCHN("unbind", "unbinds no port itself", IOCTL_EVTCHN_UNBIND),
	EVTCHN("reset", "clears no ring of events", IOCTL_EVTCHN_RESET),
	EVTCHN("restrict", "renames no restriction", IOCTL_EVTCHN_RESTRICT_DOMID),
	PRIVCMD("hypercall", "calls no hypervisor", IOCTL_PRIVCMD_HYPERCALL),
	PRIVCMD("mmap", "maps no foreign frame", IOCTL_PRIVCMD_MMAPBATCH_V2),
	PRIVCMD("dm-op", "is no device model", IOCTL_PRIVCMD_DM_OP),
	{0},
};
