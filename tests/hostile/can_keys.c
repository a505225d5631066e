/* SPDX-License-Identifier: MIT */
/*
 * T-XS-3 at a CAN controller's PV door: each key that it reads of its front end, with
 * each value that is not what it should be.
 */
#include <stdlib.h>

#include "tests/device/can-cases.h"
#include "tests/hostile/tally.h"

static char huge[4096 + 1]; /* ones, and a NUL */

#define TEXT(s) s, sizeof(s) - 1

static const struct {
	const char *text; /* NULL: the key is missing */
	size_t len;
} values[] = {
	{NULL, 0},
	{TEXT("")},
	{TEXT("0")},
	{TEXT("1")},
	{TEXT("2")},
	{TEXT("3")},
	{TEXT("4")},
	{TEXT("7777")},
	{TEXT("4294967297")}, /* 1, were it cut to 32 bits */
	{TEXT("18446744073709551617")},
	{TEXT(" 1")},
	{TEXT("1 ")},
	{TEXT("1\n")},
	{TEXT("01")},
	{TEXT("+1")},
	{TEXT("-1")},
	{TEXT("0x1")},
	{TEXT("1,2")},
	{TEXT("\0")},
	{TEXT("1\0")},
	{TEXT("1\0001")},
	{TEXT("yes")},
	{TEXT("%n%n%n%n")},
	{TEXT("../../../domain/0/name")},
	{huge, 255},
	{huge, 256},
	{huge, sizeof(huge) - 1},
};

/* What may be connected with: each value of a number, or what the bed's front end says,
 * or that it says nothing. */
static const struct {
	const char *key;
	unsigned min, max; /* that are numbers of it; 1, 0: there is none */
	bool missing;	   /* it may be */
	bool any;	   /* nobody looks */
} keys[] = {
	{"version", 1, 1, false, false},	{"tx-ring-ref", 1, 0, false, false},
	{"rx-ring-ref", 1, 0, false, false},	{"event-channel", 1, 0, false, false},
	{"ring-page-order", 1, 0, true, false}, /* then the refs have other names */
	{"late-ack", 0, 1, true, false},	{"receive-own", 0, 1, true, false},
	{"tx-ring-ref0", 0, 0, true, true},	{"bitrate", 0, 0, true, true},
	{"controller", 0, 0, true, true},
};

static void put(const char *key, unsigned v)
{
	char path[160];

	if (!values[v].text) {
		bed.front->ops->key(bed.front, key, NULL);
		return;
	}
	loopxen_path(&bed.dev, STORE_FRONT, key, path, sizeof(path));
	assert_true(loopxen_write_bytes(bed.x, bed.dev.front, path, values[v].text,
					values[v].len));
}

static unsigned real(unsigned k)
{
	switch (k) {
	case 1:
		return bed.pv_front.tx.ref[0].v;
	case 2:
		return bed.pv_front.rx.ref[0].v;
	default:
		return bed.pv_front.port.v;
	}
}

static bool may_connect(unsigned k, unsigned v)
{
	const char *text = values[v].text;
	char number[16];

	if (keys[k].any || !text)
		return keys[k].any || keys[k].missing;
	if (strlen(text) != values[v].len)
		return false;
	for (unsigned n = keys[k].min; n <= keys[k].max; n++) {
		snprintf(number, sizeof(number), "%u", n);
		if (!strcmp(text, number))
			return true;
	}
	snprintf(number, sizeof(number), "%u", real(k)); /* by chance the right one */
	return k >= 1 && k <= 3 && !strcmp(text, number);
}

static void t_xs_3_can_every_key_every_value(void **state)
{
	struct canfd_frame frame = can_frame(0x101, 8, 1);
	struct can_bed_conf conf = {0};
	uint64_t done = 0;

	(void)state;
	memset(huge, '1', sizeof(huge) - 1);
	can_bed_init(&bed, &conf);
	assert_int_equal(can_bed_start(&bed), 0);
	for (unsigned k = 0; k < COUNT(keys); k++) {
		for (unsigned v = 0; v < COUNT(values); v++, done++) {
			bool may;
			int r;

			bed.front->ops->connect(bed.front);
			put(keys[k].key, v);
			may = may_connect(k, v);
			r = can_pv_connect(&bed.pv, false, loopxen_now(bed.x));
			if (r != (may ? 0 : KEYS_FAILED))
				fail_msg("%s, value %u: %d", keys[k].key, v, r);
			assert_int_equal(loopxen_back_holds(bed.back), may ? 3 : 0);
			if (may) {
				assert_int_equal(can_bed_control(&bed, true), CAN_OK);
				assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
			}
			can_pv_detach(&bed.pv);
			put(keys[k].key, 0);
			assert_true(bed.front->ops->disconnect(bed.front));
		}
	}
	assert_int_equal(can_bed_connect(&bed, false), 0);
	assert_int_equal(can_bed_control(&bed, true), CAN_OK);
	assert_int_equal(can_bed_ask(&bed, &frame), CAN_OK);
	down();
	tally("T-XS-3", done, "values of a CAN controller's keys");
}

/* What the toolstack, or a back end of another kind, left in our own directory: only
 * what a controller writes starts one. */
static void t_xs_3_can_kept_state(void **state)
{
	uint64_t done = 0;

	(void)state;
	for (unsigned v = 0; v < COUNT(values); v++, done++) {
		const char *text = values[v].text;
		char path[160];
		bool started =
			text && values[v].len == 1 && *text >= '1' && *text <= '3';

		on_as(&(struct can_bed_conf){0});
		can_bed_kill(&bed);
		loopxen_path(&bed.dev, STORE_BACK, "controller", path, sizeof(path));
		if (text)
			loopxen_write_bytes(bed.x, (struct domid){0}, path, text,
					    values[v].len);
		else
			loopxen_rm(bed.x, (struct domid){0}, path);
		assert_int_equal(can_bed_follow(&bed), 0);
		assert_int_equal(bed.can.started, started);
		down();
	}
	tally("T-XS-3", done, "values of the state that is kept");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_xs_3_can_every_key_every_value),
		cmocka_unit_test(t_xs_3_can_kept_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
