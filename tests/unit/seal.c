/* SPDX-License-Identifier: MIT */
/*
 * The two doors, shut for real: each case forks, seals the child and tries.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <liburing.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/loop.h"
#include "common/notify.h"
#include "grant-mem/seal.h"
#include "tests/unit/seal_abi.h"
#include "tests/unit/seal_scene.h"

static bool ioctl_should_be_refused(uint32_t cmd)
{
	uint8_t type = (uint8_t)(cmd >> 8);

	if (cmd == 0x8901 || cmd == 0x8902) /* FIOSETOWN, SIOCSPGRP */
		return true;
	return type == 'G' || type == 'P' || (type == 'E' && cmd != SEAL_EVTCHN_NOTIFY);
}

static int ioctl_mistake(uint32_t cmd)
{
	for (size_t h = 0; h < HIGH_COUNT; h++)
		if (ioctl_refused(high_halves[h] | cmd) !=
		    ioctl_should_be_refused(cmd)) {
			fprintf(stderr, "ioctl %#x, upper half %#llx\n", cmd,
				(unsigned long long)(high_halves[h] >> 32));
			return 1;
		}
	return 0;
}

/* Every type and number, with the sizes and directions of Xen's own calls. */
static int ioctl_types_and_numbers(void)
{
	static const uint32_t upper[] = {0,	 0x0004, 0x0018, 0x0010, 0x4004,
					 0x8004, 0xc018, 0x0084, 0xffff};

	CHECK(!seal_first());
	for (uint32_t low = 0; low < 0x10000; low++)
		for (size_t u = 0; u < sizeof(upper) / sizeof(upper[0]); u++)
			if (ioctl_mistake(upper[u] << 16 | low))
				return 1;
	return 0;
}

/* Every size and direction of type 'E' number 4: NOTIFY is one of them. */
static int ioctl_like_notify(void)
{
	CHECK(!seal_first());
	for (uint32_t upper = 0; upper < 0x10000; upper++)
		if (ioctl_mistake(upper << 16 | (SEAL_EVTCHN_NOTIFY & 0xffff)))
			return 1;
	return 0;
}

/* Behind the last door nothing but NOTIFY is left, and what a tap's owner may ask of
 * that tap, a PCM's of that PCM, and a card's to show what it has; of any type. */
static int ioctl_last(void)
{
	static const uint32_t upper[] = {0x0004, 0x4004, 0x8004, 0xc004, 0xc038};

	CHECK(!seal_first() && !seal_last());
	for (uint32_t i = 0; i < 0x10000 * 5; i++)
		for (size_t h = 0; h < HIGH_COUNT; h++) {
			uint32_t cmd = upper[i >> 16] << 16 | (i & 0xffff);

			if (ioctl_refused(high_halves[h] | cmd) == ioctl_is_last(cmd))
				return 1;
		}
	return 0;
}

static int mappings_first(void)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t high = 1ULL << 32;

	CHECK(page != MAP_FAILED && !seal_first());
	CHECK(refused(mprotect(page, 4096, PROT_READ | PROT_WRITE)));
	CHECK(refused(mprotect(page, 4096, PROT_READ | PROT_EXEC)));
	CHECK(refused(mprotect(page, 4096, PROT_WRITE)));
	CHECK(refused(syscall(SYS_mprotect, page, 4096, high | PROT_WRITE)));
	CHECK(refused(syscall(SYS_pkey_mprotect, page, 4096, PROT_WRITE, -1)));
	CHECK(refused(syscall(SYS_pkey_mprotect, page, 4096, PROT_EXEC, -1)));
	CHECK(mremap(page, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED && errno == EPERM);
	CHECK(refused(syscall(SYS_remap_file_pages, page, 4096, 0, 0, 0)));
	CHECK(!mprotect(page, 4096, PROT_READ)); /* RELRO */
	CHECK(!mprotect(page, 4096, PROT_NONE));
	/* The loader of the next program needs this one. */
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0) != MAP_FAILED);
	return 0;
}

