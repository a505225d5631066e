/* SPDX-License-Identifier: MIT */
/*
 * xdd-policy explain: may an instance do this, and by which line? The answer is that of
 * the code that the keeper asks (policy/decide.h), for an instance that holds nothing
 * yet; nothing is decided here.
 *
 * A question is words: a verb, and what it is about, in any order; "of", "pages" and
 * the like are for people.
 */
#include "policy/cmd/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/cmd/answer.h"
#include "policy/cmd/set.h"
#include "policy/cmd/value.h"
#include "policy/decide.h"
#include "policy/key.h"

#define PAGES_MAX (1u << 20) /* no quota allows more */

static const char grammar[] =
	"map N pages readable|writable [as data|ring|pool], copy N segments "
	"from|to, bind N channels, or serve; each with domain D, tag T, at REF";

enum verb { MAP, COPY, BIND, SERVE, VERBS };
static const char *const verbs[VERBS + 1] = {"map", "copy", "bind", "serve", NULL};

struct question {
	enum verb verb;
	uint32_t n;		 /* 0: not said */
	bool writable, way_said; /* of a copy: to the client */
	int purpose;		 /* enum policy_purpose; -1: not said */
	uint32_t domain;	 /* 0: not said */
	const char *tag;
	uint32_t at; /* a reference; 0: the first of the policy's */
};

/* -- The question ---------------------------------------------------------- */

static int word_in(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++) {
		if (!strcmp(words[i], word))
			return i;
	}
	return -1;
}

/* Words that stand alone. False: @word is none of them. */
static bool take_word(struct question *q, const char *word)
{
	static const char *const fillers[] = {"page",	  "pages",   "segment",
					      "segments", "channel", "channels",
					      "of",	  NULL};
	static const char *const ways[] = {"readable", "from", "writable", "to", NULL};
	int way = word_in(ways, word);

	if (way < 0)
		return word_in(fillers, word) >= 0 ||
		       (!q->n && policy_value_uint32(word, 1, PAGES_MAX, &q->n));
	if (q->way_said || q->verb != (way & 1 ? COPY : MAP))
		return false;
	q->way_said = true;
	q->writable = way > 1;
	return true;
}

/* Words with another one behind them. */
static bool take_pair(struct question *q, const char *word, const char *value)
{
	static const char *const purposes[] = {[POLICY_PURPOSE_RING] = "ring",
					       [POLICY_PURPOSE_DATA] = "data",
					       [POLICY_PURPOSE_POOL] = "pool",
					       NULL};

	if (!strcmp(word, "domain"))
		return policy_value_uint32(value, 1, DOMID_LIMIT - 1, &q->domain);
	if (!strcmp(word, "at"))
		return policy_value_uint32(value, 1, UINT32_MAX - PAGES_MAX, &q->at);
	if (!strcmp(word, "tag")) {
		q->tag = value;
		return true;
	}
	q->purpose = word_in(purposes, value);
	return q->verb == MAP && q->purpose >= 0;
}

/* NULL, or the word that is not understood. */
static const char *read_question(int argc, char **argv, struct question *q)
{
	static const char *const pairs[] = {"domain", "at", "tag", "as", NULL};
	int verb = argc ? word_in(verbs, argv[0]) : -1;

	*q = (struct question){.purpose = -1, .tag = ""};
	if (verb < 0)
		return argc ? argv[0] : "nothing";
	q->verb = (enum verb)verb;
	for (int i = 1; i < argc; i++) {
		bool pair = word_in(pairs, argv[i]) >= 0;

		if (pair && i + 1 == argc)
			return argv[i];
		if (pair ? !take_pair(q, argv[i], argv[i + 1]) : !take_word(q, argv[i]))
			return argv[i + pair];
		i += pair;
	}
	if (q->verb == SERVE)
		return q->domain ? NULL : "serve without a domain";
	if (!q->n)
		return "without how many";
	return q->verb != BIND && !q->way_said ? "without a direction" : NULL;
}

/* -- The answer ------------------------------------------------------------ */

static enum policy_purpose purpose_of(const struct question *q,
				      const struct policy *policy)
{
	if (q->purpose >= 0)
		return (enum policy_purpose)q->purpose;
	return policy->mode == POLICY_POOL ? POLICY_PURPOSE_POOL : POLICY_PURPOSE_DATA;
}

static struct verdict may_map(const struct question *q, const struct policy *policy,
			      uint32_t at)
{
	const struct policy_usage nothing = {0};
	struct gref *refs = calloc(q->n, sizeof(*refs));
	struct verdict verdict;

	if (!refs)
		abort();
	for (uint32_t i = 0; i < q->n; i++)
		refs[i].v = at + i;
	verdict = policy_may_map(policy, &nothing, purpose_of(q, policy), refs, q->n,
				 q->writable);
	free(refs);
	return verdict;
}

