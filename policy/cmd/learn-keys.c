/* SPDX-License-Identifier: MIT */
/* What an audit log says of a policy's keys: see learn.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "policy/cmd/learn.h"
#include "policy/cmd/value.h"
#include "policy/key.h"

static void note(struct lessons *lessons, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void note(struct lessons *lessons, const char *fmt, ...)
{
	va_list args;

	if (lessons->notes == LESSONS)
		return;
	va_start(args, fmt);
	vsnprintf(lessons->note[lessons->notes++], LESSON_TEXT, fmt, args);
	va_end(args);
}

static struct lesson *add(struct lessons *lessons, enum policy_key key)
{
	struct lesson *lesson = &lessons->lesson[lessons->n++];

	*lesson = (struct lesson){.key = key};
	return lesson;
}

/* At least one page, and no more than is allowed now. */
static void learn_pages(struct lessons *lessons, enum policy_key key,
			const struct sum_use *use, uint32_t allowed, unsigned spare)
{
	uint64_t pages = use->most + (use->most * spare + 99) / 100;
	struct lesson *lesson;

	if (!use->maps || !pages || pages >= allowed)
		return;
	lesson = add(lessons, key);
	snprintf(lesson->value, sizeof(lesson->value), "%" PRIu64, pages);
	snprintf(lesson->why, sizeof(lesson->why),
		 "at most %" PRIu64 " pages at once, by line %" PRIu64
		 " of the log; %" PRIu32 " were allowed",
		 use->most, use->at, allowed);
}

static void learn_direction(struct lessons *lessons, const struct policy *policy,
			    const struct sum_use *use)
{
	struct lesson *lesson;

	if (policy->client_pages != POLICY_BOTH || use->readable == use->writable)
		return;
	lesson = add(lessons, POLICY_KEY_CLIENT_PAGES);
	snprintf(lesson->value, sizeof(lesson->value), "%s",
		 use->readable ? "readable" : "writable");
	snprintf(lesson->why, sizeof(lesson->why), "each of %" PRIu64 " maps was %s",
		 use->maps, use->readable ? "to read alone" : "to write");
}

static void learn_refs(struct lessons *lessons, const struct policy *policy,
		       const struct sum_use *use)
{
	const uint32_t first =
		use->first > policy->first_ref.v ? use->first : policy->first_ref.v;
	const uint32_t last =
		use->last < policy->last_ref.v ? use->last : policy->last_ref.v;
	struct lesson *lesson;
	char text[VALUE_TEXT];

	if (use->cut) {
		note(lessons, "GrantRefs: some maps had more references than a line of "
			      "the log has room for.");
		return;
	}
	if (first > last ||
	    (first == policy->first_ref.v && last == policy->last_ref.v))
		return;
	lesson = add(lessons, POLICY_KEY_GRANT_REFS);
	snprintf(lesson->value, sizeof(lesson->value), "%" PRIu32 "-%" PRIu32, first,
		 last);
	snprintf(lesson->why, sizeof(lesson->why),
		 "the least and the most of those that were mapped; %.40s were allowed",
		 value_text(policy, POLICY_KEY_GRANT_REFS, text));
}

void learn_keys(const struct policy *policy, const struct sum *sum, unsigned spare,
		struct lessons *lessons)
{
	const struct sum_use *use =
		&sum->use[policy->mode == POLICY_POOL ? SUM_POOL : SUM_DATA];
	const bool maps = policy->mode == POLICY_MAP || policy->mode == POLICY_POOL;

	*lessons = (struct lessons){.n = 0};
	learn_pages(lessons, POLICY_KEY_RING_PAGES, &sum->use[SUM_RING],
		    policy->ring_pages, spare);
	if (maps && use->maps) {
		learn_pages(lessons, policy_data_key(policy), use, policy->data_pages,
			    spare);
		if (policy->mode == POLICY_MAP)
			learn_direction(lessons, policy, use);
		learn_refs(lessons, policy, use);
	} else if (maps) {
		note(lessons, "no data page was mapped: nothing is known of them.");
	} else {
		note(lessons,
		     "Mode = %s: of copies a log has sums, and no references, no "
		     "direction.",
		     key_rows[POLICY_KEY_MODE].words[policy->mode]);
	}
	note(lessons,
	     "Limits are in no audit log; what was used of them is in "
	     "/run/xdd-stats/%s/stats.",
	     policy->name);
	if (sum->lost)
		note(lessons,
		     "%" PRIu64
		     " lines were lost: what they had is not allowed either.",
		     sum->lost);
}
