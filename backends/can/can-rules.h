/* SPDX-License-Identifier: MIT */
/*
 * A list of CAN identifiers, as a policy names them: which may pass.
 *
 * Pure. Text in the words of can-utils: an identifier of 3 hexadecimal digits is
 * a standard one (11 bits), of 8 an extended one (29); FIRST-LAST is a range,
 * ID:MASK all whose masked bits are the same, "all" and "none" are what they say;
 * entries are separated by commas or spaces. A rule is of one format: 123 lets no
 * extended frame pass.
 *
 * Remote frames are judged as data frames. Error frames have no identifier and
 * pass no list.
 */
#ifndef XDD_CAN_RULES_H
#define XDD_CAN_RULES_H

#include <linux/can.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAN_RULES_MAX	64  /* entries of a list */
#define CAN_FILTERS_MAX 512 /* what a CAN_RAW socket takes */
#define CAN_RULES_ALLOWED                                                              \
	"none, all, or a list of ID, FIRST-LAST, ID:MASK; 3 digits: standard, 8: "     \
	"extended"

struct can_rule {
	bool extended;
	bool masked;	      /* else a range */
	uint32_t first, last; /* masked: value, mask */
};

struct can_rules {
	uint32_t n; /* 0: nothing passes */
	struct can_rule rule[CAN_RULES_MAX];
};

/* False, with *@out untouched: not such a list. */
bool can_rules_parse(const char *text, struct can_rules *out);
/* May a frame with this can_id (CAN_EFF_FLAG counts) pass? */
bool can_rules_pass(const struct can_rules *rules, canid_t can_id);
/* The list in the form that it is parsed from, cut off with "..." where @size ends. */
void can_rules_text(const struct can_rules *rules, char *out, size_t size);
/* Filters for a socket that let pass all that @rules does, and as little more as
 * @max allows. How many; 0: nothing is to pass. */
uint32_t can_rules_filters(const struct can_rules *rules, struct can_filter *out,
			   uint32_t max);

#endif
