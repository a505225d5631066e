/* SPDX-License-Identifier: MIT */
/*
 * Who starts what how: a back end with a keeper's policy and no xdd-enter, and
 * one of Isolation = domain behind it. Both say what to do, and leave with the
 * status after which no unit tries again. The test plays the keeper.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "grant-mem/client.h"

#define POLICY(isolation)                                                              \
	"Format = 1\n[Backend]\nClass = blk\nResource = null:1M\n" isolation           \
	"[Client]\nDomain = 3\nDevice = xvda\n[Limits]\nInFlight = 1\n"                \
	"Operations = 1/s burst 1\nBytes = 1M/s burst 1M\nEvents = 10/s burst 10\n"
#define DOMAIN "Isolation = domain\n"

static const char *program;
static char dir[32], said[8192];
static int out[2];

static int set_up(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/xdd-isolation-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	return 0;
}

static int tear_down(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/t.policy", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/audit.log", dir);
	unlink(path);
	rmdir(dir);
	close(out[0]);
	return 0;
}

static void put_policy(const char *text)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/t.policy", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* In the child: what xdd-enter leaves (grant-mem/client.h). */
static void leave(int socket, const char *policy)
{
	struct client c;
	int fd = memfd_create("gntdev", 0);
	char path[32];

	client_init(&c, socket);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	c.fds[WIRE_FD_GNTDEV_RW] = fd;
	c.fds[WIRE_FD_GNTDEV_RO] = open(path, O_RDONLY);
	c.fds[WIRE_FD_COPY] = memfd_create("copy", 0);
	c.fds[WIRE_FD_POLICY] = memfd_create("policy", 0);
	c.policy_bytes = strlen(policy);
	if (write(c.fds[WIRE_FD_POLICY], policy, strlen(policy)) < 0 ||
	    client_leave(&c, "t"))
		_exit(99);
}

/* Its exit status; what it said is in said[]. @policy: behind xdd-enter. */
static int run(const char *policy)
{
	struct wire_message m;
	int pair[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair),
			 0);
	pid = fork();
	if (!pid) {
		dup2(out[1], STDERR_FILENO);
		if (policy)
			leave(pair[1], policy);
		execl(program, program, "t", "--policy-dir", dir, NULL);
		_exit(99);
	}
	close(out[1]);
	close(pair[1]);
	if (policy) { /* WIRE_BEGIN */
		assert_true(recv(pair[0], &m, sizeof(m), 0) > 0);
		m.begin = (struct wire_begin){.limits = {.in_flight = 1}};
		send(pair[0], &m, sizeof(m.header) + sizeof(m.begin), MSG_NOSIGNAL);
	}
	while ((n = read(out[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	said[len] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(pair[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_said(const char *what)
{
	if (!strstr(said, what))
		fail_msg("not said: %s; but: %s", what, said);
}

static void process_without_enter(void **state)
{
	(void)state;
	put_policy(POLICY(""));
	assert_int_equal(run(NULL), 2);
	assert_said("Isolation = process");
	assert_said("start it through its unit, xdd-blk@t");
}

static void no_policy_without_enter(void **state)
{
	(void)state;
	assert_int_equal(run(NULL), 2);
	assert_said("t.policy:0: cannot be read");
	assert_said("start it through its unit, xdd-blk@t");
}

static void bad_policy_without_enter(void **state)
{
	(void)state;
	put_policy(POLICY(DOMAIN "Colour = red\n"));
	assert_int_equal(run(NULL), 2);
	assert_said("t.policy:6: ");
}

static void domain_behind_enter(void **state)
{
	(void)state;
	assert_int_equal(run(POLICY(DOMAIN)), 2);
	assert_said("start it through its unit, xdd-blk-domain@t");
}

/* It gets as far as the Xen devices, which are not here. */
static void domain_without_enter(void **state)
{
	(void)state;
	if (!access("/dev/xen/gntdev", F_OK))
		skip();
	put_policy(POLICY(DOMAIN));
	setenv("LOGS_DIRECTORY", dir, 1);
	assert_int_equal(run(NULL), 1);
	assert_said("the Xen devices cannot be opened");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(process_without_enter),	TEST(no_policy_without_enter),
		TEST(bad_policy_without_enter), TEST(domain_behind_enter),
		TEST(domain_without_enter),
	};

	assert_true(argc == 2);
	program = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
