/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "backends/displ/displ-policy.h"
#include "backends/displ/displ-resource.h"
#include "common/number.h"
#include "policy/text.h"

#define RINGS	    2 /* of a connector of displif */
#define LIST_PAGES  1 /* of a buffer that is one of its own */
#define QUEUE_PAGES 8 /* of a pool: two queues, and commands on their way */

/* Those of four bytes, which come first. */
#define FORMATS_VIRTIO ((1u << DISPL_RGB888) - 1)

#define CONNECTOR_ALLOWED                                                              \
	"NAME WIDTHxHEIGHT: 1 to 31 characters without a space, and 64 to 8192 "       \
	"pixels each way"
#define FORMATS_ALLOWED                                                                \
	"xrgb8888 argb8888 xbgr8888 abgr8888 rgbx8888 rgba8888 bgrx8888 bgra8888 "     \
	"rgb888 rgb565 xrgb1555 argb1555 xrgb4444 argb4444"

void displ_policy_init(struct displ_policy *policy)
{
	*policy = (struct displ_policy){
		.formats = 1u << DISPL_XRGB8888,
		.buffers = 8,
	};
}

/* -- Connectors ------------------------------------------------------------ */

static bool side_parse(const char *text, size_t len, uint32_t *out)
{
	uint64_t v;

	if (!number_parse(text, len, DISPL_SIZE_MAX, &v) || v < DISPL_SIZE_MIN)
		return false;
	*out = (uint32_t)v;
	return true;
}

bool displ_size_parse(const char *text, struct displ_size *out)
{
	size_t len = strcspn(text, "x");
	struct displ_size size;

	if (!text[len] || !side_parse(text, len, &size.width) ||
	    !side_parse(text + len + 1, strlen(text + len + 1), &size.height))
		return false;
	*out = size;
	return true;
}

static const char *set_head(struct displ_policy *policy, unsigned i, const char *value)
{
	struct displ_policy_head head = {.named = true};
	size_t len = strcspn(value, " ");

	if (!len || len > DISPL_NAME_MAX || !value[len] ||
	    !displ_size_parse(value + len + 1, &head.size))
		return CONNECTOR_ALLOWED;
	memcpy(head.name, value, len);
	policy->head[i] = head;
	policy->heads++;
	return NULL;
}

#define SET_HEAD(i)                                                                    \
	static const char *set_head##i(void *out, const char *value)                   \
	{                                                                              \
		return set_head(out, i, value);                                        \
	}

SET_HEAD(0)
SET_HEAD(1)
SET_HEAD(2)
SET_HEAD(3)

struct displ_size displ_policy_most(const struct displ_policy *policy)
{
	struct displ_size most = {0, 0};

	for (uint32_t i = 0; i < policy->heads; i++) {
		const struct displ_size *size = &policy->head[i].size;

		if (size->width > most.width)
			most.width = size->width;
		if (size->height > most.height)
			most.height = size->height;
	}
	return most;
}

/* -- The others ------------------------------------------------------------ */

static bool add_format(void *out, const char *name)
{
	enum displ_format format;

	if (!displ_format_parse(name, &format))
		return false;
	*(uint32_t *)out |= 1u << format;
	return true;
}

static const char *set_formats(void *out, const char *value)
{
	uint32_t formats = 0;

	if (!policy_value_list(value, add_format, &formats))
		return FORMATS_ALLOWED;
	((struct displ_policy *)out)->formats = formats;
	return NULL;
}

static const char *set_buffers(void *out, const char *value)
{
	struct displ_policy *policy = out;

	return policy_value_uint32(value, 1, DISPL_BUFFERS_MAX, &policy->buffers)
		       ? NULL
		       : "1-64";
}

static const char *set_flips(void *out, const char *value)
{
	struct displ_policy *policy = out;

	return policy_value_rate(value, &policy->flips) ? NULL : "N/s, or N/s burst M";
}

static const char *set_alpha(void *out, const char *value)
{
	return policy_set_bool(value, &((struct displ_policy *)out)->alpha);
}

static const char *set_path(char path[DISPL_PATH_MAX + 1], const char *value)
{
	if (value[0] != '/' || strlen(value) > DISPL_PATH_MAX || strchr(value, ' '))
		return "the path of a file, from / on, without a space";
	strcpy(path, value);
	return NULL;
}

static const char *set_gone(void *out, const char *value)
{
	struct displ_policy *policy = out;

	if (!strcmp(value, "black")) {
		policy->gone[0] = '\0';
		return NULL;
	}
	return set_path(policy->gone, value) ? "black, or the path of a PNG" : NULL;
}

static const char *set_edid(void *out, const char *value)
{
	return set_path(((struct displ_policy *)out)->edid, value);
}

const struct policy_section_key displ_policy_keys[] = {
	{"Connector0", true, set_head0},
	{"Connector1", false, set_head1},
	{"Connector2", false, set_head2},
	{"Connector3", false, set_head3},
	{"Formats", false, set_formats},
	{"Buffers", false, set_buffers},
	{"Flips", false, set_flips},
	{"Alpha", false, set_alpha},
	{"Gone", false, set_gone},
	{"Edid", false, set_edid},
	{NULL, false, NULL},
};

/* -- What does not go together --------------------------------------------- */

static bool fit_gaps(const struct displ_policy *displ, struct policy_errors *errors)
{
	for (uint32_t i = 0; i < displ->heads; i++) {
		if (displ->head[i].named)
			continue;
		text_error(errors, 0, "Connector0, and on from there without a gap",
			   "Display.Connector%u is missing", i);
		return false;
	}
	return true;
}

