/* SPDX-License-Identifier: MIT */
/* A list of what is not explained: see witness-judge.h, and witness-finding.h. */
#include "xenbus/cmd/witness-finding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct finding *find(struct findings *all, enum finding_kind kind,
			    const struct instance *instance, uint32_t client,
			    uint32_t user)
{
	for (unsigned i = 0; i < all->n; i++) {
		struct finding *f = all->at[i];

		if (f->kind == kind && f->instance == instance && f->client == client &&
		    f->user == user)
			return f;
	}
	return NULL;
}

struct finding *finding_get(struct findings *all, enum finding_kind kind,
			    const struct instance *instance, uint32_t client,
			    uint32_t user)
{
	static struct finding beyond;
	struct finding *f = find(all, kind, instance, client, user);

	if (f)
		return f;
	if (all->n == FINDINGS_MAX) {
		all->more++;
		beyond = (struct finding){.kind = kind};
		return &beyond;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		abort();
	*f = (struct finding){
		.kind = kind, .instance = instance, .client = client, .user = user};
	return all->at[all->n++] = f;
}

/* The last run ends with one more. */
static void lengthen(struct finding *f, uint32_t ref)
{
	char *run = strrchr(f->refs, ',');
	size_t at = run ? (size_t)(run - f->refs) + 1 : 0;

	f->last = ref;
	snprintf(f->refs + at, sizeof(f->refs) - at, "%u-%u", f->first, f->last);
}

void finding_add(struct finding *f, uint32_t ref)
{
	size_t len = strlen(f->refs);

	if (f->n++ && !f->unlisted && ref == f->last + 1) {
		lengthen(f, ref);
	} else if (f->unlisted || len > sizeof(f->refs) - 40) {
		f->unlisted++;
	} else {
		snprintf(f->refs + len, sizeof(f->refs) - len, "%s%u", len ? "," : "",
			 ref);
		f->first = f->last = ref;
	}
}

void findings_free(struct findings *findings)
{
	for (unsigned i = 0; i < findings->n; i++)
		free(findings->at[i]);
	findings->n = findings->more = 0;
}
