/* SPDX-License-Identifier: MIT */
/*
 * What grant-mem/THREAT-MODEL.md says of what has to hold outside of xdd, and of what
 * is shared and not claimed, as data: made from that file when this is built
 * (assumptions.py), so that there is one text of it.
 */
#ifndef XDD_ASSUMPTIONS_H
#define XDD_ASSUMPTIONS_H

/* Texts have marks as html_marked() takes them. */
struct assumption {
	const char *number; /* "AoU-7" */
	const char *about;  /* "Xen" */
	const char *text, *check;
};

extern const struct assumption assumptions[];
extern const unsigned assumptions_n;
/* Paragraphs, each ended by NULL: "Shared by all instances ...", "Not claimed". */
extern const char *const assumptions_shared[];
extern const char *const assumptions_not_claimed[];
/* SHA-256 of the file. */
extern const char assumptions_digest[];

#endif
