/* SPDX-License-Identifier: MIT */
/* What must hold before a device is attached: see check.h. */
#include "xenbus/cmd/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/class.h"
#include "xenbus/cmd/collide.h"

/* -- Domains ------------------------------------------------------------------ */

static enum check absent(struct control *c, const struct check_options *options,
			 const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static enum check absent(struct control *c, const struct check_options *options,
			 const char *fmt, ...)
{
	char text[SAY_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	say(c->say, options->waits ? LOG_LEVEL_NOTICE : LOG_LEVEL_ERROR, "%s%s", text,
	    options->waits ? " (waiting)" : "");
	return CHECK_ABSENT;
}

/* CHECK_NEW: it is there, and *@out is complete. */
static enum check find_domain(struct control *c, const struct check_options *options,
			      const char *what, const char *name,
			      struct machine_domain *out)
{
	struct domid id;
	char home[32];
	int r = domains_find(c, name, &id);

	if (r == -ENOENT)
		return absent(c, options,
			      "%s: no domain is called \"%s\"; start it, or give its "
			      "number (xl list shows both)",
			      what, name);
	if (r == -EPERM) {
		say_error(c->say,
			  "%s: a domain calls itself \"%s\", but was started without a "
			  "toolstack and may call itself anything; give its number, or "
			  "dom0less-NUMBER",
			  what, name);
		return CHECK_REFUSED;
	}
	if (!r)
		r = c->machine->ops->domain(c->machine, id, out);
	if (r == -ESRCH)
		return absent(c, options,
			      "%s: there is no domain %u; xl list shows all", what,
			      id.v);
	if (r) {
		say_error(c->say, "%s: \"%s\" cannot be asked about: %s", what, name,
			  strerror(-r));
		return CHECK_REFUSED;
	}
	if (out->dying || out->shutdown)
		return absent(c, options, "%s: domain %u %s; start it again first",
			      what, id.v,
			      out->dying ? "is being destroyed" : "has shut down");
	snprintf(home, sizeof(home), "/local/domain/%u", id.v);
	if (!c->tree->ops->introduced(c->tree, id) || !tree_has(c->tree, home))
		return absent(c, options,
			      "%s: domain %u has no xenstore yet; started without a "
			      "toolstack, it gets it from init-dom0less",
			      what, id.v);
	return CHECK_NEW;
}

static bool check_roles(struct control *c, const struct policy *policy,
			const struct check_options *options, const struct checked *d)
{
	if (!d->front.id.v)
		return say_error(c->say,
				 "%s: client: domain 0 is the control domain; a device "
				 "is for a client domain",
				 policy->name);
	if (d->front.id.v == d->back.id.v)
		return say_error(
			c->say,
			"%s: domain %u is named as driver domain and as client; "
			"mend Backend or Client",
			policy->name, d->front.id.v);
	if (!d->back.id.v && !options->privileged_backend)
		return say_error(c->say,
				 "%s: driver domain: domain 0 is privileged, and no "
				 "policy holds against what may do all; name an "
				 "unprivileged domain, or say --privileged-backend",
				 policy->name);
	if (!policy->any_domain && policy->domain.v != d->front.id.v)
		return say_error(c->say,
				 "%s.policy:%u: its client is domain %u, this one is "
				 "domain %u; mend Domain, there and in the driver "
				 "domain, or the client's name",
				 policy->name, policy->line[POLICY_KEY_DOMAIN],
				 policy->domain.v, d->front.id.v);
	return true;
}

/* Not an error: the module that runs is not told, only guessed. */
static void check_module(struct control *c, const struct policy *policy,
			 const struct checked *d)
{
	if (d->back.id.v && c->machine->ops->silo(c->machine))
		say(c->say, LOG_LEVEL_WARNING,
		    "%s: this Xen seems to run XSM SILO, which refuses every grant and "
		    "event channel between two domUs: the device will not connect. Say "
		    "xsm=dummy on Xen's command line, or see xdd-dom0less(7)",
		    policy->name);
}

/* -- What the client can grant ----------------------------------------------- */

static bool check_grants(struct control *c, const struct policy *policy,
			 const struct machine_domain *front)
{
	uint32_t last = machine_last_ref(front);
	uint64_t pages = (uint64_t)policy->ring_pages + policy->data_pages;

	if (!front->grant_frames)
		return true;
	if (pages > last + 1 - POLICY_FIRST_REF)
		return say_error(c->say,
				 "%s.policy: RingPages and %s are %" PRIu64
				 ", and domain %u can grant %" PRIu32
				 " pages; ask for fewer, or start it with more "
				 "max_grant_frames",
				 policy->name,
				 policy->mode == POLICY_POOL ? "PoolPages"
							     : "DataPages",
				 pages, front->id.v, last + 1 - POLICY_FIRST_REF);
	if (policy->first_ref.v > last)
		return say_error(c->say,
				 "%s.policy:%u: GrantRefs begins at %" PRIu32
				 ", and the last reference of domain %u is %" PRIu32,
				 policy->name, policy->line[POLICY_KEY_GRANT_REFS],
				 policy->first_ref.v, front->id.v, last);
	if (policy->last_ref.v > last)
		say(c->say, LOG_LEVEL_WARNING,
		    "%s.policy: GrantRefs ends at %" PRIu32
		    "%s, and the last reference "
		    "of domain %u is %" PRIu32,
		    policy->name, policy->last_ref.v,
		    policy->line[POLICY_KEY_GRANT_REFS] ? "" : " (the default)",
		    front->id.v, last);
	else if (policy->last_ref.v < last && !policy->line[POLICY_KEY_GRANT_REFS])
		say(c->say, LOG_LEVEL_WARNING,
		    "%s.policy: domain %u may use references up to %" PRIu32
		    ", of which those from %" PRIu32
		    " on are refused; say GrantRefs = 8-%" PRIu32 " if it does",
		    policy->name, front->id.v, last, policy->last_ref.v + 1, last);
	return true;
}

/* -- All of it ---------------------------------------------------------------- */

enum check check_target(struct control *c, const struct target *target,
			const struct check_options *options, struct checked *out)
{
	const struct policy *policy = &target->loaded.policy;
	char what[2][POLICY_NAME_MAX + 16];
	enum check check;

	snprintf(what[0], sizeof(what[0]), "%s: driver domain", policy->name);
	snprintf(what[1], sizeof(what[1]), "%s: client", policy->name);
	check = find_domain(c, options, what[0], target->conf.backend, &out->back);
	if (check == CHECK_NEW)
		check = find_domain(c, options, what[1], target->conf.client,
				    &out->front);
	if (check != CHECK_NEW)
		return check;
	out->input = (struct plan_input){
		.policy = policy,
		.text = target->loaded.text,
		.text_len = target->loaded.len,
		.back = out->back.id,
		.front = out->front.id,
	};
	plan_find(&out->input, &out->paths);
	if (!check_roles(c, policy, options, out))
		return CHECK_REFUSED;
	check = collide_device(c, &out->input, &out->paths);
	if (check != CHECK_NEW)
		return check;
	if (!check_grants(c, policy, &out->front) || !collide_tag(c, &out->input))
		return CHECK_REFUSED;
	check_module(c, policy, out);
	return CHECK_NEW;
}
