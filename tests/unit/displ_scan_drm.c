/* SPDX-License-Identifier: MIT */
/*
 * backends/displ/displ-scan-drm.c and displ-drm.c on a made-up card: what they choose,
 * what they say, what they show, and that nothing is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "backends/displ/displ-scan.h"
#include "grant-mem/seal.h"
#include "tests/front/descriptors.h"
#include "tests/unit/drm_fake.h"

#define LOUD (DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT)

_Static_assert(SEAL_DRM_MODE_ATOMIC == DRM_IOCTL_MODE_ATOMIC,
	       "the one of the last door");

static char path[] = "/tmp/xdd-drm.XXXXXX";
static char resource[64], said[4096];
static struct displ_policy policy;
static struct log scan_log;

static void add_head(const char *name, uint32_t width, uint32_t height)
{
	struct displ_policy_head *head = &policy.head[policy.heads++];

	*head = (struct displ_policy_head){.named = true, .size = {width, height}};
	strcpy(head->name, name);
}

static int begin(void **state)
{
	(void)state;
	drm_fake_init();
	displ_policy_init(&policy);
	log_init(&scan_log, "test");
	scan_log.burst = 0;
	return 0;
}

/* A card of HDMI-A-1, DP-1 and HDMI-A-2 */
static void more_connectors(void)
{
	drm_fake.connectors = 3;
	for (unsigned i = 1; i < 3; i++)
		drm_fake.connector[i] = drm_fake.connector[0];
	drm_fake.connector[1].type = DRM_MODE_CONNECTOR_DisplayPort;
	drm_fake.connector[2].type_id = 2;
}

/* How it ends, with what it says in @said. */
static int try_open(struct displ_scan **out, uint32_t canvases)
{
	struct displ_scan_conf conf = {resource, &policy, canvases, &scan_log, NULL};
	int file = open("/tmp", O_TMPFILE | O_RDWR, 0600), err = dup(2), r;
	ssize_t n;

	assert_true(file >= 0 && err >= 0);
	dup2(file, 2);
	r = displ_scan_open(out, &conf);
	dup2(err, 2);
	n = pread(file, said, sizeof(said) - 1, 0);
	assert_true(n >= 0);
	said[n] = '\0';
	close(file);
	close(err);
	return r;
}

/* Of the card's file. */
static bool is_mapped(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	bool found = false;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		found |= strstr(line, path) != NULL;
	fclose(f);
	return found;
}

static void nothing_left(void)
{
	assert_false(is_mapped());
	assert_int_equal(drm_fake.answers, 0);
	assert_int_equal(drm_fake.blobs, 0);
	assert_int_equal(drm_fake.dumbs, 0);
	assert_int_equal(drm_fake.fbs, 0);
}

static struct displ_scan *opened(uint32_t canvases)
{
	struct displ_scan *scan = NULL;

	assert_int_equal(try_open(&scan, canvases), 0);
	assert_string_equal(said, "");
	assert_int_equal(drm_fake.answers, 0);
	assert_int_equal(drm_fake.commits, 0); /* nothing is shown yet */
	return scan;
}

static void closed(struct displ_scan *scan)
{
	displ_scan_close(scan);
	nothing_left();
}

/* It does not open, and says @what, in one line. */
static void refused(int with, const char *what)
{
	unsigned before = descriptors();
	struct displ_scan *scan = NULL;

	assert_int_equal(try_open(&scan, 3), with);
	if (!strstr(said, what))
		fail_msg("\"%s\" is not in: %s", what, said);
	if (*what)
		assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	assert_null(scan);
	nothing_left();
	assert_int_equal(descriptors(), before);
}

/* -- What there is to open ------------------------------------------------- */

