/* SPDX-License-Identifier: MIT */
/* Exclusive references as locks on bytes of a file: see ledger.h. */
#include "grant-mem/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

int ledger_open(const char *dir, struct domid client)
{
	char path[256];
	int fd;

	if (snprintf(path, sizeof(path), "%s/dom%u", dir, client.v) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	return fd < 0 ? -errno : fd;
}

/* @len 0: to the end of the file. */
static int set(int fd, short type, off_t start, off_t len)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
}

static int set_runs(int fd, short type, const struct gref *refs, uint32_t n)
{
	int err = 0;

	for (uint32_t i = 0, run; !err && i < n; i += run) {
		run = gref_run(refs + i, n - i);
		err = set(fd, type, refs[i].v, run);
	}
	return err == -EACCES ? -EAGAIN : err;
}

/* [impl->req~references-are-exclusive~1] */
int ledger_lock(int fd, const struct gref *refs, uint32_t n)
{
	return set_runs(fd, F_WRLCK, refs, n);
}

void ledger_unlock(int fd, const struct gref *refs, uint32_t n)
{
	set_runs(fd, F_UNLCK, refs, n);
}

void ledger_unlock_all(int fd)
{
	set(fd, F_UNLCK, 0, 0);
}
