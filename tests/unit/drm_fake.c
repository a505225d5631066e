/* SPDX-License-Identifier: MIT */
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
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "tests/unit/drm_fake.h"

#define PAGE 4096u

struct drm_fake drm_fake;

static const struct {
	uint32_t type;
	const char *name;
} props[] = {
	{DRM_MODE_OBJECT_PLANE, "type"},	{DRM_MODE_OBJECT_PLANE, "CRTC_ID"},
	{DRM_MODE_OBJECT_PLANE, "FB_ID"},	{DRM_MODE_OBJECT_PLANE, "CRTC_H"},
	{DRM_MODE_OBJECT_PLANE, "CRTC_W"},	{DRM_MODE_OBJECT_PLANE, "CRTC_X"},
	{DRM_MODE_OBJECT_PLANE, "CRTC_Y"},	{DRM_MODE_OBJECT_PLANE, "SRC_H"},
	{DRM_MODE_OBJECT_PLANE, "SRC_W"},	{DRM_MODE_OBJECT_PLANE, "SRC_X"},
	{DRM_MODE_OBJECT_PLANE, "SRC_Y"},	{DRM_MODE_OBJECT_CONNECTOR, "DPMS"},
	{DRM_MODE_OBJECT_CONNECTOR, "CRTC_ID"}, {DRM_MODE_OBJECT_CRTC, "ACTIVE"},
	{DRM_MODE_OBJECT_CRTC, "MODE_ID"},
};
#define PROPS	   (sizeof(props) / sizeof(props[0]))
#define FIRST_PROP 1000u

void drm_fake_init(void)
{
	drm_fake = (struct drm_fake){
		.connectors = 1,
		.crtcs = 2,
		.planes = 2,
		.max_width = 8192,
		.max_height = 8192,
		.master = true,
		.atomic = true,
		.dumb = true,
		.fd = -1,
	};
	drm_fake.connector[0].type = DRM_MODE_CONNECTOR_HDMIA;
	drm_fake.connector[0].type_id = 1;
	drm_fake.connector[0].possible = 3;
	drm_fake.connector[0].mode[0] =
		(struct drm_fake_mode){1920, 1080, 60000, false, 0};
	drm_fake.connector[0].mode[1] =
		(struct drm_fake_mode){1280, 720, 60000, false, 0};
	drm_fake.connector[0].modes = 2;
	for (unsigned i = 0; i < 4; i++) {
		drm_fake.plane[i].type = DRM_PLANE_TYPE_PRIMARY;
		drm_fake.plane[i].formats[0] = DRM_FORMAT_RGB565;
		drm_fake.plane[i].formats[1] = DRM_FORMAT_XRGB8888;
		drm_fake.plane[i].n_formats = 2;
		drm_fake.plane[i].possible = 1u << i;
	}
}

void drm_fake_init_four(void)
{
	drm_fake_init();
	drm_fake.connectors = drm_fake.crtcs = drm_fake.planes = 4;
	for (unsigned i = 0; i < 4; i++) {
		drm_fake.connector[i] = drm_fake.connector[0];
		drm_fake.connector[i].possible = 15;
		drm_fake.connector[i].type_id = i < 2 ? 1 : i;
	}
	drm_fake.connector[1].type = DRM_MODE_CONNECTOR_DisplayPort;
}

uint64_t drm_fake_says(uint32_t object, const char *name)
{
	const struct drm_fake_commit *last = &drm_fake.commit[drm_fake.commits - 1];

	assert_true(drm_fake.commits > 0);
	for (uint32_t i = 0; i < last->values; i++) {
		if (last->value[i].object == object &&
		    !strcmp(last->value[i].name, name))
			return last->value[i].value;
	}
	return UINT64_MAX;
}

static bool fails(void)
{
	if (++drm_fake.calls != drm_fake.fail)
		return false;
	errno = drm_fake.error;
	return true;
}

static void *answer(const void *what, size_t n)
{
	void *p = test_malloc(n);

	memcpy(p, what, n);
	drm_fake.answers++;
	return p;
}

static void answered(void *p)
{
	if (!p)
		return;
	drm_fake.answers--;
	test_free(p);
}

#define WRAP(type, name, ...)                                                          \
	type __wrap_##name(__VA_ARGS__);                                               \
	type __wrap_##name(__VA_ARGS__)
