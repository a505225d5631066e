/* SPDX-License-Identifier: MIT */
/* backends/door/pv-ring.c against Xen's own ring macros as the front end, and
 * T-RING-2: index abuse stops the ring. */
#include "tests/unit/pv_ring_scene.h"

static void sizes(void **state)
{
	(void)state;
	assert_int_equal(ring.entries, 32);
	assert_int_equal(ring.entries, RING_SIZE(&front));
	pv_ring_init(&ring, page, 4096, 108, false);
	assert_int_equal(ring.entries, 32);
	pv_ring_init(&ring, page, 16 * 4096, 112, false);
	assert_int_equal(ring.entries, 512);
	pv_ring_init(&ring, page, 4096, 8, false);
	assert_int_equal(ring.entries, 256);
}

/* Many rounds from just below the wrap of the 32-bit indices. */
static void wraps(void **state)
{
	uint64_t sent = 0, got = 0, back = 0;
	uint32_t start = UINT32_MAX - 40;

	(void)state;
	shared->req_prod = shared->rsp_prod = start;
	shared->req_event = shared->rsp_event = start + 1;
	FRONT_RING_ATTACH(&front, shared, start, 4096);
	front.rsp_cons = start;
	assert_int_equal(pv_ring_init(&ring, page, 4096, 112, true), PV_RING_OK);
	for (int round = 0; round < 1000; round++) {
		unsigned n = 1 + (unsigned)round * 7 % 32;

		for (unsigned i = 0; i < n; i++)
			ask(sent++);
		push();
		for (unsigned i = 0; i < n; i++)
			assert_true(take() == got++);
		for (unsigned i = 0; i < n; i++)
			answer(got - n + i);
		pv_ring_push(&ring);
		assert_int_equal(shared->rsp_prod - front.rsp_cons, n);
		while (front.rsp_cons != shared->rsp_prod) {
			assert_true(RING_GET_RESPONSE(&front, front.rsp_cons)->id ==
				    back++);
			front.rsp_cons++;
		}
	}
}

static void notifies_when_asked(void **state)
{
	int more;

	(void)state;
	assert_false(pv_ring_final_check(&ring));
	ask(1);
	assert_true(push()); /* it was armed */
	ask(2);
	assert_false(push());			 /* and is no more */
	assert_true(pv_ring_final_check(&ring)); /* do not sleep */
	assert_true(take() == 1);
	assert_true(pv_ring_final_check(&ring));
	assert_true(take() == 2);
	assert_false(pv_ring_final_check(&ring));

	RING_FINAL_CHECK_FOR_RESPONSES(&front, more);
	assert_false(more);
	answer(1);
	answer(2);
	assert_true(pv_ring_push(&ring));
	assert_false(pv_ring_push(&ring)); /* nothing new */
	ask(3);
	push();
	take();
	answer(3);
	assert_false(pv_ring_push(&ring)); /* rsp_event is not ahead */
}

static void nothing_is_published_before_the_push(void **state)
{
	(void)state;
	ask(1);
	ask(2);
	push();
	take();
	take();
	answer(1);
	answer(2);
	assert_int_equal(shared->rsp_prod, 0);
	pv_ring_push(&ring);
	assert_int_equal(shared->rsp_prod, 2);
}

/* T-RING-3: what an answer does not fill is zero.
 * [utest->req~answers-say-nothing-old~1] */
static void padding_is_zero(void **state)
{
	static const uint8_t zeros[112 - 16];

	(void)state;
	ask(1);
	push();
	take();
	answer(1);
	assert_int_equal(page[64 + 16 + 8], 0xa5); /* not before the push */
	pv_ring_push(&ring);
	assert_memory_equal(page + 64 + 16, zeros, sizeof(zeros));
	assert_int_equal(page[64 + 112], 0xa5);
}

static void index_abuse(void **state)
{
	static const uint32_t ahead[] = {33, 64, 1u << 31, UINT32_MAX, UINT32_MAX - 31};
	uint8_t entry[112];

	for (unsigned i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
		fresh(state);
		shared->req_prod = ahead[i];
		assert_int_equal(pv_ring_take(&ring, entry), PV_RING_BROKEN);
		assert_int_equal(ring.req_cons, 0);
		fresh(state);
		shared->req_prod = ahead[i];
		assert_true(pv_ring_final_check(&ring));
		assert_int_equal(pv_ring_take(&ring, entry), PV_RING_BROKEN);
	}
}

