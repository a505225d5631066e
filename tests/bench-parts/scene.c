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

#include "grant-mem/client.h"
#include "grant-mem/seal.h"
#include "tests/bench-parts/scene.h"

#define SCENE_BYTES   ((size_t)SCENE_PAGES * XEN_PAGE_BYTES)
#define SCENE_DEVICE  51712 /* xvda */
#define SCENE_CLIENT  2
#define SCENE_WAIT_MS 60000 /* for a back end that runs under a slow tool */
#define SCENE_WORDS   32

static _Noreturn void scene_die(const char *what)
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

/* -- The keeper ----------------------------------------------------------- */

/* A request and its reply, in place. */
struct scene_call {
	struct scene *scene;
	struct wire_message in, out;
	int fd; /* that goes with the reply, or -1 */
};

static const char *scene_key(const struct scene *s, const char *key)
{
	const struct scene_key *k = s->conf.front;

	while (k->key && strcmp(k->key, key))
		k++;
	return k->value;
}

static struct wire_limits scene_limits(void)
{
	const struct policy_rate much = {1ull << 40, 1ull << 40};

	return (struct wire_limits){1024, 0, much, much, much};
}

static enum wire_result answer_begin(struct scene_call *call)
{
	call->out.begin.limits = scene_limits();
	return WIRE_OK;
}

static enum wire_result scene_mapped(struct scene_call *call, uint32_t first,
				     uint32_t n)
{
	uint32_t page = first - SCENE_FIRST_REF;

	if (page >= SCENE_PAGES || n > SCENE_PAGES - page)
		return WIRE_BAD;
	call->out.mapped.index = (uint64_t)page * XEN_PAGE_BYTES;
	call->out.mapped.pages = n;
	return WIRE_OK;
}

static enum wire_result answer_map(struct scene_call *call)
{
	const struct wire_map *map = &call->in.map;

	for (uint32_t i = 1; i < map->n; i++) {
		if (map->ref[i].v != map->ref[0].v + i)
			scene_die("a map of pages that do not lie in one piece");
	}
	return scene_mapped(call, map->ref[0].v, map->n);
}

static enum wire_result answer_map_ring(struct scene_call *call)
{
	const char *ref = scene_key(call->scene, call->in.map_ring.key[0]);

	if (!ref)
		return WIRE_ABSENT;
	return scene_mapped(call, (uint32_t)atoi(ref), call->in.map_ring.n);
}

static void scene_fire(struct scene *s)
{
	uint32_t port = SCENE_PORT;

	s->masked = true;
	s->pending = false;
	if (send(s->events, &port, sizeof(port), MSG_NOSIGNAL) < 0)
		scene_die("the back end is gone");
}

static enum wire_result answer_bind(struct scene_call *call)
{
	call->fd = call->scene->theirs[1];
	call->out.bound.port = SCENE_PORT;
	call->scene->bound = true;
	return WIRE_OK;
}

static enum wire_result answer_read(struct scene_call *call)
{
	const struct wire_read *read = &call->in.read;
	const char *value = NULL;

	if (read->side == STORE_FRONT)
		value = scene_key(call->scene, read->key);
	else if (!strcmp(read->key, "mode"))
		value = "w";
	if (!value)
		return WIRE_ABSENT;
	strncpy(call->out.value.value, value, WIRE_VALUE_BYTES - 1);
	return WIRE_OK;
}

static enum wire_result answer_write(struct scene_call *call)
{
	if (!strcmp(call->in.write.key, "state"))
		call->scene->back_state = (uint32_t)atoi(call->in.write.value);
	return WIRE_OK;
}

static enum wire_result answer_yes(struct scene_call *call)
{
	(void)call;
	return WIRE_OK;
}

