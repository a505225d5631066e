/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "backends/can/can-rules.h"
#include "policy/policy.h"

#define STANDARD_DIGITS 3
#define EXTENDED_DIGITS 8
#define FULL_BITS	29
/* A range of 29 bits is at most so many aligned blocks. */
#define BLOCKS_MAX (2 * FULL_BITS)

static uint32_t id_max(bool extended)
{
	return extended ? CAN_EFF_MASK : CAN_SFF_MASK;
}

/* -- From text, and to it ---------------------------------------------------------- */

/* An identifier of 3 or 8 digits at *@at, which moves behind it. */
static bool take_id(const char **at, bool *extended, uint32_t *out)
{
	size_t digits = strspn(*at, "0123456789abcdefABCDEF");
	uint32_t id = 0;

	if (digits != STANDARD_DIGITS && digits != EXTENDED_DIGITS)
		return false;
	for (size_t i = 0; i < digits; i++) {
		char c = (*at)[i];

		id = id << 4 |
		     (uint32_t)(c <= '9' ? c - '0' : (c | ('a' ^ 'A')) - 'a' + 10);
	}
	*extended = digits == EXTENDED_DIGITS;
	if (id > id_max(*extended))
		return false;
	*at += digits;
	*out = id;
	return true;
}

/* One entry of a list. */
static bool take_rule(void *list, const char *text)
{
	struct can_rule rule = {0};
	struct can_rules *rules = list;
	bool extended;

	if (rules->n == CAN_RULES_MAX || !take_id(&text, &rule.extended, &rule.first))
		return false;
	rule.last = rule.first;
	extended = rule.extended;
	if (*text == '-' || *text == ':') {
		rule.masked = *text++ == ':';
		if (!take_id(&text, &extended, &rule.last))
			return false;
	}
	if (*text || extended != rule.extended)
		return false;
	rules->rule[rules->n++] = rule;
	return rule.masked || rule.first <= rule.last;
}

static const struct can_rules rules_all = {
	.n = 2,
	.rule = {{false, false, 0, CAN_SFF_MASK}, {true, false, 0, CAN_EFF_MASK}},
};

bool can_rules_parse(const char *text, struct can_rules *out)
{
	struct can_rules rules = {0};

	if (!strcmp(text, "all") || !strcmp(text, "none")) {
		*out = *text == 'a' ? rules_all : rules;
		return true;
	}
	if (!policy_value_list(text, take_rule, &rules))
		return false;
	*out = rules;
	return true;
}

static bool rule_same(const struct can_rule *a, const struct can_rule *b)
{
	return a->extended == b->extended && a->masked == b->masked &&
	       a->first == b->first && a->last == b->last;
}

static bool rules_are_all(const struct can_rules *rules)
{
	return rules->n == rules_all.n &&
	       rule_same(&rules->rule[0], &rules_all.rule[0]) &&
	       rule_same(&rules->rule[1], &rules_all.rule[1]);
}

static size_t rule_text(const struct can_rule *rule, char *out, size_t size)
{
	int digits = rule->extended ? EXTENDED_DIGITS : STANDARD_DIGITS;

	if (!rule->masked && rule->first == rule->last)
		return (size_t)snprintf(out, size, "%0*X", digits, rule->first);
	return (size_t)snprintf(out, size, "%0*X%c%0*X", digits, rule->first,
				rule->masked ? ':' : '-', digits, rule->last);
}

void can_rules_text(const struct can_rules *rules, char *out, size_t size)
{
	static const char cut[] = "...";
	size_t used = 0;

	assert(size > sizeof(cut));
	if (!rules->n || rules_are_all(rules)) {
		snprintf(out, size, "%s", rules->n ? "all" : "none");
		return;
	}
	*out = 0;
	for (uint32_t i = 0; i < rules->n; i++) {
		char text[2 * EXTENDED_DIGITS + 3];
		size_t len = rule_text(&rules->rule[i], text, sizeof(text));
		/* Behind an entry that is not the last there is room to cut off. */
		size_t keep = i + 1 < rules->n ? sizeof(cut) + 1 : 1;

		if (used + (i > 0) + len + keep > size) {
			snprintf(out + used, size - used, "%s%s", i ? "," : "", cut);
			return;
		}
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? "," : "",
					 text);
	}
}

/* -- What passes --------------------------------------------------------------------
 */

static bool rule_passes(const struct can_rule *rule, bool extended, uint32_t id)
{
	if (rule->extended != extended)
		return false;
	if (rule->masked)
		return !((id ^ rule->first) & rule->last);
	return id >= rule->first && id <= rule->last;
}

/* [impl->req~client-sends-its-identifiers~1] */
bool can_rules_pass(const struct can_rules *rules, canid_t can_id)
{
	bool extended = can_id & CAN_EFF_FLAG;
	uint32_t id = can_id & ~(CAN_EFF_FLAG | CAN_RTR_FLAG);

	if (id > id_max(extended)) /* error frames, too */
		return false;
	for (uint32_t i = 0; i < rules->n; i++) {
		if (rule_passes(&rules->rule[i], extended, id))
			return true;
	}
	return false;
}

/* -- Filters -------------------------------------------------------------------------
 */

static struct can_filter filter(bool extended, uint32_t value, uint32_t mask)
{
	struct can_filter f = {value & mask, mask | CAN_EFF_FLAG};

	if (extended)
		f.can_id |= CAN_EFF_FLAG;
	return f;
}

/* A range, its ends moved outwards to multiples of 2^@bits, as aligned blocks. @out may
 * be NULL. How many. */
static uint32_t range_blocks(const struct can_rule *rule, unsigned bits,
			     struct can_filter *out)
{
	uint32_t max = id_max(rule->extended), wide = (1u << bits) - 1, n = 0;
	uint32_t at = rule->first & ~wide, last = (rule->last | wide) & max;

	for (;; n++) {
		uint32_t block = 0; /* ones: its bits */

		while (block < max && !(at & (block << 1 | 1)) &&
		       (block << 1 | 1) <= last - at)
			block = block << 1 | 1;
		if (out)
			out[n] = filter(rule->extended, at, max & ~block);
		if (block >= last - at)
			return n + 1;
		at += block + 1;
	}
}

/* As above, with as little more as @budget blocks allow, of which there is at least
 * one. */
static uint32_t rule_filters(const struct can_rule *rule, uint32_t budget,
			     struct can_filter *out)
{
	unsigned bits = 0;

	if (rule->masked) {
		if (out)
			*out = filter(rule->extended, rule->first, rule->last);
		return 1;
	}
	while (range_blocks(rule, bits, NULL) > budget)
		bits++;
	return range_blocks(rule, bits, out);
}

static uint32_t rules_filters(const struct can_rules *rules, uint32_t budget,
			      struct can_filter *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < rules->n; i++)
		n += rule_filters(&rules->rule[i], budget, out ? out + n : NULL);
	return n;
}

/* Not even a filter for each rule: all of both formats. */
static uint32_t filters_open(struct can_filter *out)
{
	*out = (struct can_filter){0, 0};
	return 1;
}

uint32_t can_rules_filters(const struct can_rules *rules, struct can_filter *out,
			   uint32_t max)
{
	assert(max);
	if (rules->n > max)
		return filters_open(out);
	for (uint32_t budget = BLOCKS_MAX; budget; budget--) {
		if (rules_filters(rules, budget, NULL) <= max)
			return rules_filters(rules, budget, out);
	}
	assert(!"one for each rule");
	return 0;
}