static void producer_goes_back(void **state)
{
	uint8_t entry[112];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		ask(i);
	push();
	for (unsigned i = 0; i < 4; i++)
		take();
	shared->req_prod = 3;
	assert_int_equal(pv_ring_take(&ring, entry), PV_RING_BROKEN);
}

/* A full ring of unanswered requests leaves no room for one more. */
static void no_room_past_the_unanswered(void **state)
{
	uint8_t entry[112];

	(void)state;
	for (unsigned i = 0; i < 32; i++)
		ask(i);
	push();
	for (unsigned i = 0; i < 32; i++)
		take();
	assert_int_equal(pv_ring_take(&ring, entry), PV_RING_EMPTY);
	shared->req_prod = 33;
	assert_int_equal(pv_ring_take(&ring, entry), PV_RING_BROKEN);
	shared->req_prod = 32;
	answer(0);
	pv_ring_push(&ring);
	shared->req_prod = 33;
	assert_int_equal(pv_ring_take(&ring, entry), PV_RING_OK);
}

static void attaches_where_answers_end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		ask(i);
	push();
	take();
	take();
	answer(0);
	pv_ring_push(&ring);
	/* The back end dies; the next one sees request 1 again. */
	assert_int_equal(pv_ring_init(&ring, page, 4096, 112, true), PV_RING_OK);
	for (unsigned i = 1; i < 5; i++)
		assert_true(take() == i);
	shared->rsp_prod = 1000;
	assert_int_equal(pv_ring_init(&ring, page, 4096, 112, true), PV_RING_BROKEN);
}

/* Killed anywhere inside a push of two answers: take the page as it was at each
 * byte that the push changed, in the order of its stores, and attach. Each
 * request is answered or still there, and each answer is whole. */
static uint8_t before[4096];

static void successor_finds_all(unsigned published)
{
	unsigned first = shared->rsp_prod;

	assert_int_equal(pv_ring_init(&ring, page, 4096, 112, true), PV_RING_OK);
	assert_in_range(shared->rsp_prod, first, first + 1);
	assert_int_equal(first, published);
	for (unsigned i = 0; i < shared->rsp_prod; i++) {
		const struct toy_response *r = (void *)(page + 64 + 112u * i);

		assert_int_equal(r->id, 100 + i);
		assert_int_equal(r->status, 7);
	}
	for (unsigned i = shared->rsp_prod; i < 3; i++) {
		struct toy_request r;

		assert_int_equal(pv_ring_take(&ring, &r), PV_RING_OK);
		assert_memory_equal(&r, before + 64 + 112u * i, sizeof(r));
	}
}

/* The stores of a push of answer @i, one after the other; @stop of them done. */
static void push_until(unsigned i, unsigned stop)
{
	static struct toy_response r;
	uint8_t answer[32] = {0}, *slot = page + 64 + 112u * i;
	uint32_t magic = 0x58444449u, next = i + 1;

	r.id = 100 + i;
	r.status = 7;
	memcpy(answer, &r, sizeof(r));
	for (unsigned b = 0; b < 32 && stop; b++, stop--)
		page[28 + b] = answer[b];
	if (stop && stop--)
		memcpy(page + 24, &i, 4);
	if (stop && stop--)
		memcpy(page + 20, &magic, 4);
	for (unsigned b = 0; b < 112 && stop; b++, stop--)
		slot[b] = b < 32 ? answer[b] : 0;
	if (stop && stop--)
		memcpy(page + 8, &next, 4);
}

#define STORES (32 + 2 + 112 + 1)

/* [utest->req~successor-answers-the-rest~1] */
static void killed_at_any_store(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		memset(RING_GET_REQUEST(&front, i)->rest, 0x5a, 104);
		ask(100 + i);
	}
	push();
	memcpy(before, page, sizeof(before));
	for (unsigned stop = 0; stop <= 2 * STORES; stop++) {
		memcpy(page, before, sizeof(before));
		push_until(0, stop < STORES ? stop : STORES);
		if (stop > STORES)
			push_until(1, stop - STORES);
		successor_finds_all(stop / STORES);
	}
}