static const struct scene_answer {
	enum wire_result (*answer)(struct scene_call *call);
	size_t body; /* of a good reply */
} scene_answers[] = {
	[WIRE_BEGIN] = {answer_begin, sizeof(struct wire_begin)},
	[WIRE_MAP] = {answer_map, sizeof(struct wire_mapped)},
	[WIRE_MAP_RING] = {answer_map_ring, sizeof(struct wire_mapped)},
	[WIRE_UNMAP] = {answer_yes, 0},
	[WIRE_BIND] = {answer_bind, sizeof(struct wire_bound)},
	[WIRE_UNBIND] = {answer_yes, 0},
	[WIRE_READ] = {answer_read, sizeof(struct wire_value)},
	[WIRE_WRITE] = {answer_write, 0},
	[WIRE_REMOVE] = {answer_yes, 0},
};

static void scene_send(struct scene *s, struct wire_message *m, size_t body, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.align = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec iov = {m, sizeof(m->header) + body};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	if (sendmsg(s->keeper, &msg, MSG_NOSIGNAL) < 0)
		scene_die("the back end is gone");
}

static void scene_snapshot(struct scene *s, enum store_state front)
{
	struct wire_message m = {.header.type = WIRE_STATUS};

	m.status = (struct wire_status){
		.flags = WIRE_PRESENT | WIRE_ONLINE,
		.generation = 1,
		.frontend = SCENE_CLIENT,
		.device = SCENE_DEVICE,
		.front = front,
		.back = s->back_state,
		.limits = scene_limits(),
	};
	scene_send(s, &m, sizeof(m.status), -1);
}

static void scene_answer(struct scene *s)
{
	static struct scene_call call;
	bool was_bound = s->bound;
	uint16_t type;

	memset(&call, 0, sizeof(call));
	call.scene = s;
	call.fd = -1;
	if (recv(s->keeper, &call.in, sizeof(call.in), 0) <= 0)
		scene_die("the back end is gone");
	s->calls++;
	type = call.in.header.type;
	if (type >= sizeof(scene_answers) / sizeof(scene_answers[0]) ||
	    !scene_answers[type].answer)
		scene_die("the back end asks for what is not offered");
	call.out.header = call.in.header;
	call.out.header.result = (uint16_t)scene_answers[type].answer(&call);
	scene_send(s, &call.out, call.out.header.result ? 0 : scene_answers[type].body,
		   call.fd);
	/* Xen makes a freshly bound port pending. */
	if (s->bound && !was_bound)
		scene_fire(s);
}

/* -- The event channel ---------------------------------------------------- */

void scene_kick(struct scene *s)
{
	if (s->masked)
		s->pending = true;
	else
		scene_fire(s);
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
	s->masked = false;
	if (s->pending)
		scene_fire(s);
	return false;
}

/* -- What the client's side waits for ------------------------------------- */

/* True if the back end notified. */
static bool scene_turn(struct scene *s)
{
	struct pollfd p[] = {{s->events, POLLIN, 0}, {s->keeper, POLLIN, 0}};

	errno = 0;
	if (scene_good(poll(p, 2, SCENE_WAIT_MS), "poll") == 0)
		scene_die("the back end hangs");
	if (p[1].revents)
		scene_answer(s);
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
	scene_snapshot(s, state);
}

uint8_t *scene_page(struct scene *s, unsigned page)
{
	return s->pages + (size_t)page * XEN_PAGE_BYTES;
}

/* -- The process ---------------------------------------------------------- */

