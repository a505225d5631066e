/* SPDX-License-Identifier: MIT */
/*
 * A card of DRM/KMS that a test makes up: libdrm's functions, ioctl() and read() of who
 * links this with -Wl,--wrap, in place of the kernel's.
 *
 * It lends, too: a lease is a descriptor of its own, by which it is what was lent of
 * it, also in another process.
 *
 * It counts what it gave and was given back, keeps what it was told to show, and fails
 * where it is told to.
 */
#ifndef XDD_TEST_DRM_FAKE_H
#define XDD_TEST_DRM_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRM_FAKE_CONNECTOR 10 /* numbers of the first ones; then on from there */
#define DRM_FAKE_ENCODER   20
#define DRM_FAKE_CRTC	   30
#define DRM_FAKE_PLANE	   40
#define DRM_FAKE_MODES	   8
#define DRM_FAKE_COMMITS   16
#define DRM_FAKE_VALUES	   16
#define DRM_FAKE_LEASES	   64

/* 1000 pixels by 1000 lines in all, whatever is shown. */
struct drm_fake_mode {
	uint16_t width, height;
	uint32_t mhz;
	bool interlaced;
	uint16_t which; /* to tell it from others */
};

struct drm_fake_commit {
	int fd;
	uint32_t flags;
	uint64_t user_data;
	uint32_t values;
	struct {
		uint32_t object;
		char name[32];
		uint64_t value;
	} value[DRM_FAKE_VALUES];
};

struct drm_fake {
	/* What there is. */
	struct {
		uint32_t type, type_id;
		uint32_t crtc; /* that it has, 0: none */
		uint32_t possible;
		struct drm_fake_mode mode[DRM_FAKE_MODES];
		int modes;
		bool unplugged;
	} connector[4];
	struct {
		uint64_t type;
		uint32_t formats[4];
		uint32_t n_formats, possible, crtc;
	} plane[4];
	uint32_t connectors, crtcs, planes;
	uint32_t max_width, max_height;
	bool master, atomic, dumb;
	int set_master;	      /* errno of it */
	const char *no_prop;  /* a property that no object has */
	uint32_t pitch_extra; /* of each buffer but the first one */

	/* What fails: the call of that number, from 1 on; with @error. */
	unsigned calls, fail;
	int error;
	int atomic_error; /* of commits, but for tests */
	int only_flips;	  /* errno of commits of a frame buffer alone */
	int test_error;	  /* of those that test */

	/* What it was told. */
	struct drm_fake_commit commit[DRM_FAKE_COMMITS];
	unsigned commits, tests;
	uint32_t off; /* CRTCs that were turned off, bits */
	struct drm_fake_mode blob[4];
	/* The last one of these: clock, what is shown, sync's start and end, and all,
	 * each way; and its flags. */
	uint32_t timing[10];
	int answers; /* of libdrm's that nobody freed */
	int blobs, dumbs, fbs;
	unsigned made; /* buffers */
	uint32_t fb_format;
	unsigned probed; /* connectors */

	/* What it lent, in turn: the kernel's number of each, its objects. */
	struct drm_fake_lease {
		uint32_t id; /* 0: its file is closed */
		bool revoked;
		uint32_t object[12];
		int objects;
	} lease[DRM_FAKE_LEASES];
	unsigned leases, revoked;

	/* What a read of @fd gives. */
	int fd;
	uint8_t events[2048];
	size_t n_events;
	int read_error;
};

extern struct drm_fake drm_fake;

/* One connector, HDMI-A-1, of 1920x1080 and 1280x720; two CRTCs with a primary plane
 * each. */
void drm_fake_init(void);
/* HDMI-A-1, DP-1, HDMI-A-2 and HDMI-A-3, with any of four CRTCs, each with its plane.
 */
void drm_fake_init_four(void);
/* The file of the lease of that number closes. */
void drm_fake_lessee_ends(uint32_t id);
/* What the last commit says of @name of @object; UINT64_MAX: nothing. */
uint64_t drm_fake_says(uint32_t object, const char *name);

#endif
