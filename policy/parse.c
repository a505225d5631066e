/* SPDX-License-Identifier: MIT */
/*
 * From a policy text to a struct policy: see policy.h for the invariants.
 *
 * Four passes, so that all errors are found at once: the lines, the keys that
 * are missing, the defaults, the combinations that cannot work.
 */
#include <string.h>

#include "policy/class.h"
#include "policy/key.h"
#include "policy/text.h"

#define BIT(key)     (1u << POLICY_KEY_##key)
#define ALLOWED_ONCE "each key and each section once"

/* The head of the file and the generic sections; after them comes one a class. */
static const struct {
	const char *name, *keys;
} sections[] = {
	{"", "Format"},
	{"Backend", "Class, Door, Resource, ReadOnly, Isolation"},
	{"Client", "Domain, Tag, Device"},
	{"Memory",
	 "Mode, ClientPages, Exclusive, RingPages, DataPages, PoolPages, GrantRefs"},
	{"Limits", "InFlight, Operations, Bytes, Events"},
	{"Audit", "Level, Full"},
};
#define GENERIC	 (sizeof(sections) / sizeof(*sections))
#define SECTIONS (GENERIC + POLICY_CAN + 1)

struct parser {
	struct policy policy;
	struct policy_errors *errors;
	unsigned section; /* GENERIC and up: not ours to read */
	unsigned section_line[SECTIONS];
	uint32_t bad; /* keys whose value is missing or wrong */
};

bool policy_name_ok(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return len && len <= POLICY_NAME_MAX && !name[len];
}

static const char *section_name(unsigned i)
{
	return i < GENERIC ? sections[i].name
			   : class_info(i - GENERIC, POLICY_PV)->section;
}

static void read_section(struct parser *parser, const struct text_line *line)
{
	unsigned i = 1; /* the head has no name */

	while (i < SECTIONS && strcmp(section_name(i), line->name))
		i++;
	parser->section = i;
	if (i == SECTIONS)
		text_error(parser->errors, line->number,
			   "Backend, Client, Memory, Limits, Audit, Block, Net, Sound, "
			   "Display, Can",
			   "unknown section \"%.40s\"", line->name);
	else if (parser->section_line[i])
		text_error(parser->errors, line->number, ALLOWED_ONCE,
			   "[%s] is given twice, first in line %u", line->name,
			   parser->section_line[i]);
	else
		parser->section_line[i] = line->number;
}

