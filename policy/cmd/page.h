/* SPDX-License-Identifier: MIT */
/*
 * The page for an assessor: an assessment (assess.h) as HTML of one piece, for a screen
 * and for A4 paper, without scripts and without anything that would have to be fetched.
 *
 * Invariants:
 *  1. nothing is said that is not in the assessment, or in THREAT-MODEL.md;
 *  2. each number stands beside where it is from: the line of a policy, a log, the
 *     witness;
 *  3. what an input says reaches the page by html.h alone.
 */
#ifndef XDD_PAGE_H
#define XDD_PAGE_H

#include "policy/cmd/assess.h"

/* All of it. Whether it could be written is for ferror() to say. */
void page_write(FILE *out, const struct assess *a);

/* Its sections, in their order. */
void page_style(FILE *out);
void page_picture(FILE *out, const struct assess *a);
void page_reach(FILE *out, const struct assess *a);
void page_used(FILE *out, const struct assess *a);
void page_refused(FILE *out, const struct assess *a);
void page_witness(FILE *out, const struct assess *a);
void page_shared(FILE *out, const struct assess *a);
/* What the threat model says is shared by all of them. */
void page_shared_by_all(FILE *out);
void page_versions(FILE *out, const struct assess *a);
void page_assumptions(FILE *out);
void page_annex(FILE *out, const struct assess *a);

/* What they share: a key's value, and the line that says so, which is a link. */
void page_key(FILE *out, const struct assess_instance *i, enum policy_key key);
/* "Key = value" and that line, small, on a line of its own. */
void page_setting(FILE *out, const struct assess_instance *i, enum policy_key key);
/* The line alone. */
void page_line(FILE *out, const struct assess_instance *i, enum policy_key key);
/* "domain 3", or "any domain with tag ivi"; of what is known. */
void page_client(FILE *out, const struct assess_client *client);
/* A heading, which sections refer to. */
void page_head(FILE *out, const char *section, const char *title);

#endif
