/* SPDX-License-Identifier: MIT */
/*
 * Stands in for keeper, xdd-enter and back end where the units are tested
 * without Xen, and tries what their walls must refuse.
 *
 * By its name it is xdd-keeper (the policy is really parsed; node and ledger
 * opened, a socket served), xdd-enter (execs what follows "--"), xdd-lease (a
 * socket for each instance), or any back end (connects, then probes). All tell
 * systemd READY=1. The keeper's audit log says that a client is connected, for xddctl.
 * What they find goes to the keeper's log directory, or for
 * xdd-lease beside its first socket, a line each:
 *	keeper NAME yes|no|...		backend NAME denied|ALLOWED|yes|no
 *	lease NAME yes|no|denied|ALLOWED
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "policy/policy.h"
#include "tests/systemd/stand-in-log.h"

static const char *instance;
static int report_fd = -1;
static pid_t keeper_pid;
static volatile sig_atomic_t told_to_stop, told_to_reload;

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		told_to_reload = 1;
	else
		told_to_stop = 1;
}

__attribute__((format(printf, 1, 2))) static void report(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (write(report_fd, line, (size_t)n) != n)
		exit(1);
}

static void handle_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static struct sockaddr_un address(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "/run/xdd/%.32s/keeper",
		 instance);
	return address;
}

/* --- keeper ------------------------------------------------------------- */

static bool policy_good(void)
{
	static char text[POLICY_TEXT_MAX];
	static struct policy_errors errors;
	static struct policy policy;
	char path[512];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/etc/xdd/%s.policy", instance);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text));
	return policy_name_ok(instance) && len >= 0 &&
	       !policy_parse(instance, text, (size_t)len, &policy, &errors);
}

static const char *opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0660);

	if (fd < 0)
		return strerror(errno);
	close(fd);
	return "yes";
}

/* A descriptor that survived in systemd's store, or a new one put there. */
static const char *stored(void)
{
	int fd, n = sd_listen_fds(0);

	if (n > 0)
		return "kept";
	fd = open("/run/xdd-ledger/3", O_RDWR | O_CREAT | O_CLOEXEC, 0660);
	if (fd < 0 ||
	    sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=ledger", &fd, 1) < 1)
		return "failed";
	return "new";
}

static void keeper_report(void)
{
	const char *boot = getenv("XDD_BOOT_ID"), *logs = getenv("LOGS_DIRECTORY");

	report("keeper start %d\n", getpid());
	report("keeper uid %u\n", getuid());
	report("keeper gntdev %s\n", opens("/dev/xen/gntdev", O_RDWR));
	report("keeper evtchn %s\n", opens("/dev/xen/evtchn", O_RDWR));
	report("keeper xenbus %s\n", opens("/dev/xen/xenbus", O_RDWR));
	report("keeper ledger %s\n", opens("/run/xdd-ledger/3", O_RDWR | O_CREAT));
	report("keeper store %s\n", stored());
	report("keeper sys %s\n", access("/sys/bus", R_OK) ? "no" : "yes");
	report("keeper boot %s\n", boot ? boot : "none");
	report("keeper logs %s\n", logs ? logs : "none");
	report("keeper disk %s\n", opens("/dev/disk0", O_RDWR));
	report("keeper passwd %s\n", opens("/etc/passwd", O_RDONLY));
	report("keeper usr %s\n", opens("/usr/x", O_WRONLY | O_CREAT));
}

/* All that it takes away, and its back end with it. */
static void keeper_reload(int pidfd)
{
	audit_text("revoke", "the policy was narrowed");
	audit_text("reload", "the new policy is in force");
	audit_start(instance);
	report("keeper reload %s\n",
	       syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) ? strerror(errno)
								       : "killed");
}

/* One connection: its lines go to the log. "kill": by pidfd, as a keeper does. */
static void keeper_serve(int listener)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int pidfd;
	char line[512];
	ssize_t n;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return;
	pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	audit_text("connect", "back end");
	sd_notify(0, "STATUS=serving d3 xvda, generation 1");
	report("keeper peer %s\n", peer.uid == getuid() ? "yes" : "no");
	report("keeper pidfd %s\n", pidfd >= 0 ? "yes" : strerror(errno));
	while (!told_to_stop) {
		struct pollfd ready = {fd, POLLIN, 0};

		sd_notify(0, "WATCHDOG=1");
		if (poll(&ready, 1, 1000) > 0) {
			n = read(fd, line, sizeof(line) - 1);
			if (n <= 0)
				break;
			report("%.*s", (int)n, line);
		}
		if (told_to_reload)
			keeper_reload(pidfd);
		told_to_reload = 0;
	}
	close(pidfd);
	close(fd);
	audit_text("disconnect", "all it held is given back");
	sd_notify(0, "STATUS=waiting for the back end of d3 xvda, generation 1");
}

