/* SPDX-License-Identifier: MIT */
/* backends/displ/displ-policy.c: section [Display]; and displ-resource.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "backends/displ/displ-policy.h"
#include "backends/displ/displ-resource.h"

#define SHOWS "Connector0 = HDMI-A-1 1920x1080\n"
/* A name of 31, and one of 32. */
#define LONGEST	 "0123456789012345678901234567890"
#define TOO_LONG LONGEST "1"

static struct displ_policy policy;
static struct policy_errors errors;
static struct policy generic;

static unsigned parse(const char *lines)
{
	char text[2048];

	snprintf(text, sizeof(text), "[Display]\n%s", lines);
	displ_policy_init(&policy);
	errors.count = 0;
	return policy_parse_section(text, strlen(text), "Display", displ_policy_keys,
				    &policy, &errors);
}

static unsigned fit(const char *lines)
{
	assert_int_equal(parse(lines), 0);
	displ_policy_fit(&generic, &policy, &errors);
	return errors.count;
}

/* That which does not fit is one thing, and @what says so. */
static void misfit(const char *lines, const char *what)
{
	if (fit(lines) != 1 || !strstr(errors.error[0].what, what))
		fail_msg("%s: %u errors, %s", lines, errors.count,
			 errors.error[0].what);
}

static int fresh(void **state)
{
	(void)state;
	generic = (struct policy){
		.class = POLICY_DISPL,
		.resource = "drm:/dev/dri/card0",
		.mode = POLICY_MAP,
		.client_pages = POLICY_READABLE,
		.ring_pages = 8,
		.data_pages = 8192,
		.line = {[POLICY_KEY_RESOURCE] = 3,
			 [POLICY_KEY_MODE] = 4,
			 [POLICY_KEY_RING_PAGES] = 6,
			 [POLICY_KEY_DATA_PAGES] = 7},
	};
	return 0;
}

static void defaults(void **state)
{
	(void)state;
	assert_int_equal(fit(SHOWS), 0);
	assert_int_equal(policy.heads, 1);
	assert_true(policy.head[0].named);
	assert_string_equal(policy.head[0].name, "HDMI-A-1");
	assert_int_equal(policy.head[0].size.width, 1920);
	assert_int_equal(policy.head[0].size.height, 1080);
	assert_false(policy.head[1].named);
	assert_int_equal(policy.formats, 1u << DISPL_XRGB8888);
	assert_int_equal(policy.buffers, 8);
	assert_int_equal(policy.flips.per_second, 0);
	assert_false(policy.alpha);
	assert_string_equal(policy.gone, "");
	assert_string_equal(policy.edid, "");
}

static void all_keys(void **state)
{
	(void)state;
	generic.data_pages = 1014; /* of 1920x1080 */
	assert_int_equal(fit("Formats = rgb565, argb8888 xrgb4444\nBuffers = 64\n"
			     "Flips = 60/s burst 2\nAlpha = yes\n"
			     "Gone = /etc/xdd/gone.png\nEdid = /etc/xdd/x.edid\n" SHOWS
			     "Connector1 = DP-1 64x8192\n"
			     "Connector2 = " LONGEST " 8192x64\n"
			     "Connector3 = eDP-1 1366x768\n"),
			 0);
	assert_int_equal(policy.heads, 4);
	assert_int_equal(policy.head[1].size.width, 64);
	assert_int_equal(policy.head[1].size.height, 8192);
	assert_string_equal(policy.head[2].name, LONGEST);
	assert_string_equal(policy.head[3].name, "eDP-1");
	assert_int_equal(displ_policy_most(&policy).width, 8192);
	assert_int_equal(displ_policy_most(&policy).height, 8192);
	assert_int_equal(policy.formats, 1u << DISPL_RGB565 | 1u << DISPL_ARGB8888 |
						 1u << DISPL_XRGB4444);
	assert_int_equal(policy.buffers, 64);
	assert_int_equal(policy.flips.per_second, 60);
	assert_int_equal(policy.flips.burst, 2);
	assert_true(policy.alpha);
	assert_string_equal(policy.gone, "/etc/xdd/gone.png");
	assert_string_equal(policy.edid, "/etc/xdd/x.edid");
	assert_int_equal(parse("Gone = black\n" SHOWS), 0);
	assert_string_equal(policy.gone, "");
}

