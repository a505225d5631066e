/* SPDX-License-Identifier: MIT */
/* xdd-audit verify: what chain.h finds, in words, and what to do; see xdd-audit(8). */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "grant-mem/cmd/audit-commands.h"
#include "grant-mem/cmd/audit-print.h"

#define FINDINGS_MAX 50 /* that are told, of a log */

struct verify {
	char from[ENTRY_TIME], to[ENTRY_TIME];
	uint64_t lost;
};

static void take(struct trail *trail, const struct entry *entry)
{
	struct verify *verify = trail->reader;

	if (!*verify->from)
		strcpy(verify->from, entry->time);
	strcpy(verify->to, entry->time);
	verify->lost += entry->lost;
}

/* {seq} is the line's number or the first of several, {to} the last. */
static const char *const words[] = {
	[CHAIN_CHANGED] = "was changed: the hash that is kept of it is another",
	[CHAIN_LINK] = "is not tied to the line behind it: one of the two was changed",
	[CHAIN_MISSING] = "missing before this line: taken out, or put elsewhere",
	[CHAIN_ORDER] = "does not belong here: it was moved, or put in",
	[CHAIN_ADDED] =
		"what stands before it was put in: the chain goes on without it",
	[CHAIN_FRONT] =
		"missing before the first line: audit.log.1 is not here, or lines "
		"were cut off its front",
	[CHAIN_CUT] = "missing behind the last line: the log was cut off at its end",
	[CHAIN_HEAD] =
		"is another than the head says: it was changed, or a line before "
		"it, with the chain from there on made anew",
	[CHAIN_GONE] =
		"the head's line is not here any more, and nothing ties it to these: "
		"give a later head",
	[CHAIN_EMPTY] = "there is no line: a keeper writes one when it starts",
};

static void print_finding(struct trail *trail, const struct chain_finding *finding)
{
	const struct chain_place *at = &finding->at;

	if (trail->findings > FINDINGS_MAX)
		return;
	print_text(at->path ? at->path : trail->path[1]);
	if (at->line && finding->kind != CHAIN_CUT && finding->kind != CHAIN_GONE)
		printf(":%u", at->line);
	if (finding->kind != CHAIN_EMPTY)
		printf(": seq %" PRIu64, at->seq);
	if (finding->to > at->seq && finding->to >= INT64_MAX)
		printf(" and on");
	else if (finding->to > at->seq)
		printf(" to %" PRIu64, finding->to);
	if (finding->why)
		printf(": %s", finding->why);
	printf(": %s\n", words[finding->kind]);
}

static void print_verdict(const struct trail *trail, const struct verify *verify)
{
	const struct chain *chain = &trail->chain;
	const char *what = trail->findings ? "BROKEN" : "sound";

	if (trail->findings > FINDINGS_MAX)
		printf("and %" PRIu64 " more findings\n",
		       trail->findings - FINDINGS_MAX);
	print_text(trail->name);
	printf(": %s: %" PRIu64 " lines", what, chain->lines);
	if (!chain->lines) {
		putchar('\n');
		return;
	}
	printf(", seq %" PRIu64 " to %" PRIu64 ", ", chain->first, chain->last.seq);
	print_time(verify->from);
	printf(" to ");
	print_time(verify->to);
	if (trail->findings)
		printf("\n  keep the files as they are; what was logged elsewhere "
		       "(journal, "
		       "control domain) says more");
	else
		printf("; head %" PRIu64 ":%s", chain->last.seq, chain->hash);
	putchar('\n');
}

static void print_notes(const struct trail *trail, const struct verify *verify)
{
	const struct chain_head *head = trail->head;
	const struct chain *chain = &trail->chain;

	if (verify->lost)
		printf("  %" PRIu64 " lines could not be written, and are counted\n",
		       verify->lost);
	if (trail->strange) {
		printf("  its folder is ");
		print_text(trail->folder);
		printf(", and it says that it is another instance's: see whose it is "
		       "by \"xdd-audit show --event start\"\n");
	}
	if (trail->torn)
		printf("  %" PRIu64
		       " bytes behind the last line are no line: one that is "
		       "being written, or that a power loss cut short; the keeper "
		       "takes "
		       "them away when it starts\n",
		       trail->torn);
	if (chain->first && !trail->findings)
		printf("  seq 0 to %" PRIu64
		       " are not here any more: the log was full, and "
		       "the oldest lines were dropped\n",
		       chain->first - 1);
	if (!head)
		printf("  no --head: lines that were cut off the end, and a log that "
		       "was "
		       "written anew, cannot be seen\n");
	else if (!trail->findings && chain->last.seq > head->seq)
		printf("  %" PRIu64
		       " lines behind the head: some cut off the end there "
		       "cannot be seen\n",
		       chain->last.seq - head->seq);
}

static int verify(const char *log, const struct chain_head *head)
{
	static struct trail trail;
	struct verify verify = {.lost = 0};
	int err;

	trail = (struct trail){
		.entry = take, .found = print_finding, .head = head, .reader = &verify};
	err = trail_read(&trail, log);
	if (err) {
		audit_cannot_read(log, err);
		return AUDIT_UNREADABLE;
	}
	print_verdict(&trail, &verify);
	print_notes(&trail, &verify);
	return trail.findings ? AUDIT_BROKEN : AUDIT_SOUND;
}

int verify_main(int argc, char **argv)
{
	static const struct option options[] = {{"head", required_argument, NULL, 'h'},
						{NULL, 0, NULL, 0}};
	const struct chain_head *given = NULL;
	struct chain_head head;
	int status = AUDIT_SOUND, c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c != 'h')
			return AUDIT_UNREADABLE;
		if (!chain_head_parse(optarg, &head)) {
			fprintf(stderr,
				"xdd-audit: --head: no SEQ:HASH, a number and 64 hex "
				"digits, as verify prints it\n");
			return AUDIT_UNREADABLE;
		}
		given = &head;
	}
	if (optind == argc || (given && optind + 1 != argc)) {
		fprintf(stderr, "xdd-audit: verify: %s\n",
			given ? "a head is of one log: name one"
			      : "which log? Such as /var/log/xdd/ivi_disk");
		return AUDIT_UNREADABLE;
	}
	for (int i = optind; i < argc; i++)
		status = audit_worse(status, verify(argv[i], given));
	return status;
}