static int keeper(void)
{
	struct sockaddr_un where = address();
	char path[512];
	int listener;

	if (!policy_good()) {
		fprintf(stderr, "<3>%s: not a good policy\n", instance);
		return 2;
	}
	prctl(PR_SET_DUMPABLE, 0);
	snprintf(path, sizeof(path), "/var/log/xdd/%s/report", instance);
	report_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (report_fd < 0) {
		perror(path);
		return 1;
	}
	keeper_report();
	audit_begin(instance);
	unlink(where.sun_path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (bind(listener, (void *)&where, sizeof(where)) || listen(listener, 1)) {
		report("keeper socket %s\n", strerror(errno));
		return 1;
	}
	sd_notify(0, "READY=1");
	while (!told_to_stop) {
		struct pollfd ready = {listener, POLLIN, 0};

		sd_notify(0, "WATCHDOG=1");
		if (poll(&ready, 1, 1000) > 0)
			keeper_serve(listener);
	}
	return 0;
}

/* --- back end ----------------------------------------------------------- */

static int can_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return pid;
}

static int can_map_exec(void)
{
	return mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED
		       ? -1
		       : 0;
}

static int can_make_exec(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int can_schedule(void)
{
	return sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){1});
}

static int can_open_keeper(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", keeper_pid);
	return open(path, O_RDWR);
}

static int can_read_keeper(void)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&byte, 1};

	return (int)process_vm_readv(keeper_pid, &here, 1, &there, 1, 0);
}

#define PATH(name, path, flags)                                                        \
	static int can_##name(void)                                                    \
	{                                                                              \
		return open(path, flags | O_CLOEXEC, 0600);                            \
	}
#define CALL(name, call)                                                               \
	static int can_##name(void)                                                    \
	{                                                                              \
		return (int)(call);                                                    \
	}

PATH(gntdev, "/dev/xen/gntdev", O_RDWR)
PATH(evtchn, "/dev/xen/evtchn", O_RDWR)
PATH(xenbus, "/dev/xen/xenbus", O_RDWR)
PATH(other_disk, "/dev/disk1", O_RDONLY)
PATH(policies, "/etc/xdd/ivi_disk.policy", O_RDONLY)
PATH(ledger, "/run/xdd-ledger/3", O_RDONLY)
PATH(logs, "/var/log/xdd/ivi_disk/report", O_WRONLY)
PATH(private_logs, "/var/log/private", O_RDONLY)
PATH(passwd, "/etc/passwd", O_RDONLY)
PATH(systemd, "/run/systemd/private", O_PATH)
PATH(journal, "/run/systemd/journal", O_PATH)
PATH(other, "/run/xdd/no_ro", O_PATH)
PATH(other_stats, "/run/xdd-stats/no_ro", O_PATH)
PATH(write_root, "/x", O_WRONLY | O_CREAT)
PATH(write_run, "/run/x", O_WRONLY | O_CREAT)
PATH(write_usr, "/usr/x", O_WRONLY | O_CREAT)
PATH(write_dev, "/dev/x", O_WRONLY | O_CREAT)
PATH(init, "/proc/1/status", O_RDONLY)
PATH(sysctl, "/proc/sys/kernel/hostname", O_RDONLY)
PATH(sysfs, "/sys/kernel", O_RDONLY)
PATH(cgroup, "/sys/fs/cgroup", O_RDONLY)
CALL(inet, socket(AF_INET, SOCK_DGRAM, 0))
CALL(netlink, socket(AF_NETLINK, SOCK_RAW, 0))
CALL(packet, socket(AF_PACKET, SOCK_RAW, 0))
CALL(vsock, socket(AF_VSOCK, SOCK_STREAM, 0))
CALL(userns, unshare(CLONE_NEWUSER))
CALL(ptrace, ptrace(PTRACE_SEIZE, keeper_pid, NULL, NULL))
CALL(signal, kill(keeper_pid, 0))
CALL(pidfd, syscall(SYS_pidfd_open, keeper_pid, 0))
CALL(thread, syscall(SYS_clone3, NULL, 0))
CALL(bpf, syscall(SYS_bpf, 0, NULL, 0))
CALL(perf, syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0))
CALL(keyring, syscall(SYS_keyctl, 0, 0, 0, 0, 0))
CALL(userfault, syscall(SYS_userfaultfd, 0))
CALL(mount, syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL))
CALL(chroot, chroot("/"))
CALL(node, mknod("/tmp/x", S_IFCHR | 0600, makedev(1, 1)))
CALL(setgroups, setgroups(0, NULL))
CALL(setuid, setuid(0))
CALL(chown, chown("/tmp", 0, 0))
CALL(personality, syscall(SYS_personality, 0x0400000))
CALL(nice, setpriority(PRIO_PROCESS, 0, -5))
CALL(reboot, syscall(SYS_reboot, 0, 0, 0, NULL))
CALL(module, syscall(SYS_init_module, NULL, 0, ""))
CALL(mlock, mlockall(MCL_CURRENT))
CALL(swap, syscall(SYS_swapon, "/x", 0))

