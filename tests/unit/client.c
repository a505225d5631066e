/* SPDX-License-Identifier: MIT */
/*
 * The back end's end of the socket, against a scripted keeper: what it takes,
 * and that nothing else is taken for a reply.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "tests/unit/client_pair.h"
#include "tests/unit/needs.h"

static struct pair pair;

static int set_up(void **state)
{
	(void)state;
	pair_init(&pair);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pair_fini(&pair);
	return 0;
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* One UNMAP, the request with the simplest reply. */
static int unmap_call(void)
{
	client_request(&pair.client)->unmap.id = 7;
	return client_call(&pair.client, WIRE_UNMAP, NULL);
}

/* The connection is broken for good, and says why. */
static void assert_broken(int error)
{
	assert_int_equal(pair.client.error, error);
	assert_non_null(pair.client.why);
	assert_int_equal(unmap_call(), error);
	assert_int_equal(client_poll(&pair.client), error);
}

static void request_and_reply(void **state)
{
	(void)state;
	pair_result(&pair, WIRE_UNMAP, WIRE_OK);
	assert_int_equal(unmap_call(), WIRE_OK);
	assert_int_equal(pair_request(&pair),
			 sizeof(struct wire_header) + sizeof(struct wire_unmap));
	assert_int_equal(pair.message.header.type, WIRE_UNMAP);
	assert_int_equal(pair.message.header.result, 0);
	assert_int_equal(pair.message.header.id, pair.client.id);
	assert_int_equal(pair.message.unmap.id, 7);
}

static void ids_grow_and_skip_zero(void **state)
{
	(void)state;
	pair.client.id = UINT32_MAX;
	pair_message(&pair);
	pair_reply_fds(&pair, WIRE_UNMAP, WIRE_OK, 0, NULL, 0, 2); /* 1, not 0 */
	assert_int_equal(unmap_call(), WIRE_OK);
	assert_int_equal(pair.client.id, 1);
}

static void each_failure_comes_through(void **state)
{
	(void)state;
	for (enum wire_result r = WIRE_REFUSED; r <= WIRE_ENOMEM; r++) {
		pair_result(&pair, WIRE_UNMAP, r);
		assert_int_equal(unmap_call(), r);
		pair_request(&pair);
	}
}

static void body_comes_through(void **state)
{
	(void)state;
	pair_message(&pair)->mapped = (struct wire_mapped){4096, 9, 1};
	pair_reply(&pair, WIRE_MAP, WIRE_OK, sizeof(struct wire_mapped));
	client_request(&pair.client)->map.n = 1;
	assert_int_equal(client_call(&pair.client, WIRE_MAP, NULL), WIRE_OK);
	assert_int_equal(pair.client.message.mapped.id, 9);
}

static void wrong_length(void **state)
{
	(void)state;
	pair_message(&pair);
	pair_reply(&pair, WIRE_UNMAP, WIRE_OK, 4);
	assert_int_equal(unmap_call(), -EPROTO);
	assert_broken(-EPROTO);
}

static void short_body(void **state)
{
	(void)state;
	pair_message(&pair);
	pair_reply(&pair, WIRE_MAP, WIRE_OK, sizeof(struct wire_mapped) - 1);
	client_request(&pair.client);
	assert_int_equal(client_call(&pair.client, WIRE_MAP, NULL), -EPROTO);
	assert_broken(-EPROTO);
}

static void failure_with_body(void **state)
{
	(void)state;
	pair_message(&pair);
	pair_reply(&pair, WIRE_MAP, WIRE_REFUSED, sizeof(struct wire_mapped));
	client_request(&pair.client);
	assert_int_equal(client_call(&pair.client, WIRE_MAP, NULL), -EPROTO);
}

static void shorter_than_a_header(void **state)
{
	(void)state;
	assert_int_equal(send(pair.keeper, "abc", 3, 0), 3);
	assert_int_equal(unmap_call(), -EPROTO);
	assert_broken(-EPROTO);
}

static void longer_than_any_message(void **state)
{
	static char big[WIRE_BYTES_MAX * 2];

	(void)state;
	assert_int_equal(send(pair.keeper, big, sizeof(big), 0), sizeof(big));
	assert_int_equal(unmap_call(), -EPROTO);
	assert_broken(-EPROTO);
}

static void wrong_id(void **state)
{
	(void)state;
	pair_message(&pair);
	pair_reply_fds(&pair, WIRE_UNMAP, WIRE_OK, 0, NULL, 0, 2);
	assert_int_equal(unmap_call(), -EPROTO);
	assert_broken(-EPROTO);
}

static void wrong_type(void **state)
{
	(void)state;
	pair_result(&pair, WIRE_REMOVE, WIRE_OK);
	assert_int_equal(unmap_call(), -EPROTO);
	assert_broken(-EPROTO);
}

