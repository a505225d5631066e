/* SPDX-License-Identifier: MIT */
/* What xdd-probe tries with other processes: the keeper above all, which runs
 * as the same user. Signals are number 0 and limits are only read back. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "grant-mem/cmd/probe.h"

#define NOT_IN_SIGHT "the keeper's process id is not in sight"

enum far {
	FAR_KILL,
	FAR_TKILL,
	FAR_TGKILL,
	FAR_QUEUE,
	FAR_PIDFD_SIGNAL,
	FAR_OWNER,
	FAR_PTRACE,
	FAR_READ,
	FAR_WRITE,
	FAR_GETFD,
	FAR_LIMITS,
	FAR_PRIORITY,
	FAR_AFFINITY,
	FAR_SCHEDULER,
};

static long far_memory(long nr, pid_t pid)
{
	char byte = 0;
	struct iovec here = {&byte, 1}, there = {&byte, 1};

	return syscall(nr, pid, &here, 1, &there, 1, 0);
}

static long far_limits(pid_t pid)
{
	struct rlimit lim;

	/* Set to what they are: nothing changes if it is let through. */
	if (getrlimit(RLIMIT_CORE, &lim) < 0)
		return -1;
	return prlimit(pid, RLIMIT_CORE, &lim, NULL);
}

static long far_scheduling(enum far what, pid_t pid)
{
	struct sched_param param = {0};
	unsigned long cpus[16];

	memset(cpus, 0xff, sizeof(cpus));
	if (what == FAR_PRIORITY)
		return setpriority(PRIO_PROCESS, (id_t)pid, 0);
	if (what == FAR_AFFINITY)
		return syscall(SYS_sched_setaffinity, pid, sizeof(cpus), cpus);
	return sched_setscheduler(pid, SCHED_OTHER, &param);
}

static long far_signal(enum far what, pid_t pid)
{
	siginfo_t info = {.si_code = SI_QUEUE};

	if (what == FAR_KILL)
		return kill(pid, 0);
	if (what == FAR_TKILL)
		return syscall(SYS_tkill, pid, 0);
	if (what == FAR_TGKILL)
		return syscall(SYS_tgkill, pid, pid, 0);
	return syscall(SYS_rt_sigqueueinfo, pid, 0, &info);
}

/* pidfds: where none can be had, its number does not matter to the filter. */
static long far_pidfd(enum far what, pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	long r = what == FAR_GETFD ? syscall(SYS_pidfd_getfd, fd, 0, 0)
				   : syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0);
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return r;
}

static int probe_far(struct probe *p, const struct probe_try *try)
{
	enum far what = (enum far)try->arg;
	pid_t pid = p->keeper;
	long r = -1;

	if (!pid)
		return probe_skip(p, NOT_IN_SIGHT);
	switch (what) {
	case FAR_KILL:
	case FAR_TKILL:
	case FAR_TGKILL:
	case FAR_QUEUE:
		r = far_signal(what, pid);
		break;
	case FAR_GETFD:
	case FAR_PIDFD_SIGNAL:
		r = far_pidfd(what, pid);
		break;
	case FAR_OWNER:
		r = fcntl(p->client.fd, F_SETOWN, pid);
		break;
	case FAR_PTRACE:
		r = ptrace(PTRACE_SEIZE, pid, NULL, NULL);
		break;
	case FAR_READ:
		r = far_memory(SYS_process_vm_readv, pid);
		break;
	case FAR_WRITE:
		r = far_memory(SYS_process_vm_writev, pid);
		break;
	case FAR_LIMITS:
		r = far_limits(pid);
		break;
	case FAR_PRIORITY:
	case FAR_AFFINITY:
	case FAR_SCHEDULER:
		r = far_scheduling(what, pid);
		break;
	}
	return r < 0 ? -errno : 0;
}

static int probe_proc(struct probe *p, const struct probe_try *try)
{
	static const char *const files[] = {"mem", "fd/3", "environ", "oom_score_adj"};
	static const int flags[] = {O_RDWR, O_RDONLY, O_RDONLY, O_WRONLY};
	char path[64];
	int fd;

	if (!p->keeper)
		return probe_skip(p, NOT_IN_SIGHT);
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)p->keeper, files[try->arg]);
	fd = open(path, flags[try->arg] | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno; /* ENXIO: reached, and found to be a socket */
	close(fd);
	return 0;
}

#define FAR(name, proves, what)                                                        \
	{                                                                              \
		"keeper-" name, proves, probe_far, what, PROBE_DOOR, PROBE_EPERM,      \
			PROBE_ALWAYS, false                                            \
	}
#define PROC(name, proves, which)                                                      \
	{                                                                              \
		"keeper-proc-" name, proves, probe_proc, which, PROBE_UNIT, PROBE_FAR, \
			PROBE_ALWAYS, false                                            \
	}

const struct probe_try probe_processes[] = {
	FAR("kill", "cannot kill its keeper", FAR_KILL),
	FAR("tkill", "cannot kill its keeper", FAR_TKILL),
	FAR("tgkill", "cannot kill its keeper", FAR_TGKILL),
	FAR("queue-signal", "cannot signal its keeper", FAR_QUEUE),
	FAR("pidfd-signal", "cannot signal its keeper", FAR_PIDFD_SIGNAL),
	FAR("own-signal", "no descriptor signals the keeper", FAR_OWNER),
	FAR("ptrace", "cannot steer its keeper", FAR_PTRACE),
	FAR("read-memory", "cannot read its keeper", FAR_READ),
	FAR("write-memory", "cannot write its keeper", FAR_WRITE),
	FAR("take-descriptor", "takes no descriptor from its keeper", FAR_GETFD),
	FAR("limits", "cannot starve its keeper", FAR_LIMITS),
	FAR("priority", "cannot slow its keeper", FAR_PRIORITY),
	FAR("affinity", "cannot pin its keeper", FAR_AFFINITY),
	FAR("scheduler", "cannot reschedule its keeper", FAR_SCHEDULER),
	PROC("mem", "cannot read its keeper by name", 0),
	PROC("fd", "cannot open what its keeper holds", 1),
	PROC("environ", "cannot read its keeper's environment", 2),
	PROC("oom", "cannot offer its keeper to the killer", 3),
	{0},
};
