/* SPDX-License-Identifier: MIT */
/* backends/blk/pgrants.c over loopxen: quota, cap, sharing, T-GNT-1, T-BLK-3. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "backends/blk/pgrants.h"
#include "tests/loopxen/loopxen.h"

#define QUOTA 32
#define BACK  ((struct domid){2})
#define FRONT ((struct domid){3})

static struct loopxen *x;
static struct policy policy;
static struct loopxen_back *back;
static struct pgrants pg;
static struct gref ref[256];
static uint8_t *page[256];
static uint32_t got[256];

static const struct loopxen_device dev = {{2}, {3}, "vbd", 51712};

static int setup(void **state)
{
	(void)state;
	policy = (struct policy){
		.class = POLICY_BLK,
		.domain = FRONT,
		.mode = POLICY_MAP,
		.client_pages = POLICY_BOTH,
		.ring_pages = 1,
		.data_pages = QUOTA,
		.first_ref = {8},
		.last_ref = {8191},
	};
	x = loopxen_new();
	loopxen_domain(x, BACK);
	loopxen_domain(x, FRONT);
	back = loopxen_back_new(x, &policy, &dev);
	for (unsigned i = 0; i < 256; i++) {
		page[i] = loopxen_page(x, FRONT);
		memset(page[i], (int)i, 4096);
		ref[i] = loopxen_grant(x, FRONT, page[i], BACK, false);
	}
	assert_int_equal(pgrants_init(&pg, &back->grants, QUOTA), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(pgrants_clear(&pg), 0);
	pgrants_fini(&pg);
	assert_int_equal(loopxen_back_pages(back), 0);
	assert_int_equal(loopxen_free(x), 0);
	return 0;
}

static int get(unsigned first, unsigned n, bool keep)
{
	return pgrants_get(&pg, ref + first, n, true, keep, got + first);
}

static void put(unsigned first, unsigned n)
{
	assert_int_equal(pgrants_put(&pg, got + first, n), 0);
}

static void transient_goes_at_once(void **state)
{
	(void)state;
	assert_int_equal(get(0, 11, false), GRANTS_OK);
	assert_int_equal(pgrants_addr(&pg, got[5])[100], 5);
	pgrants_addr(&pg, got[7])[0] = 0xee;
	assert_int_equal(page[7][0], 0xee);
	assert_int_equal(loopxen_mapped(x, FRONT, ref[0]), 1);
	put(0, 11);
	assert_int_equal(loopxen_mapped(x, FRONT, ref[0]), 0);
	assert_true(loopxen_revoke(x, FRONT, ref[0]));
}

static void kept_is_found_again(void **state)
{
	uint64_t maps;

	(void)state;
	assert_int_equal(get(0, 8, true), GRANTS_OK);
	put(0, 8);
	assert_false(loopxen_revoke(x, FRONT, ref[3]));
	maps = loopxen_calls(x, LOOPXEN_MAP);
	/* Some of the old, some new: one call for all that is new. */
	assert_int_equal(get(4, 8, true), GRANTS_OK);
	assert_true(loopxen_calls(x, LOOPXEN_MAP) == maps + 1);
	assert_int_equal(pg.pages, 12);
	assert_int_equal(pgrants_addr(&pg, got[4])[1], 4);
	assert_int_equal(pgrants_addr(&pg, got[11])[1], 11);
	put(4, 8);
	assert_int_equal(pg.hits, 4);
	assert_int_equal(pg.misses, 12);
}

static void a_reference_twice(void **state)
{
	struct gref twice[5];
	uint32_t pages[5];

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		twice[i] = ref[i % 2];
	for (int keep = 0; keep < 2; keep++) {
		assert_int_equal(pgrants_get(&pg, twice, 5, true, keep, pages),
				 GRANTS_OK);
		assert_int_equal(pg.pages, 2);
		assert_int_equal(pages[0], pages[4]);
		assert_int_equal(pgrants_put(&pg, pages, 5), 0);
	}
	assert_int_equal(pg.pages, 2);
}

/* What another request holds for itself alone is not shared: it must be gone
 * when that one is answered (T-GNT-5). */
