/* SPDX-License-Identifier: MIT */
/*
 * CAN interfaces of the host: who may send on which, and which two instances may send
 * one identifier: see set.h.
 *
 * Clients share a bus; an identifier they do not, since two frames of one identifier
 * that are sent at once are an error on the wire, which nobody's arbitration settles.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backends/can/can-policy.h"
#include "policy/cmd/answer.h"
#include "policy/cmd/set.h"

#define IDENTIFIERS 48 /* of a list that is printed */

static bool read_can(const struct set_entry *entry, struct can_policy *out)
{
	struct policy_errors errors = {0};

	if (entry->policy.class != POLICY_CAN)
		return false;
	can_policy_init(out);
	return !policy_parse_section(entry->text, entry->len, "Can", can_policy_keys,
				     out, &errors);
}

/* -- Two lists --------------------------------------------------------------- */

/* What is in both of two sets, each of them a range and the bits that a mask asks for.
 */
struct both {
	uint32_t first, last, mask, value;
};

static void narrow(struct both *both, const struct can_rule *rule)
{
	if (rule->masked) {
		both->mask |= rule->last;
		both->value |= rule->first & rule->last;
		return;
	}
	if (rule->first > both->first)
		both->first = rule->first;
	if (rule->last < both->last)
		both->last = rule->last;
}

/* The least identifier of @both that has all bits of @both->first above @bit, and this
 * one in its place of a 0; or UINT32_MAX. */
static uint32_t least_above(const struct both *both, int bit)
{
	const uint32_t here = bit < 0 ? 0 : UINT32_C(1) << bit;
	const uint32_t below = bit < 0 ? 0 : here - 1;
	const uint32_t id =
		(both->first & ~(here | below)) | here | (both->value & below);

	if ((both->first & here) || (id & both->mask) != both->value)
		return UINT32_MAX;
	return id;
}

/* An identifier that both rules let pass. */
static bool meet(const struct can_rule *a, const struct can_rule *b, uint32_t *id)
{
	const bool one_bits =
		(a->masked && b->masked) && ((a->first ^ b->first) & a->last & b->last);
	struct both both = {.last = CAN_EFF_MASK};
	uint32_t least = UINT32_MAX;

	if (a->extended != b->extended || one_bits)
		return false;
	narrow(&both, a);
	narrow(&both, b);
	/* The longer the beginning that stays, the less is the identifier. */
	for (int bit = -1; bit < 29 && least == UINT32_MAX; bit++)
		least = least_above(&both, bit);
	*id = least;
	return least <= both.last;
}

/* @id as a list has it: 3 digits or 8. */
static bool lists_meet(const struct can_policy *a, const struct can_policy *b,
		       char id[16])
{
	uint32_t which;

	for (uint32_t i = 0; i < a->transmit.n; i++) {
		for (uint32_t k = 0; k < b->transmit.n; k++) {
			if (!meet(&a->transmit.rule[i], &b->transmit.rule[k], &which))
				continue;
			snprintf(id, 16, "%0*" PRIX32,
				 a->transmit.rule[i].extended ? 8 : 3, which);
			return true;
		}
	}
	return false;
}

/* -- Two instances ----------------------------------------------------------- */

/* "loopback" and "null" are each their own: no interface has these names here. */
static bool same_bus(const struct set_entry *a, const struct set_entry *b)
{
	const char *bus = a->policy.resource;

	return !strcmp(bus, b->policy.resource) && strcmp(bus, "loopback:") &&
	       strcmp(bus, "null:");
}

static void check_two(const struct set_entry *entry, const struct can_policy *can,
		      const struct set_entry *other, struct report *report)
{
	char value[POLICY_LINE_MAX + 1], id[16];
	struct can_policy more;

	if (!same_bus(entry, other) || !read_can(other, &more) ||
	    !lists_meet(can, &more, id))
		return;
	report_warning(
		report, other->path, set_find(other, "Can", "Transmit", value),
		"Can.Transmit has %s, as has that of %s, on %s: an identifier of "
		"a bus has one sender; take it out of one of them",
		id, entry->policy.name, entry->policy.resource);
}

void set_check_buses(const struct set *set, struct report *report)
{
	struct can_policy can;

	for (unsigned i = 0; i < set->n; i++) {
		if (!read_can(&set->entry[i], &can))
			continue;
		for (unsigned k = i + 1; k < set->n; k++)
			check_two(&set->entry[i], &can, &set->entry[k], report);
	}
}

/* -- Who sends --------------------------------------------------------------- */

static void each_sender(const struct set *set,
			void (*each)(void *owner, const struct set_entry *entry,
				     const char *identifiers),
			void *owner)
{
	char identifiers[IDENTIFIERS];
	struct can_policy can;

	for (unsigned i = 0; i < set->n; i++) {
		if (!read_can(&set->entry[i], &can) || !can.transmit.n)
			continue;
		can_rules_text(&can.transmit, identifiers, sizeof(identifiers));
		each(owner, &set->entry[i], identifiers);
	}
}

static void print_sender(void *owner, const struct set_entry *entry,
			 const char *identifiers)
{
	bool *any = owner;

	if (!*any)
		printf("\n%-20s %-20s %s\n", "SENT ON", "IDENTIFIERS", "BY");
	*any = true;
	printf("%-20s %-20s ", entry->policy.resource, identifiers);
	set_print_client(&entry->policy);
	putchar('\n');
}

static void add_sender(void *owner, const struct set_entry *entry,
		       const char *identifiers)
{
	json_array_append_new(owner, json_pack("{s:o, s:o, s:s}", "bus",
					       answer_text(entry->policy.resource),
					       "identifiers", answer_text(identifiers),
					       "instance", entry->policy.name));
}

void set_print_buses(const struct set *set)
{
	bool any = false;

	each_sender(set, print_sender, &any);
}

json_t *set_buses(const struct set *set)
{
	json_t *array = json_array();

	each_sender(set, add_sender, array);
	return array;
}