#define GIVEN_BACK(name, type)                                                         \
	WRAP(void, name, type p)                                                       \
	{                                                                              \
		answered(p);                                                           \
	}

GIVEN_BACK(drmModeFreeResources, drmModeResPtr)
GIVEN_BACK(drmModeFreeConnector, drmModeConnectorPtr)
GIVEN_BACK(drmModeFreeEncoder, drmModeEncoderPtr)
GIVEN_BACK(drmModeFreePlaneResources, drmModePlaneResPtr)
GIVEN_BACK(drmModeFreePlane, drmModePlanePtr)
GIVEN_BACK(drmModeFreeObjectProperties, drmModeObjectPropertiesPtr)
GIVEN_BACK(drmModeFreeProperty, drmModePropertyPtr)

/* -- The card -------------------------------------------------------------- */

WRAP(int, drmIsMaster, int fd)
{
	drm_fake.fd = fd;
	return drm_fake.master;
}

WRAP(int, drmSetMaster, int fd)
{
	(void)fd;
	errno = drm_fake.set_master;
	return drm_fake.set_master ? -1 : 0;
}

WRAP(int, drmSetClientCap, int fd, uint64_t cap, uint64_t value)
{
	drm_fake.fd = fd;
	assert_int_equal(value, 1);
	if (fails())
		return -1;
	if (cap == DRM_CLIENT_CAP_ATOMIC && !drm_fake.atomic) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return 0;
}

WRAP(int, drmGetCap, int fd, uint64_t cap, uint64_t *value)
{
	(void)fd;
	assert_int_equal(cap, DRM_CAP_DUMB_BUFFER);
	if (fails())
		return -1;
	*value = drm_fake.dumb;
	return 0;
}

/* -- What is lent ---------------------------------------------------------- */

/* The name of a lease's file has its objects: "lease.10.30.40.". */
static bool is_there(int fd, uint32_t object)
{
	char link[64], name[256], what[16];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof(name) - 1);
	name[n > 0 ? n : 0] = '\0';
	snprintf(what, sizeof(what), ".%u.", object);
	return !strstr(name, "lease.") || strstr(name, what);
}

/* Bits of CRTCs as who has @fd counts them. */
static uint32_t possible_of(int fd, uint32_t possible)
{
	uint32_t bits = 0, at = 0;

	for (uint32_t i = 0; i < drm_fake.crtcs; i++) {
		if (is_there(fd, DRM_FAKE_CRTC + i))
			bits |= (possible >> i & 1) << at++;
	}
	return bits;
}

static bool is_lent(uint32_t object)
{
	for (unsigned i = 0; i < drm_fake.leases; i++) {
		const struct drm_fake_lease *lease = &drm_fake.lease[i];

		for (int k = 0; lease->id && !lease->revoked && k < lease->objects; k++)
			if (lease->object[k] == object)
				return true;
	}
	return false;
}

static struct drm_fake_lease *lease_of(uint32_t id)
{
	for (unsigned i = 0; i < drm_fake.leases; i++) {
		if (drm_fake.lease[i].id == id)
			return &drm_fake.lease[i];
	}
	return NULL;
}

void drm_fake_lessee_ends(uint32_t id)
{
	struct drm_fake_lease *lease = lease_of(id);

	assert_non_null(lease);
	lease->id = 0;
}

WRAP(int, drmModeCreateLease, int fd, const uint32_t *objects, int n, int flags,
     uint32_t *id)
{
	struct drm_fake_lease *lease = &drm_fake.lease[drm_fake.leases];
	char name[128] = "lease.";

	(void)fd;
	assert_int_equal(flags, O_CLOEXEC | O_NONBLOCK);
	assert_true(n > 0 && n <= 12 && drm_fake.leases < DRM_FAKE_LEASES);
	if (fails())
		return -drm_fake.error;
	for (int i = 0; i < n; i++) {
		size_t len = strlen(name);

		if (is_lent(objects[i]))
			return -EBUSY;
		lease->object[i] = objects[i];
		snprintf(name + len, sizeof(name) - len, "%u.", objects[i]);
	}
	/* As the kernel does: the first number that is free. */
	for (*id = 1; lease_of(*id); ++*id)
		;
	lease->id = *id;
	lease->objects = n;
	drm_fake.leases++;
	return memfd_create(name, MFD_CLOEXEC);
}

