/* SPDX-License-Identifier: MIT */
#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "backends/displ/displ-drm.h"
#include "backends/displ/displ-lease.h"
#include "backends/displ/displ-parts.h"
#include "backends/displ/displ-resource.h"
#include "backends/displ/displ-timing.h"

#define REFRESH 60000 /* mHz */

uint32_t displ_drm_fourcc(const struct displ_policy *policy)
{
	return policy->alpha ? DRM_FORMAT_ARGB8888 : DRM_FORMAT_XRGB8888;
}

/* -- The card -------------------------------------------------------------- */

/* Who opens the node of a card that has no master is its master. */
static int become_master(int fd, const char *path, struct log *log)
{
	int r;

	if (drmIsMaster(fd))
		return 0;
	r = drmSetMaster(fd) ? displ_parts_failed() : 0;
	if (r)
		log_line(log, LOG_LEVEL_ERROR,
			 "%s is in another program's hands: %s (a display server, a "
			 "boot splash, another display's back end; \"fuser -v %s\" "
			 "names it, and it has to end; displays share a card by "
			 "lease:)",
			 path, strerror(-r), path);
	return r;
}

static int have_caps(int fd, const char *path, struct log *log)
{
	uint64_t dumb = 0;

	if (drmSetClientCap(fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1) ||
	    drmSetClientCap(fd, DRM_CLIENT_CAP_ATOMIC, 1) ||
	    drmGetCap(fd, DRM_CAP_DUMB_BUFFER, &dumb) || !dumb) {
		log_line(log, LOG_LEVEL_ERROR,
			 "%s: its driver has no atomic mode setting, or no dumb "
			 "buffers: it shows nothing here",
			 path);
		return -EOPNOTSUPP;
	}
	return 0;
}

/* @fd, if @r is 0, which is what else had to be. */
static int opened(int fd, int r, const char *path, struct log *log)
{
	if (!r)
		r = have_caps(fd, path, log);
	if (!r)
		return fd;
	close(fd);
	return r;
}

int displ_drm_open(const char *path, struct log *log)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : opened(fd, become_master(fd, path, log), path, log);
}

int displ_drm_borrow(const char *at, const char *path, struct log *log)
{
	int fd = displ_lease_take(at, path, log);

	return fd < 0 ? fd : opened(fd, 0, path, log);
}

/* -- Modes ----------------------------------------------------------------- */

/* What a search looks at. */
struct card {
	const struct displ_scan_conf *conf;
	struct displ_parts parts;
	drmModeModeInfo mode[DISPL_HEADS_MAX];
};

static uint32_t refresh_of(const drmModeModeInfo *mode)
{
	uint64_t pixels = (uint64_t)mode->htotal * mode->vtotal;

	return pixels ? (uint32_t)(mode->clock * 1000000ull / pixels) : 0;
}

static uint32_t apart(uint32_t refresh)
{
	return refresh > REFRESH ? refresh - REFRESH : REFRESH - refresh;
}

/* Nearest to 60 Hz; of two, the faster one; of equals, the card's first. */
static bool is_better(const drmModeModeInfo *mode, const drmModeModeInfo *than)
{
	uint32_t a = refresh_of(mode), b = refresh_of(than);

	return apart(a) != apart(b) ? apart(a) < apart(b) : a > b;
}

static const drmModeModeInfo *choose_mode(const drmModeConnector *connector,
					  struct displ_size size)
{
	const drmModeModeInfo *best = NULL;

	for (int i = 0; i < connector->count_modes; i++) {
		const drmModeModeInfo *mode = &connector->modes[i];

		if (mode->hdisplay == size.width && mode->vdisplay == size.height &&
		    !(mode->flags & DRM_MODE_FLAG_INTERLACE) &&
		    (!best || is_better(mode, best)))
			best = mode;
	}
	return best;
}

/* What the kernel has for a connector's: a mode of its own, if nothing is plugged in.
 */
