/* SPDX-License-Identifier: MIT */
/* backends/door/virtio-memory.c over grants of the test: what an address is, and what
 * is copied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/door/virtio-memory.h"

#define PAGE   4096u
#define PAGES  32
#define REF(n) (VIRTIO_GRANT_BIT | (uint64_t)(n) << 12)

static uint8_t copy_area[PAGES * PAGE];
static uint8_t theirs[PAGES][PAGE]; /* by reference, from 0 */
static uint32_t mapped[8], nmapped, runs, run_pages[VIRTIO_RUNS_MAX + 1], segs;
static int map_status, seg_status;
static struct virtio_parts *moved_parts[16];
static int moved_status[16];
static unsigned nmoved;

static struct virtio_memory m;
static bool posts;
static struct virtio_parts parts;

/* -- Grants of the test -------------------------------------------------------------
 */

static int fake_map(struct grants *g, const struct gref *refs, uint32_t n,
		    bool writable, struct grants_map *out)
{
	(void)g;
	assert_true(writable && n && n <= 4);
	for (uint32_t i = 0; i < n; i++)
		mapped[i] = refs[i].v;
	nmapped = n;
	if (!map_status)
		*out = (struct grants_map){theirs, n, 1, true};
	return map_status;
}

static int fake_pool(struct grants *g, const char *key, struct grants_map *out)
{
	(void)g;
	assert_memory_equal(key, "pool-ref", 8);
	if (!run_pages[runs])
		return GRANTS_ABSENT;
	/* No neighbours: a run is an address of its own. */
	*out = (struct grants_map){(uint8_t *)(UINT64_C(1) << 40) + runs * (4ull << 20),
				   run_pages[runs], runs, true};
	runs++;
	return GRANTS_OK;
}

static int fake_unmap(struct grants *g, struct grants_map *map)
{
	(void)g;
	*map = (struct grants_map){0};
	return GRANTS_OK;
}

static int fake_copy(struct grants *g, struct grants_seg *seg, uint32_t n)
{
	(void)g;
	segs += n;
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *at = theirs[seg[i].ref.v] + seg[i].offset;
		uint8_t *ours = copy_area + seg[i].local;

		assert_true(seg[i].ref.v < PAGES && seg[i].len &&
			    seg[i].offset + seg[i].len <= PAGE &&
			    seg[i].local + seg[i].len <= sizeof(copy_area));
		seg[i].status = (int8_t)seg_status;
		memcpy(seg[i].to_client ? at : ours, seg[i].to_client ? ours : at,
		       seg[i].len);
	}
	return GRANTS_OK;
}

static const struct grants_ops fake_ops = {
	.map = fake_map,
	.map_pool = fake_pool,
	.unmap = fake_unmap,
	.copy = fake_copy,
};
static struct grants grants = {&fake_ops, copy_area, sizeof(copy_area)};

static void moved(struct virtio_parts *p, int status)
{
	moved_parts[nmoved] = p;
	moved_status[nmoved++] = status;
}

static int set_up(void **state)
{
	(void)state;
	runs = segs = nmoved = nmapped = 0;
	map_status = seg_status = 0;
	posts = false;
	memset(theirs, 0, sizeof(theirs));
	memset(copy_area, 0, sizeof(copy_area));
	return 0;
}

static void begin(enum policy_mode mode)
{
	struct policy policy = {.mode = mode, .data_pages = PAGES};

	assert_int_equal(virtio_memory_init(&m, &grants, &policy, posts, moved), 0);
}

/* -- A pool --------------------------------------------------------------------------
 */

static void pool_of(uint32_t first, uint32_t second)
{
	runs = 0;
	run_pages[0] = first;
	run_pages[1] = second;
	begin(POLICY_POOL);
	assert_int_equal(virtio_memory_connect(&m), GRANTS_OK);
}

