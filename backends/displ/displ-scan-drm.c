/* SPDX-License-Identifier: MIT */
/*
 * A card of DRM/KMS, or what is lent of one, by atomic mode setting: a frame buffer for
 * each canvas, and a way for each head (displ-drm.h).
 *
 * Invariants:
 *  1. behind the last door there is one ioctl, DRM_IOCTL_MODE_ATOMIC, and nothing is
 *     allocated for it: what a commit says is laid out before;
 *  2. a head's first commit sets its mode. All others name the frame buffer and nothing
 *     else, and change no mode; one of these that fails is tried again as the first,
 *     since nobody knows what the card has forgotten;
 *  3. a commit is one head's, so is its event, which carries that head's number and how
 *     many of its commits there were: one that comes when nobody waited for it any more
 *     is not the next one's. What the kernel says is checked all the same;
 *  4. a CRTC that has a commit in flight refuses the next one: -EBUSY, and its mode is
 * as it was.
 *
 * What is plugged in and out is not looked at here (displ-plugs.h): a card shows on,
 * and who trains a link anew is its driver.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "backends/displ/displ-drm.h"
#include "backends/displ/displ-format.h"
#include "backends/displ/displ-resource.h"

#define OBJECTS 3 /* of a way: its plane, its connector, its CRTC */

static const uint32_t all_counts[OBJECTS] = {
	DISPL_DRM_CONNECTOR_CRTC_ID - DISPL_DRM_FB_ID,
	DISPL_DRM_MODE_ID - DISPL_DRM_CONNECTOR_CRTC_ID,
	DISPL_DRM_PROPS - DISPL_DRM_MODE_ID,
};
static const uint32_t flip_counts[1] = {1}; /* FB_ID */

struct drm_head {
	struct displ_drm_way way;
	bool set;	  /* invariant 2 */
	uint64_t commits; /* that were taken */
	uint32_t object[OBJECTS];
	uint64_t value[DISPL_DRM_PROPS];
};

struct drm {
	struct displ_scan scan;
	struct drm_head head[DISPL_HEADS_MAX];
	uint32_t handle[DISPL_CANVASES_MAX]; /* dumb buffers; 0: none */
	uint32_t fb[DISPL_CANVASES_MAX];
	uint64_t bytes; /* of each */
};

/* What the event of the @n-th commit of @head carries. */
static uint64_t event_of(uint32_t head, uint64_t n)
{
	return n * DISPL_HEADS_MAX + head;
}

static struct drm *drm_of(struct displ_scan *scan)
{
	return (struct drm *)scan;
}

/* -- Showing --------------------------------------------------------------- */

