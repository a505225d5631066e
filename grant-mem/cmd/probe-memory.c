/* SPDX-License-Identifier: MIT */
/* What xdd-probe tries with memory: more pages, more rights, other files. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "grant-mem/cmd/probe.h"

#define RW		 (PROT_READ | PROT_WRITE)
#define NEVER_REGISTERED (1ULL << 40)
#define NO_CLIENT	 "no client is there, or it offers no ring"
#define NOT_GNTDEV	 "the descriptors are no gntdev"

static int as_result(void *addr, size_t len)
{
	if (addr == MAP_FAILED)
		return -errno;
	munmap(addr, len);
	return 0;
}

static int probe_unregistered(struct probe *p, const struct probe_try *try)
{
	int fd = p->client.fds[try->arg];
	int prot = try->arg == WIRE_FD_GNTDEV_RW ? RW : PROT_READ;

	if (!p->gntdev)
		return probe_skip(p, NOT_GNTDEV);
	return as_result(
		mmap(NULL, XEN_PAGE_BYTES, prot, MAP_SHARED, fd, NEVER_REGISTERED),
		XEN_PAGE_BYTES);
}

static int probe_ro_writable(struct probe *p, const struct probe_try *try)
{
	(void)try;
	return as_result(mmap(NULL, XEN_PAGE_BYTES, RW, MAP_SHARED,
			      p->client.fds[WIRE_FD_GNTDEV_RO], 0),
			 XEN_PAGE_BYTES);
}

static int probe_mprotect(struct probe *p, const struct probe_try *try)
{
	return mprotect(p->readable, XEN_PAGE_BYTES, (int)try->arg) < 0 ? -errno : 0;
}

static int probe_pkey_mprotect(struct probe *p, const struct probe_try *try)
{
	long r = syscall(SYS_pkey_mprotect, p->readable, XEN_PAGE_BYTES, try->arg, -1);

	return r < 0 ? -errno : 0;
}

static int probe_mremap(struct probe *p, const struct probe_try *try)
{
	void *addr =
		mremap(p->readable, XEN_PAGE_BYTES, XEN_PAGE_BYTES, MREMAP_MAYMOVE);

	(void)try;
	return addr == MAP_FAILED ? -errno : 0;
}

static int probe_remap_file_pages(struct probe *p, const struct probe_try *try)
{
	(void)try;
	return syscall(SYS_remap_file_pages, p->readable, XEN_PAGE_BYTES, 0, 0, 0) < 0
		       ? -errno
		       : 0;
}

static int probe_mmap_exec(struct probe *p, const struct probe_try *try)
{
	(void)p;
	(void)try;
	return as_result(mmap(NULL, XEN_PAGE_BYTES, PROT_READ | PROT_EXEC,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
			 XEN_PAGE_BYTES);
}

static int probe_read_implies_exec(struct probe *p, const struct probe_try *try)
{
	(void)p;
	(void)try;
	return personality(READ_IMPLIES_EXEC) < 0 ? -errno : 0;
}

static int probe_policy_write(struct probe *p, const struct probe_try *try)
{
	(void)try;
	if (!p->client.policy_bytes)
		return probe_skip(p, "there is no policy file");
	if (pwrite(p->client.fds[WIRE_FD_POLICY], "#", 1, 0) >= 0)
		return 0;
	return errno == EBADF ? probe_said(p, "open for reading") : -errno;
}

static int probe_policy_map(struct probe *p, const struct probe_try *try)
{
	(void)try;
	if (!p->client.policy_bytes)
		return probe_skip(p, "there is no policy file");
	return as_result(mmap(NULL, XEN_PAGE_BYTES, RW, MAP_SHARED,
			      p->client.fds[WIRE_FD_POLICY], 0),
			 XEN_PAGE_BYTES);
}

/* A shorter file would make the keeper fault (SIGBUS). */
static int probe_copy_resize(struct probe *p, const struct probe_try *try)
{
	off_t size = (off_t)p->client.copy_bytes;

	if (!size)
		return probe_skip(p, "there is no copy area");
	return ftruncate(p->client.fds[WIRE_FD_COPY], size + try->arg) < 0 ? -errno : 0;
}

/* Ask the keeper for the client's own ring page: its index, or a result. */
static int ring_register(struct probe *p, uint32_t *id, off_t *index)
{
	struct client *c = &p->client;
	struct wire_message *m = client_request(c);
	int r;

	if (!p->gntdev)
		return probe_skip(p, NOT_GNTDEV);
	if (!p->present)
		return probe_skip(p, NO_CLIENT);
	m->map_ring.n = 1;
	memcpy(m->map_ring.key[0], p->ring_key, sizeof(p->ring_key));
	r = client_call(c, WIRE_MAP_RING, NULL);
	if (r)
		return probe_skip(p, r < 0 ? "the keeper is gone" : NO_CLIENT);
	*id = m->mapped.id;
	*index = (off_t)m->mapped.index;
	return 0;
}

static void ring_release(struct probe *p, uint32_t id)
{
	client_request(&p->client)->unmap.id = id;
	client_call(&p->client, WIRE_UNMAP, NULL);
}

