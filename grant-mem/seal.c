/* SPDX-License-Identifier: MIT */
/*
 * Where an argument is an int to the kernel, the kernel drops the upper half
 * of the register and so must the comparison: MASKED_EQ with 32 bits at most.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <sound/asound.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "grant-mem/seal.h"

#define INT_BITS       0xffffffffu
#define IOCTL_TYPE     0xff00u
#define PROT_BTI_BIT   0x10u /* arm64: ld.so asks for exec with it, and only so */
#define IOPRIO_PROCESS 1u    /* IOPRIO_WHO_PROCESS */
#define FIOSETOWN_NR   0x8901u
#define SIOCSPGRP_NR   0x8902u

/* One rule: @call, if argument @arg masked by @mask is @value. */
struct seal_rule {
	int call;
	bool compare; /* else whatever its arguments */
	unsigned arg;
	enum scmp_compare op;
	uint64_t mask, value;
};

#define RULES(table) (sizeof(table) / sizeof((table)[0]))
#define CALL(name)                                                                     \
	{                                                                              \
		SCMP_SYS(name), false, 0, SCMP_CMP_EQ, 0, 0                            \
	}
#define BITS(name, a, mask, v)                                                         \
	{                                                                              \
		SCMP_SYS(name), true, a, SCMP_CMP_MASKED_EQ, mask, v                   \
	}
#define INT(name, a, v) BITS(name, a, INT_BITS, v)
/* Not @v, upper half included: for refusals, where more is safe. */
#define OTHER(name, a, v)                                                              \
	{                                                                              \
		SCMP_SYS(name), true, a, SCMP_CMP_NE, v, 0                             \
	}
#define ZERO(name, a)                                                                  \
	{                                                                              \
		SCMP_SYS(name), true, a, SCMP_CMP_EQ, 0, 0                             \
	}

static const struct seal_rule seal_refused[] = {
	/* Xen's devices; NOTIFY is seal_ioctls()'s. */
	BITS(ioctl, 1, IOCTL_TYPE, 'G' << 8),
	BITS(ioctl, 1, IOCTL_TYPE, 'P' << 8),

	/* A mapping gains no right. */
	BITS(mprotect, 2, PROT_WRITE, PROT_WRITE),
	BITS(mprotect, 2, PROT_EXEC | PROT_BTI_BIT, PROT_EXEC),
	BITS(pkey_mprotect, 2, PROT_WRITE, PROT_WRITE),
	BITS(pkey_mprotect, 2, PROT_EXEC, PROT_EXEC),
	CALL(mremap),
	CALL(remap_file_pages),
	CALL(personality), /* READ_IMPLIES_EXEC */

	/* No descriptor leaves. */
	CALL(sendmsg),
	CALL(sendmmsg),

	/* The keeper is a process of the same user. */
	CALL(ptrace),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL(process_madvise),
	CALL(process_mrelease),
	CALL(pidfd_getfd),
	CALL(kcmp),
	CALL(kill),
	CALL(tkill),
	CALL(rt_sigqueueinfo),
	CALL(rt_tgsigqueueinfo),
	CALL(pidfd_send_signal),
	INT(fcntl, 1, F_SETOWN),
	INT(fcntl, 1, F_SETOWN_EX),
	INT(fcntl, 1, F_SETSIG),
	INT(ioctl, 1, FIOSETOWN_NR),
	INT(ioctl, 1, SIOCSPGRP_NR),
	OTHER(prlimit64, 0, 0),
	OTHER(sched_setscheduler, 0, 0),
	OTHER(sched_setparam, 0, 0),
	OTHER(sched_setattr, 0, 0),
	OTHER(sched_setaffinity, 0, 0),
	OTHER(setpriority, 0, PRIO_PROCESS),
	OTHER(setpriority, 1, 0),
	OTHER(ioprio_set, 0, IOPRIO_PROCESS),
	OTHER(ioprio_set, 1, 0),
	CALL(migrate_pages),
	CALL(move_pages),

	/* Namespaces, mounts. */
	CALL(unshare),
	CALL(setns),
	BITS(clone, 0, CLONE_NEWNS, CLONE_NEWNS),
	BITS(clone, 0, CLONE_NEWCGROUP, CLONE_NEWCGROUP),
	BITS(clone, 0, CLONE_NEWUTS, CLONE_NEWUTS),
	BITS(clone, 0, CLONE_NEWIPC, CLONE_NEWIPC),
	BITS(clone, 0, CLONE_NEWUSER, CLONE_NEWUSER),
	BITS(clone, 0, CLONE_NEWPID, CLONE_NEWPID),
	BITS(clone, 0, CLONE_NEWNET, CLONE_NEWNET),
	CALL(mount),
	CALL(umount2),
	CALL(pivot_root),
	CALL(chroot),
	CALL(open_tree),
	CALL(move_mount),
	CALL(mount_setattr),
	CALL(fsopen),
	CALL(fsconfig),
	CALL(fsmount),
	CALL(fspick),
	CALL(open_by_handle_at),
	CALL(fanotify_init),

	/* Other ways into the kernel. */
	CALL(add_key),
	CALL(request_key),
	CALL(keyctl),
	CALL(bpf),
	CALL(perf_event_open),
	CALL(userfaultfd),
	CALL(init_module),
	CALL(finit_module),
	CALL(delete_module),
	CALL(kexec_load),
	CALL(kexec_file_load),
	CALL(reboot),
	CALL(swapon),
	CALL(swapoff),
	CALL(sethostname),
	CALL(setdomainname),
	CALL(settimeofday),
	CALL(clock_settime),
	CALL(adjtimex),
	CALL(clock_adjtime),
	CALL(acct),
	CALL(quotactl),
	CALL(quotactl_fd),
	CALL(syslog),
	CALL(vhangup),
	CALL(iopl),
	CALL(ioperm),
	CALL(modify_ldt),
};

