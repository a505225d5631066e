/* SPDX-License-Identifier: MIT */
/*
 * How a connection begins: xdd-enter connects and receives, then hands over
 * across exec by fixed numbers and a few names in the environment.
 * [impl->req~what-is-handed-over~1]
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/number.h"
#include "grant-mem/client.h"

int client_connect(struct client *c, const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, r;

	client_init(c, -1);
	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	c->fd = fd;
	return 0;
}

int client_hello(struct client *c, const char *class)
{
	struct wire_message *m = client_request(c);
	const struct wire_welcome *w = &c->message.welcome;
	size_t len = strlen(class);
	int r;

	if (len > sizeof(m->hello.class))
		return -EINVAL;
	m->hello.version_min = WIRE_VERSION_MIN;
	m->hello.version_max = WIRE_VERSION_MAX;
	memcpy(m->hello.class, class, len);
	r = client_call(c, WIRE_HELLO, c->fds);
	if (r)
		return r;
	if (w->version < WIRE_VERSION_MIN || w->version > WIRE_VERSION_MAX)
		return client_misfit(c, "the keeper speaks a version that we do not");
	if (w->reserved[0] || w->reserved[1] || w->reserved[2] ||
	    w->copy_bytes > SIZE_MAX / 2 || w->policy_bytes > SIZE_MAX / 2)
		return client_misfit(c,
				     "the keeper sent a welcome that we cannot read");
	c->copy_bytes = w->copy_bytes;
	c->policy_bytes = w->policy_bytes;
	return 0;
}

/* Two steps, since a source may stand where another one has to go. */
static int client_place(struct client *c)
{
	int lifted[1 + WIRE_FD_COUNT];

	for (int i = 0; i < 1 + WIRE_FD_COUNT; i++) {
		lifted[i] = fcntl(i ? c->fds[i - 1] : c->fd, F_DUPFD, CLIENT_FD_END);
		if (lifted[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 1 + WIRE_FD_COUNT; i++)
		if (dup2(lifted[i], CLIENT_SOCKET + i) < 0)
			return -errno;
	return close_range(CLIENT_FD_END, ~0U, 0) < 0 ? -errno : 0;
}

static int client_export(const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return setenv(name, text, 1) < 0 ? -errno : 0;
}

int client_leave(struct client *c, const char *instance)
{
	int r = client_place(c);

	if (!r && setenv(CLIENT_ENV_INSTANCE, instance, 1) < 0)
		r = -errno;
	if (!r)
		r = client_export(CLIENT_ENV_PID, (uint64_t)getpid());
	if (!r)
		r = client_export(CLIENT_ENV_COPY, c->copy_bytes);
	if (!r)
		r = client_export(CLIENT_ENV_POLICY, c->policy_bytes);
	return r;
}

static bool client_import(const char *name, uint64_t max, uint64_t *out)
{
	const char *text = getenv(name);

	return text && number_parse(text, strlen(text), max, out);
}

/* Are they what xdd-enter promised? A program started otherwise may hold
 * anything at these numbers. */
static const char *client_inspect(const struct client *c)
{
	static const int modes[WIRE_FD_COUNT] = {
		[WIRE_FD_GNTDEV_RW] = O_RDWR,
		[WIRE_FD_GNTDEV_RO] = O_RDONLY,
		[WIRE_FD_COPY] = O_RDWR,
		[WIRE_FD_POLICY] = -1, /* its seal matters, not its mode */
	};
	int type = 0;
	socklen_t len = sizeof(type);
	struct stat st;

	if (getsockopt(c->fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET)
		return "descriptor 3 is not the keeper's socket";
	for (int i = 0; i < WIRE_FD_COUNT; i++) {
		int flags = fcntl(c->fds[i], F_GETFL);

		if (flags < 0)
			return "one of the descriptors 4 to 7 is not open";
		if (modes[i] >= 0 && (flags & O_ACCMODE) != modes[i])
			return "one of the descriptors 4 to 6 is open in the wrong "
			       "mode";
	}
	if (fstat(c->fds[WIRE_FD_COPY], &st) < 0 ||
	    (uint64_t)st.st_size < c->copy_bytes)
		return "descriptor 6 is not the memory file for copies";
	if (fstat(c->fds[WIRE_FD_POLICY], &st) < 0 ||
	    (uint64_t)st.st_size < c->policy_bytes)
		return "descriptor 7 is not the policy";
	return NULL;
}

int client_begin(struct client *c)
{
	int r;

	client_request(c);
	r = client_call(c, WIRE_BEGIN, NULL);
	if (r > 0)
		return client_misfit(
			c, "the keeper did not let us begin; its log says why");
	if (r < 0)
		return r;
	memcpy(c->digest, c->message.begin.digest, sizeof(c->digest));
	c->limits = c->message.begin.limits;
	return 0;
}

int client_adopt(struct client *c)
{
	uint64_t pid;
	const char *wrong;

	client_init(c, -1);
	if (!getenv(CLIENT_ENV_INSTANCE) ||
	    !client_import(CLIENT_ENV_PID, INT32_MAX, &pid) ||
	    pid != (uint64_t)getpid() ||
	    !client_import(CLIENT_ENV_COPY, SIZE_MAX / 2, &c->copy_bytes) ||
	    !client_import(CLIENT_ENV_POLICY, SIZE_MAX / 2, &c->policy_bytes)) {
		client_misfit(
			c, "not started by xdd-enter: run it as xdd-enter NAME -- ...");
		return c->error;
	}
	c->fd = CLIENT_SOCKET;
	for (int i = 0; i < WIRE_FD_COUNT; i++)
		c->fds[i] = CLIENT_FD_FIRST + i;
	wrong = client_inspect(c);
	if (wrong)
		return client_misfit(c, wrong);
	for (int fd = CLIENT_SOCKET; fd < CLIENT_FD_END; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	return client_begin(c);
}
