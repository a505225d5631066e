/* SPDX-License-Identifier: MIT */
/*
 * backends/displ/lessor-serve.c and displ-lease.c, between real processes: who is let
 * in, what the one makes of a socket that is somebody else's, and that nobody can keep
 * another one from its connectors. The card is made up.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "backends/displ/displ-lease.h"
#include "backends/displ/displ-scan.h"
#include "tests/front/descriptors.h"
#include "tests/unit/lessor_scene.h"
#include "tests/unit/needs.h"

#define FLOOD	 300
#define STRANGER 4242

static char run[64];
static struct log log_of_client;

static void path_of(const char *name, char path[DISPL_LEASE_PATH])
{
	assert_int_equal(displ_lease_path(run, name, path), 0);
}

static int begin(void **state)
{
	char path[DISPL_LEASE_PATH + 8];

	(void)state;
	scene_begin();
	log_init(&log_of_client, "client");
	log_of_client.burst = 0;
	snprintf(run, sizeof(run), "%s/run", scene_dir);
	mkdir(run, 0755);
	scene_lease("a", "Connector0 = HDMI-A-1 1920x1080\n");
	scene_lease("b", "Connector0 = DP-1 1280x720\n");
	for (unsigned i = 0; i < 2; i++) {
		scene_add(i ? "b" : "a");
		snprintf(path, sizeof(path), "%s/%s", run, i ? "b" : "a");
		mkdir(path, 0711);
	}
	assert_int_equal(lessor_open(&lessor), 0);
	assert_int_equal(lessor_listen(&lessor, run), 0);
	scene_listen(); /* what it says of each lease */
	return 0;
}

static int end(void **state)
{
	(void)state;
	scene_heard();
	lessor_fini(&lessor);
	return 0;
}

/* Turns until there is nothing to do. */
static void turns(void)
{
	for (unsigned i = 0; i < 3 * FLOOD; i++)
		assert_int_equal(lessor_turn(&lessor, 0), 0);
}

/* Serves until @child ends. Its status. */
static int serve(pid_t child)
{
	int status;

	while (!waitpid(child, &status, WNOHANG))
		assert_int_equal(lessor_turn(&lessor, 20), 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int take(const char *name)
{
	char path[DISPL_LEASE_PATH];

	path_of(name, path);
	return displ_lease_take(path, scene_card, &log_of_client);
}

/* Connects, as who asks does. */
static int asks(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	path_of(name, at.sun_path);
	assert_true(fd >= 0);
	if (!connect(fd, (void *)&at, sizeof(at)))
		return fd;
	close(fd);
	return -errno;
}

/* A lease lies there, and is left there. */
static bool has_mail(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};
	char byte;

	return poll(&p, 1, 0) == 1 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

static bool was_hung_up(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0 || errno == ECONNRESET;
}

/* -- Who asks -------------------------------------------------------------- */

static void lends(void **state)
{
	unsigned before = descriptors();
	pid_t child;

	(void)state;
	child = fork();
	if (!child) {
		int fd = take("b");
		char link[32], name[64];
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, name, sizeof(name) - 1);
		name[n < 0 ? 0 : n] = '\0';
		_exit(fd < 0 || strcmp(name, "/memfd:lease.11.31.41. (deleted)") ||
		      fcntl(fd, F_GETFD) != FD_CLOEXEC ||
		      !(fcntl(fd, F_GETFL) & O_NONBLOCK));
	}
	assert_int_equal(serve(child), 0);
	assert_int_equal(drm_fake.leases, 1);
	turns();
	assert_int_equal(descriptors(), before); /* of the lease none is kept */
}

/* A back end of a lease finds what was lent, and all of it. */
static void shows(void **state)
{
	pid_t child;

	(void)state;
	/* That of "b" comes second on the card, and first of what is lent. */
	child = fork();
	if (!child) {
		char path[DISPL_LEASE_PATH], resource[96];
		struct displ_scan_conf conf = {.resource = resource,
					       .policy = &lessor.instance[1].policy,
					       .canvases = 2,
					       .log = &log_of_client,
					       .lease = path};
		struct displ_scan *scan;

		path_of("b", path);
		snprintf(resource, sizeof(resource), "lease:%s", scene_card);
		drm_fake.master = false; /* which it need not be */
		drm_fake.set_master = EACCES;
		if (displ_scan_open(&scan, &conf) || displ_scan_show(scan, 0, 1, 0))
			_exit(1);
		_exit(drm_fake_says(DRM_FAKE_CRTC + 1, "ACTIVE") != 1 ||
		      drm_fake_says(DRM_FAKE_PLANE + 1, "CRTC_ID") !=
			      DRM_FAKE_CRTC + 1 ||
		      drm_fake_says(DRM_FAKE_CONNECTOR + 1, "CRTC_ID") !=
			      DRM_FAKE_CRTC + 1);
	}
	assert_int_equal(serve(child), 0);
}

/* One after the other, each with a life of its own. */
static void successors(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		pid_t child = fork();

		if (!child)
			_exit(take("a") < 0);
		assert_int_equal(serve(child), 0);
	}
	assert_int_equal(drm_fake.leases, 20);
	assert_int_equal(drm_fake.revoked, 19);
}

