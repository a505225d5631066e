/* SPDX-License-Identifier: MIT */
/* What the audit log of one instance says: see assess-log.h. */
#include "policy/cmd/assess-log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void take_hash(const struct entry *entry, const char *name, char out[ENTRY_HASH])
{
	const char *text = entry_text(entry, name);

	strcpy(out, entry_is_hash(text) ? text : "");
}

static void on_start(struct assess_log *log, const struct entry *entry)
{
	char before[ENTRY_HASH];

	strcpy(before, log->policy);
	take_hash(entry, "policy", log->policy);
	take_hash(entry, "keeper", log->keeper);
	take_hash(entry, "program", log->program);
	log->policies += log->policies == 0 || strcmp(before, log->policy);
}

static void take(struct trail *trail, const struct entry *entry)
{
	struct assess_log *log = trail->reader;
	uint64_t client;

	sum_add(&log->sum, entry);
	if (!strcmp(entry->event, "start"))
		on_start(log, entry);
	if (strcmp(entry->event, "device"))
		return;
	client = entry_client(entry);
	if (client != ENTRY_NO_CLIENT)
		log->client = (uint32_t)client;
}

static void found(struct trail *trail, const struct chain_finding *finding)
{
	struct assess_log *log = trail->reader;
	const char *path = finding->at.path ? finding->at.path : trail->path[1];

	if (*log->broken_at)
		return;
	if (finding->at.line)
		snprintf(log->broken_at, sizeof(log->broken_at), "%s:%u, seq %" PRIu64,
			 path, finding->at.line, finding->at.seq);
	else
		snprintf(log->broken_at, sizeof(log->broken_at), "%s", path);
}

int assess_log_read(struct assess_log *log, const char *path)
{
	static struct trail trail;
	int err;

	*log = (struct assess_log){.client = ASSESS_NOBODY};
	trail = (struct trail){.entry = take, .found = found, .reader = log};
	err = trail_read(&trail, path);
	if (err)
		return err;
	log->path = strdup(path);
	if (!log->path)
		abort();
	strcpy(log->name, trail.name);
	log->first = trail.chain.first;
	log->last = trail.chain.last.seq;
	strcpy(log->head, trail.chain.lines ? trail.chain.hash : "");
	log->findings = trail.findings;
	log->torn = trail.torn;
	log->strange = trail.strange;
	return 0;
}

void assess_log_fini(struct assess_log *log)
{
	free(log->path);
}
