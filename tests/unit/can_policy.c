/* SPDX-License-Identifier: MIT */
/* backends/can/can-policy.c: section [Can]. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/can/can-policy.h"

static struct can_policy policy;
static struct policy_errors errors;

static unsigned parse(const char *lines)
{
	char text[1024];

	snprintf(text, sizeof(text), "[Can]\n%s", lines);
	can_policy_init(&policy);
	errors.count = 0;
	return policy_parse_section(text, strlen(text), "Can", can_policy_keys, &policy,
				    &errors);
}

static unsigned fit(const char *lines)
{
	static const struct policy generic;

	assert_int_equal(parse(lines), 0);
	can_policy_fit(&generic, &policy, &errors);
	return errors.count;
}

/* The narrow ones: nothing passes either way. */
static void defaults(void **state)
{
	(void)state;
	assert_int_equal(fit(""), 0);
	assert_int_equal(policy.transmit.n, 0);
	assert_int_equal(policy.receive.n, 0);
	assert_false(policy.listen_only);
	assert_false(policy.fd);
	assert_false(policy.errors);
	assert_int_equal(policy.receive_queue, 512);
	assert_int_equal(policy.overflow, CAN_DROP_OLDEST);
	assert_int_equal(policy.bitrate, 0);
	assert_int_equal(policy.data_bitrate, 0);
	assert_int_equal(policy.sample_point, 0);
	assert_int_equal(policy.data_sample_point, 0);
}

static void all_keys(void **state)
{
	(void)state;
	assert_int_equal(
		fit("Transmit = 123, 18DA00F1\nReceive = all\nListenOnly = no\n"
		    "FD = yes\nErrors = yes\nReceiveRate = 2000/s burst 50\n"
		    "ReceiveQueue = 16\nOverflow = drop-newest\n"
		    "Bitrate = 500000\nDataBitrate = 2000000\n"
		    "SamplePoint = 875\nDataSamplePoint = 800\n"),
		0);
	assert_int_equal(policy.transmit.n, 2);
	assert_true(can_rules_pass(&policy.transmit, 0x123));
	assert_true(can_rules_pass(&policy.receive, 0x124));
	assert_true(policy.fd);
	assert_true(policy.errors);
	assert_int_equal(policy.receive_queue, 16);
	assert_int_equal(policy.overflow, CAN_DROP_NEWEST);
	assert_int_equal(policy.bitrate, 500000);
	assert_int_equal(policy.data_bitrate, 2000000);
	assert_int_equal(policy.sample_point, 875);
	assert_int_equal(policy.data_sample_point, 800);
}

static void bad_values(void **state)
{
	static const char *const lines[] = {
		"Transmit = any",
		"Transmit = 1234",
		"Receive = 123,",
		"ListenOnly = true",
		"FD = 1",
		"Errors = on",
		"ReceiveQueue = 15",
		"ReceiveQueue = 8193",
		"Overflow = drop",
		"Overflow = Drop-oldest",
		"Bitrate = 0",
		"Bitrate = 1000001",
		"Bitrate = 500k",
		"DataBitrate = 0",
		"DataBitrate = 20000001",
		"SamplePoint = 0",
		"SamplePoint = 1000",
		"SamplePoint = 0.875",
		"DataSamplePoint = 1000",
		"ReadOnly = yes",
		"Interface = can0",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (parse(lines[i]) != 1)
			fail_msg("%s", lines[i]);
		assert_int_equal(errors.error[0].line, 2);
	}
}

static void a_bad_list_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(parse("Transmit = 123,999\n"), 1);
	assert_int_equal(policy.transmit.n, 0);
}

static void what_does_not_fit(void **state)
{
	(void)state;
	assert_int_equal(fit("ListenOnly = yes\nTransmit = 123\n"), 1);
	assert_int_equal(fit("ListenOnly = yes\nTransmit = none\nReceive = all\n"), 0);
	assert_int_equal(fit("ListenOnly = yes\n"), 0);
	assert_int_equal(fit("DataBitrate = 2000000\n"), 1);
	assert_int_equal(fit("DataSamplePoint = 800\n"), 1);
	assert_int_equal(fit("FD = yes\nDataBitrate = 2000000\n"), 0);
	assert_int_equal(fit("ListenOnly = yes\nTransmit = 123\nDataBitrate = 1\n"
			     "DataSamplePoint = 1\n"),
			 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(all_keys),
		cmocka_unit_test(bad_values),
		cmocka_unit_test(a_bad_list_changes_nothing),
		cmocka_unit_test(what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