static void strangers(void **state)
{
	unsigned before = descriptors();
	char folder[128];
	pid_t child;

	(void)state;
	if (!getuid()) {
		chmod(scene_dir, 0755);
		child = fork();
		if (!child)
			_exit(setuid(STRANGER) || take("a") != -ECONNREFUSED);
		assert_int_equal(serve(child), 0);
		assert_int_equal(drm_fake.leases, 0);
		/* The owner of the folder is who may, and root is none. */
		snprintf(folder, sizeof(folder), "%s/a", scene_owners);
		assert_int_equal(chown(folder, STRANGER, STRANGER), 0);
		child = fork();
		if (!child)
			_exit(take("a") != -ECONNREFUSED);
		assert_int_equal(serve(child), 0);
		assert_int_equal(drm_fake.leases, 0);
		child = fork();
		if (!child)
			_exit(setuid(STRANGER) || take("a") < 0);
		assert_int_equal(serve(child), 0);
		assert_int_equal(drm_fake.leases, 1);
		assert_int_equal(chown(folder, 0, 0), 0);
	}
	/* No instance runs: its folder is not there. */
	snprintf(folder, sizeof(folder), "%s/b", scene_owners);
	rmdir(folder);
	child = fork();
	if (!child)
		_exit(take("b") != -ECONNREFUSED);
	assert_int_equal(serve(child), 0);
	turns();
	assert_int_equal(descriptors(), before);
}

static void nothing_to_lend(void **state)
{
	pid_t child;

	(void)state;
	lessor.instance[0].objects = 0;
	child = fork();
	if (!child)
		_exit(take("a") != -EINVAL);
	assert_int_equal(serve(child), 0);
	drm_fake.calls = 0;
	drm_fake.fail = 1;
	drm_fake.error = ENOMEM;
	child = fork();
	if (!child)
		_exit(take("b") != -EIO);
	assert_int_equal(serve(child), 0);
	assert_int_equal(drm_fake.leases, 0);
}

/* -- Who asks and asks ----------------------------------------------------- */

/* As many as there may be, of which none takes anything: one lease is under way, the
 * other instance has what it wants, and what is held does not grow. */
static void flood(void **state)
{
	int fd[FLOOD], other;
	unsigned n = 0, before;

	(void)state;
	before = descriptors();
	for (unsigned i = 0; i < FLOOD; i++) {
		int one = asks("a");

		if (one >= 0)
			fd[n++] = one;
		if (i % 3 == 0)
			assert_int_equal(lessor_turn(&lessor, 0), 0);
	}
	turns();
	assert_int_equal(drm_fake.leases, 1);
	assert_int_equal(descriptors(), before + n + 1);
	assert_true(n > FLOOD / 4 && has_mail(fd[0]));
	for (unsigned i = 1; i < n; i++)
		assert_true(was_hung_up(fd[i]));
	other = asks("b");
	turns();
	assert_true(has_mail(other));
	assert_int_equal(drm_fake.leases, 2);
	/* Who is gone keeps nobody. */
	for (unsigned i = 0; i < n; i++)
		close(fd[i]);
	turns();
	fd[0] = asks("a");
	turns();
	assert_true(has_mail(fd[0]));
	assert_int_equal(drm_fake.leases, 3);
	close(fd[0]);
	close(other);
}

/* Shut, not closed: what was sent lies there still, and is not sent once more. */
static void shut_and_untaken(void **state)
{
	int fd[3];

	(void)state;
	fd[0] = asks("a");
	turns();
	assert_int_equal(shutdown(fd[0], SHUT_RDWR), 0);
	turns();
	fd[1] = asks("a");
	turns();
	assert_int_equal(drm_fake.leases, 1);
	assert_true(was_hung_up(fd[1]));
	/* And it does not end each wait. */
	assert_true(lessor.instance[0].untaken);
	close(fd[0]);
	fd[2] = asks("a");
	turns();
	assert_int_equal(drm_fake.leases, 2);
	assert_true(has_mail(fd[2]));
	close(fd[1]);
	close(fd[2]);
}

