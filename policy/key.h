/* SPDX-License-Identifier: MIT */
/*
 * The generic keys of a policy: one row each, and how a value becomes a
 * field. What two keys may not say together is parse.c's.
 */
#ifndef XDD_KEY_H
#define XDD_KEY_H

#include "policy/policy.h"

struct key_row {
	const char *name; /* "Memory.DataPages"; "Format" has no section */
	size_t offset;	  /* of the field in struct policy */
	bool required;
	bool (*set)(const struct key_row *row, const char *value, void *field);
	uint32_t max;		  /* numbers; texts: bytes */
	const char *const *words; /* by enum value, NULL-terminated */
	const char *allowed;	  /* for messages */
};

extern const struct key_row key_rows[POLICY_KEY_COUNT];

/* Is it @name of @section? "" is the head of the file. */
bool key_is(enum policy_key key, const char *section, const char *name);
/* True and the field set, or false and *@policy untouched. */
bool key_set(enum policy_key key, const char *value, struct policy *policy);

#endif