#define PROBE(name)                                                                    \
	{                                                                              \
#name, can_##name                                                      \
	}
static const struct {
	const char *name;
	int (*try)(void);
} forbidden[] = {
	PROBE(gntdev),	    PROBE(evtchn),	PROBE(xenbus),	    PROBE(other_disk),
	PROBE(policies),    PROBE(ledger),	PROBE(logs),	    PROBE(private_logs),
	PROBE(passwd),	    PROBE(systemd),	PROBE(journal),	    PROBE(other),
	PROBE(other_stats), PROBE(write_root),	PROBE(write_run),   PROBE(write_usr),
	PROBE(write_dev),   PROBE(init),	PROBE(sysctl),	    PROBE(sysfs),
	PROBE(cgroup),	    PROBE(inet),	PROBE(netlink),	    PROBE(packet),
	PROBE(vsock),	    PROBE(userns),	PROBE(ptrace),	    PROBE(signal),
	PROBE(pidfd),	    PROBE(thread),	PROBE(fork),	    PROBE(bpf),
	PROBE(perf),	    PROBE(keyring),	PROBE(userfault),   PROBE(mount),
	PROBE(chroot),	    PROBE(node),	PROBE(setgroups),   PROBE(setuid),
	PROBE(chown),	    PROBE(personality), PROBE(nice),	    PROBE(reboot),
	PROBE(module),	    PROBE(mlock),	PROBE(swap),	    PROBE(map_exec),
	PROBE(make_exec),   PROBE(schedule),	PROBE(open_keeper), PROBE(read_keeper),
};

/* What a wall says; any other error comes from behind it. */
static const char *verdict(int result)
{
	static const int refusals[] = {EPERM, EACCES,	    ENOENT,
				       EROFS, EAFNOSUPPORT, ENOSYS};

	for (size_t i = 0; result < 0 && i < sizeof(refusals) / sizeof(*refusals); i++)
		if (errno == refusals[i])
			return "denied";
	return "ALLOWED";
}

/* A mount point that another instance needs is an empty file. */
static const char *holds_data(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, &(char){0}, 1);

	if (fd >= 0)
		close(fd);
	return n > 0 ? "yes" : "no";
}

/* Where a back end puts its numbers. */
static const char *counts(void)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");
	char path[512];

	snprintf(path, sizeof(path), "%s/stats", directory ? directory : "");
	return opens(path, O_RDWR | O_CREAT);
}

/* The back end of "Isolation = domain", which has no keeper to call. */
static int alone(void)
{
	char path[512];

	snprintf(path, sizeof(path), "/var/log/xdd/%s/report", instance);
	report_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (report_fd < 0)
		return 1;
	report("domain gntdev %s\n", opens("/dev/xen/gntdev", O_RDWR));
	report("domain evtchn %s\n", opens("/dev/xen/evtchn", O_RDWR));
	report("domain xenbus %s\n", opens("/dev/xen/xenbus", O_RDWR));
	report("domain ledger %s\n", opens("/run/xdd-ledger/3", O_RDWR | O_CREAT));
	report("domain stats %s\n", counts());
	report("domain policy %s\n", policy_good() ? "yes" : "no");
	sd_notify(0, "READY=1");
	while (!told_to_stop) {
		sd_notify(0, "WATCHDOG=1");
		poll(NULL, 0, 1000);
	}
	return 0;
}