static void unknown_result(void **state)
{
	(void)state;
	pair_result(&pair, WIRE_UNMAP, (enum wire_result)(WIRE_ENOMEM + 1));
	assert_int_equal(unmap_call(), -EPROTO);
	assert_broken(-EPROTO);
}

static void reply_to_no_request(void **state)
{
	(void)state;
	pair_result(&pair, WIRE_UNMAP, WIRE_OK);
	assert_int_equal(client_poll(&pair.client), -EPROTO);
	assert_broken(-EPROTO);
}

static void keeper_gone(void **state)
{
	(void)state;
	close(pair.keeper);
	pair.keeper = -1;
	assert_int_equal(unmap_call(), -EPIPE);
	assert_broken(-EPIPE);
}

static void keeper_gone_while_idle(void **state)
{
	(void)state;
	close(pair.keeper);
	pair.keeper = -1;
	assert_int_equal(client_poll(&pair.client), -EPIPE);
	assert_broken(-EPIPE);
}

static void keeper_gone_after_request(void **state)
{
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		usleep(20000);
		_exit(0); /* its copy of the socket closes */
	}
	close(pair.keeper);
	pair.keeper = -1;
	pair.client.timeout_ms = 5000;
	int r = unmap_call();

	assert_true(r == -EPIPE || r == -ECONNRESET);
	assert_broken(r);
	waitpid(pid, NULL, 0);
}

static void keeper_silent(void **state)
{
	(void)state;
	assert_int_equal(unmap_call(), -ETIMEDOUT);
	assert_broken(-ETIMEDOUT);
}

/* Snapshots do not put the deadline off. */
static void keeper_chatters(void **state)
{
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		for (int i = 0; i < 100; i++) {
			pair_status(&pair, WIRE_PRESENT, 1, 1);
			usleep(10000);
		}
		_exit(0);
	}
	assert_int_equal(unmap_call(), -ETIMEDOUT);
	waitpid(pid, NULL, 0);
}

/* A keeper that reads nothing: the socket fills, and the wait is bounded. */
static void keeper_does_not_read(void **state)
{
	(void)state;
	while (send(pair.client.fd, &pair.message, 4096, MSG_DONTWAIT) > 0)
		;
	assert_int_equal(unmap_call(), -ETIMEDOUT);
	assert_broken(-ETIMEDOUT);
}

static void snapshot_before_reply(void **state)
{
	(void)state;
	pair_status(&pair, WIRE_PRESENT, 1, 3);
	pair_status(&pair, WIRE_PRESENT | WIRE_ONLINE, 2, 4);
	pair_result(&pair, WIRE_UNMAP, WIRE_OK);
	assert_int_equal(unmap_call(), WIRE_OK);
	assert_true(pair.client.changed);
	assert_int_equal(pair.client.status.generation, 2); /* the newest */
	assert_int_equal(pair.client.status.front, 4);
}

static void snapshot_while_idle(void **state)
{
	struct wire_message *m = pair_message(&pair);

	(void)state;
	assert_int_equal(client_poll(&pair.client), 0);
	assert_false(pair.client.changed);
	m->header.type = WIRE_STATUS;
	m->status.limits.in_flight = 17;
	pair_send_fds(&pair, sizeof(m->status), NULL, 0);
	assert_int_equal(client_poll(&pair.client), 0);
	assert_true(pair.client.changed);
	assert_int_equal(pair.client.limits.in_flight, 17);
}

static void snapshot_of_another_release(void **state)
{
	struct wire_message *m = pair_message(&pair);

	(void)state;
	m->header.type = WIRE_STATUS;
	pair_send_fds(&pair, sizeof(m->status) + 8, NULL, 0);
	assert_int_equal(client_poll(&pair.client), -EPROTO);
	assert_broken(-EPROTO);
}

static void snapshot_with_unknown_flags(void **state)
{
	(void)state;
	pair_status(&pair, 8, 1, 1);
	assert_int_equal(client_poll(&pair.client), -EPROTO);
}

static void t_vq_7_snapshot_with_descriptor(void **state)
{
	struct wire_message *m = pair_message(&pair);
	int fd = 0;
	unsigned before = open_descriptors();

	(void)state;
	m->header.type = WIRE_STATUS;
	pair_send_fds(&pair, sizeof(m->status), &fd, 1);
	assert_int_equal(client_poll(&pair.client), -EPROTO);
	assert_int_equal(open_descriptors(), before);
}

static void descriptor_of_a_bind(void **state)
{
	int sent = 0, got = -1;

	(void)state;
	pair_message(&pair)->bound.port = 5;
	pair_reply_fds(&pair, WIRE_BIND, WIRE_OK, sizeof(struct wire_bound), &sent, 1,
		       1);
	client_request(&pair.client);
	assert_int_equal(client_call(&pair.client, WIRE_BIND, &got), WIRE_OK);
	assert_true(got > 2);
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	close(got);
}

