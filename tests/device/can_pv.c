/* SPDX-License-Identifier: MIT */
/* The PV door of a CAN controller: what it says in its directory, and how large its
 * rings may be. What every door owes is can_doors.c. */
#include "tests/device/can-cases.h"

struct said {
	const char *key, *value;
};

static void assert_said(const struct can_bed_conf *conf, const struct said *said,
			unsigned n)
{
	can_bed_init(&bed, conf);
	assert_int_equal(can_bed_start(&bed), 0);
	for (unsigned i = 0; i < n; i++) {
		const char *value = can_bed_back_key(&bed, said[i].key);

		assert_non_null(value);
		assert_string_equal(value, said[i].value);
	}
	can_bed_end(&bed);
	assert_int_equal(can_bed_fini(&bed), 0);
}

static void offers_what_it_has(void **state)
{
	static const struct can_bed_conf plain = {.transmit = "100-1ff,12345678",
						  .receive = "all"};
	static const struct said plain_said[] = {
		{"versions", "1"},	   {"max-ring-page-order", "3"},
		{"feature-fd", "1"},	   {"feature-late-ack", "1"},
		{"feature-transmit", "1"}, {"receive-ids", "all"},
		{"bitrate", "0"},	   {"data-bitrate", "0"},
		{"sample-point", "0"},	   {"data-sample-point", "0"},
		{"controller", "0"},
	};
	static const struct can_bed_conf narrow = {.transmit = "none",
						   .receive = "none",
						   .no_fd = true,
						   .no_echo = true,
						   .ring_pages = 2};
	static const struct said narrow_said[] = {
		{"max-ring-page-order", "0"}, {"feature-fd", "0"},
		{"feature-late-ack", "0"},    {"feature-transmit", "0"},
		{"transmit-ids", "none"},     {"receive-ids", "none"},
	};
	static const struct can_bed_conf listens = {.listen_only = true};
	static const struct said listens_said[] = {{"feature-transmit", "0"}};

	(void)state;
	assert_said(&plain, plain_said, COUNT(plain_said));
	assert_said(&narrow, narrow_said, COUNT(narrow_said));
	assert_said(&listens, listens_said, COUNT(listens_said));
}

/* A list as long as a policy may have it fits a key, cut off. */
static void a_long_list_is_cut_off(void **state)
{
	static char list[64 * 9 + 1];
	struct can_bed_conf conf = {.transmit = list};
	const char *said;

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		snprintf(list + i * 9, 10, "%08x%s", i * 0x10001, i < 63 ? "," : "");
	can_bed_init(&bed, &conf);
	assert_int_equal(can_bed_start(&bed), 0);
	said = can_bed_back_key(&bed, "transmit-ids");
	assert_in_range(strlen(said), 200, STORE_VALUE_MAX);
	assert_string_equal(said + strlen(said) - 3, "...");
	assert_memory_equal(said, list, 8);
	can_bed_end(&bed);
	can_bed_fini(&bed);
}

/* Both rings' pages are no more than RingPages. */
static void ring_pages(void **state)
{
	static const struct {
		uint32_t pages;
		unsigned order;
	} rows[] = {{2, 0}, {3, 0}, {4, 1}, {7, 1}, {8, 2}, {15, 2}, {16, 3}, {64, 3}};

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		for (unsigned order = 0; order <= 4; order++) {
			struct can_bed_conf conf = {.ring_pages = rows[i].pages,
						    .front.order =
							    order < 4 ? order : 3};
			bool fits = order <= rows[i].order;
			char offered[4];

			can_bed_init(&bed, &conf);
			assert_int_equal(can_bed_start(&bed), 0);
			snprintf(offered, sizeof(offered), "%u", rows[i].order);
			assert_string_equal(
				can_bed_back_key(&bed, "max-ring-page-order"), offered);
			bed.front->ops->connect(bed.front);
			if (order == 4)
				bed.front->ops->key(bed.front, "ring-page-order", "4");
			assert_int_equal(can_pv_connect(&bed.pv, false, 0),
					 fits ? 0 : KEYS_FAILED);
			assert_int_equal(loopxen_back_holds(bed.back),
					 fits ? (2u << order) + 1 : 0);
			if (fits)
				assert_int_equal(bed.pv.tx.entries, 32u << order);
			can_pv_detach(&bed.pv);
			can_bed_end(&bed);
			assert_true(bed.front->ops->disconnect(bed.front));
			assert_int_equal(can_bed_fini(&bed), 0);
		}
	}
	bed.policy.ring_pages = 1;
	assert_int_equal(
		can_pv_init(&bed.pv, &(struct can_pv_conf){.policy = &bed.policy}),
		-EINVAL);
}

/* The limits of a changed policy hold at once, for what waits, too. */
static void limits_change(void **state)
{
	struct can_bed_conf conf = {
		.operations = {1, 2}, .holds = true, .in_flight = 1};
	struct canfd_frame frame = can_frame(0x101, 8, 1);

	(void)state;
	on_as(&conf);
	for (uint16_t i = 0; i < 10; i++)
		can_bed_send(&bed, i, &frame);
	run_now();
	assert_int_equal(bed.test.bus.waiting, 1);
	bed.policy.in_flight = 5;
	bed.policy.operations = (struct policy_rate){1000, 1000};
	can_pv_limits(&bed.pv, loopxen_now(bed.x));
	run();
	assert_int_equal(bed.test.bus.waiting, 5);
	bed.policy.in_flight = 2;
	can_bus_test_write_all(&bed.test);
	run();
	assert_int_equal(bed.test.bus.waiting, 2);
	bed.test.holds = false;
	can_bus_test_write_all(&bed.test);
	run();
	for (uint16_t i = 0; i < 10; i++)
		assert_answer(i, CAN_OK);
	down();
}

/* While nothing waits for a slot, posting one wakes nobody. */
static void slots_are_posted_silently(void **state)
{
	struct canfd_frame frame = can_frame(0x101, 8, 1);
	uint64_t kicks;

	(void)state;
	on_as(&(struct can_bed_conf){0});
	can_bed_post(&bed, 4);
	run();
	kicks = bed.pv_front.kicks;
	for (unsigned i = 0; i < 100; i++) {
		can_bus_test_hear(&bed.test, &frame);
		run();
		assert_came(&frame, false);
		can_bed_post(&bed, 1);
		run();
	}
	assert_int_equal(bed.pv_front.kicks, kicks);
	down();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offers_what_it_has),
		cmocka_unit_test(a_long_list_is_cut_off),
		cmocka_unit_test(ring_pages),
		cmocka_unit_test(limits_change),
		cmocka_unit_test(slots_are_posted_silently),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
