/* SPDX-License-Identifier: MIT */
/*
 * backends/displ/displ-drm.c on a made-up card: the mode of a connector that nothing is
 * plugged into. All else of it is displ_scan_drm.c's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "backends/displ/displ-drm.h"
#include "tests/unit/drm_fake.h"

static struct displ_policy policy;
static struct log lines;

static int begin(void **state)
{
	(void)state;
	drm_fake_init();
	drm_fake.connector[0].unplugged = true;
	drm_fake.connector[0].modes = 0;
	displ_policy_init(&policy);
	policy.heads = 1;
	policy.head[0].named = true;
	strcpy(policy.head[0].name, "HDMI-A-1");
	return 0;
}

static int finds(uint32_t width, uint32_t height)
{
	const struct displ_scan_conf conf = {
		.resource = "drm:/dev/dri/card0", .policy = &policy, .log = &lines};
	struct displ_drm_way way[DISPL_HEADS_MAX];
	int r;

	policy.head[0].size = (struct displ_size){width, height};
	r = displ_drm_find(-1, &conf, way);
	if (!r)
		drmModeDestroyPropertyBlob(-1, way[0].mode);
	return r;
}

/* As they are published: clock, horizontally, vertically, flags. */
static void by_the_formula(void **state)
{
	static const struct {
		uint32_t is[10];
	} modes[] = {
		{{138500, 1920, 1968, 2000, 2080, 1080, 1083, 1088, 1111, 9}},
		{{56000, 1024, 1072, 1104, 1184, 768, 771, 775, 790, 9}},
		{{154000, 1920, 1968, 2000, 2080, 1200, 1203, 1209, 1235, 9}},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(finds(modes[i].is[1], modes[i].is[5]), 0);
		assert_memory_equal(drm_fake.timing, modes[i].is, sizeof(modes[i].is));
	}
}

/* What it has all the same is better; and something that has no such mode is plugged
 * in.
 */
static void not_by_it(void **state)
{
	(void)state;
	drm_fake.connector[0].mode[0] =
		(struct drm_fake_mode){1024, 768, 75000, false, 0};
	drm_fake.connector[0].modes = 1;
	assert_int_equal(finds(1024, 768), 0);
	assert_int_equal(drm_fake.timing[0], 75000);
	drm_fake.connector[0].unplugged = false;
	assert_int_equal(finds(1920, 1080), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(by_the_formula, begin),
		cmocka_unit_test_setup(not_by_it, begin),
	};

	log_init(&lines, "displ_drm");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
