/* SPDX-License-Identifier: MIT */
/*
 * A device that a back end of the kernel has: it is not served, which is said once, and
 * it is served when that one lets go. With what the kernel says put between (access()).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/clock.h"
#include "tests/unit/keeper-asserts.h"

#define DRIVER "/sys/bus/xen-backend/devices/vbd-3-51712/driver"

static bool taken;
static unsigned asked;

int __wrap_access(const char *path, int mode);

int __wrap_access(const char *path, int mode)
{
	assert_string_equal(path, DRIVER);
	assert_int_equal(mode, F_OK);
	asked++;
	errno = ENOENT;
	return taken ? 0 : -1;
}

static int setup_taken(void **state)
{
	(void)state;
	taken = true;
	world_init(WORLD_POLICY);
	world_device();
	world_connect();
	return 0;
}

/* Lines of the audit log that say so. */
static unsigned said(void)
{
	char path[128], line[1024];
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/audit.log", world.dir);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, "\"event\":\"taken\"") && strstr(line, DRIVER) &&
		     strstr(line, "modprobe.d");
	fclose(f);
	return n;
}

/* [utest->req~kernels-back-ends-are-not-fought~1] */
static void test_taken(void **state)
{
	(void)state;
	assert_false(world.k->device.seen.present);
	assert_int_equal(map(100, 1), WIRE_NO_DEVICE);
	for (unsigned i = 0; i < 10; i++)
		world_turn(5 * CLOCK_SECOND);
	assert_true(asked > 3);
	assert_int_equal(said(), 1);
	taken = false;
	world_turn(6 * CLOCK_SECOND);
	assert_true(world.k->device.seen.present);
	assert_int_equal(map(100, 1), WIRE_OK);
	assert_int_equal(said(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {TEST(taken, setup_taken)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
