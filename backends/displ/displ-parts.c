/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "backends/displ/displ-parts.h"

int displ_parts_failed(void)
{
	return errno ? -errno : -EIO;
}

void displ_parts_list_add(struct displ_parts_list *list, const char *fmt, ...)
{
	char word[DISPL_PARTS_NAME + 1];
	va_list args;

	va_start(args, fmt);
	vsnprintf(word, sizeof(word), fmt, args);
	va_end(args);
	if (list->len + strlen(word) + 2 > sizeof(list->text))
		return;
	list->len += (size_t)snprintf(list->text + list->len,
				      sizeof(list->text) - list->len, " %s", word);
}

int displ_parts_open(struct displ_parts *parts, int fd, const char *path,
		     struct log *log)
{
	drmModeRes *res = drmModeGetResources(fd);
	uint32_t crtcs;

	if (!res)
		return displ_parts_failed();
	crtcs = (uint32_t)res->count_crtcs;
	*parts = (struct displ_parts){.fd = fd, .path = path, .log = log, .res = res};
	parts->route.crtcs = crtcs < DISPL_CRTCS_MAX ? crtcs : DISPL_CRTCS_MAX;
	return 0;
}

void displ_parts_close(struct displ_parts *parts)
{
	drmModeFreeResources(parts->res);
	parts->res = NULL;
}

void displ_parts_add(struct displ_parts *parts, const char *name, uint32_t fourcc)
{
	assert(parts->route.heads < DISPL_ROUTE_HEADS_MAX);
	parts->head[parts->route.heads++] =
		(struct displ_parts_head){.name = name, .fourcc = fourcc};
}