static bool creates(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* In memory and with a lock that have a number, as alsa-lib mixes: who came first. */
static const char *mixes(void)
{
	int memory = shmget(0x786464, 4096, IPC_CREAT | 0666);
	int lock = semget(0x786464, 1, IPC_CREAT | 0666);
	struct sembuf down[] = {{0, 0, 0}, {0, 1, SEM_UNDO}};
	struct sembuf up = {0, -1, SEM_UNDO | IPC_NOWAIT};
	int *came = memory < 0 ? (void *)-1 : shmat(memory, NULL, 0);
	bool first;

	if (came == (void *)-1 || lock < 0 || semop(lock, down, 2))
		return errno == EPERM ? "denied" : strerror(errno);
	first = !(*came)++;
	semop(lock, &up, 1);
	return first ? "first" : "joined";
}

/* Of a leased display: its own socket, and no other's. */
static const char *reaches_lessor(const char *of)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), r;

	snprintf(at.sun_path, sizeof(at.sun_path), "/run/xdd-lease/%.32s/lease", of);
	r = connect(fd, (void *)&at, sizeof(at));
	close(fd);
	return r ? "no" : "yes";
}

static int backend(void)
{
	struct sockaddr_un where = address();
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);

	if (policy_good())
		return alone();
	report_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (connect(report_fd, (void *)&where, sizeof(where)) ||
	    getsockopt(report_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len)) {
		perror(where.sun_path);
		return 1;
	}
	keeper_pid = peer.pid;
	report("backend start %d\n", getpid());
	report("backend disk %s\n", opens("/dev/disk0", O_RDWR));
	report("backend file %s\n", opens("/srv/image", O_RDWR));
	report("backend file_data %s\n", holds_data("/srv/image"));
	report("backend link %s\n", opens("/run/xdd-link/ivi/memory", O_RDWR));
	report("backend beside %s\n",
	       creates("/run/xdd-link/ivi/x") || creates("/run/xdd-link/x") ? "yes"
									    : "no");
	report("backend mixes %s\n", mixes());
	report("backend lessor %s\n", reaches_lessor(instance));
	report("backend card %s\n", opens("/dev/dri/card0", O_RDWR));
	report("backend stats %s\n", counts());
	report("backend uring %s\n",
	       syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno == EFAULT ? "yes"
									   : "no");
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
		report("backend forbidden %s %s\n", forbidden[i].name,
		       verdict(forbidden[i].try()));
	report("backend done\n");
	sd_notify(0, "READY=1");
	while (!told_to_stop) {
		struct pollfd gone = {report_fd, POLLIN, 0};

		sd_notify(0, "WATCHDOG=1");
		if (poll(&gone, 1, 1000) > 0)
			return 1;
	}
	report("backend drained\n");
	return 0;
}

/* --- lessor ------------------------------------------------------------- */

static int listen_for(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "/run/xdd-lease/%.32s/lease", name);
	unlink(at.sun_path);
	if (bind(fd, (void *)&at, sizeof(at)) || chmod(at.sun_path, 0666) ||
	    listen(fd, 4))
		report("lease socket %s\n", strerror(errno));
	return fd;
}

/* Is who asks the owner of its instance's numbers? */
static void lessor_serve(int listener, const char *name)
{
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char path[128];
	struct stat st;

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	snprintf(path, sizeof(path), "/run/xdd-stats/%.32s", name);
	report("lease %s %s\n", name,
	       !stat(path, &st) && st.st_uid == peer.uid && peer.uid != getuid()
		       ? "its own"
		       : "a stranger");
	close(fd);
}

static int lessor(const char *card, int n, char **names)
{
	struct pollfd listeners[8];
	char path[128];

	snprintf(path, sizeof(path), "/run/xdd-lease/%.32s/report", names[0]);
	report_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (report_fd < 0) {
		perror(path);
		return 1;
	}
	report("lease card %s\n", opens(card, O_RDWR));
	report("lease policy %s\n", opens("/etc/xdd/screen_a.policy", O_RDONLY));
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++)
		report("lease forbidden %s %s\n", forbidden[i].name,
		       verdict(forbidden[i].try()));
	for (int i = 0; i < n && i < 8; i++)
		listeners[i] = (struct pollfd){listen_for(names[i]), POLLIN, 0};
	sd_notify(0, "READY=1");
	while (!told_to_stop) {
		sd_notify(0, "WATCHDOG=1");
		if (poll(listeners, (nfds_t)n, 1000) <= 0)
			continue;
		for (int i = 0; i < n; i++)
			if (listeners[i].revents)
				lessor_serve(listeners[i].fd, names[i]);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *role = strrchr(argv[0], '/');

	role = role ? role + 1 : argv[0];
	instance = argc > 1 ? argv[1] : "";
	if (!strcmp(role, "xdd-enter") && argc > 3) {
		execv(argv[3], argv + 3);
		return 1;
	}
	handle_signals();
	if (!strcmp(role, "xdd-lease") && argc > 2 && argc < 10)
		return lessor(argv[1], argc - 2, argv + 2);
	return !strcmp(role, "xdd-keeper") ? keeper() : backend();
}
