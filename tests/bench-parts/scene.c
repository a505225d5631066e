/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench-parts/scene.h"

#define SCENE_WAIT_MS 60000 /* for a back end that runs under a slow tool */
#define SCENE_WORDS   32

_Noreturn void scene_die(const char *what)
{
	fprintf(stderr, "bench: %s (%s)\n", what, strerror(errno));
	exit(1);
}

static int scene_good(int r, const char *what)
{
	if (r < 0)
		scene_die(what);
	return r;
}

/* -- The event channel ---------------------------------------------------- */

static struct scene_port *scene_port(struct scene *s, uint32_t port)
{
	if (port - SCENE_PORT >= SCENE_PORTS)
		scene_die("the back end speaks of a port that is none");
	return &s->port[port - SCENE_PORT];
}

static void scene_fire(struct scene *s, uint32_t port)
{
	struct scene_port *p = scene_port(s, port);

	p->masked = true;
	p->pending = false;
	if (send(s->events, &port, sizeof(port), MSG_NOSIGNAL) < 0)
		scene_die("the back end is gone");
}

void scene_kick(struct scene *s)
{
	struct scene_port *p = scene_port(s, SCENE_PORT);

	if (p->masked)
		p->pending = true;
	else
		scene_fire(s, SCENE_PORT);
}

static void scene_unmask(struct scene *s, uint32_t port)
{
	struct scene_port *p = scene_port(s, port);

	/* A keeper that has bound a port unmasks it; Xen makes it pending. */
	p->pending |= !p->bound;
	p->bound = true;
	p->masked = false;
	if (p->pending)
		scene_fire(s, port);
}

/* True if it was a NOTIFY; else ports were unmasked. */
static bool scene_event(struct scene *s)
{
	uint32_t word[32];
	ssize_t n = recv(s->events, word, sizeof(word), 0);

	if (n <= 0)
		scene_die("the back end is gone");
	if (n == 2 * sizeof(word[0]) && word[1] == SCENE_NOTIFY)
		return true;
	for (size_t i = 0; i < (size_t)n / sizeof(word[0]); i++)
		scene_unmask(s, word[i]);
	return false;
}

/* -- What the client's side waits for ------------------------------------- */

/* True if the back end notified. */
static bool scene_turn(struct scene *s)
{
	struct pollfd p[] = {{s->events, POLLIN, 0}, {s->store, POLLIN, 0}};

	errno = 0;
	if (scene_good(poll(p, 2, SCENE_WAIT_MS), "poll") == 0)
		scene_die("the back end hangs");
	if (p[1].revents)
		scene_store_answer(s);
	return p[0].revents && scene_event(s);
}

void scene_wait(struct scene *s)
{
	while (!scene_turn(s))
		;
}

void scene_until(struct scene *s, enum store_state state)
{
	while (s->back_state != state)
		scene_turn(s);
}

void scene_front(struct scene *s, enum store_state state)
{
	s->front_state = state;
	scene_store_fire(s);
}

uint8_t *scene_page(struct scene *s, unsigned page)
{
	return s->pages + (size_t)page * XEN_PAGE_BYTES;
}

/* -- The processes --------------------------------------------------------- */

const char *scene_beside(const char *name, char path[SCENE_PATH])
{
	ssize_t n = readlink("/proc/self/exe", path, SCENE_PATH - 56);

	if (n < 0)
		scene_die("/proc/self/exe");
	path[n] = '\0';
	strcpy(strrchr(path, '/') + 1, name);
	return path;
}

static void scene_setenv(const char *name, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	setenv(name, text, 1);
}

static void scene_path(const char *name, int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	setenv(name, path, 1);
}

/* What both programs find, in the environment. */
static void scene_environment(const struct scene *s)
{
	scene_path(SCENE_ENV_COUNT, s->count);
	scene_path(SCENE_ENV_MEMORY, s->memory);
	scene_setenv(SCENE_ENV_STORE, s->theirs[0]);
	scene_setenv(SCENE_ENV_EVENTS, s->theirs[1]);
	setenv("RUNTIME_DIRECTORY", s->dir, 1);
	setenv("LOGS_DIRECTORY", s->dir, 1);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("LISTEN_FDS");
	unsetenv("WATCHDOG_USEC");
	if (s->conf.under)
		setenv(SCENE_ENV_OPEN, "1", 1);
	else
		unsetenv(SCENE_ENV_OPEN);
}