static bool make_mode(struct card *card, const drmModeConnector *connector,
		      uint32_t head)
{
	const struct displ_policy_head *policy = &card->conf->policy->head[head];
	const struct displ_timing t = displ_timing_reduced(policy->size);

	if (connector->connection != DRM_MODE_DISCONNECTED)
		return false;
	card->mode[head] = (drmModeModeInfo){
		.clock = (uint32_t)(t.clock / 1000),
		.hdisplay = (uint16_t)t.h_active,
		.hsync_start = (uint16_t)(t.h_active + DISPL_TIMING_H_FRONT),
		.hsync_end = (uint16_t)(t.h_active + DISPL_TIMING_H_FRONT +
					DISPL_TIMING_H_SYNC),
		.htotal = (uint16_t)t.h_total,
		.vdisplay = (uint16_t)t.v_active,
		.vsync_start = (uint16_t)(t.v_active + DISPL_TIMING_V_FRONT),
		.vsync_end = (uint16_t)(t.v_active + DISPL_TIMING_V_FRONT + t.v_sync),
		.vtotal = (uint16_t)t.v_total,
		.vrefresh = DISPL_TIMING_REFRESH,
		.flags = DRM_MODE_FLAG_PHSYNC | DRM_MODE_FLAG_NVSYNC,
		.type = DRM_MODE_TYPE_USERDEF,
	};
	log_line(card->conf->log, LOG_LEVEL_NOTICE,
		 "%s: nothing is plugged in; its mode %ux%u is by VESA's formula (CVT, "
		 "reduced blanking)",
		 policy->name, policy->size.width, policy->size.height);
	return true;
}

static void say_modes(const struct card *card, const drmModeConnector *connector,
		      const struct displ_policy_head *head)
{
	struct displ_parts_list list = {.text = ""};

	for (int i = 0; i < connector->count_modes; i++) {
		const drmModeModeInfo *mode = &connector->modes[i], *last = mode - 1;

		if (!i || last->hdisplay != mode->hdisplay ||
		    last->vdisplay != mode->vdisplay)
			displ_parts_list_add(&list, "%ux%u", mode->hdisplay,
					     mode->vdisplay);
	}
	log_line(card->conf->log, LOG_LEVEL_ERROR, "%s has no mode %ux%u: %s%s",
		 head->name, head->size.width, head->size.height,
		 list.len ? "it has" : "it has none, so nothing is connected to it",
		 list.text);
}

static int find_mode(struct card *card, uint32_t head)
{
	const struct displ_policy_head *policy = &card->conf->policy->head[head];
	drmModeConnector *connector =
		drmModeGetConnector(card->parts.fd, card->parts.head[head].connector);
	const drmModeModeInfo *mode;
	int r = 0;

	if (!connector)
		return displ_parts_failed();
	mode = choose_mode(connector, policy->size);
	if (mode) {
		card->mode[head] = *mode;
	} else if (!make_mode(card, connector, head)) {
		say_modes(card, connector, policy);
		r = -EINVAL;
	}
	drmModeFreeConnector(connector);
	return r;
}

/* -- Properties ------------------------------------------------------------ */

static const struct {
	const char *name;
	uint32_t type; /* of the object that has it */
} props[DISPL_DRM_PROPS] = {
	[DISPL_DRM_FB_ID] = {"FB_ID", DRM_MODE_OBJECT_PLANE},
	[DISPL_DRM_PLANE_CRTC_ID] = {"CRTC_ID", DRM_MODE_OBJECT_PLANE},
	[DISPL_DRM_SRC_X] = {"SRC_X", DRM_MODE_OBJECT_PLANE},
	[DISPL_DRM_SRC_Y] = {"SRC_Y", DRM_MODE_OBJECT_PLANE},
	[DISPL_DRM_SRC_W] = {"SRC_W", DRM_MODE_OBJECT_PLANE},
	[DISPL_DRM_SRC_H] = {"SRC_H", DRM_MODE_OBJECT_PLANE},
	[DISPL_DRM_CRTC_X] = {"CRTC_X", DRM_MODE_OBJECT_PLANE},
	[DISPL_DRM_CRTC_Y] = {"CRTC_Y", DRM_MODE_OBJECT_PLANE},
	[DISPL_DRM_CRTC_W] = {"CRTC_W", DRM_MODE_OBJECT_PLANE},
	[DISPL_DRM_CRTC_H] = {"CRTC_H", DRM_MODE_OBJECT_PLANE},
	[DISPL_DRM_CONNECTOR_CRTC_ID] = {"CRTC_ID", DRM_MODE_OBJECT_CONNECTOR},
	[DISPL_DRM_MODE_ID] = {"MODE_ID", DRM_MODE_OBJECT_CRTC},
	[DISPL_DRM_ACTIVE] = {"ACTIVE", DRM_MODE_OBJECT_CRTC},
};