static int mappings_last(void)
{
	CHECK(!seal_first() && !seal_last());
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0) == MAP_FAILED &&
	      errno == EPERM);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		   0) != MAP_FAILED);
	return 0;
}

/* The parent stands for the keeper: a process of the same user. */
static int neighbours_first(void)
{
	pid_t keeper = getppid();
	struct rlimit lim = {0};
	struct sched_param param = {0};
	cpu_set_t cpus;
	uint64_t high = 1ULL << 32;

	CPU_ZERO(&cpus);
	CHECK(!seal_first());
	CHECK(refused(kill(keeper, 0)));
	CHECK(refused(syscall(SYS_tkill, keeper, 0)));
	CHECK(refused(syscall(SYS_tgkill, keeper, keeper, 0)));
	CHECK(refused(syscall(SYS_tgkill, high | (uint64_t)keeper, keeper, 0)));
	CHECK(!syscall(SYS_tgkill, getpid(), getpid(), 0));
	CHECK(refused(syscall(SYS_rt_sigqueueinfo, keeper, 0, NULL)));
	CHECK(refused(syscall(SYS_rt_tgsigqueueinfo, keeper, keeper, 0, NULL)));
	CHECK(refused(syscall(SYS_pidfd_send_signal, -1, 0, NULL, 0)));
	CHECK(refused(fcntl(0, F_SETOWN, keeper)));
	CHECK(refused(syscall(SYS_fcntl, 0, high | F_SETOWN, keeper)));
	CHECK(refused(fcntl(0, F_SETSIG, SIGKILL)));
	CHECK(refused(fcntl(0, F_SETOWN_EX, NULL)));
	CHECK(refused(ioctl(0, FIOSETOWN, &keeper)));
	CHECK(refused(prlimit(keeper, RLIMIT_NOFILE, &lim, NULL)));
	CHECK(!prlimit(0, RLIMIT_CORE, &lim, NULL));
	CHECK(refused(sched_setaffinity(keeper, sizeof(cpus), &cpus)));
	CHECK(refused(sched_setscheduler(keeper, SCHED_IDLE, &param)));
	CHECK(!sched_setscheduler(0, SCHED_OTHER, &param));
	CHECK(refused(setpriority(PRIO_PROCESS, (id_t)keeper, 19)));
	CHECK(refused(setpriority(PRIO_USER, 0, 19)));
	CHECK(!setpriority(PRIO_PROCESS, 0, 19));
	CHECK(refused(syscall(SYS_ioprio_set, 1, keeper, 0)));
	CHECK(refused(syscall(SYS_ptrace, 16, keeper, 0, 0)));
	CHECK(refused(syscall(SYS_process_vm_readv, keeper, NULL, 0, NULL, 0, 0)));
	CHECK(refused(syscall(SYS_process_vm_writev, keeper, NULL, 0, NULL, 0, 0)));
	CHECK(refused(syscall(SYS_pidfd_getfd, -1, 0, 0)));
	CHECK(refused(syscall(SYS_kcmp, keeper, keeper, 0, 0, 0)));
	return 0;
}

static int others_first(void)
{
	static const long calls[] = {
		SYS_sendmsg,	   SYS_sendmmsg,	SYS_unshare,
		SYS_setns,	   SYS_mount,		SYS_umount2,
		SYS_pivot_root,	   SYS_chroot,		SYS_open_tree,
		SYS_move_mount,	   SYS_mount_setattr,	SYS_fsopen,
		SYS_fsconfig,	   SYS_fsmount,		SYS_fspick,
		SYS_add_key,	   SYS_request_key,	SYS_keyctl,
		SYS_bpf,	   SYS_perf_event_open, SYS_userfaultfd,
		SYS_init_module,   SYS_finit_module,	SYS_delete_module,
		SYS_kexec_load,	   SYS_reboot,		SYS_swapon,
		SYS_swapoff,	   SYS_sethostname,	SYS_settimeofday,
		SYS_clock_settime, SYS_adjtimex,	SYS_acct,
		SYS_personality,   SYS_syslog,		SYS_fanotify_init,
		SYS_setdomainname, SYS_process_madvise, SYS_open_by_handle_at,
	};

	CHECK(!seal_first());
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!refused(syscall(calls[i], -1, -1, -1, -1, -1, -1))) {
			fprintf(stderr, "system call %ld\n", calls[i]);
			return 1;
		}
	CHECK(syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS);
	CHECK(refused(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)));
	CHECK(refused(syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0)));
	return 0;
}

