/* SPDX-License-Identifier: MIT */
/* policy/parse.c: the rates towards a client, which stand in its class's section. */
#include "tests/unit/policy_fixture.h"

#define CLASS_TEXT(class, section)                                                     \
	"Format = 1\n[Backend]\nClass = " class "\nResource = x\n[Client]\n"           \
						"Domain = 3\nDevice = "                \
						"0\n[Limits]\nInFlight = "             \
						"8\nOperations = 1/s\n"                \
						"Bytes = 1/s\nEvents = 1/s\n[" section \
						"]\n"

static unsigned parse_class(const char *head, const char *keys)
{
	return parse(text, (size_t)snprintf(text, sizeof(text), "%s%s", head, keys));
}

/* The rates of a class's section are read here, so that they can change, and are no
 * change of the section. A class has only those that are its own. */
static void receive_rates(void **state)
{
	static const char net[] = CLASS_TEXT("net", "Net");
	static const char can[] = CLASS_TEXT("can", "Can");
	static const char *const wrong[] = {
		"ReceivePackets = 0/s\n",
		"ReceivePackets = 10\n",
		"ReceiveBytes = fast\n",
		"ReceiveBytes = 10/s\nReceiveBytes = 11/s\n",
	};
	uint64_t was;

	(void)state;
	assert_int_equal(parse_class(net, "MTU = 1500\n"), 0);
	was = policy.class_section;
	assert_int_equal(policy.receive[POLICY_RECEIVE_OPERATIONS].per_second, 0);
	assert_int_equal(policy.receive[POLICY_RECEIVE_BYTES].per_second, 0);
	assert_int_equal(parse_class(net, "ReceivePackets = 10000/s burst 100\n"
					  "MTU = 1500\nReceiveBytes = 10M/s\n"),
			 0);
	assert_int_equal(policy.class_section, was);
	assert_int_equal(policy.receive[POLICY_RECEIVE_OPERATIONS].per_second, 10000);
	assert_int_equal(policy.receive[POLICY_RECEIVE_OPERATIONS].burst, 100);
	assert_int_equal(policy.receive[POLICY_RECEIVE_BYTES].per_second, 10000000);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(parse_class(net, wrong[i]), 1);
	assert_string_equal(errors.error[0].allowed, "N/s or N/s burst M, once");
	assert_int_equal(parse_class(can, "ReceiveRate = 2000/s burst 50\n"), 0);
	assert_int_equal(policy.receive[POLICY_RECEIVE_OPERATIONS].per_second, 2000);
	assert_int_equal(policy.receive[POLICY_RECEIVE_OPERATIONS].burst, 50);
	was = policy.class_section;
	/* A section that there is not has none. */
	assert_int_equal(parse_class(net, "[Wlan]\nReceiveBytes = 1/s\n"), 1);
	assert_int_equal(parse_class(can, "ReceivePackets = 2000/s\n"), 0);
	assert_int_not_equal(policy.class_section, was);
	assert_int_equal(policy.receive[POLICY_RECEIVE_OPERATIONS].per_second, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(receive_rates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