static const struct seal_rule seal_allowed[] = {
	CALL(read),
	CALL(write),
	CALL(readv),
	CALL(writev),
	CALL(pread64),
	CALL(pwrite64),
	CALL(lseek), /* how large a disk has become */
	CALL(recvmsg),
	CALL(recvmmsg),
	CALL(recvfrom),
	ZERO(sendto, 4), /* connected sockets only */
	INT(ioctl, 1, SEAL_EVTCHN_NOTIFY),
	INT(ioctl, 1, TUNSETOFFLOAD),
	INT(ioctl, 1, TUNSETCARRIER),
	BITS(ioctl, 1, IOCTL_TYPE, 'A' << 8), /* ALSA's PCMs */
	INT(ioctl, 1, SEAL_DRM_MODE_ATOMIC),
	CALL(io_uring_enter),
	INT(io_uring_register, 1, IORING_REGISTER_FILES_UPDATE),
	CALL(close),
	CALL(poll),
	CALL(ppoll),

	BITS(mmap, 2, PROT_EXEC, 0),
	CALL(munmap),
	CALL(madvise),
	CALL(brk),

	CALL(clock_gettime),
	CALL(clock_nanosleep),
	CALL(futex),
	CALL(getrandom),
	CALL(sched_yield),
	CALL(restart_syscall),
	CALL(rt_sigreturn),

	/* abort(), for our own asserts; tgkill is seal_self()'s. */
	CALL(getpid),
	CALL(gettid),
	CALL(rt_sigprocmask),
	CALL(rt_sigaction),
	CALL(exit),
	CALL(exit_group),
};

/* A PCM that mixes: alsa-lib's lock, and the timer of its PCM. Of type 'T' no others:
 * terminals have it too. */
static const struct seal_rule seal_allowed_mixed[] = {
	CALL(semop),
	CALL(semtimedop),
	INT(ioctl, 1, SNDRV_TIMER_IOCTL_PARAMS),
	INT(ioctl, 1, SNDRV_TIMER_IOCTL_START),
	INT(ioctl, 1, SNDRV_TIMER_IOCTL_STOP),
};

/* Isolation = domain: and what the keeper's parts need. */
static const struct seal_rule seal_allowed_domain[] = {
	BITS(ioctl, 1, IOCTL_TYPE, 'G' << 8),
	BITS(ioctl, 1, IOCTL_TYPE, 'E' << 8),
	INT(ioctl, 1, SIOCOUTQ),
	CALL(openat),
	CALL(renameat),
	CALL(renameat2),
	CALL(fstat),
	CALL(newfstatat),
	CALL(access),
	CALL(faccessat),
	CALL(fallocate),
	INT(fcntl, 1, F_OFD_SETLK),
	CALL(sendmsg),
	CALL(epoll_ctl),
	CALL(timerfd_settime),
};

