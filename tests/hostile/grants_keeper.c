/* SPDX-License-Identifier: MIT */
/*
 * T-GNT at the keeper: a back end's maps through a real client, a real keeper and
 * an mmap that fails at the n-th map; quotas; and back ends that die in every
 * state.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "backends/host-domain.h"
#include "common/clock.h"
#include "grant-mem/grants-keeper.h"
#include "tests/unit/keeper-world.h"

static struct domain domain;
static struct client client;
static struct grants_keeper grants_keeper;
static struct grants *grants;

/* What stands for gntdev: memory; an mmap of it fails when it is told to. */
static int gntdev;
static unsigned mmap_fail_at; /* 1: the next */
static int mmap_errno;

/* What <sys/mman.h> calls mmap, where offsets have 64 bits. */
void *__real_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off);

void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	bool is_gntdev = fd >= 0 && (fd == client.fds[WIRE_FD_GNTDEV_RW] ||
				     fd == client.fds[WIRE_FD_GNTDEV_RO]);

	if (!is_gntdev)
		return __real_mmap64(addr, len, prot, flags, fd, off);
	if (mmap_fail_at && !--mmap_fail_at) {
		errno = mmap_errno;
		return MAP_FAILED;
	}
	return __real_mmap64(addr, len, prot, flags, fd, 0);
}

/* In place of keeper-xenbus.c's: the xenstored of the tests needs no file. */
short keeper_xenbus(struct keeper *k)
{
	(void)k;
	world_pump();
	return POLLIN;
}

static void give_memory(void)
{
	char path[64];

	gntdev = memfd_create("gntdev", MFD_CLOEXEC);
	assert_int_equal(ftruncate(gntdev, 256 * XEN_PAGE_BYTES), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", gntdev);
	close(client.fds[WIRE_FD_GNTDEV_RW]);
	close(client.fds[WIRE_FD_GNTDEV_RO]);
	client.fds[WIRE_FD_GNTDEV_RW] = gntdev;
	client.fds[WIRE_FD_GNTDEV_RO] = open(path, O_RDONLY | O_CLOEXEC);
}

static void back_end(void)
{
	assert_int_equal(domain_connect(&domain, &client, world.k, "blk"), 0);
	give_memory();
	assert_int_equal(grants_keeper_init(&grants_keeper, &client), 0);
	grants = &grants_keeper.grants;
}

static int set_up(void **state)
{
	(void)state;
	mmap_fail_at = 0;
	world_init(WORLD_POLICY);
	world_device();
	world.k->device.scan_at = world.k->device.put_at = 0;
	back_end();
	return 0;
}

static void back_end_gone(void)
{
	grants_keeper_fini(&grants_keeper);
	client_fini(&client);
	close(domain.fd);
	close(domain.timer);
}

static int tear_down(void **state)
{
	(void)state;
	back_end_gone();
	world_fini();
	return 0;
}

static void some_refs(struct gref *refs, unsigned first)
{
	for (uint32_t i = 0; i < 16; i++)
		refs[i].v = first + i;
}

/* -- T-GNT-1 ----------------------------------------------------------------- */

static void t_gnt_1_mmap_fails_at_the_nth(void **state)
{
	/* EINVAL is what gntdev says for every GNTST_* code. */
	static const int errnos[] = {EINVAL, ENOMEM, EAGAIN, EPERM, ENODEV, EACCES};
	struct grants_map map[4];
	struct gref refs[16];
	uint64_t done = 0;

	(void)state;
	some_refs(refs, 100);
	for (unsigned e = 0; e < sizeof(errnos) / sizeof(errnos[0]); e++) {
		for (unsigned n = 0; n < 4; n++, done++) {
			unsigned held = 0;

			mmap_errno = errnos[e];
			mmap_fail_at = n + 1;
			for (unsigned i = 0; i < 4; i++) {
				struct grants_map before = {.id = 77}, out = before;
				int r = grants_map(grants, refs + 4 * i, 4, i % 2,
						   &out);

				if (i != n) {
					assert_int_equal(r, GRANTS_OK);
					map[held++] = out;
					continue;
				}
				assert_int_equal(r, errnos[e] == EINVAL ? GRANTS_BAD
									: -errnos[e]);
				assert_memory_equal(&out, &before, sizeof(out));
			}
			/* The failed one is charged to nobody. */
			assert_int_equal(world.k->maps.usage.data_pages, 12);
			while (held)
				assert_int_equal(grants_unmap(grants, &map[--held]), 0);
			assert_true(maps_empty(&world.k->maps));
			assert_int_equal(world.added, world.dropped);
		}
	}
	printf("tally: T-GNT-1 %" PRIu64 " mmaps failed\n", done);
}

static void t_gnt_1_100000_mmaps_fail(void **state)
{
	unsigned rounds = 100000;
	struct grants_map map;
	struct gref refs[16];

	(void)state;
	some_refs(refs, 100);
	mmap_errno = EINVAL;
	world.k->policy.audit_level = POLICY_AUDIT_CHANGES;
	for (unsigned i = 0; i < rounds; i++) {
		mmap_fail_at = 1;
		assert_int_equal(grants_map(grants, refs, 1 + i % 16, i % 2, &map),
				 GRANTS_BAD);
	}
	assert_true(maps_empty(&world.k->maps));
	assert_int_equal(world.added, rounds);
	assert_int_equal(world.dropped, rounds);
	assert_int_equal(world.k->maps.high, 16); /* the table did not grow */
	assert_int_equal(grants_map(grants, refs, 16, true, &map), GRANTS_OK);
	assert_int_equal(grants_unmap(grants, &map), 0);
	printf("tally: T-GNT-1 %u refused mmaps that left nothing\n", rounds);
}

/* -- T-GNT-2 ----------------------------------------------------------------- */

/* The sixteen pages of the policy, in every division; a seventeenth never.
 * [utest->req~policy-quota~1] */
static void t_gnt_2_quota(void **state)
{
	struct grants_map map[16], over;
	struct gref refs[17];
	uint64_t refused = 0;

	(void)state;
	some_refs(refs, 100);
	refs[16].v = 116;
	for (unsigned piece = 1; piece <= 16; piece++) {
		unsigned n = 16 / piece;

		for (unsigned i = 0; i < n; i++)
			assert_int_equal(
				grants_map(grants, refs, piece, false, &map[i]),
				GRANTS_OK);
		for (unsigned more = 17 - n * piece; more <= 17; more++, refused++) {
			unsigned added = world.added;

			assert_int_equal(grants_map(grants, refs, more, false, &over),
					 GRANTS_REFUSED);
			assert_int_equal(world.added, added); /* asked nobody */
		}
		assert_int_equal(world.k->maps.usage.data_pages, n * piece);
		for (unsigned i = 0; i < n; i++)
			assert_int_equal(grants_unmap(grants, &map[i]), 0);
	}
	assert_int_equal(world.kills, 0);
	printf("tally: T-GNT-2 %" PRIu64 " maps over the quota\n", refused);
}

/* -- T-GNT-3 ----------------------------------------------------------------- */

static unsigned open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Killed with maps live, with releases under way, with nothing; its successor
 * finds the whole quota. */
static void t_gnt_3_back_ends_die(void **state)
{
	static const enum world_release releases[] = {RELEASE_AT_ONCE, RELEASE_LATE};
	const char *const ring[] = {"ring-ref0", "ring-ref1"};
	unsigned files = 0, rounds = 10000;
	struct gref refs[16];

	(void)state;
	some_refs(refs, 100);
	world.k->policy.audit_level = POLICY_AUDIT_CHANGES;
	for (unsigned i = 0; i < rounds; i++) {
		struct grants_map map[3];
		unsigned n = i % 4;

		world.release = releases[i / 4 % 2];
		if (n > 2)
			assert_int_equal(grants_map_ring(grants, ring, 2, &map[2]), 0);
		for (unsigned k = 0; k < 2 && k < n; k++)
			assert_int_equal(
				grants_map(grants, refs + 8 * k, 8, true, &map[k]), 0);
		if (n && i / 8 % 2)
			assert_int_equal(grants_unmap(grants, &map[0]), 0);
		/* Dead: its memory and its files go, and the keeper is told. */
		for (unsigned k = 0; k < 3; k++) {
			bool is = k == 2 ? n > 2 : k < n;

			if (is && map[k].addr)
				munmap(map[k].addr,
				       (size_t)map[k].pages * XEN_PAGE_BYTES);
		}
		back_end_gone();
		world.pendings = 0;
		peer_dead(world.k);
		memset(world.k->maps.pair, 0xff, sizeof(world.k->maps.pair));
		assert_true(maps_empty(&world.k->maps));
		assert_int_equal(world.k->maps.high, 0);
		back_end();
		if (i == 16)
			files = open_files();
	}
	assert_int_equal(open_files(), files);
	printf("tally: T-GNT-3 %u back ends of a keeper ended\n", rounds);
}

/* -- T-RES-3 ----------------------------------------------------------------- */

static unsigned lines_of(int fd)
{
	char bytes[65536];
	unsigned lines = 0;
	ssize_t n;

	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			lines += bytes[i] == '\n';
	}
	return lines;
}