static const char *const bad_lines[] = {
	"Connector0 = 1920x1080",
	"Connector0 = HDMI-A-1",
	"Connector0 = HDMI-A-1 ",
	"Connector0 = HDMI-A-1  1920x1080",
	"Connector0 = HDMI-A-1 1920x1080 60",
	"Connector0 = HDMI A-1 1920x1080",
	"Connector0 = HDMI-A-1 1920",
	"Connector0 = HDMI-A-1 1920x",
	"Connector0 = HDMI-A-1 x1080",
	"Connector0 = HDMI-A-1 1920X1080",
	"Connector0 = HDMI-A-1 1920x1080x32",
	"Connector0 = HDMI-A-1 63x1080",
	"Connector0 = HDMI-A-1 1920x63",
	"Connector0 = HDMI-A-1 8193x1080",
	"Connector0 = HDMI-A-1 1920x8193",
	"Connector0 = HDMI-A-1 -1920x1080",
	"Connector0 = " TOO_LONG " 1920x1080",
	"Connector4 = HDMI-A-1 1920x1080",
	"Formats = rgb",
	"Formats = all",
	"Formats = xrgb8888,",
	"Formats = XRGB8888",
	"Buffers = 0",
	"Buffers = 65",
	"Flips = 60",
	"Flips = 0/s",
	"Alpha = 1",
	"Gone = white",
	"Gone = gone.png",
	"Gone = /a b.png",
	"Edid = /a b",
	"Edid = none",
	"unique-id = x",
};

static void bad_values(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
		/* Without the one that is required there is one error more. */
		unsigned want = strncmp(bad_lines[i], "Connector0", 10) ? 2 : 1;

		if (parse(bad_lines[i]) != want)
			fail_msg("%s: %u errors", bad_lines[i], errors.count);
		assert_int_equal(policy.heads, 0);
	}
	/* Room for all that is allowed: none of it is cut off. */
	parse(SHOWS "Formats = x");
	assert_non_null(strstr(errors.error[0].allowed, "argb4444"));
	assert_int_equal(errors.error[0].line, 3);
	parse("Connector0 = x");
	assert_non_null(strstr(errors.error[0].allowed, "8192 pixels each way"));
}

/* Of 255 bytes, and of one more. */
static void paths(void **state)
{
	static const char *const keys[] = {"Gone", "Edid"};
	char lines[512], path[DISPL_PATH_MAX + 2];

	(void)state;
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	for (unsigned i = 0; i < 2; i++) {
		path[DISPL_PATH_MAX] = '\0';
		snprintf(lines, sizeof(lines), "%s = %s\n" SHOWS, keys[i], path);
		assert_int_equal(parse(lines), 0);
		assert_string_equal(i ? policy.edid : policy.gone, path);
		path[DISPL_PATH_MAX] = 'x';
		snprintf(lines, sizeof(lines), "%s = %.256s\n" SHOWS, keys[i], path);
		assert_int_equal(parse(lines), 1);
		assert_string_equal(i ? policy.edid : policy.gone, "");
	}
}

static void a_bad_list_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(parse(SHOWS "Formats = rgb565 rgb566"), 1);
	assert_int_equal(policy.formats, 1u << DISPL_XRGB8888);
}

static void connectors_that_do_not_fit(void **state)
{
	(void)state;
	assert_int_equal(parse("Connector1 = x 64x64\n"), 1);
	assert_non_null(strstr(errors.error[0].what, "Connector0"));
	misfit(SHOWS "Connector2 = x 64x64\n", "Connector1 is missing");
	misfit(SHOWS "Connector1 = HDMI-A-1 64x64\n",
	       "Connector0 and Connector1 are both HDMI-A-1");
	misfit(SHOWS "Connector1 = x 64x64\nConnector2 = x 64x64\n",
	       "Connector1 and Connector2 are both x");
}

static void what_does_not_fit_the_rest(void **state)
{
	(void)state;
	generic.ring_pages = 2;
	assert_int_equal(fit(SHOWS), 0);
	misfit(SHOWS "Connector1 = x 64x64\n", "RingPages = 2 is too few for 2");
	assert_int_equal(errors.error[0].line, 6);
	generic.ring_pages = 8;
	/* 64 x 64 x 4 bytes: four pages, and their list. */
	generic.data_pages = 5;
	assert_int_equal(fit("Connector0 = x 64x64\n"), 0);
	generic.data_pages = 4;
	misfit("Connector0 = x 64x64\n", "DataPages = 4 does not hold one picture");
	assert_int_equal(errors.error[0].line, 7);
	/* The least of its formats counts. */
	assert_int_equal(fit("Connector0 = x 64x64\nFormats = xrgb8888 rgb888\n"), 0);
	generic.data_pages = 3;
	assert_int_equal(fit("Connector0 = x 64x64\nFormats = rgb565 rgb888\n"), 0);
	/* Whole pages: 65 x 65 x 2 bytes take three. */
	misfit("Connector0 = x 65x65\nFormats = rgb565\n", "does not hold");
	generic.data_pages = 4;
	assert_int_equal(fit("Connector0 = x 65x65\nFormats = rgb565\n"), 0);
	/* Of the largest one, not as wide as one and as high as another. */
	generic.data_pages = 4050 / 2 + 1;
	assert_int_equal(fit(SHOWS "Connector1 = x 1080x1920\n"), 0);
	generic.data_pages--;
	misfit(SHOWS "Connector1 = x 1080x1920\n", "does not hold");
	generic.data_pages = 8192;
	generic.mode = POLICY_COPY;
	misfit(SHOWS, "Mode = copy");
	assert_int_equal(errors.error[0].line, 4);
}