/* With its end. */
static void add_text(uint64_t *sum, const char *text)
{
	do
		*sum = (*sum ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	while (*text++);
}

/* Of a class's section: all but its rates is the class's to read. */
static void read_class_key(struct parser *parser, const struct text_line *line)
{
	for (unsigned i = 0; i < POLICY_RECEIVES; i++) {
		const char *key = class_receive_key(parser->section - GENERIC, i);
		struct policy_rate *rate = &parser->policy.receive[i];

		if (!key || strcmp(key, line->name))
			continue;
		if (rate->per_second || !policy_value_rate(line->value, rate))
			text_error_value(parser->errors, line,
					 "N/s or N/s burst M, once");
		return;
	}
	add_text(&parser->policy.class_section, line->name);
	add_text(&parser->policy.class_section, line->value);
}

/* [impl->req~policy-refused-by-line~1] */
static void read_key(struct parser *parser, const struct text_line *line)
{
	uint16_t *lines = parser->policy.line;
	unsigned key = 0;

	if (parser->section == SECTIONS) /* there is no such one, as was said */
		return;
	if (parser->section >= GENERIC) {
		read_class_key(parser, line);
		return;
	}
	while (key < POLICY_KEY_COUNT &&
	       !key_is(key, sections[parser->section].name, line->name))
		key++;
	if (key == POLICY_KEY_COUNT) {
		text_error(parser->errors, line->number, sections[parser->section].keys,
			   "unknown key \"%.40s\"", line->name);
	} else if (lines[key]) {
		text_error(parser->errors, line->number, ALLOWED_ONCE,
			   "%s is given twice, first in line %u", line->name,
			   lines[key]);
	} else {
		lines[key] = (uint16_t)line->number; /* text.h, invariant 2 */
		if (key_set(key, line->value, &parser->policy))
			return;
		parser->bad |= 1u << key;
		text_error_value(parser->errors, line, key_rows[key].allowed);
	}
}

static void read_lines(struct parser *parser, const char *bytes, size_t len)
{
	struct text text;
	struct text_line line;
	enum text_kind kind;

	text_init(&text, bytes, len);
	while ((kind = text_next(&text, &line)) != TEXT_END) {
		if (kind == TEXT_BAD)
			text_error(parser->errors, line.number, line.value, "%s",
				   line.name);
		else if (kind == TEXT_SECTION)
			read_section(parser, &line);
		else if (kind == TEXT_KEY)
			read_key(parser, &line);
	}
}

/* [impl->req~policy-refused-by-line~1] */
static void find_missing(struct parser *parser)
{
	for (unsigned key = 0; key < POLICY_KEY_COUNT; key++) {
		if (!key_rows[key].required || parser->policy.line[key])
			continue;
		parser->bad |= 1u << key;
		text_error(parser->errors, 0, key_rows[key].allowed,
			   "the required key %s is missing", key_rows[key].name);
	}
}

/* The defaults that depend on other keys. Mode = grant: beside the control page the
 * three parts of each virtqueue. */
static void fill_defaults(struct policy *policy)
{
	const struct class_info *info = class_info(policy->class, policy->door);

	if (!policy->line[POLICY_KEY_MODE])
		policy->mode = info->mode;
	if (!policy->line[POLICY_KEY_CLIENT_PAGES]) {
		policy->client_pages = info->client_pages;
		if (policy->class == POLICY_BLK && policy->door == POLICY_PV &&
		    policy->read_only)
			policy->client_pages = POLICY_WRITABLE;
	}
	if (!policy->line[POLICY_KEY_RING_PAGES])
		policy->ring_pages =
			info->ring_pages +
			(policy->mode == POLICY_GRANT ? 3 * info->queues : 0);
	if (!policy->line[policy_data_key(policy)])
		policy->data_pages =
			policy->mode == POLICY_POOL ? 1024 : info->data_pages;
}

/* Sections of other classes. */
static void find_strangers(struct parser *parser, const struct class_info *info)
{
	for (unsigned i = GENERIC; i < SECTIONS; i++) {
		if (parser->section_line[i] && i != GENERIC + parser->policy.class)
			text_error(parser->errors, parser->section_line[i],
				   info->section, "[%s] does not belong to Class = %s",
				   section_name(i), info->name);
	}
}

/* The combinations that cannot work; judged if all that they rest on is good. */
static void find_conflicts(struct parser *parser)
{
	const struct policy *p = &parser->policy;
	const struct class_info *info = class_info(p->class, p->door);
	bool pv = p->door == POLICY_PV, blk = p->class == POLICY_BLK;
	bool pv_mode = p->mode == POLICY_MAP || p->mode == POLICY_COPY;
	bool buffers = p->class == POLICY_SND || p->class == POLICY_DISPL;
	bool both = p->client_pages == POLICY_BOTH, net = p->class == POLICY_NET;
	bool pool = p->mode == POLICY_POOL, kept = net && p->mode == POLICY_GRANT;
	uint32_t id;
	/* clang-format off */
#define RULE(broken, key, what, allowed) {broken, POLICY_KEY_##key, what, allowed}
	const struct {
		bool broken;
		enum policy_key key;
		const char *what, *allowed;
	} rules[] = {
		RULE(pv && !pv_mode && !kept, MODE, "a Mode of Door = virtio",
		     net ? "copy, grant" : "map, copy"),
		RULE(!pv && pv_mode, MODE, "a Mode of Door = pv", "pool, grant"),
		RULE(p->any_domain && !p->tag[0], DOMAIN, "any domain, but no Tag",
		     "Tag = NAME in [Client], or the number of a domain"),
		RULE(p->any_domain && p->isolation == POLICY_DOMAIN, ISOLATION,
		     "a domain for one client, but Domain = any", "process, or Domain = 1-32751"),
		RULE((!pv || kept) && !both, CLIENT_PAGES, "buffers are read and written", "both"),
		RULE(blk && pv && !p->read_only && !both, CLIENT_PAGES,
		     "a disk with ReadOnly = no reads and writes client pages", "both"),
		RULE(blk && pv && p->read_only && p->client_pages == POLICY_READABLE, CLIENT_PAGES,
		     "to read a disk is to write client pages", "writable, both"),
		RULE(buffers && pv && p->client_pages == POLICY_WRITABLE, CLIENT_PAGES,
		     "the list of a buffer's pages is read from client pages", "readable, both"),
		RULE(!blk && p->line[POLICY_KEY_READ_ONLY], READ_ONLY, "a key of Class = blk",
		     "no such line"),
		RULE(!pv && pool && p->line[POLICY_KEY_DATA_PAGES], DATA_PAGES,
		     "a pool is bounded by PoolPages", "no such line"),
		RULE(!pool && p->line[POLICY_KEY_POOL_PAGES], POOL_PAGES,
		     "a key of Mode = pool", "no such line"),
		RULE(pv && p->ring_pages < info->ring_pages, RING_PAGES,
		     "a device of this Class has two rings", "2-1024"),
		RULE(!class_device_id(p->class, p->device, &id), DEVICE,
		     "not a device of this Class", key_rows[POLICY_KEY_DEVICE].allowed),
	};
	/* clang-format on */

	if (parser->bad &
	    (BIT(CLASS) | BIT(DOOR) | BIT(READ_ONLY) | BIT(ISOLATION) | BIT(DOMAIN) |
	     BIT(TAG) | BIT(DEVICE) | BIT(MODE) | BIT(CLIENT_PAGES) | BIT(RING_PAGES)))
		return;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		if (rules[i].broken)
			text_error(parser->errors, p->line[rules[i].key],
				   rules[i].allowed, "%s: %s",
				   policy_key_name(rules[i].key), rules[i].what);
	}
	find_strangers(parser, info);
}

/* [impl->req~policy-refused-by-line~1] [impl->req~policy-narrow-defaults~1] */
unsigned policy_parse(const char *name, const char *text, size_t len,
		      struct policy *out, struct policy_errors *errors)
{
	struct parser parser = {
		.policy.read_only = true,
		.policy.exclusive = true,
		.policy.first_ref.v = POLICY_FIRST_REF,
		.policy.last_ref.v = 32767, /* 64 frames of version 1 */
		.policy.audit_level = POLICY_AUDIT_DECISIONS,
		.errors = errors,
	};

	errors->count = 0;
	if (!policy_name_ok(name))
		text_error(errors, 0, "1 to 31 of a-z, 0-9 and _",
			   "\"%.40s\" is no name for an instance", name);
	else
		strcpy(parser.policy.name, name);
	if (len > POLICY_TEXT_MAX) {
		text_error(errors, 0, "65536 bytes", "the file is too long");
		return errors->count;
	}
	read_lines(&parser, text, len);
	find_missing(&parser);
	fill_defaults(&parser.policy);
	find_conflicts(&parser);
	if (!errors->count)
		*out = parser.policy;
	return errors->count;
}
