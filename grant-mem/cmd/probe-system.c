/* SPDX-License-Identifier: MIT */
/*
 * What xdd-probe tries with the kernel at large. Most are made with arguments
 * that no call can take: whoever answers other than EPERM has looked at them,
 * and so was reached.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "grant-mem/cmd/probe.h"

static int probe_call(struct probe *p, const struct probe_try *try)
{
	(void)p;
	return syscall(try->arg, -1L, -1L, -1L, -1L, -1L, -1L) < 0 ? -errno : 0;
}

static int probe_socket(struct probe *p, const struct probe_try *try)
{
	int fd = socket((int)try->arg, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno == EAFNOSUPPORT ? probe_said(p, "EAFNOSUPPORT") : -errno;
	close(fd);
	return 0;
}

static int probe_setuid(struct probe *p, const struct probe_try *try)
{
	(void)try;
	if (!geteuid())
		return probe_skip(p, "already root");
	return setuid(0) < 0 ? -errno : 0;
}

static int probe_capset(struct probe *p, const struct probe_try *try)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{~0U, ~0U, 0}, {~0U, ~0U, 0}};

	(void)p;
	(void)try;
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

static int probe_userns(struct probe *p, const struct probe_try *try)
{
	(void)p;
	(void)try;
	return unshare(CLONE_NEWUSER) < 0 ? -errno : 0;
}

static int probe_clone_userns(struct probe *p, const struct probe_try *try)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	(void)p;
	(void)try;
	if (!pid)
		_exit(0);
	return pid < 0 ? -errno : 0;
}

static int probe_fork(struct probe *p, const struct probe_try *try)
{
	pid_t pid = fork();

	(void)p;
	(void)try;
	if (!pid)
		_exit(0);
	return pid < 0 ? -errno : 0;
}

static int probe_exec(struct probe *p, const struct probe_try *try)
{
	char *argv[] = {(char *)(uintptr_t) "/bin/true", NULL};

	(void)p;
	(void)try;
	execv(argv[0], argv); /* a status of 0 without a last line, if it works */
	return -errno;
}

#define DOOR(name, proves, nr)                                                         \
	{                                                                              \
		name, proves, probe_call, nr, PROBE_DOOR, PROBE_EPERM, PROBE_ALWAYS,   \
			true                                                           \
	}
#define LAST(name, proves, fn, arg)                                                    \
	{                                                                              \
		name, proves, fn, arg, PROBE_DOOR, PROBE_EPERM, PROBE_SEALED, false    \
	}
#define UNIT(name, proves, fn, arg)                                                    \
	{                                                                              \
		name, proves, fn, arg, PROBE_UNIT, PROBE_EPERM, PROBE_ALWAYS, true     \
	}

#define NET(name, proves, family)                                                      \
	{                                                                              \
		name, proves, probe_socket, family, PROBE_UNIT, PROBE_EPERM,           \
			PROBE_ALWAYS, false                                            \
	}

const struct probe_try probe_system[] = {
	DOOR("unshare", "makes no namespace", SYS_unshare),
	DOOR("setns", "enters no namespace", SYS_setns),
	{"unshare-user", "is root nowhere", probe_userns, 0, PROBE_DOOR, PROBE_EPERM,
	 PROBE_ALWAYS, true},
	{"clone-user", "is root nowhere", probe_clone_userns, 0, PROBE_DOOR,
	 PROBE_EPERM, PROBE_ALWAYS, true},
	DOOR("mount", "mounts nothing", SYS_mount),
	DOOR("umount", "uncovers nothing", SYS_umount2),
	DOOR("fsopen", "mounts nothing, the new way", SYS_fsopen),
	DOOR("open-tree", "copies no mount", SYS_open_tree),
	DOOR("pivot-root", "moves no root", SYS_pivot_root),
	DOOR("chroot", "moves no root", SYS_chroot),
	DOOR("bpf", "loads no program into the kernel", SYS_bpf),
	DOOR("perf", "measures no one", SYS_perf_event_open),
	DOOR("keyctl", "touches no key", SYS_keyctl),
	DOOR("userfaultfd", "stops no access in the middle", SYS_userfaultfd),
	DOOR("init-module", "loads no module", SYS_init_module),
	DOOR("finit-module", "loads no module", SYS_finit_module),
	DOOR("kexec", "loads no kernel", SYS_kexec_load),
	DOOR("reboot", "stops no domain", SYS_reboot),
	DOOR("swapon", "swaps nowhere", SYS_swapon),
	DOOR("sethostname", "renames no host", SYS_sethostname),
	DOOR("settimeofday", "sets no clock", SYS_settimeofday),
	DOOR("adjtimex", "bends no clock", SYS_adjtimex),
	DOOR("syslog", "reads no kernel log", SYS_syslog),
	UNIT("setuid-root", "is nobody else", probe_setuid, 0),
	UNIT("capset", "takes no capability", probe_capset, 0),
	NET("socket-inet", "no network", AF_INET),
	NET("socket-packet", "no raw network", AF_PACKET),
	LAST("socket-unix", "connects to no one", probe_socket, AF_UNIX),
	LAST("socket-netlink", "asks the kernel nothing", probe_socket, AF_NETLINK),
	LAST("socketpair", "makes no socket", probe_call, SYS_socketpair),
	LAST("bind", "listens nowhere", probe_call, SYS_bind),
	LAST("connect", "connects to no one", probe_call, SYS_connect),
	LAST("fork", "is one process", probe_fork, 0),
	LAST("clone", "has one thread", probe_call, SYS_clone),
	LAST("exec", "becomes no other program", probe_exec, 0),
	LAST("execveat", "becomes no other program", probe_call, SYS_execveat),
	LAST("memfd", "makes no file", probe_call, SYS_memfd_create),
	LAST("prctl", "changes no attribute", probe_call, SYS_prctl),
	LAST("seccomp", "adds no filter that lies", probe_call, SYS_seccomp),
	LAST("fcntl", "changes no descriptor", probe_call, SYS_fcntl),
	LAST("shmat", "shares no memory", probe_call, SYS_shmat),
	{0},
};