WRAP(int, drmModeRevokeLease, int fd, uint32_t id)
{
	struct drm_fake_lease *lease = lease_of(id);

	(void)fd;
	if (!lease)
		return -ENOENT;
	lease->revoked = true;
	drm_fake.revoked++;
	return 0;
}

/* -- What there is --------------------------------------------------------- */

WRAP(drmModeResPtr, drmModeGetResources, int fd)
{
	static uint32_t crtcs[4], connectors[4];
	drmModeRes res = {.crtcs = crtcs,
			  .connectors = connectors,
			  .max_width = drm_fake.max_width,
			  .max_height = drm_fake.max_height};

	for (uint32_t i = 0; i < drm_fake.crtcs; i++) {
		if (is_there(fd, DRM_FAKE_CRTC + i))
			crtcs[res.count_crtcs++] = DRM_FAKE_CRTC + i;
	}
	for (uint32_t i = 0; i < drm_fake.connectors; i++) {
		if (is_there(fd, DRM_FAKE_CONNECTOR + i))
			connectors[res.count_connectors++] = DRM_FAKE_CONNECTOR + i;
	}
	return fails() ? NULL : answer(&res, sizeof(res));
}

static drmModeModeInfo mode_info(const struct drm_fake_mode *mode)
{
	return (drmModeModeInfo){
		.clock = mode->mhz,
		.hdisplay = mode->width,
		.vdisplay = mode->height,
		.htotal = 1000,
		.vtotal = 1000,
		.hskew = mode->which,
		.flags = mode->interlaced ? DRM_MODE_FLAG_INTERLACE : 0,
	};
}

static drmModeConnectorPtr connector(uint32_t id)
{
	static drmModeModeInfo modes[4][DRM_FAKE_MODES];
	uint32_t i = id - DRM_FAKE_CONNECTOR;
	drmModeConnector c = {.connector_id = id};

	assert_true(i < drm_fake.connectors);
	c.encoder_id = drm_fake.connector[i].crtc ? DRM_FAKE_ENCODER + i : 0;
	c.connector_type = drm_fake.connector[i].type;
	c.connector_type_id = drm_fake.connector[i].type_id;
	c.connection = drm_fake.connector[i].unplugged ? DRM_MODE_DISCONNECTED
						       : DRM_MODE_CONNECTED;
	c.count_modes = drm_fake.connector[i].modes;
	for (int j = 0; j < c.count_modes; j++)
		modes[i][j] = mode_info(&drm_fake.connector[i].mode[j]);
	c.modes = modes[i];
	return fails() ? NULL : answer(&c, sizeof(c));
}

WRAP(drmModeConnectorPtr, drmModeGetConnectorCurrent, int fd, uint32_t id)
{
	(void)fd;
	return connector(id);
}

WRAP(drmModeConnectorPtr, drmModeGetConnector, int fd, uint32_t id)
{
	(void)fd;
	drm_fake.probed++;
	return connector(id);
}

WRAP(uint32_t, drmModeConnectorGetPossibleCrtcs, int fd, const drmModeConnector *c)
{
	uint32_t i = c->connector_id - DRM_FAKE_CONNECTOR;

	return fails() ? 0 : possible_of(fd, drm_fake.connector[i].possible);
}

WRAP(drmModeEncoderPtr, drmModeGetEncoder, int fd, uint32_t id)
{
	drmModeEncoder e = {.encoder_id = id};

	e.crtc_id = drm_fake.connector[id - DRM_FAKE_ENCODER].crtc;
	if (!is_there(fd, e.crtc_id))
		e.crtc_id = 0;
	return fails() ? NULL : answer(&e, sizeof(e));
}

WRAP(drmModePlaneResPtr, drmModeGetPlaneResources, int fd)
{
	static uint32_t planes[4];
	drmModePlaneRes res = {0, planes};

	for (uint32_t i = 0; i < drm_fake.planes; i++) {
		if (is_there(fd, DRM_FAKE_PLANE + i))
			planes[res.count_planes++] = DRM_FAKE_PLANE + i;
	}
	return fails() ? NULL : answer(&res, sizeof(res));
}

