/* SPDX-License-Identifier: MIT */
/* The generic keys: see key.h. The table is xdd.policy(5) in code. */
#include "policy/key.h"

#include <string.h>

#include "common/number.h"

/* A word is stored as the unsigned integer that its enum is made of. */
_Static_assert(sizeof(enum policy_class) == sizeof(unsigned), "enums are unsigned");

static const char *const classes[] = {"blk", "net", "snd", "displ", "can", NULL};
static const char *const doors[] = {"pv", "virtio", NULL};
static const char *const isolations[] = {"process", "domain", NULL};
static const char *const modes[] = {"map", "copy", "pool", "grant", NULL};
static const char *const pages[] = {"", "readable", "writable", "both", NULL};
static const char *const levels[] = {"changes", "decisions", NULL};
static const char *const fulls[] = {"drop-oldest", "stop", NULL};

bool policy_value_bool(const char *value, bool *out)
{
	if (strcmp(value, "yes") && strcmp(value, "no"))
		return false;
	*out = value[0] == 'y';
	return true;
}

bool policy_value_number(const char *value, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v;

	if (!number_parse(value, strlen(value), max, &v) || v < min)
		return false;
	*out = v;
	return true;
}

/* A number from 1 with an optional k, M or G. */
static bool amount(const char *text, size_t len, uint64_t *out)
{
	static const char suffixes[] = "kMG";
	const char *suffix = len ? memchr(suffixes, text[len - 1], 3) : NULL;
	uint64_t unit = 1, v;

	for (const char *s = suffixes; suffix && s <= suffix; s++)
		unit *= 1000;
	if (!number_parse(text, len - !!suffix, UINT64_MAX / unit, &v) || !v)
		return false;
	*out = v * unit;
	return true;
}

bool policy_value_rate(const char *value, struct policy_rate *out)
{
	static const char word[] = " burst ";
	const char *slash = strstr(value, "/s"), *rest = slash ? slash + 2 : "";
	size_t skip = strlen(word);
	struct policy_rate rate;

	if (!slash || !amount(value, (size_t)(slash - value), &rate.per_second))
		return false;
	rate.burst = rate.per_second < 10 ? 1 : rate.per_second / 10;
	if (*rest && (strncmp(rest, word, skip) ||
		      !amount(rest + skip, strlen(rest + skip), &rate.burst)))
		return false;
	*out = rate;
	return true;
}

static bool set_word(const struct key_row *row, const char *value, void *field)
{
	for (unsigned i = 0; row->words[i]; i++) {
		if (strcmp(row->words[i], value))
			continue;
		*(unsigned *)field = i;
		return true;
	}
	return false;
}

static bool set_bool(const struct key_row *row, const char *value, void *field)
{
	(void)row;
	return policy_value_bool(value, field);
}

static bool set_number(const struct key_row *row, const char *value, void *field)
{
	uint64_t v;

	if (!policy_value_number(value, 1, row->max, &v))
		return false;
	*(uint32_t *)field = (uint32_t)v;
	return true;
}

static bool set_rate(const struct key_row *row, const char *value, void *field)
{
	(void)row;
	return policy_value_rate(value, field);
}

static bool set_text(const struct key_row *row, const char *value, void *field)
{
	size_t len = strlen(value);

	if (len > row->max || strchr(value, ' '))
		return false;
	memcpy(field, value, len + 1);
	return true;
}

static bool set_domain(const struct key_row *row, const char *value, void *field)
{
	struct policy *policy = (void *)((char *)field - row->offset);
	bool any = !strcmp(value, "any");
	uint64_t v = 0;

	if (!any && !policy_value_number(value, 1, DOMID_LIMIT - 1, &v))
		return false;
	policy->any_domain = any;
	policy->domain.v = (uint16_t)v;
	return true;
}

static bool set_refs(const struct key_row *row, const char *value, void *field)
{
	struct policy *policy = (void *)((char *)field - row->offset);
	const char *dash = strchr(value, '-');
	uint64_t first, last;

	if (!dash || !number_parse(value, (size_t)(dash - value), UINT32_MAX, &first))
		return false;
	if (first < POLICY_LOWEST_REF ||
	    !policy_value_number(dash + 1, first, UINT32_MAX, &last))
		return false;
	policy->first_ref.v = (uint32_t)first;
	policy->last_ref.v = (uint32_t)last;
	return true;
}

