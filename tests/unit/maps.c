/* SPDX-License-Identifier: MIT */
/*
 * Registrations against a kernel that confirms at once, late, or never: the
 * quota comes back when it says so, in whatever order, and not before.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "grant-mem/ledger.h"
#include "grant-mem/maps.h"

#define RELEASE_NS 5000u

static struct maps maps;
static struct registrar registrar;
static unsigned signalled[64], signals, drops, adds;
static int late, add_error, drop_error;
static uint64_t next_index;

int registrar_add(struct registrar *r, struct domid client, const struct gref *refs,
		  uint32_t n, bool writable, uint64_t *index)
{
	(void)r, (void)client, (void)refs, (void)writable;
	adds++;
	*index = next_index;
	next_index += n * 4096u;
	return add_error;
}

int registrar_drop(struct registrar *r, bool writable, uint64_t index, uint32_t n,
		   unsigned pair)
{
	(void)r, (void)writable, (void)index, (void)n;
	if (drop_error)
		return drop_error;
	drops++;
	if (!late)
		signalled[signals++] = pair;
	return 0;
}

int registrar_dropped(struct registrar *r)
{
	(void)r;
	return signals ? (int)signalled[--signals] : -EAGAIN;
}

static int setup(void **state)
{
	(void)state;
	maps_init(&maps, &registrar, RELEASE_NS);
	signals = drops = adds = 0;
	late = add_error = drop_error = 0;
	next_index = 0;
	return 0;
}

static uint32_t add_as(enum policy_purpose purpose, uint32_t first, uint32_t n,
		       enum wire_result expected)
{
	struct gref refs[WIRE_REFS_MAX];
	struct wire_mapped mapped = {0};

	for (uint32_t i = 0; i < n; i++)
		refs[i].v = first + i;
	assert_int_equal(
		maps_add(&maps, (struct domid){3}, purpose, refs, n, true, &mapped),
		expected);
	return mapped.id;
}

static uint32_t add(uint32_t first, uint32_t n, enum wire_result expected)
{
	return add_as(POLICY_PURPOSE_DATA, first, n, expected);
}

/* A ring's reference is not data, and the other way round, while it is held. */
static void test_one_purpose(void **state)
{
	uint32_t ring = add_as(POLICY_PURPOSE_RING, 20, 2, WIRE_OK), data;

	(void)state;
	add(18, 3, WIRE_REFUSED);
	add(21, 1, WIRE_REFUSED);
	assert_int_equal(maps.usage.data_pages, 0);
	data = add(22, 4, WIRE_OK);
	add_as(POLICY_PURPOSE_RING, 24, 1, WIRE_REFUSED);
	assert_true(maps_release(&maps, ring, 1));
	assert_true(maps_release(&maps, data, 1));
	add(18, 3, WIRE_OK);
}

/* A pool's page is neither; it is charged as data. */
static void test_pool(void **state)
{
	uint32_t ring = add_as(POLICY_PURPOSE_RING, 20, 1, WIRE_OK), pool;

	(void)state;
	add_as(POLICY_PURPOSE_POOL, 5, 16, WIRE_REFUSED);
	pool = add_as(POLICY_PURPOSE_POOL, 21, 16, WIRE_OK);
	assert_int_equal(maps.usage.data_pages, 16);
	assert_int_equal(maps.usage.ring_pages, 1);
	add_as(POLICY_PURPOSE_RING, 36, 1, WIRE_REFUSED);
	add(36, 1, WIRE_REFUSED);
	assert_true(maps_release(&maps, pool, 1));
	assert_int_equal(maps.usage.data_pages, 0);
	add_as(POLICY_PURPOSE_RING, 36, 1, WIRE_OK);
	assert_true(maps_release(&maps, ring, 1));
}

/* Only the id that was given names a registration, not one of its pages. */
static void test_page_is_no_registration(void **state)
{
	uint32_t id = add(10, 8, WIRE_OK);

	(void)state;
	for (uint32_t turn = 0; turn < 4; turn++) {
		for (uint32_t i = 0; i < 8; i++) {
			uint32_t guess = turn << 16 | i;

			if (guess != id)
				assert_false(maps_release(&maps, guess, 1));
		}
	}
	assert_int_equal(drops, 0);
	assert_true(maps_release(&maps, id, 1));
	assert_true(maps_empty(&maps));
}