/* Too few, too many, more than fit, or where there should be none. */
static void misfit(enum wire_type type, size_t body, size_t descriptors)
{
	int fds[16] = {0}, got[WIRE_FD_COUNT];
	unsigned before;

	pair_fini(&pair);
	pair_init(&pair);
	before = open_descriptors();
	pair_message(&pair);
	pair_reply_fds(&pair, type, WIRE_OK, body, fds, descriptors, 1);
	client_request(&pair.client);
	assert_int_equal(client_call(&pair.client, type, got), -EPROTO);
	assert_int_equal(open_descriptors(), before);
}

static void t_vq_7_descriptors_in_wrong_number(void **state)
{
	(void)state;
	misfit(WIRE_UNMAP, 0, 1);
	misfit(WIRE_BIND, sizeof(struct wire_bound), 0);
	misfit(WIRE_BIND, sizeof(struct wire_bound), 2);
	misfit(WIRE_HELLO, sizeof(struct wire_welcome), 3);
}

static void t_vq_7_descriptors_cut_off(void **state)
{
	(void)state;
	if (!needs_ctrunc())
		needs_skip("recvmsg() does not tell of descriptors cut off here");
	misfit(WIRE_HELLO, sizeof(struct wire_welcome), 5);
	misfit(WIRE_HELLO, sizeof(struct wire_welcome), 16);
}

static void refused_bind_has_no_descriptor(void **state)
{
	int fd = 0, got[WIRE_FD_COUNT];
	unsigned before = open_descriptors();

	(void)state;
	pair_message(&pair);
	pair_reply_fds(&pair, WIRE_BIND, WIRE_REFUSED, 0, &fd, 1, 1);
	client_request(&pair.client);
	assert_int_equal(client_call(&pair.client, WIRE_BIND, got), -EPROTO);
	assert_int_equal(open_descriptors(), before);
}

static void welcome(const struct wire_welcome *w)
{
	int fds[WIRE_FD_COUNT] = {0};

	pair_message(&pair)->welcome = *w;
	pair_reply_fds(&pair, WIRE_HELLO, WIRE_OK, sizeof(*w), fds, WIRE_FD_COUNT, 1);
}

static void hello(void **state)
{
	(void)state;
	welcome(&(struct wire_welcome){
		.version = 1, .copy_bytes = 8, .policy_bytes = 9});
	assert_int_equal(client_hello(&pair.client, "displ"), 0);
	assert_int_equal(pair.client.copy_bytes, 8);
	assert_int_equal(pair.client.policy_bytes, 9);
	for (int i = 0; i < WIRE_FD_COUNT; i++)
		assert_true(pair.client.fds[i] > 2);
	pair_request(&pair);
	assert_int_equal(pair.message.hello.version_min, WIRE_VERSION_MIN);
	assert_int_equal(pair.message.hello.version_max, WIRE_VERSION_MAX);
	assert_memory_equal(pair.message.hello.class, "displ\0\0", 8);
}

static void hello_refused(void **state)
{
	(void)state;
	pair_result(&pair, WIRE_HELLO, WIRE_VERSION);
	assert_int_equal(client_hello(&pair.client, "blk"), WIRE_VERSION);
	assert_int_equal(client_hello(&pair.client, "too long a class"), -EINVAL);
}

static void hello_of_another_release(void **state)
{
	(void)state;
	welcome(&(struct wire_welcome){.version = WIRE_VERSION_MAX + 1});
	assert_int_equal(client_hello(&pair.client, "blk"), -EPROTO);
	assert_broken(-EPROTO);
}

static void hello_with_unknown_fields(void **state)
{
	(void)state;
	welcome(&(struct wire_welcome){.version = 1, .reserved = {0, 0, 1}});
	assert_int_equal(client_hello(&pair.client, "blk"), -EPROTO);
}

static void connect_errors(void **state)
{
	struct client c;
	char path[200];

	(void)state;
	assert_int_equal(client_connect(&c, "/tmp/xdd-none/keeper"), -ENOENT);
	assert_int_equal(client_connect(&c, "/dev/null"), -ECONNREFUSED);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(client_connect(&c, path), -ENAMETOOLONG);
	assert_int_equal(c.fd, -1);
}

