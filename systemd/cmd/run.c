/* SPDX-License-Identifier: MIT */
#include "systemd/cmd/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

extern char **environ;

/* The child's process; or a negative errno. @to: its standard output, or -1: ours. */
static pid_t start(const char *const *argv, int to)
{
	posix_spawn_file_actions_t actions;
	pid_t pid = 0;
	int err;

	if (posix_spawn_file_actions_init(&actions))
		return -ENOMEM;
	err = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
					       O_RDONLY, 0);
	if (!err && to >= 0)
		err = posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
	if (!err)
		err = posix_spawnp(&pid, argv[0], &actions, NULL,
				   (char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err ? -err : pid;
}

/* Until @fd is ready, but not past @end. */
static int ready(int fd, uint64_t end)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint64_t now = clock_now();
	int n;

	if (now >= end)
		return -ETIME;
	n = poll(&p, 1, (int)((end - now) / CLOCK_MS) + 1);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n;
}

/* To the end of what is printed. */
static int read_all(int fd, uint64_t end, char *out, size_t size)
{
	size_t len = 0;
	ssize_t n;
	int r;

	for (;;) {
		r = ready(fd, end);
		if (r < 0)
			return r;
		if (!r)
			continue;
		n = read(fd, out + len, size - len);
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (len == size)
			return -E2BIG;
		out[len] = '\0';
		if (!n)
			return 0;
	}
}

/* Its exit status; it is killed where @err says so, or when the time is over. */
static int finish(pid_t pid, uint64_t end, int err)
{
	int pidfd = pidfd_open(pid, 0), status = 0;

	while (!err && pidfd >= 0) {
		int r = ready(pidfd, end);

		if (r > 0)
			break;
		err = r;
	}
	if (err)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pidfd >= 0)
		close(pidfd);
	if (err)
		return err;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run(const char *const *argv, unsigned seconds, char *out, size_t size)
{
	uint64_t end = clock_now() + seconds * CLOCK_SECOND;
	int pipe[2] = {-1, -1}, err = 0;
	pid_t pid;

	if (out && pipe2(pipe, O_CLOEXEC))
		return -errno;
	pid = start(argv, pipe[1]);
	if (out)
		close(pipe[1]);
	if (pid > 0 && out)
		err = read_all(pipe[0], end, out, size);
	if (out)
		close(pipe[0]);
	return pid > 0 ? finish(pid, end, err) : (int)pid;
}