static pid_t scene_start(char **argv, const int *keep)
{
	pid_t pid = scene_good(fork(), "fork");

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned i = 0; keep && i < 2; i++)
		fcntl(keep[i], F_SETFD, 0);
	execvp(argv[0], argv);
	fprintf(stderr, "bench: %s does not start (%s)\n", argv[0], strerror(errno));
	_exit(127);
}

static void scene_keeper(struct scene *s)
{
	char *argv[] = {(char *)s->conf.keeper, (char *)SCENE_NAME,
			(char *)"--policy-dir", s->dir, NULL};

	s->keeper = scene_start(argv, s->theirs);
}

/* By xdd-enter, which waits for the keeper's socket. */
static void scene_back(struct scene *s)
{
	char words[512], path[64], *argv[SCENE_WORDS], *rest = words;
	char *way[] = {(char *)s->conf.enter,
		       (char *)"--class",
		       (char *)s->conf.class,
		       (char *)"--socket",
		       path,
		       (char *)SCENE_NAME,
		       (char *)"--"};
	int n = sizeof(way) / sizeof(way[0]);

	memcpy(argv, way, sizeof(way));
	snprintf(path, sizeof(path), "%s/keeper", s->dir);
	snprintf(words, sizeof(words), "%s", s->conf.under ? s->conf.under : "");
	while (n < SCENE_WORDS - 3 && (argv[n] = strsep(&rest, " ")))
		n += *argv[n] != '\0';
	argv[n++] = (char *)s->conf.back;
	argv[n++] = (char *)SCENE_NAME;
	argv[n] = NULL;
	s->back = scene_start(argv, NULL);
}

static void scene_policy(struct scene *s)
{
	char path[64];
	FILE *f;

	strcpy(s->dir, "/tmp/xdd-bench-XXXXXX");
	if (!mkdtemp(s->dir))
		scene_die(s->dir);
	snprintf(path, sizeof(path), "%s/" SCENE_NAME ".policy", s->dir);
	f = fopen(path, "we");
	if (!f || fputs(s->conf.policy, f) < 0 || fclose(f))
		scene_die(path);
}

static void *scene_file(size_t bytes, int prot, int *fd)
{
	void *at;

	*fd = scene_good(memfd_create("bench", MFD_CLOEXEC), "memory file");
	scene_good(ftruncate(*fd, (off_t)bytes), "memory file");
	at = mmap(NULL, bytes, prot, MAP_SHARED, *fd, 0);
	if (at == MAP_FAILED)
		scene_die("memory file");
	return at;
}

void scene_open(struct scene *s, const struct scene_conf *conf)
{
	int store[2], events[2];

	*s = (struct scene){.conf = *conf,
			    .front_state = STORE_INITIALISING,
			    .back_state = STORE_INITIALISING};
	s->pages = scene_file(SCENE_BYTES, PROT_READ | PROT_WRITE, &s->memory);
	s->counts = scene_file(XEN_PAGE_BYTES, PROT_READ, &s->count);
	scene_policy(s);
	scene_good(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, store),
		   "socket");
	scene_good(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, events),
		   "socket");
	s->store = store[0];
	s->events = events[0];
	s->theirs[0] = store[1];
	s->theirs[1] = events[1];
	/* The keeper reads it until there is nothing more. */
	fcntl(s->theirs[0], F_SETFL, O_NONBLOCK);
	scene_environment(s);
	scene_keeper(s);
	scene_back(s);
}

/* The keeper goes on asking its xenstored meanwhile. */
static void scene_reap(struct scene *s, pid_t pid, const char *what)
{
	struct pollfd p = {s->store, POLLIN, 0};
	int status;

	while (!waitpid(pid, &status, WNOHANG)) {
		if (poll(&p, 1, 1) == 1 && (p.revents & POLLIN) &&
		    recv(s->store, &(char){0}, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
			scene_store_answer(s);
		else
			usleep(1000);
	}
	if (status && !s->conf.under)
		scene_die(what);
}

void scene_close(struct scene *s)
{
	char command[64];

	/* A tool may keep a signal back for long; a hang-up always comes through. */
	kill(s->conf.under ? s->keeper : s->back, SIGTERM);
	scene_reap(s, s->back, "the back end did not end well");
	kill(s->keeper, SIGTERM);
	scene_reap(s, s->keeper, "the keeper did not end well");
	munmap((void *)s->counts, XEN_PAGE_BYTES);
	munmap(s->pages, SCENE_BYTES);
	close(s->store);
	close(s->events);
	close(s->theirs[0]);
	close(s->theirs[1]);
	close(s->memory);
	close(s->count);
	snprintf(command, sizeof(command), "rm -rf %s", s->dir);
	if (system(command))
		scene_die(s->dir);
}