static void canvases(void **state)
{
	struct displ_scan *scan;

	(void)state;
	more_connectors();
	add_head("HDMI-A-1", 1920, 1080);
	add_head("DP-1", 1280, 720);
	drm_fake.connector[1].mode[0] =
		(struct drm_fake_mode){64, 2000, 60000, false, 0};
	policy.head[1].size = (struct displ_size){64, 2000};
	scan = opened(7);
	assert_int_equal(scan->fd, drm_fake.fd);
	assert_int_equal(fcntl(scan->fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE),
			 O_NONBLOCK | O_RDWR);
	assert_int_equal(fcntl(scan->fd, F_GETFD), FD_CLOEXEC);
	assert_true(scan->due == UINT64_MAX);
	assert_int_equal(scan->heads, 2);
	assert_int_equal(scan->head[1].height, 2000);
	assert_int_equal(scan->size.width, 1920);
	assert_int_equal(scan->size.height, 2000);
	assert_int_equal(scan->stride, 7680);
	assert_int_equal(scan->canvases, 7);
	assert_int_equal(drm_fake.fbs, 7);
	assert_int_equal(drm_fake.fb_format, DRM_FORMAT_XRGB8888);
	assert_int_equal(drm_fake.tests, 2);
	assert_int_equal(drm_fake.probed, 2); /* the third one is not ours */
	assert_int_equal(drm_fake.off, 0);
	/* Black, each its own, and all of it there. */
	for (uint32_t i = 0; i < 7; i++) {
		uint8_t *canvas = scan->canvas[i];

		assert_int_equal(canvas[0] | canvas[7680 * 2000 - 1], 0);
		memset(canvas, (int)i + 1, 7680 * 2000);
	}
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(scan->canvas[i][7680 * 2000 - 1], i + 1);
	closed(scan);
}

/* That of the policy's size nearest to 60 Hz; the faster one of two; no half pictures.
 */
static void modes(void **state)
{
	static const struct {
		uint32_t mhz[4]; /* 0: no more */
		uint32_t interlaced, best;
	} cases[] = {
		{{50000, 60000, 75000}, 0, 1},	{{59940, 60000}, 0, 1},
		{{60000, 59940, 144000}, 0, 0}, {{50000, 70000, 30000}, 0, 1},
		{{70000, 50000}, 0, 0},		{{60000, 30000}, 1, 1},
		{{144000, 24000}, 0, 1},	{{60000, 60000}, 0, 0},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct displ_scan *scan;
		int n = 0;

		begin(NULL);
		add_head("HDMI-A-1", 1920, 1080);
		for (; cases[i].mhz[n]; n++) {
			drm_fake.connector[0].mode[n + 1] = (struct drm_fake_mode){
				1920, 1080, cases[i].mhz[n],
				cases[i].interlaced >> n & 1, (uint16_t)n};
		}
		drm_fake.connector[0].mode[0] =
			(struct drm_fake_mode){1080, 1920, 60000, false, 0};
		drm_fake.connector[0].modes = n + 1;
		scan = opened(1);
		assert_int_equal(drm_fake.blob[0].which, cases[i].best);
		assert_int_equal(drm_fake.blob[0].width, 1920);
		closed(scan);
	}
}

static void says_what_there_is(void **state)
{
	(void)state;
	more_connectors();
	add_head("HDMI-A-3", 1920, 1080);
	refused(-EINVAL, "has no connector HDMI-A-3: it has HDMI-A-1 DP-1 HDMI-A-2\n");
	strcpy(policy.head[0].name, "DP-1");
	policy.head[0].size.width = 1921;
	refused(-EINVAL, "DP-1 has no mode 1921x1080: it has 1920x1080 1280x720\n");
	drm_fake.connector[1].mode[2] =
		(struct drm_fake_mode){1280, 720, 50000, false, 0};
	drm_fake.connector[1].modes = 3; /* each size once */
	refused(-EINVAL, "it has 1920x1080 1280x720\n");
	drm_fake.connector[1].modes = 0;
	refused(-EINVAL, "nothing is connected");
	drm_fake.connectors = 0;
	refused(-EINVAL, "it has none\n");
	drm_fake.max_height = 1079;
	refused(-EINVAL, "frame buffers of 8192x1079 at most, and the policy's "
			 "connectors need 1921x1080\n");
}

static void master(void **state)
{
	struct displ_scan *scan;

	(void)state;
	add_head("HDMI-A-1", 1920, 1080);
	drm_fake.master = false;
	scan = opened(1); /* it could be had */
	closed(scan);
	drm_fake.set_master = EBUSY;
	refused(-EBUSY, "fuser -v /tmp/");
	drm_fake.set_master = EACCES;
	refused(-EACCES, "in another program's hands: Permission denied");
	drm_fake.master = true;
	drm_fake.atomic = false;
	refused(-EOPNOTSUPP, "no atomic mode setting");
	drm_fake.atomic = true;
	drm_fake.dumb = false;
	refused(-EOPNOTSUPP, "no dumb buffers");
	strcpy(resource, "drm:/nowhere/card0");
	refused(-ENOENT, "");
	snprintf(resource, sizeof(resource), "drm:%s", path);
}

/* -- The ways -------------------------------------------------------------- */