/* What a class program still does between the doors. */
static int between_doors(void)
{
	pid_t pid;

	CHECK(!seal_first());
	CHECK(open("/dev/null", O_RDWR) >= 0);
	CHECK(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	CHECK(malloc(1 << 24) != NULL);
	pid = fork();
	if (!pid)
		_exit(0);
	CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
	return 0;
}

static int last_refuses(void)
{
	static const long calls[] = {
		SYS_openat,
		SYS_openat2,
		SYS_socket,
		SYS_socketpair,
		SYS_connect,
		SYS_bind,
		SYS_accept4,
		SYS_execve,
		SYS_execveat,
		SYS_clone,
		SYS_unlinkat,
		SYS_renameat2,
		SYS_fchmodat,
		SYS_mkdirat,
		SYS_dup,
		SYS_dup3,
		SYS_fcntl,
		SYS_memfd_create,
		SYS_prctl,
		SYS_seccomp,
		SYS_setuid,
		SYS_capset,
		SYS_ptrace,
		SYS_io_uring_setup,
		SYS_mprotect,
		SYS_mremap,
		SYS_sendmsg,
		SYS_newfstatat,
		SYS_prlimit64,
		SYS_setsockopt,
		SYS_shmat,
		SYS_semop,
		SYS_semtimedop,
		SYS_pidfd_open,
		SYS_eventfd2,
		SYS_timerfd_create,
		SYS_process_vm_readv,
		SYS_kill,
		9999, /* and what is not invented yet */
	};

	CHECK(!seal_first() && !seal_last());
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!refused(syscall(calls[i], -1, -1, -1, -1, -1, -1))) {
			fprintf(stderr, "system call %ld\n", calls[i]);
			return 1;
		}
	for (unsigned op = 0; op < 64; op++)
		CHECK(refused(syscall(SYS_io_uring_register, -1, op, NULL, 0)) ==
		      (op != IORING_REGISTER_FILES_UPDATE));
	CHECK(refused(syscall(SYS_sendto, -1, "", 0, 0, 1UL << 32, 0)));
	CHECK(refused(syscall(SYS_tgkill, getppid(), getppid(), 0)));
	return 0;
}

static void turn_done(struct loop_op *op, int res)
{
	(void)op;
	assert(res == 5);
}

/* What serving does, all of it, behind both doors. */
static int last_serves(void)
{
	struct loop loop;
	struct loop_op op = {.done = turn_done};
	struct notify notify = {-1};
	char buf[8];
	int pair[2], pipes[2], disk = memfd_create("disk", 0);

	CHECK(!seal_first());
	CHECK(write(disk, "bytes", 5) == 5);
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) && !pipe(pipes));
	CHECK(!loop_init(&loop, 8) && !loop_seal(&loop));
	CHECK(!seal_last());
	notify_send(&notify, "READY=1");
	CHECK(!loop_set_file(&loop, LOOP_FILE_KEEPER, pipes[0]));
	CHECK(write(pipes[1], "hello", 5) == 5);
	loop_read(&loop, &op, LOOP_FILE_KEEPER, buf, sizeof(buf));
	CHECK(!loop_turn(&loop, true) && !op.busy);
	CHECK(send(pair[0], "x", 1, MSG_NOSIGNAL) == 1);
	CHECK(recv(pair[1], buf, 1, 0) == 1);
	CHECK(lseek(disk, 0, SEEK_END) == 5 && !lseek(disk, 0, SEEK_SET));
	CHECK(usleep(1) == 0);
	for (int i = 0; i < 64; i++)
		CHECK(calloc(1, 1 << 20) != NULL);
	fprintf(stderr, "still talking\n");
	return 0;
}

