/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: policy_parse() and policy_parse_section() on any bytes.
 *
 * Whatever comes in, policy.h's invariants hold: what is accepted is complete
 * and consistent, what is refused leaves the output alone and says why.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/class.h"
#include "policy/decide.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool terminated(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

static void check_errors(const struct policy_errors *errors, unsigned lines)
{
	unsigned n =
		errors->count < POLICY_ERRORS_MAX ? errors->count : POLICY_ERRORS_MAX;

	for (unsigned i = 0; i < n; i++) {
		const struct policy_error *error = &errors->error[i];

		must(terminated(error->what, sizeof(error->what)) && error->what[0]);
		must(terminated(error->allowed, sizeof(error->allowed)) &&
		     error->allowed[0]);
		must(error->line <= lines);
	}
}

static void check_rate(const struct policy_rate *rate)
{
	must(rate->per_second >= 1 && rate->burst >= 1);
}

static void check_policy(const struct policy *p, unsigned lines)
{
	bool pv_mode = p->mode == POLICY_MAP || p->mode == POLICY_COPY;
	uint32_t id;

	must(p->class <= POLICY_CAN && p->door <= POLICY_VIRTIO);
	must(p->isolation <= POLICY_DOMAIN && p->mode <= POLICY_GRANT);
	must(terminated(p->resource, sizeof(p->resource)) && p->resource[0]);
	must(terminated(p->tag, sizeof(p->tag)) &&
	     terminated(p->device, sizeof(p->device)));
	must(p->any_domain ? p->tag[0] : p->domain.v >= 1 && p->domain.v < DOMID_LIMIT);
	must(class_device_id(p->class, p->device, &id));
	must((p->door == POLICY_PV) == pv_mode);
	must(p->client_pages >= POLICY_READABLE && p->client_pages <= POLICY_BOTH);
	must(p->ring_pages >= 1 && p->ring_pages <= 1024 && p->data_pages >= 1);
	must(p->mode != POLICY_POOL || p->data_pages <= 16384);
	must(!p->line[POLICY_KEY_DATA_PAGES] || !p->line[POLICY_KEY_POOL_PAGES]);
	must(p->first_ref.v >= 8 && p->first_ref.v <= p->last_ref.v);
	must(p->in_flight >= 1 && p->in_flight <= 65535);
	check_rate(&p->operations);
	check_rate(&p->bytes);
	check_rate(&p->events);
	must(p->audit_level <= POLICY_AUDIT_DECISIONS &&
	     p->audit_full <= POLICY_FULL_STOP);
	for (unsigned i = 0; i < POLICY_KEY_COUNT; i++)
		must(p->line[i] <= lines);
	must(!policy_narrows(p, p) && !policy_needs_restart(p, p));
}

struct out {
	bool yes;
	uint64_t number;
	struct policy_rate rate;
};

static const char *set_bool(void *out, const char *value)
{
	return policy_value_bool(value, &((struct out *)out)->yes) ? NULL : "yes, no";
}

static const char *set_number(void *out, const char *value)
{
	return policy_value_number(value, 3, 1000, &((struct out *)out)->number)
		       ? NULL
		       : "3-1000";
}

static const char *set_rate(void *out, const char *value)
{
	return policy_value_rate(value, &((struct out *)out)->rate) ? NULL : "RATE/s";
}

static const struct policy_section_key keys[] = {
	{"Discard", false, set_bool},
	{"Depth", true, set_number},
	{"Flow", false, set_rate},
	{NULL, false, NULL},
};

static void check_section(const char *text, size_t size, const char *section,
			  struct policy_errors *errors, unsigned lines)
{
	struct out out = {false, 3, {1, 1}};
	unsigned before = errors->count;
	unsigned added = policy_parse_section(text, size, section, keys, &out, errors);

	must(errors->count == before + added);
	check_errors(errors, lines);
	must(out.number >= 3 && out.number <= 1000);
	check_rate(&out.rate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct policy_errors errors, again;
	static struct policy policy, untouched, second;
	/* Of its exact size, so that a read past its end is seen. */
	char *text = malloc(size ? size : 1);
	unsigned lines = 1, n;

	must(text);
	memcpy(text, data, size);
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';

	memset(&policy, 0xa5, sizeof(policy));
	untouched = policy;
	n = policy_parse("fuzz", text, size, &policy, &errors);
	must(n == errors.count);
	must(size <= POLICY_TEXT_MAX || n);
	check_errors(&errors, lines);
	if (n)
		must(!memcmp(&policy, &untouched, sizeof(policy)));
	else
		check_policy(&policy, lines);

	/* The same text gives the same answer. */
	second = untouched;
	must(policy_parse("fuzz", text, size, &second, &again) == n);
	must(n || !policy_needs_restart(&policy, &second));

	check_section(text, size, "Block", &errors, lines);
	if (!n)
		check_section(text, size,
			      class_info(policy.class, policy.door)->section, &errors,
			      lines);
	free(text);
	return 0;
}