static void transient_is_not_shared(void **state)
{
	uint32_t other;

	(void)state;
	assert_int_equal(get(0, 2, false), GRANTS_OK);
	assert_int_equal(pgrants_get(&pg, ref, 1, true, false, &other), GRANTS_OK);
	assert_int_equal(loopxen_mapped(x, FRONT, ref[0]), 2);
	put(0, 2);
	assert_int_equal(loopxen_mapped(x, FRONT, ref[0]), 1);
	assert_int_equal(loopxen_mapped(x, FRONT, ref[1]), 0);
	assert_int_equal(pgrants_put(&pg, &other, 1), 0);
}

static void oldest_goes_first(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(get(i * 8, 8, true), GRANTS_OK);
		put(i * 8, 8);
	}
	assert_int_equal(get(0, 8, true), GRANTS_OK); /* used again */
	put(0, 8);
	assert_int_equal(get(32, 8, true), GRANTS_OK);
	put(32, 8);
	assert_int_equal(pg.pages, QUOTA);
	assert_int_equal(loopxen_mapped(x, FRONT, ref[0]), 1);
	assert_int_equal(loopxen_mapped(x, FRONT, ref[8]), 0);
	assert_int_equal(loopxen_mapped(x, FRONT, ref[16]), 1);
}

/* What is not used for a time goes, the oldest first, a few at once; what is in
 * use, or was used again, stays. */
static void idle_ones_go(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		pg.now = i * 1000;
		assert_int_equal(get(i * 4, 4, true), GRANTS_OK);
		if (i)
			put(i * 4, 4);
	}
	pg.now = 3500;
	assert_int_equal(get(4, 4, true), GRANTS_OK);
	put(4, 4);
	assert_int_equal(pgrants_age(&pg, 1501, 9), 0);
	assert_int_equal(pg.pages, 16);
	assert_int_equal(pgrants_age(&pg, 1500, 9), 0);
	assert_int_equal(pg.pages, 12);
	assert_int_equal(loopxen_mapped(x, FRONT, ref[0]), 1); /* in use */
	assert_int_equal(loopxen_mapped(x, FRONT, ref[4]), 1); /* used again */
	assert_true(loopxen_revoke(x, FRONT, ref[8]));
	pg.now = 100000;
	assert_int_equal(pgrants_age(&pg, 1500, 0), 0);
	assert_int_equal(pg.pages, 12);
	assert_int_equal(pgrants_age(&pg, 1500, 1), 0);
	assert_int_equal(loopxen_mapped(x, FRONT, ref[12]), 0);
	assert_int_equal(pg.pages, 8);
	assert_int_equal(pgrants_age(&pg, 1500, 9), 0);
	assert_int_equal(pg.pages, 4);
	assert_int_equal(pg.kept, 4);
	put(0, 4);
	assert_int_equal(pgrants_age(&pg, 1500, 9), 0);
	assert_int_equal(pg.pages, 4); /* idle since now */
	pg.now += 1500;
	loopxen_fail(x, LOOPXEN_UNMAP, 0, -EPIPE);
	assert_int_equal(pgrants_age(&pg, 1500, 9), -EPIPE);
	assert_int_equal(pg.pages, 0);
}

static void full_while_in_use(void **state)
{
	(void)state;
	assert_int_equal(get(0, 16, true), GRANTS_OK);
	assert_int_equal(get(16, 10, true), GRANTS_OK);
	assert_int_equal(get(32, 11, true), PGRANTS_FULL);
	assert_int_equal(loopxen_mapped(x, FRONT, ref[32]), 0);
	/* All or none: what it would have shared is not held. */
	assert_int_equal(get(10, 17, true), GRANTS_OK);
	assert_int_equal(pg.pages, 27);
	put(10, 17);
	put(16, 10);
	put(0, 16);
	assert_int_equal(get(32, 11, true), GRANTS_OK);
	put(32, 11);
	assert_int_equal(get(0, QUOTA + 1, false), GRANTS_REFUSED);
}

