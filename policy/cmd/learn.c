/* SPDX-License-Identifier: MIT */
/* xdd-policy learn: its command line, its log, and what it prints: see learn.h. */
#include "policy/cmd/learn.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grant-mem/cmd/audit-trail.h"
#include "policy/class.h"
#include "policy/cmd/answer.h"
#include "policy/cmd/value.h"
#include "policy/key.h"

#define SPARE_MAX 1000
#define PATH_TEXT 200 /* of a comment's line */

struct learn {
	struct answer answer;
	struct loaded before, now; /* the present policy, and the proposal */
	const char *log;
	uint32_t spare; /* percent */
	struct sum sum;
	struct trail trail;
	struct lessons lessons;
};

/* False: not understood, and that has been said. */
static bool read_options(int argc, char **argv, struct learn *learn)
{
	static const struct option options[] = {{"spare", required_argument, NULL, 's'},
						{NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's' &&
		    policy_value_uint32(optarg, 0, SPARE_MAX, &learn->spare))
			continue;
		report_usage(&learn->answer.report,
			     c == 's' ? "--spare takes a percentage, 0 to 1000"
				      : "see xdd-policy --help");
		return false;
	}
	if (argc - optind == 2)
		return true;
	report_usage(&learn->answer.report,
		     "learn takes a policy and its log, such as: learn "
		     "/etc/xdd/ivi_disk.policy /var/log/xdd/ivi_disk");
	return false;
}

/* -- The log ----------------------------------------------------------------- */

static void take(struct trail *trail, const struct entry *entry)
{
	struct learn *learn = trail->reader;

	sum_add(&learn->sum, entry);
}

/* What is wrong with the log, or NULL. */
static const char *misfit(const struct learn *learn)
{
	const struct policy *policy = &learn->before.policy;
	const struct sum *sum = &learn->sum;

	if (learn->trail.findings)
		return "its chain is broken, and nothing is learned of it; \"xdd-audit "
		       "verify\" says where";
	if (*sum->class &&
	    (strcmp(sum->class, class_info(policy->class, policy->door)->name) ||
	     strcmp(learn->trail.name, policy->name)))
		return "the log of another instance: name that of the policy's own";
	if (policy->audit_level != POLICY_AUDIT_DECISIONS)
		return "with Level = changes no map is in a log; say Level = "
		       "decisions, and "
		       "let the client run for a while";
	if (!sum->maps)
		return "no map is in it; let the client run for a while";
	return NULL;
}

static bool read_log(struct learn *learn)
{
	struct report *report = &learn->answer.report;
	const char *wrong;
	int err;

	learn->trail = (struct trail){.entry = take, .reader = learn};
	err = trail_read(&learn->trail, learn->log);
	wrong = err ? trail_why(err) : misfit(learn);
	if (wrong)
		report_error(report, learn->log, 0, "%s", wrong);
	return !wrong;
}

/* -- The proposal ------------------------------------------------------------ */

static void try(struct learn *learn)
{
	size_t len;
	char *text = learn_text(&learn->before, &learn->lessons, &len);

	learn->now.len = len < sizeof(learn->now.text) ? len : sizeof(learn->now.text);
	memcpy(learn->now.text, text, learn->now.len);
	free(text);
}

/* Each lesson in its turn; what no policy could say together with the rest stays. */
static void propose(struct learn *learn)
{
	static struct policy_errors errors;
	const unsigned n = learn->lessons.n;

	for (learn->lessons.n = 1; learn->lessons.n <= n; learn->lessons.n++) {
		struct lesson *lesson = &learn->lessons.lesson[learn->lessons.n - 1];

		try(learn);
		errors.count = 0;
		if (load_text(learn->before.policy.name, &learn->now, &errors))
			snprintf(lesson->kept, sizeof(lesson->kept), "%s",
				 errors.error[0].what);
	}
	learn->lessons.n = n;
	try(learn);
}

static void print_head(const struct learn *learn)
{
	const struct lessons *lessons = &learn->lessons;
	json_t *log = answer_text(learn->log);
	char text[VALUE_TEXT];

	printf("# A proposal: what %.*s used, from %.19s to %.19s (UTC), in %" PRIu64
	       " lines.\n"
	       "# What was not used in that time is not allowed. \"xdd-policy diff\" "
	       "says "
	       "what that takes\n# away; try it where a refusal does no harm.\n",
	       PATH_TEXT, json_string_value(log), learn->sum.from, learn->sum.to,
	       learn->sum.lines);
	for (unsigned i = 0; i < lessons->notes; i++)
		printf("# Not learned: %s\n", lessons->note[i]);
	for (unsigned i = 0; i < lessons->n; i++) {
		const struct lesson *lesson = &lessons->lesson[i];

		if (*lesson->kept)
			printf("# Kept: %s = %s, though %s. %s would not do: %s\n",
			       policy_key_name(lesson->key),
			       value_text(&learn->before.policy, lesson->key, text),
			       lesson->why, lesson->value, lesson->kept);
	}
	json_decref(log);
}

/* Comments may have any bytes; those that are no UTF-8 are not JSON's. */
static json_t *policy_of(const struct learn *learn)
{
	static char text[sizeof(learn->now.text)];
	json_t *value = json_stringn(learn->now.text, learn->now.len);

	if (value)
		return value;
	for (size_t i = 0; i < learn->now.len; i++)
		text[i] = learn->now.text[i] & 0x80 ? '?' : learn->now.text[i];
	return json_stringn(text, learn->now.len);
}

static json_t *result_of(const struct learn *learn)
{
	json_t *keys = json_array(), *notes = json_array();
	char text[VALUE_TEXT];

	for (unsigned i = 0; i < learn->lessons.n; i++) {
		const struct lesson *lesson = &learn->lessons.lesson[i];

		json_array_append_new(
			keys,
			json_pack("{s:s, s:s, s:s, s:s, s:o}", "key",
				  policy_key_name(lesson->key), "before",
				  value_text(&learn->before.policy, lesson->key, text),
				  "now", lesson->value, "why", lesson->why, "kept",
				  *lesson->kept ? answer_text(lesson->kept)
						: json_null()));
	}
	for (unsigned i = 0; i < learn->lessons.notes; i++)
		json_array_append_new(notes, json_string(learn->lessons.note[i]));
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "instance",
			 learn->before.policy.name, "from", learn->sum.from, "to",
			 learn->sum.to, "keys", keys, "not_learned", notes, "policy",
			 policy_of(learn));
}

int learn_main(int argc, char **argv)
{
	static struct learn learn;
	json_t *result = NULL;

	answer_begin(&learn.answer, &argc, argv);
	if (!read_options(argc, argv, &learn))
		return answer_end(&learn.answer, 2, NULL);
	learn.log = argv[optind + 1];
	if (!load(argv[optind], &learn.before, &learn.answer.report) ||
	    !read_log(&learn))
		return answer_end(&learn.answer, 2, NULL);
	learn_keys(&learn.before.policy, &learn.sum, learn.spare, &learn.lessons);
	propose(&learn);
	if (answer_json(&learn.answer)) {
		result = result_of(&learn);
	} else {
		print_head(&learn);
		fwrite(learn.now.text, 1, learn.now.len, stdout);
	}
	return answer_end(&learn.answer, 0, result);
}
