/* SPDX-License-Identifier: MIT */
/*
 * The two doors that shut behind a back end: system-call filters.
 *
 * Not a sandbox of files or names: units, users and namespaces do that. Once
 * shut, neither can be opened, by anybody, for the life of the process.
 *
 * seal_first() holds across exec; xdd-enter shuts it before any class program
 * runs. It refuses, with EPERM:
 *  - every ioctl of type 'G' (gntdev) and 'P' (privcmd) and, of type 'E'
 *    (evtchn), all but NOTIFY;
 *  - mprotect and pkey_mprotect that add write or exec, mremap,
 *    remap_file_pages: what was mapped readable stays so;
 *  - sendmsg and sendmmsg: descriptors do not leave;
 *  - what reaches another process of the same user, which the keeper is:
 *    ptrace and its kin, signals by any road (kill, queued signals, the owner
 *    of a descriptor), its limits, priority, scheduling and memory policy;
 *  - keys, bpf, perf, userfaultfd, mount and namespace calls, modules, the
 *    clock, names, reboot and other ways into the kernel.
 * It leaves what serving needs not: open, exec, fork. One thread: glibc cannot
 * make a thread's stack behind it. Calls of another ABI kill the process.
 *
 * seal_last() is for the class program, when its resource is open: an allow
 * list of what serving needs; all else is refused with EPERM: no open, no
 * socket, no exec, no clone, no new io_uring. Operations of an io_uring pass
 * no filter: restrict the ring first (loop_seal()). Two ioctls beside NOTIFY are for
 * who has a tap: what of the frames to it may be left undone, and whether it has a
 * carrier (TUNSETOFFLOAD, TUNSETCARRIER). They change nothing but that tap. The whole
 * type 'A', ALSA's PCMs, is for who has such a PCM: it is set, started, asked and
 * stopped by ioctl while it is served. A process that was taken over can do with the
 * PCMs whose descriptors it holds what it likes, and reach no other; not its mixer, not
 * its timers, which are of other types. DRM_IOCTL_MODE_ATOMIC is for who has a card of
 * DRM/KMS: by it a picture is shown. A process that was taken over can do with the card
 * that it is the master of what a commit can: show any frame buffer that the card has,
 * change the mode of its connectors, turn them on and off, also those that no policy
 * names. It can make no frame buffer, map none, and lend the card to nobody.
 *
 * seal_last_mixed() is the same for who has a PCM of ALSA's that mixes. It leaves open
 * what alsa-lib does about such a one while it plays: semop and semtimedop, and three
 * ioctls of a PCM's timer (SNDRV_TIMER_IOCTL_PARAMS, START, STOP). The memory is mapped
 * by then: no shmget, shmat or semget, so no other memory is to be had. A semaphore is
 * named by number, though: all of its IPC name space are in reach, which is the group's
 * (xdd-mix.service).
 *
 * seal_last_domain() is the last door of Isolation = domain, where there was no
 * first one. It leaves open, beside all that, what the keeper's parts need in
 * the same process:
 *  - every ioctl of types 'G' and 'E', and the SIOCOUTQ of send_status();
 *  - openat, renameat, fstat, faccessat and fallocate: xenstore's node, the
 *    event channels, the ledger and the audit log are opened anew while the
 *    device is served. What there is to open, the unit's name space says;
 *  - fcntl's F_OFD_SETLK, for the ledger;
 *  - sendmsg, on the socket to itself; epoll_ctl and timerfd_settime.
 * So a process that was taken over holds all that the driver domain holds, and
 * only then is kept from exec, sockets, processes and new executable memory.
 *
 * seal_lessor() is for who lends connectors of a card of DRM/KMS to others (xdd-lease).
 * It leaves open, beside what seal_last() does: accept4 and getsockopt, of sockets that
 * it listens on; fstatat, of who owns a folder; sendmsg, by which leases leave; and two
 * ioctls of its card, which make leases and take them back.
 *
 * All return 0 or a negative errno; nothing is shut then.
 */
#ifndef XDD_SEAL_H
#define XDD_SEAL_H

/* IOCTL_EVTCHN_NOTIFY of xen/evtchn.h; evtchn-notify-xen.c compares. */
#define SEAL_EVTCHN_NOTIFY 0x00044504u
/* DRM_IOCTL_MODE_ATOMIC of drm.h, on machines of 64 bits; tests/unit/displ_scan_drm.c
 * compares. */
#define SEAL_DRM_MODE_ATOMIC 0xc03864bcu

/* Of drm.h, too; tests/unit/displ_lessor.c compares. */
#define SEAL_DRM_MODE_CREATE_LEASE 0xc01864c6u
#define SEAL_DRM_MODE_REVOKE_LEASE 0xc00464c9u

int seal_first(void);
int seal_last(void);
int seal_last_mixed(void);
int seal_last_domain(void);
int seal_lessor(void);

#endif
