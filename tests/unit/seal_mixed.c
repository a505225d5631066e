/* SPDX-License-Identifier: MIT */
/* The last door of who has a PCM that mixes: what it leaves, and no more. */
#include <sound/asound.h>
#include <sys/sem.h>
#include <time.h>

#include "tests/unit/seal_scene.h"

/* Its timer's three as well, of a type that terminals have. */
static bool ioctl_is_mixed(uint32_t cmd)
{
	return ioctl_is_last(cmd) || cmd == SNDRV_TIMER_IOCTL_PARAMS ||
	       cmd == SNDRV_TIMER_IOCTL_START || cmd == SNDRV_TIMER_IOCTL_STOP;
}

static int ioctl_mixed(void)
{
	static const uint32_t upper[] = {0, 0x0004, 0x4004, 0x8004, 0xc004, 0x4050};

	CHECK(!seal_first() && !seal_last_mixed());
	for (size_t u = 0; u < sizeof(upper) / sizeof(upper[0]); u++)
		for (uint32_t low = 0; low < 0x10000; low++)
			for (size_t h = 0; h < HIGH_COUNT; h++) {
				uint32_t cmd = upper[u] << 16 | low;

				if (ioctl_refused(high_halves[h] | cmd) ==
				    ioctl_is_mixed(cmd))
					return 1;
			}
	CHECK(ioctl_refused(TIOCSTI));
	return 0;
}

/* What alsa-lib locks with works on, and is given up with its process. */
static int lock_mixed(void)
{
	struct sembuf down[] = {{0, 0, IPC_NOWAIT}, {0, 1, SEM_UNDO | IPC_NOWAIT}};
	struct sembuf up = {0, -1, SEM_UNDO | IPC_NOWAIT};
	int lock = semget(IPC_PRIVATE, 1, 0600), status = 1;
	pid_t pid;

	CHECK(lock >= 0 && !seal_first());
	pid = fork();
	if (!pid)
		_exit(seal_last_mixed() || semop(lock, down, 2) ||
		      semop(lock, &up, 1) || semtimedop(lock, down, 2, NULL));
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && !status);
	CHECK(!semop(lock, down, 2) && !semctl(lock, 0, IPC_RMID));
	return 0;
}

/* No memory and no semaphore is to be had that was not before. */
static int last_mixed(void)
{
	static const long calls[] = {
		SYS_shmget, SYS_shmat,	SYS_shmdt,  SYS_shmctl, SYS_semget, SYS_semctl,
		SYS_msgget, SYS_msgsnd, SYS_openat, SYS_socket, SYS_clone,  SYS_mremap,
	};

	CHECK(!seal_first() && !seal_last_mixed());
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!refused(syscall(calls[i], -1, -1, -1, -1, -1, -1))) {
			fprintf(stderr, "system call %ld\n", calls[i]);
			return 1;
		}
	return 0;
}

CASE(ioctl_mixed)
CASE(lock_mixed)
CASE(last_mixed)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ioctl_mixed),
		cmocka_unit_test(test_lock_mixed),
		cmocka_unit_test(test_last_mixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