/* The order above is the one that the ring really has. */
static void push_leaves_what_the_test_plays(void **state)
{
	static uint8_t played[4096];
	static struct toy_response r = {.status = 7};

	(void)state;
	ask(100);
	ask(101);
	push();
	memcpy(before, page, sizeof(before));
	push_until(0, STORES);
	push_until(1, STORES);
	memcpy(played, page, sizeof(played));
	memcpy(page, before, sizeof(before));
	for (r.id = 100; r.id < 102; r.id++) {
		take();
		pv_ring_put(&ring, &r, sizeof(r));
	}
	pv_ring_push(&ring);
	assert_memory_equal(page, played, sizeof(played));
}

/* One answer and a group of three, of which @published are; the rest is as it was
 * asked for. @said: where the group ends stands there. */
static void dies_after(unsigned published, bool said)
{
	uint32_t none = 0;

	memcpy(page, before, sizeof(before));
	assert_int_equal(pv_ring_init(&ring, page, 4096, 112, false), PV_RING_OK);
	for (unsigned i = 0; i < 5; i++)
		take();
	answer(100);
	pv_ring_group(&ring, 3, 5);
	for (unsigned i = 1; i < 4; i++)
		answer(100 + i);
	pv_ring_push(&ring);
	memcpy(page + 64 + 112u * published, before + 64 + 112u * published,
	       112u * (5 - published));
	shared->rsp_prod = published;
	memcpy(page + 20, &none, sizeof(none)); /* no answer is being written */
	if (!said)
		memcpy(page + 60, &none, sizeof(none));
	assert_int_equal(pv_ring_init(&ring, page, 4096, 112, true), PV_RING_OK);
}

/* A successor knows what is left of a group, and of what kind: also where none of it
 * is published yet, and nothing where all is. */
static void groups_are_known_in_part(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		ask(100 + i);
	push();
	memcpy(before, page, sizeof(before));
	dies_after(1, false);
	assert_int_equal(ring.left, 0);
	for (unsigned published = 1; published < 5; published++) {
		dies_after(published, true);
		assert_int_equal(ring.left, 4 - published);
		if (ring.left)
			assert_int_equal(ring.kinds, 5);
		assert_true(take() == 100 + published);
	}
}

/* What a client writes there is no more than it has asked for, nor than a group. */
static void group_abuse(void **state)
{
	static const uint32_t ends[] = {6, 37, 1000, UINT32_MAX, 1u << 31};

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		ask(100 + i);
	push();
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		memcpy(page + 60, &ends[i], 4);
		assert_int_equal(pv_ring_init(&ring, page, 4096, 112, true),
				 PV_RING_OK);
		assert_int_equal(ring.left, 0);
	}
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

/* A long answer stands in its slot whole, and leaves no intent: its half is a request.
 */
static void a_repeatable_answer(void **state)
{
	uint8_t answer[PV_RING_REPEAT_MAX], entry[112], *slot = page + 64;

	(void)state;
	memset(answer, 0x77, sizeof(answer));
	ask(100);
	push();
	take();
	pv_ring_put_repeatable(&ring, answer, sizeof(answer));
	memcpy(before, page, sizeof(before));
	pv_ring_push(&ring);
	assert_int_equal(shared->rsp_prod, 1);
	assert_memory_equal(slot, answer, sizeof(answer));
	for (unsigned i = sizeof(answer); i < 112; i++)
		assert_int_equal(slot[i], 0);
	assert_memory_equal(page + 16, before + 16, 48);

	/* Killed while it was written: what is there is taken. */
	memcpy(page, before, sizeof(before));
	memset(slot, 0x77, 20);
	assert_int_equal(pv_ring_init(&ring, page, 4096, 112, true), PV_RING_OK);
	assert_int_equal(shared->rsp_prod, 0);
	assert_int_equal(pv_ring_take(&ring, entry), PV_RING_OK);
	assert_memory_equal(entry, slot, sizeof(entry));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sizes),
		TEST(wraps),
		TEST(notifies_when_asked),
		TEST(nothing_is_published_before_the_push),
		TEST(padding_is_zero),
		TEST(index_abuse),
		TEST(producer_goes_back),
		TEST(no_room_past_the_unanswered),
		TEST(attaches_where_answers_end),
		TEST(killed_at_any_store),
		TEST(groups_are_known_in_part),
		TEST(group_abuse),
		TEST(push_leaves_what_the_test_plays),
		TEST(a_repeatable_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
