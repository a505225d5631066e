/* SPDX-License-Identifier: MIT */
/* The nodes of a device: see plan.h. */
#include "xenbus/cmd/plan.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/class.h"
#include "policy/text.h"
#include "xenbus/cmd/plan-display.h"
#include "xenbus/cmd/plan-sound.h"

#define CONTROL_DOMAIN ((struct domid){0}) /* libxl's toolstack domain */

/* Whose key it is. The client owns its directory, but may only read FRONT_RO. */
enum side { FRONT, FRONT_RO, BACK };

/* A key of one kind. @value may write an empty text: then there is no key. */
struct row {
	enum side side;
	const char *key;
	void (*value)(const struct plan_input *in, const char *arg,
		      char out[PLAN_VALUE_MAX + 1]);
	const char *arg;
};

static void put(char out[PLAN_VALUE_MAX + 1], const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void put(char out[PLAN_VALUE_MAX + 1], const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(out, PLAN_VALUE_MAX + 1, fmt, args);
	va_end(args);
}

/* -- Values ------------------------------------------------------------------ */

static void word(const struct plan_input *in, const char *arg, char *out)
{
	(void)in;
	put(out, "%s", arg);
}

static uint32_t device_id(const struct policy *policy)
{
	uint32_t id = 0;
	bool known = class_device_id(policy->class, policy->device, &id);

	assert(known); /* policy.h, invariant 1 */
	return id;
}

static void number(const struct plan_input *in, const char *arg, char *out)
{
	(void)arg;
	put(out, "%" PRIu32, device_id(in->policy));
}

static void device(const struct plan_input *in, const char *arg, char *out)
{
	(void)arg;
	put(out, "%s", in->policy->device);
}

static void mode(const struct plan_input *in, const char *arg, char *out)
{
	(void)arg;
	put(out, "%s", in->policy->read_only ? "r" : "w");
}

/* The value of key @arg in the class's section of the policy, if it is there. */
static void section(const struct plan_input *in, const char *arg, char *out)
{
	const char *name = class_info(in->policy->class, in->policy->door)->section;
	struct text text;
	struct text_line line;
	enum text_kind kind;
	bool inside = false;

	out[0] = '\0';
	text_init(&text, in->text, in->text_len);
	while ((kind = text_next(&text, &line)) != TEXT_END) {
		if (kind == TEXT_SECTION)
			inside = !strcmp(line.name, name);
		if (kind == TEXT_KEY && inside && !strcmp(line.name, arg))
			put(out, "%.*s", PLAN_VALUE_MAX, line.value);
	}
}

static void discard(const struct plan_input *in, const char *arg, char *out)
{
	section(in, arg, out);
	put(out, "%d", !in->policy->read_only && !strcmp(out, "yes"));
}

/* A client is told in any case. */
static void mtu(const struct plan_input *in, const char *arg, char *out)
{
	section(in, arg, out);
	if (!out[0])
		put(out, "1500");
}

/* -- The kinds ---------------------------------------------------------------- */

/*
 * One table a class and door: what its kind has beside the keys that all devices have
 * and the tag. A class that is built later adds its rows here; keys of its section of
 * the policy come in by section().
 */
static const struct row blk_rows[] = {
	{BACK, "removable", word, "0"},
	{BACK, "bootable", word, "1"},
	{BACK, "dev", device, NULL},
	{BACK, "type", word, "phy"},
	{BACK, "mode", mode, NULL},
	{BACK, "device-type", word, "disk"},
	{BACK, "discard-enable", discard, "Discard"},
	{BACK, "specification", word, "xen"},
	{FRONT, "virtual-device", number, NULL},
	{FRONT, "device-type", word, "disk"},
	{FRONT, "trusted", word, "1"},
	{.key = NULL},
};

static const struct row net_rows[] = {
	{BACK, "mac", section, "MAC"},
	{BACK, "mtu", section, "MTU"},
	{BACK, "handle", number, NULL},
	{BACK, "type", word, "vif"},
	{FRONT, "handle", number, NULL},
	{FRONT, "mac", section, "MAC"},
	{FRONT, "trusted", word, "1"},
	{FRONT_RO, "mtu", mtu, "MTU"},
	{.key = NULL},
};

static const struct row displ_rows[] = {
	{FRONT_RO, "be-alloc", word, "0"},
	{.key = NULL},
};

static const struct row virtio_blk_rows[] = {
	{BACK, "dev", device, NULL},
	{BACK, "type", word, "phy"},
	{BACK, "mode", mode, NULL},
	{BACK, "device-type", word, "disk"},
	{BACK, "discard-enable", discard, "Discard"},
	{.key = NULL},
};

static const struct row virtio_net_rows[] = {
	{BACK, "mac", section, "MAC"},
	{BACK, "mtu", section, "MTU"},
	{.key = NULL},
};

static const struct row no_rows[] = {{.key = NULL}};

static const struct row *const kinds[][POLICY_VIRTIO + 1] = {
	[POLICY_BLK] = {blk_rows, virtio_blk_rows},
	[POLICY_NET] = {net_rows, virtio_net_rows},
	[POLICY_SND] = {no_rows, no_rows},
	[POLICY_DISPL] = {displ_rows, no_rows},
	[POLICY_CAN] = {no_rows, no_rows},
};

/* -- Nodes -------------------------------------------------------------------- */

static struct plan_node *node(struct plan *plan, struct tree_perms perms, bool parent)
{
	struct plan_node *new = &plan->node[plan->n++];

	assert(plan->n <= PLAN_NODES);
	new->perms = perms;
	new->parent = parent;
	new->value[0] = '\0';
	return new;
}

/* The directories above @dir, from its @first slash on (the one before it
 * stands, or is not ours to make). */
static void add_parents(struct plan *plan, const char *dir, unsigned first, int reader)
{
	const struct tree_perms perms = {CONTROL_DOMAIN, reader};
	unsigned slashes = 0;

	for (const char *at = dir; *at; at++) {
		if (*at != '/' || slashes++ < first)
			continue;
		snprintf(node(plan, perms, true)->path, TREE_PATH_MAX + 1, "%.*s",
			 (int)(at - dir), dir);
	}
}

static void add_key(struct plan *plan, const char *dir, struct tree_perms perms,
		    const char *key, const char *value)
{
	struct plan_node *new = node(plan, perms, false);
	int n = snprintf(new->path, sizeof(new->path), "%s%s%s", dir, key ? "/" : "",
			 key ? key : "");

	assert(n > 0 && n < (int)sizeof(new->path));
	snprintf(new->value, sizeof(new->value), "%s", value);
}

static void add_rows(struct plan *plan, const struct plan_input *in, bool front,
		     const char *dir, struct tree_perms perms, struct tree_perms ro)
{
	const struct row *row = kinds[in->policy->class][in->policy->door];
	char value[PLAN_VALUE_MAX + 1];

	for (; row->key; row++) {
		if ((row->side != BACK) != front)
			continue;
		row->value(in, row->arg, value);
		if (value[0])
			add_key(plan, dir, row->side == FRONT_RO ? ro : perms, row->key,
				value);
	}
}

/* A card's description, the client's. */
struct front {
	struct plan *plan;
	struct tree_perms perms, ro;
};

static void add_to_front(void *owner, const char *key, const char *value)
{
	const struct front *front = owner;

	add_key(front->plan, front->plan->paths.front, front->perms, key, value);
}

static void add_to_display(void *owner, const char *key, const char *value, bool ours)
{
	const struct front *front = owner;

	add_key(front->plan, front->plan->paths.front, ours ? front->ro : front->perms,
		key, value);
}

static void add_front(struct plan *plan, const struct plan_input *in)
{
	const struct tree_perms perms = {in->front, in->back.v};
	const struct tree_perms ro = {in->back, in->front.v};
	const char *dir = plan->paths.front;
	struct front front = {plan, perms, ro};
	char value[PLAN_VALUE_MAX + 1];

	add_parents(plan, dir, 4, in->front.v);
	add_key(plan, dir, perms, NULL, "");
	add_key(plan, dir, perms, "backend", plan->paths.back);
	put(value, "%u", in->back.v);
	add_key(plan, dir, perms, "backend-id", value);
	add_rows(plan, in, true, dir, perms, ro);
	if (in->policy->class == POLICY_SND && in->policy->door == POLICY_PV)
		plan_sound(in, add_to_front, &front);
	if (in->policy->class == POLICY_DISPL && in->policy->door == POLICY_PV)
		plan_display(in, add_to_display, &front);
	add_key(plan, dir, perms, "state", "1");
}

/* The back end's own directory, or with @copy the one that nobody else sees. */
static void add_back(struct plan *plan, const struct plan_input *in, bool copy)
{
	const struct tree_perms own = {in->back, in->front.v};
	const struct tree_perms hidden = {CONTROL_DOMAIN, TREE_NO_READER};
	const struct tree_perms perms = copy ? hidden : own;
	const char *dir = copy ? plan->paths.copy : plan->paths.back;
	char value[PLAN_VALUE_MAX + 1];

	add_parents(plan, dir, copy ? 2 : 4, copy ? TREE_NO_READER : in->back.v);
	add_key(plan, dir, perms, NULL, "");
	add_key(plan, dir, perms, "frontend", plan->paths.front);
	if (copy)
		add_key(plan, dir, perms, "backend", plan->paths.back);
	put(value, "%u", in->front.v);
	add_key(plan, dir, perms, "frontend-id", value);
	add_key(plan, dir, perms, "online", "1");
	add_key(plan, dir, perms,
		class_info(in->policy->class, in->policy->door)->tag_key,
		class_tag(in->policy));
	add_rows(plan, in, false, dir, perms, perms);
	add_key(plan, dir, perms, PLAN_MARK, in->policy->name);
	add_key(plan, dir, perms, "state", "1");
}

void plan_find(const struct plan_input *in, struct plan_paths *out)
{
	const char *kind = class_info(in->policy->class, in->policy->door)->kind;
	uint32_t id = device_id(in->policy);

	snprintf(out->front, sizeof(out->front), "/local/domain/%u/device/%s/%" PRIu32,
		 in->front.v, kind, id);
	snprintf(out->back, sizeof(out->back),
		 "/local/domain/%u/backend/%s/%u/%" PRIu32, in->back.v, kind,
		 in->front.v, id);
	snprintf(out->copy, sizeof(out->copy), "/libxl/%u/device/%s/%" PRIu32,
		 in->front.v, kind, id);
}

void plan_make(const struct plan_input *in, struct plan *out)
{
	out->n = 0;
	plan_find(in, &out->paths);
	add_back(out, in, true);
	add_front(out, in);
	add_back(out, in, false);
}