static struct verdict may_bind(const struct question *q, const struct policy *policy)
{
	const struct policy_usage but_one = {.binds = q->n - 1};

	return policy_may_bind(policy, &but_one);
}

static struct verdict may(const struct question *q, const struct policy *policy)
{
	const uint32_t at = q->at ? q->at : policy->first_ref.v;

	switch (q->verb) {
	case MAP:
		return may_map(q, policy, at);
	case COPY:
		return policy_may_copy(policy, (struct gref){at}, q->n, q->writable);
	case BIND:
		return may_bind(q, policy);
	case SERVE:
	case VERBS:
		break;
	}
	return policy_may_serve(policy, (struct domid){(uint16_t)q->domain}, q->tag);
}

/* The keys whose lines say so; the last of them decided. */
struct reply {
	bool allowed;
	enum policy_key key[5];
	unsigned keys;
};

/* Its client first, if it was named: what is of no client of its is refused whatever
 * it is. For a map or a copy that is allowed, with the lines that would have had it
 * refused. */
static struct reply reply_to(const struct question *q, const struct policy *policy)
{
	const struct question who = {.verb = SERVE, .domain = q->domain, .tag = q->tag};
	struct verdict client =
		q->domain ? may(&who, policy) : (struct verdict){.allowed = true};
	struct verdict verdict = client.allowed ? may(q, policy) : client;
	bool data = q->verb == COPY ||
		    (q->verb == MAP && purpose_of(q, policy) != POLICY_PURPOSE_RING);
	struct reply reply = {.allowed = verdict.allowed};

	if (verdict.allowed && q->domain && q->verb != SERVE)
		reply.key[reply.keys++] = client.key;
	if (verdict.allowed && data) {
		reply.key[reply.keys++] = POLICY_KEY_MODE;
		reply.key[reply.keys++] = POLICY_KEY_CLIENT_PAGES;
		reply.key[reply.keys++] = policy_data_key(policy);
	}
	reply.key[reply.keys++] = verdict.key;
	return reply;
}

static void print(const struct question *q, const struct set_entry *entry,
		  const struct reply *reply, const char *words)
{
	printf("%s: %s may%s %s\n", reply->allowed ? "yes" : "no", entry->policy.name,
	       reply->allowed ? "" : " not", words);
	for (unsigned i = 0; i < reply->keys; i++)
		value_print_line(entry->path, &entry->policy, reply->key[i]);
	if (reply->allowed && q->verb != SERVE && !q->domain)
		printf("of its client alone; add \"of domain D\" to ask of one\n");
}

static json_t *object_of(const struct question *q, const struct set_entry *entry,
			 const struct reply *reply, const char *words)
{
	json_t *lines = json_array();

	for (unsigned i = 0; i < reply->keys; i++)
		json_array_append_new(lines, value_object(entry->path, &entry->policy,
							  reply->key[i]));
	return json_pack("{s:s, s:o, s:b, s:b, s:o}", "instance", entry->policy.name,
			 "what", answer_text(words), "may", reply->allowed,
			 "client_asked", q->domain != 0, "lines", lines);
}

/* All words of the question, a space between them; to be freed. */
static char *join(int argc, char **argv)
{
	char *words = strdup(argv[0]), *more;

	for (int i = 1; words && i < argc; i++) {
		if (asprintf(&more, "%s %s", words, argv[i]) < 0)
			more = NULL;
		free(words);
		words = more;
	}
	if (!words)
		abort();
	return words;
}

/* False: not understood, and that has been said. */
static bool understand(int argc, char **argv, struct question *question,
		       struct report *report)
{
	const char *wrong;

	if (argc < 4 || strcmp(argv[2], "may")) {
		report_usage(report, "explain NAME may WHAT, such as: explain ivi_disk "
				     "may map 12 pages writable of domain 3");
		return false;
	}
	wrong = read_question(argc - 3, argv + 3, question);
	if (wrong)
		report_usage(report, "\"%s\" is not understood; allowed: %s", wrong,
			     grammar);
	return !wrong;
}

int explain_main(int argc, char **argv)
{
	struct question question;
	struct answer answer;
	json_t *result = NULL;
	struct set set = {0};
	struct reply reply;
	char *words;

	answer_begin(&answer, &argc, argv);
	if (!understand(argc, argv, &question, &answer.report))
		return answer_end(&answer, 2, NULL);
	if (set_add(&set, argv[1], &answer.report))
		report_usage(&answer.report,
			     "explain takes one policy, not the directory %s", argv[1]);
	if (answer.report.errors) {
		set_free(&set);
		return answer_end(&answer, 2, NULL);
	}
	words = join(argc - 3, argv + 3);
	reply = reply_to(&question, &set.entry[0].policy);
	if (answer_json(&answer))
		result = object_of(&question, &set.entry[0], &reply, words);
	else
		print(&question, &set.entry[0], &reply, words);
	free(words);
	set_free(&set);
	return answer_end(&answer, !reply.allowed, result);
}