static int fallocated;

static void fallocate_done(struct loop_op *op, int res)
{
	(void)op;
	fallocated = res;
}

/* Two back ends may have one file of tmpfs mapped: neither can make it shorter, which
 * would end the other. No call does, nor its io_uring, even to a file whose descriptor
 * it has; and it gets no other. */
static int last_shortens_nothing(void)
{
	static const int modes[] = {FALLOC_FL_COLLAPSE_RANGE,
				    FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE};
	const char *name = "/proc/self/exe";
	struct loop loop;
	struct loop_op op = {.done = fallocate_done};
	int fd = memfd_create("memory", 0);

	CHECK(fd >= 0 && !ftruncate(fd, 8192));
	CHECK(!seal_first());
	CHECK(!loop_init(&loop, 8) && !loop_seal(&loop) && !seal_last());
	CHECK(refused(ftruncate(fd, 0)) && refused(truncate(name, 0)));
	CHECK(refused(fallocate(fd, modes[0], 0, 4096)));
	CHECK(refused(syscall(SYS_openat, AT_FDCWD, name, O_RDONLY)));
	CHECK(refused(syscall(SYS_openat2, AT_FDCWD, name, NULL, 0)));
	CHECK(refused(fcntl(fd, F_GETFL)) && refused(syscall(SYS_dup, fd)));
	CHECK(!loop_set_file(&loop, LOOP_FILE_KEEPER, fd));
	for (unsigned i = 0; i < 2; i++) {
		loop_fallocate(&loop, &op, LOOP_FILE_KEEPER, modes[i], 0, 4096);
		CHECK(!loop_turn(&loop, true) && !op.busy);
		CHECK(fallocated == (i ? 0 : -EOPNOTSUPP));
		CHECK(lseek(fd, 0, SEEK_END) == 8192);
	}
	return 0;
}

/* Isolation = domain: the keeper's parts work on, and that is all there is more. */
static int last_domain(void)
{
	static const long calls[] = {
		SYS_socket,
		SYS_socketpair,
		SYS_connect,
		SYS_bind,
		SYS_execve,
		SYS_execveat,
		SYS_clone,
		SYS_kill,
		SYS_ptrace,
		SYS_mprotect,
		SYS_mremap,
		SYS_prctl,
		SYS_seccomp,
		SYS_unlinkat,
		SYS_fchmodat,
		SYS_dup,
		SYS_memfd_create,
		SYS_pidfd_open,
		SYS_process_vm_readv,
		SYS_setuid,
		SYS_io_uring_setup,
		SYS_mount,
		SYS_unshare,
		SYS_bpf,
		SYS_sendmmsg,
		SYS_openat2,
		SYS_epoll_create1,
		9999,
	};
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

	CHECK(!seal_last_domain());
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!refused(syscall(calls[i], -1, -1, -1, -1, -1, -1))) {
			fprintf(stderr, "system call %ld\n", calls[i]);
			return 1;
		}
	CHECK(syscall(SYS_clone3, NULL, 0) == -1);
	for (uint32_t low = 0; low < 0x10000; low++) {
		uint8_t type = (uint8_t)(low >> 8);

		CHECK(ioctl_refused(0x00180000 | low) ==
		      (type != 'G' && type != 'E' && type != 'A'));
	}
	CHECK(!ioctl_refused(SIOCOUTQ) && !ioctl_refused(SEAL_DRM_MODE_ATOMIC));
	CHECK(open("/dev/null", O_RDWR) >= 0 && !access("/dev/null", F_OK));
	CHECK(!refused(fcntl(-1, F_OFD_SETLK, &lock)));
	CHECK(refused(fcntl(0, F_DUPFD, 0)) && refused(fcntl(0, F_SETOWN, 1)));
	CHECK(!refused(fallocate(-1, 0, 0, 1)) && !refused(renameat(-1, "", -1, "")));
	CHECK(!refused(syscall(SYS_epoll_ctl, -1, 0, 0, NULL)));
	CHECK(!refused(syscall(SYS_timerfd_settime, -1, 0, NULL, NULL)));
	CHECK(!refused(sendmsg(-1, NULL, 0)));
	return 0;
}