/* A back end that is refused as fast as it can ask.
 * [utest->req~floods-are-counted~1] */
static void t_res_3_a_flood_of_refusals(void **state)
{
	int saved = dup(STDERR_FILENO), log = memfd_create("log", MFD_CLOEXEC);
	unsigned rounds = 100000, lines, audited, before;
	uint64_t start = clock_now(), seconds;
	struct grants_map map;
	struct gref low = {7};
	char path[96];
	int audit;

	(void)state;
	snprintf(path, sizeof(path), "%s/audit.log", world.dir);
	audit = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(audit >= 0);
	before = lines_of(audit);
	dup2(log, STDERR_FILENO);
	for (unsigned i = 0; i < rounds; i++) {
		if (grants_map(grants, &low, 1, true, &map) != GRANTS_REFUSED)
			break;
		if (i % 1000 == 0)
			domain_turn(&domain);
	}
	dup2(saved, STDERR_FILENO);
	close(saved);
	seconds = (clock_now() - start) / CLOCK_SECOND + 1;
	lines = lines_of(log);
	audited = lines_of(audit) - before;
	close(log);
	close(audit);
	assert_int_equal(world.kills, 0);
	assert_int_equal(world.added, 0);
	assert_true(lines >= 1 && lines <= 11 + seconds / 6);
	assert_true(audited >= 1 && audited <= (AUDIT_A_SECOND + 2) * (seconds + 1));
	printf("tally: T-RES-3 %u refusals by a keeper\n", rounds);
	printf("tally: T-RES-3 %u lines and records of them\n", lines + audited);
}

#define KEEPER(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEEPER(t_gnt_1_mmap_fails_at_the_nth),
		KEEPER(t_gnt_1_100000_mmaps_fail),
		KEEPER(t_gnt_2_quota),
		KEEPER(t_gnt_3_back_ends_die),
		KEEPER(t_res_3_a_flood_of_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