static void test_at_once(void **state)
{
	uint32_t id = add(10, 5, WIRE_OK);

	(void)state;
	assert_int_equal(maps.usage.data_pages, 5);
	assert_true(maps_release(&maps, id, 1));
	assert_true(maps_empty(&maps));
	assert_int_equal(maps_deadline(&maps), UINT64_MAX);
	assert_false(maps_release(&maps, id, 1));
	assert_false(maps_release(&maps, id + 1, 1));
	assert_false(maps_release(&maps, UINT32_MAX, 1));
}

static void test_stale_id(void **state)
{
	uint32_t id = add(10, 1, WIRE_OK), next;

	(void)state;
	assert_true(maps_release(&maps, id, 1));
	next = add(10, 1, WIRE_OK); /* the same slot */
	assert_int_not_equal(id, next);
	assert_false(maps_release(&maps, id, 1));
	assert_true(maps_release(&maps, next, 1));
}

/* More releases than pairs: they wait for their turn, charged.
 * [utest->req~pages-are-refunded-on-confirmation~1] */
static void test_late(void **state)
{
	uint32_t id[6];

	(void)state;
	late = 1;
	for (unsigned i = 0; i < 6; i++)
		id[i] = add(10 + i, 1, WIRE_OK);
	for (unsigned i = 0; i < 6; i++)
		assert_true(maps_release(&maps, id[i], 100 + i));
	assert_int_equal(drops, REGISTRAR_PAIRS);
	assert_int_equal(maps.usage.data_pages, 6);
	assert_int_equal(maps_deadline(&maps), 100 + RELEASE_NS);
	signalled[signals++] = 2; /* the third */
	maps_confirm(&maps);
	assert_int_equal(maps.usage.data_pages, 5);
	assert_int_equal(drops, REGISTRAR_PAIRS + 1); /* its pair went on */
	signalled[signals++] = 0;
	maps_confirm(&maps);
	assert_int_equal(maps_deadline(&maps), 101 + RELEASE_NS);
	for (unsigned i = 0; i < REGISTRAR_PAIRS; i++)
		signalled[signals++] = i;
	maps_confirm(&maps);
	assert_true(maps_empty(&maps));
	signalled[signals++] = 1; /* nobody waits for that */
	maps_confirm(&maps);
	assert_true(maps_empty(&maps));
}

/* Never confirmed: charged for ever, until the owner is dead; a pair that it
 * left behind serves nobody before the kernel signals it.
 * [utest->req~pages-are-refunded-on-confirmation~1] */
static void test_never(void **state)
{
	uint32_t id;

	(void)state;
	late = 1;
	id = add(10, 4, WIRE_OK);
	assert_true(maps_release(&maps, id, 7));
	assert_int_equal(maps.usage.data_pages, 4);
	assert_int_equal(maps_deadline(&maps), 7 + RELEASE_NS);
	maps_reset(&maps);
	assert_true(maps_empty(&maps));
	assert_int_equal(maps_deadline(&maps), UINT64_MAX);
	for (unsigned i = 0; i < REGISTRAR_PAIRS; i++)
		assert_true(maps_release(&maps, add(20 + i, 1, WIRE_OK), 8));
	assert_int_equal(drops, REGISTRAR_PAIRS); /* one before, three now */
	signalled[signals++] = 0;
	maps_confirm(&maps);
	assert_int_equal(maps.usage.data_pages, 4); /* not theirs */
	assert_int_equal(drops, REGISTRAR_PAIRS + 1);
}

/* [utest->req~pages-are-refunded-on-confirmation~1] */
static void test_drop_fails(void **state)
{
	uint32_t id = add(10, 1, WIRE_OK);

	(void)state;
	drop_error = -EINVAL;
	assert_true(maps_release(&maps, id, 7));
	assert_int_equal(maps.usage.data_pages, 1);
	assert_int_equal(maps_deadline(&maps), 7 + RELEASE_NS);
	drop_error = 0;
	maps_confirm(&maps);
	assert_true(maps_empty(&maps));
}

/* [utest->req~pages-are-charged-first~1] */
static void test_add_fails(void **state)
{
	(void)state;
	add_error = -ENOMEM;
	add(10, 8, WIRE_ENOMEM);
	add_error = -EINVAL;
	add(10, 8, WIRE_BAD);
	assert_true(maps_empty(&maps));
}