/* An assert behind the doors still dies as one. */
static int last_aborts(void)
{
	CHECK(!seal_first() && !seal_last());
	assert(!"reached");
	return 0;
}

/* Calls of another ABI would mean other numbers: the process dies. */
static int other_abi(void)
{
	/* cmocka would make a failed test of what this is to die of. */
	signal(SIGSEGV, SIG_DFL);
	CHECK(!seal_first());
	seal_abi_32bit();
	return 2;
}

static int other_numbers(void)
{
	CHECK(!seal_first());
	seal_abi_other_numbers();
	return 2;
}

static const char *exec_what[8];

static int exec_behind_first(void)
{
	CHECK(!seal_first());
	execv(exec_what[0], (char *const *)exec_what);
	return 127;
}

/* [utest->req~no-grant-call-is-left~1] */
CASE(ioctl_types_and_numbers)
/* [utest->req~no-grant-call-is-left~1] */
CASE(ioctl_like_notify)
/* [utest->req~sealed-it-serves-only~1] */
CASE(ioctl_last)
/* [utest->req~no-mapping-gains-a-right~1] */
CASE(mappings_first)
CASE(mappings_last)
CASE(neighbours_first)
CASE(others_first)
CASE(between_doors)
/* [utest->req~sealed-it-serves-only~1] */
CASE(last_refuses)
CASE(last_serves)
CASE(last_shortens_nothing)
CASE(last_domain)

static void test_last_aborts(void **state)
{
	(void)state;
	assert_int_equal(in_child(last_aborts), 128 + SIGABRT);
}

/* [utest->req~sealed-it-serves-only~1] */
static void test_other_abi(void **state)
{
	int r;

	(void)state;
	if (!seal_abi_exists)
		skip();
	/* SIGSEGV: a kernel that has no other ABI at all. */
	r = in_child(other_abi);
	assert_true(r == 128 + SIGSYS || r == 128 + SIGSEGV);
	assert_int_equal(in_child(other_numbers), 128 + SIGSYS);
}

/* Ordinary programs load and run behind the first door: the loader's RELRO,
 * a shell that forks, one that links half of systemd. */
static void test_exec(void **state)
{
	static const char *const programs[][4] = {
		{"/bin/true"},
		{"/bin/sh", "-c", "x=$(echo hi | cat); test \"$x\" = hi"},
		{"/bin/systemctl", "--version"},
		{"/usr/bin/perl", "-e", "1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		memcpy(exec_what, programs[i], sizeof(programs[i]));
		if (!access(exec_what[0], X_OK))
			assert_int_equal(in_child(exec_behind_first), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ioctl_types_and_numbers),
		cmocka_unit_test(test_ioctl_like_notify),
		cmocka_unit_test(test_ioctl_last),
		cmocka_unit_test(test_mappings_first),
		cmocka_unit_test(test_mappings_last),
		cmocka_unit_test(test_neighbours_first),
		cmocka_unit_test(test_others_first),
		cmocka_unit_test(test_between_doors),
		cmocka_unit_test(test_last_refuses),
		cmocka_unit_test(test_last_serves),
		cmocka_unit_test(test_last_shortens_nothing),
		cmocka_unit_test(test_last_domain),
		cmocka_unit_test(test_last_aborts),
		cmocka_unit_test(test_other_abi),
		cmocka_unit_test(test_exec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
