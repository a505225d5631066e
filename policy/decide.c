/* SPDX-License-Identifier: MIT */
/* The decisions: see decide.h. Pure, and in the order of the keys' scope. */
#include "policy/decide.h"

#include <assert.h>
#include <string.h>

static struct verdict verdict(const struct policy *p, bool allowed, enum policy_key key)
{
	return (struct verdict){allowed, key, p->line[key]};
}

/* [impl->req~policy-references-in-range~1] */
static bool in_range(const struct policy *policy, struct gref ref)
{
	return ref.v >= policy->first_ref.v && ref.v <= policy->last_ref.v;
}

/* After a narrowing, more may be held than is allowed. [impl->req~policy-quota~1] */
static bool fits(uint32_t held, uint32_t n, uint32_t limit)
{
	return n && n <= limit && held <= limit - n;
}

/* What every use of data pages has to pass. [impl->req~policy-mode-and-direction~1] */
static struct verdict may_use(const struct policy *p, bool mode, enum policy_pages use,
			      uint32_t held, uint32_t n)
{
	if (!mode)
		return verdict(p, false, POLICY_KEY_MODE);
	if (!(p->client_pages & use))
		return verdict(p, false, POLICY_KEY_CLIENT_PAGES);
	return verdict(p, fits(held, n, p->data_pages), policy_data_key(p));
}

struct verdict policy_may_map(const struct policy *policy,
			      const struct policy_usage *usage,
			      enum policy_purpose purpose, const struct gref *refs,
			      uint32_t n, bool writable)
{
	bool ring = purpose == POLICY_PURPOSE_RING;
	bool pool = purpose == POLICY_PURPOSE_POOL;
	struct verdict v;

	if (ring)
		v = verdict(policy, fits(usage->ring_pages, n, policy->ring_pages),
			    POLICY_KEY_RING_PAGES);
	else
		v = may_use(policy, policy->mode == (pool ? POLICY_POOL : POLICY_MAP),
			    writable ? POLICY_WRITABLE : POLICY_READABLE,
			    usage->data_pages, n);
	if (ring && policy->mode != POLICY_GRANT)
		return v;
	for (uint32_t i = 0; v.allowed && i < n; i++)
		v = verdict(policy, in_range(policy, refs[i]), POLICY_KEY_GRANT_REFS);
	return v;
}

struct verdict policy_may_copy(const struct policy *policy, struct gref ref, uint32_t n,
			       bool to_client)
{
	bool copies = policy->mode == POLICY_COPY || policy->mode == POLICY_GRANT;
	struct verdict v = may_use(policy, copies,
				   to_client ? POLICY_WRITABLE : POLICY_READABLE, 0, n);

	return v.allowed ? verdict(policy, in_range(policy, ref), POLICY_KEY_GRANT_REFS)
			 : v;
}

/* [impl->req~policy-quota~1] */
struct verdict policy_may_bind(const struct policy *policy,
			       const struct policy_usage *usage)
{
	return verdict(policy, usage->binds < policy->ring_pages,
		       POLICY_KEY_RING_PAGES);
}

/* [impl->req~policy-one-client~1] */
struct verdict policy_may_serve(const struct policy *policy, struct domid domain,
				const char *tag)
{
	if (!domain.v || domain.v >= DOMID_LIMIT ||
	    (!policy->any_domain && domain.v != policy->domain.v))
		return verdict(policy, false, POLICY_KEY_DOMAIN);
	if (policy->tag[0] && strcmp(policy->tag, tag))
		return verdict(policy, false, POLICY_KEY_TAG);
	return verdict(policy, true,
		       policy->any_domain ? POLICY_KEY_TAG : POLICY_KEY_DOMAIN);
}

static uint32_t *counter(struct policy_usage *usage, enum policy_purpose purpose)
{
	return purpose == POLICY_PURPOSE_RING ? &usage->ring_pages : &usage->data_pages;
}

void policy_charge(struct policy_usage *usage, enum policy_purpose purpose, uint32_t n)
{
	uint32_t *held = counter(usage, purpose);

	assert(n <= UINT32_MAX - *held);
	*held += n;
}

void policy_refund(struct policy_usage *usage, enum policy_purpose purpose, uint32_t n)
{
	uint32_t *held = counter(usage, purpose);

	assert(n <= *held);
	*held -= n;
}

bool policy_narrows(const struct policy *before, const struct policy *now)
{
	return (!before->read_only && now->read_only) ||
	       (!before->exclusive && now->exclusive) ||
	       (before->client_pages & ~(unsigned)now->client_pages) ||
	       now->ring_pages < before->ring_pages ||
	       now->data_pages < before->data_pages ||
	       now->first_ref.v > before->first_ref.v ||
	       now->last_ref.v < before->last_ref.v ||
	       now->in_flight < before->in_flight;
}

bool policy_needs_restart(const struct policy *before, const struct policy *now)
{
	return now->class != before->class || now->door != before->door ||
	       strcmp(now->resource, before->resource) ||
	       (before->read_only && !now->read_only) ||
	       now->any_domain != before->any_domain ||
	       now->domain.v != before->domain.v || strcmp(now->tag, before->tag) ||
	       strcmp(now->device, before->device) || now->mode != before->mode ||
	       now->isolation != before->isolation ||
	       now->class_section != before->class_section;
}