/* Who lends: connections, and leases for them. */
static const struct seal_rule seal_allowed_lessor[] = {
	CALL(accept4),
	CALL(getsockopt),
	CALL(newfstatat),
	CALL(sendmsg),
	INT(ioctl, 1, SIOCOUTQ),
	INT(ioctl, 1, SEAL_DRM_MODE_CREATE_LEASE),
	INT(ioctl, 1, SEAL_DRM_MODE_REVOKE_LEASE),
};

static int seal_add(scmp_filter_ctx ctx, uint32_t action, const struct seal_rule *rule)
{
	struct scmp_arg_cmp cmp = {rule->arg, rule->op, rule->mask, rule->value};

	return seccomp_rule_add_array(ctx, action, rule->call, rule->compare, &cmp);
}

static int seal_add_all(scmp_filter_ctx ctx, uint32_t action,
			const struct seal_rule *rules, size_t n)
{
	int r = 0;

	for (size_t i = 0; !r && i < n; i++)
		r = seal_add(ctx, action, &rules[i]);
	return r;
}

/* Of type 'E' all but NOTIFY: refuse what differs from it in one bit, for each
 * bit that is not part of the type. [impl->req~no-grant-call-is-left~1] */
static int seal_ioctls(scmp_filter_ctx ctx)
{
	int r = 0;

	for (uint32_t bit = 1; bit && !r; bit <<= 1) {
		struct seal_rule rule = BITS(ioctl, 1, IOCTL_TYPE | bit, 'E' << 8);

		rule.value |= ~SEAL_EVTCHN_NOTIFY & bit;
		if (!(bit & IOCTL_TYPE))
			r = seal_add(ctx, SCMP_ACT_ERRNO(EPERM), &rule);
	}
	return r;
}

/* glibc falls back to clone, whose flags a filter can read. */
static int seal_clone3(scmp_filter_ctx ctx)
{
	return seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0,
				      NULL);
}

/* [impl->req~sealed-it-serves-only~1] */
static int seal_load(scmp_filter_ctx ctx)
{
	/* Another ABI's numbers would pass a list made for this one. */
	int r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	if (!r)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 1);
	if (!r)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_API_SYSRAWRC, 1);
	/* A tree, not a list: each event to the client passes here. */
	if (!r)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return r ? r : seccomp_load(ctx);
}

/* [impl->req~no-grant-call-is-left~1] [impl->req~no-mapping-gains-a-right~1] */
int seal_first(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	const struct seal_rule other = OTHER(tgkill, 0, (uint64_t)getpid());
	int r;

	if (!ctx)
		return -ENOMEM;
	r = seal_add(ctx, SCMP_ACT_ERRNO(EPERM), &other);
	if (!r)
		r = seal_add_all(ctx, SCMP_ACT_ERRNO(EPERM), seal_refused,
				 RULES(seal_refused));
	if (!r)
		r = seal_ioctls(ctx);
	if (!r)
		r = seal_clone3(ctx);
	if (!r)
		r = seal_load(ctx);
	seccomp_release(ctx);
	return r;
}

/* The last door, with @n rules more. */
static int seal_serve(const struct seal_rule *more, size_t n)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	const struct seal_rule self = INT(tgkill, 0, (uint64_t)getpid());
	int r;

	if (!ctx)
		return -ENOMEM;
	r = seal_add(ctx, SCMP_ACT_ALLOW, &self);
	if (!r)
		r = seal_add_all(ctx, SCMP_ACT_ALLOW, seal_allowed,
				 RULES(seal_allowed));
	if (!r)
		r = seal_add_all(ctx, SCMP_ACT_ALLOW, more, n);
	if (!r)
		r = seal_load(ctx);
	seccomp_release(ctx);
	return r;
}

/* [impl->req~sealed-it-serves-only~1] */
int seal_last(void)
{
	return seal_serve(NULL, 0);
}

int seal_last_mixed(void)
{
	return seal_serve(seal_allowed_mixed, RULES(seal_allowed_mixed));
}

int seal_last_domain(void)
{
	return seal_serve(seal_allowed_domain, RULES(seal_allowed_domain));
}

int seal_lessor(void)
{
	return seal_serve(seal_allowed_lessor, RULES(seal_allowed_lessor));
}