static int probe_ring_twice(struct probe *p, const struct probe_try *try)
{
	int fd = p->client.fds[WIRE_FD_GNTDEV_RW];
	uint32_t id = 0;
	off_t index = 0;
	void *first;
	int r = ring_register(p, &id, &index);

	(void)try;
	if (r)
		return r;
	first = mmap(NULL, XEN_PAGE_BYTES, RW, MAP_SHARED, fd, index);
	if (first == MAP_FAILED) {
		ring_release(p, id);
		return probe_skip(p, "the ring page could not be mapped once");
	}
	r = as_result(mmap(NULL, XEN_PAGE_BYTES, RW, MAP_SHARED, fd, index),
		      XEN_PAGE_BYTES);
	munmap(first, XEN_PAGE_BYTES);
	ring_release(p, id);
	return r;
}

/* Mapped readable on the read-write descriptor, Xen's map is read-only: a
 * write through a mapping made writable later would fault for ever on Arm. */
static int probe_ring_mprotect(struct probe *p, const struct probe_try *try)
{
	uint32_t id = 0;
	off_t index = 0;
	void *page;
	int r = ring_register(p, &id, &index);

	(void)try;
	if (r)
		return r;
	page = mmap(NULL, XEN_PAGE_BYTES, PROT_READ, MAP_SHARED,
		    p->client.fds[WIRE_FD_GNTDEV_RW], index);
	if (page == MAP_FAILED) {
		ring_release(p, id);
		return probe_skip(p, "the ring page could not be mapped once");
	}
	r = mprotect(page, XEN_PAGE_BYTES, RW) < 0 ? -errno : 0;
	munmap(page, XEN_PAGE_BYTES);
	ring_release(p, id);
	return r;
}

#define ROW(name, proves, fn, arg, by, errnos, when)                                   \
	{                                                                              \
		name, proves, fn, arg, by, errnos, when, false                         \
	}

const struct probe_try probe_memory[] = {
	ROW("mmap-unregistered-rw", "maps only what the keeper registered",
	    probe_unregistered, WIRE_FD_GNTDEV_RW, PROBE_KERNEL, PROBE_MAP,
	    PROBE_ALWAYS),
	ROW("mmap-unregistered-ro", "maps only what the keeper registered",
	    probe_unregistered, WIRE_FD_GNTDEV_RO, PROBE_KERNEL, PROBE_MAP,
	    PROBE_ALWAYS),
	ROW("mmap-readable-as-writable", "readable pages are not writable",
	    probe_ro_writable, 0, PROBE_KERNEL, PROBE_MAP, PROBE_ALWAYS),
	ROW("mmap-twice", "each registration is mapped once", probe_ring_twice, 0,
	    PROBE_KERNEL, PROBE_MAP, PROBE_ALWAYS),
	ROW("mprotect-granted-page", "a granted page gains no right",
	    probe_ring_mprotect, 0, PROBE_DOOR, PROBE_EPERM, PROBE_ALWAYS),
	ROW("mprotect-write", "readable stays readable", probe_mprotect, RW, PROBE_DOOR,
	    PROBE_EPERM, PROBE_ALWAYS),
	ROW("mprotect-exec", "data stays data", probe_mprotect, PROT_READ | PROT_EXEC,
	    PROBE_DOOR, PROBE_EPERM, PROBE_ALWAYS),
	ROW("pkey-mprotect-write", "readable stays readable", probe_pkey_mprotect, RW,
	    PROBE_DOOR, PROBE_EPERM, PROBE_ALWAYS),
	ROW("mremap", "a mapping does not move or grow", probe_mremap, 0, PROBE_DOOR,
	    PROBE_EPERM, PROBE_ALWAYS),
	ROW("remap-file-pages", "a mapping does not change its pages",
	    probe_remap_file_pages, 0, PROBE_DOOR, PROBE_EPERM, PROBE_ALWAYS),
	ROW("read-implies-exec", "no rights by personality", probe_read_implies_exec, 0,
	    PROBE_DOOR, PROBE_EPERM, PROBE_ALWAYS),
	ROW("mmap-exec", "brings no code of its own", probe_mmap_exec, 0, PROBE_DOOR,
	    PROBE_EPERM, PROBE_SEALED),
	ROW("policy-write", "its policy is not its to change", probe_policy_write, 0,
	    PROBE_KEEPER, PROBE_FILE, PROBE_ALWAYS),
	ROW("policy-map-writable", "its policy is not its to change", probe_policy_map,
	    0, PROBE_KEEPER, PROBE_FILE, PROBE_ALWAYS),
	ROW("copy-area-shrink", "cannot make the keeper fault", probe_copy_resize, -1,
	    PROBE_KEEPER, PROBE_EPERM, PROBE_ALWAYS),
	ROW("copy-area-grow", "takes no memory by the keeper's file", probe_copy_resize,
	    XEN_PAGE_BYTES, PROBE_KEEPER, PROBE_EPERM, PROBE_ALWAYS),
	{0},
};
