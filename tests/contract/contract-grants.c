/* SPDX-License-Identifier: MIT */
/* grant-mem/grants.h. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "tests/contract/contract-parts.h"

static void maps_show_the_same_page(struct contract *c)
{
	struct gref refs[8];
	struct grants_map map;
	uint8_t *p;

	CHECK(c, !grant(c, 8, false, refs));
	for (uint32_t i = 0; i < 8; i++)
		CHECK(c, !fill(c, refs[i], 0, PAGE, (uint8_t)(0x10 + i)));
	CHECK(c, grants_map(c->grants, refs, 8, true, &map) == GRANTS_OK);
	CHECK(c, map.addr && map.pages == 8 && map.writable);
	p = map.addr;
	for (uint32_t i = 0; i < 8; i++) { /* in order, contiguous */
		CHECK(c, p[i * PAGE] == 0x10 + i && p[i * PAGE + 4095] == 0x10 + i);
	}
	memset(p + 3 * PAGE + 100, 0x77, 50);
	CHECK(c, holds(c, refs[3], 100, 50, 0x77));
	CHECK(c, holds(c, refs[3], 150, 100, 0x13));
	CHECK(c, !fill(c, refs[7], 0, 1, 0x99)); /* and on */
	CHECK(c, p[7 * PAGE] == 0x99);
	CHECK(c, grants_unmap(c->grants, &map) == GRANTS_OK);
	CHECK(c, !map.addr && !map.pages);
	CHECK(c, taken_back(c, refs, 8));
}

static void readable_faults_on_write(struct contract *c)
{
	struct gref refs[2];
	struct grants_map map;

	CHECK(c, !grant(c, 1, false, refs));
	CHECK(c, !grant(c, 1, true, refs + 1));
	CHECK(c, grants_map(c->grants, refs, 2, false, &map) == GRANTS_OK);
	for (uint32_t i = 0; i < 2; i++) {
		uint8_t *page = (uint8_t *)map.addr + i * PAGE;

		CHECK(c, !contract_faults(page, false));
		CHECK(c, contract_faults(page, true));
	}
	CHECK(c, grants_unmap(c->grants, &map) == GRANTS_OK);
	CHECK(c, taken_back(c, refs, 2));
}

static void unmapped_is_gone(struct contract *c)
{
	struct gref ref;
	struct grants_map map;
	uint8_t *p;

	CHECK(c, !grant(c, 1, false, &ref));
	CHECK(c, grants_map(c->grants, &ref, 1, true, &map) == GRANTS_OK);
	p = map.addr;
	CHECK(c, c->granter->ops->revoke(c->granter, ref) == 0);
	CHECK(c, grants_unmap(c->grants, &map) == GRANTS_OK);
	CHECK(c, contract_faults(p, false));
	CHECK(c, taken_back(c, &ref, 1));
}

static void all_or_nothing(struct contract *c)
{
	struct gref refs[8], good[8];
	struct grants_map map = {0};

	CHECK(c, !grant(c, 8, false, good));
	CHECK(c, taken_back(c, good + 5, 1));
	memcpy(refs, good, sizeof(refs));
	CHECK(c, grants_map(c->grants, refs, 8, true, &map) == GRANTS_BAD);
	CHECK(c, !map.addr);
	CHECK(c, taken_back(c, good, 5) && taken_back(c, good + 6, 2));
}

static void a_read_only_grant_is_not_mapped_writable(struct contract *c)
{
	struct gref ref;
	struct grants_map map;

	CHECK(c, !grant(c, 1, true, &ref));
	CHECK(c, grants_map(c->grants, &ref, 1, true, &map) == GRANTS_BAD);
	CHECK(c, taken_back(c, &ref, 1));
}

