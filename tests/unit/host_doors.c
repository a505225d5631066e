/* SPDX-License-Identifier: MIT */
/* backends/host-doors.c: what a keeper's snapshot says of limits becomes the policy's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "backends/host-doors.h"

static void limits(void **state)
{
	static struct doors doors;
	static struct policy policy = {.in_flight = 5, .data_pages = 7};
	struct policy before = policy;
	struct wire_limits *w = &doors.client.status.limits;

	(void)state;
	assert_false(doors_limits(&doors, &policy)); /* there was none yet */
	assert_memory_equal(&policy, &before, sizeof(policy));
	*w = (struct wire_limits){.in_flight = 1,
				  .operations = {2, 3},
				  .bytes = {4, 5},
				  .events = {6, 7},
				  .receive = {{8, 9}, {10, 11}}};
	assert_true(doors_limits(&doors, &policy));
	before.in_flight = 1;
	before.operations = (struct policy_rate){2, 3};
	before.bytes = (struct policy_rate){4, 5};
	before.events = (struct policy_rate){6, 7};
	before.receive[POLICY_RECEIVE_OPERATIONS] = (struct policy_rate){8, 9};
	before.receive[POLICY_RECEIVE_BYTES] = (struct policy_rate){10, 11};
	assert_memory_equal(&policy, &before, sizeof(policy));
	assert_false(doors_limits(&doors, &policy));
	w->receive[POLICY_RECEIVE_BYTES].burst++;
	assert_true(doors_limits(&doors, &policy));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