/* Of virtio rings and pool are others; and a canvas for each of its buffers. */
static void virtio(void **state)
{
	(void)state;
	generic.door = POLICY_VIRTIO;
	generic.mode = POLICY_POOL;
	generic.ring_pages = 1;
	generic.data_pages = 2025 + 8;
	assert_int_equal(fit(SHOWS "Connector1 = x 64x64\nBuffers = 5\n"), 0);
	assert_int_equal(displ_policy_canvases(&policy, POLICY_PV), 6);
	assert_int_equal(displ_policy_canvases(&policy, POLICY_VIRTIO), 11);
	assert_int_equal(displ_policy_bytes(&policy, POLICY_PV), 8294400ull * 9);
	assert_int_equal(displ_policy_bytes(&policy, POLICY_VIRTIO), 8294400ull * 14);
	/* Whatever formats it has: virtio's have four bytes. */
	assert_int_equal(fit(SHOWS "Formats = rgb565 bgra8888\n"), 0);
	misfit(SHOWS "Formats = rgb565 rgb888\n", "none that virtio has");
	generic.data_pages--;
	misfit(SHOWS "Formats = rgb565 bgra8888\n", "PoolPages = 2032 does not hold");
	generic.mode = POLICY_GRANT;
	misfit(SHOWS, "Mode = grant");
}

static void resources(void **state)
{
	static const char *const none[] = {
		"drm",	"drm:",	  "drm:card0", "/dev/dri/card0", "png:", "png:x.png",
		"null", "null:x", "lease:",    "lease:card0",	 "lease"};

	(void)state;
	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		strcpy(generic.resource, none[i]);
		misfit(SHOWS, none[i]);
		assert_int_equal(errors.error[0].line, 3);
		assert_int_equal(displ_resource_of(none[i]), DISPL_RESOURCE_NONE);
	}
	strcpy(generic.resource, "null:");
	assert_int_equal(fit("Connector0 = ../x 64x64\n"), 0);
	strcpy(generic.resource, "png:/srv/pictures");
	assert_int_equal(displ_resource_of("png:/srv"), DISPL_RESOURCE_PNG);
	assert_string_equal(displ_resource_path("png:/srv"), "/srv");
	assert_int_equal(fit(SHOWS), 0);
	misfit("Connector0 = ../x 64x64\n", "Connector0: ../x is none");
	misfit("Connector0 = .x 64x64\n", "Connector0: .x is none");
	misfit(SHOWS "Connector1 = a/b 64x64\n", "Connector1: a/b is none");
	strcpy(generic.resource, "drm:/dev/dri/card0");
	assert_int_equal(displ_resource_of(generic.resource), DISPL_RESOURCE_DRM);
	assert_string_equal(displ_resource_path(generic.resource), "/dev/dri/card0");
	assert_int_equal(fit(SHOWS), 0);
	strcpy(generic.resource, "lease:/dev/dri/card0");
	assert_int_equal(displ_resource_of(generic.resource), DISPL_RESOURCE_LEASE);
	assert_string_equal(displ_resource_path(generic.resource), "/dev/dri/card0");
	assert_int_equal(fit(SHOWS), 0);
}

/* For who shows nothing: its own section, or nothing. */
static void read_alone(void **state)
{
	static const char text[] = "[Display]\n" SHOWS "Gone = /x.png\n";
	static const char bad[] = "[Display]\n" SHOWS "Buffers = 0\n";
	struct displ_policy read;

	(void)state;
	assert_true(displ_policy_read(&generic, text, strlen(text), &read));
	assert_string_equal(read.gone, "/x.png");
	assert_int_equal(read.buffers, 8);
	assert_false(displ_policy_read(&generic, bad, strlen(bad), &read));
	generic.class = POLICY_SND;
	assert_false(displ_policy_read(&generic, text, strlen(text), &read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(defaults, fresh),
		cmocka_unit_test_setup(all_keys, fresh),
		cmocka_unit_test_setup(bad_values, fresh),
		cmocka_unit_test_setup(paths, fresh),
		cmocka_unit_test_setup(a_bad_list_changes_nothing, fresh),
		cmocka_unit_test_setup(connectors_that_do_not_fit, fresh),
		cmocka_unit_test_setup(what_does_not_fit_the_rest, fresh),
		cmocka_unit_test_setup(resources, fresh),
		cmocka_unit_test_setup(read_alone, fresh),
		cmocka_unit_test_setup(virtio, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