/* Two requests may name the same page; each has a map of its own. */
static void a_reference_in_two_maps(struct contract *c)
{
	struct gref ref;
	struct grants_map a, b;

	CHECK(c, !grant(c, 1, false, &ref));
	CHECK(c, grants_map(c->grants, &ref, 1, true, &a) == GRANTS_OK);
	CHECK(c, grants_map(c->grants, &ref, 1, false, &b) == GRANTS_OK);
	CHECK(c, a.addr != b.addr);
	*(uint8_t *)a.addr = 0x21;
	CHECK(c, *(uint8_t *)b.addr == 0x21);
	CHECK(c, grants_unmap(c->grants, &a) == GRANTS_OK);
	CHECK(c, *(uint8_t *)b.addr == 0x21);
	CHECK(c, c->granter->ops->revoke(c->granter, ref) == 0);
	CHECK(c, grants_unmap(c->grants, &b) == GRANTS_OK);
	CHECK(c, taken_back(c, &ref, 1));
}

static void quota_holds(struct contract *c)
{
	struct gref refs[GRANTS_BATCH_MAX];
	struct grants_map map, more;
	uint32_t n = c->policy->data_pages;

	if (n >= GRANTS_BATCH_MAX)
		return; /* this policy's cannot be passed in one call */
	CHECK(c, !grant(c, n + 1, false, refs));
	CHECK(c, grants_map(c->grants, refs, n + 1, true, &map) == GRANTS_REFUSED);
	CHECK(c, grants_map(c->grants, refs, n, true, &map) == GRANTS_OK);
	CHECK(c, grants_map(c->grants, refs + n, 1, true, &more) == GRANTS_REFUSED);
	CHECK(c, grants_unmap(c->grants, &map) == GRANTS_OK);
	/* It is refunded by the time that unmap returns. */
	CHECK(c, grants_map(c->grants, refs + 1, n, true, &map) == GRANTS_OK);
	CHECK(c, grants_unmap(c->grants, &map) == GRANTS_OK);
	CHECK(c, taken_back(c, refs, n + 1));
}

static void references_outside_the_policy(struct contract *c)
{
	struct gref refs[3] = {{0}, {c->policy->first_ref.v - 1}};
	struct grants_map map;

	for (uint32_t i = 0; i < 2; i++)
		CHECK(c, grants_map(c->grants, refs + i, 1, false, &map) ==
				 GRANTS_REFUSED);
	if (c->policy->last_ref.v == UINT32_MAX)
		return;
	refs[2].v = c->policy->last_ref.v + 1;
	CHECK(c, grants_map(c->grants, refs + 2, 1, false, &map) == GRANTS_REFUSED);
}

static void many_rounds_leak_nothing(struct contract *c)
{
	struct gref refs[4];
	struct grants_map map;

	CHECK(c, !grant(c, 4, false, refs));
	for (unsigned round = 0; round < 200; round++) {
		CHECK(c, grants_map(c->grants, refs, 1 + round % 4, round % 2, &map) ==
				 GRANTS_OK);
		CHECK(c, grants_unmap(c->grants, &map) == GRANTS_OK);
	}
	CHECK(c, taken_back(c, refs, 4));
}

static void modes_are_kept(struct contract *c)
{
	struct gref ref;
	struct grants_map map;

	CHECK(c, !grant(c, 1, false, &ref));
	CHECK(c, grants_map(c->grants, &ref, 1, true, &map) == GRANTS_REFUSED);
	CHECK(c, taken_back(c, &ref, 1));
}

static void rings_by_key(struct contract *c)
{
	const char *const ring[] = {c->class->ring_keys[0]};
	static const char *const other[] = {"state"};
	static const char *const bad[] = {"", "x", "-1", "4294967296", "8 "};
	struct grants_map map;
	struct gref ref;

	CHECK(c, !grant(c, 1, false, &ref));
	CHECK(c, !key(c, ring[0], NULL));
	CHECK(c, grants_map_ring(c->grants, ring, 1, &map) == GRANTS_ABSENT);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(c, !key(c, ring[0], bad[i]));
		CHECK(c, grants_map_ring(c->grants, ring, 1, &map) == GRANTS_ABSENT);
	}
	CHECK(c, grants_map_ring(c->grants, other, 1, &map) == GRANTS_REFUSED);
	CHECK(c, !key_number(c, ring[0], ref.v));
	CHECK(c, !fill(c, ref, 64, 4, 0x3c));
	CHECK(c, grants_map_ring(c->grants, ring, 1, &map) == GRANTS_OK);
	CHECK(c, map.pages == 1 && map.writable);
	CHECK(c, ((uint8_t *)map.addr)[64] == 0x3c);
	((uint8_t *)map.addr)[0] = 0x55;
	CHECK(c, holds(c, ref, 0, 1, 0x55));
	CHECK(c, grants_unmap(c->grants, &map) == GRANTS_OK);
	CHECK(c, taken_back(c, &ref, 1));
	CHECK(c, grants_map_ring(c->grants, ring, 1, &map) == GRANTS_BAD);
	CHECK(c, !key(c, ring[0], NULL));
}