static void planes(void **state)
{
	struct displ_scan *scan;

	(void)state;
	add_head("HDMI-A-1", 1920, 1080);
	drm_fake.plane[0].type = DRM_PLANE_TYPE_OVERLAY;
	scan = opened(1);
	assert_int_equal(displ_scan_show(scan, 0, 0, 0), 0);
	assert_int_equal(drm_fake_says(DRM_FAKE_PLANE + 1, "CRTC_ID"),
			 DRM_FAKE_CRTC + 1);
	closed(scan);
	drm_fake.plane[1].formats[1] = DRM_FORMAT_ARGB8888;
	refused(-EINVAL, "with a primary plane of XRGB8888, for each");
	policy.alpha = true;
	drm_fake.commits = 0;
	scan = opened(1);
	assert_true(scan->alpha);
	assert_int_equal(drm_fake.fb_format, DRM_FORMAT_ARGB8888);
	closed(scan);
	drm_fake.plane[1].formats[1] = DRM_FORMAT_XRGB8888;
	refused(-EINVAL, "plane of ARGB8888 (Alpha = yes)");
}

/* What another connector shows by the CRTC that must be had is off before. */
static void of_others(void **state)
{
	struct displ_scan *scan;

	(void)state;
	more_connectors();
	add_head("HDMI-A-2", 1280, 720);
	drm_fake.connector[0].crtc = DRM_FAKE_CRTC;
	scan = opened(1);
	assert_int_equal(drm_fake.off, 0);
	assert_int_equal(displ_scan_show(scan, 0, 0, 0), 0);
	assert_int_equal(drm_fake_says(DRM_FAKE_CRTC + 1, "ACTIVE"), 1);
	closed(scan);
	begin(NULL);
	more_connectors();
	add_head("HDMI-A-2", 1280, 720);
	drm_fake.connector[0].crtc = DRM_FAKE_CRTC;
	drm_fake.connector[2].possible = 1;
	scan = opened(1);
	assert_int_equal(drm_fake.off, 1);
	assert_int_equal(displ_scan_show(scan, 0, 0, 0), 0);
	assert_int_equal(drm_fake_says(DRM_FAKE_CRTC, "ACTIVE"), 1);
	closed(scan);
	/* One that it has itself is left on. */
	begin(NULL);
	more_connectors();
	add_head("HDMI-A-2", 1280, 720);
	drm_fake.connector[2].crtc = DRM_FAKE_CRTC + 1;
	scan = opened(1);
	assert_int_equal(drm_fake.off, 0);
	assert_int_equal(displ_scan_show(scan, 0, 0, 0), 0);
	assert_int_equal(drm_fake_says(DRM_FAKE_CONNECTOR + 2, "CRTC_ID"),
			 DRM_FAKE_CRTC + 1);
	closed(scan);
}

static void properties(void **state)
{
	static const char *const names[] = {"FB_ID",  "CRTC_ID", "SRC_X",   "SRC_Y",
					    "SRC_W",  "SRC_H",	 "CRTC_X",  "CRTC_Y",
					    "CRTC_W", "CRTC_H",	 "MODE_ID", "ACTIVE"};

	(void)state;
	add_head("HDMI-A-1", 1920, 1080);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		drm_fake.no_prop = names[i];
		refused(-EOPNOTSUPP, "");
	}
}

/* -- Showing --------------------------------------------------------------- */

