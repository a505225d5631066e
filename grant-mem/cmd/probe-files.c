/* SPDX-License-Identifier: MIT */
/* What xdd-probe tries with names: Xen's devices, what the keeper writes, and
 * behind the last door any name at all. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "grant-mem/cmd/probe.h"

#define NO_SUCH "/tmp/xdd-probe-no-such-file"

static int open_result(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int probe_open(struct probe *p, const struct probe_try *try)
{
	static const char *const paths[] = {
		"/dev/xen/gntdev",  "/dev/xen/gntalloc", "/dev/xen/evtchn",
		"/dev/xen/xenbus",  "/dev/xen/privcmd",	 "/proc/xen/privcmd",
		"/proc/xen/xenbus", "/dev/mem",
	};

	(void)p;
	return open_result(paths[try->arg], O_RDWR);
}

static int probe_open_write(struct probe *p, const struct probe_try *try)
{
	static const char *const paths[] = {
		"/proc/sys/kernel/hostname",
		"/proc/self/oom_score_adj",
	};

	(void)p;
	return open_result(paths[try->arg], O_WRONLY);
}

static int probe_policy_file(struct probe *p, const struct probe_try *try)
{
	char path[PROBE_PATH];

	snprintf(path, sizeof(path), "/etc/xdd/%s.policy", p->instance);
	return open_result(path, (int)try->arg);
}

/* Every file of a folder that is the keeper's alone; the folder, if empty. */
static int probe_folder(struct probe *p, const struct probe_try *try)
{
	static const char *const folders[] = {"/run/xdd-ledger", "/var/log/xdd"};
	DIR *dir = opendir(folders[try->arg]);
	char path[PROBE_PATH + 256];
	const struct dirent *d;
	int r = dir ? -EACCES : -errno;

	(void)p;
	while (dir && r < 0 && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folders[try->arg], d->d_name);
		r = open_result(path, O_RDONLY);
		if (r < 0)
			r = open_result(path, O_WRONLY);
	}
	if (dir)
		closedir(dir);
	return r;
}

static int probe_folder_create(struct probe *p, const struct probe_try *try)
{
	static const char *const paths[] = {"/run/xdd-ledger/xdd-probe",
					    "/var/log/xdd/xdd-probe"};
	int r = open_result(paths[try->arg], O_WRONLY | O_CREAT | O_EXCL);

	(void)p;
	if (!r)
		unlink(paths[try->arg]);
	return r;
}

/* Behind the last door: the calls that take a name, on one that is not there,
 * so that what is let through meets ENOENT. */
static int probe_name(struct probe *p, const struct probe_try *try)
{
	struct open_how how = {.flags = O_RDONLY};
	long r = -1;

	(void)p;
	errno = EINVAL;
	switch (try->arg) {
	case SYS_openat:
		r = syscall(SYS_openat, AT_FDCWD, NO_SUCH, O_RDONLY);
		break;
	case SYS_openat2:
		r = syscall(SYS_openat2, AT_FDCWD, NO_SUCH, &how, sizeof(how));
		break;
	case SYS_unlinkat:
		r = syscall(SYS_unlinkat, AT_FDCWD, NO_SUCH, 0);
		break;
	case SYS_renameat2:
		r = syscall(SYS_renameat2, AT_FDCWD, NO_SUCH, AT_FDCWD, NO_SUCH "2", 0);
		break;
	case SYS_fchmodat:
		r = syscall(SYS_fchmodat, AT_FDCWD, NO_SUCH, 0600);
		break;
	case SYS_mkdirat:
		r = syscall(SYS_mkdirat, AT_FDCWD, NO_SUCH "/folder", 0700);
		break;
	case SYS_linkat:
		r = syscall(SYS_linkat, AT_FDCWD, NO_SUCH, AT_FDCWD, NO_SUCH "2", 0);
		break;
	case SYS_statx:
		r = syscall(SYS_statx, AT_FDCWD, NO_SUCH, 0, 0, NULL);
		break;
	}
	return r < 0 ? -errno : 0;
}

#define UNIT(name, proves, fn, arg)                                                    \
	{                                                                              \
		name, proves, fn, arg, PROBE_UNIT, PROBE_FILE, PROBE_ALWAYS, false     \
	}
#define NAMED(name, proves, nr)                                                        \
	{                                                                              \
		name, proves, probe_name, nr, PROBE_DOOR, PROBE_EPERM, PROBE_SEALED,   \
			false                                                          \
	}

const struct probe_try probe_files[] = {
	UNIT("open-gntdev", "no second way to grants", probe_open, 0),
	UNIT("open-gntalloc", "grants nothing of its own", probe_open, 1),
	UNIT("open-evtchn", "no second way to event channels", probe_open, 2),
	UNIT("open-xenbus", "no second way to xenstore", probe_open, 3),
	UNIT("open-privcmd", "no way to hypercalls", probe_open, 4),
	UNIT("open-proc-xen-privcmd", "nor by the old name", probe_open, 5),
	UNIT("open-proc-xen-xenbus", "nor by the old name", probe_open, 6),
	UNIT("open-mem", "no way to physical memory", probe_open, 7),
	UNIT("write-proc-sys", "no setting of the kernel", probe_open_write, 0),
	UNIT("open-ledgers", "no lock of the keepers", probe_folder, 0),
	UNIT("create-ledger", "no ledger of its own", probe_folder_create, 0),
	UNIT("open-audit-logs", "the record is out of reach", probe_folder, 1),
	UNIT("create-audit-log", "forges no record", probe_folder_create, 1),
	UNIT("policy-file-write", "changes no policy", probe_policy_file, O_WRONLY),
	UNIT("policy-file-read", "reads its policy from the keeper alone",
	     probe_policy_file, O_RDONLY),
	NAMED("openat", "opens nothing", SYS_openat),
	NAMED("openat2", "opens nothing", SYS_openat2),
	NAMED("unlink", "removes nothing", SYS_unlinkat),
	NAMED("rename", "renames nothing", SYS_renameat2),
	NAMED("chmod", "changes no mode", SYS_fchmodat),
	NAMED("mkdir", "makes no folder", SYS_mkdirat),
	NAMED("link", "makes no name", SYS_linkat),
	NAMED("stat", "looks at no name", SYS_statx),
	{0},
};