/* [utest->req~addresses-are-in-the-pool~1] */
static void pool_addresses(void **state)
{
	const uint64_t base = VIRTIO_POOL_BASE, mib = 1u << 20;
	uint8_t *run = (uint8_t *)(UINT64_C(1) << 40);

	(void)state;
	pool_of(256, 3);
	assert_true(m.bytes == mib + 3 * PAGE);
	assert_ptr_equal(virtio_memory_at(&m, base, 1), run);
	assert_ptr_equal(virtio_memory_at(&m, base, mib), run);
	assert_ptr_equal(virtio_memory_at(&m, base + mib - 1, 1), run + mib - 1);
	assert_ptr_equal(virtio_memory_at(&m, base + mib, 1), run + 4 * mib);
	assert_ptr_equal(virtio_memory_at(&m, base + mib, 3 * PAGE), run + 4 * mib);
	assert_ptr_equal(virtio_memory_at(&m, base + mib + 3 * PAGE - 1, 1),
			 run + 4 * mib + 3 * PAGE - 1);
	/* Nothing, past the end, across the runs, before the beginning, around. */
	assert_null(virtio_memory_at(&m, base, 0));
	assert_null(virtio_memory_at(&m, base + mib + 3 * PAGE, 1));
	assert_null(virtio_memory_at(&m, base + mib + 3 * PAGE - 1, 2));
	assert_null(virtio_memory_at(&m, base + mib - 1, 2));
	assert_null(virtio_memory_at(&m, base + 1, (uint32_t)mib));
	for (uint32_t len = (uint32_t)mib + 1; len <= mib + 3 * PAGE; len++)
		assert_null(virtio_memory_at(&m, base, len));
	assert_null(virtio_memory_at(&m, base, UINT32_MAX));
	assert_null(virtio_memory_at(&m, base - 1, 1));
	assert_null(virtio_memory_at(&m, 0, 1));
	assert_null(virtio_memory_at(&m, UINT64_MAX, 1));
	assert_null(virtio_memory_at(&m, UINT64_MAX - 1, UINT32_MAX));
	assert_int_equal(virtio_memory_disconnect(&m), 0);
	assert_null(virtio_memory_at(&m, base, 1));
	virtio_memory_fini(&m);
}

/* It ends with the first run that is not full, or with what is absent. */
static void pool_runs(void **state)
{
	(void)state;
	pool_of(255, 3);
	assert_int_equal(m.runs, 1);
	assert_int_equal(virtio_memory_disconnect(&m), 0);
	pool_of(256, 0);
	assert_int_equal(m.runs, 1);
	assert_int_equal(virtio_memory_disconnect(&m), 0);
	runs = 0;
	run_pages[0] = 0;
	assert_int_equal(virtio_memory_connect(&m), GRANTS_ABSENT);
	assert_int_equal(m.runs, 0);
}

/* As many as there may be: what a client grants beyond them is not asked for. */
static void pool_of_all_runs(void **state)
{
	const uint64_t last =
		VIRTIO_POOL_BASE + (uint64_t)(VIRTIO_RUNS_MAX - 1) * VIRTIO_RUN_BYTES;

	(void)state;
	for (unsigned i = 0; i <= VIRTIO_RUNS_MAX; i++)
		run_pages[i] = VIRTIO_RUN_BYTES / PAGE;
	pool_of(256, 256);
	assert_int_equal(runs, VIRTIO_RUNS_MAX);
	assert_true(m.bytes == 64ull << 20);
	assert_ptr_equal(virtio_memory_at(&m, last, VIRTIO_RUN_BYTES),
			 m.run[VIRTIO_RUNS_MAX - 1].addr);
	assert_null(virtio_memory_at(&m, last + VIRTIO_RUN_BYTES, 1));
	assert_int_equal(virtio_memory_disconnect(&m), 0);
	memset(run_pages, 0, sizeof(run_pages));
}

/* -- Addresses of grants
 * --------------------------------------------------------------- */

static int area(uint64_t addr, uint32_t bytes)
{
	struct virtio_area out;

	nmapped = 0;
	return virtio_memory_area(&m, addr, bytes, &out);
}