#define ROW(KEY, name, field, ...)                                                     \
	[POLICY_KEY_##KEY] = {name, offsetof(struct policy, field), __VA_ARGS__}
#define TEXT_FORM "printable characters without a space"
#define RATE_FORM                                                                      \
	"RATE/s or RATE/s burst AMOUNT, from 1, with k, M or G for 10^3, 10^6, 10^9"
#define MODES_FORM   "map, copy (Door = pv); pool, grant (Door = virtio); grant (net)"
#define DEVICES_FORM "a device number, or with Class = blk a name like xvda"

/* clang-format off */
const struct key_row key_rows[POLICY_KEY_COUNT] = {
	/* name, field, required, reader, max, words, allowed */
	ROW(FORMAT, "Format", format, true, set_number, 1, NULL, "1"),
	ROW(CLASS, "Backend.Class", class, true, set_word, 0, classes, "blk, net, snd, displ, can"),
	ROW(DOOR, "Backend.Door", door, false, set_word, 0, doors, "pv, virtio"),
	ROW(RESOURCE, "Backend.Resource", resource, true, set_text, POLICY_RESOURCE_MAX, NULL,
	    "1 to 255 " TEXT_FORM),
	ROW(READ_ONLY, "Backend.ReadOnly", read_only, false, set_bool, 0, NULL, "yes, no"),
	ROW(ISOLATION, "Backend.Isolation", isolation, false, set_word, 0, isolations,
	    "process, domain"),
	ROW(DOMAIN, "Client.Domain", domain, true, set_domain, 0, NULL,
	    "1-32751, or any with a Tag"),
	ROW(TAG, "Client.Tag", tag, false, set_text, POLICY_TAG_MAX, NULL, "1 to 63 " TEXT_FORM),
	ROW(DEVICE, "Client.Device", device, true, set_text, POLICY_DEVICE_MAX, NULL, DEVICES_FORM),
	ROW(MODE, "Memory.Mode", mode, false, set_word, 0, modes, MODES_FORM),
	ROW(CLIENT_PAGES, "Memory.ClientPages", client_pages, false, set_word, 0, pages,
	    "readable, writable, both"),
	ROW(EXCLUSIVE, "Memory.Exclusive", exclusive, false, set_bool, 0, NULL, "yes, no"),
	ROW(RING_PAGES, "Memory.RingPages", ring_pages, false, set_number, 1024, NULL, "1-1024"),
	ROW(DATA_PAGES, "Memory.DataPages", data_pages, false, set_number, 1048576, NULL,
	    "1-1048576"),
	ROW(POOL_PAGES, "Memory.PoolPages", data_pages, false, set_number, 16384, NULL, "1-16384"),
	ROW(GRANT_REFS, "Memory.GrantRefs", first_ref, false, set_refs, 0, NULL,
	    "FIRST-LAST, with 2 <= FIRST <= LAST <= 4294967295"),
	ROW(IN_FLIGHT, "Limits.InFlight", in_flight, true, set_number, 65535, NULL, "1-65535"),
	ROW(OPERATIONS, "Limits.Operations", operations, true, set_rate, 0, NULL, RATE_FORM),
	ROW(BYTES, "Limits.Bytes", bytes, true, set_rate, 0, NULL, RATE_FORM),
	ROW(EVENTS, "Limits.Events", events, true, set_rate, 0, NULL, RATE_FORM),
	ROW(AUDIT_LEVEL, "Audit.Level", audit_level, false, set_word, 0, levels,
	    "changes, decisions"),
	ROW(AUDIT_FULL, "Audit.Full", audit_full, false, set_word, 0, fulls, "drop-oldest, stop"),
};
/* clang-format on */

bool key_is(enum policy_key key, const char *section, const char *name)
{
	const char *full = key_rows[key].name, *dot = strchr(full, '.');
	size_t len = dot ? (size_t)(dot - full) : 0;

	return strlen(section) == len && !strncmp(full, section, len) &&
	       !strcmp(dot ? dot + 1 : full, name);
}

bool key_set(enum policy_key key, const char *value, struct policy *policy)
{
	const struct key_row *row = &key_rows[key];

	return row->set(row, value, (char *)policy + row->offset);
}

const char *policy_key_name(enum policy_key key)
{
	return key_rows[key].name;
}

enum policy_key policy_data_key(const struct policy *policy)
{
	return policy->mode == POLICY_POOL ? POLICY_KEY_POOL_PAGES
					   : POLICY_KEY_DATA_PAGES;
}
