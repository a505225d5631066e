/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench-parts/calls.h"

#define CALLS_TRACING "/sys/kernel/tracing"
#define CALLS_ID      CALLS_TRACING "/events/raw_syscalls/sys_enter/id"

/* The tracepoint's number, or a negative errno. */
static long calls_id(void)
{
	char text[24] = "";
	int fd = open(CALLS_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 && errno == ENOENT && !unshare(CLONE_NEWNS) &&
	    !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	    !mount("tracefs", CALLS_TRACING, "tracefs", 0, NULL))
		fd = open(CALLS_ID, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? atol(text) : -EIO;
}

int calls_open(pid_t pid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
	};
	long id = calls_id();
	long fd;

	if (id < 0)
		return (int)id;
	attr.config = (uint64_t)id;
	fd = syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : (int)fd;
}

uint64_t calls_read(int counter)
{
	uint64_t count = 0;
	ssize_t n = read(counter, &count, sizeof(count));

	assert(n == sizeof(count));
	return count;
}
