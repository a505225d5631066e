/* SPDX-License-Identifier: MIT */
/* What is not explained, in words: see witness-finding.h. */
#include <stdio.h>
#include <string.h>

#include "xenbus/cmd/witness-finding.h"

/* {n}: how many pages, or ports; {refs}: which; {client}, {user}: a domain; {who}: an
 * instance; {log}: the folder of its log; {detail}: the finding's own. */
static const struct words {
	const char *name, *why, *remedy;
} words[FINDING_KINDS] = {
	[POLICY_BAD] = {"policy-bad", "{who}: its policy is none: {detail}",
			"\"xdd-policy check\" says all that is wrong with it"},
	[POLICY_EDITED] =
		{"policy-edited",
		 "{who}: its policy is another than the one that is in force: "
		 "its log has another hash",
		 "reload it (systemctl reload xdd-keeper@NAME), or put it back "
		 "as it was"},
	[AUDIT_MISSING] =
		{"audit-missing", "{who}: its audit log is not there",
		 "bring its folder from /var/log/xdd in the driver domain; if "
		 "that has none, its keeper has never started there, or "
		 "somebody took it away"},
	[AUDIT_UNREAD] = {"audit-unreadable",
			  "{who}: its audit log cannot be read: {detail}",
			  "bring it again, as a folder of regular files"},
	[AUDIT_CHAIN] = {"audit-chain",
			 "{who}: its audit log is not what was written: {detail}",
			 "keep the files as they are; \"xdd-audit verify\", with the "
			 "same head, says what was changed"},
	[AUDIT_ODD] =
		{"audit-odd", "{who}: its audit log says what no keeper says: {detail}",
		 "keep the files as they are: they were written by somebody else, "
		 "or by a keeper of another release"},
	[AUDIT_SILENT] =
		{"audit-silent",
		 "{who}: its audit log does not say that a keeper started",
		 "bring it again; if it stays so, look at the keeper's journal"},
	[AUDIT_BOOT] = {"audit-boot",
			"{who}: its audit log is of another boot: {detail}",
			"bring the log of this boot; if that is it, start the keeper"},
	[AUDIT_DOMAIN] = {"audit-domain",
			  "{who}: its audit log was written in domain {detail}",
			  "bring the log of this domain"},
	[AUDIT_STRAY] = {"audit-stray", "{who}: there is an audit log, and no policy",
			 "bring its policy, or take the folder away if the instance is "
			 "gone for good"},
	[AUDIT_DROPPED] =
		{"audit-dropped",
		 "{who}: its audit log begins with seq {detail}, and does not "
		 "say all that is held",
		 "keep older logs from being dropped (Full = stop), or accept "
		 "what the policy alone allows: --accept-dropped"},
	[MAP_NO_POLICY] =
		{"map-no-policy",
		 "{n} of domain {client} mapped ({refs}): no policy names "
		 "this client",
		 "find who maps in the driver domain: its kernel's back ends, "
		 "xl devd, whoever has /dev/xen/gntdev open; or bring the "
		 "policy"},
	[MAP_NOT_LOGGED] =
		{"map-not-logged",
		 "{n} of domain {client} mapped ({refs}): no audit log has "
		 "registered them",
		 "find who maps in the driver domain beside the keepers: its "
		 "kernel's back ends, whoever has /dev/xen/gntdev open"},
	[MAP_READ_ONLY_CLIENT] =
		{"map-read-only",
		 "{n} of domain {client} mapped writable ({refs}): its "
		 "policies let its data be read alone (ClientPages), and "
		 "no audit log has registered them",
		 "find who maps in the driver domain beside the "
		 "keepers: whoever has /dev/xen/gntdev open"},
	[MAP_WRITABLE] = {"map-writable",
			  "{n} of domain {client} mapped writable ({refs}): {who} "
			  "registered them for reading",
			  "find who maps in the driver domain beside this instance: "
			  "whoever has /dev/xen/gntdev open"},
	[MAP_OUTSIDE] =
		{"map-outside-policy",
		 "{n} of domain {client} mapped ({refs}): {who} registered them, "
		 "and its policy does not allow it ({detail})",
		 "stop this instance, and keep its log: its keeper does not do "
		 "what its policy says"},
	[MAP_TOO_OFTEN] =
		{"map-too-often",
		 "{n} of domain {client} mapped ({refs}) more often than {who} "
		 "registered them",
		 "find who maps in the driver domain beside this instance: "
		 "whoever has /dev/xen/gntdev open"},
	[MAP_TOO_MANY] =
		{"map-too-many",
		 "{n} of domain {client} mapped by what {who} registered, and "
		 "its policy allows {detail}",
		 "stop this instance, and keep its log: its keeper does not do "
		 "what its policy says"},
	[MAP_BY_OTHER] =
		{"map-by-other",
		 "{n} of domain {client} mapped ({refs}) by domain {user}: the "
		 "toolstack made no device between the two",
		 "find out what joins the two, and whether it should"},
	[EVENT_NO_POLICY] = {"event-no-policy",
			     "event channel {refs} bound to domain {client}: no policy "
			     "names this client",
			     "find who has it in the driver domain (/dev/xen/evtchn, a "
			     "kernel back end), or bring the policy"},
	[EVENT_NOT_BOUND] = {"event-not-bound",
			     "event channel {refs} bound to domain {client}: no audit "
			     "log has bound it",
			     "find who has it in the driver domain beside the keepers: "
			     "/dev/xen/evtchn, a kernel back end"},
	[EVENT_OFFERED] = {"event-offered",
			   "event channel {refs} waits for domain {client}: no keeper "
			   "offers any",
			   "find who has it in the driver domain: /dev/xen/evtchn"},
	[EVENT_CONTROL] = {"event-control",
			   "event channel {refs} joined to the control domain: neither "
			   "xenstore nor console, nor a front end's",
			   "find out what joins the two, and whether it should"},
	[EVENT_TOO_MANY] = {"event-too-many",
			    "{n} event channels to domain {client} bound by {who}, and "
			    "its policy allows {detail}",
			    "stop this instance, and keep its log: its keeper does not "
			    "do what its policy says"},
	[MAPTRACK_FULL] = {"maptrack-full",
			   "all {n} maptrack frames are in use: it may soon be able to "
			   "map no more",
			   "give it more (max_maptrack_frames), or find what does not "
			   "let go"},
};