uint32_t displ_parts_prop(int fd, const drmModeObjectProperties *of, const char *name,
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

/* -- Connectors ------------------------------------------------------------ */

static uint32_t place_of(const struct displ_parts *parts, uint32_t crtc)
{
	for (uint32_t i = 0; crtc && i < parts->route.crtcs; i++) {
		if (parts->res->crtcs[i] == crtc)
			return i;
	}
	return DISPL_NO_CRTC;
}

static uint32_t crtc_of(const struct displ_parts *parts,
			const drmModeConnector *connector)
{
	drmModeEncoder *encoder = NULL;
	uint32_t place = DISPL_NO_CRTC;

	if (connector->encoder_id)
		encoder = drmModeGetEncoder(parts->fd, connector->encoder_id);
	if (encoder)
		place = place_of(parts, encoder->crtc_id);
	drmModeFreeEncoder(encoder);
	return place;
}

/* As the kernel calls it. */
static void connector_name(const drmModeConnector *connector,
			   char name[DISPL_PARTS_NAME])
{
	const char *type = drmModeGetConnectorTypeName(connector->connector_type);

	snprintf(name, DISPL_PARTS_NAME, "%s-%u", type ? type : "Unknown",
		 connector->connector_type_id);
}

static struct displ_parts_head *head_of(struct displ_parts *parts,
					const drmModeConnector *connector)
{
	char name[DISPL_PARTS_NAME];

	connector_name(connector, name);
	for (uint32_t i = 0; i < parts->route.heads; i++) {
		if (!strcmp(parts->head[i].name, name))
			return &parts->head[i];
	}
	return NULL;
}

static void note_connector(struct displ_parts *parts, const drmModeConnector *connector)
{
	struct displ_parts_head *head = head_of(parts, connector);
	uint32_t crtc = crtc_of(parts, connector);

	if (head) {
		head->connector = connector->connector_id;
		parts->route.head[head - parts->head] = (struct displ_route_end){
			drmModeConnectorGetPossibleCrtcs(parts->fd, connector), crtc};
	} else if (crtc != DISPL_NO_CRTC) {
		parts->route.others |= 1u << crtc;
	}
}

static void say_connectors(const struct displ_parts *parts, const char *name)
{
	struct displ_parts_list list = {.text = ""};

	for (int i = 0; i < parts->res->count_connectors; i++) {
		drmModeConnector *connector = drmModeGetConnectorCurrent(
			parts->fd, parts->res->connectors[i]);
		char other[DISPL_PARTS_NAME];

		if (!connector)
			continue;
		connector_name(connector, other);
		displ_parts_list_add(&list, "%s", other);
		drmModeFreeConnector(connector);
	}
	log_line(parts->log, LOG_LEVEL_ERROR, "%s has no connector %s: it has%s",
		 parts->path, name, list.len ? list.text : " none");
}

/* Nobody asks what is connected to them: that takes its time. */
bool displ_parts_connectors(struct displ_parts *parts)
{
	parts->route.others = 0;
	for (uint32_t i = 0; i < parts->route.heads; i++)
		parts->head[i].connector = 0;
	for (int i = 0; i < parts->res->count_connectors; i++) {
		drmModeConnector *connector = drmModeGetConnectorCurrent(
			parts->fd, parts->res->connectors[i]);

		if (connector)
			note_connector(parts, connector);
		drmModeFreeConnector(connector);
	}
	for (uint32_t i = 0; i < parts->route.heads; i++) {
		if (!parts->head[i].connector) {
			say_connectors(parts, parts->head[i].name);
			return false;
		}
	}
	return true;
}

/* -- Planes ---------------------------------------------------------------- */

static bool is_primary(int fd, uint32_t plane)
{
	drmModeObjectProperties *of =
		drmModeObjectGetProperties(fd, plane, DRM_MODE_OBJECT_PLANE);
	uint64_t type = DRM_PLANE_TYPE_OVERLAY;

	if (!of)
		return false;
	displ_parts_prop(fd, of, "type", &type);
	drmModeFreeObjectProperties(of);
	return type == DRM_PLANE_TYPE_PRIMARY;
}

static bool has_format(const drmModePlane *plane, uint32_t fourcc)
{
	for (uint32_t i = 0; i < plane->count_formats; i++) {
		if (plane->formats[i] == fourcc)
			return true;
	}
	return false;
}

/* The heads, bits, whose pixels it does not know. */
static uint32_t unfit_of(const struct displ_parts *parts, const drmModePlane *plane)
{
	uint32_t unfit = 0;

	for (uint32_t i = 0; i < parts->route.heads; i++) {
		if (!has_format(plane, parts->head[i].fourcc))
			unfit |= 1u << i;
	}
	return unfit;
}

static void note_plane(struct displ_parts *parts, uint32_t id)
{
	struct displ_route *route = &parts->route;
	const uint32_t all = (1u << route->heads) - 1;
	drmModePlane *plane = drmModeGetPlane(parts->fd, id);
	uint32_t unfit;

	if (!plane)
		return;
	unfit = unfit_of(parts, plane);
	if (route->planes < DISPL_PLANES_MAX && is_primary(parts->fd, id) &&
	    unfit != all) {
		parts->plane[route->planes] = id;
		route->unfit[route->planes] = unfit;
		route->plane[route->planes++] = (struct displ_route_end){
			plane->possible_crtcs, place_of(parts, plane->crtc_id)};
	}
	drmModeFreePlane(plane);
}

int displ_parts_planes(struct displ_parts *parts)
{
	drmModePlaneRes *all = drmModeGetPlaneResources(parts->fd);

	if (!all)
		return displ_parts_failed();
	parts->route.planes = 0;
	for (uint32_t i = 0; i < all->count_planes; i++)
		note_plane(parts, all->planes[i]);
	drmModeFreePlaneResources(all);
	return 0;
}

int displ_parts_free_crtc(const struct displ_parts *parts, uint32_t head)
{
	uint32_t crtc = parts->res->crtcs[parts->route.crtc[head]];

	if (!displ_route_shares(&parts->route, head))
		return 0;
	return drmModeSetCrtc(parts->fd, crtc, 0, 0, 0, NULL, 0, NULL);
}
