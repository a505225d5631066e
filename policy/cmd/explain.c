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

/* Its client first, if it was named: what is of no client of its is refused whatever
 * it is. Then the line that decided, and for a map or a copy that is allowed those that
 * would have had it refused. */
static int answer(const struct question *q, const struct set_entry *entry, int argc,
		  char **argv)
{
	const struct policy *policy = &entry->policy;
	const struct question who = {.verb = SERVE, .domain = q->domain, .tag = q->tag};
	struct verdict client =
		q->domain ? may(&who, policy) : (struct verdict){.allowed = true};
	struct verdict verdict = client.allowed ? may(q, policy) : client;
	bool data = q->verb == COPY ||
		    (q->verb == MAP && purpose_of(q, policy) != POLICY_PURPOSE_RING);

	printf("%s: %s may%s", verdict.allowed ? "yes" : "no", policy->name,
	       verdict.allowed ? "" : " not");
	for (int i = 0; i < argc; i++)
		printf(" %s", argv[i]);
	putchar('\n');
	if (verdict.allowed && q->domain && q->verb != SERVE)
		value_print_line(entry->path, policy, client.key);
	if (verdict.allowed && data) {
		value_print_line(entry->path, policy, POLICY_KEY_MODE);
		value_print_line(entry->path, policy, POLICY_KEY_CLIENT_PAGES);
		value_print_line(entry->path, policy, policy_data_key(policy));
	}
	value_print_line(entry->path, policy, verdict.key);
	if (verdict.allowed && q->verb != SERVE && !q->domain)
		printf("of its client alone; add \"of domain D\" to ask of one\n");
	return !verdict.allowed;
}

int explain_main(int argc, char **argv)
{
	struct report report = {0};
	struct question question;
	struct set set = {0};
	const char *wrong;
	int status = 2;

	if (argc < 4 || strcmp(argv[2], "may")) {
		fprintf(stderr,
			"xdd-policy: explain NAME may WHAT, such as: explain ivi_disk "
			"may map 12 pages writable of domain 3\n");
		return 2;
	}
	wrong = read_question(argc - 3, argv + 3, &question);
	if (wrong) {
		fprintf(stderr, "xdd-policy: \"%s\" is not understood; allowed: %s\n",
			wrong, grammar);
		return 2;
	}
	if (set_add(&set, argv[1], &report))
		fprintf(stderr,
			"xdd-policy: explain takes one policy, not the "
			"directory %s\n",
			argv[1]);
	else if (set.n)
		status = answer(&question, &set.entry[0], argc - 3, argv + 3);
	set_free(&set);
	return status;
}
