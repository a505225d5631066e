/* SPDX-License-Identifier: MIT */
/* What systemd hears: by path, by abstract name, or nothing at all. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/notify.h"

/* Listen at @name; '@' in front: an abstract one. */
static int listen_at(const char *name)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	socklen_t len =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));

	strcpy(addr.sun_path, name);
	if (name[0] == '@')
		addr.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	return fd;
}

static void assert_heard(const char *name)
{
	struct notify n;
	char text[32] = "";
	int fd = listen_at(name);

	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_open(&n), 0);
	notify_send(&n, "READY=1");
	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), 7);
	assert_string_equal(text, "READY=1");
	close(fd);
	notify_send(&n, "STATUS=nobody listens any more"); /* nor does it matter */
	notify_close(&n);
	assert_int_equal(n.fd, -1);
}

static void by_path(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/xdd-notify-%d", (int)getpid());
	assert_heard(path);
	unlink(path);
}

static void by_abstract_name(void **state)
{
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "@xdd-notify-%d", (int)getpid());
	assert_heard(name);
}

/* A full queue does not hold us up. */
static void not_read(void **state)
{
	struct notify n;
	char name[64];
	int fd;

	(void)state;
	snprintf(name, sizeof(name), "@xdd-notify-full-%d", (int)getpid());
	fd = listen_at(name);
	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_open(&n), 0);
	for (int i = 0; i < 100000; i++)
		notify_send(&n, "WATCHDOG=1");
	notify_close(&n);
	close(fd);
}

static void without_systemd(void **state)
{
	struct notify n;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_open(&n), 0);
	notify_send(&n, "READY=1");
	notify_close(&n);
}

static void out_of_reach(void **state)
{
	struct notify n;
	char path[200];

	(void)state;
	setenv("NOTIFY_SOCKET", "/tmp/xdd-none/notify", 1);
	assert_int_equal(notify_open(&n), -ENOENT);
	assert_int_equal(n.fd, -1);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	setenv("NOTIFY_SOCKET", path, 1);
	assert_int_equal(notify_open(&n), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_path),	cmocka_unit_test(by_abstract_name),
		cmocka_unit_test(not_read),	cmocka_unit_test(without_systemd),
		cmocka_unit_test(out_of_reach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
