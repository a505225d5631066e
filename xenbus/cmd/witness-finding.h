/* SPDX-License-Identifier: MIT */
/* How the judge writes down what it finds, and how that is told: one line each. */
#ifndef XDD_WITNESS_FINDING_H
#define XDD_WITNESS_FINDING_H

#include "xenbus/cmd/witness-judge.h"

#define FINDING_TEXT (2 * PATH_MAX)

/* The one of this kind, about these; made if there is none. Never NULL. */
struct finding *finding_get(struct findings *all, enum finding_kind kind,
			    const struct instance *instance, uint32_t client,
			    uint32_t user);
/* One more page, or port; a domain's come in ascending order. */
void finding_add(struct finding *f, uint32_t ref);

/* "map-not-logged" */
const char *finding_name(enum finding_kind kind);
/* What is not explained, and why not; what a driver domain wrote may be in it. */
void finding_why(const struct finding *f, char text[FINDING_TEXT]);
/* What to do. */
const char *finding_remedy(enum finding_kind kind);

#endif