static uint64_t ptr64(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* @all: the whole way; else the frame buffer alone. */
static int commit(struct drm *drm, uint32_t head, bool all, uint32_t flags)
{
	struct drm_head *h = &drm->head[head];
	struct drm_mode_atomic atomic = {
		.flags = flags | (all ? DRM_MODE_ATOMIC_ALLOW_MODESET : 0),
		.count_objs = all ? OBJECTS : 1,
		.objs_ptr = ptr64(h->object),
		.count_props_ptr = ptr64(all ? all_counts : flip_counts),
		.props_ptr = ptr64(h->way.prop),
		.prop_values_ptr = ptr64(h->value),
		.user_data = flags & DRM_MODE_PAGE_FLIP_EVENT
				     ? event_of(head, h->commits + 1)
				     : 0,
	};
	int r;

	do
		r = ioctl(drm->scan.fd, DRM_IOCTL_MODE_ATOMIC, &atomic);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int drm_show(struct displ_scan *scan, uint32_t head, uint32_t canvas,
		    uint64_t now)
{
	const uint32_t flags = DRM_MODE_ATOMIC_NONBLOCK | DRM_MODE_PAGE_FLIP_EVENT;
	struct drm *drm = drm_of(scan);
	struct drm_head *h = &drm->head[head];
	int r = -EINVAL;

	(void)now;
	assert(head < scan->heads && canvas < scan->canvases);
	h->value[DISPL_DRM_FB_ID] = drm->fb[canvas];
	if (h->set)
		r = commit(drm, head, false, flags);
	if (r && (!h->set || r != -EBUSY)) {
		r = commit(drm, head, true, flags);
		h->set = !r;
	}
	h->commits += !r;
	return r;
}

/* -- Looking --------------------------------------------------------------- */

/* One event at @at, of which @left bytes are there. Its length, or 0: it is none. */
static size_t take_event(const struct drm *drm, const uint8_t *at, size_t left,
			 uint32_t *shown)
{
	struct drm_event_vblank event;
	uint32_t head;

	if (left < sizeof(event.base))
		return 0;
	memcpy(&event.base, at, sizeof(event.base));
	if (event.base.length < sizeof(event.base) || event.base.length > left)
		return 0;
	if (event.base.type != DRM_EVENT_FLIP_COMPLETE)
		return event.base.length;
	if (event.base.length < sizeof(event))
		return 0;
	memcpy(&event, at, sizeof(event));
	head = (uint32_t)(event.user_data % DISPL_HEADS_MAX);
	if (head < drm->scan.heads &&
	    event.user_data == event_of(head, drm->head[head].commits))
		*shown |= 1u << head;
	return event.base.length;
}

static int drm_look(struct displ_scan *scan, uint64_t now, uint32_t *shown)
{
	uint8_t events[DISPL_READY_MAX];
	ssize_t n = read(scan->fd, events, sizeof(events));
	uint32_t landed = 0;
	size_t at = 0, one = 1;

	(void)now;
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	while (n > 0 && at < (size_t)n && one) {
		one = take_event(drm_of(scan), events + at, (size_t)n - at, &landed);
		at += one;
	}
	/* What was whole counts, even before what was not. */
	*shown = landed;
	return 0;
}

/* -- Opening --------------------------------------------------------------- */

/* All but the process's end: behind the last door the kernel does it, when the
 * descriptor closes. */
static void drm_close(struct displ_scan *scan)
{
	struct drm *drm = drm_of(scan);

	for (uint32_t i = 0; i < DISPL_CANVASES_MAX; i++) {
		if (scan->canvas[i])
			munmap(scan->canvas[i], drm->bytes);
		if (drm->fb[i])
			drmModeRmFB(scan->fd, drm->fb[i]);
		if (drm->handle[i])
			drmModeDestroyDumbBuffer(scan->fd, drm->handle[i]);
	}
	for (uint32_t i = 0; i < scan->heads; i++) {
		if (drm->head[i].way.mode)
			drmModeDestroyPropertyBlob(scan->fd, drm->head[i].way.mode);
	}
	close(scan->fd);
	free(drm);
}

static const struct displ_scan_ops drm_ops = {
	.show = drm_show,
	.look = drm_look,
	.close = drm_close,
};

static int make_fb(struct drm *drm, uint32_t i, uint32_t fourcc)
{
	const struct displ_scan *scan = &drm->scan;
	const uint32_t handles[4] = {drm->handle[i]};
	const uint32_t pitches[4] = {scan->stride};
	const uint32_t offsets[4] = {0};

	return drmModeAddFB2(scan->fd, scan->size.width, scan->size.height, fourcc,
			     handles, pitches, offsets, &drm->fb[i], 0);
}

static int map_canvas(struct drm *drm, uint32_t i)
{
	uint64_t offset;
	int r = drmModeMapDumbBuffer(drm->scan.fd, drm->handle[i], &offset);
	void *at;

	if (r)
		return r;
	at = mmap(NULL, drm->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, drm->scan.fd,
		  (off_t)offset);
	if (at == MAP_FAILED)
		return -errno;
	memset(at, 0, drm->bytes);
	drm->scan.canvas[i] = at;
	return 0;
}

/* All of one shape, and no smaller than it must be. */
static bool is_shape(const struct drm *drm, uint32_t stride, uint64_t bytes)
{
	const struct displ_scan *scan = &drm->scan;

	return stride == scan->stride && bytes == drm->bytes &&
	       !(stride % DISPL_PIXEL) && stride / DISPL_PIXEL >= scan->size.width &&
	       bytes / stride >= scan->size.height;
}

static int make_canvas(struct drm *drm, uint32_t i, uint32_t fourcc)
{
	struct displ_scan *scan = &drm->scan;
	uint32_t stride;
	uint64_t bytes;
	int r = drmModeCreateDumbBuffer(scan->fd, scan->size.width, scan->size.height,
					8 * DISPL_PIXEL, 0, &drm->handle[i], &stride,
					&bytes);

	if (r)
		return r;
	if (!i) {
		scan->stride = stride;
		drm->bytes = bytes;
	}
	if (!is_shape(drm, stride, bytes))
		return -EINVAL;
	r = make_fb(drm, i, fourcc);
	return r ? r : map_canvas(drm, i);
}

static int make_canvases(struct drm *drm, const struct displ_scan_conf *conf)
{
	int r = 0;

	assert(conf->canvases && conf->canvases <= DISPL_CANVASES_MAX);
	for (uint32_t i = 0; !r && i < conf->canvases; i++) {
		r = make_canvas(drm, i, displ_drm_fourcc(conf->policy));
		if (r)
			log_line(conf->log, LOG_LEVEL_ERROR,
				 "%s: frame buffer %u of %u, %ux%u: %s",
				 displ_resource_path(conf->resource), i + 1,
				 conf->canvases, drm->scan.size.width,
				 drm->scan.size.height, strerror(-r));
	}
	drm->scan.canvases = conf->canvases;
	return r;
}

/* Invariant 1: what a commit of the whole way says, but for the frame buffer. */
static void lay_out(struct drm_head *h, struct displ_size size, struct displ_size of)
{
	const struct displ_drm_way *way = &h->way;
	uint64_t *v = h->value;

	h->object[0] = way->plane;
	h->object[1] = way->connector;
	h->object[2] = way->crtc;
	v[DISPL_DRM_PLANE_CRTC_ID] = way->crtc;
	v[DISPL_DRM_SRC_X] = (uint64_t)((of.width - size.width) / 2) << 16;
	v[DISPL_DRM_SRC_Y] = (uint64_t)((of.height - size.height) / 2) << 16;
	v[DISPL_DRM_SRC_W] = (uint64_t)size.width << 16;
	v[DISPL_DRM_SRC_H] = (uint64_t)size.height << 16;
	v[DISPL_DRM_CRTC_X] = v[DISPL_DRM_CRTC_Y] = 0;
	v[DISPL_DRM_CRTC_W] = size.width;
	v[DISPL_DRM_CRTC_H] = size.height;
	v[DISPL_DRM_CONNECTOR_CRTC_ID] = way->crtc;
	v[DISPL_DRM_MODE_ID] = way->mode;
	v[DISPL_DRM_ACTIVE] = 1;
}

/* And what it will say is tried, by the kernel's own check. */
static int make_head(struct drm *drm, uint32_t i, const struct displ_scan_conf *conf)
{
	struct drm_head *h = &drm->head[i];
	int r;

	lay_out(h, drm->scan.head[i], drm->scan.size);
	h->value[DISPL_DRM_FB_ID] = drm->fb[0];
	r = commit(drm, i, true, DRM_MODE_ATOMIC_TEST_ONLY);
	if (r)
		log_line(conf->log, LOG_LEVEL_ERROR,
			 "%s: its driver refuses %s %ux%u: %s (its dmesg may say why)",
			 displ_resource_path(conf->resource),
			 conf->policy->head[i].name, drm->scan.head[i].width,
			 drm->scan.head[i].height, strerror(-r));
	return r;
}

static int drm_make(struct drm *drm, const struct displ_scan_conf *conf)
{
	struct displ_drm_way way[DISPL_HEADS_MAX] = {0};
	int r = displ_drm_find(drm->scan.fd, conf, way);

	for (uint32_t i = 0; !r && i < drm->scan.heads; i++)
		drm->head[i].way = way[i];
	if (!r)
		r = make_canvases(drm, conf);
	for (uint32_t i = 0; !r && i < drm->scan.heads; i++)
		r = make_head(drm, i, conf);
	return r;
}

static struct drm *drm_new(const struct displ_policy *policy)
{
	struct drm *drm = malloc(sizeof(*drm));

	if (!drm)
		return NULL;
	*drm = (struct drm){.scan = {.ops = &drm_ops,
				     .heads = policy->heads,
				     .alpha = policy->alpha,
				     .size = displ_policy_most(policy),
				     .due = UINT64_MAX}};
	for (uint32_t i = 0; i < policy->heads; i++)
		drm->scan.head[i] = policy->head[i].size;
	return drm;
}

static int open_card(const struct displ_scan_conf *conf)
{
	const char *path = displ_resource_path(conf->resource);

	if (displ_resource_of(conf->resource) == DISPL_RESOURCE_LEASE)
		return displ_drm_borrow(conf->lease, path, conf->log);
	return displ_drm_open(path, conf->log);
}

int displ_scan_drm_open(struct displ_scan **out, const struct displ_scan_conf *conf)
{
	int fd = open_card(conf);
	struct drm *drm;
	int r;

	if (fd < 0)
		return fd;
	drm = drm_new(conf->policy);
	if (!drm) {
		close(fd);
		return -ENOMEM;
	}
	drm->scan.fd = fd;
	r = drm_make(drm, conf);
	if (r)
		drm_close(&drm->scan);
	else
		*out = &drm->scan;
	return r;
}