static void shows(void **state)
{
	const uint32_t plane = DRM_FAKE_PLANE + 1, crtc = DRM_FAKE_CRTC + 1;
	struct displ_scan *scan;

	(void)state;
	more_connectors();
	add_head("HDMI-A-2", 1920, 1080);
	add_head("DP-1", 1280, 720);
	scan = opened(6);
	assert_int_equal(displ_scan_show(scan, 1, 4, 0), 0);
	assert_int_equal(drm_fake.commits, 1);
	assert_int_equal(drm_fake.commit[0].flags,
			 LOUD | DRM_MODE_ATOMIC_ALLOW_MODESET);
	assert_int_equal(drm_fake.commit[0].user_data, 1 * 4 + 1);
	assert_int_equal(drm_fake.commit[0].values, 13);
	assert_int_equal(drm_fake_says(plane, "FB_ID"), 205);
	assert_int_equal(drm_fake_says(plane, "CRTC_ID"), crtc);
	/* The middle of a canvas. */
	assert_int_equal(drm_fake_says(plane, "SRC_X"), 320 << 16);
	assert_int_equal(drm_fake_says(plane, "SRC_Y"), 180 << 16);
	assert_int_equal(drm_fake_says(plane, "SRC_W"), 1280 << 16);
	assert_int_equal(drm_fake_says(plane, "SRC_H"), 720 << 16);
	assert_int_equal(drm_fake_says(plane, "CRTC_X"), 0);
	assert_int_equal(drm_fake_says(plane, "CRTC_Y"), 0);
	assert_int_equal(drm_fake_says(plane, "CRTC_W"), 1280);
	assert_int_equal(drm_fake_says(plane, "CRTC_H"), 720);
	assert_int_equal(drm_fake_says(DRM_FAKE_CONNECTOR + 1, "CRTC_ID"), crtc);
	assert_int_equal(drm_fake_says(crtc, "MODE_ID"), 501);
	assert_int_equal(drm_fake.blob[1].width, 1280);
	assert_int_equal(drm_fake_says(crtc, "ACTIVE"), 1);
	/* From then on the frame buffer, and nothing else. */
	assert_int_equal(displ_scan_show(scan, 1, 0, 0), 0);
	assert_int_equal(drm_fake.commit[1].flags, LOUD);
	assert_int_equal(drm_fake.commit[1].user_data, 2 * 4 + 1);
	assert_int_equal(drm_fake.commit[1].values, 1);
	assert_int_equal(drm_fake_says(plane, "FB_ID"), 201);
	/* The other one's first. */
	assert_int_equal(displ_scan_show(scan, 0, 2, 0), 0);
	assert_int_equal(drm_fake.commit[2].user_data, 1 * 4 + 0);
	assert_int_equal(drm_fake.commit[2].values, 13);
	assert_int_equal(drm_fake_says(DRM_FAKE_PLANE, "SRC_X"), 0);
	closed(scan);
}

/* A card that fails says so, and may work again: with its mode. */
static void fails_and_works(void **state)
{
	struct displ_scan *scan;

	(void)state;
	add_head("HDMI-A-1", 1920, 1080);
	scan = opened(2);
	drm_fake.atomic_error = EBUSY;
	assert_int_equal(displ_scan_show(scan, 0, 0, 0), -EBUSY);
	drm_fake.atomic_error = ENOSPC;
	assert_int_equal(displ_scan_show(scan, 0, 0, 0), -ENOSPC);
	drm_fake.atomic_error = 0;
	drm_fake.commits = 0;
	assert_int_equal(displ_scan_show(scan, 0, 0, 0), 0);
	assert_int_equal(drm_fake.commit[0].values, 13);
	/* In flight: nothing is forgotten. */
	drm_fake.atomic_error = EBUSY;
	assert_int_equal(displ_scan_show(scan, 0, 1, 0), -EBUSY);
	assert_int_equal(drm_fake.commits, 2);
	drm_fake.atomic_error = 0;
	assert_int_equal(displ_scan_show(scan, 0, 1, 0), 0);
	assert_int_equal(drm_fake.commit[2].values, 1);
	/* Off, as somebody left it: the mode brings it back at once. */
	drm_fake.only_flips = EINVAL;
	assert_int_equal(displ_scan_show(scan, 0, 0, 0), 0);
	assert_int_equal(drm_fake.commits, 5);
	assert_int_equal(drm_fake.commit[4].values, 13);
	drm_fake.atomic_error = ENODEV;
	assert_int_equal(displ_scan_show(scan, 0, 1, 0), -ENODEV);
	drm_fake.only_flips = drm_fake.atomic_error = 0;
	assert_int_equal(displ_scan_show(scan, 0, 1, 0), 0);
	assert_int_equal(drm_fake.commit[7].values, 13);
	closed(scan);
}

/* -- Looking --------------------------------------------------------------- */

static void event(uint32_t type, uint32_t length, uint64_t user_data)
{
	struct drm_event_vblank v = {{type, length}, user_data, 0, 0, 0, 0};

	memcpy(drm_fake.events + drm_fake.n_events, &v, sizeof(v));
	drm_fake.n_events += length < sizeof(drm_fake.events) ? length : sizeof(v);
}

static void looks(struct displ_scan *scan, uint32_t want)
{
	uint32_t shown = 77;

	assert_int_equal(displ_scan_look(scan, 0, &shown), 0);
	assert_int_equal(shown, want);
}

