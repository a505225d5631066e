/* SPDX-License-Identifier: MIT */
/*
 * bed-agent.c - runs the control domain's commands inside a domain of the bed.
 *
 * What it is: the far end of bed-on. `bed-agent` waits for jobs and starts
 * `bed-agent job JOB` for each of them; that process runs the command and
 * carries its output back. It is a test helper: it does whatever it is told.
 *
 * 1. One xenstore connection per job: a long job holds up no other.
 * 2. A job ends when its shell has ended and the pipe is empty, not when the
 *    pipe is closed: a command may leave a daemon behind.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xenstore.h>

#include "bed-proto.h"

struct job {
	struct xs_handle *xs;
	const char *id;
	unsigned int seq;   /* pieces written */
	unsigned int acked; /* pieces consumed at the far end */
	pid_t pid;
	int out; /* the command's output */
	int pidfd;
};

static char *node_read(struct xs_handle *xs, const char *id, const char *leaf,
		       unsigned int *len)
{
	char path[96];

	snprintf(path, sizeof(path), "bed/%s/%s", id, leaf);
	return xs_read(xs, XBT_NULL, path, len);
}

static bool node_write(struct xs_handle *xs, const char *id, const char *leaf,
		       const char *data, size_t len)
{
	char path[96];

	snprintf(path, sizeof(path), "bed/%s/%s", id, leaf);
	return xs_write(xs, XBT_NULL, path, data, (unsigned int)len);
}

/* False when the node is gone: the job was cancelled. */
static bool node_number(struct xs_handle *xs, const char *id, const char *leaf,
			unsigned int *number)
{
	char *text = node_read(xs, id, leaf, NULL);

	if (!text)
		return false;
	*number = (unsigned int)strtoul(text, NULL, 10);
	free(text);
	return true;
}

static struct job *running; /* by this process, if it is a job's */

/* Tells the far end too, which would wait for ever. */
static void die(const char *what)
{
	char text[32];

	fprintf(stderr, "bed-agent: %s: %s\n", what, strerror(errno));
	if (running && running->xs) {
		snprintf(text, sizeof(text), "%u %d", running->seq, BED_BROKEN);
		node_write(running->xs, running->id, "end", text, strlen(text));
	}
	exit(BED_BROKEN);
}

static char *job_command(struct job *job)
{
	unsigned int pieces, i, len;
	size_t size = 0;
	char *cmd;

	if (!node_number(job->xs, job->id, "go", &pieces))
		exit(0);
	cmd = malloc((size_t)pieces * BED_CHUNK + 1);
	if (!cmd)
		die("command");
	for (i = 0; i < pieces; i++) {
		char leaf[32], *part;

		snprintf(leaf, sizeof(leaf), "cmd/%u", i);
		part = node_read(job->xs, job->id, leaf, &len);
		if (!part || len > BED_CHUNK)
			exit(0);
		memcpy(cmd + size, part, len);
		size += len;
		free(part);
	}
	cmd[size] = '\0';
	return cmd;
}

static void job_start(struct job *job)
{
	char *cmd = job_command(job);
	int fds[2], null;

	if (pipe2(fds, O_CLOEXEC))
		die("pipe");
	job->pid = fork();
	if (job->pid < 0)
		die("fork");
	if (job->pid == 0) {
		setsid();
		null = open("/dev/null", O_RDONLY);
		dup2(null, 0);
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close_range(3, ~0U, 0);
		execl("/bin/sh", "sh", "-c", cmd, NULL);
		_exit(127);
	}
	close(fds[1]);
	free(cmd);
	job->out = fds[0];
	fcntl(job->out, F_SETFL, O_NONBLOCK);
	job->pidfd = (int)syscall(SYS_pidfd_open, job->pid, 0);
	if (job->pidfd < 0)
		die("pidfd_open");
}

static bool job_window_open(const struct job *job)
{
	return job->seq < job->acked + BED_WINDOW;
}