WRAP(drmModePlanePtr, drmModeGetPlane, int fd, uint32_t id)
{
	uint32_t i = id - DRM_FAKE_PLANE;
	drmModePlane plane = {.plane_id = id};

	plane.count_formats = drm_fake.plane[i].n_formats;
	plane.formats = drm_fake.plane[i].formats;
	plane.possible_crtcs = possible_of(fd, drm_fake.plane[i].possible);
	plane.crtc_id = drm_fake.plane[i].crtc;
	return fails() ? NULL : answer(&plane, sizeof(plane));
}

WRAP(drmModeObjectPropertiesPtr, drmModeObjectGetProperties, int fd, uint32_t id,
     uint32_t type)
{
	static uint32_t ids[PROPS];
	static uint64_t values[PROPS];
	drmModeObjectProperties of = {0, ids, values};

	(void)fd;
	for (uint32_t i = 0; i < PROPS; i++) {
		if (props[i].type != type ||
		    (drm_fake.no_prop && !strcmp(drm_fake.no_prop, props[i].name)))
			continue;
		ids[of.count_props] = FIRST_PROP + i;
		values[of.count_props++] =
			i ? 0 : drm_fake.plane[(id - DRM_FAKE_PLANE) & 3].type;
	}
	return fails() ? NULL : answer(&of, sizeof(of));
}

WRAP(drmModePropertyPtr, drmModeGetProperty, int fd, uint32_t id)
{
	drmModePropertyRes prop = {.prop_id = id};

	(void)fd;
	assert_true(id - FIRST_PROP < PROPS);
	strcpy(prop.name, props[id - FIRST_PROP].name);
	return fails() ? NULL : answer(&prop, sizeof(prop));
}

/* -- What is made ---------------------------------------------------------- */

static int error(void)
{
	return fails() ? -drm_fake.error : 0;
}

WRAP(int, drmModeSetCrtc, int fd, uint32_t crtc, uint32_t fb, uint32_t x, uint32_t y,
     uint32_t *connectors, int count, drmModeModeInfoPtr mode)
{
	(void)fd;
	(void)connectors;
	assert_true(!fb && !x && !y && !count && !mode);
	drm_fake.off |= 1u << (crtc - DRM_FAKE_CRTC);
	return error();
}

static void keep_timing(const drmModeModeInfo *mode)
{
	const uint32_t timing[] = {
		mode->clock,  mode->hdisplay, mode->hsync_start, mode->hsync_end,
		mode->htotal, mode->vdisplay, mode->vsync_start, mode->vsync_end,
		mode->vtotal, mode->flags,
	};

	memcpy(drm_fake.timing, timing, sizeof(timing));
}

WRAP(int, drmModeCreatePropertyBlob, int fd, const void *data, size_t n, uint32_t *id)
{
	const drmModeModeInfo *mode = data;

	(void)fd;
	assert_int_equal(n, sizeof(*mode));
	if (fails())
		return -drm_fake.error;
	drm_fake.blob[drm_fake.blobs] = (struct drm_fake_mode){
		mode->hdisplay, mode->vdisplay, mode->clock, false, mode->hskew};
	keep_timing(mode);
	*id = 500u + (uint32_t)drm_fake.blobs++;
	return 0;
}

WRAP(int, drmModeDestroyPropertyBlob, int fd, uint32_t id)
{
	(void)fd;
	assert_true(id >= 500 && id < 504);
	drm_fake.blobs--;
	return 0;
}

WRAP(int, drmModeCreateDumbBuffer, int fd, uint32_t width, uint32_t height,
     uint32_t bpp, uint32_t flags, uint32_t *handle, uint32_t *pitch, uint64_t *size)
{
	(void)fd;
	assert_true(bpp == 32 && !flags);
	if (fails())
		return -drm_fake.error;
	*handle = ++drm_fake.made;
	*pitch = (width * 4 + 63) / 64 * 64;
	*pitch += drm_fake.made > 1 ? drm_fake.pitch_extra : 0;
	*size = ((uint64_t)*pitch * height + PAGE - 1) / PAGE * PAGE;
	drm_fake.dumbs++;
	if (ftruncate(fd, (off_t)(drm_fake.made * *size)))
		return -errno;
	/* Somebody's, before. */
	return pwrite(fd, "x", 1, (off_t)((drm_fake.made - 1) * *size)) < 0 ? -errno
									    : 0;
}

WRAP(int, drmModeDestroyDumbBuffer, int fd, uint32_t handle)
{
	(void)fd;
	assert_true(handle && handle <= drm_fake.made);
	drm_fake.dumbs--;
	return 0;
}

