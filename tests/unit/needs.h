/* SPDX-License-Identifier: MIT */
/*
 * What a test needs of the machine and may not find, as under an emulator of
 * user programs: found out by trying, never by the machine's name. What is left
 * out says so with "# SKIP" and why, and is counted.
 */
#ifndef XDD_TEST_NEEDS_H
#define XDD_TEST_NEEDS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#define NEEDS_SKIPPED 77 /* an exit status, to meson */

/* False only where there is no such call: one that is forbidden is a failure. */
static inline bool needs_io_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL) >= 0 || errno != ENOSYS;
}

/* False where a message's descriptors are cut off and MSG_CTRUNC does not say so. */
static inline bool needs_ctrunc(void)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {0};
	struct iovec iov = {&(char){0}, 1};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int pair[2];

	*cmsg = (struct cmsghdr){CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	memcpy(CMSG_DATA(cmsg), pair, sizeof(pair));
	assert_int_equal(sendmsg(pair[0], &msg, 0), 1);
	msg.msg_controllen = CMSG_SPACE(0);
	assert_int_equal(recvmsg(pair[1], &msg, 0), 1);
	close(pair[0]);
	close(pair[1]);
	return msg.msg_flags & MSG_CTRUNC;
}

/* Leave out a whole program; its exit status. */
static inline int needs_skip_all(const struct CMUnitTest *tests, size_t n,
				 const char *why)
{
	for (size_t i = 0; i < n; i++)
		printf("ok - %s # SKIP %s\n", tests[i].name, why);
	return NEEDS_SKIPPED;
}

/* Leave out the test that calls this. */
#define needs_skip(why)                                                                \
	do {                                                                           \
		print_message("# SKIP %s\n", why);                                     \
		skip();                                                                \
	} while (0)

#endif