static void test_many(void **state)
{
	uint32_t *ids = calloc(MAPS_SLOTS, sizeof(*ids));

	(void)state;
	for (uint32_t i = 0; i < MAPS_SLOTS; i++)
		ids[i] = add(i, 1, WIRE_OK);
	add(0, 1, WIRE_REFUSED);
	for (uint32_t i = 0; i < MAPS_SLOTS; i++)
		assert_true(maps_release(&maps, ids[i], 1));
	assert_true(maps_empty(&maps));
	add(0, 256, WIRE_OK);
	free(ids);
}

/* A reference that stands twice is free when it stands nowhere.
 * [utest->req~pages-are-charged-first~1] */
static void test_ledger(void **state)
{
	char dir[] = "/tmp/xdd-maps-XXXXXX";
	struct gref ten = {10};
	uint32_t first, second;
	int other;

	(void)state;
	assert_non_null(mkdtemp(dir));
	maps.ledger = ledger_open(dir, (struct domid){3});
	other = ledger_open(dir, (struct domid){3});
	first = add(10, 2, WIRE_OK);
	second = add(10, 1, WIRE_OK);
	assert_true(maps_release(&maps, first, 1));
	assert_int_equal(ledger_lock(other, &ten, 1), -EAGAIN);
	assert_true(maps_release(&maps, second, 1));
	assert_int_equal(ledger_lock(other, &ten, 1), 0);
	add(8, 4, WIRE_BUSY);
	ten.v = 9; /* what the refused call had locked */
	assert_int_equal(ledger_lock(other, &ten, 1), 0);
	close(other);
	add(10, 1, WIRE_OK);
	maps_reset(&maps);
	close(maps.ledger);
	assert_int_equal(chdir(dir), 0);
	unlink("dom3");
	rmdir(dir);
}

/* The largest pool, and a registration that has some of its references once more: each
 * is free when it stands nowhere, whatever the order they go in. */
static void test_ledger_of_a_pool(void **state)
{
	enum { RUNS = 64, RUN = 256, FIRST = 8, TWICE = FIRST + 3 * RUN - 2 };
	char dir[] = "/tmp/xdd-maps-XXXXXX";
	const struct gref back[] = {{TWICE + 1}, {TWICE}};
	struct gref ref = {FIRST};
	struct wire_mapped mapped;
	uint32_t id[RUNS], twice;
	int other;

	(void)state;
	assert_non_null(mkdtemp(dir));
	maps.ledger = ledger_open(dir, (struct domid){3});
	other = ledger_open(dir, (struct domid){3});
	for (uint32_t i = 0; i < RUNS; i++)
		id[i] = add(FIRST + i * RUN, RUN, WIRE_OK);
	twice = add(TWICE, 4, WIRE_OK);
	for (uint32_t i = RUNS; i-- > 0;)
		assert_true(maps_release(&maps, id[i], 1));
	for (; ref.v < FIRST + RUNS * RUN; ref.v++)
		assert_int_equal(ledger_lock(other, &ref, 1),
				 ref.v - TWICE < 4 ? -EAGAIN : 0);
	assert_true(maps_release(&maps, twice, 1));
	/* No run, and the one before its first is held still. */
	assert_int_equal(maps_add(&maps, (struct domid){3}, POLICY_PURPOSE_DATA, back,
				  2, true, &mapped),
			 WIRE_OK);
	twice = add(TWICE, 1, WIRE_OK);
	assert_true(maps_release(&maps, mapped.id, 1));
	ref.v = TWICE;
	assert_int_equal(ledger_lock(other, &ref, 1), -EAGAIN);
	assert_true(maps_release(&maps, twice, 1));
	assert_int_equal(ledger_lock(other, &ref, 1), 0);
	assert_true(maps_empty(&maps));
	close(other);
	close(maps.ledger);
	assert_int_equal(chdir(dir), 0);
	unlink("dom3");
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_at_once, setup),
		cmocka_unit_test_setup(test_stale_id, setup),
		cmocka_unit_test_setup(test_one_purpose, setup),
		cmocka_unit_test_setup(test_pool, setup),
		cmocka_unit_test_setup(test_page_is_no_registration, setup),
		cmocka_unit_test_setup(test_late, setup),
		cmocka_unit_test_setup(test_never, setup),
		cmocka_unit_test_setup(test_drop_fails, setup),
		cmocka_unit_test_setup(test_add_fails, setup),
		cmocka_unit_test_setup(test_many, setup),
		cmocka_unit_test_setup(test_ledger, setup),
		cmocka_unit_test_setup(test_ledger_of_a_pool, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
