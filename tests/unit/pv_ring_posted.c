/* SPDX-License-Identifier: MIT */
/* backends/door/pv-ring.c, rings of posted buffers: against Xen's own ring macros as
 * the front end. */
#include "tests/unit/pv_ring_scene.h"

#define KEPT_AT 2
#define KEPT	6

static int fresh_posted(void **state)
{
	fresh(state);
	assert_int_equal(
		pv_ring_init_posted(&ring, page, 4096, 112, KEPT_AT, KEPT, false),
		PV_RING_OK);
	return 0;
}

/* Its bytes are all @n. */
static void post(uint8_t n)
{
	memset(RING_GET_REQUEST(&front, front.req_prod_pvt), n, 112);
	front.req_prod_pvt++;
}

static void fill(uint8_t with)
{
	uint8_t whole[112];

	memset(whole, with, sizeof(whole));
	pv_ring_fill(&ring, whole);
}

static void assert_filled(unsigned slot, uint8_t kept, uint8_t with)
{
	const uint8_t *at = page + 64 + 112u * slot;

	for (unsigned i = 0; i < 112; i++)
		assert_int_equal(at[i],
				 i >= KEPT_AT && i < KEPT_AT + KEPT ? kept : with);
}

static uint32_t posted(void)
{
	uint32_t n = 99;
	enum pv_ring_status status = pv_ring_posted(&ring, &n);

	assert_int_equal(status, n ? PV_RING_OK : PV_RING_EMPTY);
	assert_int_equal(pv_ring_has_posted(&ring), !!n);
	return n;
}

static void posted_are_filled_around_what_is_kept(void **state)
{
	(void)state;
	assert_int_equal(posted(), 0);
	for (uint8_t i = 0; i < 32; i++)
		post(i);
	assert_int_equal(posted(), 0); /* not published */
	push();
	assert_int_equal(posted(), 32);
	for (uint8_t i = 0; i < 31; i++)
		fill((uint8_t)(0x80 + i));
	assert_int_equal(posted(), 1);
	assert_int_equal(shared->rsp_prod, 0);
	assert_true(pv_ring_push(&ring));
	assert_false(pv_ring_push(&ring));
	assert_int_equal(shared->rsp_prod, 31);
	for (uint8_t i = 0; i < 31; i++)
		assert_filled(i, i, (uint8_t)(0x80 + i));
	/* The last is as it was, and so is the header's padding. */
	for (unsigned i = 0; i < 112; i++)
		assert_int_equal(page[64 + 31 * 112 + i], 31);
	for (unsigned i = 16; i < 64; i++)
		assert_int_equal(page[i], 0);
}

/* Each at the edge of an entry. */
static void kept_may_be_anywhere(void **state)
{
	static const uint32_t at[] = {0, 1, 55, 111};

	for (unsigned i = 0; i < 4; i++) {
		fresh(state);
		assert_int_equal(
			pv_ring_init_posted(&ring, page, 4096, 112, at[i], 1, false),
			PV_RING_OK);
		post(7);
		push();
		posted();
		fill(8);
		for (unsigned b = 0; b < 112; b++)
			assert_int_equal(page[64 + b], b == at[i] ? 7 : 8);
		assert_int_equal(page[64 + 112], 0xa5);
	}
}

static void posted_wrap(void **state)
{
	uint32_t start = UINT32_MAX - 40;

	(void)state;
	shared->req_prod = shared->rsp_prod = start;
	shared->req_event = shared->rsp_event = start + 1;
	FRONT_RING_ATTACH(&front, shared, start, 4096);
	front.rsp_cons = start;
	assert_int_equal(pv_ring_init_posted(&ring, page, 4096, 112, 0, 2, true),
			 PV_RING_OK);
	for (unsigned round = 0; round < 200; round++) {
		unsigned n = 1 + round * 7 % 32;

		for (unsigned i = 0; i < n; i++)
			post((uint8_t)(round + i));
		push();
		assert_int_equal(posted(), n);
		for (unsigned i = 0; i < n; i++)
			fill(0xee);
		assert_int_equal(posted(), 0);
		assert_true(pv_ring_push(&ring));
		for (; n; n--, front.rsp_cons++)
			;
		shared->rsp_event = front.rsp_cons + 1;
		assert_int_equal(shared->rsp_prod, front.rsp_cons);
	}
	assert_true(front.rsp_cons < 10000);
}

static void posted_index_abuse(void **state)
{
	static const uint32_t ahead[] = {33, 64, 1u << 31, UINT32_MAX};
	uint32_t n;

	for (unsigned i = 0; i < 4; i++) {
		fresh_posted(state);
		shared->req_prod = ahead[i];
		assert_int_equal(pv_ring_posted(&ring, &n), PV_RING_BROKEN);
		assert_int_equal(n, 0);
	}
	/* It goes back behind what was filled. */
	fresh_posted(state);
	post(1);
	post(2);
	push();
	posted();
	fill(3);
	shared->req_prod = 0;
	assert_int_equal(pv_ring_posted(&ring, &n), PV_RING_BROKEN);
	/* Behind what was only looked at, it may. */
	shared->req_prod = 1;
	assert_int_equal(posted(), 0);
}

static void posted_wake_as_others(void **state)
{
	(void)state;
	assert_false(pv_ring_final_check(&ring));
	post(1);
	assert_true(push());
	assert_true(pv_ring_final_check(&ring));
	assert_true(pv_ring_pending(&ring));
	assert_int_equal(posted(), 1);
	fill(2);
	assert_false(pv_ring_pending(&ring));
	assert_true(pv_ring_push(&ring));
	assert_false(pv_ring_final_check(&ring));
}

/* Killed when some were filled, and not pushed: the successor finds them posted, by
 * what is kept; a push is one store, and an intent of the padding is not for them. */
static void a_successor_finds_what_is_kept(void **state)
{
	uint32_t magic = 0x58444449u, index = 1;

	(void)state;
	for (uint8_t i = 0; i < 5; i++)
		post(i);
	push();
	posted();
	fill(0x80);
	pv_ring_push(&ring);
	fill(0x81);
	fill(0x82);
	memcpy(page + 24, &index, 4);
	memcpy(page + 20, &magic, 4);
	assert_int_equal(
		pv_ring_init_posted(&ring, page, 4096, 112, KEPT_AT, KEPT, true),
		PV_RING_OK);
	assert_int_equal(shared->rsp_prod, 1);
	assert_int_equal(posted(), 4);
	for (uint8_t i = 1; i < 5; i++)
		fill((uint8_t)(0x90 + i));
	pv_ring_push(&ring);
	assert_filled(0, 0, 0x80);
	for (uint8_t i = 1; i < 5; i++)
		assert_filled(i, i, (uint8_t)(0x90 + i));
	shared->rsp_prod = 1000;
	assert_int_equal(
		pv_ring_init_posted(&ring, page, 4096, 112, KEPT_AT, KEPT, true),
		PV_RING_BROKEN);
}

#define TEST(f)	  cmocka_unit_test_setup(f, fresh)
#define POSTED(f) cmocka_unit_test_setup(f, fresh_posted)

int main(void)
{
	const struct CMUnitTest tests[] = {
		POSTED(posted_are_filled_around_what_is_kept),
		TEST(kept_may_be_anywhere),
		TEST(posted_wrap),
		TEST(posted_index_abuse),
		POSTED(posted_wake_as_others),
		POSTED(a_successor_finds_what_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