static void ring_pages_are_bounded(struct contract *c)
{
	char text[GRANTS_RING_MAX][16];
	const char *keys[GRANTS_RING_MAX];
	struct gref refs[GRANTS_RING_MAX];
	struct grants_map map;
	uint32_t n = c->policy->ring_pages;

	if (n >= GRANTS_RING_MAX)
		return;
	CHECK(c, !grant(c, n + 1, false, refs));
	for (uint32_t i = 0; i <= n; i++) {
		snprintf(text[i], sizeof(text[i]), "ring-ref%u", i % 100);
		keys[i] = text[i];
		CHECK(c, !key_number(c, keys[i], refs[i].v));
	}
	CHECK(c, grants_map_ring(c->grants, keys, n + 1, &map) == GRANTS_REFUSED);
	CHECK(c, grants_map_ring(c->grants, keys, n, &map) == GRANTS_OK);
	CHECK(c, grants_unmap(c->grants, &map) == GRANTS_OK);
	for (uint32_t i = 0; i <= n; i++)
		CHECK(c, !key(c, keys[i], NULL));
	CHECK(c, taken_back(c, refs, n + 1));
}

static void copies_go_both_ways(struct contract *c)
{
	uint8_t *area = c->grants->copy_area;
	struct gref refs[2];

	CHECK(c, area && c->grants->copy_bytes >= 2 * PAGE);
	CHECK(c, !grant(c, 2, false, refs));
	CHECK(c, !fill(c, refs[0], 512, 1024, 0x61));
	memset(area, 0, 2 * PAGE);
	memset(area + PAGE, 0x62, 100);
	struct grants_seg segs[3] = {
		{.ref = refs[0], .offset = 512, .len = 1024, .local = 10},
		{.ref = refs[1],
		 .offset = 3996,
		 .len = 100,
		 .local = PAGE,
		 .to_client = true},
		{.ref = refs[0], .offset = 4095, .len = 1, .local = 2 * PAGE - 1},
	};
	CHECK(c, grants_copy(c->grants, segs, 3) == GRANTS_OK);
	for (unsigned i = 0; i < 3; i++)
		CHECK(c, segs[i].status == GRANTS_OK);
	CHECK(c, area[9] == 0 && area[10] == 0x61);
	CHECK(c, area[10 + 1023] == 0x61 && area[10 + 1024] == 0);
	CHECK(c, holds(c, refs[1], 3996, 100, 0x62));
	CHECK(c, holds(c, refs[1], 0, 3996, 0));
	CHECK(c, taken_back(c, refs, 2));
}

static void each_segment_has_its_status(struct contract *c)
{
	struct grants_seg segs[3] = {0};
	struct gref refs[3];

	CHECK(c, !grant(c, 2, false, refs));
	CHECK(c, !grant(c, 1, true, refs + 2));
	CHECK(c, taken_back(c, refs + 1, 1));
	for (unsigned i = 0; i < 3; i++) {
		segs[i] = (struct grants_seg){
			.ref = refs[i],
			.len = PAGE,
			.local = i * PAGE,
			.to_client = true,
		};
		memset(c->grants->copy_area + i * PAGE, (int)i + 1, PAGE);
	}
	CHECK(c, grants_copy(c->grants, segs, 3) == GRANTS_OK);
	CHECK(c, segs[0].status == GRANTS_OK && holds(c, refs[0], 0, PAGE, 1));
	CHECK(c, segs[1].status == GRANTS_BAD);
	CHECK(c, segs[2].status == GRANTS_BAD && holds(c, refs[2], 0, PAGE, 0));
	segs[2].to_client = false;
	CHECK(c, grants_copy(c->grants, segs + 2, 1) == GRANTS_OK);
	CHECK(c, segs[2].status == GRANTS_OK);
	CHECK(c, taken_back(c, refs, 1) && taken_back(c, refs + 2, 1));
}

