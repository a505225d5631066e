/* SPDX-License-Identifier: MIT */
/*
 * Guest memory through the keeper: memory files stand for gntdev (an mmap at
 * a registered index looks the same), the keeper is scripted.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "grant-mem/grants-keeper.h"
#include "tests/unit/client_pair.h"

#define PAGES 8

static struct pair pair;
static struct grants_keeper keeper;
static struct grants *grants;
static uint8_t *client_memory; /* what the memory file holds */

static int set_up(void **state)
{
	char proc[64];
	int rw = memfd_create("gntdev", MFD_CLOEXEC);
	int copy = memfd_create("copy", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(rw, PAGES * XEN_PAGE_BYTES), 0);
	assert_int_equal(ftruncate(copy, 2 * XEN_PAGE_BYTES), 0);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", rw);
	pair_init(&pair);
	pair.client.fds[WIRE_FD_GNTDEV_RW] = rw;
	pair.client.fds[WIRE_FD_GNTDEV_RO] = open(proc, O_RDONLY);
	pair.client.fds[WIRE_FD_COPY] = copy;
	pair.client.copy_bytes = 2 * XEN_PAGE_BYTES;
	client_memory = mmap(NULL, PAGES * XEN_PAGE_BYTES, PROT_READ | PROT_WRITE,
			     MAP_SHARED, rw, 0);
	assert_true(client_memory != MAP_FAILED);
	for (int i = 0; i < PAGES; i++)
		memset(client_memory + i * XEN_PAGE_BYTES, 'a' + i, XEN_PAGE_BYTES);
	assert_int_equal(grants_keeper_init(&keeper, &pair.client), 0);
	grants = &keeper.grants;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	grants_keeper_fini(&keeper);
	munmap(client_memory, PAGES * XEN_PAGE_BYTES);
	pair_fini(&pair);
	return 0;
}

static void will_map(enum wire_type type, uint64_t index, uint32_t pages)
{
	pair_message(&pair)->mapped = (struct wire_mapped){index, 42, pages};
	pair_reply(&pair, type, WIRE_OK, sizeof(struct wire_mapped));
}

/* The reply to the call after the next one. */
static void will_unmap_after(enum wire_result result)
{
	pair_message(&pair);
	pair_reply_fds(&pair, WIRE_UNMAP, result, 0, NULL, 0, 2);
}

static void map_writable(void **state)
{
	const struct gref refs[2] = {{17}, {4}};
	struct grants_map map;

	(void)state;
	will_map(WIRE_MAP, 2 * XEN_PAGE_BYTES, 2);
	assert_int_equal(grants_map(grants, refs, 2, true, &map), GRANTS_OK);
	assert_int_equal(map.pages, 2);
	assert_int_equal(map.id, 42);
	assert_true(map.writable);
	assert_int_equal(*(uint8_t *)map.addr, 'c');
	((uint8_t *)map.addr)[XEN_PAGE_BYTES] = '!';
	assert_int_equal(client_memory[3 * XEN_PAGE_BYTES], '!');

	assert_int_equal(pair_request(&pair),
			 sizeof(struct wire_header) + sizeof(struct wire_map));
	assert_int_equal(pair.message.map.n, 2);
	assert_int_equal(pair.message.map.writable, 1);
	assert_int_equal(pair.message.map.ref[0].v, 17);
	assert_int_equal(pair.message.map.ref[1].v, 4);
	assert_int_equal(pair.message.map.ref[2].v, 0);

	pair_result(&pair, WIRE_UNMAP, WIRE_OK);
	assert_int_equal(grants_unmap(grants, &map), GRANTS_OK);
	assert_null(map.addr);
	pair_request(&pair);
	assert_int_equal(pair.message.unmap.id, 42);
}

static int write_to(uint8_t *page)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		signal(SIGSEGV, SIG_DFL); /* cmocka catches it */
		*(volatile uint8_t *)page = 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void map_readable(void **state)
{
	const struct gref ref = {9};
	struct grants_map map;

	(void)state;
	will_map(WIRE_MAP, XEN_PAGE_BYTES, 1);
	assert_int_equal(grants_map(grants, &ref, 1, false, &map), GRANTS_OK);
	assert_int_equal(*(uint8_t *)map.addr, 'b');
	assert_int_equal(write_to(map.addr), SIGSEGV);
	/* Nor later: the descriptor was opened for reading. */
	assert_int_equal(mprotect(map.addr, XEN_PAGE_BYTES, PROT_READ | PROT_WRITE),
			 -1);
	pair_request(&pair);
	assert_int_equal(pair.message.map.writable, 0);
	pair_result(&pair, WIRE_UNMAP, WIRE_OK);
	assert_int_equal(grants_unmap(grants, &map), GRANTS_OK);
}