/* In a child, since it takes the numbers 3 to 7 over. */
static int leave_and_adopt(void)
{
	static struct client c;
	static char text[64];
	int copy = memfd_create("copy", 0), policy = memfd_create("policy", 0);
	int ro = open("/dev/null", O_RDONLY);

	pair.client.copy_bytes = 4096;
	pair.client.policy_bytes = 6;
	pair.client.fds[WIRE_FD_GNTDEV_RW] = open("/dev/null", O_RDWR);
	pair.client.fds[WIRE_FD_GNTDEV_RO] = ro;
	pair.client.fds[WIRE_FD_COPY] = copy;
	pair.client.fds[WIRE_FD_POLICY] = policy;
	if (ftruncate(copy, 4096) || write(policy, "policy", 6) != 6)
		return 1;
	pair_message(&pair)->begin.limits.in_flight = 3;
	memset(pair.message.begin.digest, 0xab, 32);
	pair.client.id = 0; /* the adopter counts from here */
	pair_reply(&pair, WIRE_BEGIN, WIRE_OK, sizeof(struct wire_begin));
	if (client_leave(&pair.client, "t_disk"))
		return 2;
	if (fcntl(8, F_GETFD) >= 0 || fcntl(3, F_GETFD) != 0)
		return 3;
	if (client_adopt(&c))
		return 4;
	if (c.limits.in_flight != 3 || c.digest[31] != 0xab || c.copy_bytes != 4096)
		return 5;
	if (client_policy(&c, text, sizeof(text)) != 6 || memcmp(text, "policy", 6))
		return 6;
	if (client_policy(&c, text, 5) != -E2BIG)
		return 7;
	if (fcntl(7, F_GETFD) != FD_CLOEXEC)
		return 8;
	/* Not its heir: another process number. */
	setenv(CLIENT_ENV_PID, "1", 1);
	if (client_adopt(&c) != -EPROTO || !c.why)
		return 9;
	client_fini(&c);
	return 0;
}

/* With one descriptor that is not what it should be. */
static int adopt_wrong(int number, int flags)
{
	static struct client c;
	char pid[16];
	int pipes[2];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv(CLIENT_ENV_INSTANCE, "t_disk", 1);
	setenv(CLIENT_ENV_PID, pid, 1);
	setenv(CLIENT_ENV_COPY, "0", 1);
	setenv(CLIENT_ENV_POLICY, "0", 1);
	if (pipe(pipes))
		return 1;
	dup2(pair.client.fd, 3);
	for (int fd = CLIENT_FD_FIRST; fd < CLIENT_FD_END; fd++) {
		int opened = open("/dev/null", fd == 5 ? O_RDONLY : O_RDWR);

		if (opened != fd)
			dup2(opened, fd);
	}
	if (flags < 0)
		close(number);
	else
		dup2(flags == O_RDONLY ? pipes[0] : pipes[1], number);
	return client_adopt(&c) == -EPROTO && c.why ? 0 : 2;
}

static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(fn());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int adopt_no_socket(void)
{
	return adopt_wrong(3, O_RDONLY);
}

static int adopt_no_gntdev(void)
{
	return adopt_wrong(4, -1);
}

static int adopt_readonly_gntdev(void)
{
	return adopt_wrong(4, O_RDONLY);
}

static int adopt_writable_readonly(void)
{
	return adopt_wrong(5, O_WRONLY);
}

static int adopt_no_policy(void)
{
	return adopt_wrong(7, -1);
}

static void handover(void **state)
{
	(void)state;
	assert_int_equal(in_child(leave_and_adopt), 0);
	assert_int_equal(in_child(adopt_no_socket), 0);
	assert_int_equal(in_child(adopt_no_gntdev), 0);
	assert_int_equal(in_child(adopt_readonly_gntdev), 0);
	assert_int_equal(in_child(adopt_writable_readonly), 0);
	assert_int_equal(in_child(adopt_no_policy), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(request_and_reply),
		TEST(ids_grow_and_skip_zero),
		TEST(each_failure_comes_through),
		TEST(body_comes_through),
		TEST(wrong_length),
		TEST(short_body),
		TEST(failure_with_body),
		TEST(shorter_than_a_header),
		TEST(longer_than_any_message),
		TEST(wrong_id),
		TEST(wrong_type),
		TEST(unknown_result),
		TEST(reply_to_no_request),
		TEST(keeper_gone),
		TEST(keeper_gone_while_idle),
		TEST(keeper_gone_after_request),
		TEST(keeper_silent),
		TEST(keeper_chatters),
		TEST(keeper_does_not_read),
		TEST(snapshot_before_reply),
		TEST(snapshot_while_idle),
		TEST(snapshot_of_another_release),
		TEST(snapshot_with_unknown_flags),
		TEST(t_vq_7_snapshot_with_descriptor),
		TEST(descriptor_of_a_bind),
		TEST(t_vq_7_descriptors_in_wrong_number),
		TEST(t_vq_7_descriptors_cut_off),
		TEST(refused_bind_has_no_descriptor),
		TEST(hello),
		TEST(hello_refused),
		TEST(hello_of_another_release),
		TEST(hello_with_unknown_fields),
		TEST(connect_errors),
		TEST(handover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
