/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <sha2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "policy/policy.h"
#include "systemd/unit-name.h"

#define USER_PREFIX "xdd-"
#define USER_START  18 /* of a long name: with prefix, dash and hash 31 */

void unit_escape(const char *name, char out[UNIT_NAME_MAX])
{
	bool path = name[0] == '/';
	size_t n = 0;

	name += path;
	for (size_t i = 0; name[i] && n + 5 <= UNIT_NAME_MAX; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c == '/')
			out[n++] = '-';
		else if (isalnum(c) || c == '_' || c == ':' || (c == '.' && i))
			out[n++] = (char)c;
		else
			n += (size_t)sprintf(out + n, "\\x%02x", c);
	}
	out[n] = '\0';
}

void unit_quote(const char *value, char out[UNIT_NAME_MAX])
{
	size_t n = 0;

	for (; *value && n + 3 <= UNIT_NAME_MAX; value++) {
		if (strchr("\\\"':", *value))
			out[n++] = '\\';
		if (*value == '%') /* else a specifier */
			out[n++] = '%';
		out[n++] = *value;
	}
	out[n] = '\0';
}

/* [impl->req~user-and-slice-of-its-own~1] */
void unit_user(const char *instance, char out[UNIT_USER_MAX + 1])
{
	char hash[SHA256_DIGEST_STRING_LENGTH];
	int start = policy_name_ok(instance) ? USER_START : 0;

	if (start && strlen(instance) <= UNIT_USER_MAX - strlen(USER_PREFIX)) {
		sprintf(out, USER_PREFIX "%s", instance);
		return;
	}
	SHA256Data((const uint8_t *)instance, strlen(instance), hash);
	sprintf(out, USER_PREFIX "%.*s%s%.8s", start, instance, start ? "-" : "", hash);
}