static void unmapped_is_gone(void **state)
{
	const struct gref ref = {9};
	struct grants_map map;
	uint8_t *addr;

	(void)state;
	will_map(WIRE_MAP, 0, 1);
	assert_int_equal(grants_map(grants, &ref, 1, true, &map), GRANTS_OK);
	addr = map.addr;
	pair_result(&pair, WIRE_UNMAP, WIRE_OK);
	assert_int_equal(grants_unmap(grants, &map), GRANTS_OK);
	assert_int_equal(write_to(addr), SIGSEGV);
}

static void map_ring(void **state)
{
	const char *const keys[] = {"ring-ref0", "ring-ref1"};
	struct grants_map map;

	(void)state;
	will_map(WIRE_MAP_RING, 0, 2);
	assert_int_equal(grants_map_ring(grants, keys, 2, &map), GRANTS_OK);
	assert_true(map.writable);
	pair_request(&pair);
	assert_int_equal(pair.message.map_ring.n, 2);
	assert_string_equal(pair.message.map_ring.key[1], "ring-ref1");
	assert_string_equal(pair.message.map_ring.key[2], "");
	pair_result(&pair, WIRE_UNMAP, WIRE_OK);
	assert_int_equal(grants_unmap(grants, &map), GRANTS_OK);
}

static void map_pool(void **state)
{
	static const uint32_t bad[] = {0, GRANTS_BATCH_MAX + 1};
	struct grants_map map;

	(void)state;
	will_map(WIRE_MAP_POOL, XEN_PAGE_BYTES, 3); /* as many as the key says */
	assert_int_equal(grants_map_pool(grants, "pool-ref0", &map), GRANTS_OK);
	assert_int_equal(map.pages, 3);
	assert_true(map.writable);
	((uint8_t *)map.addr)[2 * XEN_PAGE_BYTES] = '!';
	assert_int_equal(client_memory[3 * XEN_PAGE_BYTES], '!');
	assert_int_equal(pair_request(&pair),
			 sizeof(struct wire_header) + sizeof(struct wire_name));
	assert_int_equal(pair.message.header.type, WIRE_MAP_POOL);
	assert_string_equal(pair.message.name.key, "pool-ref0");
	pair_result(&pair, WIRE_UNMAP, WIRE_OK);
	assert_int_equal(grants_unmap(grants, &map), GRANTS_OK);
	map.id = 5;
	pair_result(&pair, WIRE_MAP_POOL, WIRE_ABSENT);
	assert_int_equal(grants_map_pool(grants, "pool-ref1", &map), GRANTS_ABSENT);
	for (unsigned i = 0; i < 2; i++) {
		pair.client.error = 0;
		will_map(WIRE_MAP_POOL, 0, bad[i]);
		assert_int_equal(grants_map_pool(grants, "pool-ref1", &map), -EPROTO);
	}
	assert_int_equal(map.id, 5);
}

static void results(void **state)
{
	static const struct {
		enum wire_result result;
		int status;
	} cases[] = {
		{WIRE_REFUSED, GRANTS_REFUSED},	 {WIRE_BAD, GRANTS_BAD},
		{WIRE_BUSY, GRANTS_BUSY},	 {WIRE_ABSENT, GRANTS_ABSENT},
		{WIRE_TOO_LONG, GRANTS_ABSENT},	 {WIRE_LATE, GRANTS_LATE},
		{WIRE_NO_DEVICE, GRANTS_ABSENT}, {WIRE_ENOMEM, -ENOMEM},
		{WIRE_MALFORMED, -EPROTO},
	};
	const struct gref ref = {9};
	struct grants_map map = {.id = 5};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pair_result(&pair, WIRE_MAP, cases[i].result);
		assert_int_equal(grants_map(grants, &ref, 1, true, &map),
				 cases[i].status);
		assert_int_equal(map.id, 5); /* untouched */
	}
	/* The last one ended it. */
	assert_int_equal(pair.client.error, -EPROTO);
}

/* What Xen refuses shows at mmap. Behind the end of a sealed file mmap works,
 * so a pipe plays the device that refuses (ENODEV), and an index that no mmap
 * can take gives EINVAL. */
