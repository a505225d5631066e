/* SPDX-License-Identifier: MIT */
/*
 * A lessor behind its door, with descriptors that were opened before in place of the
 * leases that a kernel would make: it lends all the same, and can do nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "backends/displ/displ-lease.h"
#include "backends/displ/lessor.h"
#include "grant-mem/seal.h"

#define LEASES 3

static struct lessor lessor;
static struct log log_of_client;
static int lease[LEASES], leases, revoked, failed;
static char dir[] = "/tmp/xdd-sealed.XXXXXX";

int __wrap_drmModeCreateLease(int fd, const uint32_t *objects, int n, int flags,
			      uint32_t *id);
int __wrap_drmModeCreateLease(int fd, const uint32_t *objects, int n, int flags,
			      uint32_t *id)
{
	(void)fd;
	(void)objects;
	(void)n;
	(void)flags;
	if (leases == LEASES)
		return -ENOSPC;
	*id = (uint32_t)leases + 1;
	return lease[leases++];
}

int __wrap_drmModeRevokeLease(int fd, uint32_t id);
int __wrap_drmModeRevokeLease(int fd, uint32_t id)
{
	(void)fd;
	(void)id;
	revoked++;
	return 0;
}

static void check(const char *what, bool good)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	failed |= !good;
}

static bool is_refused(long r)
{
	return r == -1 && errno == EPERM;
}

static bool ioctl_is_refused(unsigned long request)
{
	return is_refused(ioctl(-1, request, NULL));
}

/* Bits of what went wrong. */
static int behind_the_door(void)
{
	int r = 0;

	for (int i = 0; i < 400 && leases < LEASES; i++)
		r |= lessor_turn(&lessor, 50) ? 1 : 0;
	r |= leases == LEASES && revoked == LEASES - 1 ? 0 : 2;
	r |= is_refused(open(dir, O_RDONLY)) ? 0 : 4;
	r |= is_refused(socket(AF_UNIX, SOCK_STREAM, 0)) ? 0 : 8;
	r |= is_refused(fork()) ? 0 : 16;
	r |= ioctl_is_refused(DRM_IOCTL_MODE_CREATE_DUMB) &&
			     ioctl_is_refused(DRM_IOCTL_MODE_MAP_DUMB) &&
			     ioctl_is_refused(DRM_IOCTL_MODE_GETFB2) &&
			     ioctl_is_refused(DRM_IOCTL_PRIME_HANDLE_TO_FD) &&
			     ioctl_is_refused(DRM_IOCTL_DROP_MASTER)
		     ? 0
		     : 32;
	r |= ioctl_is_refused(DRM_IOCTL_MODE_CREATE_LEASE) ||
			     ioctl_is_refused(DRM_IOCTL_MODE_REVOKE_LEASE)
		     ? 64
		     : 0;
	return r;
}

static void lend(void)
{
	struct lessor_instance *in = &lessor.instance[0];

	lessor_init(&lessor, "/dev/dri/card0", dir);
	lessor.instances = 1;
	*in = (struct lessor_instance){
		.name = "a", .objects = 3, .listener = -1, .peer = -1};
	log_init(&in->log, "a");
	for (int i = 0; i < LEASES; i++)
		lease[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (lessor_listen(&lessor, dir) || seal_lessor())
		_exit(128);
	_exit(behind_the_door());
}

static bool taken(void)
{
	char path[DISPL_LEASE_PATH];
	struct stat st;
	int fd = -1;

	displ_lease_path(dir, "a", path);
	for (int i = 0; i < 200 && fd < 0; i++) {
		usleep(20000);
		if (!access(path, F_OK))
			fd = displ_lease_take(path, "the card", &log_of_client);
	}
	if (fd < 0 || fstat(fd, &st))
		return false;
	close(fd);
	return S_ISCHR(st.st_mode);
}

int main(void)
{
	char path[128];
	int status;
	pid_t pid;

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/a", dir);
	mkdir(path, 0700);
	log_init(&log_of_client, "client");
	pid = fork();
	if (!pid)
		lend();
	for (int i = 0; i < LEASES; i++)
		check("sealed, it lends", taken());
	waitpid(pid, &status, 0);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
	check("it turned, and took back what it had lent", !(status & (128 | 3)));
	check("it opens nothing, and starts nothing", !(status & (4 | 8 | 16)));
	check("of its card it asks for leases alone", !(status & (32 | 64)));
	snprintf(path, sizeof(path), "rm -r %s", dir);
	return system(path) || failed;
}