static _Noreturn void scene_exec(struct scene *s)
{
	char words[512], *argv[SCENE_WORDS], *rest = words;
	struct client c;
	int n = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(words, sizeof(words), "%s", s->conf.under ? s->conf.under : "");
	while (n < SCENE_WORDS - 3 && (argv[n] = strsep(&rest, " ")))
		n += *argv[n] != '\0';
	argv[n++] = (char *)s->conf.back;
	argv[n++] = (char *)SCENE_NAME;
	argv[n] = NULL;
	/* As xdd-enter leaves it, at its fixed numbers. */
	client_init(&c, s->theirs[0]);
	c.fds[WIRE_FD_GNTDEV_RW] = s->memory;
	c.fds[WIRE_FD_GNTDEV_RO] = s->memory_ro;
	c.fds[WIRE_FD_COPY] = s->copy;
	c.fds[WIRE_FD_POLICY] = s->policy;
	c.policy_bytes = strlen(s->conf.policy);
	setenv(SCENE_ENV_COUNT, s->count_path, 1);
	unsetenv(SCENE_ENV_OPEN);
	if (s->conf.under)
		setenv(SCENE_ENV_OPEN, "1", 1);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("RUNTIME_DIRECTORY");
	if (!client_leave(&c, SCENE_NAME) && (s->conf.under || !seal_first()))
		execvp(argv[0], argv);
	perror("bench: the back end does not start");
	_exit(127);
}

static void scene_memory(struct scene *s)
{
	const char *policy = s->conf.policy;
	char path[64];

	s->memory =
		scene_good(memfd_create("bench-client", MFD_CLOEXEC), "memory file");
	scene_good(ftruncate(s->memory, (off_t)SCENE_BYTES), "memory file");
	s->pages = mmap(NULL, SCENE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			s->memory, 0);
	if (s->pages == MAP_FAILED)
		scene_die("memory file");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->memory);
	s->memory_ro = scene_good(open(path, O_RDONLY | O_CLOEXEC), path);
	s->copy = scene_good(memfd_create("bench-copy", MFD_CLOEXEC), "memory file");
	s->policy =
		scene_good(memfd_create("bench-policy", MFD_CLOEXEC), "memory file");
	if (write(s->policy, policy, strlen(policy)) != (ssize_t)strlen(policy))
		scene_die("policy");
}

/* The back end opens it by this process's name for it. */
static void scene_count(struct scene *s)
{
	void *page;

	s->count = scene_good(memfd_create("bench-count", MFD_CLOEXEC), "memory file");
	scene_good(ftruncate(s->count, XEN_PAGE_BYTES), "memory file");
	page = mmap(NULL, XEN_PAGE_BYTES, PROT_READ, MAP_SHARED, s->count, 0);
	if (page == MAP_FAILED)
		scene_die("memory file");
	s->allocations = page;
	snprintf(s->count_path, sizeof(s->count_path), "/proc/%d/fd/%d", getpid(),
		 s->count);
}

void scene_open(struct scene *s, const struct scene_conf *conf)
{
	int keeper[2], events[2];

	*s = (struct scene){.conf = *conf, .back_state = STORE_INITIALISING};
	scene_memory(s);
	scene_count(s);
	scene_good(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, keeper),
		   "socket");
	scene_good(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, events),
		   "socket");
	s->keeper = keeper[0];
	s->events = events[0];
	s->theirs[0] = keeper[1];
	s->theirs[1] = events[1];
	s->back = scene_good(fork(), "fork");
	if (!s->back)
		scene_exec(s);
	close(s->theirs[0]);
}

void scene_close(struct scene *s)
{
	int status;

	/* A tool may keep a signal back for long; a hang-up always comes through. */
	if (s->conf.under)
		shutdown(s->keeper, SHUT_RDWR);
	else
		kill(s->back, SIGTERM);
	/* It may still ask its keeper while it drains. */
	while (!waitpid(s->back, &status, WNOHANG)) {
		struct pollfd p = {s->keeper, POLLIN, 0};

		if (poll(&p, 1, 10) == 1 && (p.revents & POLLIN) &&
		    recv(s->keeper, &(char){0}, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
			scene_answer(s);
		else
			usleep(1000);
	}
	if (status && !s->conf.under)
		scene_die("the back end did not end well");
	munmap((void *)s->allocations, XEN_PAGE_BYTES);
	munmap(s->pages, SCENE_BYTES);
	close(s->keeper);
	close(s->events);
	close(s->theirs[1]);
	close(s->memory);
	close(s->memory_ro);
	close(s->copy);
	close(s->policy);
	close(s->count);
}