static void events(void **state)
{
	const uint32_t flip = DRM_EVENT_FLIP_COMPLETE, all = 32;
	struct displ_scan *scan;
	uint32_t shown = 77;

	(void)state;
	more_connectors();
	add_head("HDMI-A-1", 1920, 1080);
	add_head("DP-1", 1280, 720);
	scan = opened(1);
	looks(scan, 0);
	event(flip, all, 1);
	looks(scan, 2);
	looks(scan, 0);
	event(flip, all, 0);
	event(DRM_EVENT_VBLANK, all, 1);
	event(0xabcd, 8, 0);
	event(flip, all, 2); /* of no head */
	event(flip, all, 1ull << 32 | 1);
	looks(scan, 1);
	event(DRM_EVENT_CRTC_SEQUENCE, 40, 0);
	event(flip, 48, 0);
	event(flip, all, 1);
	looks(scan, 3);
	/* What cannot be ends it, and what came before counts. */
	event(flip, all, 1);
	event(flip, 7, 0);
	event(flip, all, 0);
	looks(scan, 2);
	event(flip, all, 1);
	event(flip, 0, 0);
	looks(scan, 2);
	event(flip, 31, 0);
	looks(scan, 0);
	event(flip, UINT32_MAX, 0);
	looks(scan, 0);
	for (unsigned n = 1; n < all; n++) {
		event(flip, all, 0);
		drm_fake.n_events = n;
		looks(scan, 0);
	}
	/* Shorter than its head: what would be the next one is not looked at. */
	event(DRM_EVENT_VBLANK, all, 28);
	event(flip, all, 0);
	drm_fake.events[4] = 4;
	looks(scan, 0);
	/* Of a show that was given up: it is not the next one's landing. */
	assert_false(displ_scan_show(scan, 0, 0, 0) || displ_scan_show(scan, 0, 0, 0));
	event(flip, all, 1 * 4);
	looks(scan, 0);
	event(flip, all, 2 * 4);
	looks(scan, 1);
	drm_fake.read_error = EINTR;
	looks(scan, 0);
	drm_fake.read_error = ENODEV;
	assert_int_equal(displ_scan_look(scan, 0, &shown), -ENODEV);
	assert_int_equal(shown, 77);
	closed(scan);
}

/* -- What fails ------------------------------------------------------------ */

/* Each call in its turn: it does not open, or does without it; and nothing is left. */
static void each_call(void **state)
{
	unsigned before = descriptors(), fails = 0, all;

	(void)state;
	more_connectors();
	for (unsigned i = 0; i < 3; i++)
		drm_fake.connector[i].mode[0] =
			(struct drm_fake_mode){64, 64, 60000, false, 0};
	add_head("HDMI-A-1", 64, 64);
	add_head("DP-1", 64, 64);
	drm_fake.connector[2].crtc = DRM_FAKE_CRTC;
	drm_fake.connector[1].possible = 2;
	closed(opened(3));
	all = drm_fake.calls;
	assert_int_equal(drm_fake.off, 1);
	for (unsigned i = 1; i <= all; i++) {
		struct displ_scan *scan = NULL;
		int r;

		drm_fake.calls = 0;
		drm_fake.fail = i;
		drm_fake.error = EIO;
		r = try_open(&scan, 3);
		if (!r)
			displ_scan_close(scan);
		fails += r < 0;
		assert_true(r <= 0);
		nothing_left();
		assert_int_equal(descriptors(), before);
	}
	assert_true(fails > 50 && fails < all);
}

static void what_does_not_fit(void **state)
{
	(void)state;
	add_head("HDMI-A-1", 1920, 1080);
	drm_fake.pitch_extra = 64;
	refused(-EINVAL, "frame buffer 2 of 3, 1920x1080: Invalid argument");
	drm_fake.pitch_extra = 0;
	drm_fake.test_error = ERANGE;
	refused(-ERANGE, "its driver refuses HDMI-A-1 1920x1080");
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	close(fd);
	snprintf(resource, sizeof(resource), "drm:%s", path);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(canvases, begin),
		cmocka_unit_test_setup(modes, begin),
		cmocka_unit_test_setup(says_what_there_is, begin),
		cmocka_unit_test_setup(master, begin),
		cmocka_unit_test_setup(planes, begin),
		cmocka_unit_test_setup(of_others, begin),
		cmocka_unit_test_setup(properties, begin),
		cmocka_unit_test_setup(shows, begin),
		cmocka_unit_test_setup(fails_and_works, begin),
		cmocka_unit_test_setup(events, begin),
		cmocka_unit_test_setup(each_call, begin),
		cmocka_unit_test_setup(what_does_not_fit, begin),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