static bool counts_pages(enum finding_kind kind)
{
	return kind >= MAP_NO_POLICY && kind <= MAP_BY_OTHER;
}

static void put_n(const struct finding *f, FILE *out)
{
	fprintf(out, "%u", f->n);
	if (counts_pages(f->kind))
		fputs(f->n == 1 ? " page" : " pages", out);
}

static void put_refs(const struct finding *f, FILE *out)
{
	fputs(f->refs, out);
	if (f->unlisted)
		fprintf(out, " and %u more", f->unlisted);
}

static void put_field(const struct finding *f, const char *name, FILE *out)
{
	if (!strncmp(name, "n}", 2))
		put_n(f, out);
	else if (!strncmp(name, "refs", 4))
		put_refs(f, out);
	else if (!strncmp(name, "client", 6))
		fprintf(out, "%u", f->client);
	else if (!strncmp(name, "user", 4))
		fprintf(out, "%u", f->user);
	else if (!strncmp(name, "who", 3))
		fputs(f->instance ? f->instance->name : "?", out);
	else
		fputs(f->detail, out);
}

const char *finding_name(enum finding_kind kind)
{
	return words[kind].name;
}

const char *finding_remedy(enum finding_kind kind)
{
	return words[kind].remedy;
}

/* What a policy or a log would have explained that cannot be relied on. */
static void put_doubt(const struct finding *f, FILE *out)
{
	if (f->n && f->kind <= AUDIT_DROPPED) {
		fprintf(out, "; %u %s of domain %u mapped (", f->n,
			f->n == 1 ? "page" : "pages", f->client);
		put_refs(f, out);
		fputs(") may be its", out);
	}
	for (unsigned i = 0; i < f->ports; i++)
		fprintf(out, "; event channel %u may be its", f->port[i]);
}

void finding_why(const struct finding *f, char text[FINDING_TEXT])
{
	FILE *out = fmemopen(text, FINDING_TEXT, "w");
	const char *at = words[f->kind].why;

	*text = '\0';
	if (!out)
		return;
	while (*at) {
		if (*at != '{') {
			fputc(*at++, out);
			continue;
		}
		put_field(f, at + 1, out);
		at = strchr(at, '}') + 1;
	}
	put_doubt(f, out);
	fclose(out);
	text[FINDING_TEXT - 1] = '\0';
}