static int find_props_of(int fd, uint32_t object, uint32_t type,
			 struct displ_drm_way *way)
{
	drmModeObjectProperties *of = drmModeObjectGetProperties(fd, object, type);
	uint64_t value;
	int r = 0;

	if (!of)
		return displ_parts_failed();
	for (unsigned i = 0; i < DISPL_DRM_PROPS; i++) {
		if (props[i].type != type)
			continue;
		way->prop[i] = displ_parts_prop(fd, of, props[i].name, &value);
		if (!way->prop[i])
			r = -EOPNOTSUPP;
	}
	drmModeFreeObjectProperties(of);
	return r;
}

static int find_props(int fd, struct displ_drm_way *way)
{
	int r = find_props_of(fd, way->plane, DRM_MODE_OBJECT_PLANE, way);

	if (!r)
		r = find_props_of(fd, way->connector, DRM_MODE_OBJECT_CONNECTOR, way);
	return r ? r : find_props_of(fd, way->crtc, DRM_MODE_OBJECT_CRTC, way);
}

/* -- All of it ------------------------------------------------------------- */

static int find_crtcs(struct card *card)
{
	int r = displ_parts_planes(&card->parts);

	if (r)
		return r;
	if (displ_route_find(&card->parts.route))
		return 0;
	log_line(card->conf->log, LOG_LEVEL_ERROR,
		 "%s has not got a CRTC, with a primary plane of %s, for each of the "
		 "policy's connectors at once",
		 card->parts.path,
		 card->conf->policy->alpha ? "ARGB8888 (Alpha = yes)" : "XRGB8888");
	return -EINVAL;
}

static int check_size(const struct card *card)
{
	const struct displ_size most = displ_policy_most(card->conf->policy);
	const drmModeRes *res = card->parts.res;

	if (most.width <= res->max_width && most.height <= res->max_height)
		return 0;
	log_line(card->conf->log, LOG_LEVEL_ERROR,
		 "%s has frame buffers of %ux%u at most, and the policy's connectors "
		 "need %ux%u",
		 card->parts.path, res->max_width, res->max_height, most.width,
		 most.height);
	return -EINVAL;
}

static int make_modes(const struct card *card, struct displ_drm_way *way)
{
	int fd = card->parts.fd;

	for (uint32_t i = 0; i < card->conf->policy->heads; i++) {
		int r = drmModeCreatePropertyBlob(fd, &card->mode[i],
						  sizeof(card->mode[i]), &way[i].mode);

		if (!r)
			continue;
		while (i-- > 0)
			drmModeDestroyPropertyBlob(fd, way[i].mode);
		return r;
	}
	return 0;
}

static int make_ways(const struct card *card, struct displ_drm_way *way)
{
	const struct displ_parts *parts = &card->parts;
	const uint32_t heads = parts->route.heads;
	int r = 0;

	for (uint32_t i = 0; !r && i < heads; i++) {
		way[i].connector = parts->head[i].connector;
		way[i].crtc = parts->res->crtcs[parts->route.crtc[i]];
		way[i].plane = parts->plane[parts->route.of[i]];
		r = find_props(parts->fd, &way[i]);
	}
	for (uint32_t i = 0; !r && i < heads; i++)
		r = displ_parts_free_crtc(parts, i);
	return r ? r : make_modes(card, way);
}

static int find_all(struct card *card, struct displ_drm_way *way)
{
	const struct displ_policy *policy = card->conf->policy;
	int r = check_size(card);

	for (uint32_t i = 0; i < policy->heads; i++)
		displ_parts_add(&card->parts, policy->head[i].name,
				displ_drm_fourcc(policy));
	if (!r && !displ_parts_connectors(&card->parts))
		r = -EINVAL;
	for (uint32_t i = 0; !r && i < policy->heads; i++)
		r = find_mode(card, i);
	if (!r)
		r = find_crtcs(card);
	return r ? r : make_ways(card, way);
}

int displ_drm_find(int fd, const struct displ_scan_conf *conf,
		   struct displ_drm_way way[DISPL_HEADS_MAX])
{
	struct card card = {.conf = conf};
	int r = displ_parts_open(&card.parts, fd, displ_resource_path(conf->resource),
				 conf->log);

	if (r)
		return r;
	r = find_all(&card, way);
	displ_parts_close(&card.parts);
	return r;
}
