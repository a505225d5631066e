/* SPDX-License-Identifier: MIT */
#include <drm_fourcc.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "backends/displ/displ-drm.h"
#include "backends/displ/displ-resource.h"
#include "backends/displ/displ-route.h"

#define NONE	       UINT32_MAX
#define REFRESH	       60000 /* mHz */
#define CONNECTOR_NAME 32
#define LIST_MAX       256 /* of what there is, in a line of the log */

uint32_t displ_drm_fourcc(const struct displ_policy *policy)
{
	return policy->alpha ? DRM_FORMAT_ARGB8888 : DRM_FORMAT_XRGB8888;
}

/* What libdrm says nothing of but that it failed. */
static int drm_failed(void)
{
	return errno ? -errno : -EIO;
}

/* -- The card -------------------------------------------------------------- */

/* Who opens the node of a card that has no master is its master. */
static int become_master(int fd, const char *path, struct log *log)
{
	int r;

	if (drmIsMaster(fd))
		return 0;
	r = drmSetMaster(fd) ? drm_failed() : 0;
	if (r)
		log_line(log, LOG_LEVEL_ERROR,
			 "%s is in another program's hands: %s (a display server, a "
			 "boot splash, another display's back end; \"fuser -v %s\" "
			 "names it, and it has to end)",
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

int displ_drm_open(const char *path, struct log *log)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	int r;

	if (fd < 0)
		return -errno;
	r = become_master(fd, path, log);
	if (!r)
		r = have_caps(fd, path, log);
	if (!r)
		return fd;
	close(fd);
	return r;
}

/* -- What there is, as text ------------------------------------------------ */

struct list {
	char text[LIST_MAX];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void list_add(struct list *list,
							   const char *fmt, ...)
{
	char word[CONNECTOR_NAME + 1];
	va_list args;

	va_start(args, fmt);
	vsnprintf(word, sizeof(word), fmt, args);
	va_end(args);
	if (list->len + strlen(word) + 2 > sizeof(list->text))
		return;
	list->len += (size_t)snprintf(list->text + list->len,
				      sizeof(list->text) - list->len, " %s", word);
}

/* As the kernel calls it. */
static void connector_name(const drmModeConnector *connector, char name[CONNECTOR_NAME])
{
	const char *type = drmModeGetConnectorTypeName(connector->connector_type);

	snprintf(name, CONNECTOR_NAME, "%s-%u", type ? type : "Unknown",
		 connector->connector_type_id);
}

/* -- Connectors and modes -------------------------------------------------- */

/* What a search looks at. */
struct card {
	int fd;
	const struct displ_scan_conf *conf;
	const drmModeRes *res;
	uint32_t connector[DISPL_HEADS_MAX]; /* 0: not found */
	drmModeModeInfo mode[DISPL_HEADS_MAX];
	uint32_t plane[DISPL_PLANES_MAX]; /* primary, and of the right format */
	struct displ_route route;
};

static uint32_t place_of(const struct card *card, uint32_t crtc)
{
	for (uint32_t i = 0; crtc && i < card->route.crtcs; i++) {
		if (card->res->crtcs[i] == crtc)
			return i;
	}
	return DISPL_NO_CRTC;
}

static uint32_t crtc_of(const struct card *card, const drmModeConnector *connector)
{
	drmModeEncoder *encoder = NULL;
	uint32_t place = DISPL_NO_CRTC;

	if (connector->encoder_id)
		encoder = drmModeGetEncoder(card->fd, connector->encoder_id);
	if (encoder)
		place = place_of(card, encoder->crtc_id);
	drmModeFreeEncoder(encoder);
	return place;
}

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

static void say_modes(const struct card *card, const drmModeConnector *connector,
		      const struct displ_policy_head *head)
{
	struct list list = {.text = ""};

	for (int i = 0; i < connector->count_modes; i++) {
		const drmModeModeInfo *mode = &connector->modes[i], *last = mode - 1;

		if (!i || last->hdisplay != mode->hdisplay ||
		    last->vdisplay != mode->vdisplay)
			list_add(&list, "%ux%u", mode->hdisplay, mode->vdisplay);
	}
	log_line(card->conf->log, LOG_LEVEL_ERROR, "%s has no mode %ux%u: %s%s",
		 head->name, head->size.width, head->size.height,
		 list.len ? "it has" : "it has none, so nothing is connected to it",
		 list.text);
}

static void say_connectors(const struct card *card, const char *name)
{
	struct list list = {.text = ""};

	for (int i = 0; i < card->res->count_connectors; i++) {
		drmModeConnector *connector =
			drmModeGetConnectorCurrent(card->fd, card->res->connectors[i]);
		char other[CONNECTOR_NAME];

		if (!connector)
			continue;
		connector_name(connector, other);
		list_add(&list, "%s", other);
		drmModeFreeConnector(connector);
	}
	log_line(card->conf->log, LOG_LEVEL_ERROR, "%s has no connector %s: it has%s",
		 displ_resource_path(card->conf->resource), name,
		 list.len ? list.text : " none");
}

/* The policy's head of that name; or NONE. */
static uint32_t head_of(const struct card *card, const drmModeConnector *connector)
{
	char name[CONNECTOR_NAME];

	connector_name(connector, name);
	for (uint32_t i = 0; i < card->conf->policy->heads; i++) {
		if (!strcmp(card->conf->policy->head[i].name, name))
			return i;
	}
	return NONE;
}

/* Which of the card's is which head. Nobody asks what is connected to the others: that
 * takes its time. */
static int find_connectors(struct card *card)
{
	const struct displ_policy *policy = card->conf->policy;

	for (int i = 0; i < card->res->count_connectors; i++) {
		drmModeConnector *connector =
			drmModeGetConnectorCurrent(card->fd, card->res->connectors[i]);
		uint32_t head, crtc;

		if (!connector)
			continue;
		head = head_of(card, connector);
		crtc = crtc_of(card, connector);
		if (head != NONE) {
			card->connector[head] = connector->connector_id;
			card->route.head[head].possible =
				drmModeConnectorGetPossibleCrtcs(card->fd, connector);
			card->route.head[head].now = crtc;
		} else if (crtc != DISPL_NO_CRTC) {
			card->route.others |= 1u << crtc;
		}
		drmModeFreeConnector(connector);
	}
	for (uint32_t i = 0; i < policy->heads; i++) {
		if (!card->connector[i]) {
			say_connectors(card, policy->head[i].name);
			return -EINVAL;
		}
	}
	return 0;
}

static int find_mode(struct card *card, uint32_t head)
{
	const struct displ_policy_head *policy = &card->conf->policy->head[head];
	drmModeConnector *connector =
		drmModeGetConnector(card->fd, card->connector[head]);
	const drmModeModeInfo *mode;
	int r = 0;

	if (!connector)
		return drm_failed();
	mode = choose_mode(connector, policy->size);
	if (mode) {
		card->mode[head] = *mode;
	} else {
		say_modes(card, connector, policy);
		r = -EINVAL;
	}
	drmModeFreeConnector(connector);
	return r;
}

/* -- Properties ------------------------------------------------------------ */

/* The number of @name, and what it has, of an object's. 0: there is none. */
static uint32_t find_prop(int fd, const drmModeObjectProperties *of, const char *name,
			  uint64_t *value)
{
	uint32_t id = 0;

	for (uint32_t i = 0; !id && i < of->count_props; i++) {
		drmModePropertyRes *prop = drmModeGetProperty(fd, of->props[i]);

		if (prop && !strcmp(prop->name, name)) {
			id = prop->prop_id;
			*value = of->prop_values[i];
		}
		drmModeFreeProperty(prop);
	}
	return id;
}

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
		return drm_failed();
	for (unsigned i = 0; i < DISPL_DRM_PROPS; i++) {
		if (props[i].type != type)
			continue;
		way->prop[i] = find_prop(fd, of, props[i].name, &value);
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

/* -- CRTCs and planes ------------------------------------------------------ */

static bool has_format(const drmModePlane *plane, uint32_t fourcc)
{
	for (uint32_t i = 0; i < plane->count_formats; i++) {
		if (plane->formats[i] == fourcc)
			return true;
	}
	return false;
}

static bool is_primary(int fd, uint32_t plane)
{
	drmModeObjectProperties *of =
		drmModeObjectGetProperties(fd, plane, DRM_MODE_OBJECT_PLANE);
	uint64_t type = DRM_PLANE_TYPE_OVERLAY;

	if (!of)
		return false;
	find_prop(fd, of, "type", &type);
	drmModeFreeObjectProperties(of);
	return type == DRM_PLANE_TYPE_PRIMARY;
}

static void note_plane(struct card *card, uint32_t id)
{
	drmModePlane *plane = drmModeGetPlane(card->fd, id);
	struct displ_route *route = &card->route;

	if (!plane)
		return;
	if (route->planes < DISPL_PLANES_MAX && is_primary(card->fd, id) &&
	    has_format(plane, displ_drm_fourcc(card->conf->policy))) {
		card->plane[route->planes] = id;
		route->plane[route->planes++] = (struct displ_route_end){
			plane->possible_crtcs, place_of(card, plane->crtc_id)};
	}
	drmModeFreePlane(plane);
}

static int find_planes(struct card *card)
{
	drmModePlaneRes *all = drmModeGetPlaneResources(card->fd);

	if (!all)
		return drm_failed();
	for (uint32_t i = 0; i < all->count_planes; i++)
		note_plane(card, all->planes[i]);
	drmModeFreePlaneResources(all);
	return 0;
}

static int find_crtcs(struct card *card)
{
	int r = find_planes(card);

	if (r)
		return r;
	if (displ_route_find(&card->route))
		return 0;
	log_line(card->conf->log, LOG_LEVEL_ERROR,
		 "%s has not got a CRTC, with a primary plane of %s, for each of the "
		 "policy's connectors at once",
		 displ_resource_path(card->conf->resource),
		 card->conf->policy->alpha ? "ARGB8888 (Alpha = yes)" : "XRGB8888");
	return -EINVAL;
}

/* A CRTC feeds no connector but its way's: what it shows on others is off. */
static int free_crtc(const struct card *card, uint32_t head)
{
	uint32_t crtc = card->res->crtcs[card->route.crtc[head]];

	if (!displ_route_shares(&card->route, head))
		return 0;
	return drmModeSetCrtc(card->fd, crtc, 0, 0, 0, NULL, 0, NULL);
}

/* -- All of it ------------------------------------------------------------- */

static int check_size(const struct card *card)
{
	const struct displ_size most = displ_policy_most(card->conf->policy);

	if (most.width <= card->res->max_width && most.height <= card->res->max_height)
		return 0;
	log_line(card->conf->log, LOG_LEVEL_ERROR,
		 "%s has frame buffers of %ux%u at most, and the policy's connectors "
		 "need %ux%u",
		 displ_resource_path(card->conf->resource), card->res->max_width,
		 card->res->max_height, most.width, most.height);
	return -EINVAL;
}

static int make_modes(const struct card *card, struct displ_drm_way *way)
{
	for (uint32_t i = 0; i < card->conf->policy->heads; i++) {
		int r = drmModeCreatePropertyBlob(card->fd, &card->mode[i],
						  sizeof(card->mode[i]), &way[i].mode);

		if (!r)
			continue;
		while (i-- > 0)
			drmModeDestroyPropertyBlob(card->fd, way[i].mode);
		return r;
	}
	return 0;
}

static int find_all(struct card *card, struct displ_drm_way *way)
{
	int r = check_size(card);

	if (!r)
		r = find_connectors(card);
	for (uint32_t i = 0; !r && i < card->conf->policy->heads; i++)
		r = find_mode(card, i);
	if (!r)
		r = find_crtcs(card);
	for (uint32_t i = 0; !r && i < card->conf->policy->heads; i++) {
		way[i].connector = card->connector[i];
		way[i].crtc = card->res->crtcs[card->route.crtc[i]];
		way[i].plane = card->plane[card->route.of[i]];
		r = find_props(card->fd, &way[i]);
	}
	for (uint32_t i = 0; !r && i < card->conf->policy->heads; i++)
		r = free_crtc(card, i);
	return r ? r : make_modes(card, way);
}

int displ_drm_find(int fd, const struct displ_scan_conf *conf,
		   struct displ_drm_way way[DISPL_HEADS_MAX])
{
	struct card card = {.fd = fd, .conf = conf};
	drmModeRes *res = drmModeGetResources(fd);
	int r;

	if (!res)
		return drm_failed();
	card.res = res;
	card.route.heads = conf->policy->heads;
	card.route.crtcs = (uint32_t)res->count_crtcs < DISPL_CRTCS_MAX
				   ? (uint32_t)res->count_crtcs
				   : DISPL_CRTCS_MAX;
	r = find_all(&card, way);
	drmModeFreeResources(res);
	return r;
}
