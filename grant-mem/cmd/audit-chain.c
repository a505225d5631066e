/* SPDX-License-Identifier: MIT */
/* Whether the lines of an audit log are one chain: see audit-chain.h.
 * [impl->req~record-is-chained~1] */
#include "grant-mem/cmd/audit-chain.h"

#include <string.h>

#include "common/number.h"

static void found(struct chain *chain, enum chain_kind kind, struct chain_place at,
		  uint64_t to, const char *why)
{
	const struct chain_finding finding = {kind, at, to, why};

	chain->found(chain, &finding);
}

/* The link from @before to the last is broken, and so is none behind it: it was that
 * line which changed, unless it has been named. @kind: how sure that is. */
static void blame_before(struct chain *chain, enum chain_kind kind)
{
	if (chain->broken)
		found(chain, kind, chain->before, chain->before.seq, NULL);
	chain->broken = false;
}

static void blame_last(struct chain *chain, enum chain_kind kind)
{
	if (!chain->named)
		found(chain, kind, chain->last, chain->last.seq, NULL);
	chain->broken = false;
	chain->named = true;
}

/* A line that is the next by its number: only its link may be wrong. */
static void follow(struct chain *chain, bool linked)
{
	if (linked)
		blame_before(chain, CHAIN_CHANGED);
	else if (chain->broken)
		blame_last(chain, CHAIN_CHANGED);
	else if (!chain->named)
		chain->broken = true;
}

/* How many lines what could not be read was, in front of the first that could, @seq:
 * one each, or all there were. */
static uint64_t in_front(const struct chain *chain, uint64_t seq)
{
	const bool all = chain->junks && (chain->whole || seq < chain->junks);

	return all ? seq : chain->junks;
}

/* What could not be read stands between the last line and one with @seq, or the end. */
static void settle_junk(struct chain *chain, uint64_t seq)
{
	uint64_t next = 0;

	if (chain->lines)
		next = chain->last.seq + 1;
	else if (seq != UINT64_MAX)
		next = seq - in_front(chain, seq);
	blame_before(chain, CHAIN_LINK);
	chain->junk.seq = next;
	if (seq > next)
		found(chain, CHAIN_CHANGED, chain->junk, seq - 1, chain->why);
	else
		found(chain, CHAIN_ADDED, chain->junk, next, chain->why);
}

static void check_head(struct chain *chain, const struct entry *entry)
{
	const struct chain_head *head = chain->head;

	if (!head || chain->last.seq != head->seq)
		return;
	chain->head_seen = true;
	if (!strcmp(head->hash, entry->hash)) {
		blame_before(chain, CHAIN_CHANGED); /* this line is as it was */
		return;
	}
	if (chain->broken)
		blame_last(chain, CHAIN_CHANGED);
	if (!chain->named)
		found(chain, CHAIN_HEAD, chain->last, chain->last.seq, NULL);
	chain->named = true;
}

/* The first line of all has zeros for what was before it. */
static void begin(struct chain *chain, const struct entry *entry)
{
	static const char zeros[] = "00000000000000000000000000000000"
				    "00000000000000000000000000000000";
	const bool first = !strcmp(entry->prev, zeros), wrong = first != !entry->seq;

	if (first)
		chain->last.seq = 0;
	if (wrong)
		blame_last(chain, CHAIN_CHANGED);
	chain->first = chain->last.seq;
	chain->first -= in_front(chain, chain->first);
	/* The head's line was the last to be dropped: this one is tied to it. */
	if (chain->head && !chain->junks && chain->head->seq + 1 == chain->last.seq)
		chain->head_seen = !strcmp(chain->head->hash, entry->prev);
}

/* How a line hangs together with the one before; its finding may give it another
 * number. True if it has been named. */
static bool join(struct chain *chain, struct chain_place *at, bool linked)
{
	const uint64_t next = chain->last.seq + 1;
	struct chain_place gap = {at->path, at->line, next};

	if (at->seq == next) {
		follow(chain, linked);
		return false;
	}
	blame_before(chain, CHAIN_LINK);
	if (linked) {
		at->seq = next; /* where its prev ties it to */
		found(chain, CHAIN_CHANGED, *at, next, "its seq is another");
		return true;
	}
	if (at->seq > next)
		found(chain, CHAIN_MISSING, gap, at->seq - 1, NULL);
	else
		found(chain, CHAIN_ORDER, *at, at->seq, NULL);
	return false;
}

void chain_line(struct chain *chain, struct chain_place at, const struct entry *entry)
{
	const bool any = chain->lines, linked = !strcmp(entry->prev, chain->hash);
	bool named = false;

	at.seq = entry->seq;
	if (chain->junks)
		settle_junk(chain, at.seq);
	/* Of what could not be read no hash is known. */
	if (any && (!chain->junks || at.seq <= chain->last.seq + 1))
		named = join(chain, &at, linked);
	chain->before = chain->last;
	chain->last = at;
	chain->named = named;
	chain->lines++;
	memcpy(chain->hash, entry->hash, sizeof(chain->hash));
	if (!any)
		begin(chain, entry);
	chain->junks = 0;
	check_head(chain, entry);
}

void chain_junk(struct chain *chain, struct chain_place at, const char *why)
{
	if (chain->junks++)
		return;
	chain->junk = at;
	chain->why = why;
}

static void end_head(struct chain *chain)
{
	const struct chain_head *head = chain->head;
	struct chain_place at = chain->last;

	if (!head || chain->head_seen || !chain->lines)
		return;
	if (head->seq > at.seq) {
		if (chain->junks)
			return; /* what could not be read is named, "and on" */
		at.seq++;
		found(chain, CHAIN_CUT, at, head->seq, NULL);
	} else {
		at.seq = head->seq;
		found(chain, head->seq < chain->first ? CHAIN_GONE : CHAIN_HEAD, at,
		      at.seq, NULL);
	}
}

void chain_end(struct chain *chain)
{
	if (chain->junks)
		settle_junk(chain, UINT64_MAX);
	blame_before(chain, CHAIN_LINK);
	if (!chain->lines)
		found(chain, CHAIN_EMPTY, chain->last, 0, NULL);
	else if (chain->whole && chain->first)
		found(chain, CHAIN_FRONT, (struct chain_place){NULL, 0, 0},
		      chain->first - 1, NULL);
	end_head(chain);
}

bool chain_head_parse(const char *text, struct chain_head *head)
{
	const char *colon = strchr(text, ':');

	if (!colon || !entry_is_hash(colon + 1) ||
	    !number_parse(text, (size_t)(colon - text), INT64_MAX, &head->seq))
		return false;
	strcpy(head->hash, colon + 1);
	return true;
}
