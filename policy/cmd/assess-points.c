/* SPDX-License-Identifier: MIT */
/* Where sources do not agree, or are not there: see assess-points.h. */
#include "policy/cmd/assess-points.h"

#include <inttypes.h>
#include <string.h>

#include "policy/class.h"

static const char *name_of(const struct assess_instance *i)
{
	return i->entry->policy.name;
}

static void of_policy(struct assess *a, const struct assess_instance *i)
{
	const struct policy *policy = &i->entry->policy;

	if (policy->isolation == POLICY_DOMAIN)
		assess_point(a, ASSESS_ALARM, ASSESS_REACH,
			     "%s: Isolation = domain (%s:%u). There is no keeper: what "
			     "its policy says holds against its client, and not "
			     "against a back end that was taken over",
			     name_of(i), i->entry->path,
			     policy->line[POLICY_KEY_ISOLATION]);
	if (!policy->exclusive && i->way != ASSESS_RINGS)
		assess_point(a, ASSESS_NOTE, ASSESS_REACH,
			     "%s: Exclusive = no. Another instance of its client may "
			     "map the same references",
			     name_of(i));
}

static void of_log(struct assess *a, const struct assess_instance *i)
{
	const struct assess_log *log = i->log;
	const char *class =
		class_info(i->entry->policy.class, i->entry->policy.door)->name;

	if (log->findings)
		assess_point(a, ASSESS_ALARM, ASSESS_USED,
			     "%s: the chain of its log is broken at %s. Do not rely on "
			     "what it says; \"xdd-audit verify\" says more",
			     name_of(i), log->broken_at);
	if (*log->sum.class && strcmp(log->sum.class, class))
		assess_point(a, ASSESS_ALARM, ASSESS_USED,
			     "%s: its log is of class %s, its policy of %s", name_of(i),
			     log->sum.class, class);
	if (log->strange)
		assess_point(
			a, ASSESS_ALARM, ASSESS_USED,
			"%s: its log, %s, stands in the folder of another instance",
			name_of(i), log->path);
	if (strcmp(log->policy, i->digest))
		assess_point(
			a, ASSESS_ALARM, ASSESS_VERSIONS,
			"%s: %s; what was used is not to be held against this file",
			name_of(i),
			*log->policy ? "its log was written with another policy "
				       "than the file that was read here"
				     : "its log does not say with which policy it "
				       "was written");
	if (log->sum.most > i->at_once)
		assess_point(a, ASSESS_ALARM, ASSESS_USED,
			     "%s: its log has %" PRIu64 " pages mapped at once, its "
			     "policy allows %" PRIu64 "%s",
			     name_of(i), log->sum.most, i->at_once,
			     log->policies > 1 ? "; it has had more than one policy"
					       : "");
	if (log->sum.lost)
		assess_point(a, ASSESS_NOTE, ASSESS_USED,
			     "%s: %" PRIu64 " lines of its log could not be written",
			     name_of(i), log->sum.lost);
	if (log->first && !log->findings)
		assess_point(a, ASSESS_NOTE, ASSESS_USED,
			     "%s: its log begins with seq %" PRIu64
			     ", the lines before "
			     "are not there any more; what was used then is not known",
			     name_of(i), log->first);
	if (i->entry->policy.audit_level == POLICY_AUDIT_CHANGES)
		assess_point(a, ASSESS_NOTE, ASSESS_USED,
			     "%s: Level = changes. Its maps are not in its log, and "
			     "what it had mapped is not known",
			     name_of(i));
}

static void of_logs(struct assess *a)
{
	for (unsigned n = 0; n < a->set->n; n++) {
		if (a->instance[n].log)
			of_log(a, &a->instance[n]);
		else if (a->logs)
			assess_point(
				a, ASSESS_ABSENT, ASSESS_USED,
				"%s: no audit log was given (--audit). What it used "
				"and was refused is not known",
				name_of(&a->instance[n]));
	}
	if (!a->logs)
		assess_point(a, ASSESS_ABSENT, ASSESS_USED,
			     "No audit log was given (--audit). What was used and "
			     "refused is not known");
	for (unsigned n = 0; n < a->logs; n++) {
		bool known = false;

		for (unsigned k = 0; k < a->set->n; k++)
			known |= a->instance[k].log == &a->log[n];
		if (!known)
			assess_point(a, ASSESS_ALARM, ASSESS_USED,
				     "%s: a log of %s, which no policy here is of; it "
				     "is not in this report",
				     a->log[n].path, a->log[n].name);
	}
}

static void of_seen(struct assess *a, const struct assess_instance *i)
{
	if (!i->seen)
		assess_point(a, ASSESS_ALARM, ASSESS_WITNESS,
			     "%s: the witness was told of no such instance",
			     name_of(i));
	else if (!i->seen->policy || strcmp(i->seen->policy, i->digest))
		assess_point(a, ASSESS_ALARM, ASSESS_WITNESS,
			     "%s: the witness judged by another policy than the file "
			     "that was read here",
			     name_of(i));
}

static void of_witness(struct assess *a)
{
	const struct witness *w = &a->witness;

	if (!w->root) {
		assess_point(a, ASSESS_ABSENT, ASSESS_WITNESS,
			     "No witness was given (--witness). What Xen itself has in "
			     "use is not known");
		return;
	}
	if (!w->explained || w->findings)
		assess_point(a, ASSESS_ALARM, ASSESS_WITNESS,
			     "What Xen has in use is not all explained: %" PRIu64
			     " findings",
			     (uint64_t)w->findings +
				     (uint64_t)(w->further > 0 ? w->further : 0));
	for (unsigned n = 0; n < a->set->n; n++)
		of_seen(a, &a->instance[n]);
}

static void of_probes(struct assess *a)
{
	for (unsigned n = 0; n < a->probes; n++) {
		const struct assess_probe *p = &a->probe[n];

		if (p->probe.count[PROBE_ALLOWED])
			assess_point(a, ASSESS_ALARM, ASSESS_REFUSED,
				     "%s: of what a back end must not be able to do, "
				     "%" PRIu64 " were allowed",
				     p->path, (uint64_t)p->probe.count[PROBE_ALLOWED]);
		if (p->probe.lost)
			assess_point(a, ASSESS_NOTE, ASSESS_REFUSED,
				     "%s: the keeper hung up on the way", p->path);
		if (!p->instance)
			assess_point(a, ASSESS_NOTE, ASSESS_REFUSED,
				     "%s does not say in whose place it was tried; say "
				     "--probe NAME=FILE",
				     p->path);
	}
	if (!a->probes)
		assess_point(a, ASSESS_ABSENT, ASSESS_REFUSED,
			     "No probe was given (--probe). That the walls stand was "
			     "not tried");
}

static void of_groups(struct assess *a)
{
	json_t *group;
	size_t i;

	json_array_foreach(a->groups, i, group) assess_point(
		a, ASSESS_NOTE, ASSESS_SHARED, "Isolation group %u, %s %s: %s",
		(unsigned)i + 1, json_string_value(json_object_get(group, "kind")),
		json_string_value(json_object_get(group, "name")),
		json_string_value(json_object_get(group, "meaning")));
}

void assess_find_points(struct assess *a)
{
	for (unsigned n = 0; n < a->set->n; n++)
		of_policy(a, &a->instance[n]);
	of_groups(a);
	of_logs(a);
	of_witness(a);
	of_probes(a);
}