static void grant_addresses(void **state)
{
	struct virtio_area out;

	(void)state;
	begin(POLICY_GRANT);
	assert_int_equal(virtio_memory_area(&m, REF(5) + 16, 4096, &out),
			 VIRTIO_MEMORY_OK);
	assert_true(nmapped == 2 && mapped[0] == 5 && mapped[1] == 6);
	assert_ptr_equal(out.at, theirs[0] + 16);
	assert_int_equal(area(REF(5), 4096), VIRTIO_MEMORY_OK);
	assert_int_equal(nmapped, 1);
	assert_int_equal(area(REF(5) + 4095, 1), VIRTIO_MEMORY_OK);
	assert_int_equal(nmapped, 1);
	assert_int_equal(area(REF(5) + 4095, 2), VIRTIO_MEMORY_OK);
	assert_int_equal(nmapped, 2);
	assert_int_equal(area(REF(UINT32_MAX), 4096), VIRTIO_MEMORY_OK);
	assert_true(nmapped == 1 && mapped[0] == UINT32_MAX);
	/* Without bit 63, with one above 43, beyond the last reference, too many. */
	assert_int_equal(area((uint64_t)5 << 12, 16), VIRTIO_MEMORY_FOREIGN);
	for (unsigned bit = 44; bit < 63; bit++)
		assert_int_equal(area(REF(5) | UINT64_C(1) << bit, 16),
				 VIRTIO_MEMORY_FOREIGN);
	assert_int_equal(area(REF(UINT32_MAX) + 1, 4096), VIRTIO_MEMORY_FOREIGN);
	assert_int_equal(area(REF(UINT32_MAX), 4097), VIRTIO_MEMORY_FOREIGN);
	assert_int_equal(area(REF(5), 4 * PAGE + 1), VIRTIO_MEMORY_FOREIGN);
	assert_int_equal(area(REF(5), 0), VIRTIO_MEMORY_FOREIGN);
	assert_int_equal(nmapped, 0);
	map_status = GRANTS_BAD;
	assert_int_equal(area(REF(5), 16), VIRTIO_MEMORY_FOREIGN);
	map_status = -12;
	assert_int_equal(area(REF(5), 16), -12);
	virtio_memory_fini(&m);
}

/* -- Chains of grants
 * ------------------------------------------------------------------ */

static int gather(unsigned readable, unsigned n, const struct virtqueue_buffer *buffer)
{
	static struct virtqueue_chain chain;

	chain.readable = (uint16_t)readable;
	chain.writable = (uint16_t)(n - readable);
	memcpy(chain.buffer, buffer, n * sizeof(*buffer));
	return virtio_memory_gather(&m, &chain, posts, &parts);
}

/* A part for each page that a buffer touches, at its offset in a page of ours. */
static void splits_at_pages(void **state)
{
	const struct virtqueue_buffer two[] = {{REF(3) + 4000, 200},
					       {REF(7) + 1, 8191}};

	(void)state;
	begin(POLICY_GRANT);
	assert_int_equal(gather(1, 2, two), VIRTIO_MEMORY_OK);
	assert_true(parts.readable == 2 && parts.writable == 2 && parts.pages == 4);
	assert_true(parts.ref[0].v == 3 && parts.offset[0] == 4000 &&
		    parts.part[0].iov_len == 96);
	assert_true(parts.ref[1].v == 4 && !parts.offset[1] &&
		    parts.part[1].iov_len == 104);
	assert_true(parts.ref[2].v == 7 && parts.offset[2] == 1 &&
		    parts.part[2].iov_len == 4095);
	assert_true(parts.ref[3].v == 8 && parts.part[3].iov_len == 4096);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(((uint8_t *)parts.part[i].iov_base - copy_area) % PAGE,
				 parts.offset[i]);
	assert_int_equal(m.nfree, PAGES - 4);
	virtio_memory_release(&m, &parts);
	assert_int_equal(m.nfree, PAGES);
	virtio_memory_fini(&m);
}

/* All the pages or none; what never fits is not waited for. */
static void pages_of_a_slot(void **state)
{
	struct virtqueue_buffer b = {REF(0), 20 * PAGE};
	struct virtio_parts first;

	(void)state;
	begin(POLICY_GRANT);
	assert_int_equal(gather(1, 1, &b), VIRTIO_MEMORY_OK);
	first = parts;
	assert_int_equal(gather(1, 1, &b), VIRTIO_MEMORY_FULL);
	assert_int_equal(m.nfree, PAGES - 20);
	b.len = 12 * PAGE;
	assert_int_equal(gather(1, 1, &b), VIRTIO_MEMORY_OK);
	assert_int_equal(m.nfree, 0);
	virtio_memory_release(&m, &parts);
	virtio_memory_release(&m, &first);
	b.len = (PAGES - 1) * PAGE;
	assert_int_equal(gather(1, 1, &b), VIRTIO_MEMORY_OK);
	virtio_memory_release(&m, &parts);
	b.len++;
	assert_int_equal(gather(1, 1, &b), VIRTIO_MEMORY_FOREIGN);
	b.len = UINT32_MAX;
	assert_int_equal(gather(1, 1, &b), VIRTIO_MEMORY_FOREIGN);
	assert_int_equal(m.nfree, PAGES);
	virtio_memory_fini(&m);
}

/* -- Deliver --------------------------------------------------------------------------
 */

