/* SPDX-License-Identifier: MIT */
/*
 * A generic key's value as a person writes it in a policy file, from the policy that
 * was read: defaults too.
 */
#ifndef XDD_VALUE_H
#define XDD_VALUE_H

#include <jansson.h>

#include "policy/policy.h"

#define VALUE_TEXT (POLICY_RESOURCE_MAX + 1)

/* "8-32767", "yes", "5000/s burst 1000"; "(none)" of a text that is not there. Returns
 * @text. */
const char *value_text(const struct policy *policy, enum policy_key key,
		       char text[VALUE_TEXT]);
/* "FILE:LINE: KEY = VALUE", or "FILE: KEY = VALUE (a default)", and a newline, to
 * standard output. */
void value_print_line(const char *path, const struct policy *policy,
		      enum policy_key key);
/* The same as an object of file, line, key and value. */
json_t *value_object(const char *path, const struct policy *policy,
		     enum policy_key key);
/* Its client: an object of domain, null for any, and tag, null for none. */
json_t *value_client(const struct policy *policy);

#endif