/* Moves one piece. False when there was none to move. */
static bool job_piece(struct job *job)
{
	char data[BED_CHUNK + 16], leaf[32];
	int head = snprintf(data, 16, "%u:", job->seq);
	ssize_t got;

	got = read(job->out, data + head, BED_CHUNK);
	if (got <= 0)
		return false;
	snprintf(leaf, sizeof(leaf), "out/%u", job->seq % BED_WINDOW);
	if (!node_write(job->xs, job->id, leaf, data, (size_t)(head + got)))
		die("output");
	job->seq++;
	return true;
}

static void job_cancel(struct job *job)
{
	kill(-job->pid, SIGKILL);
	exit(0);
}

static void job_events(struct job *job)
{
	unsigned int go;
	char **event;

	while ((event = xs_check_watch(job->xs)))
		free(event);
	if (!node_number(job->xs, job->id, "go", &go) ||
	    !node_number(job->xs, job->id, "ack", &job->acked))
		job_cancel(job);
}

static void job_end(struct job *job)
{
	char text[48];
	int status;

	if (waitpid(job->pid, &status, 0) < 0)
		die("waitpid");
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	snprintf(text, sizeof(text), "%u %d", job->seq, status);
	node_write(job->xs, job->id, "end", text, strlen(text));
}

static int job_run(const char *id)
{
	struct job job = {.id = id, .xs = xs_open(0)};
	bool dead = false, closed = false;
	char path[96];

	running = &job;
	signal(SIGCHLD, SIG_DFL);
	if (!job.xs)
		die("xenstore");
	snprintf(path, sizeof(path), "bed/%s", id);
	if (!xs_watch(job.xs, path, "job"))
		die("watch");
	job_start(&job);
	for (;;) {
		struct pollfd fds[3] = {
			{.fd = xs_fileno(job.xs), .events = POLLIN},
			{.fd = dead ? -1 : job.pidfd, .events = POLLIN},
			{.fd = -1, .events = POLLIN},
		};

		if (job_window_open(&job)) {
			if (job_piece(&job))
				continue;
			if (dead)
				break;
			fds[2].fd = closed ? -1 : job.out;
		}
		if (poll(fds, 3, -1) < 0)
			die("poll");
		if (fds[0].revents)
			job_events(&job);
		if (fds[1].revents)
			dead = true;
		/* Closed by a command that lives on: wait for its end alone. */
		if (fds[2].revents == POLLHUP)
			closed = true;
	}
	job_end(&job);
	return 0;
}

static void agent_take(struct xs_handle *xs, const char *id)
{
	unsigned int len = 0;
	char *go, *taken;

	go = node_read(xs, id, "go", NULL);
	if (!go)
		return;
	free(go);
	taken = node_read(xs, id, "taken", &len);
	free(taken);
	if (!taken || len)
		return;
	if (!node_write(xs, id, "taken", "1", 1))
		return;
	if (fork() == 0) {
		execl("/proc/self/exe", "bed-agent", "job", id, NULL);
		_exit(127);
	}
}

static void agent_scan(struct xs_handle *xs)
{
	unsigned int count = 0, i;
	char **ids = xs_directory(xs, XBT_NULL, "bed", &count);

	for (i = 0; i < count; i++)
		agent_take(xs, ids[i]);
	free(ids);
}

int main(int argc, char **argv)
{
	struct xs_handle *xs;
	unsigned int count;
	char **event;

	if (argc == 3 && !strcmp(argv[1], "job"))
		return job_run(argv[2]);
	signal(SIGCHLD, SIG_IGN);
	xs = xs_open(0);
	if (!xs || !xs_watch(xs, "bed", "bed"))
		die("xenstore");
	while ((event = xs_read_watch(xs, &count))) {
		const char *leaf = strrchr(event[XS_WATCH_PATH], '/');

		/* The first event names the watch itself, and so does the first
		 * one in a new domain after a restore: look at all. */
		if (!leaf && !xs_write(xs, XBT_NULL, BED_READY, "ready", 5))
			die(BED_READY);
		if (!leaf || !strcmp(leaf, "/go"))
			agent_scan(xs);
		free(event);
	}
	die("watch");
}
