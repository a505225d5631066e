/* SPDX-License-Identifier: MIT */
/*
 * Who has no business with client memory, and helps himself: root in a domain of the
 * bed, beside every keeper. He holds what he got until he is killed; a line says that
 * he has it.
 *
 *   xdd-stray grant DOMID N r|w	pages of his own, for DOMID; prints their
 * references xdd-stray map DOMID r|w REF...	pages that DOMID granted xdd-stray offer
 * DOMID		an event channel for DOMID; prints its port xdd-stray bind DOMID
 * PORT		the one that DOMID offers
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/evtchn.h>
#include <xen/gntalloc.h>
#include <xen/gntdev.h>

#define PAGE 4096u
#define REFS 1024u

static int fail(const char *what)
{
	fprintf(stderr, "xdd-stray: %s: %s\n", what, strerror(errno));
	return 1;
}

static _Noreturn int hold(void)
{
	fflush(stdout);
	for (;;)
		pause();
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static int grant(char **argv)
{
	static union {
		struct ioctl_gntalloc_alloc_gref op;
		uint32_t room[sizeof(struct ioctl_gntalloc_alloc_gref) / 4 + REFS];
	} alloc;
	int fd = open("/dev/xen/gntalloc", O_RDWR);
	unsigned n = number(argv[1]);

	alloc.op.domid = (uint16_t)number(argv[0]);
	alloc.op.flags = *argv[2] == 'w' ? GNTALLOC_FLAG_WRITABLE : 0;
	alloc.op.count = n;
	if (fd < 0 || !n || n > REFS || ioctl(fd, IOCTL_GNTALLOC_ALLOC_GREF, &alloc))
		return fail("grant");
	for (unsigned i = 0; i < n; i++)
		printf("%u ", alloc.op.gref_ids[i]);
	puts("granted");
	return hold();
}

static int map(char **argv)
{
	static union {
		struct ioctl_gntdev_map_grant_ref op;
		struct {
			struct ioctl_gntdev_map_grant_ref op;
			struct ioctl_gntdev_grant_ref rest[REFS];
		} room;
	} map;
	bool writable = *argv[1] == 'w';
	int fd = open("/dev/xen/gntdev", O_RDWR);
	volatile const uint8_t *at;

	for (char **ref = argv + 2; *ref && map.op.count < REFS; ref++) {
		struct ioctl_gntdev_grant_ref *next = &map.op.refs[map.op.count++];

		*next = (struct ioctl_gntdev_grant_ref){number(argv[0]), number(*ref)};
	}
	if (fd < 0 || ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, &map))
		return fail("map");
	at = mmap(NULL, map.op.count * PAGE,
		  writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd,
		  (off_t)map.op.index);
	if (at == MAP_FAILED)
		return fail("mmap");
	printf("%u mapped\n", *at + map.op.count);
	return hold();
}

static int offer(char **argv)
{
	struct ioctl_evtchn_bind_unbound_port bind = {number(argv[0])};
	int fd = open("/dev/xen/evtchn", O_RDWR);
	int port = ioctl(fd, IOCTL_EVTCHN_BIND_UNBOUND_PORT, &bind);

	if (port < 0)
		return fail("offer");
	printf("%d offered\n", port);
	return hold();
}

static int bind_port(char **argv)
{
	struct ioctl_evtchn_bind_interdomain bind = {number(argv[0]), number(argv[1])};
	int fd = open("/dev/xen/evtchn", O_RDWR);
	int port = ioctl(fd, IOCTL_EVTCHN_BIND_INTERDOMAIN, &bind);

	if (port < 0)
		return fail("bind");
	printf("%d bound\n", port);
	return hold();
}

static const struct {
	const char *name;
	int least;
	int (*run)(char **argv);
} commands[] = {{"grant", 3, grant},
		{"map", 3, map},
		{"offer", 1, offer},
		{"bind", 2, bind_port}};

int main(int argc, char **argv)
{
	for (unsigned i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (argc > 1 + commands[i].least && !strcmp(argv[1], commands[i].name))
			return commands[i].run(argv + 2);
	}
	fputs("usage: xdd-stray grant DOMID N r|w | map DOMID r|w REF... | offer DOMID "
	      "| "
	      "bind DOMID PORT\n",
	      stderr);
	return 2;
}