/* What is written: the first @head and the last @tail bytes, of parts of any length. */
static void delivers(const struct virtqueue_buffer *buffer, unsigned n, uint32_t head,
		     uint32_t tail)
{
	uint32_t total = 0, at = 0;

	memset(theirs, 0x99, sizeof(theirs));
	assert_int_equal(gather(0, n, buffer), VIRTIO_MEMORY_OK);
	for (unsigned i = 0; i < parts.writable; i++) {
		memset(parts.part[i].iov_base, 0x11, parts.part[i].iov_len);
		total += (uint32_t)parts.part[i].iov_len;
	}
	segs = nmoved = 0;
	if (virtio_memory_deliver(&m, &parts, head, tail) == VIRTIO_MEMORY_LATER) {
		assert_int_equal(virtio_memory_flush(&m), 0);
		assert_true(nmoved == 1 && moved_parts[0] == &parts &&
			    !moved_status[0]);
	} else {
		assert_int_equal(head + tail, 0);
	}
	assert_true(segs <= parts.writable + 1u);
	for (unsigned i = 0; i < parts.writable; i++) {
		for (uint32_t k = 0; k < parts.part[i].iov_len; k++, at++) {
			uint8_t byte = theirs[parts.ref[i].v][parts.offset[i] + k];

			assert_int_equal(byte,
					 at < head || at >= total - tail ? 0x11 : 0x99);
		}
	}
	virtio_memory_release(&m, &parts);
	for (unsigned i = 0; i < PAGES * PAGE; i++)
		at += theirs[i / PAGE][i % PAGE] == 0x11;
	assert_int_equal(at, total + head + tail);
}

static void head_and_tail(void **state)
{
	static const struct virtqueue_buffer buffers[] = {
		{REF(2), 3},	     {REF(3) + 4094, 4}, {REF(6), 1},
		{REF(8) + 4000, 10}, {REF(9), 2},
	};
	const uint32_t total = 20;

	(void)state;
	begin(POLICY_GRANT);
	for (uint32_t head = 0; head <= total; head++) {
		for (uint32_t tail = 0; tail <= total - head; tail++)
			delivers(buffers, 5, head, tail);
	}
	virtio_memory_fini(&m);
}

/* One part that has both, and a batch that is full of such: it is flushed between. */
static void both_in_one_part(void **state)
{
	static const struct virtqueue_buffer one = {REF(2) + 5, 4000};

	(void)state;
	begin(POLICY_GRANT);
	delivers(&one, 1, 20, 1);
	assert_int_equal(segs, 2);
	delivers(&one, 1, 3999, 1);
	assert_true(segs <= 2);
	assert_int_equal(gather(0, 1, &one), VIRTIO_MEMORY_OK);
	segs = nmoved = 0;
	for (unsigned i = 0; i < PAGES; i++)
		assert_int_equal(virtio_memory_deliver(&m, &parts, 1, 1),
				 VIRTIO_MEMORY_LATER);
	assert_true(segs && m.batch.segs <= m.batch.max);
	nmoved = 0;
	virtio_memory_flush(&m);
	assert_int_equal(segs, 2 * PAGES);
	virtio_memory_fini(&m);
}

/* One segment that fails is its parts', and only theirs. */
static void what_fails(void **state)
{
	static const struct virtqueue_buffer two[] = {{REF(2), 4096}, {REF(4), 1}};
	struct virtio_parts first;

	(void)state;
	begin(POLICY_GRANT);
	assert_int_equal(gather(1, 2, two), VIRTIO_MEMORY_OK);
	first = parts;
	assert_int_equal(gather(1, 2, two), VIRTIO_MEMORY_OK);
	nmoved = 0;
	assert_int_equal(virtio_memory_fetch(&m, &first), VIRTIO_MEMORY_LATER);
	assert_int_equal(virtio_memory_fetch(&m, &parts), VIRTIO_MEMORY_LATER);
	seg_status = GRANTS_BAD;
	assert_int_equal(virtio_memory_flush(&m), 0);
	assert_true(nmoved == 2 && moved_parts[0] == &first &&
		    moved_parts[1] == &parts);
	assert_int_equal(moved_status[0], GRANTS_BAD);
	assert_int_equal(virtio_memory_flush(&m), 0);
	assert_int_equal(nmoved, 2);
	virtio_memory_fini(&m);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pool_addresses),  TEST(pool_runs),	       TEST(pool_of_all_runs),
		TEST(grant_addresses), TEST(splits_at_pages),  TEST(pages_of_a_slot),
		TEST(head_and_tail),   TEST(both_in_one_part), TEST(what_fails),
	};

	return cmocka_run_group_tests_name("virtio_memory", tests, NULL, NULL);
}