/* grants.h leaves open whether it is that segment's refusal or all of the call's:
 * the keeper refuses the call, and then nothing is copied. */
static void a_segment_outside_the_policy(struct contract *c)
{
	struct grants_seg segs[2] = {
		{.len = PAGE, .to_client = true},
		{.len = PAGE, .local = PAGE, .to_client = true}, /* of reference 0 */
	};
	struct gref ref;
	int r;

	CHECK(c, !grant(c, 1, false, &ref));
	segs[0].ref = ref;
	memset(c->grants->copy_area, 1, 2 * PAGE);
	r = grants_copy(c->grants, segs, 2);
	CHECK(c, r == GRANTS_OK || r == GRANTS_REFUSED);
	if (r == GRANTS_OK)
		CHECK(c,
		      segs[0].status == GRANTS_OK && segs[1].status == GRANTS_REFUSED);
	CHECK(c, holds(c, ref, 0, PAGE, r == GRANTS_OK));
	CHECK(c, taken_back(c, &ref, 1));
}

static void a_full_batch(struct contract *c)
{
	static struct grants_seg segs[GRANTS_BATCH_MAX];
	uint32_t n = c->policy->data_pages;
	struct gref ref;

	if (n > GRANTS_BATCH_MAX)
		n = GRANTS_BATCH_MAX;
	CHECK(c, !grant(c, 1, false, &ref));
	CHECK(c, !fill(c, ref, 0, PAGE, 0x2f));
	for (uint32_t i = 0; i < n; i++)
		segs[i] = (struct grants_seg){
			.ref = ref, .offset = (uint16_t)i, .len = 8, .local = i * 8};
	memset(c->grants->copy_area, 0, n * 8);
	CHECK(c, grants_copy(c->grants, segs, n) == GRANTS_OK);
	for (uint32_t i = 0; i < n * 8; i++)
		CHECK(c, c->grants->copy_area[i] == 0x2f);
	CHECK(c, taken_back(c, &ref, 1));
}

const struct contract_test contract_grants[] = {
	{"maps_show_the_same_page", maps_show_the_same_page, MODE(MAP)},
	{"readable_faults_on_write", readable_faults_on_write, MODE(MAP)},
	{"unmapped_is_gone", unmapped_is_gone, MODE(MAP)},
	{"all_or_nothing", all_or_nothing, MODE(MAP)},
	{"a_read_only_grant_is_not_mapped_writable",
	 a_read_only_grant_is_not_mapped_writable, MODE(MAP)},
	{"a_reference_in_two_maps", a_reference_in_two_maps, MODE(MAP)},
	{"quota_holds", quota_holds, MODE(MAP)},
	{"references_outside_the_policy", references_outside_the_policy, MODE(MAP)},
	{"many_rounds_leak_nothing", many_rounds_leak_nothing, MODE(MAP)},
	{"modes_are_kept", modes_are_kept, MODE(COPY) | MODE(POOL)},
	{"rings_by_key", rings_by_key, EVERY_MODE},
	{"ring_pages_are_bounded", ring_pages_are_bounded, MODE(MAP) | MODE(COPY)},
	{"copies_go_both_ways", copies_go_both_ways, MODE(COPY) | MODE(GRANT)},
	{"each_segment_has_its_status", each_segment_has_its_status,
	 MODE(COPY) | MODE(GRANT)},
	{"a_segment_outside_the_policy", a_segment_outside_the_policy,
	 MODE(COPY) | MODE(GRANT)},
	{"a_full_batch", a_full_batch, MODE(COPY) | MODE(GRANT)},
	{0},
};
