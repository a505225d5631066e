/* SPDX-License-Identifier: MIT */
/* What a keeper says to the journal: its fields, which no text can add to, and where
 * the line goes when the journal does not take it. */
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

#include "tests/unit/keeper-asserts.h"

#define REFUSED_ID "MESSAGE_ID=83c874d33e8bff73caaa762c79cd1ed1\n"

static char sent[1024];
static unsigned sends;
static int fail;

ssize_t __wrap_sendto(int fd, const void *bytes, size_t len, int flags,
		      const struct sockaddr *to, socklen_t to_len);

ssize_t __wrap_sendto(int fd, const void *bytes, size_t len, int flags,
		      const struct sockaddr *to, socklen_t to_len)
{
	const struct sockaddr_un *at = (const void *)to;

	(void)fd;
	assert_int_equal(to_len, sizeof(*at));
	assert_string_equal(at->sun_path, "/run/systemd/journal/socket");
	assert_true(flags & MSG_DONTWAIT);
	assert_true(len < sizeof(sent));
	memcpy(sent, bytes, len);
	sent[len] = '\0';
	sends++;
	errno = fail;
	return fail ? -1 : (ssize_t)len;
}

static int setup_journal(void **state)
{
	setup(state);
	setenv("JOURNAL_STREAM", "8:1234", 1);
	keeper_journal(world.k);
	sends = 0;
	fail = 0;
	return 0;
}

static int teardown_journal(void **state)
{
	unsetenv("JOURNAL_STREAM");
	return teardown(state);
}

static void test_fields(void **state)
{
	(void)state;
	keeper_event(world.k, LOG_LEVEL_WARNING, "refused", "map: line %u", 7);
	assert_int_equal(sends, 1);
	assert_string_equal(sent, "PRIORITY=4\n" REFUSED_ID
				  "XDD_EVENT=refused\nXDD_DOMID=3\nMESSAGE="
				  "test d3 xvda: refused: map: line 7\n");
}

static void test_no_client(void **state)
{
	(void)state;
	log_init(&world.k->log, "ivi_disk");
	keeper_journal(world.k);
	keeper_event(world.k, LOG_LEVEL_WARNING, "refused", "map");
	assert_string_equal(sent,
			    "PRIORITY=4\n" REFUSED_ID
			    "XDD_EVENT=refused\nMESSAGE=ivi_disk: refused: map\n");
}

/* A newline would begin a field. */
static void test_one_line(void **state)
{
	char *message;

	(void)state;
	keeper_event(world.k, LOG_LEVEL_WARNING, "refused", "a\nPRIORITY=0\t\x7f\xff");
	message = strstr(sent, "MESSAGE=");
	assert_string_equal(strchr(message, ':'), ": refused: a?PRIORITY=0???\n");
	assert_string_equal(strstr(sent, "XDD_EVENT"),
			    strstr(sent, "XDD_EVENT=refused\n"));
}

static void test_long(void **state)
{
	char text[600];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	keeper_event(world.k, LOG_LEVEL_WARNING, "refused", "%s", text);
	assert_int_equal(sends, 1);
	assert_int_equal(sent[strlen(sent) - 1], '\n');
	assert_non_null(strstr(sent, ": refused: xxxx"));
}

/* Nothing is lost by a journal that is full, and what is no event has no id. */
static void test_fallback(void **state)
{
	int fds[2], err = dup(STDERR_FILENO);
	char line[256] = "";

	(void)state;
	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	fail = EAGAIN;
	keeper_event(world.k, LOG_LEVEL_WARNING, "refused", "map");
	fail = 0;
	assert_int_equal(sends, 1);
	log_line(&world.k->log, LOG_LEVEL_ERROR, "no event");
	assert_int_equal(sends, 1);
	dup2(err, STDERR_FILENO);
	close(err);
	close(fds[1]);
	assert_true(read(fds[0], line, sizeof(line) - 1) > 0);
	close(fds[0]);
	assert_string_equal(line, "<4>test d3 xvda: refused: map\n"
				  "<3>test d3 xvda: no event\n");
}

/* Not systemd's, or not with the journal: what reads standard error is to have it. */
static void test_no_journal(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_init(&world.k->log, "ivi_disk");
	keeper_journal(world.k);
	keeper_event(world.k, LOG_LEVEL_WARNING, "refused", "map");
	assert_int_equal(sends, 0);
}

#define JOURNAL(name)                                                                  \
	cmocka_unit_test_setup_teardown(test_##name, setup_journal, teardown_journal)

int main(void)
{
	const struct CMUnitTest tests[] = {
		JOURNAL(fields), JOURNAL(no_client), JOURNAL(one_line),
		JOURNAL(long),	 JOURNAL(fallback),  JOURNAL(no_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