static void fit_names(const struct displ_policy *displ, struct policy_errors *errors)
{
	for (uint32_t i = 1; i < displ->heads; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (!strcmp(displ->head[i].name, displ->head[j].name))
				text_error(errors, 0, "a connector of its own for each",
					   "Display.Connector%u and Connector%u are "
					   "both %s",
					   j, i, displ->head[i].name);
		}
	}
}

static void fit_files(const struct displ_policy *displ, struct policy_errors *errors)
{
	for (uint32_t i = 0; i < displ->heads; i++) {
		if (!displ_resource_file_ok(displ->head[i].name))
			text_error(errors, 0,
				   "the name of a file in Resource's folder, without "
				   ".png",
				   "Display.Connector%u: %s is none", i,
				   displ->head[i].name);
	}
}

static void fit_resource(const struct policy *policy, const struct displ_policy *displ,
			 struct policy_errors *errors)
{
	switch (displ_resource_of(policy->resource)) {
	case DISPL_RESOURCE_DRM:
	case DISPL_RESOURCE_LEASE:
	case DISPL_RESOURCE_NULL:
		return;
	case DISPL_RESOURCE_PNG:
		fit_files(displ, errors);
		return;
	case DISPL_RESOURCE_NONE:
		text_error(errors, policy->line[POLICY_KEY_RESOURCE],
			   "drm:/dev/dri/cardN, lease:/dev/dri/cardN, png:/FOLDER, "
			   "null:",
			   "Backend.Resource = %s is no display's", policy->resource);
		return;
	}
}

/* Of a picture of the largest head, in the smallest format that it allows: a page of
 * its list beside it; or, with virtio, where all have four bytes, those of its queues
 * and commands. */
static uint32_t picture_pages(const struct displ_policy *displ, uint32_t formats)
{
	uint32_t bytes = DISPL_PIXEL, pixels = 0;

	for (uint32_t i = 0; i < displ->heads; i++) {
		uint32_t of = displ->head[i].size.width * displ->head[i].size.height;

		if (of > pixels)
			pixels = of;
	}
	for (unsigned i = 0; i < DISPL_FORMATS; i++) {
		uint32_t of = displ_format_info((enum displ_format)i)->bytes;

		if (formats & 1u << i && of < bytes)
			bytes = of;
	}
	return (pixels * bytes + XEN_PAGE_BYTES - 1) / XEN_PAGE_BYTES;
}

static void fit_pv(const struct policy *policy, const struct displ_policy *displ,
		   struct policy_errors *errors)
{
	if (policy->ring_pages < RINGS * displ->heads)
		text_error(errors, policy->line[POLICY_KEY_RING_PAGES],
			   "RingPages = 2 for each connector",
			   "Memory.RingPages = %u is too few for %u connectors",
			   policy->ring_pages, displ->heads);
	if (policy->data_pages < picture_pages(displ, displ->formats) + LIST_PAGES)
		text_error(errors, policy->line[POLICY_KEY_DATA_PAGES],
			   "pages of the buffers, each with a page more for 1023",
			   "Memory.DataPages = %u does not hold one picture",
			   policy->data_pages);
	if (policy->mode == POLICY_COPY)
		text_error(errors, policy->line[POLICY_KEY_MODE], "Mode = map",
			   "Memory.Mode = copy: a buffer is mapped once, and then "
			   "shown from");
}

static void fit_virtio(const struct policy *policy, const struct displ_policy *displ,
		       struct policy_errors *errors)
{
	if (!(displ->formats & FORMATS_VIRTIO))
		text_error(errors, 0, "a format of 32 bits",
			   "Display.Formats has none that virtio has");
	if (policy->mode == POLICY_GRANT)
		text_error(errors, policy->line[POLICY_KEY_MODE], "Mode = pool",
			   "Memory.Mode = grant: pixels would be copied twice");
	else if (policy->data_pages <
		 picture_pages(displ, FORMATS_VIRTIO) + QUEUE_PAGES)
		text_error(errors, policy->line[POLICY_KEY_POOL_PAGES],
			   "pages of the buffers, and 8 of queues",
			   "Memory.PoolPages = %u does not hold one picture",
			   policy->data_pages);
}

void displ_policy_fit(const struct policy *policy, const void *displ,
		      struct policy_errors *errors)
{
	const struct displ_policy *p = displ;

	if (fit_gaps(p, errors)) {
		fit_names(p, errors);
		fit_resource(policy, p, errors);
	}
	if (policy->door == POLICY_PV)
		fit_pv(policy, p, errors);
	else
		fit_virtio(policy, p, errors);
}

bool displ_policy_read(const struct policy *policy, const char *text, size_t len,
		       struct displ_policy *out)
{
	struct policy_errors errors = {0};

	if (policy->class != POLICY_DISPL)
		return false;
	displ_policy_init(out);
	return !policy_parse_section(text, len, "Display", displ_policy_keys, out,
				     &errors);
}

uint32_t displ_policy_canvases(const struct displ_policy *policy, enum policy_door door)
{
	uint32_t own = policy->heads * DISPL_OWN_CANVASES;

	return door == POLICY_VIRTIO ? own + policy->buffers : own;
}

/* What is read of Gone lies there for a moment, too. */
uint64_t displ_policy_bytes(const struct displ_policy *policy, enum policy_door door)
{
	struct displ_size most = displ_policy_most(policy);
	uint64_t canvas = (uint64_t)most.width * most.height * DISPL_PIXEL;

	return canvas * (displ_policy_canvases(policy, door) + policy->heads + 1);
}