/* They lie behind each other in a file. */
WRAP(int, drmModeMapDumbBuffer, int fd, uint32_t handle, uint64_t *offset)
{
	off_t all = lseek(fd, 0, SEEK_END);

	if (fails())
		return -drm_fake.error;
	*offset = (uint64_t)all / drm_fake.made * (handle - 1);
	return 0;
}

WRAP(int, drmModeAddFB2, int fd, uint32_t width, uint32_t height, uint32_t format,
     const uint32_t handles[4], const uint32_t pitches[4], const uint32_t offsets[4],
     uint32_t *id, uint32_t flags)
{
	(void)fd;
	assert_true(handles[0] && !handles[1] && !handles[2] && !handles[3] && !flags);
	assert_true(pitches[0] >= width * 4 && height && !offsets[0]);
	if (fails())
		return -drm_fake.error;
	drm_fake.fb_format = format;
	*id = 200 + handles[0];
	drm_fake.fbs++;
	return 0;
}

WRAP(int, drmModeRmFB, int fd, uint32_t id)
{
	(void)fd;
	assert_true(id > 200 && id <= 200 + drm_fake.made);
	drm_fake.fbs--;
	return 0;
}

/* -- What is shown --------------------------------------------------------- */

static void keep(struct drm_fake_commit *commit, const struct drm_mode_atomic *atomic)
{
	const uint32_t *objects = (const uint32_t *)(uintptr_t)atomic->objs_ptr;
	const uint32_t *counts = (const uint32_t *)(uintptr_t)atomic->count_props_ptr;
	const uint32_t *ids = (const uint32_t *)(uintptr_t)atomic->props_ptr;
	const uint64_t *values = (const uint64_t *)(uintptr_t)atomic->prop_values_ptr;

	commit->flags = atomic->flags;
	commit->user_data = atomic->user_data;
	commit->values = 0;
	for (uint32_t i = 0; i < atomic->count_objs; i++) {
		for (uint32_t j = 0; j < counts[i]; j++) {
			uint32_t k = commit->values++;

			assert_true(k < DRM_FAKE_VALUES && ids[k] - FIRST_PROP < PROPS);
			commit->value[k].object = objects[i];
			strcpy(commit->value[k].name, props[ids[k] - FIRST_PROP].name);
			commit->value[k].value = values[k];
		}
	}
}

static int atomic_error(const struct drm_fake_commit *commit)
{
	if (commit->flags & DRM_MODE_ATOMIC_TEST_ONLY)
		return fails() ? drm_fake.error : drm_fake.test_error;
	if (commit->values == 1 && drm_fake.only_flips)
		return drm_fake.only_flips;
	return drm_fake.atomic_error;
}

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct drm_fake_commit *commit = &drm_fake.commit[drm_fake.commits];
	const struct drm_mode_atomic *atomic;
	va_list args;

	va_start(args, request);
	atomic = va_arg(args, const struct drm_mode_atomic *);
	va_end(args);
	if (_IOC_TYPE(request) != DRM_IOCTL_BASE)
		return __real_ioctl(fd, request, atomic);
	assert_int_equal(request, DRM_IOCTL_MODE_ATOMIC);
	assert_int_equal(fd, drm_fake.fd);
	assert_int_equal(atomic->reserved, 0);
	assert_true(drm_fake.commits < DRM_FAKE_COMMITS);
	keep(commit, atomic);
	if (commit->flags & DRM_MODE_ATOMIC_TEST_ONLY)
		drm_fake.tests++;
	else
		drm_fake.commits++;
	errno = atomic_error(commit);
	return errno ? -1 : 0;
}

ssize_t __real_read(int fd, void *to, size_t n);
ssize_t __wrap_read(int fd, void *to, size_t n);
ssize_t __wrap_read(int fd, void *to, size_t n)
{
	size_t some = drm_fake.n_events < n ? drm_fake.n_events : n;

	if (fd != drm_fake.fd)
		return __real_read(fd, to, n);
	errno = drm_fake.read_error ? drm_fake.read_error : EAGAIN;
	if (!some || drm_fake.read_error)
		return -1;
	memcpy(to, drm_fake.events, some);
	drm_fake.n_events = 0;
	return (ssize_t)some;
}