static void cap_of_kept(void **state)
{
	(void)state;
	pgrants_limit(&pg, 10);
	assert_int_equal(get(0, 8, true), GRANTS_OK);
	assert_int_equal(get(8, 8, true), GRANTS_OK); /* beside the cache */
	assert_int_equal(pg.kept, 8);
	put(8, 8);
	put(0, 8);
	assert_int_equal(pg.pages, 8);
	assert_int_equal(get(16, 8, true), GRANTS_OK); /* the idle ones go */
	put(16, 8);
	assert_int_equal(pg.kept, 8);
	assert_int_equal(loopxen_mapped(x, FRONT, ref[0]), 0);
	pgrants_limit(&pg, 0);
	assert_int_equal(get(16, 1, false), GRANTS_OK);
	put(16, 1);
	assert_int_equal(pg.pages, 0);
}

/* T-GNT-1: each failure leaves things as they were. */
static void failures(void **state)
{
	static const int results[] = {GRANTS_REFUSED, GRANTS_BAD, GRANTS_BUSY, -ENOMEM};

	(void)state;
	assert_int_equal(get(0, 8, true), GRANTS_OK);
	put(0, 8);
	for (unsigned i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		loopxen_fail(x, LOOPXEN_MAP, 0, results[i]);
		assert_int_equal(get(4, 8, true), results[i]);
		assert_int_equal(pg.pages, 8);
		assert_int_equal(pg.kept, 8);
	}
	assert_true(loopxen_revoke(x, FRONT, ref[200]));
	assert_int_equal(get(195, 10, true), GRANTS_BAD);
	assert_int_equal(loopxen_mapped(x, FRONT, ref[195]), 0);
	loopxen_fail(x, LOOPXEN_UNMAP, 0, -EIO);
	assert_int_equal(pgrants_clear(&pg), -EIO);
	assert_int_equal(pg.pages, 0);
}

static void readable_stays_readable(void **state)
{
	uint32_t p;

	(void)state;
	assert_int_equal(pgrants_get(&pg, ref, 1, false, true, &p), GRANTS_OK);
	assert_int_equal(pgrants_put(&pg, &p, 1), 0);
	assert_int_equal(pgrants_get(&pg, ref, 1, true, true, &p), GRANTS_REFUSED);
	assert_int_equal(pgrants_get(&pg, ref, 1, false, true, &p), GRANTS_OK);
	assert_int_equal(pgrants_put(&pg, &p, 1), 0);
}

/* A long random walk, checked against what must hold at each step. */
static void random_walk(void **state)
{
	static uint32_t held[8][16];
	unsigned first[8], n[8] = {0};
	unsigned seed = 12345;

	(void)state;
	for (unsigned step = 0; step < 50000; step++) {
		unsigned s, r;

		seed = seed * 1103515245 + 12345;
		r = seed >> 8;
		s = r % 8;
		if (n[s]) {
			assert_int_equal(pgrants_put(&pg, held[s], n[s]), 0);
			n[s] = 0;
			continue;
		}
		first[s] = (r >> 3) % 240;
		n[s] = 1 + (r >> 11) % 16;
		r = (unsigned)pgrants_get(&pg, ref + first[s], n[s], true,
					  (r >> 15) % 2, held[s]);
		if (r) {
			assert_int_equal(r, PGRANTS_FULL);
			n[s] = 0;
		}
		assert_true(pg.pages <= QUOTA && pg.kept <= pg.keep);
		assert_int_equal(loopxen_back_pages(back), pg.pages);
		for (unsigned i = 0; i < n[s]; i++)
			assert_int_equal(pgrants_addr(&pg, held[s][i])[9],
					 (uint8_t)(first[s] + i));
	}
	for (unsigned s = 0; s < 8; s++) {
		if (n[s])
			assert_int_equal(pgrants_put(&pg, held[s], n[s]), 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(transient_goes_at_once),
		TEST(kept_is_found_again),
		TEST(a_reference_twice),
		TEST(transient_is_not_shared),
		TEST(oldest_goes_first),
		TEST(idle_ones_go),
		TEST(full_while_in_use),
		TEST(cap_of_kept),
		TEST(failures),
		TEST(readable_stays_readable),
		TEST(random_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
