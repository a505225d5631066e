/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the two doors share: a child that shuts them for real, and what it
 * may ask the kernel behind them.
 *
 * What a filter lets through fails all the same for its made-up arguments
 * (EBADF, EFAULT), so "EPERM or not" is the whole question.
 */
#ifndef XDD_SEAL_SCENE_H
#define XDD_SEAL_SCENE_H

#include <errno.h>
#include <linux/if_tun.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "grant-mem/seal.h"

#define HIGH_COUNT (sizeof(high_halves) / sizeof(high_halves[0]))

/* What a hostile process may put above an int argument. */
static const uint64_t high_halves[] = {
	0, 1ULL << 32, 0xffffffffULL << 32, 0x4504ULL << 32, 1ULL << 63,
};

/* Run @fn in a child; its result is the child's exit status, or 128 and the
 * signal that killed it. */
static inline int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Fail in a child: say what, return 1. */
#define CHECK(cond)                                                                    \
	do {                                                                           \
		if (!(cond)) {                                                         \
			fprintf(stderr, "line %d: %s (errno %d)\n", __LINE__, #cond,   \
				errno);                                                \
			return 1;                                                      \
		}                                                                      \
	} while (0)

static inline bool refused(long r)
{
	return r == -1 && errno == EPERM;
}

static inline bool ioctl_refused(uint64_t cmd)
{
	return refused(syscall(SYS_ioctl, -1, cmd, NULL));
}

/* The ioctls that seal_last() leaves. */
static inline bool ioctl_is_last(uint32_t cmd)
{
	return cmd == SEAL_EVTCHN_NOTIFY || cmd == TUNSETOFFLOAD ||
	       cmd == TUNSETCARRIER || cmd == SEAL_DRM_MODE_ATOMIC ||
	       (uint8_t)(cmd >> 8) == 'A';
}

#define CASE(name)                                                                     \
	static void test_##name(void **state)                                          \
	{                                                                              \
		(void)state;                                                           \
		assert_int_equal(in_child(name), 0);                                   \
	}

#endif