static void refused_by_xen(void **state)
{
	const struct gref ref = {9};
	struct grants_map map = {.id = 5};

	(void)state;
	will_map(WIRE_MAP, INT64_MAX & ~(uint64_t)(XEN_PAGE_BYTES - 1), 1);
	will_unmap_after(WIRE_OK);
	int r = grants_map(grants, &ref, 1, true, &map);

	assert_true(r == GRANTS_BAD || r == -EOVERFLOW);
	assert_int_equal(map.id, 5);
	pair_request(&pair);
	pair_request(&pair);
	assert_int_equal(pair.message.header.type, WIRE_UNMAP);
	assert_int_equal(pair.message.unmap.id, 42);
	assert_int_equal(pair.client.error, 0);
}

static void no_device_behind(void **state)
{
	const struct gref ref = {9};
	struct grants_map map;
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	dup2(pipes[0], pair.client.fds[WIRE_FD_GNTDEV_RO]);
	will_map(WIRE_MAP, 0, 1);
	will_unmap_after(WIRE_OK);
	assert_int_equal(grants_map(grants, &ref, 1, false, &map), -ENODEV);
	close(pipes[0]);
	close(pipes[1]);
}

static void not_what_was_asked(void **state)
{
	const struct gref ref = {9};
	struct grants_map map;

	(void)state;
	will_map(WIRE_MAP, 0, 2);
	assert_int_equal(grants_map(grants, &ref, 1, true, &map), -EPROTO);
}

static void index_within_a_page(void **state)
{
	const struct gref ref = {9};
	struct grants_map map;

	(void)state;
	will_map(WIRE_MAP, 17, 1);
	assert_int_equal(grants_map(grants, &ref, 1, true, &map), -EPROTO);
}

static void unmap_lost(void **state)
{
	const struct gref ref = {9};
	struct grants_map map;

	(void)state;
	will_map(WIRE_MAP, 0, 1);
	assert_int_equal(grants_map(grants, &ref, 1, true, &map), GRANTS_OK);
	pair_result(&pair, WIRE_UNMAP, WIRE_BAD);
	assert_int_equal(grants_unmap(grants, &map), -EPROTO);
	assert_null(map.addr);
}

static void copy(void **state)
{
	struct grants_seg segs[2] = {
		{.ref = {3}, .offset = 100, .len = 50, .local = 0},
		{.ref = {4},
		 .offset = 4095,
		 .len = 1,
		 .local = 8191,
		 .to_client = true},
	};

	(void)state;
	assert_int_equal(grants->copy_bytes, 2 * XEN_PAGE_BYTES);
	grants->copy_area[8191] = 'x';
	pair_message(&pair)->copied.status[1] = WIRE_BAD;
	pair_reply(&pair, WIRE_COPY, WIRE_OK, sizeof(struct wire_copied));
	assert_int_equal(grants_copy(grants, segs, 2), GRANTS_OK);
	assert_int_equal(segs[0].status, GRANTS_OK);
	assert_int_equal(segs[1].status, GRANTS_BAD);
	pair_request(&pair);
	assert_int_equal(pair.message.copy.n, 2);
	assert_int_equal(pair.message.copy.seg[1].to_client, 1);
	assert_int_equal(pair.message.copy.seg[1].local, 8191);

	pair_result(&pair, WIRE_COPY, WIRE_REFUSED);
	assert_int_equal(grants_copy(grants, segs, 1), GRANTS_REFUSED);

	pair_message(&pair)->copied.status[0] = -3;
	pair_reply(&pair, WIRE_COPY, WIRE_OK, sizeof(struct wire_copied));
	assert_int_equal(grants_copy(grants, segs, 1), -EPROTO);
}

static void no_copy_area(void **state)
{
	struct grants_keeper k;

	(void)state;
	pair.client.copy_bytes = 0;
	assert_int_equal(grants_keeper_init(&k, &pair.client), 0);
	assert_null(k.grants.copy_area);
	grants_keeper_fini(&k);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(map_writable),	  TEST(map_readable),
		TEST(unmapped_is_gone),	  TEST(map_ring),
		TEST(map_pool),		  TEST(results),
		TEST(refused_by_xen),	  TEST(no_device_behind),
		TEST(not_what_was_asked), TEST(index_within_a_page),
		TEST(unmap_lost),	  TEST(copy),
		TEST(no_copy_area),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
