/* SPDX-License-Identifier: MIT */
/* Values in words: see value.h. */
#include "policy/cmd/value.h"

#include <inttypes.h>
#include <stdio.h>

#include "policy/cmd/answer.h"
#include "policy/key.h"

/* How a field is written; what has words needs none of these. */
static void put_bool(const struct policy *policy, const void *field, char *text)
{
	(void)policy;
	snprintf(text, VALUE_TEXT, "%s", *(const bool *)field ? "yes" : "no");
}

static void put_number(const struct policy *policy, const void *field, char *text)
{
	(void)policy;
	snprintf(text, VALUE_TEXT, "%" PRIu32, *(const uint32_t *)field);
}

static void put_rate(const struct policy *policy, const void *field, char *text)
{
	const struct policy_rate *rate = field;

	(void)policy;
	snprintf(text, VALUE_TEXT, "%" PRIu64 "/s burst %" PRIu64, rate->per_second,
		 rate->burst);
}

static void put_domain(const struct policy *policy, const void *field, char *text)
{
	(void)field;
	if (policy->any_domain)
		snprintf(text, VALUE_TEXT, "any");
	else
		snprintf(text, VALUE_TEXT, "%u", policy->domain.v);
}

static void put_text(const struct policy *policy, const void *field, char *text)
{
	const char *from = field;

	(void)policy;
	snprintf(text, VALUE_TEXT, "%s", from[0] ? from : "(none)");
}

static void put_refs(const struct policy *policy, const void *field, char *text)
{
	(void)field;
	snprintf(text, VALUE_TEXT, "%" PRIu32 "-%" PRIu32, policy->first_ref.v,
		 policy->last_ref.v);
}

static void (*const put[POLICY_KEY_COUNT])(const struct policy *, const void *,
					   char *) = {
	[POLICY_KEY_FORMAT] = put_number,     [POLICY_KEY_RESOURCE] = put_text,
	[POLICY_KEY_READ_ONLY] = put_bool,    [POLICY_KEY_DOMAIN] = put_domain,
	[POLICY_KEY_TAG] = put_text,	      [POLICY_KEY_DEVICE] = put_text,
	[POLICY_KEY_EXCLUSIVE] = put_bool,    [POLICY_KEY_RING_PAGES] = put_number,
	[POLICY_KEY_DATA_PAGES] = put_number, [POLICY_KEY_POOL_PAGES] = put_number,
	[POLICY_KEY_GRANT_REFS] = put_refs,   [POLICY_KEY_IN_FLIGHT] = put_number,
	[POLICY_KEY_OPERATIONS] = put_rate,   [POLICY_KEY_BYTES] = put_rate,
	[POLICY_KEY_EVENTS] = put_rate,
};

const char *value_text(const struct policy *policy, enum policy_key key,
		       char text[VALUE_TEXT])
{
	const struct key_row *row = &key_rows[key];
	const void *field = (const char *)policy + row->offset;

	if (row->words)
		snprintf(text, VALUE_TEXT, "%s", row->words[*(const unsigned *)field]);
	else
		put[key](policy, field, text);
	return text;
}

void value_print_line(const char *path, const struct policy *policy,
		      enum policy_key key)
{
	char text[VALUE_TEXT];
	unsigned line = policy->line[key];

	printf("%s:", path);
	if (line)
		printf("%u:", line);
	printf(" %s = %s%s\n", key_rows[key].name, value_text(policy, key, text),
	       line ? "" : " (a default)");
}

json_t *value_object(const char *path, const struct policy *policy, enum policy_key key)
{
	char text[VALUE_TEXT];

	return json_pack("{s:o, s:o, s:s, s:o}", "file", answer_text(path), "line",
			 answer_line(policy->line[key]), "key", key_rows[key].name,
			 "value", answer_text(value_text(policy, key, text)));
}

json_t *value_client(const struct policy *policy)
{
	return json_pack(
		"{s:o, s:o}", "domain",
		policy->any_domain ? json_null() : json_integer(policy->domain.v),
		"tag", policy->tag[0] ? answer_text(policy->tag) : json_null());
}
