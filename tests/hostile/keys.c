/* SPDX-License-Identifier: MIT */
/*
 * T-XS-3 at the device: each key that a disk reads of its front end, with each
 * value that is not what it should be. The keeper's part is store.c.
 */
#include "tests/hostile/hostile.h"

static char huge[4096];

#define TEXT(s) s, sizeof(s) - 1

static const struct {
	const char *text; /* NULL: the key is missing */
	size_t len;
} values[] = {
	{NULL, 0},
	{TEXT("")},
	{TEXT("0")},
	{TEXT("1")},
	{TEXT("4")},
	{TEXT("5")},
	{TEXT("63")},
	{TEXT("7777")},
	{TEXT("4294967295")},
	{TEXT("4294967296")},
	{TEXT("4294967297")}, /* 1, were it cut to 32 bits */
	{TEXT("18446744073709551617")},
	{TEXT(" 1")},
	{TEXT("1 ")},
	{TEXT("1\n")},
	{TEXT("01")},
	{TEXT("+1")},
	{TEXT("-1")},
	{TEXT("0x1")},
	{TEXT("1e0")},
	{TEXT("\0")},
	{TEXT("1\0")},
	{TEXT("1\0001")},
	{TEXT("yes")},
	{TEXT("%n%n%n%n")},
	{TEXT("%s%s%s%s")},
	{TEXT("/dev/sda")},
	{TEXT("../../../domain/0/name")},
	{TEXT("x86_64-abi\0")},
	{TEXT("x86_64-ab")},
	{TEXT("X86_64-ABI")},
	{TEXT("x86_16-abi")},
	{huge, 255},
	{huge, 256},
	{huge, sizeof(huge)},
};

/* What may be connected with all the same, though it is not what the front end of
 * the bed says: a number within bounds, a feature that is not asked for. */
static const struct {
	const char *key;
	bool any;	  /* another value than "1" is as if it were missing */
	unsigned numbers; /* up to this it is one */
	bool missing;	  /* it may be */
} keys[] = {
	{"ring-ref", false, 0, false},
	{"event-channel", false, 0, false},
	{"protocol", false, 0, true},
	{"ring-page-order", false, 4, true},
	{"feature-persistent", true, 0, true},
	{"multi-queue-num-queues", false, 64, true},
	{"queue-0/ring-ref", true, 0, true},
	{"queue-0/event-channel", true, 0, true},
	{"feature-barrier", true, 0, true},
	{"state", true, 0, true}, /* the life's */
};

static void put(const char *key, unsigned v)
{
	char path[160];

	if (!values[v].text) {
		front_key(&bed.front, key, NULL);
		return;
	}
	loopxen_path(&bed.dev, STORE_FRONT, key, path, sizeof(path));
	assert_true(loopxen_write_bytes(bed.x, bed.dev.front, path, values[v].text,
					values[v].len));
}

/* May a device be connected with it? */
static bool may_connect(unsigned k, unsigned v)
{
	const char *text = values[v].text;
	char *end, real[16] = "";

	if (!text)
		return keys[k].missing;
	if (keys[k].any)
		return true;
	if (k < 2) /* the right one, by chance */
		snprintf(real, sizeof(real), "%u",
			 k ? bed.front.port.v : bed.front.ring_ref[0].v);
	if (real[0] && strlen(text) == values[v].len && !strcmp(text, real))
		return true;
	if (!keys[k].numbers || strlen(text) != values[v].len || !text[0] ||
	    text[0] == '+' || text[0] == '-' || text[0] == ' ' ||
	    (text[0] == '0' && text[1]))
		return false;
	return strtoul(text, &end, 10) <= keys[k].numbers && !*end;
}

static void t_xs_3_every_key_every_value(void **state)
{
	struct bed_conf conf = {0};
	uint64_t done = 0, usual;

	(void)state;
	memset(huge, '1', sizeof(huge));
	bed_init(&bed, &conf);
	assert_int_equal(bed_start(&bed), 0);
	usual = loopxen_calls(bed.x, LOOPXEN_READ);
	assert_int_equal(bed_connect(&bed, false), 0);
	usual = loopxen_calls(bed.x, LOOPXEN_READ) - usual;
	for (unsigned k = 0; k < COUNT(keys); k++) {
		for (unsigned v = 0; v < COUNT(values); v++, done++) {
			uint64_t reads;
			int r;

			blk_pv_detach(&bed.pv);
			assert_true(front_disconnect(&bed.front));
			assert_int_equal(blk_pv_offer(&bed.pv), 0);
			front_connect(&bed.front, bed.x, &bed.dev, &conf.front);
			put(keys[k].key, v);
			reads = loopxen_calls(bed.x, LOOPXEN_READ);
			r = blk_pv_connect(&bed.pv, false, loopxen_now(bed.x));
			reads = loopxen_calls(bed.x, LOOPXEN_READ) - reads;
			if (r < 0 || (!r && !may_connect(k, v)) || reads > usual + 4)
				fail_msg("%s, value %u: %d, %" PRIu64 " reads",
					 keys[k].key, v, r, reads);
			if (!r && !strcmp(keys[k].key, "feature-persistent"))
				assert_int_equal(bed.pv.persistent,
						 values[v].text && values[v].len == 1 &&
							 values[v].text[0] == '1');
			front_key(&bed.front, keys[k].key, NULL);
			if (!r)
				assert_int_equal(bed_run(&bed), 0);
		}
	}
	if (bed.pv.state == BLK_PV_UP)
		blk_pv_detach(&bed.pv);
	hostile_reconnect();
	hostile_serves();
	assert_int_equal(bed_down(&bed), 0);
	tally("T-XS-3", done, "values of a device's keys");
}

int main(void)
{
	const struct CMUnitTest tests[] = {HOSTILE(t_xs_3_every_key_every_value)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