/* What is said to it is not even read. */
static void garbage(void **state)
{
	char junk[512];
	int fd = asks("a"), other = asks("b"), sent = 0;

	(void)state;
	memset(junk, 0xa5, sizeof(junk));
	while (send(fd, junk, sizeof(junk), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		sent++;
	assert_true(sent > 1);
	turns();
	while (send(fd, junk, 1 + sent % 7, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		sent++;
	turns();
	assert_true(has_mail(fd) && has_mail(other));
	assert_int_equal(drm_fake.leases, 2);
	close(fd);
	close(other);
}

/* -- What a back end makes of another's socket ----------------------------- */

struct said {
	struct displ_lease_answer answer;
	size_t bytes;
	int fds;
	int want;
};

static int listener_at(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(at.sun_path, path);
	assert_false(bind(fd, (void *)&at, sizeof(at)) || listen(fd, 1));
	return fd;
}

static void say_once(int listener, const struct said *s)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	int passed[2] = {listener, listener};
	union {
		char bytes[CMSG_SPACE(sizeof(passed))];
		struct cmsghdr header;
	} control = {.header = {CMSG_LEN(sizeof(int) * (size_t)s->fds), SOL_SOCKET,
				SCM_RIGHTS}};
	struct iovec iov = {(void *)&s->answer, s->bytes};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	memcpy(CMSG_DATA(&control.header), passed, sizeof(passed));
	if (s->fds) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)s->fds);
	}
	if (s->bytes)
		sendmsg(fd, &msg, 0);
	close(fd);
}

#define ANSWER(m, v, s)                                                                \
	{                                                                              \
		m, v, s, EIO                                                           \
	}
#define GOOD(s) ANSWER(DISPL_LEASE_MAGIC, DISPL_LEASE_VERSION, s)
#define ALL	sizeof(struct displ_lease_answer)

/* A lessor that says @s: the back end takes it as it should, and keeps no descriptor.
 */
static void hears(int listener, const struct said *s)
{
	unsigned before = descriptors();
	pid_t child = fork();

	if (!child) {
		say_once(listener, s);
		_exit(0);
	}
	assert_int_equal(take("a"), s->want);
	assert_int_equal(descriptors(), before);
	waitpid(child, NULL, 0);
}

static void two_descriptors(void **state)
{
	const struct said two = {GOOD(DISPL_LEASE_MADE), ALL, 2, -EPROTO};
	char path[DISPL_LEASE_PATH];
	int listener;

	(void)state;
	if (!needs_ctrunc())
		needs_skip("recvmsg() does not tell of descriptors cut off here");
	path_of("a", path);
	unlink(path);
	listener = listener_at(path);
	hears(listener, &two);
	close(listener);
	unlink(path);
}

static void of_another(void **state)
{
	static const struct said said[] = {
		{GOOD(DISPL_LEASE_MADE), 0, 0, -ECONNRESET},
		{GOOD(DISPL_LEASE_MADE), 1, 1, -EPROTO},
		{GOOD(DISPL_LEASE_MADE), ALL - 1, 1, -EPROTO},
		{GOOD(DISPL_LEASE_MADE), ALL, 0, -EPROTO},
		{ANSWER(7, DISPL_LEASE_VERSION, 0), ALL, 1, -EPROTO},
		{ANSWER(DISPL_LEASE_MAGIC, 2, 0), ALL, 1, -EPROTO},
		{GOOD(DISPL_LEASE_FAILED), ALL, 1, -EPROTO},
		{GOOD(99), ALL, 0, -EPROTO},
		{GOOD(DISPL_LEASE_FAILED), ALL, 0, -EIO},
		{GOOD(DISPL_LEASE_NOT_HAD), ALL, 0, -EINVAL},
		{GOOD(DISPL_LEASE_STRANGER), ALL, 0, -ECONNREFUSED},
	};
	char path[DISPL_LEASE_PATH];
	int listener;

	(void)state;
	path_of("a", path);
	unlink(path);
	listener = listener_at(path);
	for (unsigned i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		hears(listener, &said[i]);
	close(listener);
	assert_int_equal(take("a"), -ECONNREFUSED); /* nobody listens any more */
	unlink(path);
	assert_int_equal(take("a"), -ECONNREFUSED); /* nobody did */
	assert_int_equal(displ_lease_path("/run/xdd-lease", "a", path), 0);
	assert_string_equal(path, "/run/xdd-lease/a/lease");
	assert_int_equal(displ_lease_path("/a/very/long/folder/of/a/test/that/is/in/"
					  "no/place/of/a/driver/domain/and/never/was",
					  "a_very_long_name_of_an_instance", path),
			 -ENAMETOOLONG);
}

/* One that comes anew takes the place of the one before, socket and all. */
static void comes_again(void **state)
{
	int fd;

	(void)state;
	lessor_fini(&lessor);
	scene_begin();
	scene_add("a");
	scene_add("b");
	assert_int_equal(asks("a"), -ECONNREFUSED);
	assert_int_equal(lessor_open(&lessor), 0);
	assert_int_equal(lessor_listen(&lessor, run), 0);
	fd = asks("a");
	turns();
	assert_true(has_mail(fd));
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(lends),
		TEST(shows),
		TEST(successors),
		TEST(strangers),
		TEST(nothing_to_lend),
		TEST(flood),
		TEST(shut_and_untaken),
		TEST(garbage),
		TEST(of_another),
		TEST(two_descriptors),
		TEST(comes_again),
	};

	return cmocka_run_group_tests(tests, scene_make, scene_remove);
}
