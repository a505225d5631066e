/* SPDX-License-Identifier: MIT */
/*
 * NAME.attach: which domains a device is between. What the device may do stands
 * in its policy; the driver domain and the client are the control domain's
 * affair, and this is the control domain's file. Pure: text in, struct out.
 */
#ifndef XDD_CONF_H
#define XDD_CONF_H

#include <limits.h>

#include "policy/policy.h"

#define CONF_DOMAIN_MAX 63

struct conf {
	char backend[CONF_DOMAIN_MAX + 1]; /* a domain's name or number */
	char client[CONF_DOMAIN_MAX + 1];
	char policy[PATH_MAX]; /* "": NAME.policy, beside it */
};

/* 0 and *@out complete, or the number of errors, all of them in *@errors. */
unsigned conf_parse(const char *text, size_t len, struct conf *out,
		    struct policy_errors *errors);

#endif
